"""What is declared: good lists, and for each mistake whose it is, where, and how to mend it."""

from __future__ import annotations

from typing import Any

import pytest

from altnet.content import compute
from altnet.errors import InventoryError
from altnet.inventory.model import Anycast

GROUPS = ("members", "operators", "registrars")
WEB = Anycast("web", 0x80, ("core1", "core2"))
OWN = {"core1": "fd12:3456:789a::5", "core2": "fd12:3456:789a::6"}
LOGIN = {"name": "login.alt", "kind": "login"}


def sites(**declared: Any) -> list[Any]:
    return compute.sites(declared, tlds=["alt", "neo"], groups=GROUPS, anycast=[WEB])


def wrong(**declared: Any) -> list[str]:
    with pytest.raises(InventoryError) as caught:
        sites(**declared)
    return [str(problem) for problem in caught.value.problems]


def site(**changes: Any) -> dict[str, Any]:
    return {"name": "www.alt", "kind": "static", "root": "/srv/www", **changes}


def test_every_kind() -> None:
    found = sites(
        core1=[
            LOGIN,
            site(),
            {"name": "Files.NEO.", "kind": "files", "root": "/srv/files/"},
            {"name": "docs.alt", "kind": "git", "repository": "https://git.alt/docs.git", "version": "main"},
            {"name": "chat.alt", "kind": "proxy", "to": "[::1]:8080", "groups": ["operators", "members"]},
            {"name": "sock.alt", "kind": "proxy", "to": "unix//run/x/socket"},
            {"name": "start.alt", "kind": "start"},
        ]
    )
    by_name = {one.name: one for one in found}
    assert by_name["files.neo"].directory == "/srv/files"
    assert by_name["docs.alt"].directory == "/var/lib/altnet-sites/docs.alt/current"
    assert by_name["chat.alt"].groups == ("members", "operators")
    assert [one.name for one in found if not one.listed] == ["login.alt", "start.alt"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"name": "www.example.net"}, "is outside the network's top-level domains (alt, neo). Remedy: name"),
        ({"name": "alt"}, "alt is a top-level domain itself"),
        ({"name": "net.alt"}, "net.alt is the zone of the network's own hosts"),
        ({"name": "core2.net.alt"}, "core2.net.alt is in net.alt, where the network's own hosts and services have"),
        ({"name": "resolver.net.neo"}, "resolver.net.neo is in net.neo, where"),
        ({"name": "a_b.alt"}, "a host's name has no underscore"),
        ({"name": "ä.alt"}, "which is not ASCII. Remedy: write it in its xn-- form"),
        ({"name": ""}, "content_sites[0].name: is empty, not a text"),
        ({"kind": "statik"}, "content_sites[0].kind: is 'statik'. Remedy: did you mean static"),
        ({"kind": None}, "is not given. Remedy: use one of: files, git, login, proxy, start, static"),
        ({"rot": "/srv"}, "content_sites[0].rot: is no setting of ours. Remedy: did you mean root"),
        ({"to": "127.0.0.1:80"}, "content_sites[0].to: is nothing that a site of kind static has"),
        ({"root": "srv/www"}, "'srv/www' is no absolute path"),
        ({"root": "/srv/../etc"}, "'/srv/../etc' is no absolute path"),
        ({"root": "/etc/altnet"}, "/etc/altnet is no place for what everybody may see. Remedy: use"),
        ({"root": "/"}, "/ is no place for what everybody may see"),
        ({"root": "/var/lib/caddy/storage"}, "would publish /var/lib/caddy, which Caddy can read and nobody else"),
        ({"root": "/var/lib"}, "/var/lib would publish"),
        ({"root": "/srv/{env.X}"}, "has braces, which Caddy would replace"),
        ({"groups": ["memebers"]}, "memebers is no group of the directory. Remedy: did you mean members"),
        ({"groups": []}, "content_sites[0].groups: is empty"),
        ({"groups": "members"}, "content_sites[0].groups: is text ('members'), not a list"),
        ({"cache": -1}, "content_sites[0].cache: is -1. Remedy: use a number from 0 to 31536000"),
        ({"listed": "yes"}, "content_sites[0].listed: is text ('yes'), not true or false"),
        ({"anycast": "wep"}, "content_sites[0].anycast: 'wep' is no entry of altnet_anycast. Remedy: did you mean web"),
        ({"anycast": "resolver"}, "resolver is the address of the name servers"),
        ({"title": "a\nb"}, "has characters that cannot be printed"),
    ],
)  # fmt: skip
def test_one_mistake(changes: dict[str, Any], expected: str) -> None:
    found = wrong(core1=[LOGIN, {**site(), **changes}] if changes.get("groups") == ["x"] else [{**site(), **changes}])
    assert [line for line in found if line.startswith("host core1: ") and expected in line], found


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("8080", "is '8080'. Remedy: write address:port"),
        ("127.0.0.1:99999", "is '127.0.0.1:99999'"),
        ("192.0.2.1:80", "192.0.2.1:80 is not on this host, and what goes there is not encrypted"),
        ("example.net:80", "example.net:80 is not on this host"),
        ("http://127.0.0.1:80", "is 'http://127.0.0.1:80'"),
        ("unix//run/../etc/x", "is 'unix//run/../etc/x'"),
        ("unix//run/caddy/admin.sock", "is the web server's own, and whoever may ask it may do anything"),
        ("unix//run//altnet-authenticator/socket", "is the web server's own"),
    ],
)
def test_where_a_proxy_asks(to: str, expected: str) -> None:
    assert expected in "\n".join(wrong(core1=[{"name": "a.alt", "kind": "proxy", "to": to}]))


