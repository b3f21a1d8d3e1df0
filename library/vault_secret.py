#!/usr/bin/python
"""Documentation of the action plugin of the same name, which does the work on the control node."""

DOCUMENTATION = r"""
module: vault_secret
short_description: Make a secret once, and keep it in an Ansible vault
description:
  - Writes a YAML file with one variable whose value is random and encrypted with Ansible's vault, unless the file
    is already there. An existing file is never touched, whatever is in it.
  - Makes the vault's password file too if it does not exist.
  - Runs on the control node. The secret and the password appear in no output.
options:
  path:
    description: The file to make, beside the group_vars it belongs to.
    type: path
    required: true
  variable:
    description: The variable's name.
    type: str
    required: true
  password_file:
    description: File with the vault's password, mode 0600. Made with a random password if it does not exist.
    type: path
    required: true
  bytes:
    description: How many random bytes the secret has, before base64.
    type: int
    default: 48
attributes:
  check_mode: {support: full}
  diff_mode: {support: none, details: The only thing to show would be a secret.}
author: The Altnet developers
"""

EXAMPLES = r"""
- name: Make the network's master secret
  vault_secret:
    path: inventories/mine/group_vars/all/vault.yml
    variable: altnet_master_secret
    password_file: ~/.altnet-mine-vault-password
"""

RETURN = r"""
path:
  description: The file that holds the variable.
  returned: always
  type: str
"""
