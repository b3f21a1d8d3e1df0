"""What check sees of a content host: every declared site is asked there, and what is behind a bad one is named."""

from __future__ import annotations

import pytest
from content_host import SITES, Host

from altnet.content import look as directories
from altnet.host.sites import look
from altnet.services_report import services_part, sites_of


def test_every_declared_site_is_asked(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directories, "who", lambda: (0, frozenset({0})))
    content = host.content(SITES)
    wanted = sites_of({"content": content}, str(host.pki / "roots.pem"))
    assert wanted is not None
    found = look(**wanted, wait=0, ports=(host.caddy.https, host.caddy.http))
    assert set(found) == {site["name"] for site in SITES}
    assert {name: one["wrong"] for name, one in found.items() if one["wrong"]} == {"dead.alt": "answers with 502"}
    slices = {"core1": {"content": content}}
    where = next(site["where"] for site in content["sites"] if site["name"] == "dead.alt")
    part = services_part(slices, ["core1"], {}, {"core1": found})
    (fault,) = part.sites
    assert fault.startswith(
        f"host core1: {where}.to: dead.alt answers with 502: 127.0.0.1:1 does not answer: Connection refused. Remedy: "
    )
    assert part.line == f"{len(SITES) - 1} of {len(SITES)} sites answer over HTTPS on their hosts."


def test_a_directory_that_went_away(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directories, "who", lambda: (0, frozenset({0})))
    sites = [site for site in host.content(SITES)["sites"] if site["name"] == "www.alt"]
    gone = [{**site, "directory": "/srv/nothing/there"} for site in sites]
    ports = (host.caddy.https, host.caddy.http)
    (one,) = look("::1", str(host.pki / "roots.pem"), gone, 0, ports).values()
    assert one["wrong"] == ""
    assert one["cause"].startswith(f"{sites[0]['where']}.root: /srv/")


def test_a_directory_that_caddy_cannot_read(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said with host, variable and remedy; other sites are as they were."""
    monkeypatch.setattr(directories, "who", lambda: (65_534, frozenset({65_534})))
    content = host.content([site for site in SITES if site["name"] in {"notes.alt", "www.alt", "login.alt"}])
    wanted = sites_of({"content": content}, str(host.pki / "roots.pem"))
    assert wanted is not None
    where = next(site["where"] for site in content["sites"] if site["name"] == "www.alt")
    closed = host.place / "www"
    closed.chmod(0o700)
    try:
        found = look(**wanted, wait=0, ports=(host.caddy.https, host.caddy.http))
    finally:
        closed.chmod(0o755)
    part = services_part({"core1": {"content": content}}, ["core1"], {}, {"core1": found})
    assert part.sites == [
        f"host core1: {where}.root: {closed} cannot be read by caddy. Remedy: chmod o+rx {closed} (www.alt)"
    ]


def test_a_web_server_that_is_not_there(host: Host) -> None:
    sites = host.content(SITES)["sites"][:2]
    found = look("::1", str(host.pki / "roots.pem"), sites, 0, (1, 1))
    assert {one["wrong"] for one in found.values()} == {"does not answer: Connection refused"}
