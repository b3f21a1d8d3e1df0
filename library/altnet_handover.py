#!/usr/bin/python
"""Whether a host's traffic has moved from its older tunnels to the newer ones, while keys rotate."""

from __future__ import annotations

DOCUMENTATION = r"""
module: altnet_handover
short_description: Ask a host whether its traffic has moved to the newer tunnels, while keys rotate
description:
  - Waits until, of every two tunnels with one neighbour, the newer one has had a handshake and an Established BGP
    session, and neither BIRD prefers a route of the older one nor the kernel has one that leaves by it. Then the older
    one carries nothing that this host sends, and may go.
  - Changes nothing and does not fail on what it finds. A host that has no two tunnels with one neighbour is not asked.
options:
  pairs:
    description: The tunnels to ask about. Those of this run's plan, unless given.
    type: list
    elements: dict
    suboptions:
      neighbour:
        description: The neighbour's name.
        type: str
        required: true
      old_interface:
        description: The older tunnel's interface.
        type: str
        required: true
      old_session:
        description: The BIRD protocol in it.
        type: str
        required: true
      new_interface:
        description: The newer tunnel's interface.
        type: str
        required: true
      new_session:
        description: The BIRD protocol in it.
        type: str
        required: true
  wait:
    description: Seconds to wait. A host whose traffic has moved is done at once.
    type: float
    default: 60
attributes:
  check_mode: {support: full}
  diff_mode: {support: none}
author: The Altnet developers
"""

EXAMPLES = r"""
- name: Wait until traffic has moved to the new tunnels
  altnet_handover:
    wait: 60
  register: __rotation_handover
"""

RETURN = r"""
waiting:
  description: For each neighbour with two tunnels what keeps the older one; empty where it may go.
  returned: always
  type: dict
  sample: {"nyc": "", "sin": "BGP session an1_sin is Active"}
established:
  description: The BGP sessions that are up; not returned by a host that was not asked.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.altnet.host.handover import Pair, wait
from ansible.module_utils.basic import AnsibleModule

PAIR = {
    name: {"type": "str", "required": True}
    for name in ("neighbour", "old_interface", "old_session", "new_interface", "new_session")
}


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "pairs": {"type": "list", "elements": "dict", "options": PAIR, "required": True},
            "wait": {"type": "float", "default": 60},
        },
        supports_check_mode=True,
    )
    seen = wait([Pair(**pair) for pair in module.params["pairs"]], module.params["wait"])
    module.exit_json(changed=False, waiting=seen.waiting, established=seen.established)


if __name__ == "__main__":
    main()
