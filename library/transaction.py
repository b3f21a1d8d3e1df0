#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
---
module: transaction
short_description: Apply a service's whole file set, or leave the service as it was
description:
  - Renders all templates of a service on the control node and applies them with one module execution.
  - Compares with the live files, stages a candidate, runs the daemon's own checker on it, swaps each file
    atomically, loads the daemon and asks it whether it is healthy. If not, the previous set is restored.
  - Healthy is judged against what was healthy before the swap. Without such a baseline a daemon that runs,
    answers the health command and stays up for a second is enough.
  - The digest of a set is recorded only after health passed, so a set that is in place but was never healthy
    is loaded again.
  - A run that was killed is undone by the next one, from a journal kept in O(state_dir).
options:
  name:
    description: Identity of the file set on the host. Lower-case letters, digits and C(-).
    type: str
    required: true
  state:
    description:
      - V(present) applies the set.
      - V(absent) stops and disables O(unit), removes the recorded files and O(files), directories that the
        transaction created and that are empty, and everything kept in O(state_dir) for O(name).
    type: str
    choices: [present, absent]
    default: present
  files:
    description:
      - The whole set. A file of the former set that is not in this one is removed.
      - Exactly one of O(files[].template) and O(files[].content) for each.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Absolute path on the host. Directories above it are created with mode 0755.
        type: str
        required: true
      template:
        description:
          - Jinja2 template, looked up like the one of M(ansible.builtin.template). C(trim_blocks) is on.
          - Handled on the control node; the module does not get it.
        type: str
      vars:
        description: Variables for this template only, on top of the host's. Handled on the control node.
        type: dict
      content:
        description: Text of the file, instead of a template. Handled on the control node.
        type: str
      owner:
        description: Name or number of the owner.
        type: str
        default: root
      group:
        description: Name or number of the group.
        type: str
        default: root
      mode:
        description: Four octal digits, quoted.
        type: str
        default: "0644"
      sensitive:
        description: Never show the contents, in no diff and no message.
        type: bool
        default: false
  contents:
    description:
      - Contents by path, as C(base64:) and base64. Filled in by the action plugin, do not set it.
      - It is one hidden parameter for all files, so that the host's log gets no copies of configurations.
    type: dict
    default: {}
  check:
    description:
      - Commands that judge the candidate. C({stage}) is the root of a tree with the whole set in it.
      - They run in check mode too. One that is not installed is an error, in check mode a note in
        RV(not_checked).
    type: list
    elements: list
    default: []
  unit:
    description:
      - systemd unit that is to be enabled and running; one that stays active once started.
      - A masked unit is an error. If its own unit file changes it is restarted, else reloaded.
    type: str
  reload:
    description: Makes a running daemon read its files. Without it C(systemctl reload-or-restart) is used.
    type: list
    elements: str
  health:
    description: How the daemon is asked whether it is healthy.
    type: dict
    suboptions:
      command:
        description: Has to end with exit code 0.
        type: list
        elements: str
        required: true
      healthy:
        description: Python regular expression (multi-line) whose group C(item) names a healthy item.
        type: str
      expect:
        description:
          - Items that this set has. What was healthy before has to be healthy again if it is listed here.
          - Without it everything that was healthy before has to be.
        type: list
        elements: str
      before:
        description:
          - Items that were healthy earlier in the same run. They count as if they were healthy right before the swap.
          - Hosts are changed side by side. Without this, one that is a moment later than its neighbours would take
            what they have just broken for the normal state, and let the same change pass.
        type: list
        elements: str
        default: []
      timeout:
        description: Seconds to get healthy.
        type: float
        default: 30
  drift:
    description:
      - Commands whose output says what is really loaded. Another output than after the last success is live
        drift and the set is loaded again. They must change nothing; they run in check mode too.
    type: list
    elements: list
    default: []
  confirm:
    description:
      - For changes that may cut the connection they arrive by. Before the swap a timer is armed on the host
        that restores the previous set; it is stopped only over a new connection.
      - A host that reboots before that restores the previous set early in the boot, before its network is up.
    type: dict
    suboptions:
      timeout:
        description: Seconds after which the host restores its previous set by itself.
        type: float
        default: 60
  state_dir:
    description: Where the host keeps records, journals and backups.
    type: path
    default: /var/lib/altnet/transaction
  _confirm:
    description: Token of a pending transaction. Used by the action plugin only.
    type: str
  _order:
    description: The order's fingerprint. Used by the action plugin only.
    type: str
attributes:
  check_mode:
    description: Same path as a real run up to and including the checkers; nothing is left on the host.
    support: full
  diff_mode:
    description: Contents, owners and modes; sensitive contents are hidden. Other reasons are shown in words.
    support: full
  idempotence:
    description: >-
      Nothing happens if the files, the recorded digest, the outputs of O(drift) and the unit's state are as
      wanted. A unit that ends by itself is never as wanted.
    support: full
author:
  - Altnet
