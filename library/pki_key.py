#!/usr/bin/python
"""A key for a certificate, born on the host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: pki_key
short_description: Make a certificate's private key on the host, and a request that proves it
description:
  - Makes an ECDSA P-256 key and a certificate request in a directory of their own, unless they are there. Returns the
    request and the present certificate, so that the control node can judge whether another one is to be signed.
  - The private key never leaves the host and is in no output.
options:
  name:
    description: What the certificate is called on the host. Names the directory C(/etc/altnet/pki/NAME).
    type: str
    required: true
  group:
    description: The group that may read the key. It has to exist.
    type: str
    default: root
  renew:
    description: Make a new key and request in place of those that are there.
    type: bool
    default: false
  state:
    description: V(absent) removes key, request and certificate.
    type: str
    choices: [present, absent]
    default: present
  _order:
    description: The order's fingerprint. Used by the action plugin only.
    type: str
attributes:
  check_mode:
    description: A request that is not made yet is an empty text.
    support: full
  diff_mode:
    description: Names the files, never their contents.
    support: full
  idempotence:
    description: Except with O(renew).
    support: partial
author: The Altnet developers
"""

EXAMPLES = r"""
- name: Make slapd's key
  pki_key:
    name: slapd
    group: openldap
  register: slapd_key
"""

RETURN = r"""
request:
  description: The certificate request, as PEM; empty in check mode before there is one.
  returned: always
  type: str
certificate:
  description: The present certificate with its intermediate, as PEM; empty where there is none.
  returned: always
  type: str
"""

from ansible.module_utils.altnet.errors import AltnetError
from ansible.module_utils.altnet.pki import born
from ansible.module_utils.altnet.wireguard.errors import text
from ansible.module_utils.altnet.wireguard.runner import HostRunner
from ansible.module_utils.basic import AnsibleModule

ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "group": {"type": "str", "default": "root"},
    "renew": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "_order": {"type": "str"},
}


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    given = module.params
    wish = born.Wish(given["name"], given["group"], given["renew"])
    try:
        if given["state"] == "absent":
            found = born.remove(wish.name, check_mode=module.check_mode)
        else:
            found = born.ensure(HostRunner(), wish, check_mode=module.check_mode)
            if not module.check_mode:
                born.remember(given["_order"], wish)
    except AltnetError as error:
        module.fail_json(msg=text(error))
    except OSError as error:
        module.fail_json(
            msg=f"{error.filename}: cannot be written ({error.strerror}). Remedy: mend the host, then run again."
        )
    module.exit_json(**found.result())


if __name__ == "__main__":
    main()
