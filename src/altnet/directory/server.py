"""Asking slapd, and telling it, by OpenLDAP's own tools: no library to import, and secrets go by standard input."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..wireguard.runner import Done, Runner
from . import ldif
from .difference import DirectoryError, refused
from .ldif import Change
from .model import normal_dn

NO_SUCH_OBJECT = 32
#: What the tools end with where nobody answers.
NOBODY_ANSWERS = 255
LOCAL = "ldapi:///"
#: How many changes one call makes: each waits for a disk, and a call has its time.
PORTION = 500


class SilentError(DirectoryError):
    """Nobody answers where slapd should."""


@dataclass(frozen=True)
class Server:
    """A provider. On the host itself root is the administrator; elsewhere it takes ``bind`` and ``password_file``."""

    runner: Runner
    uri: str = LOCAL
    bind: str | None = None
    password_file: str = ""
    ca_file: str = ""
    timeout: int = 5

    def search(self, base: str, scope: str, wanted: str, *attributes: str) -> dict[str, dict[str, list[str]]] | None:
        """Return attributes by normal DN; None where there is no such base."""
        options = ["-LLL", "-o", "ldif-wrap=no", "-b", base, "-s", scope]
        done = self._run("ldapsearch", *options, wanted, *attributes)
        if done.code == NO_SUCH_OBJECT:
            return None
        if done.code:
            raise self._error(done)
        return {normal_dn(dn): found for dn, found in ldif.parse(done.out)}

    def apply(self, changes: Sequence[Change]) -> None:
        """Make the changes, in their order; the first that is refused ends it, and is named."""
        for first in range(0, len(changes), PORTION):
            done = self._run("ldapmodify", stdin=ldif.changes(changes[first : first + PORTION]))
            if not done.code:
                continue
            begun = re.findall(r'^(?:adding new|modifying|deleting) entry "(.*)"', done.out, re.MULTILINE)
            if not begun:
                raise self._error(done)
            what = f"slapd refuses the change: {_reason(done)}"
            made = first + len(begun) - 1
            mend = f"mend what is declared of it; {made} of {len(changes)} changes were made before it"
            raise refused(begun[-1], what, mend)

    def _run(self, program: str, *arguments: str, stdin: str | None = None) -> Done:
        who = ["-Q", "-Y", "EXTERNAL"] if self.bind is None else ["-x", "-D", self.bind, "-y", self.password_file]
        limits = ["-o", f"nettimeout={self.timeout}"]
        # The one setting of the tools that has no option.
        argv = ["/usr/bin/env", f"LDAPTLS_CACERT={self.ca_file}"] if self.ca_file else []
        return self.runner.run([*argv, program, *who, "-H", self.uri, *limits, *arguments], stdin)

    def _error(self, done: Done) -> DirectoryError:
        mend = "see `systemctl status slapd` on that host; the role directory installs and starts it"
        error = refused(self.uri, f"does not answer as it should: {_reason(done)}", mend)
        return SilentError(error.problems) if done.code == NOBODY_ANSWERS else error


def _reason(done: Done) -> str:
    lines = [line.strip() for line in done.err.splitlines() if line.strip()]
    return "; ".join(lines[:3]) or f"exit status {done.code}"


def context(found: Mapping[str, Mapping[str, Sequence[str]]] | None) -> dict[str, str]:
    """Return the newest change that a provider has of each server, by the server's id."""
    values = [value for entry in (found or {}).values() for value in entry.get("contextCSN", ())]
    return {value.split("#")[2]: value for value in values if value.count("#") == 3}
