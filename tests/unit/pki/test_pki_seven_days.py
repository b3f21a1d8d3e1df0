"""Nobody signs anything for seven days: what clients make of sites' certificates then, by a clock that is moved.

Two kinds of certificate, each new and as old as one gets before it is renewed: then a third of its life is left.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pki_world
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from tests.certificates import names_of, signed
from tests.clock import FAKETIME, Clock

from altnet.pki import pem
from altnet.pki.authority import Signer, make_leaf
from altnet.pki.renewal import renew_at

DAY = timedelta(days=1)
SITE = "www.alt"
#: A handshake of Python's own client, as strict as 3.13 is by itself, with a server beside it.
HANDSHAKE = """
import ssl, sys, time
place = sys.argv[1]
server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
server.load_cert_chain(f"{place}/chain.pem", f"{place}/key.pem")
client = ssl.create_default_context(cafile=f"{place}/root.pem")
client.verify_flags |= ssl.VERIFY_X509_STRICT
to, back = ssl.MemoryBIO(), ssl.MemoryBIO()
ends = [
    client.wrap_bio(back, to, server_hostname=sys.argv[2]),
    server.wrap_bio(to, back, server_side=True),
]
done = set()
for _ in range(10):
    for end in ends:
        try:
            end.do_handshake()
            done.add(end)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLCertVerificationError as error:
            sys.exit(error.verify_message)
print(int(time.time()), "accepted" if len(done) == 2 else "unfinished")
"""


@dataclass(frozen=True)
class Kind:
    """A kind of certificate: for how many days it is valid, and how old it is when it is renewed."""

    name: str
    days: int
    due: int


#: Says why a certificate is refused so many days later; nothing where it is not.
Judge = Callable[[Path, int], str]
SIGNED = Kind("signed by the inventory", 90, 60)
ACME = Kind("by ACME", 30, 20)


def write(place: Path, kind: Kind, age: int) -> x509.Certificate:
    """Write the chain of a certificate that was made so many days ago."""
    now = pki_world.NOW - age * DAY
    root = pki_world.authority(now=now - DAY).root
    signer = pki_world.below(root, "infra" if kind is SIGNED else "issuer core1", now - DAY)
    key = pem.new_key()
    leaf = _leaf(kind, signer, key, now)
    (place / "root.pem").write_text(pem.text(root.certificate))
    (place / "between.pem").write_text(pem.text(signer.certificate))
    (place / "leaf.pem").write_text(pem.text(leaf))
    (place / "chain.pem").write_text(pem.text(leaf, signer.certificate))
    (place / "key.pem").write_text(pem.private_text(key))
    return leaf


def _leaf(kind: Kind, signer: Signer, key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    if kind is SIGNED:
        return make_leaf(signer, [SITE], key.public_key(), now)
    return signed(signer, key, names_of(SITE), SITE, now=now, days=kind.days)


def run(place: Path, days: int, *argv: str) -> tuple[int, str]:
    """Run a program by whose clock it is so many days later."""
    clock = Clock(place / "clock")
    clock.set(pki_world.NOW.timestamp() + days * 86_400)
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60, env=clock.environment)
    return done.returncode, done.stdout + done.stderr


def openssl(place: Path, days: int) -> str:
    command = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", SITE]
    more = ["-CAfile", str(place / "root.pem"), "-untrusted", str(place / "between.pem"), str(place / "leaf.pem")]
    code, said = run(place, days, *command, *more)
    return "" if code == 0 else said


def python(place: Path, days: int) -> str:
    code, said = run(place, days, sys.executable, "-c", HANDSHAKE, str(place), SITE)
    if code:
        return said
    seconds, word = said.split()
    moved = int(seconds) - pki_world.NOW.timestamp() - days * 86_400
    assert abs(moved) < 3600, "the clock was not moved"
    return "" if word == "accepted" else word


pytestmark = [
    pytest.mark.skipif(not FAKETIME, reason="not installed: faketime; lab/unit-debian has it and runs this"),
    pytest.mark.skipif(
        shutil.which("openssl") is None, reason="not installed: openssl; lab/unit-debian has it and runs this"
    ),
]
judges = pytest.mark.parametrize("judge", [openssl, python])
kinds = pytest.mark.parametrize("kind", [SIGNED, ACME], ids=lambda kind: kind.name)


@judges
@kinds
@pytest.mark.parametrize("old", [False, True], ids=["new", "due"])
def test_seven_days_go_unnoticed(tmp_path: Path, judge: Judge, kind: Kind, old: bool) -> None:
    leaf = write(tmp_path, kind, kind.due if old else 0)
    if old:  # the oldest there is: any earlier, and it would not have been renewed yet; any later, it would
        assert abs(renew_at(leaf) - pki_world.NOW) < timedelta(hours=1)
    assert judge(tmp_path, 0) == ""
    assert judge(tmp_path, 7) == ""


@judges
@kinds
def test_it_is_noticed_when_the_last_third_is_over(tmp_path: Path, judge: Judge, kind: Kind) -> None:
    """So the clock is really moved, and this is how long issuers may be dead at most: 10 days, and 30."""
    write(tmp_path, kind, kind.due)
    left = kind.days - kind.due
    assert judge(tmp_path, left - 1) == ""
    assert "expired" in judge(tmp_path, left + 1)
