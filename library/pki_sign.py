#!/usr/bin/python
"""Documentation of the action plugin of the same name, which does the work on the control node."""

DOCUMENTATION = r"""
module: pki_sign
short_description: Sign a host's certificate where another one is due
description:
  - Judges the certificate that M(pki_key) found on the host, and signs another one with the network's infrastructure
    intermediate where it is missing, for other names or another key, from another intermediate, or in the last third of
    its life. Asks no host.
  - Every name has to be the host's own, by the plan, by a declared record that leads to it, or by O(given). What the
    request asks for counts for nothing.
  - Names under a top-level domain that the root's limits leave out are left out, with a warning.
  - The fact C(altnet_issued) then has, by the certificate's name, C(certificate), C(expires) and C(roots), for the
    transaction of the daemon that uses it.
options:
  directory:
    description: The inventory's directory.
    type: path
    required: true
  name:
    description: What the certificate is called on the host.
    type: str
    required: true
  names:
    description: Host names and addresses that it is for.
    type: list
    elements: str
    default: []
  given:
    description: Names that the inventory gives to the host beside those that follow from plan and zones, as of sites.
    type: list
    elements: str
    default: []
  kind:
    description: V(issuer) for the intermediate of an ACME issuer, which the root signs.
    type: str
    choices: [leaf, issuer]
    default: leaf
  born:
    description: What M(pki_key) returned.
    type: dict
    required: true
attributes:
  check_mode:
    description: Before the key is born, the certificate is a placeholder.
    support: full
  diff_mode:
    description: Names what is written beside the inventory, which only an issuer's intermediate is.
    support: full
  idempotent: {support: full}
author: The Altnet developers
"""

EXAMPLES = r"""
- name: Sign slapd's certificate
  pki_sign:
    directory: "{{ inventory_dir }}"
    name: slapd
    names: ["{{ inventory_hostname }}.net.alt"]
    born: "{{ slapd_key }}"
"""

RETURN = r"""
reason:
  description: Why another certificate was signed; empty where the present one will do.
  returned: always
  type: str
  sample: 29 days of it are left
"""
