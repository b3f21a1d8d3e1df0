#!/usr/bin/python
"""Cut a host off from one neighbour at once; see DOCUMENTATION."""

DOCUMENTATION = r"""
module: altnet_cut
short_description: Cut a host off from one neighbour at once
description:
  - Sets the tunnels with the neighbour down, then disables the BGP sessions in them. Nothing is configured, so that
    nothing can delay it; the roles take tunnels and sessions away afterwards.
options:
  interfaces:
    description: The interfaces towards the neighbour. One that does not exist or is down already is no change.
    type: list
    elements: str
    required: true
attributes:
  check_mode: {support: full}
  diff_mode: {support: none}
  idempotent: {support: full}
author: The Altnet developers
"""

EXAMPLES = r"""
- name: Cut the tunnels with sin
  altnet_cut:
    interfaces: [an0-sin, an1-sin]
"""

RETURN = r"""
commands:
  description: What was done, or would be.
  returned: success
  type: list
  elements: str
  sample: [ip link set dev an0-sin down, birdc disable an0_sin]
"""

import subprocess

from ansible.module_utils.altnet.host.cut import cut
from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={"interfaces": {"type": "list", "elements": "str", "required": True}},
        supports_check_mode=True,
    )
    try:
        done = cut(module.params["interfaces"], check_mode=module.check_mode)
    except (OSError, subprocess.SubprocessError) as error:
        said = f"{error}: {getattr(error, 'stderr', '') or getattr(error, 'stdout', '')}".strip(": \n")
        module.fail_json(msg=f"{said}. Remedy: take the tunnel down by hand (ip link delete), then run again.")
    module.exit_json(changed=bool(done), commands=done)


if __name__ == "__main__":
    main()
