"""``python3 -m altnet.cli.bundle OUT``: the command as one file, for any machine with Python 3.11 or newer.

The rules for ``registry check`` are in it too; dnspython and idna, which they need, come from the machine.
"""

from __future__ import annotations

import sys
import zipapp
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from typing import Final

HERE: Final = Path(__file__).parents[1]
#: What is in it, below ``altnet``.
PARTS: Final = (
    "__init__.py",
    "errors.py",
    "cli",
    "naming",
    "registry/__init__.py",
    "registry/domain",
    "registry/texts",
)
_KEPT: Final = frozenset((".py", ".txt"))
_START: Final = """import sys

if sys.version_info < (3, 11):
    sys.exit("altnet: this needs Python 3.11 or newer")

from altnet.cli.main import main

sys.exit(main(sys.argv[1:]))
"""


def bundle(out: Path) -> None:
    """Write the file, for everybody to run; the same sources make the same file."""
    with TemporaryDirectory() as place:
        root = Path(place)
        for part in PARTS:
            source = HERE / part
            for path in sorted(source.rglob("*")) if source.is_dir() else [source]:
                if path.suffix in _KEPT and "__pycache__" not in path.parts:
                    target = root / "altnet" / path.relative_to(HERE)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    copyfile(path, target)
        (root / "__main__.py").write_text(_START)
        zipapp.create_archive(root, out, interpreter="/usr/bin/env python3", compressed=True)
    out.chmod(0o755)


def main(arguments: list[str]) -> int:
    """Write the file that is named."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python3 -m altnet.cli.bundle OUT\n")
        return 2
    bundle(Path(arguments[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
