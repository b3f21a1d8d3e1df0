#!/usr/bin/python
"""Documentation of the action plugin of the same name, which does the work on the control node."""

DOCUMENTATION = r"""
module: altnet_verdict
short_description: Fail once, for all hosts, before any of them is changed
description:
  - Collects what M(altnet_probe) found on every host of the play, and which hosts did not answer, and fails with one
    line for each problem. Runs once, on the control node.
options:
  probe:
    description: Name of the variable in which hosts registered the probe's result.
    type: str
    required: true
  target:
    description: >-
      The one host that the playbook is about, if there is one. It has to be within the limit and without a stop file.
    type: str
    default: ""
attributes:
  check_mode: {support: full}
  diff_mode: {support: none}
author: The Altnet developers
"""

EXAMPLES = r"""
- name: Give the verdict
  altnet_verdict:
    probe: __preflight_probe
  run_once: true
"""

RETURN = r"""
stopped:
  description: Hosts with a stop file, and its text.
  returned: always
  type: dict
former_apps:
  description: Hosts with apps whose groups they are not in, and of each app its role and its certificate's name.
  returned: success
  type: list
  elements: dict
"""
