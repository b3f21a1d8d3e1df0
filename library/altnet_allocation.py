#!/usr/bin/python
"""Documentation of the action plugin of the same name, which does the work on the control node."""

DOCUMENTATION = r"""
module: altnet_allocation
short_description: Bring the network's ledger up to date and make the plan
description:
  - Reads every host of the inventory, whatever C(--limit) says and without facts; gives out ids, addresses and
    links that are missing; records public keys that hosts made in this run; writes the ledger; makes the plan.
  - Runs once, on the control node. Each host's slice of the plan is then read by M(altnet_slice).
  - Everything wrong with the inventory or the ledger is reported at once, and nothing is written then.
options:
  ledger:
    description: The ledger's path.
    type: path
    required: true
  public_keys_from:
    description: >-
      Name of the variable in which hosts registered the result of M(wireguard_key), if they did in this run.
    type: str
    default: ""
  update:
    description: False reads the ledger as it is, gives out nothing, and fails where there is none.
    type: bool
    default: true
  leave:
    description: Hosts that leave for good. Their ids become tombstones.
    type: list
    elements: str
    default: []
  drain:
    description: Hosts that ask their neighbours to route around them. One that has left already is passed over.
    type: list
    elements: str
    default: []
  undrain:
    description: Hosts that carry traffic again.
    type: list
    elements: str
    default: []
  rotation:
    description: >-
      A step of playbooks/rotate-tunnels.yml. C(begin) raises the generation, or goes on with a rotation that is not
      complete, and refuses where the hosts of this run can do nothing about that. C(widen) plans a second tunnel
      between hosts that report a key of the new generation. C(retire) takes the older tunnel away where both ends of
      O(handover_from) say that it carries nothing. C(finish) forgets the keys that hosts no longer report, prints how
      far the rotation is, and fails where a host of this run should be further.
    type: str
    choices: ["", begin, widen, retire, finish]
    default: ""
  handover_from:
    description: >-
      Name of the variable in which hosts registered the result of M(altnet_handover), if they did in this run.
    type: str
    default: ""
  quarantine:
    description: Hosts that are shut out. The others get the tunnels they lack without them.
    type: list
    elements: str
    default: []
  release:
    description: Hosts that are let in again. They have to bring new keys.
    type: list
    elements: str
    default: []
  same_keys:
    description: Let hosts that are released come back with the keys they had.
    type: bool
    default: false
  dns_primary:
    description: >-
      Host of the groups C(authoritative) or C(resolvers) that becomes the one all zones come from. Empty leaves it as
      the ledger has it.
    type: str
    default: ""
attributes:
  check_mode: {support: full, details: The plan is made from what the ledger would become.}
  diff_mode: {support: full}
  idempotent: {support: full}
author: The Altnet developers
"""

EXAMPLES = r"""
- name: Bring the ledger up to date
  altnet_allocation:
    ledger: "{{ inventory_dir }}/ledger.json"
    public_keys_from: wireguard_public_keys
  run_once: true

- name: Let a host leave
  altnet_allocation:
    ledger: "{{ inventory_dir }}/ledger.json"
    leave: [sao]
  run_once: true
"""

RETURN = r"""
changes:
  description: What was given out, recorded or released, in words.
  returned: always
  type: list
  elements: str
  sample: ["host sao: id 7, loopback fd12:3456:789a::7"]
touched:
  description: Hosts whose slice of the plan changed with this call.
  returned: always
  type: list
  elements: str
quarantined:
  description: Hosts of the inventory that are shut out.
  returned: always
  type: list
  elements: str
left:
  description: Hosts that have left and whose name is still in the inventory.
  returned: always
  type: list
  elements: str
"""
