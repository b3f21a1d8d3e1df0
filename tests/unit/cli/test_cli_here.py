"""What happens on this machine: settings and the token, what is printed, words, and the one file."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import unicodedata
from pathlib import Path

import dns.rdata
import pytest
from hypothesis import given
from hypothesis import settings as settings_of
from hypothesis import strategies as st

from altnet.cli import settings, show
from altnet.cli.bundle import bundle
from altnet.cli.failure import CommandError
from altnet.cli.main import main, parser
from altnet.cli.settings import Settings
from altnet.cli.verbs import GROUPS, VERBS
from altnet.cli.verbs.completing import candidates
from altnet.cli.verbs.records import quoted
from altnet.registry.domain import rrsets
from altnet.registry.domain.policy import Policy

ROOT = Path(__file__).parents[3]


class TestSettings:
    def test_a_command_line_goes_before_a_variable_and_that_before_the_file(self, altnet) -> None:
        assert settings.load() == Settings("https://portal.alt", "")
        settings.save(Settings("https://one.alt", '/etc/ä "b".pem'))
        assert settings.load() == Settings("https://one.alt", '/etc/ä "b".pem')
        altnet.monkeypatch.setenv("ALTNET_URL", "https://two.alt/")
        assert settings.load().url == "https://two.alt"
        assert settings.load("https://three.alt").url == "https://three.alt"

    @pytest.mark.parametrize(
        "url",
        ["http://portal.alt", "ftp://portal.alt", "portal.alt", "https://", "https://a:b@c.alt", "https://a.alt?x", "http://[::1"]
    )  # fmt: skip
    def test_an_address_to_which_no_secret_goes(self, url: str) -> None:
        with pytest.raises(CommandError):
            settings.checked(url)

    @pytest.mark.parametrize(
        "url", ["https://portal.alt", "http://127.0.0.1:80", "http://[::1]:80", "http://localhost"]
    )
    def test_one_to_which_it_goes(self, url: str) -> None:
        assert settings.checked(url + "/") == url

    @pytest.mark.parametrize("text", ["url = 3\n", "uri = 'x'\n", "url = \n", "\0"])
    def test_a_file_that_is_wrong_is_named(self, altnet, text: str) -> None:
        (altnet.home / "altnet").mkdir(parents=True)
        (altnet.home / "altnet" / "config.toml").write_text(text)
        ran = altnet("whoami")
        assert (ran.code, "config.toml" in ran.err) == (2, True)

    def test_a_token_is_its_owners_alone(self, altnet) -> None:
        old = os.umask(0)
        try:
            place = settings.keep_token("altnet_secret")
        finally:
            os.umask(old)
        assert stat.S_IMODE(place.stat().st_mode) == 0o600
        assert [one.name for one in place.parent.iterdir()] == ["token"]
        assert settings.token() == "altnet_secret"
        place.chmod(0o640)
        ran = altnet("whoami")
        assert (ran.code, "chmod 600" in ran.err) == (2, True)
        assert settings.forget_token()
        assert not settings.forget_token()


class TestShow:
    @settings_of(max_examples=50, deadline=None)
    @given(st.lists(st.lists(st.text(), min_size=2, max_size=2), max_size=5))
    def test_nothing_that_others_wrote_moves_a_terminal(self, rows: list[list[str]]) -> None:
        lines = show.table((("A", "a"), ("B", "b")), [dict(zip("ab", row, strict=True)) for row in rows])
        assert len(lines) == len(rows) + 1
        for line in lines:
            assert not {unicodedata.category(one) for one in line} & {"Cc", "Cf", "Cs", "Zl", "Zp"}

    def test_columns_stand_below_one_another(self) -> None:
        rows = [{"a": "garden", "b": ["x", "y"]}, {"a": "日本", "b": None}, {"a": "o\u0308l", "b": {"k": 1}}]
        assert show.table((("NAME", "a"), ("B", "b")), rows) == [
            "NAME    B",
            "garden  x, y",
            "日本    -",
            "o\u0308l      k 1",
        ]

    def test_a_field_without_a_value_is_left_out(self) -> None:
        assert show.fields((("one", "a"), ("three", "b"), ("two", "c")), {"a": 1, "b": "", "c": 0}) == [
            "one  1",
            "two  0",
        ]

    def test_a_terminal_with_few_letters(self, capfd: pytest.CaptureFixture[str]) -> None:
        order = [sys.executable, "-c", "from altnet.cli import show; show.out(['gärten €'])"]
        done = subprocess.run(order, env={**os.environ, "PYTHONIOENCODING": "ascii"}, capture_output=True, check=True)
        assert done.stdout == b"g\\xe4rten \\u20ac\n"


class TestWords:
    def test_every_verb_says_what_it_does(self, altnet) -> None:
        for verb in VERBS:
            ran = altnet(*verb.words, "--help")
            assert (ran.code, verb.about[1:] in " ".join(ran.out.split())) == (0, True), verb.words
            assert all(one.about for one in verb.arguments), verb.words
        assert {verb.words[0] for verb in VERBS if len(verb.words) == 2} == set(GROUPS)

    @pytest.mark.parametrize(
        "line",
        ["nonsense", "name", "name nonsense", "name show", "--jso whoami", "--timeout 0 whoami", "",
         "prefix register 57"]
    )  # fmt: skip
    def test_a_wrong_call(self, altnet, line: str) -> None:
        ran = altnet(*line.split())
        assert (ran.code, ran.out) == (2, "")
        assert ran.err

    def test_options_stand_before_and_after_the_words(self, altnet) -> None:
        for line in ("--json whoami", "whoami --json"):
            ran = altnet(*line.split())
            assert (ran.code, json.loads(ran.err)["title"]) == (3, "You are not logged in")

    def test_nobody_reads_any_more(self) -> None:
        order = [sys.executable, "-m", "altnet.cli", "completion", "bash"]
        with subprocess.Popen(order, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            process.stdout.close()
            assert process.stderr.read() == b""
        assert process.returncode == 0

    @pytest.mark.parametrize(
        ("words", "found"),
        [
            (["reg"], {"registrar", "registry"}),
            (["name", "re"], {"register", "renew", "release"}),
            (["token", "create", "x", "--may", ""], {"read", "write", "full"}),
            (["prefix", "register", ""], {"48", "56"}),
            (["record", "import", "garden", ""], set()),
            (["whoami", "--js"], {"--json"}),
            (["--json", "rou"], {"route"}),
        ],
    )
    def test_what_may_come_next(self, words: list[str], found: set[str]) -> None:
        assert {word for word, _ in candidates(parser(), words)} == found

    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
    def test_a_shell_reads_its_script(self, shell: str, altnet, tmp_path: Path) -> None:
        script = tmp_path / "script"
        script.write_text(altnet("completion", shell).out)
        if shutil.which(shell) is None:
            pytest.skip(f"NOT TESTED HERE: there is no {shell}; where one is installed, this test reads its script")
        subprocess.run([shell, "-n", script], check=True)

    def test_bash_completes(self, altnet, tmp_path: Path) -> None:
        command = tmp_path / "altnet"
        command.write_text(f'#!/bin/sh\nexec {sys.executable} -m altnet.cli "$@"\n')
        command.chmod(0o755)
        line = "source <(altnet completion bash); COMP_WORDS=(altnet name re); COMP_CWORD=2; _altnet; "
        line += 'echo "${COMPREPLY[@]}"'
        env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT / "src")}
        done = subprocess.run(["bash", "-c", line], env=env, capture_output=True, text=True, check=True)
        assert done.stdout.split() == ["register", "renew", "release"]


class TestTexts:
    @given(
        st.text(st.characters(codec="utf-8"), min_size=1, max_size=600).filter(
            lambda text: not text.lstrip().startswith('"')
        )
    )
    def test_any_text_is_a_record_that_the_registry_takes(self, text: str) -> None:
        raw = {"name": "@", "type": "TXT", "ttl": 60, "records": quoted("txt", [text])}
        found, faults = rrsets.read(raw, "garden.alt.", Policy())
        assert faults == []
        (record,) = found.records
        assert b"".join(dns.rdata.from_text("IN", "TXT", record).strings) == text.encode()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bundle") / "altnet"
    bundle(out)
    return out


class TestOneFile:
    def run(self, file: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        env = {"PATH": os.environ["PATH"], "HOME": str(file.parent), **more}
        return subprocess.run([file, *arguments], env=env, cwd="/", capture_output=True, text=True, check=False)

    def test_it_runs_alone(self, file: Path) -> None:
        assert self.run(file, "whoami").returncode == 3
        # Without anything but Python: no package of this environment.
        order = ["python3", "-I", "-S", str(file), "--help"]
        assert "registrar" in subprocess.run(order, capture_output=True, text=True, check=True, cwd="/").stdout

    def test_without_the_rules_packages_it_says_which(self, file: Path) -> None:
        order = [sys.executable, "-I", "-S", str(file), "registry", "check", "/"]
        done = subprocess.run(order, capture_output=True, text=True, check=False, cwd="/")
        assert (done.returncode, "python3-dnspython" in done.stderr) == (2, True)

    def test_it_has_the_rules(self, file: Path, tmp_path: Path) -> None:
        copy(tmp_path)
        done = self.run(file, "registry", "check", str(tmp_path))
        assert (done.returncode, done.stdout.partition(": ")[0]) == (1, "domains/alt.garden:2")


def copy(place: Path) -> Path:
    """Make a clone of a registry's files, with one thing wrong."""
    (place / "domains").mkdir(parents=True)
    (place / "registry").write_text("tld:         alt\n")
    (place / "domains" / "alt.garden").write_text("domain:      garden.alt.\nrecord:      www 60 AAAA nonsense\n")
    (place / "domains" / "alt.shed").write_text("domain:      shed.alt.\nrecord:      www 60 AAAA fd12::1\n")
    return place


