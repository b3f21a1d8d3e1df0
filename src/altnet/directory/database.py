"""Makes slapd's configuration and first entries from files, before it starts; loads and writes backups.

A program of its own on each provider, run by root: standard library only, and OpenLDAP's own tools.
"""

from __future__ import annotations

import argparse
import os
import pwd
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

_INDEX = "indexes"
_BASE = "base"
_CERTIFICATE = "-----BEGIN CERTIFICATE-----"
_PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"


class DatabaseError(Exception):
    """What slapd's tools said no to."""


def run(*argv: str) -> str:
    """Run one of slapd's tools; what it says is the error where it fails."""
    environment = {**os.environ, "LC_ALL": "C", "PATH": _PATH}
    try:
        done = subprocess.run(argv, capture_output=True, text=True, errors="replace", check=False, env=environment)
    except FileNotFoundError:
        raise DatabaseError(f"{argv[0]} is not installed") from None
    if done.returncode:
        words = "\n".join(line for line in (done.stderr or done.stdout).splitlines() if line.strip())
        raise DatabaseError(f"{argv[0]}: {words or f'exit status {done.returncode}'}")
    return done.stdout


def values(config: str, attribute: str) -> list[str]:
    """Return an attribute's values anywhere in an LDIF text."""
    unfolded = re.sub(r"\n ", "", config)
    return re.findall(rf"^{attribute}: *(.*)$", unfolded, re.MULTILINE)


def one(config: str, attribute: str) -> str:
    """Return the only value of an attribute."""
    found = values(config, attribute)
    if len(found) != 1:
        raise DatabaseError(f"the configuration has {len(found)} {attribute}, and needs one")
    return found[0]


def build(config: str, target: Path, data: Path | None = None) -> None:
    """Make ``target``, a directory that is not there, the configuration's; ``data`` stands in for its own."""
    if data is not None:
        config = re.sub(r"^olcDbDirectory: .*$", lambda _: f"olcDbDirectory: {data}", config, flags=re.MULTILINE)
    target.mkdir(mode=0o750)
    with tempfile.NamedTemporaryFile("w", suffix=".ldif") as file:  # mode 0600: a password is in it
        file.write(config)
        file.flush()
        run("slapadd", "-n", "0", "-F", str(target), "-l", file.name)


def check(config: str, tree: Path, stage: Path | None = None) -> None:
    """See that slapd would start with a configuration, and hold these first entries.

    What lies below ``stage`` is to be put in place with them.
    """
    if shutil.which("slapadd", path=_PATH) is None:
        sys.stderr.write("slapd is not installed yet; not checked\n")
        return
    with tempfile.TemporaryDirectory() as directory:
        data = Path(directory, "data")
        data.mkdir()
        build(config, Path(directory, "config"), data)
        roots, certificate, key = (
            one(config, f"olcTLS{name}File") for name in ("CACertificate", "Certificate", "CertificateKey")
        )
        _certificate(roots, certificate, key, stage)
        # Not slaptest: it opens the pid file of the slapd that runs, for writing.
        run("slapadd", "-F", str(Path(directory, "config")), "-b", one(config, "olcSuffix"), "-l", str(tree))


def _certificate(roots: str, certificate: str, key: str, stage: Path | None) -> None:
    """See that there are a certificate and its key; slapd itself looks at them only when it starts."""
    staged = Path(stage or "/", certificate.lstrip("/"))
    place = staged if staged.is_file() else Path(certificate)
    if place.is_file() and _CERTIFICATE not in place.read_text(errors="replace"):
        # In check mode, before the key is born that it will be for.
        sys.stderr.write(f"{certificate} is not signed yet; not checked\n")
        return
    # By their variables: paths stand in the configuration, of which nothing is shown.
    for variable, path in (("ca", Path(roots)), ("certificate", place), ("key", Path(key))):
        if not path.is_file():
            raise DatabaseError(f"the file that directory_{variable}_file names is not there")
    try:
        ssl.create_default_context(cafile=roots).load_cert_chain(place, key)
    except ssl.SSLError as error:
        raise DatabaseError(f"{certificate} and {key} do not serve: {error}") from None


def start(config: str, tree: Path, target: Path, user: str) -> None:
    """Build the configuration anew, make the first entries where there are none, and indexes that are new."""
    base, data = one(config, "olcSuffix"), Path(one(config, "olcDbDirectory"))
    data.mkdir(mode=0o750, parents=True, exist_ok=True)
    held = data / _BASE
    if held.exists() and held.read_text() != base:
        raise DatabaseError(f"the directory holds {held.read_text()}, not {base}: its first TLD can never be another")
    former = target.with_name(f"{target.name}.former")
    candidate = target.with_name(f"{target.name}.new")
    for left in (former, candidate):
        shutil.rmtree(left, ignore_errors=True)
    build(config, candidate)
    if target.exists():
        target.rename(former)
    candidate.rename(target)
    shutil.rmtree(former, ignore_errors=True)
    indexes = "\n".join(values(config, "olcDbIndex")) + "\n"
    known = data / _INDEX
    if not held.exists():
        # Whoever was killed while it made them has left some. Nothing is removed: they may be somebody's all the same.
        _aside(data, "unfinished")
        data.mkdir(mode=0o750, exist_ok=True)
        run("slapadd", "-F", str(target), "-b", base, "-w", "-l", str(tree))
    elif not known.exists() or known.read_text() != indexes:
        run("slapindex", "-q", "-F", str(target), "-b", base)
    note(known, indexes)
    note(held, base)
    own(user, target.parent)


