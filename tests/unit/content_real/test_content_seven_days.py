"""Both issuers are dead, and Caddy starts anew seven days later: it serves what it has, and clients take it.

Caddy asks the kernel for the time, past anything that could tell it another. So the certificates are seven days older
here instead, which is the same; clients' clocks are moved in the tests of pki.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from content_servers import Caddy, Client
from tests.certificates import names_of, signed

from altnet.content import caddy
from altnet.pki import pem
from altnet.pki.authority import Signer, make_intermediate, make_leaf, make_root
from altnet.pki.scope import Scope

pytestmark = pytest.mark.usefixtures("host")  # skips where anything is missing

NAME = "www.alt"
DEAD = 7
#: How old certificates are when their last third begins, and how long they live: by the inventory, and by ACME.
SIGNED, ACME = (60, 90), (20, 30)


def chain(place: Path, age: int, days: int) -> None:
    """Write a root, and a certificate and key for the site, made ``age`` days ago."""
    now = datetime.now(UTC).replace(microsecond=0) - timedelta(days=age)
    key, below = pem.new_key(), pem.new_key()
    root = Signer(make_root(Scope(("alt",), "fd12:3456:789a::/48"), key, now), key)
    signer = Signer(make_intermediate(root, "infra", below.public_key(), now), below)
    own = pem.new_key()
    if days == SIGNED[1]:
        leaf = make_leaf(signer, [NAME], own.public_key(), now)
    else:
        leaf = signed(signer, own, names_of(NAME), NAME, now=now, days=days)
    place.mkdir()
    (place / "roots.pem").write_text(pem.text(root.certificate))
    (place / NAME).mkdir()
    (place / NAME / "cert.pem").write_text(pem.text(leaf, signer.certificate))
    (place / NAME / "key.pem").write_text(pem.private_text(own))


def web(place: Path, certificates: dict[str, object]) -> Caddy:
    """Return a Caddy with one site, not started."""
    (place / "www").mkdir()
    (place / "www" / "index.html").write_text("still here")
    one = Caddy(place / "caddy")
    site = {"name": NAME, "kind": "static", "directory": str(place / "www"), "to": "", "groups": [], "policy": "",
            "cache": 0}  # fmt: skip
    content = {"sites": [site], "addresses": ["::1"], "siblings": [], "log_size": 1, "log_keep": 1}
    one.write(caddy.render({**content, "certificates": certificates}))
    return one


def served(place: Path, one: Caddy, until: str = "") -> list[str]:
    """Start it twice; return what a client that trusts the root got each time. The log has to say ``until`` at last."""
    bodies = []
    for number in range(2):
        one.run()
        try:
            bodies.append(Client(place / "jar", one, place / "pki").get(f"https://{NAME}/").body)
            deadline = time.monotonic() + 20
            while number and until not in one.log():
                assert time.monotonic() < deadline, one.log()[-3000:]
                time.sleep(0.1)
        finally:
            one.stop()
    return bodies


@pytest.mark.parametrize("age", [DEAD, SIGNED[0] + DEAD])
def test_with_a_certificate_of_the_inventory(tmp_path: Path, age: int) -> None:
    chain(tmp_path / "pki", age, SIGNED[1])
    one = web(tmp_path, {"mode": "files", "directory": str(tmp_path / "pki")})
    assert served(tmp_path, one) == ["still here"] * 2


@pytest.mark.parametrize("age", [DEAD, ACME[0] + DEAD])
def test_with_one_by_acme(tmp_path: Path, age: int) -> None:
    chain(tmp_path / "pki", age, ACME[1])
    dead = ["https://localhost:1/directory", "https://localhost:2/directory"]
    roots = str(tmp_path / "pki" / "roots.pem")
    one = web(tmp_path, {"mode": "acme", "directories": dead, "roots": roots})
    # Where Caddy keeps what the first issuer gave it.
    kept = one.place / "storage" / "certificates" / "localhost-1-directory" / NAME
    kept.mkdir(parents=True)
    for given, ours in (("cert.pem", "crt"), ("key.pem", "key")):
        (kept / f"{NAME}.{ours}").write_text((tmp_path / "pki" / NAME / given).read_text())
    (kept / f"{NAME}.json").write_text(json.dumps({"sans": [NAME], "issuer_data": {}}))
    # It is due, or is not; where it is, nobody has renewed it.
    tried = "could not get certificate from issuer"
    assert served(tmp_path, one, until=tried if age > ACME[0] else "") == ["still here"] * 2
    assert (tried in one.log()) == (age > ACME[0]), one.log()[-3000:]


def test_past_its_end_it_is_refused(tmp_path: Path) -> None:
    chain(tmp_path / "pki", SIGNED[1] + 1, SIGNED[1])
    one = web(tmp_path, {"mode": "files", "directory": str(tmp_path / "pki")})
    with pytest.raises(AssertionError, match="expired"):
        served(tmp_path, one)
