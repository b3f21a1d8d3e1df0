#!/usr/bin/python
"""What a host sees of the network: whom it reaches, its tunnels, its sessions."""

from __future__ import annotations

DOCUMENTATION = r"""
module: altnet_check
short_description: Ask a host whom it reaches, and how its tunnels and BGP sessions are
description:
  - Sends ICMPv6 echoes from the host's loopback to every other host's at once, reads WireGuard's handshakes and BIRD's
    sessions, and returns what it saw. Changes nothing and does not fail on what it finds.
options:
  source:
    description: The address to ask from. The host's loopback in this run's plan, unless given.
    type: str
  targets:
    description: Addresses to ask, by name. The loopbacks of all other hosts in this run's plan, unless given.
    type: dict
  sessions:
    description: BIRD protocols that should be Established. Those of this run's plan, unless given.
    type: list
    elements: str
    default: []
  tunnels:
    description: Interfaces that should have had a handshake. Those of this run's plan, unless given.
    type: list
    elements: str
    default: []
  wait:
    description: Seconds to wait for everything to be as it should. A healthy host is done at once.
    type: float
    default: 5
attributes:
  check_mode: {support: full}
  diff_mode: {support: none}
author: The Altnet developers
"""

EXAMPLES = r"""
- name: Ask whom this host reaches
  altnet_check:
    wait: 10
"""

RETURN = r"""
reach:
  description: By name, C(milliseconds) and C(hops) of the way back, or null for who did not answer.
  returned: always
  type: dict
tunnels:
  description: By interface, C(age) of the newest handshake in seconds (null before the first) and C(kernel).
  returned: always
  type: dict
sessions:
  description: By BIRD protocol name, its state.
  returned: always
  type: dict
problem:
  description: What kept the host from asking at all, empty otherwise.
  returned: always
  type: str
"""

import dataclasses

from ansible.module_utils.altnet.host.look import look
from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "source": {"type": "str", "required": True},
            "targets": {"type": "dict", "required": True},
            "sessions": {"type": "list", "elements": "str", "default": []},
            "tunnels": {"type": "list", "elements": "str", "default": []},
            "wait": {"type": "float", "default": 5},
        },
        supports_check_mode=True,
    )
    seen = look(**module.params)
    module.exit_json(
        changed=False,
        problem=seen.problem,
        reach={name: reply and dataclasses.asdict(reply) for name, reply in seen.reach.items()},
        tunnels=seen.tunnels,
        sessions=seen.sessions,
    )


if __name__ == "__main__":
    main()
