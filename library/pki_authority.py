#!/usr/bin/python
"""Documentation of the action plugin of the same name, which does the work on the control node."""

DOCUMENTATION = r"""
module: pki_authority
short_description: Make, rotate, replace and judge the network's certificate authority
description:
  - Works on the directory C(pki) beside the inventory. Public parts are plain files for git; private keys are
    encrypted by Ansible's vault and appear in no output.
  - The root's key is needed only where an intermediate is made, and may be away else.
  - Runs on the control node. Each action can be repeated after a run was killed.
options:
  directory:
    description: The inventory's directory.
    type: path
    required: true
  ledger:
    description: The network's ledger, where it is not C(ledger.json) in O(directory).
    type: path
  action:
    description:
      - V(make) makes root and infrastructure intermediate where they are missing.
      - V(rotate) replaces O(intermediate). V(replace) takes one O(step) of the root's replacement.
      - V(judge) changes nothing, and warns of what is wrong or soon will be.
    type: str
    choices: [make, rotate, replace, judge]
    default: judge
  tlds:
    description: The top-level domains to sign for. Empty means those of the inventory.
    type: list
    elements: str
    default: []
  prefix:
    description: The network's /48 where there is no ledger. Empty means the ledger's.
    type: str
    default: ""
  new_ledger:
    description: Make an empty ledger, with O(prefix) or a generated one, where there is none.
    type: bool
    default: false
  intermediate:
    description: V(infra), or C(issuers/) and the issuer's host.
    type: str
    default: ""
  step:
    description: The step to take. Empty means the one that is due.
    type: str
    choices: ["", publish, switch, retire]
    default: ""
  password_file:
    description: File with the vault's password, where Ansible was not given it.
    type: path
attributes:
  check_mode: {support: full}
  diff_mode: {support: full, details: Names the files.}
  idempotent: {support: partial, details: V(rotate) and V(replace) do what they are asked for each time.}
author: The Altnet developers
"""

EXAMPLES = r"""
- name: Make the network's authority
  pki_authority:
    directory: "{{ inventory_dir }}"
    action: make
"""

RETURN = r"""
roots:
  description: SHA-256 fingerprints of the trusted roots; the first one signs.
  returned: always
  type: list
  elements: str
step:
  description: The step that was (in check mode would be) taken.
  returned: always
  type: str
changes:
  description: The files that were (in check mode would be) written.
  returned: always
  type: list
  elements: str
grave:
  description: What fails by the authority's state now, one line each with its remedy.
  returned: always
  type: list
  elements: str
notices:
  description: What soon will.
  returned: always
  type: list
  elements: str
"""
