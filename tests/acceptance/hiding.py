"""Where secrets must not be: files that everybody can read, journals, git."""

from __future__ import annotations

import re
from collections.abc import Mapping

from . import lab


def master() -> str:
    """Return the lab's master secret."""
    shown = lab.run("ansible", "fra", "-m", "ansible.builtin.debug", "-a", "var=altnet_master_secret").output
    found = re.search(r'altnet_master_secret"?: "?([A-Za-z0-9+/=]{40,})', shown)
    assert found, shown
    return found[1]


def hidden(known: Mapping[str, str]) -> None:
    """Look for secrets, by what they are, on every host and in git."""
    for name in lab.addresses():
        readable = lab.ssh(
            name,
            "find /etc /var /usr/local /tmp -xdev -type f -perm -o=r -size -512k -print0 | xargs -0 cat",
            timeout=120,
        )
        journal = lab.ssh(name, "journalctl --no-pager -b", timeout=120)
        for what, secret in known.items():
            assert secret not in readable, f"{name}: {what} stands in a file everybody can read"
            assert secret not in journal, f"{name}: {what} stands in the journal"
    # Read and searched here: on a command line a secret would be in the process list, and one in 64 starts as an option.
    tracked = lab.run("git", "grep", "-I", "-h", "", "--", ".").ok().output
    assert "def hidden(known" in tracked, "git did not show this file"
    for what, secret in known.items():
        assert secret not in tracked, f"{what} is in git"
