#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""The primary's whole desired set of zones."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: pdns_zones
short_description: Bring all zones of a PowerDNS primary into the desired state
description:
  - Takes the whole desired set of zones, RRsets and keys in one call, reads what PowerDNS holds once, and sends only
    the difference, by its HTTP API on this host. One C(PATCH) a zone.
  - Children first. A parent gets the NS and DS of a child only once every secondary that answers serves the child, and
    then all secondaries are waited for again. One that does not say a word is not waited for, and named in a warning.
  - Every name and record is read (by dnspython) before the first request. Where one is wrong nothing is sent, and all
    that are wrong are named, with their places in O(zones). Types that only PowerDNS knows are refused (C(ALIAS)).
  - Zones and RRsets that are not in the desired set belong to somebody else and are left alone, unless O(prune) is set.
  - A zone's keys are wholly this module's. It refuses to take all of a signed zone's keys away at once.
  - Serials follow the primary's clock. Where it is behind a zone's serial nothing is changed.
  - A primary without a catalog starts from nothing. It is refused where a secondary holds what would be lost by that,
    or it did itself before it became the primary, and where no secondary says what it holds. A silent one is asked
    again for 30 seconds. In a new network the secondaries have to be there first, and say that they hold nothing.
  - The action plugin of the same name hides the private keys; run it delegated to the primary.
options:
  zones:
    description:
      - The desired zones. Names are absolute and lower case; the SOA is made by the module.
      - Left out, the action plugin takes the whole network's, from inventory, ledger and master secret.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the zone, with its final dot.
        type: str
        required: true
      parent:
        description: Name of the zone that delegates it, or null.
        type: str
      owns:
        description: Names at or below which nobody else has records; what is not desired there goes without O(prune).
        type: list
        elements: str
      children:
        description:
          - Delegations that decide on their DS by CDS. A DS that is desired there is sent together with a new
            delegation, and whatever is there later is left alone, with O(prune) too.
        type: list
        elements: str
      rrsets:
        description: All RRsets but the SOA, with the delegations of child zones.
        type: list
        elements: dict
        required: true
        suboptions:
          name:
            description: Name of the records.
            type: str
            required: true
          type:
            description: Type of the records.
            type: str
            required: true
          ttl:
            description: Time to live of the records, in seconds.
            type: int
            required: true
          records:
            description: The records' data in presentation form.
            type: list
            elements: str
            required: true
  keys:
    description:
      - JSON, the zones' DNSSEC keys by zone name, each C({flags, algorithm, private, active, published}) with the
        private key in BIND's format v1.2. Filled in by the action plugin from C(zones[].keys).
    type: str
    default: "{}"
  address:
    description: Address of the API on this host. Left out, the action plugin takes the host's own from the plan.
    type: str
    required: true
  port:
    description: Port of the API.
    type: int
    default: 8081
  key_file:
    description: File with the API's key.
    type: path
    default: /etc/powerdns/altnet/api.key
  catalog:
    description: Name of the catalog zone; it is made where it is missing, and every desired zone is a member.
    type: str
    default: catalog.invalid.
  transfer_key:
    description: Key in base64 that the catalog's transfers are signed with, under the name C(transfer.).
    type: str
  secondaries:
    description: Who has to follow. Left out, the action plugin takes the plan's secondaries.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the secondary, for messages.
        type: str
        required: true
      address:
        description: Its fabric address.
        type: str
        required: true
  secondary_port:
    description: Port that the secondaries answer on.
    type: int
    default: 5300
  wait:
    description: Seconds without any progress after which a secondary that answers is given up. C(0) asks once only.
    type: float
    default: 30
  prune:
    description: Whether RRsets of desired zones, and zones, that are not desired are deleted.
    type: bool
    default: false
  prune_at_most:
    description: Percent of a zone's RRsets, and of all zones, that may be deleted without consent.
    type: int
    default: 20
  prune_consent:
    description: Zones that may lose more than that, or be deleted.
    type: list
    elements: str
    default: []
  settle:
    description: Whether all desired zones are waited for, and not only those that were changed.
    type: bool
    default: false
  held:
    description:
      - Zones that M(pdns_held) found on a secondary. What the desired set does not have is taken from them, with keys
        derived from the master secret; a zone that is signed by others is refused. Handled by the action plugin.
    type: list
    elements: dict
    default: []
  replace_keys:
    description:
      - Whether all keys of a signed zone may be replaced at once; its answers are refused until DS and anchors follow.
    type: bool
    default: false
  start_anew:
    description:
      - Whether a primary that has lost all zones may publish the desired ones alone. A secondary then drops what it
        has beside them, and where it has something the module refuses, and names a server to promote.
    type: bool
    default: false
