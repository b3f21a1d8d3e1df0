"""Apps on hosts: one line of inventory, and what comes of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from altnet.apps.compute import addresses, place, told
from altnet.apps.model import App, Beside, Web
from altnet.apps.parse import catalogue
from altnet.apps.zones import with_services
from altnet.errors import InventoryError
from altnet.naming.model import Declared, RRSet

CHAT = next(app for app in catalogue(Path(__file__).parents[3] / "apps") if app.id == "chat")
WIKI = replace(
    CHAT, id="wiki", title="Wiki", group="wiki", names=(), ports=(), certificate="", key_group="", needs=(),
    web=Web("[::1]:8080", ("members",)),
)  # fmt: skip


def wrong(*apps: App, **groups: list[str]) -> str:
    with pytest.raises(InventoryError) as error:
        place(apps, groups, ["alt"])
    return str(error.value)


def test_one_line_of_inventory() -> None:
    found = place([CHAT, WIKI], {"chat": ["core1"], "directory": ["core2"]}, ["alt", "neo"])
    assert [(one.host, one.names) for one in found] == [("core1", ("chat.alt", "rooms.chat.alt"))]
    mine = told(found)["core1"]["chat"]
    assert mine["certificate"] == {"name": "prosody", "group": "prosody"}
    assert mine["data"] == ["/var/lib/prosody"]
    assert mine["backup"]["after"][-1] == "prosody.service"
    assert addresses(found, {"core1": "fd::1"}) == {"chat.alt": "fd::1", "rooms.chat.alt": "fd::1"}
    assert found[0].sites() == []


def test_nobody_has_it() -> None:
    assert place([CHAT], {"chat": [], "directory": ["core2"]}, ["alt"]) == []
    assert told([]) == {}


def test_its_page_is_a_site_as_an_operator_would_write_it() -> None:
    found = place([WIKI], {"wiki": ["core1"], "content": ["core1"]}, ["alt"])
    page = {"kind": "proxy", "to": "[::1]:8080", "title": "Wiki", "summary": CHAT.summary}
    assert found[0].sites() == [{"name": "wiki.alt", **page, "groups": ["members"]}]
    beside = (Beside("feed", Web("[::1]:8080")), Beside("lookup"))
    found = place([replace(WIKI, beside=beside)], {"wiki": ["core1"], "content": ["core1"]}, ["alt"])
    assert found[0].names == ("wiki.alt", "feed.alt", "lookup.alt")
    assert found[0].sites()[1:] == [{"name": "feed.alt", **page, "listed": False}]


def test_what_contradicts_itself() -> None:
    said = "host b: group chat: Chat is on a too, and keeps its data on one host. Remedy: leave one host in"
    assert said in wrong(CHAT, chat=["b", "a"], directory=["c"])
    said = "host a: group chat: Chat needs the group directory, and nobody is in it. Remedy: add a host to directory"
    assert said in wrong(CHAT, chat=["a"])
    said = "host a: group wiki: Wiki has a page, and a serves none. Remedy: add a to the group content."
    assert said in wrong(WIKI, wiki=["a"], content=["b"])
    assert "net.toml: id: net is the zone of the network's own hosts" in wrong(
        replace(CHAT, id="net"), chat=["a"], directory=["a"]
    )
    said = "chat.toml: beside[0].name: ns is the name of the network's own servers. Remedy: choose another name."
    assert said in wrong(replace(CHAT, beside=(Beside("ns"),)), chat=["a"], directory=["a"])


def test_clients_find_it_by_its_name() -> None:
    found = place([CHAT], {"chat": ["core1"], "directory": ["core2"]}, ["alt"])
    hosts = {"core1": "core1.net.alt."}
    zones = with_services((), found, hosts, ["alt"])
    assert [(entry.name, entry.records) for zone in zones for entry in zone.rrsets] == [
        ("_xmpp-client._tcp.chat.alt.", ("0 5 5222 core1.net.alt.",)),
        ("_xmpps-client._tcp.chat.alt.", ("0 5 5223 core1.net.alt.",)),
    ]
    written = RRSet("_xmpp-client._tcp.chat.alt.", "SRV", 60, ("0 5 5222 elsewhere.alt.",))
    (zone,) = with_services((Declared("chat.alt.", (written,)),), found, hosts, ["alt"])
    assert [entry.records for entry in zone.rrsets] == [written.records, ("0 5 5223 core1.net.alt.",)]
