#!/usr/bin/python
"""What a host serves of a zone's keys, and what its resolver trusts."""

from __future__ import annotations

DOCUMENTATION = r"""
module: altnet_zone_keys
short_description: Ask a host whether it serves a zone with its present keys, and whether its resolver trusts them
description:
  - Asks the host's own name server for the zone's keys, for who signs, and for the DS in the parent zone; asks its
    resolver which keys it trusts, and for an answer that it has validated. Looks again until all is as wanted.
  - Changes nothing and does not fail on what it finds. The action plugin of the same name fills in what this run's
    M(altnet_zone_roll) wants.
options:
  zone:
    description: The zone, with its final dot.
    type: str
    required: true
  ds:
    description: The DS records of all its keys.
    type: list
    elements: str
    required: true
  signer:
    description: The tag of the key that signs.
    type: int
    required: true
  anchored:
    description: Whether resolvers begin at this zone, which no parent vouches for.
    type: bool
    required: true
  address:
    description: The address at which the host's name server and its resolver answer.
    type: str
    required: true
  resolver:
    description: Whether the host has a resolver.
    type: bool
    required: true
  server_port:
    description: The name server's port.
    type: int
    default: 5300
  resolver_port:
    description: The resolver's port.
    type: int
    default: 53
  wait:
    description: Seconds to look again for what is not as wanted.
    type: float
    default: 20
attributes:
  check_mode: {support: full}
  diff_mode: {support: none}
author: The Altnet developers
"""

EXAMPLES = r"""
- name: Ask the host what it serves and trusts
  altnet_zone_keys:
  register: __roll_seen
"""

RETURN = r"""
lacks:
  description: What is not as wanted, in sentences; empty where all is.
  returned: success
  type: list
  elements: str
  sample: ["its resolver trusts the keys 4711, not 4711, 4712"]
"""

from ansible.module_utils.basic import AnsibleModule

try:
    from ansible.module_utils.altnet.naming.served import Place, Wanted, lacks

    HAS_DNSPYTHON = True
except ImportError:
    HAS_DNSPYTHON = False


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "zone": {"type": "str", "required": True},
            "ds": {"type": "list", "elements": "str", "required": True},
            "signer": {"type": "int", "required": True},
            "anchored": {"type": "bool", "required": True},
            "address": {"type": "str", "required": True},
            "resolver": {"type": "bool", "required": True},
            "server_port": {"type": "int", "default": 5300},
            "resolver_port": {"type": "int", "default": 53},
            "wait": {"type": "float", "default": 20},
        },
        supports_check_mode=True,
    )
    given = module.params
    if not HAS_DNSPYTHON:
        module.fail_json(msg="python3-dnspython is missing. Remedy: run site.yml first.")
    wanted = Wanted(given["zone"], frozenset(given["ds"]), given["signer"], given["anchored"])
    place = Place(given["address"], given["server_port"], given["resolver_port"] if given["resolver"] else None)
    module.exit_json(changed=False, lacks=lacks(wanted, place, given["wait"]))


if __name__ == "__main__":
    main()