class TestCheck:
    def test_by_file_and_line(self, altnet, tmp_path: Path) -> None:
        place = copy(tmp_path / "copy")
        ran = altnet("registry", "check", str(place))
        assert ran.code == 1
        assert ran.out.startswith("domains/alt.garden:2: ")
        (wrong,) = altnet("registry", "check", str(place), "--json").json
        assert (wrong["file"], wrong["line"]) == ("domains/alt.garden", 2)
        (place / "domains" / "alt.garden").unlink()
        good = altnet("registry", "check", str(place))
        assert (good.code, good.out) == (0, "")

    def test_only_what_is_changed(self, altnet, tmp_path: Path) -> None:
        place = copy(tmp_path / "copy")
        git = ["git", "-C", str(place), "-c", "user.name=x", "-c", "user.email=x@x.invalid"]
        for order in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
            subprocess.run([*git, *order], check=True, capture_output=True)
        assert altnet("registry", "check", str(place), "--base", "HEAD").code == 0
        (place / "domains" / "alt.barn").write_text("domain:      barn.alt.\nrecord:      oops\n")
        (place / "domains" / "alt.shed").write_text("domain:      shed.alt.\nrecord:      www x AAAA fd12::1\n")
        ran = altnet("registry", "check", str(place), "--base", "HEAD")
        assert [line.partition(": ")[0] for line in ran.out.splitlines()] == [
            "domains/alt.barn:2",
            "domains/alt.shed:2",
        ]
        assert altnet("registry", "check", str(place), "--base", "--nonsense").code == 2

    def test_what_is_no_copy(self, altnet, tmp_path: Path) -> None:
        assert altnet("registry", "check", str(tmp_path / "nowhere")).code == 2
        assert altnet("registry", "check", str(tmp_path)).code == 1


def test_an_interrupt_ends_it_quietly(altnet, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(settings, "token", interrupted)
    assert altnet("whoami").code == 130


def test_the_module_is_the_command() -> None:
    assert main(["--help"]) == 0
