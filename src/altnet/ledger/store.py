"""The ledger on disk: written whole or not at all, by one process at a time."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from ..errors import LedgerError, Problem
from .model import SCHEMA, Epoch, Ledger, Record
from .parse import parse


def dump(ledger: Ledger) -> str:
    """Return the ledger's text: JSON, sorted, indented by 2, with a newline at its end."""
    data: dict[str, object] = {
        "asn_base": ledger.asn_base,
        "generation": ledger.generation,
        "hosts": {name: _plain(record) for name, record in ledger.hosts.items()},
        "prefix": ledger.prefix,
        "schema": SCHEMA,
    }
    if ledger.dns_primary is not None:
        data["dns_primary"] = ledger.dns_primary
    if ledger.dnssec:
        data["dnssec"] = {
            zone: {str(number): _epoch(epoch) for number, epoch in epochs.items()}
            for zone, epochs in ledger.dnssec.items()
        }
    return json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _epoch(epoch: Epoch) -> dict[str, object]:
    return {"ds": epoch.ds, "state": epoch.state} | ({"since": epoch.since} if epoch.since else {})


def _plain(record: Record) -> dict[str, object]:
    if record.left:
        return {"id": record.id, "label": record.label, "left": True}
    marks: dict[str, object] = {mark: True for mark in ("drained", "quarantined") if getattr(record, mark)}
    if record.revoked:
        marks["revoked"] = {str(generation): key for generation, key in record.revoked.items()}
    if record.sshfp:
        marks["sshfp"] = {str(algorithm): fingerprint for algorithm, fingerprint in record.sshfp.items()}
    return marks | {
        "id": record.id,
        "label": record.label,
        "relay": record.relay,
        "keys": {str(generation): key for generation, key in record.keys.items()},
        "tunnels": {other: list(generations) for other, generations in record.tunnels.items()},
    }


def load(path: str | os.PathLike[str]) -> Ledger | None:
    """Return the ledger of a file, or None where there is no file.

    Raises :class:`LedgerError` for a file that cannot be read or that is damaged.
    """
    try:
        return parse(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        what = f"is not UTF-8 (byte {error.start})"
        raise LedgerError(Problem("", str(path), what, "take the last good version from git")) from None
    except OSError as error:
        what = f"cannot be read ({error.strerror})"
        raise LedgerError(Problem("", str(path), what, "make it readable for you")) from None


def save(path: str | os.PathLike[str], ledger: Ledger) -> bool:
    """Write the ledger and return True, or return False where the file says the same already.

    A reader, and whoever cuts the power, finds the old file or the new one. The file keeps its mode; a new
    one has 0644, for it holds no secret. A symbolic link stays one.
    """
    target = Path(os.path.realpath(path))
    text = dump(ledger).encode()
    try:
        if target.read_bytes() == text:
            return False
        mode = stat.S_IMODE(target.stat().st_mode)
    except FileNotFoundError:
        mode = 0o644
    descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    directory = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    return True


@contextlib.contextmanager
def locked(path: str | os.PathLike[str], wait: float = 30.0) -> Iterator[None]:
    """Hold the ledger's lock: ``.<name>.lock`` beside it, because the ledger itself is replaced when written.

    Waits ``wait`` seconds for another holder, then raises :class:`LedgerError`. The lock is the kernel's: it
    ends with its process, and the file that stays behind means nothing.
    """
    target = Path(os.path.realpath(path))
    descriptor = os.open(target.with_name(f".{target.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        deadline = time.monotonic() + wait
        while not _try_lock(descriptor):
            if time.monotonic() >= deadline:
                what = f"another run has held it for {wait:g} seconds"
                raise LedgerError(Problem("", str(path), what, "wait until that run has ended, then run again"))
            time.sleep(0.05)
        yield
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
