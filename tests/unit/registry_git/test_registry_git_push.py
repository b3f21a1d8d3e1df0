"""A member with git: clones by a token, pushes for review, and reads what is wrong at file and line."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("uvicorn", reason="NOT TESTED HERE: no uvicorn; tested on the control node and by lab/unit-debian")

import uvicorn
from starlette.applications import Starlette

from altnet.registry.acts import domains, tokens
from altnet.registry.domain.model import Scope
from altnet.registry.faces.git import export
from altnet.registry.faces.git.pushed import judge
from altnet.registry.faces.git.routes import BACKEND, routes
from altnet.registry.storage.snapshots import PUBLIC

pytestmark = pytest.mark.skipif(not Path(BACKEND).exists(), reason="NOT TESTED HERE: no git-http-backend; CI has it")
HOOK = Path(__file__).with_name("hook.py")


@pytest.fixture
def url(desk, repository):
    repository.prepare([sys.executable, str(HOOK), str(desk.store.engine.url)])
    export_all(desk, repository)
    world = SimpleNamespace(
        desk=desk, settings=SimpleNamespace(git=SimpleNamespace(place=str(repository.place.parent)))
    )
    with socket.create_server(("127.0.0.1", 0)) as place:
        config = uvicorn.Config(Starlette(routes=routes(world)), log_level="error", lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [place]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"127.0.0.1:{place.getsockname()[1]}/registry.git"
        server.should_exit = True
        thread.join(10)


def export_all(desk, repository) -> None:
    while export.turn(desk, repository, PUBLIC):
        pass


class Member:
    """Somebody's working copy."""

    def __init__(self, place: Path, url: str, desk, actor, **scope) -> None:
        _, secret = tokens.make(desk, actor, "laptop", Scope(**scope))
        self.place, self.secret = place, secret
        self.git("clone", "-q", f"http://{actor.uid}:{secret}@{url}", str(place), here=False)

    def git(self, *argv: str, here: bool = True, check: bool = True, **env: str) -> subprocess.CompletedProcess[str]:
        where = ["-C", str(self.place), "-c", "user.name=x", "-c", "user.email=x@example.alt"] if here else []
        environment = {"PATH": "/usr/bin:/bin", "GIT_TERMINAL_PROMPT": "0", "HOME": "/nonexistent", **env}
        done = subprocess.run(
            ["git", *where, *argv], capture_output=True, text=True, env=environment, timeout=60, check=False
        )
        assert not check or done.returncode == 0, done.stderr
        return done

    def write(self, path: str, text: str) -> None:
        (self.place / path).parent.mkdir(parents=True, exist_ok=True)
        (self.place / path).write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "change")

    def push(self, to: str = "refs/for/main", check: bool = True) -> str:
        done = self.git("push", "origin", f"HEAD:{to}", check=False)
        assert (done.returncode == 0) is check, done.stderr
        return done.stderr


def test_a_name_is_registered_by_push(url, desk, actor, repository, tmp_path) -> None:
    ada = Member(tmp_path / "ada", url, desk, actor("ada"))
    ada.write("domains/alt.garden", "domain: garden.alt.\nrecord: www 300 AAAA fd12::1\n")
    assert "garden.alt. is registered" in ada.push()
    zone = domains.get(desk, actor("ada"), "garden")
    assert (zone.domain.holder, zone.rrsets[0].records) == ("ada", ("fd12::1",))
    export_all(desk, repository)
    ada.git("fetch", "-q", "origin")
    assert "ada domain.register: garden.alt." in ada.git("log", "-1", "--format=%an %s", "origin/main").stdout
    assert "refs/for" not in ada.git("ls-remote").stdout


def test_what_is_wrong_is_said_at_file_and_line(url, desk, actor, tmp_path) -> None:
    ada = Member(tmp_path / "ada", url, desk, actor("ada"))
    ada.write("domains/alt.garden", "domain: garden.alt.\nrecord: @ 300 AAAA fd12::1\nrecord: www 300 AAAA 12\n")
    said = ada.push(check=False)
    assert "remote: domains/alt.garden:3: '12' is no AAAA record's value" in said
    assert "Nothing was changed: 1 to mend" in said
    assert domains.check(desk, actor("ada"), "garden")[1] == "available"