"""

EXAMPLES = r"""
- name: Configure bird
  transaction:
    name: bird
    files:
      - path: /etc/bird/bird.conf
        template: etc/bird/bird.conf.j2
        group: bird
        mode: "0640"
    check:
      - [/usr/sbin/bird, -p, -c, "{stage}/etc/bird/bird.conf"]
    unit: bird.service
    reload: [/usr/sbin/birdc, configure]
    health:
      command: [/usr/sbin/birdc, show, protocols]
      healthy: '^(?P<item>\S+)\s+BGP\s.*Established'
      expect: [an0_fra, an0_nyc]

- name: Load the firewall, with a way back if it cuts us off
  transaction:
    name: firewall
    files:
      - path: /etc/nftables.d/altnet.nft
        template: etc/nftables.d/altnet.nft.j2
    check:
      - [/usr/sbin/nft, -c, -f, "{stage}/etc/nftables.d/altnet.nft"]
    unit: altnet-firewall.service
    drift:
      - [/usr/sbin/nft, -s, list, table, inet, altnet]
    confirm:
      timeout: 60

- name: Remove bird's configuration
  transaction:
    name: bird
    unit: bird.service
    state: absent
"""

RETURN = r"""
phase:
  description: >-
    The step that was reached (compared, checked, recorded, removed) or that failed (render, request, host, lock,
    recover, compare, unit, check, confirm, swap, reload, health).
  returned: always
  type: str
  sample: recorded
changed_files:
  description: Paths that differ.
  returned: success
  type: list
  elements: str
  sample: [/etc/bird/bird.conf]
reasons:
  description: What else made a change necessary.
  returned: success
  type: list
  elements: str
  sample: ["unit bird.service is not running (inactive)"]
not_checked:
  description: What could not be checked because it is not installed yet.
  returned: success
  type: list
  elements: str
  sample: ["`/usr/sbin/bird -p -c /etc/bird/bird.conf`: /usr/sbin/bird is not installed yet"]
healthy_before:
  description: Healthy items before the swap.
  returned: when something was applied or failed after the swap
  type: list
  elements: str
  sample: [an0_fra, an0_nyc]
healthy_after:
  description: Healthy items at the end.
  returned: when something was applied or failed after the swap
  type: list
  elements: str
  sample: [an0_fra, an0_nyc]
command:
  description: The command that failed, with real paths instead of staged ones.
  returned: failure
  type: list
  elements: str
  sample: [/usr/sbin/bird, -p, -c, /etc/bird/bird.conf]
output:
  description: What it said.
  returned: failure
  type: str
  sample: "/etc/bird/bird.conf:3:1 syntax error"
journal:
  description: Last lines of the unit's log.
  returned: failure after the swap
  type: list
  elements: str
  sample: []
restored:
  description: Files that were put back.
  returned: failure after the swap
  type: list
  elements: str
  sample: [/etc/bird/bird.conf]
not_restored:
  description: What could not be put back; the next run tries again.
  returned: failure after the swap
  type: list
  elements: str
  sample: []
unit_state:
  description: The unit after the previous set was restored.
  returned: failure after the swap
  type: str
  sample: active (running), enabled
"""

import base64
from pathlib import Path
from typing import Any

from ansible.module_utils.altnet.transaction import Host, RequestError, TransactionError, run
from ansible.module_utils.basic import AnsibleModule

FILE = {
    "path": {"type": "str", "required": True},
    "owner": {"type": "str", "default": "root"},
    "group": {"type": "str", "default": "root"},
    "mode": {"type": "str", "default": "0644"},
    "sensitive": {"type": "bool", "default": False},
}
HEALTH = {
    "command": {"type": "list", "elements": "str", "required": True},
    "healthy": {"type": "str"},
    "expect": {"type": "list", "elements": "str"},
    "before": {"type": "list", "elements": "str", "default": []},
    "timeout": {"type": "float", "default": 30},
}
ARGUMENTS: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "files": {"type": "list", "elements": "dict", "default": [], "options": FILE},
    "contents": {"type": "dict", "default": {}, "no_log": True},
    "check": {"type": "list", "elements": "list", "default": []},
    "unit": {"type": "str"},
    "reload": {"type": "list", "elements": "str"},
    "health": {"type": "dict", "options": HEALTH},
    "drift": {"type": "list", "elements": "list", "default": []},
    "confirm": {"type": "dict", "options": {"timeout": {"type": "float", "default": 60}}},
    "state_dir": {"type": "path", "default": "/var/lib/altnet/transaction"},
    "_confirm": {"type": "str"},
    "_order": {"type": "str"},
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params: dict[str, Any] = module.params
    encoded: dict[str, str] = params.pop("contents")
    contents = {path: base64.b64decode(text.removeprefix("base64:")) for path, text in encoded.items()}
    host = Host(state_root=Path(params["state_dir"]))
    try:
        result = run(params, contents, check_mode=module.check_mode, host=host)
    except RequestError as error:
        module.fail_json(msg=str(error), phase="request")
    except TransactionError as error:
        module.fail_json(msg=str(error), phase=error.phase, **error.facts)
    else:
        module.exit_json(**result)


if __name__ == "__main__":
    main()
