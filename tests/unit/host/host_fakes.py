"""Commands that only look like those of a host."""

from __future__ import annotations

from collections.abc import Callable

#: Makes a command of a name that runs a shell script.
Fake = Callable[[str, str], None]
