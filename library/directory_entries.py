#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory's whole desired set of people and groups."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: directory_entries
short_description: Bring people and groups of the directory into the desired state
description:
  - Takes the whole desired set in one call, reads what slapd holds once, and sends only the difference, over the unix
    socket of this host, where root is the administrator.
  - What the portal or a person wrote is left alone - entries that are not declared, attributes that are not declared,
    members of a group that is not O(groups[].exclusive), and every password that somebody has chosen.
  - The other providers get it by replication, and are waited for.
  - A provider that has nothing but its first entries is new, or has lost its disk. It is written to only once it has
    what the others have; refused where one that may have people does not answer.
  - The action plugin of the same name judges O(accounts) and O(groups) on the control node, and hides passwords.
options:
  base:
    description: Base of the tree.
    type: str
    required: true
  accounts:
    description: People, as the role's C(directory_accounts). Handled by the action plugin.
    type: list
    elements: dict
    default: []
  groups:
    description: Groups, as the role's C(directory_groups). Handled by the action plugin.
    type: list
    elements: dict
    default: []
  services:
    description: Stored forms of the service accounts' passwords, by name. Handled by the action plugin.
    type: dict
    default: {}
  policy:
    description:
      - What is asked of passwords - C(min_length), C(max_failures), C(lockout_seconds). Handled by the action plugin.
    type: dict
    default: {}
  entries:
    description: Entries, each C({dn, attributes, shared, absent}). Filled in by the action plugin.
    type: list
    elements: dict
    default: []
  secrets:
    description: JSON, passwords by DN. Filled in by the action plugin.
    type: str
    default: "{}"
  uri:
    description: How slapd is asked on this host.
    type: str
    default: ldapi:///
  peers:
    description: The other providers.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the provider, for messages.
        type: str
        required: true
      uri:
        description: Where it answers.
        type: str
        required: true
  replicator_password:
    description: Password of the account by which the other providers are asked how far they are.
    type: str
  ca_file:
    description: The roots by which their certificates are known.
    type: path
    default: /etc/altnet/pki/roots.pem
  wait:
    description: Seconds without any progress after which a provider that has to follow or catch up is given up.
    type: float
    default: 30
  prune:
    description: Whether people and groups that are not declared are deleted.
    type: bool
    default: false
  prune_at_most:
    description: Percent of all people, and of all groups, that may be deleted without consent.
    type: int
    default: 20
  prune_consent:
    description: Consent to delete more.
    type: bool
    default: false
  start_anew:
    description: Whether a provider without people may be written to where another one does not answer.
    type: bool
    default: false
attributes:
  check_mode:
    description:
      - Reads and compares. Before slapd is installed everything is to be created; where it does not run, nothing is
        compared, and RV(not_checked) says so.
    support: full
  diff_mode:
    description: Attributes that change; passwords are named, and hidden.
    support: full
  idempotence:
    description: Compared is what slapd holds.
    support: full
author:
  - Altnet
"""

EXAMPLES = r"""
- name: Bring people and groups
  directory_entries:
    base: dc=alt
    accounts:
      - {uid: ada, name: Ada Lovelace, mail: ada@example.alt, groups: [operators]}
    groups:
      - {name: gardeners, members: [ada]}
  run_once: true
"""

RETURN = r"""
created:
  description: DNs of entries that were (in check mode would be) created.
  returned: success
  type: list
  elements: str
updated:
  description: DNs of entries of which something was changed.
  returned: success
  type: list
  elements: str
deleted:
  description: DNs of entries that were deleted.
  returned: success
  type: list
  elements: str
not_checked:
  description: Why nothing was compared.
  returned: in check mode, where there is no slapd or it does not run
  type: list
  elements: str
left:
  description: How many people and groups are there that nobody declared.
  returned: success
  type: int
  sample: 12
"""

import shutil

from ansible.module_utils.altnet.directory import order
from ansible.module_utils.altnet.directory.server import SilentError
from ansible.module_utils.altnet.errors import AltnetError
from ansible.module_utils.altnet.host.probe import stop_reason
from ansible.module_utils.basic import AnsibleModule

PEER = {"name": {"type": "str", "required": True}, "uri": {"type": "str", "required": True}}
ARGUMENTS = {
    "base": {"type": "str", "required": True},
    # Without suboptions: the package has made and judged them, and there may be thousands.
    "entries": {"type": "list", "elements": "dict", "default": []},
    "secrets": {"type": "str", "default": "{}", "no_log": True},
    "uri": {"type": "str", "default": "ldapi:///"},
    "peers": {"type": "list", "elements": "dict", "default": [], "options": PEER},
    "replicator_password": {"type": "str", "no_log": True},
    "ca_file": {"type": "path", "default": "/etc/altnet/pki/roots.pem"},
    "wait": {"type": "float", "default": 30},
    "prune": {"type": "bool", "default": False},
    "prune_at_most": {"type": "int", "default": 20},
    "prune_consent": {"type": "bool", "default": False},
    "start_anew": {"type": "bool", "default": False},
    "_order": {"type": "str"},
}
SBIN = "/usr/sbin:/sbin:/usr/bin:/bin"


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    stop = stop_reason()
    if stop is not None:
        module.warn(f"people and groups are not written: the host has a stop file, /etc/altnet/stop: {stop}")
        module.exit_json(changed=False, created=[], updated=[], deleted=[], left=0)
    if module.check_mode and shutil.which("slapd", path=SBIN) is None:
        module.exit_json(**order.everything(module.params), not_checked=["no slapd here yet"])
    try:
        report = order.run(module.params, check_mode=module.check_mode)
    except SilentError as error:
        if module.check_mode:  # a real run would have started it by now
            module.exit_json(changed=False, created=[], updated=[], deleted=[], left=0, not_checked=[str(error)])
        module.fail_json(msg=str(error))
    except AltnetError as error:
        module.fail_json(msg=str(error))
    for warning in report.warnings:
        module.warn(warning)
    module.exit_json(**report.result())


if __name__ == "__main__":
    main()
