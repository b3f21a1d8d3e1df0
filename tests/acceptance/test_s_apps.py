"""Apps: members talk to each other and share repositories, with the password that opens sites; nobody else does."""

from __future__ import annotations

import json
import secrets
import shlex
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml

from . import lab, names, web

CHAT, GIT = "nyc", "fra"
UNITS = {CHAT: ("prosody",), GIT: ("altnet-git",)}
#: Logs people in, each by SRV records alone; if all are in, the first greets the second, and both meet in a room.
TALK = """
import asyncio, json, sys, time
import slixmpp

class Client(slixmpp.ClientXMPP):
    def __init__(self, uid, password, direct):
        super().__init__(f"{uid}@chat.alt/test", password)
        self.enable_direct_tls, self.enable_starttls, self.enable_plaintext = direct, not direct, False
        self.state = asyncio.get_running_loop().create_future()
        self.heard, self.joined = asyncio.Queue(), asyncio.Event()
        self.add_event_handler("session_start", self.began)
        self.add_event_handler("failed_all_auth", lambda _: self.settle("refused"))
        # A room's subject is the last that somebody gets who comes in.
        self.add_event_handler("groupchat_subject", lambda _: self.joined.set())
        self.add_event_handler("message", self.hear)
        self.register_plugin("xep_0045")
        self.register_plugin("xep_0313")

    def hear(self, message):
        if message["body"]:
            self.heard.put_nowait([str(message["from"]), message["body"]])

    def settle(self, what):
        if not self.state.done():
            self.state.set_result(what)

    async def began(self, _):
        self.send_presence()
        await self.get_roster()
        self.settle("in")

    async def enter(self):
        begun = time.monotonic()
        self.connect()
        try:
            return [await asyncio.wait_for(self.state, 20), time.monotonic() - begun]
        except TimeoutError:
            return ["nothing", time.monotonic() - begun]

async def main():
    people, words = json.loads(sys.argv[1]), sys.argv[2]
    clients = [Client(*one) for one in people]
    said = {"logins": [await one.enter() for one in clients], "heard": [], "archive": []}
    if len(clients) == 2 and all(state == "in" for state, _ in said["logins"]):
        first, second = clients
        begun = time.monotonic()
        first.send_message(second.boundjid.bare, words)
        said["heard"].append(await asyncio.wait_for(second.heard.get(), 10))
        said["seconds"] = time.monotonic() - begun
        for one, nick in zip(clients, ("first", "second")):
            one.plugin["xep_0045"].join_muc("garden@rooms.chat.alt", nick)
            await asyncio.wait_for(one.joined.wait(), 10)
        second.send_message("garden@rooms.chat.alt", words, mtype="groupchat")
        while (got := await asyncio.wait_for(first.heard.get(), 10))[1] != words:
            pass
        said["heard"].append(got)
    elif len(clients) == 1 and said["logins"][0][0] == "in":
        async for entry in clients[0].plugin["xep_0313"].iterate():
            said["archive"].append(entry["mam_result"]["forwarded"]["stanza"]["body"])
    for one in clients:
        one.abort()
    print(json.dumps(said))

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def passwords() -> dict[str, str]:
    """Everybody's password, once both providers have it."""
    given = {uid: web.give_password(uid) for uid in ("ada", "bob", "eve")}
    for uid, password in given.items():
        for provider in web.PROVIDERS:
            begun = time.monotonic()
            while f"uid: {uid}" not in (said := web.search(provider, uid, password, f"uid={uid}")):
                assert time.monotonic() - begun < 10, said
                time.sleep(0.2)
    return given


@pytest.fixture(scope="module")
def place() -> Iterator[str]:
    """A member's own directory."""
    one = f"/run/altnet-test-{secrets.token_hex(4)}"
    lab.ssh(web.CLIENT, f"mkdir {one}")
    yield one
    lab.ssh(web.CLIENT, f"rm -rf {one}")


@pytest.fixture
def browser() -> Iterator[web.Browser]:
    one = web.Browser()
    yield one
    one.close()


def talk(*people: tuple[str, str, bool], words: str = "hello") -> dict[str, Any]:
    """Log people in from a member's machine: uid, password, and whether TLS comes first or is begun later."""
    process = names.begun(web.CLIENT, TALK, json.dumps(people), words)
    lines = names.ended(process, 120).splitlines()
    assert lines, "the client ended without a word"
    said: dict[str, Any] = json.loads(lines[-1])
    return said


def states(said: dict[str, Any]) -> list[str]:
    return [state for state, _ in said["logins"]]