attributes:
  check_mode:
    description: Reads and compares. Before PowerDNS is installed every zone is to be created.
    support: full
  diff_mode:
    description: Lines of a zone file that change; keys are named, and hidden.
    support: full
  idempotence:
    description: Compared is what PowerDNS holds. An RRset is the same however its records are written.
    support: full
author:
  - Altnet
"""

EXAMPLES = r"""
- name: Publish the zones
  pdns_zones:
    address: "fd12:3456:789a::2"
    zones:
      - name: alt.
        parent: null
        rrsets:
          - {name: alt., type: NS, ttl: 3600, records: [ns.alt.]}
          - {name: ns.alt., type: AAAA, ttl: 3600, records: ["fd12:3456:789a::2:54"]}
    secondaries:
      - {name: fra, address: "fd12:3456:789a::1"}
  delegate_to: core2
  run_once: true
"""

RETURN = r"""
created:
  description: Zones that were (in check mode would be) created.
  returned: success
  type: list
  elements: str
updated:
  description: Zones of which something was changed.
  returned: success
  type: list
  elements: str
deleted:
  description: Zones that were deleted.
  returned: success
  type: list
  elements: str
left:
  description: Zones of somebody else that were left alone.
  returned: success
  type: list
  elements: str
serials:
  description: Serials of the changed zones, which every secondary that answers has reached.
  returned: success, not in check mode
  type: dict
  sample: {alt.: 1795703974}
"""

from pathlib import Path

from ansible.module_utils.altnet.host.probe import stop_reason
from ansible.module_utils.basic import AnsibleModule

try:
    from ansible.module_utils.altnet.powerdns import order
    from ansible.module_utils.altnet.powerdns.errors import PowerdnsError, text

    HAS_DNSPYTHON = True
except ImportError:
    HAS_DNSPYTHON = False

SECONDARY = {"name": {"type": "str", "required": True}, "address": {"type": "str", "required": True}}
ARGUMENTS = {
    # Without suboptions: the package judges them, and Ansible's own walk through 10,000 names takes longer than that.
    "zones": {"type": "list", "elements": "dict", "required": True, "no_log": False},
    # One text: of a structure Ansible would hide each leaf, every 13 and every true, wherever they stand in a result.
    "keys": {"type": "str", "default": "{}", "no_log": True},
    "address": {"type": "str", "required": True},
    "port": {"type": "int", "default": 8081},
    "key_file": {"type": "path", "default": "/etc/powerdns/altnet/api.key", "no_log": False},
    "catalog": {"type": "str", "default": "catalog.invalid."},
    "transfer_key": {"type": "str", "no_log": True},
    "secondaries": {"type": "list", "elements": "dict", "default": [], "options": SECONDARY},
    "secondary_port": {"type": "int", "default": 5300},
    "wait": {"type": "float", "default": 30},
    "prune": {"type": "bool", "default": False},
    "prune_at_most": {"type": "int", "default": 20},
    "prune_consent": {"type": "list", "elements": "str", "default": []},
    "settle": {"type": "bool", "default": False},
    "held": {"type": "list", "elements": "dict", "default": []},
    "replace_keys": {"type": "bool", "default": False, "no_log": False},
    "start_anew": {"type": "bool", "default": False},
    "_order": {"type": "str"},
    "_host": {"type": "str"},
}


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    given = module.params
    # Other hosts' runs delegate here, and a stop file keeps every play away from its host.
    stop = stop_reason()
    if stop is not None:
        module.warn(f"no zone is published: the primary has a stop file, /etc/altnet/stop: {stop}")
        module.exit_json(changed=False, created=[], updated=[], deleted=[], left=[])
    if module.check_mode and (not HAS_DNSPYTHON or not Path(given["key_file"]).exists()):
        names = sorted(str(zone.get("name")) for zone in given["zones"])
        module.exit_json(
            changed=bool(names), created=names, updated=[], deleted=[], left=[], not_checked=["no PowerDNS here yet"]
        )
    if not HAS_DNSPYTHON:
        module.fail_json(msg="pdns_zones: python3-dnspython is missing. Remedy: run the role dns_authoritative first.")
    try:
        report = order.run(module.params, check_mode=module.check_mode)
    except PowerdnsError as error:
        module.fail_json(msg=text(error, given["_host"] or ""))
    for warning in report.warnings:
        module.warn(warning)
    module.exit_json(**report.result())


if __name__ == "__main__":
    main()
