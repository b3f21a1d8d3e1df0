#!/usr/bin/python
"""A host's WireGuard private keys, made where they are used."""

from __future__ import annotations

DOCUMENTATION = r"""
module: wireguard_key
short_description: Make a host's WireGuard private keys on the host
description:
  - Makes the private keys that are missing, one for each generation, and returns the public halves. A private
    key never leaves the host and an existing one is never overwritten.
  - Keys are files C(<generation>.key) with mode 0600 in a directory with mode 0700; wrong modes are mended.
options:
  directory:
    description: Where the keys lie.
    type: path
    default: /etc/altnet/wireguard
  generations:
    description: The generations the host needs a key of.
    type: list
    elements: int
    default: [0]
  prune:
    description: Remove the keys of other generations.
    type: bool
    default: false
  state:
    description: C(absent) removes every key of ours, whatever O(generations) says.
    type: str
    choices: [present, absent]
    default: present
  _order:
    description: The order's fingerprint. Used by the action plugin only.
    type: str
attributes:
  check_mode:
    support: full
    description: A key that is not born yet, or any key while C(wg) is not installed, has a placeholder.
  diff_mode:
    support: full
    description: Names the files, never their contents.
  idempotent:
    support: full
author: The Altnet developers
"""

EXAMPLES = r"""
- name: Make the host's key
  wireguard_key:
    generations: [0]
  register: wireguard_public_keys

- name: Keep only the newest key after a rotation
  wireguard_key:
    generations: [3]
    prune: true
"""

RETURN = r"""
public_keys:
  description: Public keys by generation (a string).
  returned: always
  type: dict
  sample: {"0": "0PdIWwC3dVBh1VGy9P1yMvmQbSGMdNFJVkpDFJ1BPiQ="}
placeholder:
  description: A public key is not known yet; only in check mode.
  returned: always
  type: bool
made:
  description: The generations whose key was (in check mode would be) made.
  returned: always
  type: list
  elements: int
removed:
  description: The generations whose key was (in check mode would be) removed.
  returned: always
  type: list
  elements: int
"""

from pathlib import Path

from ansible.module_utils.altnet.errors import AltnetError
from ansible.module_utils.altnet.wireguard import keys, order
from ansible.module_utils.altnet.wireguard.errors import text
from ansible.module_utils.altnet.wireguard.model import Paths
from ansible.module_utils.altnet.wireguard.runner import HostRunner
from ansible.module_utils.basic import AnsibleModule

ARGUMENTS = {
    "directory": {"type": "path", "default": "/etc/altnet/wireguard"},
    "generations": {"type": "list", "elements": "int", "default": [0], "no_log": False},
    "prune": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "_order": {"type": "str"},
}


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    given, paths = module.params, Paths(keys=Path(module.params["directory"]))
    try:
        if given["state"] == "absent":
            found = keys.remove(paths, check_mode=module.check_mode)
            if not module.check_mode:
                order.forget(paths, "keys")
        else:
            found = keys.ensure(
                HostRunner(), paths, given["generations"], prune=given["prune"], check_mode=module.check_mode
            )
            if not module.check_mode:
                order.keep_keys(paths, given["_order"], given["generations"], prune=given["prune"])
    except AltnetError as error:
        module.fail_json(msg=text(error))
    module.exit_json(**found.result(paths))


if __name__ == "__main__":
    main()