def git(place: str, *words: str) -> tuple[int, str]:
    """Run git as a member does, with nothing set up but the machine's trust store; return its status and words."""
    own = f"cd {place} && export HOME={place} LC_ALL=C GIT_TERMINAL_PROMPT=0 GIT_CONFIG_NOSYSTEM=1"
    who = "-c user.name=Somebody -c user.email=somebody@example.alt -c init.defaultBranch=main"
    text = lab.ssh(web.CLIENT, f"{own}; git {who} {shlex.join(words)} 2>&1; echo $?", timeout=120)
    said, _, code = text.rstrip().rpartition("\n")
    return int(code), said


def url(name: str, uid: str = "", password: str = "") -> str:
    return f"https://{f'{uid}:{quote(password)}@' if uid else ''}git.alt/{name}"


def commit(place: str, work: str, size: int = 1000) -> str:
    """Make a repository with a file of so many bytes; return the file's digest."""
    assert git(place, "init", "-q", work)[0] == 0
    digest = lab.ssh(web.CLIENT, f"cd {place}/{work} && head -c {size} /dev/urandom >plan && sha256sum <plan")
    assert git(place, "-C", work, "add", "plan")[0] == 0
    code, said = git(place, "-C", work, "commit", "-q", "-m", "what we do")
    assert code == 0, said
    return digest


def test_what_they_are_made_of_runs() -> None:
    figures = []
    for host, units in UNITS.items():
        for unit in units:
            assert lab.ssh(host, f"systemctl is-active {unit}", check=False).strip() == "active"
            own = f"awk '/^VmRSS/ {{print int($2 / 1024)}}' /proc/$(systemctl show -P MainPID {unit})/status"
            figures.append(f"{unit} on {host}: {lab.ssh(host, own).strip()} MB")
    lab.show("resident memory of each app's main process\n" + "\n".join(figures))


def test_clients_find_chat_by_signed_records() -> None:
    for service, port in (("xmpp-client", 5222), ("xmpps-client", 5223)):
        text = names.dig(web.CLIENT, "+dnssec", f"_{service}._tcp.chat.alt", "SRV")
        assert names.status(text) == "NOERROR AD", text
        assert f"0 5 {port} {CHAT}.net.alt." in text


def test_two_members_talk(passwords: dict[str, str]) -> None:
    """One begins with TLS, the other begins TLS later; in private, and in a room."""
    words = f"hello {secrets.token_hex(4)}"
    said = talk(("ada", passwords["ada"], True), ("bob", passwords["bob"], False), words=words)
    assert states(said) == ["in", "in"], said
    assert said["heard"] == [["ada@chat.alt/test", words], ["garden@rooms.chat.alt/second", words]]
    seconds = [seconds for _, seconds in said["logins"]]
    lab.show(
        f"from {web.CLIENT}: logged in after {seconds[0]:.2f} s with TLS first, after {seconds[1]:.2f} s with STARTTLS; "
        f"a message was there after {said['seconds']:.3f} s"
    )


@pytest.mark.parametrize("direct", [True, False])
def test_nobody_else_gets_into_chat(direct: bool, passwords: dict[str, str]) -> None:
    assert states(talk(("bob", "not his password", direct))) == ["refused"]
    assert states(talk(("eve", passwords["eve"], direct))) == ["refused"], "eve is no member"
    assert states(talk(("bob", passwords["bob"], direct))) == ["in"]


def test_chat_comes_back_by_itself(passwords: dict[str, str]) -> None:
    lab.ssh(CHAT, "systemctl kill -s KILL prosody")
    begun = time.monotonic()
    while states(talk(("bob", passwords["bob"], True))) != ["in"]:
        assert time.monotonic() - begun < 30, lab.ssh(CHAT, "systemctl status prosody", check=False)
    lab.show(f"prosody killed: somebody was in again after {time.monotonic() - begun:.1f} s")


@pytest.fixture(scope="module")
def garden(place: str, passwords: dict[str, str]) -> str:
    """The digest of the file in the private repository; ada has pushed it."""
    digest = commit(place, "garden", 5_000_000)
    begun = time.monotonic()
    code, said = git(place, "-C", "garden", "push", "-q", "--force", url("garden", "ada", passwords["ada"]), "main")
    assert code == 0, said
    lab.show(f"5 MB pushed from {web.CLIENT} in {time.monotonic() - begun:.1f} s")
    return digest


