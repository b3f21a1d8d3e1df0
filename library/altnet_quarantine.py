#!/usr/bin/python
"""Documentation of the action plugin of the same name, which does the work on the control node."""

DOCUMENTATION = r"""
module: altnet_quarantine
short_description: Shut a host out in the ledger, and say who has to cut it off
description:
  - Writes the mark and nothing else, so that the neighbours can be asked to cut at once; M(altnet_allocation) then
    gives the others what they lack without the host. Reads no host's variables. Runs on the control node.
options:
  ledger:
    description: The ledger's path.
    type: path
    required: true
  host:
    description: The host. It need not be in the inventory any more.
    type: str
    required: true
  force:
    description: Shut out even the only relay that is left.
    type: bool
    default: false
attributes:
  check_mode: {support: full}
  diff_mode: {support: full}
  idempotent: {support: full}
author: The Altnet developers
"""

EXAMPLES = r"""
- name: Shut the host out
  altnet_quarantine:
    ledger: "{{ inventory_dir }}/ledger.json"
    host: sin
  run_once: true
"""

RETURN = r"""
neighbours:
  description: The hosts of the inventory that have, or had, a tunnel with it.
  returned: success
  type: list
  elements: str
interfaces:
  description: What their interfaces towards it are called.
  returned: success
  type: list
  elements: str
"""