@pytest.mark.parametrize(
    ("kind", "needed"), [("static", "root"), ("files", "root"), ("git", "repository"), ("proxy", "to")]
)
def test_what_a_kind_cannot_do_without(kind: str, needed: str) -> None:
    found = wrong(core1=[{"name": "a.alt", "kind": kind}])
    assert found == [
        f"host core1: content_sites[0].{needed}: is missing, and a site of kind {kind} is made of it. Remedy: add it."
    ]


@pytest.mark.parametrize("repository", ["git@git.alt:x", "--upload-pack=x", "http://x/y", "https://a b", "/a/../b"])
def test_a_repository_is_no_option(repository: str) -> None:
    assert "begin with https:// or /" in "\n".join(
        wrong(core1=[{"name": "a.alt", "kind": "git", "repository": repository}])
    )


def test_a_repository_s_password_is_refused_and_not_shown() -> None:
    (line,) = wrong(core1=[{"name": "a.alt", "kind": "git", "repository": "https://ada:hunter2@git.alt/x"}])
    assert "content_sites[0].repository: has a name or a password in it" in line
    assert "hunter2" not in line


def test_all_mistakes_at_once() -> None:
    found = wrong(core1=[site(name="a.example.net"), site(kind="x")], core2=[site(root="x")])
    assert len(found) == 3
    assert wrong(core1="www") == ["host core1: content_sites: is text ('www'), not a list. Remedy: give a list."]


def test_one_name_twice() -> None:
    assert "www.alt is there already, at content_sites[0]" in "\n".join(wrong(core1=[site(), site(root="/srv/other")]))
    found = wrong(core1=[site()], core2=[site()])
    assert len(found) == 1
    assert found[0].startswith("host core2: content_sites[0].name: www.alt is on core1 too")
    assert "or give both the same anycast address" in found[0]


def test_one_name_on_two_hosts_with_an_anycast_address() -> None:
    both = sites(core1=[LOGIN, site(anycast="web")], core2=[site(anycast="web"), site(name="other.neo")])
    content = compute.content(both, OWN, lambda name: {"web": "fd12:3456:789a::2:80"}[name])
    one, two = content["core1"], content["core2"]
    assert one["addresses"] == [OWN["core1"], "fd12:3456:789a::2:80"]
    assert (one["siblings"], two["siblings"]) == ([OWN["core2"]], [OWN["core1"]])
    assert one["services"] == [
        {"name": "web", "address": "fd12:3456:789a::2:80", "server": OWN["core1"], "sites": ["www.alt"]}
    ]
    assert two["login"] == "login.alt"
    assert compute.addresses(both, OWN, lambda _: "fd12:3456:789a::2:80") == {
        "login.alt": OWN["core1"], "other.neo": OWN["core2"], "www.alt": "fd12:3456:789a::2:80",
    }  # fmt: skip


def test_an_anycast_address_that_does_not_fit() -> None:
    unlike = wrong(core1=[LOGIN, site(anycast="web", groups=["members"])], core2=[site(anycast="web")])
    assert "www.alt is of another kind or for other groups than on core1" in unlike[0]
    assert "nyc is not among the origins of web" in "\n".join(wrong(nyc=[site(anycast="web")]))


def test_the_login_page() -> None:
    assert "www.alt is for a group, and the network has no login page" in wrong(core1=[site(groups=["members"])])[0]
    two = wrong(core1=[LOGIN], core2=[{"name": "sso.neo", "kind": "login"}])
    assert "sso.neo is a second login page beside login.alt" in two[0]
    assert "nobody can be in a group before the login" in wrong(core1=[{**LOGIN, "groups": ["members"]}])[0]


def test_only_the_host_with_the_start_page_is_told_of_all_sites() -> None:
    both = sites(core1=[{"name": "start.alt", "kind": "start"}, site(title="Home")], core2=[site(name="b.neo")])
    content = compute.content(both, OWN, lambda _: "")
    assert [entry["name"] for entry in content["core1"]["listed"]] == ["b.neo", "www.alt"]
    assert content["core1"]["listed"][1]["title"] == "Home"
    assert content["core2"]["listed"] == []


def test_no_content_at_all() -> None:
    assert sites() == []
    assert compute.content([], {}, lambda _: "") == {}