def test_pushed_by_one_and_cloned_by_another(place: str, garden: str, passwords: dict[str, str]) -> None:
    begun = time.monotonic()
    code, said = git(place, "clone", "-q", url("garden.git", "bob", passwords["bob"]), "copy")
    assert code == 0, said
    lab.show(f"the same cloned in {time.monotonic() - begun:.1f} s")
    assert lab.ssh(web.CLIENT, f"sha256sum <{place}/copy/plan") == garden


@pytest.mark.usefixtures("garden")
def test_a_push_without_the_right(place: str, passwords: dict[str, str]) -> None:
    """Bob may read this one, and write others."""
    code, said = git(place, "-C", "garden", "push", "-q", url("garden", "bob", passwords["bob"]), "main:weeds")
    assert code != 0
    assert "403" in said, said
    code, said = git(place, "ls-remote", url("garden", "ada", passwords["ada"]))
    assert code == 0
    assert "weeds" not in said


def test_what_is_private_is_not_even_there(place: str, passwords: dict[str, str]) -> None:
    for uid, password, expected in (
        ("", "", "could not read Username"),
        ("bob", "not his password", "Authentication failed"),
        ("eve", passwords["eve"], "not found"),
    ):
        code, said = git(place, "clone", "-q", url("garden", uid, password), "stolen")
        assert code != 0
        assert expected in said, said
        _, other = git(place, "clone", "-q", url("nothing", uid, password), "stolen")
        assert other.replace("nothing", "garden") == said


def test_what_is_public_is_everybodys(place: str, passwords: dict[str, str], browser: web.Browser) -> None:
    commit(place, "howto")
    assert git(place, "-C", "howto", "push", "-q", "--force", url("howto"), "main")[0] != 0
    code, said = git(place, "-C", "howto", "push", "-q", "--force", url("howto", "bob", passwords["bob"]), "main")
    assert code == 0, said
    code, said = git(place, "clone", "-q", url("howto"), "howto-copy")
    assert code == 0, said
    page = browser.get("https://git.alt/")
    assert page["status"] == 200, page
    assert "howto" in page["body"]
    assert "garden" not in page["body"]
    assert "what we do" in browser.get("https://git.alt/howto/log/")["body"]
    assert browser.get("https://git.alt/garden/")["status"] == 404
    assert "https://git.alt" in browser.get("https://start.alt/")["body"]


@pytest.mark.usefixtures("garden")
def test_who_is_taken_out_of_the_group_is_out(place: str, passwords: dict[str, str]) -> None:
    try:
        web.membership("bob", "members", there=False)
        begun = time.monotonic()
        while git(place, "ls-remote", url("garden", "bob", passwords["bob"]))[0] == 0:
            assert time.monotonic() - begun < 20, "bob still reads the repository"
            time.sleep(0.5)
        lab.show(f"taken out of the group: git refused after {time.monotonic() - begun:.1f} s (recheck 10 s)")
        assert states(talk(("bob", passwords["bob"], True))) == ["refused"]
    finally:
        web.membership("bob", "members", there=True)
    begun = time.monotonic()
    while git(place, "ls-remote", url("garden", "bob", passwords["bob"]))[0] != 0:
        assert time.monotonic() - begun < 20, "bob does not get back in"
        time.sleep(0.5)


@pytest.mark.usefixtures("garden")
def test_either_provider_may_be_dead(place: str, passwords: dict[str, str]) -> None:
    for provider in web.PROVIDERS:
        with names.stopped("slapd", provider):
            said = talk(("ada", passwords["ada"], True), ("bob", passwords["bob"], True))
            assert states(said) == ["in", "in"], provider
            code, text = git(place, "ls-remote", url("garden", "bob", passwords["bob"]))
            assert code == 0, f"{provider}: {text}"


def test_what_was_changed_by_hand_is_mended_by_a_run(passwords: dict[str, str]) -> None:
    lab.ssh(CHAT, 'sed -i \'s/min = "warn"/min = "debug"/\' /etc/prosody/altnet.cfg.lua')
    lab.ssh(GIT, "systemctl disable --now altnet-git")
    changed = lab.playbook("site.yml", "--tags", "apps").ok().changed
    assert {host for host, number in changed.items() if number} == {CHAT, GIT}
    assert lab.ssh(GIT, "systemctl is-active altnet-git").strip() == "active"
    assert "debug" not in lab.ssh(CHAT, "cat /etc/prosody/altnet.cfg.lua")
    assert sum(lab.playbook("site.yml", "--tags", "apps").ok().changed.values()) == 0
    assert states(talk(("bob", passwords["bob"], True))) == ["in"]


