"""A host's side: its keys are born here and never leave; what leaves is the proof that it has them.

For each certificate there is a directory with ``key.pem`` and ``request.pem``, made together, and ``cert.pem`` once one
was signed. Standard library and the host's openssl only.
"""

from __future__ import annotations

import contextlib
import grp
import os
import re
import stat
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ..errors import AltnetError, Problem
from ..host.orders import Order, keep, recall
from ..wireguard.runner import MISSING, Runner

ROOT: Final = Path("/etc/altnet/pki")
ORDERS: Final = Path("/var/lib/altnet/pki")
KEY, REQUEST, CERTIFICATE = "key.pem", "request.pem", "cert.pem"
#: What a certificate is called on its host, and its directory: a daemon's name, or a site's.
NAME: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,198}[a-z0-9])?")
_COMMON_NAME_MAX: Final = 64
_REQUEST_BEGIN: Final = "-----BEGIN CERTIFICATE REQUEST-----"


class BornError(AltnetError):
    """A key cannot be made, or is not what it should be."""


@dataclass(frozen=True)
class Wish:
    """One key: ``group`` may read it."""

    name: str
    group: str = "root"
    renew: bool = False


@dataclass(frozen=True)
class Born:
    """What came of it: the request, the present certificate (``""`` for none), what was or would be done."""

    request: str
    certificate: str
    changes: tuple[str, ...] = field(default=())

    def result(self) -> dict[str, Any]:
        """Return the module's result; without a private key."""
        return {
            "changed": bool(self.changes),
            "request": self.request,
            "certificate": self.certificate,
            "diff": {"before": "", "after": "".join(f"{line}\n" for line in self.changes)},
        }


def ensure(runner: Runner, wish: Wish, root: Path = ROOT, *, check_mode: bool) -> Born:
    """Make the key and its request where they are missing; ``renew`` makes others in their place.

    A certificate of the former key stays until the one for the new key replaces it. Raises BornError.
    """
    if not NAME.fullmatch(wish.name):
        raise _error(
            "name", f"{wish.name!r} is no name", "use lower-case letters, digits, hyphens and dots, at most 200"
        )
    group = _group(wish.group, check_mode=check_mode)
    directory = root / wish.name
    certificate = _text(directory / CERTIFICATE)
    if wish.renew or not (directory / KEY).is_file() or _REQUEST_BEGIN not in _text(directory / REQUEST):
        made = (f"{directory / KEY}: a private key (hidden)", f"{directory / REQUEST}: a request for it")
        if check_mode:
            return Born("", certificate, made)
        return Born(_make(runner, directory, wish.name, group), certificate, made)
    wrong = _wrong(directory, group)
    if wrong and not check_mode:
        _mend(directory, group)
    return Born(_text(directory / REQUEST), certificate, wrong)


def remove(name: str, root: Path = ROOT, orders: Path = ORDERS, *, check_mode: bool) -> Born:
    """Remove a key and all that belongs to it."""
    directory = root / name
    found = [path for path in (directory / KEY, directory / REQUEST, directory / CERTIFICATE) if path.exists()]
    if not check_mode:
        for path in found:
            path.unlink()
        keep(orders / f"{name}.json", None)
        for empty in (directory, root, root.parent, orders):
            with contextlib.suppress(OSError):  # not empty, or it never was
                empty.rmdir()
    return Born("", "", tuple(f"{path}: removed" for path in found))


# -- the order


def remember(fingerprint: str | None, wish: Wish, orders: Path = ORDERS) -> None:
    """Remember which key the host was asked for; one that was asked to be new is no standing order."""
    params = {"name": wish.name, "group": wish.group}
    keep(orders / f"{wish.name}.json", Order(fingerprint, params) if fingerprint and not wish.renew else None)


def names(orders: Path = ORDERS) -> Sequence[str]:
    """Return the names of all keys with a standing order."""
    return sorted(path.stem for path in orders.glob("*.json"))


def stands(name: str, runner: Runner, orders: Path = ORDERS, root: Path = ROOT) -> tuple[str, dict[str, Any]] | None:
    """Return fingerprint and result of the order for key ``name`` if all is as it asks, else None."""
    order = recall(orders / f"{name}.json")
    if order is None:
        return None
    found = ensure(runner, Wish(order.params["name"], order.params["group"]), root, check_mode=True)
    return None if found.changes else (order.fingerprint, found.result())


# -- the files


def _make(runner: Runner, directory: Path, name: str, group: int) -> str:
    """Make key and request; neither is there before both are."""
    key = _run(runner, "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
    directory.mkdir(parents=True, exist_ok=True)
    _mend(directory, group)
    with _temporary(directory, 0o640, group) as (descriptor, path):
        os.write(descriptor, key.encode())
        os.fsync(descriptor)
        request = _run(runner, "req", "-new", "-sha256", "-key", str(path), "-subj", f"/CN={name[:_COMMON_NAME_MAX]}")
        # The request goes last: a run that is killed in between leaves a key without one, and both are made anew.
        (directory / REQUEST).unlink(missing_ok=True)
        path.replace(directory / KEY)
    with _temporary(directory, 0o644, 0) as (descriptor, path):
        os.write(descriptor, request.encode())
        os.fsync(descriptor)
        path.replace(directory / REQUEST)
    return request


@contextlib.contextmanager
def _temporary(directory: Path, mode: int, group: int) -> Iterator[tuple[int, Path]]:
    descriptor, name = tempfile.mkstemp(dir=directory, prefix=".altnet-")
    path = Path(name)
    try:
        os.fchown(descriptor, os.geteuid(), group if os.geteuid() == 0 else -1)
        os.fchmod(descriptor, mode)
        yield descriptor, path
    finally:
        os.close(descriptor)
        path.unlink(missing_ok=True)


def _run(runner: Runner, *arguments: str) -> str:
    done = runner.run(("openssl", *arguments))
    if done.code == MISSING:
        raise _error("openssl", "is not installed on this host", "install it; the role pki does")
    if done.code or not done.out.strip():
        raise _error("openssl", f"{arguments[0]} failed: {done.err.strip()[-200:]}", "run it on the host")
    return done.out


def _modes(directory: Path, group: int) -> list[tuple[Path, int, int]]:
    return [(directory, 0o755, 0), (directory / KEY, 0o640, group)]


def _wrong(directory: Path, group: int) -> tuple[str, ...]:
    found = []
    for path, mode, owner in _modes(directory, group):
        status = path.stat()
        if stat.S_IMODE(status.st_mode) != mode or (os.geteuid() == 0 and (status.st_uid, status.st_gid) != (0, owner)):
            found.append(f"{path}: mode {mode:04o}, of root and the group {owner}")
    return tuple(found)


def _mend(directory: Path, group: int) -> None:
    for path, mode, owner in _modes(directory, group):
        if path.exists():
            if os.geteuid() == 0:
                os.chown(path, 0, owner)
            path.chmod(mode)


def _group(name: str, *, check_mode: bool) -> int:
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        if check_mode:  # a package that is not there yet brings it
            return -1
        what = f"{name} does not exist on this host"
        raise _error("group", what, "install what brings it before its certificate is asked for") from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except FileNotFoundError:
        return ""
    except ValueError:  # damaged: as good as none
        return ""


def _error(variable: str, what: str, remedy: str) -> BornError:
    return BornError(Problem("", variable, what, remedy))