def prepare(backup: Path, target: Path) -> None:
    """Load a backup beside what slapd holds, which goes on meanwhile: a bad one is found before it is stopped."""
    config = _config(target)
    candidate = _candidate(Path(one(config, "olcDbDirectory")))
    shutil.rmtree(candidate, ignore_errors=True)
    candidate.mkdir(mode=0o750)
    with tempfile.TemporaryDirectory() as directory:
        build(config, Path(directory, "config"), candidate)
        argv = ("-F", str(Path(directory, "config")), "-b", one(config, "olcSuffix"), "-l", str(backup))
        run("slapadd", "-q", *argv)
    note(candidate / _BASE, one(config, "olcSuffix"))


def swap(target: Path, user: str) -> Path | None:
    """Put what was prepared in the place of what the stopped slapd holds; return where that lies now."""
    config = _config(target)
    data = Path(one(config, "olcDbDirectory"))
    candidate = _candidate(data)
    if not (candidate / _BASE).exists():
        raise DatabaseError(f"nothing was prepared in {candidate}")
    if _running(one(config, "olcPidFile")):
        raise DatabaseError("slapd runs; stop it first")
    former = _aside(data, "before")
    candidate.rename(data)
    own(user, data)
    return former


def dump(backup: Path, target: Path) -> None:
    """Write all entries to a file that root alone reads, while slapd runs."""
    base = one(_config(target), "olcSuffix")
    backup.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = backup.with_name(f".{backup.name}.new")
    temporary.unlink(missing_ok=True)
    os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    run("slapcat", "-F", str(target), "-b", base, "-o", "ldif-wrap=no", "-l", str(temporary))
    temporary.replace(backup)


def note(path: Path, text: str) -> None:
    """Write a file as root in a directory of slapd's user, who may have put a link there: a new file in its place."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o640)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    temporary.replace(path)


def own(user: str, *directories: Path) -> None:
    """Give directories with all that is in them to slapd's user; as somebody else's server, not at all.

    Links themselves, not what they lead to: that would be a way for slapd's user to any file.
    """
    if os.geteuid() != 0:
        return
    entry = pwd.getpwnam(user)
    for directory in directories:
        for path in (directory, *directory.rglob("*")):
            os.chown(path, entry.pw_uid, entry.pw_gid, follow_symlinks=False)


def _aside(data: Path, why: str) -> Path | None:
    """Move data away; return where they lie, None where there were none."""
    if not (data / "data.mdb").exists():
        shutil.rmtree(data, ignore_errors=True)
        return None
    place = data.with_name(f"{data.name}.{why}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}")
    data.rename(place)
    return place


def _candidate(data: Path) -> Path:
    return data.with_name(f"{data.name}.new")


def _config(target: Path) -> str:
    return run("slapcat", "-n", "0", "-F", str(target), "-o", "ldif-wrap=no")


def _running(pid_file: str) -> bool:
    """Say whether the pid file's process is slapd; one that was killed leaves the file behind."""
    try:
        return Path("/proc", str(int(Path(pid_file).read_text())), "comm").read_text().strip() == "slapd"
    except (OSError, ValueError):
        return False


def main(argv: Sequence[str] | None = None) -> int:
    """Run one of the program's verbs."""
    parser = argparse.ArgumentParser(prog="altnet.directory.database", description=__doc__)
    parser.add_argument("verb", choices=["check", "start", "dump", "prepare", "swap"])
    parser.add_argument("--config", type=Path, help="the configuration as one LDIF")
    parser.add_argument("--tree", type=Path, help="the first entries")
    parser.add_argument("--stage", type=Path, help="what is to be put in place with them, by its path below this")
    parser.add_argument("--target", type=Path, help="directory of the configuration that slapd reads")
    parser.add_argument("--backup", type=Path)
    parser.add_argument("--user", default="openldap")
    given = parser.parse_args(argv)
    os.umask(0o027)
    try:
        if given.verb == "check":
            check(given.config.read_text(), given.tree, given.stage)
        elif given.verb == "start":
            start(given.config.read_text(), given.tree, given.target, given.user)
        elif given.verb == "dump":
            dump(given.backup, given.target)
            print(time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()))  # noqa: T201  # the playbook names its copy by it
        elif given.verb == "prepare":
            prepare(given.backup, given.target)
        else:
            former = swap(given.target, given.user)
            print(former or "")  # noqa: T201  # the playbook says it
    except (DatabaseError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
