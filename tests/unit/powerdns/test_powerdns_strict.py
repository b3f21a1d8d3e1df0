"""Bad names and records are refused, all of them and each by its place, before PowerDNS hears anything."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from powerdns_fakes import arguments, rrset, zone

from altnet.naming.rdata import TYPES, checked
from altnet.powerdns import order, strict
from altnet.powerdns.errors import PowerdnsError, text
from altnet.powerdns.held import merged

GOOD = zone("alt.", rrset("ns.alt.", "AAAA", "fd12:3456:789a::2:54"))


@pytest.fixture
def refused(world, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run the module's order against a PowerDNS that must not be asked for anything."""

    def asked(*_: Any, **__: Any) -> Any:
        raise AssertionError("PowerDNS was asked")

    monkeypatch.setattr(world.api, "call", asked)
    monkeypatch.setattr(order, "_api", lambda *_, **__: world.api)

    def run(*zones: dict[str, Any], check_mode: bool = False) -> list[str]:
        path = tmp_path / "order.json"
        with pytest.raises(PowerdnsError) as caught:
            order.run(arguments(GOOD, *zones), check_mode=check_mode, path=path)
        assert world.api.sent() == []
        assert not path.exists(), "what was refused is no standing order"
        return text(caught.value).splitlines()

    return run


EXAMPLE = "write it like 'fd12:3456:789a::1'"
CNAME = "remove it, or put what is beside it under the name it points at"
LETTERS = "use letters, digits and hyphens"


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (
            rrset("x.net.alt.", "AAAA", "fd12::1", "zz"),
            (
                ".records[1]: x.net.alt. AAAA 'zz' is no AAAA record's value (Text input is malformed.). "
                f"Remedy: {EXAMPLE}."
            ),
        ),
        (
            rrset("x.net.alt.", "AAAA", "::ffff:192.0.2.1"),
            (
                f".records[0]: x.net.alt. AAAA '::ffff:192.0.2.1' is an IPv4 address in IPv6's clothes. "
                f"Remedy: {EXAMPLE}."
            ),
        ),
        (
            rrset("x.net.alt.", "aaaa", "fd12::1\nfd12::2"),
            (".records[0]: x.net.alt. AAAA 'fd12::1\\nfd12::2' has a line break. Remedy: leave it out."),
        ),
        (
            rrset("x.net.alt.", "A", "192.0.2.1 ; core"),
            ".records[0]: x.net.alt. A '192.0.2.1 ; core' has a comment. Remedy: leave it out.",
        ),
        (
            rrset("x.net.alt.", "CNAME", "fra"),
            (
                ".records[0]: x.net.alt. CNAME 'fra' names a host without a dot at the end. "
                "Remedy: write the whole name with a dot at its end (www.shop.alt.)."
            ),
        ),
        (
            rrset("x.net.alt.", "MX", "10 A_b.alt."),
            (
                ".records[0]: x.net.alt. MX '10 A_b.alt.' points at a_b.alt., which has the label 'a_b', "
                "and a host's name has no underscore. Remedy: write it like '10 mail.shop.alt.'."
            ),
        ),
        (
            rrset("a_b.net.alt.", "AAAA", "fd12::1"),
            (f".name: a_b.net.alt. AAAA has the label 'a_b', and a host's name has no underscore. Remedy: {LETTERS}."),
        ),
        (
            rrset("x..net.alt.", "AAAA", "fd12::1"),
            (f".name: x..net.alt. AAAA has an empty label. Remedy: {LETTERS}, no hyphen at either end."),
        ),
        (
            rrset("X.net.alt.", "AAAA", "fd12::1"),
            ".name: X.net.alt. AAAA has capitals. Remedy: write it in lower case.",
        ),
        (
            rrset("x.net.alt.", "AAAA", "fd12::1", ttl=0),
            ".ttl: x.net.alt. AAAA has the TTL 0. Remedy: use a number from 1 to 2147483647.",
        ),
        (
            rrset("x.net.alt.", "AAAA", "fd12::1", ttl=2**31),
            (".ttl: x.net.alt. AAAA has the TTL 2147483648. Remedy: use a number from 1 to 2147483647."),
        ),
        (
            rrset("net.alt.", "SOA", "ns.alt. h.alt. 1 1 1 1 1"),
            (".type: net.alt. SOA has the type SOA, which the server makes by itself. Remedy: leave it out."),
        ),
        (
            rrset("x.net.alt.", "LUA", 'A "os.exit()"'),
            (
                ".type: x.net.alt. LUA has the type 'LUA', which nobody knows. "
                "Remedy: write the type as its RFC names it."
            ),
        ),
        (
            rrset("x.net.alt.", "ANY", "x"),
            (".type: x.net.alt. ANY has the type ANY, which is a question's and no record's. Remedy: leave it out."),
        ),
        (
            rrset("x.net.alt.", "CNAME", "a.alt.", "b.alt."),
            ".records: x.net.alt. CNAME has 2 values, and a CNAME has one. Remedy: keep one of them.",
        ),
        (
            rrset("net.alt.", "CNAME", "a.alt."),
            (
                ": net.alt. CNAME is beside other data of that name (NS, SOA), and a CNAME stands alone. "
                f"Remedy: {CNAME}."
            ),
        ),
        (
            rrset("x.neo.", "AAAA", "fd12::1"),
            (".name: x.neo. AAAA is not below net.alt., its zone. Remedy: move it to the zone it belongs to."),
        ),
        (
            rrset("x.net.alt.", "AAAA"),
            ".records: of x.net.alt. AAAA is empty. Remedy: give a record, or leave the RRset out.",
        ),
        (
            {**rrset("x.net.alt.", "AAAA"), "records": "fd12::1"},
            (
                ": an RRset of net.alt. is not complete (TypeError('records is no list')). "
                "Remedy: write it as the module's documentation has it."
            ),
        ),
    ],
)
def test_a_record_that_is_refused(refused, given: dict[str, Any], line: str) -> None:
    assert refused(zone("net.alt.", given)) == [f"zones[1].rrsets[1]{line}"]


