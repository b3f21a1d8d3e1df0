#!/usr/bin/python
"""A host's whole set of WireGuard tunnels."""

from __future__ import annotations

DOCUMENTATION = r"""
module: wireguard_tunnels
short_description: Bring a host's whole set of WireGuard tunnels into the desired state
description:
  - Compares the desired tunnels with the live system (devices, peers, addresses, units, files) and changes
    only what differs; sessions of other tunnels, and of a tunnel whose setting changes, live on.
  - Each tunnel is one interface with one peer, brought up at boot by C(wg-quick@). Interfaces of ours
    (C(an0-...), C(an1-...)) that are not desired are removed; no other interface is ever touched.
  - An interface that somebody brought up without its unit is left up; the unit takes over at the next boot.
  - A neighbour that speaks from another endpoint than the desired one has roamed and is left there, unless
    the desired endpoint has changed since the configuration was written, or its last handshake is older than
    180 seconds. Where the desired endpoint is null the live one is never touched.
  - The kernel's random link-local address on a wireguard-go interface is neither counted nor removed. Other
    addresses that do not belong on a tunnel are removed.
  - The pair keys are derived on the control node by the action plugin of the same name, from
    C(wireguard_master_secret) and each tunnel's C(psk_label) and C(psk_epoch); entries with C(pending) true
    are left as they are on the host.
options:
  tunnels:
    description: The desired tunnels, as the plan gives them.
    type: list
    elements: dict
    default: []
    suboptions:
      interface:
        description: The interface's name.
        type: str
        required: true
      neighbour:
        description: The neighbour's name.
        type: str
        required: true
      generation:
        description: Whose private key the interface has.
        type: int
        required: true
      listen_port:
        description: The UDP port of this end.
        type: int
        required: true
      local:
        description: This end's link-local address.
        type: str
        required: true
      public_key:
        description: The neighbour's public key. In check mode it may be a placeholder.
        type: str
        required: true
      preshared_key:
        description: The pair's key; made by the action plugin.
        type: str
        required: true
      endpoint:
        description: Address and port of the neighbour, or null where it comes to us.
        type: str
      allowed_ips:
        description: The prefixes the neighbour may send from and is sent to.
        type: list
        elements: str
        required: true
      keepalive:
        description: Seconds between keepalives, 0 for none.
        type: int
        default: 0
  pending:
    description: Interfaces of tunnels that cannot be made yet; left as they are. Filled by the action plugin.
    type: list
    elements: str
    default: []
  directory:
    description: Where the private keys lie (M(wireguard_key)).
    type: path
    default: /etc/altnet/wireguard
  mtu:
    description: MTU of every tunnel, 1280 to 8920.
    type: int
    default: 1420
  backend:
    description: >-
      C(kernel) refuses a host without kernel WireGuard, C(userspace) one with it (wg-quick would use the
      kernel), C(auto) takes the kernel where it can.
    type: str
    choices: [auto, kernel, userspace]
    default: auto
  userspace_allowed:
    description: Whether wireguard-go may be used where the kernel has no WireGuard.
    type: bool
    default: true
  state:
    description: C(absent) removes every tunnel of ours, whatever O(tunnels) says.
    type: str
    choices: [present, absent]
    default: present
  _order:
    description: The order's fingerprint. Used by the action plugin only.
    type: str
attributes:
  check_mode:
    support: full
    description: Before WireGuard is installed every tunnel is to be created.
  diff_mode:
    support: full
    description: Each attribute before and after; secrets are shown as "(hidden)".
  idempotent:
    support: full
author: The Altnet developers
"""

EXAMPLES = r"""
- name: Bring the tunnels up
  wireguard_tunnels:
    tunnels: "{{ wireguard_tunnels }}"
  vars:
    wireguard_master_secret: "{{ altnet_master_secret }}"

- name: Remove all tunnels of ours
  wireguard_tunnels:
    state: absent
"""

RETURN = r"""
backend:
  description: What the interfaces run on, C(kernel) or C(userspace); null without tunnels.
  returned: success
  type: str
kernel_supported:
  description: Whether the host's kernel has WireGuard; null without tunnels.
  returned: success
  type: bool
created:
  description: Interfaces that were (in check mode would be) made.
  returned: success
  type: list
  elements: str
mended:
  description: Live interfaces of which something was (would be) changed.
  returned: success
  type: list
  elements: str
restarted:
  description: Interfaces that were gone although their unit was active.
  returned: success
  type: list
  elements: str
removed:
  description: Interfaces that were (would be) removed.
  returned: success
  type: list
  elements: str
roamed:
  description: Interfaces whose neighbour speaks from another endpoint than the desired one.
  returned: success
  type: list
  elements: str
pending:
  description: Interfaces whose tunnel cannot be made yet.
  returned: success
  type: list
  elements: str
"""

from pathlib import Path

from ansible.module_utils.altnet.errors import AltnetError
from ansible.module_utils.altnet.wireguard import order
from ansible.module_utils.altnet.wireguard.errors import text
from ansible.module_utils.altnet.wireguard.model import Paths
from ansible.module_utils.altnet.wireguard.runner import HostRunner
from ansible.module_utils.altnet.wireguard.tunnels import Wish, reconcile
from ansible.module_utils.basic import AnsibleModule

TUNNEL = {
    "interface": {"type": "str", "required": True},
    "neighbour": {"type": "str", "required": True},
    "generation": {"type": "int", "required": True},
    "listen_port": {"type": "int", "required": True},
    "local": {"type": "str", "required": True},
    "public_key": {"type": "str", "required": True, "no_log": False},
    "preshared_key": {"type": "str", "required": True, "no_log": True},
    "endpoint": {"type": "str"},
    "allowed_ips": {"type": "list", "elements": "str", "required": True},
    "keepalive": {"type": "int", "default": 0},
}
ARGUMENTS = {
    "tunnels": {"type": "list", "elements": "dict", "default": [], "options": TUNNEL},
    "pending": {"type": "list", "elements": "str", "default": []},
    "directory": {"type": "path", "default": "/etc/altnet/wireguard"},
    "mtu": {"type": "int", "default": 1420},
    "backend": {"type": "str", "choices": ["auto", "kernel", "userspace"], "default": "auto"},
    "userspace_allowed": {"type": "bool", "default": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "_order": {"type": "str"},
}


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    given = module.params
    absent = given["state"] == "absent"
    wish = Wish(
        mtu=given["mtu"],
        backend=given["backend"],
        userspace_allowed=given["userspace_allowed"],
        paths=Paths(keys=Path(given["directory"])),
        pending=() if absent else tuple(given["pending"]),
    )
    try:
        done = reconcile(HostRunner(), [] if absent else given["tunnels"], wish, check_mode=module.check_mode)
        if not module.check_mode and absent:
            order.forget(wish.paths, "tunnels")
        elif not module.check_mode:
            order.keep_tunnels(given["_order"], given["tunnels"], wish)
    except AltnetError as error:
        module.fail_json(msg=text(error))
    for warning in done.warnings:
        module.warn(warning)
    module.exit_json(**done.result(), pending=sorted(wish.pending))


if __name__ == "__main__":
    main()
