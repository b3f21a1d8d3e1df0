#!/usr/bin/python
"""Documentation of the action plugin of the same name, which does the work on the control node."""

DOCUMENTATION = r"""
module: altnet_slice
short_description: Hand a host its own slice of the plan
description:
  - Sets the fact C(altnet_slice) from the plan that M(altnet_allocation) made earlier in the same run.
  - Runs on the control node and touches no host. No host is handed another host's slice, so what a run holds in
    memory grows with the number of hosts, not with its square.
attributes:
  check_mode: {support: full}
  diff_mode: {support: none}
author: The Altnet developers
"""

EXAMPLES = r"""
- name: Read this host's slice of the plan
  altnet_slice:
"""

RETURN = r"""
ansible_facts:
  description: C(altnet_slice), the host's slice; docs/concepts/plan.md has its form.
  returned: always
  type: dict
"""
