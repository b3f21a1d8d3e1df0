"""Real git clones and pushes, through a web server's TLS, with accounts of a real slapd."""

from __future__ import annotations

import grp
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from directory_servers import BASE, PATH, READER, Provider, account, group, password, person, signer
from tests.certificates import Authority
from tests.daemons import free_port, until

from altnet.git import asking

ROOT = Path(__file__).parents[3]
SECRET = "correct horse battery"
REPOSITORIES = [
    {"name": "garden", "description": "Plans", "read": ["members"], "write": ["registrars"]},
    {"name": "open", "description": "For all", "public": True, "write": ["members"]},
]


def missing() -> list[str]:
    names = ("git", "caddy", "slapd", "slapadd", "curl")
    found = [name for name in names if shutil.which(name, path=PATH) is None]
    found += [one for one in ("/usr/lib/cgit/cgit.cgi", "/usr/lib/git-core/git-http-backend") if not Path(one).exists()]
    try:
        import ldap3  # noqa: F401, PLC0415
        import starlette  # noqa: F401, PLC0415
        import uvicorn  # noqa: F401, PLC0415
    except ImportError as error:
        found.append(str(error.name))
    return found


pytestmark = [
    pytest.mark.xdist_group("directory-real"),
    pytest.mark.skipif(bool(missing()), reason=f"not installed: {missing()}; lab/unit-debian has it and runs this"),
]


class Site:
    """The service behind a Caddy with TLS, as a site of kind proxy is."""

    def __init__(self, place: Path, provider: Provider) -> None:
        self.place, self.provider, self.port = place, provider, free_port()
        self.processes: list[subprocess.Popen[bytes]] = []
        Authority(place, signer()).issue("localhost", directory=place)
        (place / "repositories").mkdir()
        (place / "state").mkdir()

    def start(self) -> None:
        place = self.place
        uri = f"ldaps://localhost:{self.provider.port}"
        directory = {"uris": [uri], "base": BASE, "bind_dn": READER, "roots": str(place / "roots.pem")}
        settings = {
            "repositories": REPOSITORIES, "place": str(place / "repositories"), "pages": str(place / "cgitrc"),
            "directory": directory, "recheck": 0, "failures_user": 4,
        }  # fmt: skip
        (place / "settings.json").write_text(json.dumps(settings))
        (place / "secrets.json").write_text(json.dumps({"bind_password": password("reader")}))
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "HOME": str(place)}
        argv = [sys.executable, "-m", "altnet.git.prepare", str(place / "settings.json")]
        for _ in range(2):
            subprocess.run(argv, check=True, env=environment)
        names = [str(place / name) for name in ("settings.json", "secrets.json", "state", "socket")]
        self.run([sys.executable, "-m", "altnet.git", *names, grp.getgrgid(0).gr_name], environment)
        until((place / "socket").exists, 20, self.log)
        listen = {
            "listen": [f"127.0.0.1:{self.port}"], "automatic_https": {"disable": True},
            "tls_connection_policies": [{}],
            "routes": [{"handle": [{"handler": "reverse_proxy", "upstreams": [{"dial": f"unix/{place}/socket"}]}]}],
        }  # fmt: skip
        files = [{"certificate": str(place / "cert.pem"), "key": str(place / "key.pem")}]
        config = {
            "admin": {"disabled": True},
            "apps": {"http": {"servers": {"a": listen}}, "tls": {"certificates": {"load_files": files}}},
        }
        (place / "caddy.json").write_text(json.dumps(config))
        self.run(["caddy", "run", "--config", str(place / "caddy.json")], environment)
        until(lambda: self.curl("/")[0] == "200", 20, lambda: f"{self.curl('/')}{self.log()}")

    def run(self, argv: list[str], environment: dict[str, str]) -> None:
        with (self.place / "log").open("ab") as log:
            program = shutil.which(argv[0], path=PATH)
            assert program is not None
            argv = [program, *argv[1:]]
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
            self.processes.append(process)

    def stop(self) -> None:
        for process in self.processes:
            process.terminate()
            process.wait(timeout=20)

    def log(self) -> str:
        return (self.place / "log").read_text(errors="replace")[-4000:]

    def curl(self, path: str, *options: str) -> tuple[str, str]:
        url = f"https://localhost:{self.port}{path}"
        argv = ["curl", "-s", "--cacert", str(self.place / "roots.pem"), "-w", "\n%{http_code}", *options, url]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        body, _, status = done.stdout.rpartition("\n")
        return status, body

    def git(self, *argv: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": PATH, "HOME": str(self.place), "GIT_SSL_CAINFO": str(self.place / "roots.pem"),
            "GIT_TERMINAL_PROMPT": "0", "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@a", "GIT_COMMITTER_NAME": "a",
            "GIT_COMMITTER_EMAIL": "a@a", "LC_ALL": "C",
        }  # fmt: skip
        return subprocess.run(
            ["git", *argv],
            capture_output=True,
            text=True,
            check=False,
            env=environment,
            cwd=cwd or self.place,
            timeout=60,
        )

    def url(self, name: str, uid: str = "", secret: str = SECRET) -> str:
        who = f"{uid}:{quote(secret)}@" if uid else ""
        return f"https://{who}localhost:{self.port}/{name}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    provider = Provider(tmp_path_factory.mktemp("git") / "one", 1)
    place = Path(tempfile.mkdtemp(prefix="git-"))
    one = Site(place, provider)
    try:
        provider.start()
        for uid in ("ada", "bob", "eve"):
            provider.modify(account(uid, f"{uid}@example.alt", f"userPassword: {SECRET}\n"))
        for name, uid in (("members", "ada"), ("members", "bob"), ("registrars", "ada")):
            provider.modify(f"dn: {group(name)}\nchangetype: modify\nadd: member\nmember: {person(uid)}\n")
        one.start()
        yield one
    finally:
        one.stop()
        provider.kill()
        shutil.rmtree(place, ignore_errors=True)


