#!/usr/bin/python
"""What a host sees of the network: whom it reaches, its tunnels, its sessions."""

from __future__ import annotations

DOCUMENTATION = r"""
module: altnet_check
short_description: Ask a host whom it reaches, how its tunnels and BGP sessions are, and what names it resolves
description:
  - Sends ICMPv6 echoes from the host's loopback to every other host's at once, reads WireGuard's handshakes and BIRD's
    sessions, and returns what it saw. Changes nothing and does not fail on what it finds.
  - Where the network has names, asks the resolver for every host's address and name in both directions, and says which
    answers are not right or not validated. A name server reads every zone it serves and says its serial, for how long
    all signatures are valid, and whether the keys are those that the anchors and the parents' DS records name.
  - A provider of the directory says how far it is and whether it answers by TLS; a content host asks each of its sites.
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
  names:
    description:
      - What should resolve, and what a name server has to prove; null for neither. That of this run's plan, unless
        given.
    type: dict
    suboptions:
      resolver:
        description: Address of the resolver to ask.
        type: str
      questions:
        description: Name, type and the one right value of each question.
        type: list
        elements: list
        required: true
      server:
        description: Whether the host serves zones.
        type: bool
        required: true
      resolves:
        description: Whether the host's own resolver is asked for the SOA of every zone.
        type: bool
        required: true
      primary:
        description: Address of the primary, for a host that follows it.
        type: str
      anchors:
        description: The DS records that trust begins from, by zone.
        type: dict
        required: true
  people:
    description: What a provider of the directory has to prove; null for none. That of this run's plan, unless given.
    type: dict
    suboptions:
      base:
        description: Base of the tree.
        type: str
        required: true
      name:
        description: The name that its certificate is for.
        type: str
        required: true
      address:
        description: The address at which others ask it.
        type: str
        required: true
      roots:
        description: File with the roots that are trusted.
        type: str
        required: true
  sites:
    description: The host's sites; null for none. Those of this run's plan, unless given.
    type: dict
    suboptions:
      server:
        description: The address at which they are asked.
        type: str
        required: true
      roots:
        description: File with the roots that are trusted.
        type: str
        required: true
      sites:
        description: Each site's C(name), C(kind), C(directory), C(to) and C(where) it was declared.
        type: list
        elements: dict
        required: true
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
names:
  description: >-
    C(asked) is how many questions, C(wrong) which answers were not right, C(zones) by name the C(serial), the seconds
    C(left) of all signatures (null where there are none) and the number of C(records), and C(broken) what is wrong with
    zones. Null where names were not asked for.
  returned: always
  type: dict
people:
  description: >-
    C(changes) is the newest change of each server by its number, C(at) when they were read, C(tls) why it does not
    answer others, C(problem) why it does not answer the host. Null where it was not asked.
  returned: always
  type: dict
sites:
  description: >-
    By name, the C(status) of the answer (0 without one), what is C(wrong) with it, and the C(cause) where the host
    knows one. Null where none was asked.
  returned: always
  type: dict
certificates:
  description: >-
    The host's certificates by name, each with C(until) and whether the host's own roots lead to it (C(trusted)).
  returned: always
  type: dict
problem:
  description: What kept the host from asking at all, empty otherwise.
  returned: always
  type: str
"""

import dataclasses

from ansible.module_utils.altnet.directory.server import Server
from ansible.module_utils.altnet.host import names as naming
from ansible.module_utils.altnet.host import people as provider
from ansible.module_utils.altnet.host import sites as content
from ansible.module_utils.altnet.host.look import look
from ansible.module_utils.altnet.pki.ends import ends
from ansible.module_utils.altnet.wireguard.runner import HostRunner
from ansible.module_utils.basic import AnsibleModule

TEXT = {"type": "str", "required": True}


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "source": {"type": "str", "required": True},
            "targets": {"type": "dict", "required": True},
            "sessions": {"type": "list", "elements": "str", "default": []},
            "tunnels": {"type": "list", "elements": "str", "default": []},
            "names": {
                "type": "dict",
                "options": {
                    "resolver": {"type": "str"},
                    "questions": {"type": "list", "elements": "list", "required": True},
                    "server": {"type": "bool", "required": True},
                    "resolves": {"type": "bool", "required": True},
                    "primary": {"type": "str"},
                    "anchors": {"type": "dict", "required": True},
                },
            },
            "people": {"type": "dict", "options": {"base": TEXT, "name": TEXT, "address": TEXT, "roots": TEXT}},
            "sites": {
                "type": "dict",
                "options": {
                    "server": TEXT,
                    "roots": TEXT,
                    "sites": {"type": "list", "elements": "dict", "required": True},
                },
            },
            "wait": {"type": "float", "default": 5},
        },
        supports_check_mode=True,
    )
    wanted, people, sites = (module.params.pop(layer) for layer in ("names", "people", "sites"))
    source, wait = module.params["source"], module.params["wait"]
    seen = look(**module.params)
    # After the fabric, which names need; each has its own wait.
    named = naming.plain(naming.look(source, wait=wait, **wanted)) if wanted and not seen.problem else None
    standing = provider.look(Server(HostRunner(timeout=10)), wait=wait, **people) if people else None
    module.exit_json(
        changed=False,
        problem=seen.problem,
        reach={name: reply and dataclasses.asdict(reply) for name, reply in seen.reach.items()},
        tunnels=seen.tunnels,
        sessions=seen.sessions,
        names=named,
        people=standing and dataclasses.asdict(standing),
        sites=content.look(wait=wait, **sites) if sites else None,
        certificates=ends(),
    )


if __name__ == "__main__":
    main()
