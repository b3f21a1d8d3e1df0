"""What is measured beside ours has to be there in a fresh clone, and to be what it says."""

from __future__ import annotations

import re

from benchmarks import peers


def test_what_is_installed_is_locked_with_its_hashes() -> None:
    locked = peers.LOCK.read_text()
    assert re.search(r"^wg-meshconf==\S+", locked, re.MULTILINE)
    assert all("--hash=sha256:" in entry for entry in re.split(r"\n(?=\S)", locked.strip()))
