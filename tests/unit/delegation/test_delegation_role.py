"""What the role installs is the whole program, and reads the settings that the role writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[3]
ROLE = ROOT / "roles" / "dns_authoritative"


def test_the_program_is_complete(tmp_path: Path) -> None:
    variables = yaml.safe_load((ROLE / "vars" / "main.yml").read_text())
    top = "{{ __dns_authoritative_program }}/altnet/"
    files = [entry["path"] for entry in variables["__dns_authoritative_children_files"]]
    for file in files:
        if file.startswith(top):
            target = tmp_path / "altnet" / file.removeprefix(top)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text((ROOT / "src" / "altnet" / file.removeprefix(top)).read_text())
    settings = variables["__dns_authoritative_children_settings"]
    settings |= {
        "api": {"address": "::1", "port": 1, "key_file": str(tmp_path / "no.key")},
        "resolver": {"address": "::1", "port": 53}, "state": str(tmp_path / "fulfilled.json"),
        "children": [{"name": "lab.alt.", "zone": "alt."}],
    }  # fmt: skip
    (tmp_path / "children.json").write_text(json.dumps(settings))
    done = subprocess.run(
        [sys.executable, "-m", "altnet.delegation.follow", str(tmp_path / "children.json")],
        env={**os.environ, "PYTHONPATH": str(tmp_path)}, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "the API key cannot be read" in done.stderr, done.stderr
    assert done.returncode == 1