@pytest.mark.usefixtures("garden")
def test_what_a_backup_has_comes_back(tmp_path: Path, place: str, passwords: dict[str, str]) -> None:
    """Messages and repositories that were written since are gone, those from before are there."""
    before, since = (f"{word} {secrets.token_hex(4)}" for word in ("before", "since"))
    both = ("ada", passwords["ada"], True), ("bob", passwords["bob"], True)
    refs = git(place, "ls-remote", url("garden", "bob", passwords["bob"]))
    talk(*both, words=before)
    done = lab.playbook("playbooks/backup-apps.yml", "-e", f"backup_apps_to={tmp_path}").ok()
    lab.show(f"backup of both apps: {done.seconds:.1f} s")
    talk(*both, words=since)
    code, said = git(place, "-C", "garden", "push", "-q", url("garden", "ada", passwords["ada"]), "main:later")
    assert code == 0, said
    for app in ("chat", "git"):
        (file,) = tmp_path.glob(f"{app}-*.tar.gz")
        given = f"restore_app={app} restore_app_from={file} restore_app_confirm=yes"
        lab.playbook("playbooks/restore-app.yml", "-e", given).ok()
    archive = talk(("bob", passwords["bob"], True))["archive"]
    assert before in archive
    assert since not in archive
    assert git(place, "ls-remote", url("garden", "bob", passwords["bob"])) == refs
    assert sum(lab.playbook("site.yml", "--tags", "apps").ok().changed.values()) == 0


@pytest.fixture(scope="module", autouse=True)
def tidy() -> Iterator[None]:
    yield
    lab.ssh(CHAT, "rm -rf /var/lib/prosody.before-*")
    lab.ssh(GIT, "rm -rf /var/lib/private/altnet-git.before-*")


def test_a_group_of_nobody_is_refused_before_any_host_is_changed(copy: Path) -> None:
    change_groups(copy, lambda children: children["git"]["vars"]["git_repositories"][0]["read"].append("membres"))
    done = lab.playbook("site.yml", inventory=copy)
    assert done.status != 0
    told = "git_repositories[0].read[1]: membres is no group of the directory. Remedy: did you mean members"
    assert f"host {GIT}: {told}" in " ".join(done.output.split()), done.output[-3000:]
    assert sum(done.changed.values()) == 0


def change_groups(copy: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the groups of a copy of the inventory."""
    file = copy / "services.yml"
    loaded = yaml.safe_load(file.read_text())
    change(loaded["all"]["children"])
    file.write_text(yaml.safe_dump(loaded))


@pytest.mark.usefixtures("garden")
def test_a_host_that_leaves_the_groups_and_comes_back(
    copy: Path, place: str, passwords: dict[str, str], browser: web.Browser
) -> None:
    """It has nothing of the apps but their data, which serve again."""
    before = git(place, "ls-remote", url("garden", "bob", passwords["bob"]))
    words = f"remember {secrets.token_hex(4)}"
    talk(("ada", passwords["ada"], True), ("bob", passwords["bob"], True), words=words)

    change_groups(copy, lambda children: [children.pop("chat"), children.pop("git")])
    try:
        done = lab.playbook("site.yml", inventory=copy).ok()
        assert done.changed[CHAT] >= 1
        assert done.changed[GIT] >= 1
        for host, units in UNITS.items():
            for unit in units:
                assert lab.ssh(host, f"systemctl is-active {unit}", check=False).strip() == "inactive"
                assert lab.ssh(host, f"systemctl is-enabled {unit} 2>&1", check=False).strip() != "enabled"
        left = "/etc/prosody/altnet.cfg.lua /etc/altnet/pki/prosody /usr/local/lib/altnet-chat"
        assert lab.ssh(CHAT, f"ls -d {left} 2>/dev/null", check=False) == ""
        assert lab.ssh(GIT, "ls -d /etc/altnet/git /usr/local/lib/altnet-git 2>/dev/null", check=False) == ""
        names.prune(copy)
        names.becomes("NXDOMAIN AD", "+dnssec", "chat.alt", "AAAA")
        assert lab.playbook("site.yml", inventory=copy).ok().changed == dict.fromkeys(lab.addresses(), 0)
    finally:
        back = lab.playbook("site.yml").ok()
    lab.show(f"both apps back on their hosts: {back.seconds:.1f} s")
    names.becomes("NOERROR AD", "+dnssec", "chat.alt", "AAAA")
    names.becomes("NOERROR AD", "+dnssec", "git.alt", "AAAA")
    assert git(place, "ls-remote", url("garden", "bob", passwords["bob"])) == before
    assert words in talk(("bob", passwords["bob"], True))["archive"]
    assert browser.get("https://git.alt/")["status"] == 200