@pytest.mark.parametrize("check_mode", [False, True])
def test_everything_is_said_at_once(refused, check_mode) -> None:
    found = refused(
        zone("net.alt.", rrset("x.net.alt.", "AAAA", "zz"), rrset("x.net.alt.", "CNAME", "a.alt.")),
        zone("a_b.alt.", rrset("y.a_b.alt.", "A", "192.0.2.1", ttl=60), rrset("y.a_b.alt.", "A", "192.0.2.2")),
        check_mode=check_mode,
    )
    assert [one.partition(" ")[0] for one in found] == [
        "zones[2].rrsets[2].ttl:",
        "zones[1].rrsets[1].records[0]:",
        "zones[1].rrsets[2]:",
        "zones[2].name:",
        "zones[2].rrsets[0].name:",
        "zones[2].rrsets[1].name:",
        "zones[2].rrsets[2].name:",
    ]
    same = "give both the same TTL, or put all values into one record"
    assert found[0] == (
        "zones[2].rrsets[2].ttl: y.a_b.alt. A has the TTL 3600 here and 60 at zones[2].rrsets[1]: an RRset has one. "
        f"Remedy: {same}."
    )
    assert found[2].endswith(
        f"x.net.alt. CNAME is beside other data of that name (AAAA), and a CNAME stands alone. Remedy: {CNAME}."
    )


def test_the_host_is_named_where_the_module_knows_it() -> None:
    error = PowerdnsError(strict.faults([zone("net.alt.", rrset("x.net.alt.", "A", "zz"))]))
    assert text(error, "core2").startswith("host core2: zones[0].rrsets[1].records[0]: x.net.alt. A 'zz' is")


def test_what_the_network_itself_publishes_is_good() -> None:
    more = [
        rrset("*.w.alt.", "CNAME", "fra.net.alt."),
        rrset("_x._tcp.alt.", "SRV", "0 5 389 Fra.net.alt."),
        rrset("_443._tcp.alt.", "TLSA", "3 1 1 " + "EF" * 32),
        rrset("m.alt.", "MX", "0 ."),
        rrset("t.alt.", "TXT", '"a \\"quoted\\" text" "in two"'),
        rrset("u.alt.", "TYPE65534", "\\# 2 abcd"),
        rrset("net.alt.", "DS", "1 13 2 " + "ab" * 32),
    ]
    assert strict.faults([zone("alt.", *more)]) == []


def test_what_a_server_held_is_not_judged_anew() -> None:
    """Who promotes another server could not mend it; what the inventory adds beside it is judged."""
    odd = [rrset("a_b.alt.", "AAAA", "fd12::1"), rrset("c.alt.", "CNAME", "d.alt.", ttl=0)]
    found = [{"name": name, "rrsets": [rrset(name, "NS", "ns.alt."), *odd], "signed_by": []} for name in ("alt.", "_.")]
    zones, problems = merged([GOOD], found, lambda _: ((), ()))
    assert (strict.faults(zones), problems) == ([], [])
    bad = {**GOOD, "rrsets": [*GOOD["rrsets"], rrset("e.alt.", "A", "zz")]}
    (fault,) = strict.faults(merged([bad], found, lambda _: ((), ()))[0])
    assert fault.variable == "zones[0].rrsets[2].records[0]"


@example("OPENPGPKEY", "\x08")
@given(st.sampled_from(TYPES), st.text(max_size=40) | st.from_regex(r"[0-9a-z.:\\\" ]{0,40}", fullmatch=True))
def test_whatever_is_written_it_is_taken_or_refused(kind: str, written: str) -> None:
    with contextlib.suppress(ValueError):
        assert checked(kind, written).to_wire()


def test_ten_thousand_records_are_judged_at_once() -> None:
    """It is 0.3 s on an idle machine; what grows with the square of the names would take minutes."""
    many = [rrset(f"host{n}.a{n % 7}.alt.", "AAAA", f"fd12:3456:789a::{n:x}") for n in range(10_000)]
    zones = [zone("alt.", *many)]
    began = time.process_time()
    assert strict.faults(zones) == []
    assert time.process_time() - began < 5