def test_nothing_but_reviews_is_pushed(url, desk, actor, repository, tmp_path) -> None:
    ada = Member(tmp_path / "ada", url, desk, actor("ada"))
    head = repository.head()
    ada.write("domains/alt.garden", "domain: garden.alt.\n")
    for ref in ("main", "refs/heads/other", "refs/tags/v1", "refs/for/other"):
        ada.push(ref, check=False)
    for refs in (("HEAD:refs/for/main", "HEAD:refs/heads/x"), (":refs/for/main",)):
        assert ada.git("push", "origin", *refs, check=False).returncode != 0
    assert repository.head() == head
    assert domains.check(desk, actor("ada"), "garden")[1] == "available"


def test_a_token_does_what_its_scope_says(url, desk, actor, tmp_path) -> None:
    reader = Member(tmp_path / "reader", url, desk, actor("ada"), verbs=("read",))
    reader.write("domains/alt.garden", "domain: garden.alt.\n")
    assert "403" in reader.push(check=False)
    other = Member(tmp_path / "other", url, desk, actor("ada"), names=("shed.alt.",))
    other.write("domains/alt.garden", "domain: garden.alt.\n")
    assert "Nothing was changed" in other.push(check=False)


def test_without_a_token_there_is_nothing(url, tmp_path) -> None:
    done = subprocess.run(
        ["git", "ls-remote", f"http://{url}"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"PATH": "/usr/bin", "GIT_TERMINAL_PROMPT": "0"},
    )
    assert done.returncode != 0
    assert "could not read Username" in done.stderr


class Judged:
    """Somebody's commits, brought into the repository as a push would, and judged in this process."""

    def __init__(self, desk, actor, repository, place: Path, capsys) -> None:
        self.desk, self.actor, self.repository, self.place, self.capsys = desk, actor, repository, place, capsys
        export_all(desk, repository)
        subprocess.run(["git", "clone", "-q", repository.place, place], check=True)

    def git(self, *argv: str, text: str = "") -> str:
        order = ["git", "-C", self.place, "-c", "user.name=x", "-c", "user.email=x@example.alt", *argv]
        return subprocess.run(order, check=True, capture_output=True, input=text, text=True).stdout.strip()

    def __call__(self, new: str = "HEAD") -> str:
        commit = self.git("rev-parse", new)
        # Only what HEAD leads to is brought, as only that could be pushed.
        self.repository.run("fetch", "-q", str(self.place), "HEAD")
        self.capsys.readouterr()
        assert judge(self.desk, self.repository, self.actor, commit) == 1
        return self.capsys.readouterr().err

    def commit(self, **files: str) -> None:
        self.git("reset", "-q", "--hard", "origin/main")
        for path, text in files.items():
            (self.place / path).parent.mkdir(exist_ok=True)
            (self.place / path).write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "change")


@pytest.fixture
def judged(desk, actor, repository, tmp_path, capsys) -> Judged:
    return Judged(desk, actor("ada"), repository, tmp_path / "copy", capsys)


def test_links_and_odd_names_are_refused(judged) -> None:
    judged.commit()
    (judged.place / "domains").mkdir()
    (judged.place / "domains" / "alt.x").symlink_to("/etc/passwd")
    judged.git("add", "-A")
    judged.git("commit", "-q", "-m", "link")
    assert "domains/alt.x: This is no plain file" in judged()
    for path in ("domains/alt.gärten", "domains/alt.a\nb", "domains/\x1b[31m"):
        judged.commit(**{path: "domain: garden.alt.\n"})
        said = judged()
        assert "No file has such a name" in said
        assert said.isascii()
        assert "\x1b" not in said
    judged.commit(**{"accounts/ben": "account: ben\nstate: locked\ncreated: 2026-01-01T00:00:00Z\n"})
    assert "accounts/ben: This file is the registry's own" in judged()
    judged.commit(registry="tld: alt\n")
    assert "registry: This file is the registry's own" in judged()
    judged.commit(**{"domains/alt.garden": "x" * 2_000_001})
    assert "domains/alt.garden: This is no text that can be read" in judged()
    judged.commit(**{f"domains/alt.n{n}": f"domain: n{n}.alt.\n" for n in range(501)})
    assert "These are 501 files" in judged()


