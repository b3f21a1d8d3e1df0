"""Workers that cost less: what each of them would import is imported once, and none of them collects garbage."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase
from ansible.plugins.loader import action_loader, connection_loader, filter_loader, test_loader
from ansible.template import Templar, trust_as_template

DOCUMENTATION = r"""
name: cheap_workers
type: aggregate
short_description: Make the process that each task costs for each host cheaper
description:
  - Ansible forks a process for each task and host, and each of them loads anew what it uses. This callback loads
    filters, tests, this project's action plugins and the connections before the first fork, so that every worker finds
    them in memory.
  - It turns the cyclic garbage collector off in workers, which live for milliseconds; with it each of them copies the
    memory that it shares with ansible-playbook.
  - Nothing depends on it. Without it a run takes longer.
"""

#: What a worker needs beside the plugins of this project.
CONNECTIONS = ("ssh", "local")
#: Objects that are made before the main process looks for garbage (Python's own 700 is for processes that make few).
THRESHOLD = 50_000


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """Prepares the main process before its first fork."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "cheap_workers"
    CALLBACK_NEEDS_ENABLED = True

    def v2_playbook_on_start(self, playbook: Any) -> None:  # noqa: ARG002 - Ansible names it
        """Load what workers need, and keep it out of the collector's sight."""
        for loader in (filter_loader, test_loader):
            list(loader.all())
        for path in sorted((Path(__file__).parents[1] / "action_plugins").glob("*.py")):
            action_loader.get(path.stem, class_only=True)
        for name in CONNECTIONS:
            connection_loader.get(name, class_only=True)
        # Jinja compiles its lexer at the first template.
        Templar(variables={}).template(trust_as_template("{{ [] | length }}"))
        gc.set_threshold(THRESHOLD, *gc.get_threshold()[1:])
        gc.freeze()
        os.register_at_fork(after_in_child=gc.disable)
