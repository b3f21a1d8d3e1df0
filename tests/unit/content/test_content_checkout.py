"""A site from a repository: real git, nothing else."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from altnet.content import checkout
from altnet.content.checkout import CheckoutError


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    place = tmp_path / "repository"
    place.mkdir()
    run(place, "init", "--quiet", "--initial-branch=main")
    commit(place, "one")
    return place


def run(place: Path, *words: str) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.net", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, "-C", str(place), *words], check=True, capture_output=True)


def commit(place: Path, text: str) -> None:
    (place / "index.html").write_text(text)
    run(place, "add", "-A")
    run(place, "commit", "--quiet", "-m", text)


def test_it_follows(tmp_path: Path, repository: Path) -> None:
    place = tmp_path / "site"
    first = checkout.checkout(place, str(repository), "")
    assert (place / "current/index.html").read_text() == "one"
    assert not (place / "current/.git").exists()
    assert checkout.checkout(place, str(repository), "") == first
    for text in ("two", "three", "four"):
        commit(repository, text)
        checkout.checkout(place, str(repository), "main")
        assert (place / "current/index.html").read_text() == text
    assert len(list(place.glob("at-*"))) == checkout.KEPT


def test_a_repository_that_is_gone_leaves_the_site_as_it_was(tmp_path: Path, repository: Path) -> None:
    place = tmp_path / "site"
    checkout.checkout(place, str(repository), "")
    repository.rename(tmp_path / "gone")
    with pytest.raises(CheckoutError):
        checkout.checkout(place, str(repository), "")
    assert (place / "current/index.html").read_text() == "one"


def test_a_link_does_not_lead_out(tmp_path: Path, repository: Path) -> None:
    (tmp_path / "key.pem").write_text("secret")
    (repository / "key").symlink_to(tmp_path / "key.pem")
    commit(repository, "with a link")
    checkout.checkout(tmp_path / "site", str(repository), "")
    leaked = tmp_path / "site/current/key"
    assert not leaked.is_symlink()
    assert leaked.read_text() == str(tmp_path / "key.pem")


def test_a_version_that_is_not_there(tmp_path: Path, repository: Path) -> None:
    with pytest.raises(CheckoutError):
        checkout.checkout(tmp_path / "site", str(repository), "nothing")
    assert not (tmp_path / "site/current").exists()


def test_one_that_fails_does_not_stop_the_others(
    tmp_path: Path, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sites = [
        {"name": "bad.alt", "repository": str(tmp_path / "none"), "version": ""},
        {"name": "good.alt", "repository": str(repository), "version": "main"},
    ]
    file = tmp_path / "checkout.json"
    file.write_text(json.dumps({"place": str(tmp_path / "sites"), "sites": sites}))
    assert checkout.main([str(file)]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("good.alt: at ")
    assert err.startswith("bad.alt: stays as it was: ")
