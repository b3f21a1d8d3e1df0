"""The candidate: the whole set under the state directory, judged by the daemon's own checker."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .compare import UNKNOWN_ID, Comparison
from .failure import TransactionError
from .files import write_new
from .host import Host, Output
from .mask import Mask
from .request import Request
from .store import Store

_CHECK_TIMEOUT = 120.0  # seconds
_SHOWN_LINES = 5


@contextmanager
def staged(request: Request, found: Comparison, store: Store) -> Iterator[Path]:
    """Write the set below ``stage/`` (0700 all the way), with target owners and modes; remove it after."""
    shutil.rmtree(store.stage, ignore_errors=True)
    try:
        store.stage.mkdir(mode=0o700)
        for file in request.files:
            target = store.stage / file.path.lstrip("/")
            for parent in [*reversed(target.relative_to(store.stage).parents)][1:]:
                (store.stage / parent).mkdir(mode=0o700, exist_ok=True)
            wanted = found.wanted[file.path]
            uid, gid = (None if one == UNKNOWN_ID else one for one in (wanted.uid, wanted.gid))
            if os.geteuid() != 0:
                uid = gid = None
            write_new(target, wanted.data, uid, gid, wanted.mode, durable=False)
        yield store.stage
    finally:
        shutil.rmtree(store.stage, ignore_errors=True)


def check(request: Request, found: Comparison, store: Store, mask: Mask, *, check_mode: bool) -> None:
    """Stage the set and run each checker on it.

    A checker that is not there is an error, in check mode (its package may come with the real run) a note.
    Raises TransactionError when one refuses the candidate, with the source lines it speaks of.
    """
    host: Host = store.host
    if not request.check:
        return
    with staged(request, found, store) as stage:
        host.step("staged")
        for argv in request.check:
            real = [part.replace("{stage}", "") for part in argv]
            if not host.run.has(argv[0]):
                if not check_mode:
                    raise TransactionError(
                        "check",
                        f"the checker {argv[0]} is not on this host; the live service was not touched",
                        "install its package first",
                        {"command": real},
                    )
                found.not_checked.append(f"`{' '.join(real)}`: {argv[0]} is not installed yet")
                continue
            answer = host.run([part.replace("{stage}", str(stage)) for part in argv], _CHECK_TIMEOUT)
            if answer.code != 0:
                _refused(request, real, answer, stage, mask)
    host.step("checked")


def _refused(request: Request, argv: list[str], answer: Output, stage: Path, mask: Mask) -> None:
    output = answer.text
    for root in {str(stage), str(stage.resolve())}:
        output = output.replace(root, "")
    output = mask.hide(output)
    lines = [
        f"{request.name}: its checker refused the new configuration; the live service was not touched",
        f"$ {' '.join(argv)}",
        output,
        *_source_lines(request, output),
    ]
    raise TransactionError(
        "check",
        "\n".join(line for line in lines if line),
        "mend the template or the variable that made this line, then run again",
        {"command": argv, "output": output},
    )


def _source_lines(request: Request, output: str) -> list[str]:
    """Find ``path:line`` (also ``path, line 3``) in a checker's output and quote these lines."""
    shown: dict[tuple[str, int], str] = {}
    for file in request.files:
        mentioned = re.finditer(rf"{re.escape(file.path)}[\"']?(?::|\(|,?\s+line\s+|,\s*)(\d+)", output)
        source = file.content.decode("utf-8", "replace").splitlines()
        for match in mentioned:
            number = int(match.group(1))
            if 1 <= number <= len(source):
                text = "(sensitive: line hidden)" if file.sensitive else source[number - 1]
                shown[file.path, number] = f"{file.path}:{number}: {text}"
    return list(shown.values())[:_SHOWN_LINES]
