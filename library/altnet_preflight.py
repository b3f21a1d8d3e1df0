#!/usr/bin/python
"""Documentation of the action plugin of the same name, which does the work on the control node."""

DOCUMENTATION = r"""
module: altnet_preflight
short_description: Check the inventory and the ledger before any host is touched
description:
  - Checks every host's variables against the roles' specifications, nested ones too; names variables that no role
    knows; checks the network as a whole (addresses, topology, who can reach whom), the ledger, and the vault.
  - Reports everything that is wrong at once, each with host, variable and remedy. Runs on the control node, touches
    no host and changes nothing.
options:
  ledger:
    description: The ledger's path.
    type: path
    required: true
  verb:
    description: What a playbook is about to do to one host; that host is then checked too.
    type: str
    choices: ["", drain, leave, promote, release]
    default: ""
  target:
    description: That host. One that leaves counts as gone, so that an interrupted removal can be taken up again.
    type: str
    default: ""
  confirm:
    description: That host's name, typed a second time. Needed to leave.
    type: str
    default: ""
  dead:
    description: That host will not be asked, as one that is gone or quarantined.
    type: bool
    default: false
attributes:
  check_mode: {support: full}
  diff_mode: {support: none}
author: The Altnet developers
"""

EXAMPLES = r"""
- name: Check what needs no host
  altnet_preflight:
    ledger: "{{ inventory_dir }}/ledger.json"
  run_once: true
"""

RETURN = r"""
quarantined:
  description: Hosts of the inventory that are shut out, and that no play may ask.
  returned: success
  type: list
  elements: str
problems:
  description: Everything that is wrong.
  returned: failure
  type: list
  elements: str
"""