def commit(site: Site, tmp_path: Path, text: str, size: int = 0) -> Path:
    work = tmp_path / "work"
    work.mkdir()
    assert site.git("init", "-q", "-b", "main", cwd=work).returncode == 0
    (work / "plan").write_text(text)
    (work / "large").write_bytes(os.urandom(size))
    site.git("add", "-A", cwd=work)
    done = site.git("commit", "-q", "-m", text, cwd=work)
    assert done.returncode == 0, done.stderr
    return work


def test_asking(site: Site) -> None:
    assert not asking.ask(str(site.place / "socket"))
    assert "No such file" in asking.ask(str(site.place / "nothing"))


def test_pushed_and_cloned(site: Site, tmp_path: Path) -> None:
    # More than what git sends in one piece, so that it comes in chunks.
    work = commit(site, tmp_path, "carrots", 5_000_000)
    pushed = site.git("push", "-q", site.url("garden", "ada"), "main", cwd=work)
    assert pushed.returncode == 0, pushed.stderr + site.log()
    cloned = site.git("clone", "-q", site.url("garden.git", "bob"), str(tmp_path / "copy"))
    assert cloned.returncode == 0, cloned.stderr + site.log()
    assert (tmp_path / "copy/plan").read_text() == "carrots"
    assert (tmp_path / "copy/large").read_bytes() == (work / "large").read_bytes()


def test_who_may_read_may_not_write(site: Site, tmp_path: Path) -> None:
    work = commit(site, tmp_path, "weeds")
    done = site.git("push", "-q", site.url("garden", "bob"), "main:weeds", cwd=work)
    assert done.returncode != 0
    assert "403" in done.stderr


@pytest.mark.parametrize(
    ("uid", "secret", "said"),
    [("eve", SECRET, "not found"), ("bob", "wrong", "Authentication failed"), ("", "", "could not read Username")],
)
def test_nobody_else_reads(site: Site, uid: str, secret: str, said: str) -> None:
    done = site.git("ls-remote", site.url("garden", uid, secret))
    assert done.returncode != 0
    assert said in done.stderr
    # Nothing says whether there is such a repository.
    other = site.git("ls-remote", site.url("nothing", uid, secret))
    assert other.stderr.replace("nothing", "garden") == done.stderr


def test_what_is_public(site: Site, tmp_path: Path) -> None:
    work = commit(site, tmp_path, "for all")
    assert site.git("push", "-q", site.url("open"), "main", cwd=work).returncode != 0
    done = site.git("push", "-q", site.url("open", "bob"), "main", cwd=work)
    assert done.returncode == 0, done.stderr
    assert site.git("clone", "-q", site.url("open"), str(tmp_path / "copy")).returncode == 0
    status, page = site.curl("/open/tree/plan")
    assert (status, "for all" in page) == ("200", True)
    status, page = site.curl("/")
    assert ("open" in page, "garden" in page) == (True, False)
    assert site.curl("/garden/")[0] == "404"


def test_files_are_not_given_by_their_names(site: Site) -> None:
    for path in ("/garden.git/HEAD", "/garden/objects/info/packs", "/garden.git/config", "/open.git/config"):
        status, body = site.curl(path)
        assert status in {"401", "403", "404"}, path
        assert "[core]" not in body
    assert site.curl("/garden/info/refs")[0] == "403"


def test_a_membership_ends(site: Site) -> None:
    change = f"dn: {group('members')}\nchangetype: modify\n%s: member\nmember: {person('bob')}\n"
    site.provider.modify(change % "delete")
    assert "not found" in site.git("ls-remote", site.url("garden", "bob")).stderr
    site.provider.modify(change % "add")
    assert site.git("ls-remote", site.url("garden", "bob")).returncode == 0


def test_guesses_are_counted(site: Site) -> None:
    path = "/garden/info/refs?service=git-upload-pack"
    found = [site.curl(path, "-u", f"eve:guess{number}")[0] for number in range(6)]
    assert found == ["401"] * 4 + ["429"] * 2
    assert site.curl(path, "-u", f"eve:{SECRET}")[0] == "429"


def test_no_password_is_written_down(site: Site) -> None:
    site.git("ls-remote", site.url("garden", "ada"))
    for path in site.place.rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path
