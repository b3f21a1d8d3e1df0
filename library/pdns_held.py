#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""The zones that a PowerDNS secondary holds."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: pdns_held
short_description: Read all zones that a PowerDNS secondary holds, and keep a copy
description:
  - Returns them as M(pdns_zones) takes them, without what the former primary made (SOA, DNSKEY, signatures, denials),
    which the next one makes itself.
  - For C(playbooks/promote.yml), which makes a primary of a secondary. The copy is for a run that is killed after the
    host has changed sides, when its own zones may be some of them only; on such a host it is returned.
  - On a host that became the primary without being promoted, and has published nothing, the zones are read from what it
    held before, with C(pdnsutil).
  - A host without zones is refused, and one that has not fetched all of them unless O(incomplete) is set. All others
    would follow it.
options:
  copy:
    description: Where the copy lies, readable by root.
    type: path
    default: /var/lib/altnet-dns/held.json
  port:
    description: Port of the API.
    type: int
    default: 8081
  key_file:
    description: File with the API's key.
    type: path
    default: /etc/powerdns/altnet/api.key
  incomplete:
    description: Whether zones that the host has not fetched may be left out.
    type: bool
    default: false
attributes:
  check_mode:
    description: Reads, and keeps no copy.
    support: full
  diff_mode:
    support: none
author:
  - Altnet
"""

EXAMPLES = r"""
- name: Read the zones that this secondary holds
  pdns_held:
  register: __held
"""

RETURN = r"""
zones:
  description: The zones, each with C(signed_by), its DNSKEY records.
  returned: success
  type: list
  elements: dict
live:
  description: Whether they were read from PowerDNS, and not from the copy or from data that nobody serves.
  returned: success
  type: bool
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.module_utils.altnet.powerdns import former
from ansible.module_utils.altnet.powerdns.client import HttpApi, read_key, zone_path
from ansible.module_utils.altnet.powerdns.errors import PowerdnsError, text
from ansible.module_utils.altnet.powerdns.held import FOLLOWS, complete, held
from ansible.module_utils.basic import AnsibleModule

ARGUMENTS = {
    "copy": {"type": "path", "default": "/var/lib/altnet-dns/held.json"},
    "port": {"type": "int", "default": 8081},
    "key_file": {"type": "path", "default": "/etc/powerdns/altnet/api.key", "no_log": False},
    "incomplete": {"type": "bool", "default": False},
}


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    given = module.params
    try:
        found, present = former.held_here(lambda: live(given), Path(given["copy"]))
        zones = complete(found, consent=given["incomplete"])
    except PowerdnsError as error:
        module.fail_json(msg=text(error))
    if not module.check_mode:
        keep(Path(given["copy"]), json.dumps(zones))
    module.exit_json(changed=False, zones=zones, live=present)


def live(given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the zones that PowerDNS follows."""
    # A secondary's API is at ::1, a primary's is not: it has become one in an earlier run that did not get further.
    api = HttpApi("::1", given["port"], read_key(Path(given["key_file"])), patience=0)
    names = [zone["name"] for zone in api.call("GET", "/zones?dnssec=false") if zone["kind"] == FOLLOWS]
    return [held(api.call("GET", zone_path(name))) for name in names]


def keep(path: Path, text: str) -> None:
    """Write the copy, whole or not at all."""
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(text)
    temporary.replace(path)


if __name__ == "__main__":
    main()
