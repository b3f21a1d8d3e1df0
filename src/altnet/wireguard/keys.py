"""A host's private keys, one for each generation: born here, never leaving."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import files
from .errors import WireguardError, problem, redact
from .keyfile import PLACEHOLDER, clamp, is_key, read_key
from .model import Paths
from .runner import MISSING, Runner

_KEY_FILE = re.compile(r"(0|[1-9][0-9]*)\.key")


@dataclass(frozen=True)
class Keys:
    """What came of it: public keys by generation, and the generations made, removed or given proper modes."""

    public: dict[int, str]
    made: tuple[int, ...] = ()
    removed: tuple[int, ...] = ()
    mended: tuple[str, ...] = ()
    placeholder: bool = False

    @property
    def changed(self) -> bool:
        """Say whether anything on the host was (in check mode: would be) changed."""
        return bool(self.made or self.removed or self.mended or self.placeholder)

    def result(self, paths: Paths) -> dict[str, Any]:
        """Return the module's result; without a private key."""
        before, after = "", ""
        for generation in self.made:
            after += f"{paths.key(generation)}: a private key (hidden)\n"
        for generation in self.removed:
            before += f"{paths.key(generation)}: a private key (hidden)\n"
        for path in self.mended:
            before += f"{path}: others may read it\n"
            after += f"{path}: for root alone\n"
        return {
            "changed": self.changed,
            "public_keys": {str(generation): key for generation, key in self.public.items()},
            "placeholder": self.placeholder,
            "made": list(self.made),
            "removed": list(self.removed),
            "diff": {"before": before, "after": after},
        }


def public_key(runner: Runner, private: str) -> str | None:
    """Return the public half by ``wg pubkey``, None where ``wg`` is not installed. Raises WireguardError."""
    done = runner.run(("wg", "pubkey"), f"{private}\n")
    if done.code == MISSING:
        return None
    public = done.out.strip()
    if done.code or not is_key(public):
        raise WireguardError(problem("wg pubkey", f"it failed: {redact(done.err)}", "run it on the host"))
    return public


def ensure(runner: Runner, paths: Paths, generations: Iterable[int], *, prune: bool, check_mode: bool) -> Keys:
    """Make the missing keys of ``generations`` and return all public halves.

    An existing key is never overwritten; with ``prune`` keys of other generations are removed. In check mode
    nothing is touched and a key that cannot be told yet is a placeholder. Raises WireguardError for a corrupt
    key file and where ``wg`` is not installed.
    """
    wanted = sorted(set(generations))
    found = {generation: read_key(paths.key(generation)) for generation in wanted}
    mended = _mend(paths, [generation for generation in wanted if found[generation]], check_mode=check_mode)
    missing = tuple(generation for generation in wanted if found[generation] is None)
    surplus = tuple(sorted(_present(paths.keys) - set(wanted))) if prune else ()
    public: dict[int, str] = {}
    for generation in wanted:
        private = found[generation] or (None if check_mode else clamp(os.urandom(32)))
        half = public_key(runner, private) if private else None
        if half is None and not check_mode:
            remedy = "put wireguard-tools in wireguard_packages"
            raise WireguardError(problem("wg", "it is not installed on this host", remedy))
        # Only a key whose public half is known is stored: a failure above leaves nothing behind.
        if private and found[generation] is None:
            _store(paths, generation, private)
        public[generation] = half or PLACEHOLDER
    if not check_mode:
        for generation in surplus:
            paths.key(generation).unlink(missing_ok=True)
    return Keys(public, missing, surplus, mended, PLACEHOLDER in public.values())


def remove(paths: Paths, *, check_mode: bool) -> Keys:
    """Remove every key of ours and the directory, if nothing else is in it."""
    present = tuple(sorted(_present(paths.keys)))
    if not check_mode:
        for generation in present:
            paths.key(generation).unlink(missing_ok=True)
        for directory in (paths.keys, paths.keys.parent):
            try:
                directory.rmdir()
            except OSError:  # somebody else's files are in it, or it never was
                break
    return Keys({}, removed=present)


def _present(directory: Path) -> set[int]:
    matches = (_KEY_FILE.fullmatch(path.name) for path in directory.glob("*.key"))
    return {int(match.group(1)) for match in matches if match}


def _store(paths: Paths, generation: int, private: str) -> None:
    files.make_directory(paths.keys)
    files.write_private(paths.key(generation), f"{private}\n", replace=False)


def _mend(paths: Paths, generations: Iterable[int], *, check_mode: bool) -> tuple[str, ...]:
    wrong = [
        (path, mode)
        for path, mode in [
            (paths.keys, files.PRIVATE_DIRECTORY),
            *((paths.key(generation), files.PRIVATE_FILE) for generation in generations),
        ]
        if path.exists() and not files.is_private(path, mode)
    ]
    if not check_mode:
        for path, mode in wrong:
            files.make_private(path, mode)
    return tuple(str(path) for path, _ in wrong)
