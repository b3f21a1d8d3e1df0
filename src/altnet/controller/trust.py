"""The network's authority on the control node: the directory ``pki`` beside the inventory, and what is done in it.

Public parts are plain files in git; keys are encrypted by the vault. The root's key may be away (offline): only making
an intermediate needs it. Every step can be taken again after a run was killed in the middle of it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from altnet.errors import Problem
from altnet.pki import judge, overlap, pem, renewal
from altnet.pki.authority import Signer, make_intermediate, make_root
from altnet.pki.pem import PkiError
from altnet.pki.scope import Scope

from .vaultfile import Vault, replace_private, write_private

ROOT, INFRA = "root.pem", "infra.pem"
ROOT_KEYS: Final = ("root.key.yml", "root.next.key.yml", "root.old.key.yml")
INFRA_KEY: Final = "infra.key.yml"
_ISSUERS: Final = "issuers"
_VARIABLE: Final = "altnet_pki_key: |\n"


class Authority:
    """The authority in one directory. With ``check_mode`` nothing is written."""

    def __init__(self, directory: Path, vault: Vault, *, check_mode: bool = False, now: datetime | None = None) -> None:
        self.directory = directory
        self.vault = vault
        self.check_mode = check_mode
        self.now = now or datetime.now(UTC)
        self.changes: list[str] = []

    # -- what is there

    def roots(self) -> tuple[x509.Certificate, ...]:
        """Return the trusted roots; the first one signs."""
        return self._read(ROOT)

    def infra(self) -> x509.Certificate | None:
        """Return the intermediate that signs for hosts and daemons."""
        return next(iter(self._read(INFRA)), None)

    def issuers(self) -> dict[str, x509.Certificate]:
        """Return the intermediates of the ACME issuers, by host."""
        files = sorted((self.directory / _ISSUERS).glob("*.pem"))
        found = {path.stem: self._read(f"{_ISSUERS}/{path.name}") for path in files}
        return {host: chain[0] for host, chain in found.items() if chain}

    def findings(self, scope: Scope) -> list[judge.Finding]:
        """Return what is wrong with the authority, or will be."""
        roots = self.roots()
        found = list(judge.roots_findings(roots, scope, self.now))
        if roots:
            found += judge.intermediate_findings("infra", self.infra(), roots, self.now)
            for host, one in self.issuers().items():
                found += judge.intermediate_findings(f"{_ISSUERS}/{host}", one, roots, self.now)
        return found

    def infra_signer(self) -> Signer:
        """Return the intermediate with its key."""
        certificate = self.infra()
        rotate = "make another: playbooks/rotate-intermediate.yml -e pki_intermediate=infra"
        if certificate is None:
            raise PkiError(Problem("", f"pki/{INFRA}", "is not there, so nothing can be signed", rotate))
        self._in_time(certificate, f"pki/{INFRA}", rotate)
        key = self._key(INFRA_KEY)
        if key is None or not pem.same_key(certificate, key.public_key()):
            what = "is not there" if key is None else f"is not the key of pki/{INFRA}"
            raise PkiError(Problem("", f"pki/{INFRA_KEY}", what, rotate))
        return Signer(certificate, key)

    # -- what is done

    def make(self, scope: Scope) -> None:
        """Make root and infrastructure intermediate where they are missing."""
        roots = self.roots()
        if not roots:
            root = self._new_root(scope, ROOT_KEYS[0])
            self._write(ROOT, pem.text(root.certificate))
            if self.infra() is None:
                self._new_infra(root)
        elif self.infra() is None:
            self._new_infra(self._root_signer(roots[0]))

    def rotate(self, intermediate: str, scope: Scope) -> None:
        """Replace one intermediate: ``infra``, or ``issuers/`` and a host, whose request is on record."""
        self._limits(scope)
        signer = self._root_signer(self._signing())
        if intermediate == "infra":
            self._new_infra(signer)
            return
        request = self.directory / f"{intermediate}.csr"
        if not intermediate.startswith(f"{_ISSUERS}/") or not request.is_file():
            known = ", ".join(["infra", *(f"{_ISSUERS}/{host}" for host in self.issuers())])
            what = f"is {intermediate}, and there is no such intermediate"
            raise PkiError(Problem("", "pki_intermediate", what, f"use one of: {known}"))
        self._reissue(intermediate, signer)

    def step(self, wanted: str, scope: Scope) -> str:
        """Take one step of the root's replacement (the one that is due where ``wanted`` is empty); return its name."""
        roots = self.roots()
        intermediates = [one for one in (self.infra(), *self.issuers().values()) if one is not None]
        due = overlap.due(roots, intermediates)
        if not roots:
            raise PkiError(Problem("", judge.ROOT_FILE, "is not there", "make one: playbooks/make-root.yml"))
        if wanted and wanted != due:
            what = f"asks for {wanted}, and {due} is due"
            raise PkiError(Problem("", "root_step", what, f"take {due} first: -e root_step={due}"))
        if due == "publish":
            new = self._new_root(scope, ROOT_KEYS[1])
            self._write(ROOT, pem.text(*overlap.publish(roots, new.certificate)))
        elif due == "switch":
            self._switch(overlap.switch(roots))
        else:
            self._write(ROOT, pem.text(*overlap.retire(roots, intermediates)))
            self._remove(ROOT_KEYS[2])
        return due

    def issuer(self, host: str, request: str, key: ec.EllipticCurvePublicKey) -> x509.Certificate:
        """Return the intermediate of the issuer on ``host``: the one on record, or one that the root signs now."""
        known = self.issuers().get(host)
        signing = self._signing()
        fits = known is not None and pem.same_key(known, key) and self.now < known.not_valid_after_utc
        if known is not None and fits and any(renewal.issued_by(known, root) for root in self.roots()):
            return known
        made = make_intermediate(self._root_signer(signing), f"issuer {host}", key, self.now)
        self._write(f"{_ISSUERS}/{host}.csr", request)
        self._write(f"{_ISSUERS}/{host}.pem", pem.text(made))
        return made

    # -- the parts

    def _switch(self, roots: Sequence[x509.Certificate]) -> None:
        signer = self._root_signer(roots[0])
        infra = self.infra()
        if infra is None or not renewal.issued_by(infra, roots[0]):
            self._new_infra(signer)
        for host, one in self.issuers().items():
            if not renewal.issued_by(one, roots[0]):
                self._reissue(f"{_ISSUERS}/{host}", signer)
        self._write(ROOT, pem.text(*roots))
        # Last: which file has which root's key is found by the keys themselves.
        if (self.directory / ROOT_KEYS[1]).exists() and not self.check_mode:
            if (self.directory / ROOT_KEYS[0]).exists():
                (self.directory / ROOT_KEYS[0]).replace(self.directory / ROOT_KEYS[2])
            (self.directory / ROOT_KEYS[1]).replace(self.directory / ROOT_KEYS[0])

    def _signing(self) -> x509.Certificate:
        roots = self.roots()
        if not roots:
            what = "is not there, so the network has no authority"
            raise PkiError(Problem("", judge.ROOT_FILE, what, "make one: playbooks/make-root.yml"))
        return roots[0]

    def _limits(self, scope: Scope) -> None:
        """Refuse what a new intermediate would not mend."""
        for finding in judge.roots_findings(self.roots(), scope, self.now):
            if finding.grave and "may not sign" not in finding.problem.what:
                raise PkiError(finding.problem)

    def _new_root(self, scope: Scope, name: str) -> Signer:
        key = self._key(name) or pem.new_key()
        self._keep(name, key, replace=False)
        return Signer(make_root(scope, key, self.now), key)

    def _new_infra(self, root: Signer) -> None:
        key = pem.new_key()
        certificate = make_intermediate(root, "infra", key.public_key(), self.now)
        self._keep(INFRA_KEY, key, replace=True)
        self._write(INFRA, pem.text(certificate))

    def _reissue(self, intermediate: str, root: Signer) -> None:
        content = (self.directory / f"{intermediate}.csr").read_text()
        key = x509.load_pem_x509_csr(content.encode()).public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)  # noqa: S101 - it was proved when it came
        host = intermediate.partition("/")[2]
        self._write(f"{intermediate}.pem", pem.text(make_intermediate(root, f"issuer {host}", key, self.now)))

    def _in_time(self, certificate: x509.Certificate, place: str, remedy: str) -> None:
        if self.now >= certificate.not_valid_after_utc:
            what = f"expired on {certificate.not_valid_after_utc:%Y-%m-%d}, and what it signs now would be refused"
            raise PkiError(Problem("", place, what, remedy))

    def _root_signer(self, certificate: x509.Certificate) -> Signer:
        self._in_time(certificate, judge.ROOT_FILE, judge.REPLACE)
        for name in ROOT_KEYS:
            key = self._key(name)
            if key is not None and pem.same_key(certificate, key.public_key()):
                return Signer(certificate, key)
        what = "is not there, and an intermediate can only be signed with it"
        short = pem.fingerprint(certificate)[:17]
        mend = f"put the key of root {short}... back for this run, and take it away again"
        raise PkiError(Problem("", f"pki/{ROOT_KEYS[0]}", what, mend))

    def _key(self, name: str) -> ec.EllipticCurvePrivateKey | None:
        content = self.vault.open(self.directory / name)
        if content is None:
            return None
        lines = [line.strip() for line in content.removeprefix(_VARIABLE).splitlines()]
        return pem.private_key("\n".join(lines) + "\n", f"pki/{name}")

    def _keep(self, name: str, key: ec.EllipticCurvePrivateKey, *, replace: bool) -> None:
        path = self.directory / name
        if path.exists() and not replace:
            return
        self.changes.append(f"pki/{name}: a private key (hidden)")
        if self.check_mode:
            return
        text = _VARIABLE + "".join(f"  {line}\n" for line in pem.private_text(key).splitlines())
        sealed = self.vault.seal(text, path)
        if replace:
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_private(path, sealed)
        else:
            write_private(path, sealed)

    def _remove(self, name: str) -> None:
        path = self.directory / name
        if path.exists():
            self.changes.append(f"pki/{name}: removed")
            if not self.check_mode:
                path.unlink()

    def _read(self, name: str) -> tuple[x509.Certificate, ...]:
        try:
            return pem.certificates((self.directory / name).read_text(), f"pki/{name}")
        except FileNotFoundError:
            return ()

    def _write(self, name: str, text: str) -> None:
        path = self.directory / name
        if path.exists() and path.read_text() == text:
            return
        self.changes.append(f"pki/{name}: written")
        if self.check_mode:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.new")
        with temporary.open("w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