def test_other_histories_and_other_things_are_refused(judged, repository) -> None:
    judged.commit()
    commit = judged.git("rev-parse", "HEAD")
    judged.git("update-index", "--add", "--cacheinfo", f"160000,{commit},domains/alt.sub")
    judged.git("commit", "-q", "-m", "a module")
    assert "domains/alt.sub: This is no plain file" in judged()
    for other in ("HEAD^{tree}", "HEAD:registry"):
        assert "This is no copy of the repository" in judged(other)
    assert judge(judged.desk, repository, judged.actor, "0" * 40) == 1
    judged.git("checkout", "-q", "--orphan", "other")
    judged.git("commit", "-q", "-m", "from nothing")
    assert "This is no copy of the repository" in judged()


def test_nothing_that_is_pushed_moves_a_terminal(judged) -> None:
    judged.commit(**{"domains/alt.garden": "domain: garden.alt.\nholder: \x1b[31mada\u202e\n"})
    said = judged()
    assert said.startswith("domains/alt.garden:2: You are ada, and this would be")
    assert "\x1b" not in said
    assert "\u202e" not in said


def stored(repository) -> set[str]:
    """Return all objects of the repository, whether anything leads to them or not."""
    said = repository.run("cat-file", "--batch-all-objects", "--batch-check=%(objectname)")
    return set(said.decode().split())


def test_of_a_push_that_is_refused_nothing_stays(url, desk, actor, repository, tmp_path) -> None:
    ada = Member(tmp_path / "ada", url, desk, actor("ada"))
    before = stored(repository)
    (ada.place / "junk").write_bytes(os.urandom(1_000_000))
    ada.git("add", "-A")
    ada.git("commit", "-q", "-m", "junk")
    assert "junk: This" in ada.push(check=False)
    assert stored(repository) == before
    (ada.place / "junk").write_bytes(os.urandom(3_000_000))
    ada.git("add", "-A")
    ada.git("commit", "-q", "-m", "more")
    ada.push(check=False)
    assert stored(repository) == before


def test_what_a_push_left_is_removed(url, desk, actor, repository, tmp_path) -> None:
    """Junk in the history of a push that is good at its end goes, and what the export wrote stays."""
    ada = Member(tmp_path / "ada", url, desk, actor("ada"))
    (ada.place / "junk").write_bytes(os.urandom(100_000))
    ada.git("add", "-A")
    ada.git("commit", "-q", "-m", "junk")
    junk = ada.git("rev-parse", "HEAD:junk").stdout.strip()
    ada.git("rm", "-q", "junk")
    ada.write("domains/alt.garden", "domain: garden.alt.\n")
    ada.push()
    export_all(desk, repository)
    head = repository.head()
    repository.tidy()
    assert junk in stored(repository)  # for some minutes: another push may just be using it
    for path in repository.place.rglob("objects/??/*"):
        os.utime(path, (0, 0))
    repository.tidy()
    assert junk not in stored(repository)
    assert repository.head() == head
    repository.run("fsck", "--strict")


def test_a_push_that_is_killed_is_pushed_again(url, desk, actor, repository, tmp_path) -> None:
    ada = Member(tmp_path / "ada", url, desk, actor("ada"))
    ada.write("domains/alt.garden", "domain: garden.alt.\n")
    hook = repository.place / "hooks" / "pre-receive"
    whole = hook.read_text()
    hook.write_text(whole.replace("exec ", "KILLED=1 exec "))
    ada.push(check=False)
    assert domains.check(desk, actor("ada"), "garden")[1] == "available"
    hook.write_text(whole)
    assert "garden.alt. is registered" in ada.push()
    # Once more, as somebody does whose answer was lost: it is said that it is there, and nothing is done twice.
    assert "Somebody has this already" in ada.push(check=False)
