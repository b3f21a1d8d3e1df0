#!/usr/bin/python
"""Documentation of the action plugin of the same name, which does the work on the control node."""

DOCUMENTATION = r"""
module: altnet_report
short_description: Print the network, and fail if it is not as planned
description:
  - Collects what M(altnet_check) saw on every host, prints one table, and fails with a line for each fault. Runs once,
    on the control node.
options:
  check:
    description: Name of the variable in which hosts registered the check's result.
    type: str
    required: true
attributes:
  check_mode: {support: full}
  diff_mode: {support: none}
author: The Altnet developers
"""

EXAMPLES = r"""
- name: Show the network
  altnet_report:
    check: __check
  run_once: true
"""

RETURN = r"""
faults:
  description: Everything that is not as planned, one line each.
  returned: always
  type: list
  elements: str
"""
