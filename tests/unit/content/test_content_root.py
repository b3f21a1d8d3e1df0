"""Where members get the network's root."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from test_content_start import Page

from altnet.content import root, start
from altnet.pki import pem
from altnet.pki.authority import make_root
from altnet.pki.scope import Scope

SCOPE = Scope(("alt", "neo"), "fd12:3456:789a::/48")
NOW = datetime(2026, 11, 27, tzinfo=UTC)


def roots(number: int) -> list[Any]:
    return [make_root(SCOPE, pem.new_key(), NOW) for _ in range(number)]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "site").mkdir()
    return tmp_path / "site"


def settings(place: Path) -> dict[str, Any]:
    return {"name": "start.neo", "roots": str(place.parent / "roots.pem")}


def keep(place: Path, *certificates: Any) -> set[str]:
    (place.parent / "roots.pem").write_text(pem.text(*certificates))
    start.keep_root(settings(place), place)
    return {path.name for path in place.iterdir()}


def test_the_file_is_the_root_and_the_page_tells_its_fingerprint(place: Path) -> None:
    (one,) = roots(1)
    short = pem.fingerprint(one).replace(":", "").lower()[:8]
    assert keep(place, one) == {"root.pem", "root.html", f"root-{short}.crt"}
    assert (place / "root.pem").read_text() == (place / f"root-{short}.crt").read_text() == pem.text(one)
    text = (place / "root.html").read_text()
    page = Page(text)
    assert page.open == []
    assert page.all("script") == page.all("img") == page.all("link") == []
    assert pem.fingerprint(one) in page.words
    assert "_root.net.neo TXT" in page.words
    assert [link["href"] for link in page.all("a")] == ["#content", f"/root-{short}.crt", "/root.pem", "/"]
    assert {section["aria-labelledby"] for section in page.all("section")} == {h["id"] for h in page.all("h2")}


@pytest.mark.skipif(shutil.which("openssl") is None, reason="NOT TESTED HERE: no openssl; lab/unit-debian has it")
def test_the_page_tells_what_the_root_may_sign_for(place: Path) -> None:
    keep(place, *roots(1))
    text = (place / "root.html").read_text()
    for words in ("X509v3 Name Constraints: critical", "DNS:alt", "DNS:neo", "notAfter=Nov 22 00:00:00 2046 GMT"):
        assert words in text


def test_without_openssl_the_rest_is_there(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: Any, **__: Any) -> None:
        raise FileNotFoundError

    monkeypatch.setattr(subprocess, "run", missing)
    (one,) = roots(1)
    keep(place, one)
    text = (place / "root.html").read_text()
    assert pem.fingerprint(one) in text
    assert "What it says of itself" not in text


def test_while_the_root_is_replaced_there_are_two_and_then_one(place: Path) -> None:
    old, new = roots(2)
    assert len(keep(place, old, new)) == 4
    assert len(re.findall("BEGIN CERTIFICATE", (place / "root.pem").read_text())) == 2
    assert len(Page((place / "root.html").read_text()).all("section")) == 2
    (single,) = keep(place, new) - {"root.pem", "root.html"}
    assert (place / single).read_text() == (place / "root.pem").read_text() == pem.text(new)


def test_nothing_is_written_twice(place: Path) -> None:
    keep(place, *roots(1))
    before = {path: path.stat().st_mtime_ns for path in place.iterdir()}
    start.keep_root(settings(place), place)
    assert {path: path.stat().st_mtime_ns for path in place.iterdir()} == before


@pytest.mark.parametrize("text", ["", "nonsense\n"])
def test_no_root_yet(place: Path, text: str) -> None:
    (place.parent / "roots.pem").write_text(text)
    start.keep_root(settings(place), place)
    assert list(place.iterdir()) == []


def test_one_that_cannot_be_read_is_told(place: Path, caplog: pytest.LogCaptureFixture) -> None:
    start.keep_root(settings(place), place)
    assert "roots.pem cannot be read: No such file" in caplog.text


def test_the_fingerprint_is_the_one_that_names_tell(place: Path) -> None:
    (one,) = roots(1)
    assert root.fingerprint(pem.text(one)) == pem.fingerprint(one)
