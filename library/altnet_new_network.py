#!/usr/bin/python
"""Documentation of the action plugin of the same name, which does the work on the control node."""

DOCUMENTATION = r"""
module: altnet_new_network
short_description: Make the inventory directory of a new network
description:
  - Makes the directory, a prefix by the algorithm of RFC 4193 unless one is given, an empty ledger with
    it, and the given files. A file that exists is never touched.
  - A directory that holds something else is refused. One that an interrupted call left is completed.
  - Runs on the control node.
options:
  directory:
    description: The directory to make.
    type: path
    required: true
  prefix:
    description: The network's /48. Empty means generated.
    type: str
    default: ""
  allow_fc00:
    description: Allow a prefix from fc00::/8.
    type: bool
    default: false
  asn_base:
    description: Host n's autonomous system is this number plus n. Fixed in the ledger from the beginning.
    type: int
    default: 4200000000
  files:
    description: >-
      Templates by the path that the file gets in the directory, in the order they are made. They know
      C(new_network) with C(name), C(directory), C(prefix), C(asn_base) and C(allow_fc00).
    type: dict
    default: {}
  marker:
    description: >-
      The path, in the directory, of the file that tells such an inventory from anything else. It is made
      first.
    type: str
    default: group_vars/all/network.yml
attributes:
  check_mode: {support: full, details: A generated prefix is another one each time.}
  diff_mode: {support: full}
  idempotent: {support: full}
author: The Altnet developers
"""

EXAMPLES = r"""
- name: Make a network's directory
  altnet_new_network:
    directory: inventories/mine
    files:
      group_vars/all/network.yml: init/network.yml.j2
      hosts.yml: init/hosts.yml.j2
"""

RETURN = r"""
prefix:
  description: The network's prefix.
  returned: always
  type: str
  sample: fd12:3456:789a::/48
created:
  description: The files that were (in check mode would be) made, in order.
  returned: always
  type: list
  elements: str
"""
