"""``python3 -m altnet.registry VERB SETTINGS``: each of the registry's programs is a verb."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from pathlib import Path
from typing import Final

from ..errors import AltnetError
from .domain.errors import RegistryError
from .settings import Settings

VERBS: Final = (
    "migrate",
    "serve",
    "write",
    "whois",
    "export",
    "receive",
    "verify",
    "rebuild",
    "check",
    "backup",
    "copy",
    "invite",
)
_USAGE: Final = f"usage: python3 -m altnet.registry {{{','.join(VERBS)}}} SETTINGS [ARGUMENT ...]"


def main(arguments: list[str]) -> int:
    """Run a verb by the settings file that is named; 1 and a sentence where it cannot be done, 2 for a wrong call."""
    if len(arguments) < 2 or arguments[0] not in VERBS:
        print(_USAGE, file=sys.stderr)  # noqa: T201
        return 2
    verb, path, *rest = arguments
    # For programs that are begun by this one, such as the hook that takes a push.
    os.environ["ALTNET_REGISTRY_SETTINGS"] = str(Path(path).absolute())
    # Each has its own imports: who writes to the name servers needs no web framework.
    module = importlib.import_module(f".verbs.{verb}", __package__)
    try:
        inspect.signature(module.main).bind(None, *rest)
    except TypeError as error:
        print(f"{_USAGE}\n{verb}: {error}", file=sys.stderr)  # noqa: T201
        return 2
    try:
        return int(module.main(Settings.load(Path(path)), *rest))
    except (AltnetError, RegistryError) as error:
        print(f"{verb}: {error}", file=sys.stderr)  # noqa: T201
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
