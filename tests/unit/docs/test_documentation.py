"""The documentation names what exists, in the form that it promises."""

from __future__ import annotations

import importlib.util
import ipaddress
import re
import shlex
import subprocess
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pytest
import yaml

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
RUNBOOKS = sorted(path for path in (DOCS / "runbooks").glob("*.md") if path.name != "README.md")
TEMPLATES = sorted((ROOT / "playbooks/templates/init").glob("*.j2"))
PAGES = sorted([*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CHANGELOG.md"])
EXAMPLES = sorted((ROOT / "inventories").glob("example-*/**/*.yml"))
SECTIONS = ["Impact", "Commands", "Expected output", "Verify", "Undo"]
LONGEST_PAGE = 120

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PLAYBOOK = re.compile(r"\b(?:playbooks/[a-z-]+\.yml|site\.yml)\b")
IPV4 = re.compile(r"(?<![\d.:])\d{1,3}(?:\.\d{1,3}){3}(?:/\d+)?(?![\d.])")
IPV6 = re.compile(r"(?<![\w:])(?:[0-9a-f]{1,4}:){1,7}(?::|[0-9a-f]{1,4})(?:[0-9a-f:]*)(?:/\d+)?", re.IGNORECASE)
URL = re.compile(r"https?://([^/\s)\"'`>]+)")
#: Documentation's own, the lab's, and the ranges that the text speaks of.
SPOKEN_OF = [
    ipaddress.ip_network(network)
    for network in (
        "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "fd12:3456:789a::/48",
        "10.77.0.0/24", "10.78.0.0/24", "fe80::/10", "fd00::/48", "0.0.44.119/32",
    )
]  # fmt: skip
WHOLE_RANGES = {"fd00::/8", "fc00::/8", "fc00::/7"}


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("altnet_docs_generate", DOCS / "generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def blocks(path: Path, language: str) -> list[str]:
    """Return a page's fenced blocks of one language."""
    return [body for info, body in FENCE.findall(path.read_text()) if info == language]


def anchors(path: Path) -> set[str]:
    """Return the anchors that a page's headings make."""
    heads = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_the_reference_is_what_the_generator_writes() -> None:
    assert [name(path) for path in generator().stale()] == [], "run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=name)
class TestPage:
    def test_every_link_leads_somewhere(self, page: Path) -> None:
        for link in LINK.findall(FENCE.sub("", page.read_text())):
            if link.startswith("http"):
                continue
            target, _, anchor = link.partition("#")
            path = (page.parent / target).resolve() if target else page
            assert path.exists(), link
            assert not anchor or anchor in anchors(path), link

    def test_every_playbook_it_names_exists(self, page: Path) -> None:
        for playbook in PLAYBOOK.findall(page.read_text()):
            assert (ROOT / playbook).is_file(), playbook

    def test_it_is_not_too_long(self, page: Path) -> None:
        # What is generated is as long as what it tells of.
        assert page.is_relative_to(DOCS / "reference") or len(page.read_text().splitlines()) <= LONGEST_PAGE

    def test_it_has_one_title(self, page: Path) -> None:
        text = FENCE.sub("", page.read_text())
        assert len(re.findall(r"^# ", text, re.MULTILINE)) == 1
        assert text.startswith("# ")

    def test_every_fence_is_closed(self, page: Path) -> None:
        assert page.read_text().count("\n```") % 2 == 0


@pytest.mark.parametrize("page", [*PAGES, *EXAMPLES, *TEMPLATES], ids=name)
class TestWords:
    def test_no_host_but_examples(self, page: Path) -> None:
        # Nobody has a name under alt in the public DNS (RFC 9476).
        examples = ("example.net", ".alt")
        assert [host for host in URL.findall(page.read_text()) if not host.endswith(examples)] == []

    def test_no_address_but_examples(self, page: Path) -> None:
        text = page.read_text()
        for word in [*IPV4.findall(text), *IPV6.findall(text)]:
            if word in WHOLE_RANGES:
                continue
            try:
                interface = ipaddress.ip_interface(word)
            except ValueError:
                continue
            if interface.version == 6 and int(interface.ip) >> 64 == 0:
                continue  # the ::n of a table, said of whatever prefix
            assert any(interface.version == network.version and interface.ip in network for network in SPOKEN_OF), word


@pytest.mark.parametrize("runbook", RUNBOOKS, ids=name)
class TestRunbook:
    def test_the_sections(self, runbook: Path) -> None:
        assert re.findall(r"^## (.+)$", FENCE.sub("", runbook.read_text()), re.MULTILINE) == SECTIONS

    def test_it_says_what_it_is_for(self, runbook: Path) -> None:
        intro = runbook.read_text().split("\n## ")[0].split("\n", 1)[1].strip()
        assert intro

    def test_the_index_has_it(self, runbook: Path) -> None:
        assert f"]({runbook.name})" in (DOCS / "runbooks/README.md").read_text()

    def test_it_has_commands_and_the_shell_can_read_them(self, runbook: Path) -> None:
        found = blocks(runbook, "sh")
        assert found
        for block in found:
            done = subprocess.run(["bash", "-n"], input=block, text=True, capture_output=True, check=False)
            assert done.returncode == 0, done.stderr

    def test_every_fence_says_what_it_is(self, runbook: Path) -> None:
        languages = {info for info, _ in FENCE.findall(runbook.read_text())}
        assert languages <= {"sh", "console", "yaml"}

    def test_it_ends_with_a_proof(self, runbook: Path) -> None:
        verify = runbook.read_text().split("\n## Verify\n")[1].split("\n## ")[0]
        assert "```sh" in verify

    def test_variables_it_passes_are_known(self, runbook: Path) -> None:
        playbooks = "".join(path.read_text() for path in (ROOT / "playbooks").rglob("*.yml"))
        specs = "".join(path.read_text() for path in (ROOT / "roles").glob("*/meta/argument_specs.yml"))
        for line in "\n".join(blocks(runbook, "sh") + blocks(runbook, "console")).splitlines():
            if "ansible-playbook" not in line:
                continue
            words = shlex.split(line.strip().removeprefix("$ ").strip("()"))
            for option, value in pairwise(words):
                if option == "-e":
                    given = yaml.safe_load(value) if value.startswith("{") else [value.partition("=")[0]]
                    for variable in given:
                        assert variable in playbooks + specs, variable

    def test_hosts_and_tags_exist(self, runbook: Path) -> None:
        text = "\n".join(blocks(runbook, "sh"))
        lab = (ROOT / "inventories/lab/hosts.yml").read_text()
        hosts = set(re.findall(r"^ +(?:# )?([a-z]+\d?): \{ansible_host", lab, re.MULTILINE)) | {"all", "directory"}
        for host in re.findall(r"^ansible (\S+) -m", text, re.MULTILINE):
            assert host in hosts, host
        playbooks = "".join(path.read_text() for path in (ROOT / "playbooks").glob("*.yml"))
        tags = {tag.strip() for found in re.findall(r"tags: \[([^\]]+)\]", playbooks) for tag in found.split(",")}
        for tag in re.findall(r"--tags (\S+)", text):
            assert tag in tags, tag


def test_every_decision_and_runbook_is_in_its_index() -> None:
    for folder in ("decisions", "runbooks", "concepts"):
        index = DOCS / ("README.md" if folder == "concepts" else f"{folder}/README.md")
        for page in (DOCS / folder).glob("*.md"):
            if page != index:
                assert f"{page.name})" in index.read_text(), name(page)


def test_requirements_name_no_collection_that_nothing_uses() -> None:
    wanted = yaml.safe_load((ROOT / "requirements.yml").read_text())["collections"]
    used: set[str] = set()
    for folder in ("playbooks", "roles", "molecule", "lab"):
        for path in (ROOT / folder).rglob("*.yml"):
            used |= set(re.findall(r"^\s+(?:- )?((?:ansible|community)\.[a-z]+)\.\w+:", path.read_text(), re.MULTILINE))
    assert {entry["name"] for entry in wanted} == used - {"ansible.builtin"}
