"""A real ansible-playbook, whose workers say what they found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
FILTER = """
import gc, os, sys
LOADED_BY = os.getpid()
def found(worker_of):
    return {"loaded_by_main": os.getpid() != LOADED_BY == os.getppid(), "collects": gc.isenabled(),
            "transaction": any(name.endswith(".transaction") for name in sys.modules)}
class FilterModule:
    def filters(self):
        return {"found": found}
"""
PLAY = [
    {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "tasks": [{"ansible.builtin.copy": {"dest": "{{ out }}", "content": "{{ 0 | found | to_json }}"}}],
    }
]


@pytest.mark.parametrize("enabled", [True, False])
def test_workers_find_in_memory_what_they_use(tmp_path: Path, enabled: bool) -> None:
    """Without the callback each of them loads it, which is what the test would not notice if it proved nothing."""
    (tmp_path / "filters").mkdir()
    (tmp_path / "filters" / "found.py").write_text(FILTER)
    (tmp_path / "play.yml").write_text(json.dumps(PLAY))
    done = subprocess.run(
        [PLAYBOOK, "-i", "localhost,", "-e", f"out={tmp_path / 'out'}", "play.yml"], cwd=tmp_path, text=True,
        capture_output=True, check=False, timeout=120, env={
            **os.environ, "HOME": str(tmp_path), "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_FILTER_PLUGINS": str(tmp_path / "filters"),
            "ANSIBLE_CALLBACKS_ENABLED": "cheap_workers" if enabled else "run_lock",
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr, "the callback failed"
    assert json.loads((tmp_path / "out").read_text()) == {
        "loaded_by_main": enabled, "collects": not enabled, "transaction": enabled,
    }  # fmt: skip
