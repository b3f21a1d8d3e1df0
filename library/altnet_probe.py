#!/usr/bin/python
"""One look at a host before anything is changed on it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: altnet_probe
short_description: Look at a host before anything is changed on it
description:
  - Returns what the roles need to know of a host in one short call, in place of Ansible's fact gathering, and what
    keeps Altnet from running there. Changes nothing and does not fail on what it finds.
options:
  packages:
    description: Packages to look for.
    type: list
    elements: str
    default: []
  asked_at:
    description: >-
      The control node's time when it asks, in seconds since 1970. It is handed back, so that the host's clock can be
      compared later.
    type: float
  orders_only:
    description: Return C(standing) and C(asked_at) alone, for a host that was looked at before in the same run.
    type: bool
    default: false
attributes:
  check_mode: {support: full}
  diff_mode: {support: none}
author: The Altnet developers
"""

EXAMPLES = r"""
- name: Look at the host
  altnet_probe:
    packages: [bird2, wireguard-tools]
    asked_at: "{{ now(utc=true).timestamp() }}"
"""

RETURN = r"""
ansible_facts:
  description: >-
    C(altnet_host) with C(release), C(kernel_wireguard), C(packages) that are installed, C(ra_interfaces) that live by
    router advertisements, C(foreign_drops) with the firewall chains of others that drop by default,
    C(bgp_established) with the BGP sessions that are up, C(sets_clock), C(ssh_host_keys), C(resolv_conf) with what
    /etc/resolv.conf was before it was the network's (C(# link to) and the target for a link), C(nameservers) that the
    host asked then,
    C(time) and C(asked_at) in seconds since 1970, C(stop) with the stop file's text or null, C(problems), a list
    of C(variable), C(what), C(remedy), C(transactions) with the names of what the host has been configured
    with, and C(standing) with what the roles' modules last brought about here and what
    still holds, so that they need not be executed to find that nothing is to be done.
  returned: always
  type: dict
"""

from ansible.module_utils.altnet.host.probe import orders, probe
from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "packages": {"type": "list", "elements": "str", "default": []},
            "asked_at": {"type": "float"},
            "orders_only": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    facts = orders() if module.params["orders_only"] else probe(module.params["packages"])
    facts["asked_at"] = module.params["asked_at"]
    module.exit_json(changed=False, ansible_facts={"altnet_host": facts})


if __name__ == "__main__":
    main()
