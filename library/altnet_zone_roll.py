#!/usr/bin/python
"""Documentation of the action plugin of the same name, which does the work on the control node."""

DOCUMENTATION = r"""
module: altnet_zone_roll
short_description: Take a step of a zone's key roll in the ledger
description:
  - Writes the step into the ledger if it is the one that is due, and makes the plan with it; M(pdns_zones) and the
    resolvers' role then bring it to the hosts. Runs once, on the control node.
  - A step's time begins with C(confirm), which believes nothing but what hosts were seen to serve and to trust. Until
    then the next step is refused, however long it has been written.
  - Refuses where a host that serves or resolves names is not in the run, and names it.
options:
  ledger:
    description: The ledger's path.
    type: path
    required: true
  zone:
    description: The zone.
    type: str
    required: true
  step:
    description: >-
      C(publish) makes a new key known, or goes on with the roll that is under way. C(activate) lets it sign in place of
      the old one. C(finish) forgets the old one. C(confirm) begins the time of the last of them, where every host of
      O(seen_from) has it.
    type: str
    choices: [publish, activate, finish, confirm]
    required: true
  ttl:
    description: Seconds for which old answers are believed. As the zone's TTLs say, and a minute, unless given.
    type: int
  wait:
    description: Wait until the step is due.
    type: bool
    default: false
  wait_max:
    description: Seconds to wait at most. A step that is due later is left to a later run.
    type: int
    default: 14400
  gone:
    description: Hosts that need not know. Their resolvers call the zone forged until they are brought up to date.
    type: list
    elements: str
    default: []
  seen_from:
    description: Name of the variable in which hosts registered the result of M(altnet_zone_keys).
    type: str
    default: ""
attributes:
  check_mode: {support: full, details: Does not wait.}
  diff_mode: {support: full}
  idempotent: {support: full, details: A step that was taken is not taken twice.}
author: The Altnet developers
"""

EXAMPLES = r"""
- name: Let the new key sign, if it is time
  altnet_zone_roll:
    ledger: "{{ inventory_dir }}/ledger.json"
    zone: alt
    step: activate
  register: __roll_step
  run_once: true
"""

RETURN = r"""
changes:
  description: What was changed, in words.
  returned: success
  type: list
  elements: str
  sample: ["zone alt: key 4711 of epoch 1 is published"]
due:
  description: Whether there is something to do for this step; false for one that was taken before, or is due later.
  returned: success
  type: bool
wait:
  description: Seconds until the step is due.
  returned: success
  type: int
"""
