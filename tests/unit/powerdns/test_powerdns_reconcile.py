"""Every request to PowerDNS, in its order: what is sent for each kind of change, and what is refused."""

from __future__ import annotations

import json

import pytest
from powerdns_fakes import CATALOG, SECRET, TIMES, key, private, rrset, zone

from altnet.powerdns import difference, model
from altnet.powerdns.errors import PowerdnsError, text

DS = rrset("net.alt.", "DS", "1 13 2 " + "ab" * 32)
NS = rrset("net.alt.", "NS", "ns.alt.")
ALT = zone("alt.", rrset("ns.alt.", "AAAA", "fd12:3456:789a::2:54"), NS, DS)
NET = zone("net.alt.", rrset("fra.net.alt.", "AAAA", "fd12:3456:789a::1"))


@pytest.fixture
def full(world):
    world.run(ALT, NET)
    world.api.sent()
    world.followers.asked.clear()
    return world


def with_record(one, *rrsets):
    return {**one, "rrsets": [*one["rrsets"], *rrsets]}


class TestFirstRun:
    def test_requests_in_order(self, world) -> None:
        report = world.run(ALT, NET)
        assert world.api.sent() == [
            "POST /tsigkeys",
            "POST /zones",
            f"PUT /zones/{CATALOG}/notify",
            "POST /zones",
            "POST /zones/net.alt./cryptokeys",
            "PUT /zones/net.alt./rectify",
            "PUT /zones/net.alt.",
            "PUT /zones/net.alt./notify",
            "POST /zones",
            "POST /zones/alt./cryptokeys",
            "PUT /zones/alt./rectify",
            "PUT /zones/alt.",
            "PUT /zones/alt./notify",
        ]
        assert (report.created, report.updated, report.deleted) == (["alt.", "net.alt."], [], [])

    def test_a_zone_is_known_to_nobody_before_it_is_signed(self, world) -> None:
        world.run(NET)
        made = next(body for method, path, body in world.api.requests if body and body.get("name") == "net.alt.")
        made = dict(made)
        soa = next(one for one in made.pop("rrsets") if one["type"] == "SOA")
        assert soa["records"] == [{"content": f"ns.alt. hostmaster.alt. 0 {TIMES}", "disabled": False}]
        assert made == {
            "name": "net.alt.",
            "kind": "Native",
            "nameservers": [],
            "soa_edit": "INCEPTION-EPOCH",
            "soa_edit_api": "EPOCH",
            "api_rectify": True,
        }
        bodies = [body for method, path, body in world.api.requests if path.startswith("/zones/net.alt.") and body]
        assert bodies == [
            {"keytype": "csk", "active": True, "published": True, "privatekey": private("net.alt.")},
            {"kind": "Master", "catalog": CATALOG},
        ]

    def test_the_child_is_waited_for_before_its_parent_names_it(self, world) -> None:
        world.run(ALT, NET)
        assert [sorted(asked) for asked in world.followers.asked] == [["net.alt."], ["alt.", "net.alt."]]

    def test_check_mode_sends_nothing(self, world) -> None:
        report = world.run(ALT, NET, check_mode=True)
        assert world.api.sent() == []
        assert report.result()["changed"]
        assert world.followers.asked == []


def test_a_second_run_sends_nothing(full) -> None:
    assert full.run(ALT, NET).result()["changed"] is False
    assert full.api.sent() == []
    assert full.followers.asked == []


def test_the_same_record_written_otherwise_is_no_change(full) -> None:
    other = [rrset("fra.net.alt.", "AAAA", "FD12:3456:789A:0:0:0:0:1"), {**DS, "records": [DS["records"][0].upper()]}]
    net = zone("net.alt.", other[0])
    alt = zone("alt.", rrset("ns.alt.", "AAAA", "fd12:3456:789a:0::2:54"), NS, other[1])
    assert full.run(alt, net).result()["changed"] is False


def test_one_patch_with_what_differs_and_nothing_else(full) -> None:
    more = rrset("nyc.net.alt.", "AAAA", "fd12:3456:789a::2")
    report = full.run(ALT, with_record(NET, more))
    records = [{"content": "fd12:3456:789a::2", "disabled": False}]
    wanted = {"name": "nyc.net.alt.", "type": "AAAA", "ttl": 3600, "records": records, "changetype": "REPLACE"}
    assert full.api.requests == [
        ("PATCH", "/zones/net.alt.", {"rrsets": [wanted]}),
        ("PUT", "/zones/net.alt./notify", None),
    ]
    assert full.followers.told[-1:] == ["net.alt."]
    assert report.diff[0]["after"] == "nyc.net.alt. 3600 IN AAAA fd12:3456:789a::2\n"
    assert list(report.serials) == ["net.alt."]


class TestOthers:
    def test_what_is_not_asked_for_is_left_alone(self, full) -> None:
        full.api._post_zones([], {"name": "other.alt.", "kind": "Master", "rrsets": []})
        full.api.zones["alt."]["rrsets"].append(rrset("other.alt.", "NS", "ns.alt."))
        for one in full.api.zones["alt."]["rrsets"][-1:]:
            one["records"] = [{"content": "ns.alt.", "disabled": False}]
        report = full.run(ALT, NET)
        assert (report.left, report.diff, full.api.sent()) == (["other.alt."], [], [])

    def test_prune_removes_the_name_before_the_zone(self, full) -> None:
        child = zone("shop.alt.")
        full.run(with_record(ALT, rrset("shop.alt.", "NS", "ns.alt.")), NET, child)
        full.api.sent()
        report = full.run(ALT, NET, prune=True, prune_consent=("shop.alt.",), prune_at_most=20)
        assert full.api.sent() == ["PATCH /zones/alt.", "PUT /zones/alt./notify", "DELETE /zones/shop.alt."]
        assert report.deleted == ["shop.alt."]

    def test_prune_has_a_limit_for_zones(self, full) -> None:
        with pytest.raises(PowerdnsError, match=r"1 of 2 zones would be deleted, more than 20 %: net.alt"):
            full.run(ALT, prune=True)
        assert full.api.sent() == []

    def test_prune_has_a_limit_for_records(self, full) -> None:
        with pytest.raises(PowerdnsError, match=r"zone alt.: 2 of its 5 RRsets .*: net.alt. DS, net.alt. NS"):
            full.run(zone("alt.", rrset("ns.alt.", "AAAA", "fd12:3456:789a::2:54")), NET, prune=True)
        assert full.api.sent() == []


class TestKeys:
    def test_a_key_moves_the_serial_and_a_killed_run_is_seen(self, full) -> None:
        before = full.api.zones["net.alt."]["serial"]
        full.run(ALT, {**NET, "keys": [key("net.alt."), key("new", active=False)]})
        assert full.api.sent() == [
            "PUT /zones/net.alt.",
            "POST /zones/net.alt./cryptokeys",
            "PATCH /zones/net.alt.",
            "PUT /zones/net.alt.",
            "PUT /zones/net.alt./notify",
        ]
        assert full.api.zones["net.alt."]["serial"] > before
        assert full.api.zones["net.alt."]["account"] == ""

    @pytest.mark.parametrize("stop", [1, 2, 3, 4])
    def test_whatever_a_killed_run_left_the_next_one_finishes(self, full, stop, monkeypatch) -> None:
        wanted = {**NET, "keys": [key("net.alt."), key("new")]}
        before = full.api.zones["net.alt."]["serial"]
        real, done = full.api.call, []

        def killed(method: str, path: str, body: object = None) -> object:
            if method != "GET":
                done.append(path)
            if len(done) == stop and method != "GET":
                raise KeyboardInterrupt
            return real(method, path, body)

        monkeypatch.setattr(full.api, "call", killed)
        with pytest.raises(KeyboardInterrupt):
            full.run(ALT, wanted)
        monkeypatch.setattr(full.api, "call", real)
        full.run(ALT, wanted)
        assert full.api.zones["net.alt."]["serial"] > before, "or no secondary would fetch the key"
        full.api.sent()
        assert full.run(ALT, wanted).result()["changed"] is False

    def test_states_change_and_old_keys_go(self, full) -> None:
        full.run(ALT, {**NET, "keys": [key("net.alt."), key("new")]})
        full.api.sent()
        full.run(ALT, {**NET, "keys": [key("new")]})
        assert [one["privatekey"] for one in full.api.keys["net.alt."]] == [private("new")]
        full.run(ALT, {**NET, "keys": [key("new", active=False), key("newer")]})
        assert [one["active"] for one in full.api.keys["net.alt."]] == [False, True]

    def test_all_keys_at_once_are_refused(self, full) -> None:
        other = {**NET, "keys": [key("other")]}
        with pytest.raises(PowerdnsError, match="none of the keys that sign it now"):
            full.run(ALT, other)
        assert full.api.sent() == []
        assert full.run(ALT, other, replace_keys=True).updated == ["net.alt."]

    def test_no_private_key_is_shown(self, full) -> None:
        report = full.run(ALT, {**NET, "keys": [key("net.alt.", active=False), key("S3cretS3cret")]})
        said = json.dumps(report.result()) + repr(model.desired([NET])) + repr(report)
        assert "S3cretS3cret" not in said
        assert "PrivateKey" not in said
        assert SECRET not in said
        assert "net.alt. key 257 3 13 (hidden)" in said


class TestSerials:
    def test_two_changes_in_a_second_have_two_serials(self, full) -> None:
        for number in range(3):
            serial = full.api.zones["net.alt."]["serial"]
            full.time.second = serial - 10  # run() adds ten
            full.run(ALT, with_record(NET, rrset("x.net.alt.", "AAAA", f"fd12:3456:789a::{number}")))
            assert full.api.zones["net.alt."]["serial"] == serial + 1

    def test_a_clock_that_is_behind_changes_nothing(self, full) -> None:
        full.time.second -= 3600
        with pytest.raises(PowerdnsError, match=r"35\d\d s ahead of this host's clock") as caught:
            full.run(ALT, with_record(NET, rrset("x.net.alt.", "AAAA", "fd12:3456:789a::9")))
        assert "a clock is wrong" in text(caught.value)
        assert full.api.sent() == []


class TestSecondaries:
    def test_a_child_that_is_not_served_is_not_named(self, world) -> None:
        world.followers.behind = {"fra": {"net.alt."}}
        with pytest.raises(PowerdnsError) as caught:
            world.run(ALT, NET)
        assert "zone net.alt.: its parent does not name it yet, for fra does not serve it" in text(caught.value)
        assert "secondary fra: does not follow: net.alt. has nothing, not 17000" in text(caught.value)
        assert not [one for one in world.held("alt.") if one[0] == "net.alt."]
        world.followers.behind = {}
        world.run(ALT, NET)
        assert {one[1] for one in world.held("alt.") if one[0] == "net.alt."} == {"NS", "DS"}

    def test_one_that_is_late_is_told_again(self, world) -> None:
        world.followers.behind = {"fra": {"net.alt."}}
        world.followers.rounds = 2
        assert world.run(ALT, NET, wait=30).warnings == []
        assert world.api.sent().count("PUT /zones/net.alt./notify") == 3
        assert {one[1] for one in world.held("alt.") if one[0] == "net.alt."} == {"NS", "DS"}

    def test_one_that_has_old_records_under_the_new_serial_fetches_again(self, full) -> None:
        full.followers.old = [{"fra": ["net.alt."]}]
        report = full.run(ALT, with_record(NET, rrset("x.net.alt.", "AAAA", "fd12:3456:789a::9")), wait=30)
        assert [(one.zone, one.name, one.type) for one in full.followers.sampled] == [
            ("net.alt.", "x.net.alt.", "AAAA")
        ]
        assert report.warnings == [
            "secondary fra: had old records of net.alt. under the new serial, and fetches it again"
        ]
        assert full.api.sent().count("PATCH /zones/net.alt.") == 2

    def test_what_is_below_a_delegation_is_not_asked_for(self, full) -> None:
        """A server refers to the child: its glue is in no answer, however new."""
        elsewhere = with_record(NET, rrset("ns.lab.net.alt.", "AAAA", "fd12:3456:789a::9"))
        full.followers.sampled = []
        full.run(ALT, with_record(elsewhere, rrset("lab.net.alt.", "NS", "ns.lab.net.alt.")), wait=30)
        assert full.followers.sampled == []
        further = with_record(elsewhere, rrset("lab.net.alt.", "NS", "ns.lab.net.alt."))
        full.run(ALT, with_record(further, rrset("xlab.net.alt.", "AAAA", "fd12:3456:789a::8")), wait=30)
        assert [one.name for one in full.followers.sampled] == ["xlab.net.alt."]

    def test_one_that_keeps_them_fails_the_run(self, full) -> None:
        full.followers.old = [{"fra": ["net.alt."]}] * 5
        with pytest.raises(PowerdnsError) as caught:
            full.run(ALT, with_record(NET, rrset("x.net.alt.", "AAAA", "fd12:3456:789a::9")), wait=30)
        assert "secondaries: serves old records of net.alt. under the new serial" in text(caught.value)

    def test_one_that_is_gone_holds_nothing_up(self, world) -> None:
        world.followers.silent = ["sao"]
        assert world.run(ALT, NET).warnings == [
            "no word from sao: not waited for; the zones are fetched when it is back"
        ]
        assert {one[1] for one in world.held("alt.") if one[0] == "net.alt."} == {"NS", "DS"}


def test_what_powerdns_refuses_is_said_in_its_words_and_the_rest_is_announced(full) -> None:
    full.api.refuse = {"alt.": "Record x.alt./AAAA 'zz': Invalid IPv6 address"}
    more = rrset("nyc.net.alt.", "AAAA", "fd12:3456:789a::2")
    with pytest.raises(PowerdnsError) as caught:
        full.run(with_record(ALT, rrset("x.alt.", "AAAA", "zz")), with_record(NET, more))
    assert "zone alt.: PowerDNS refuses it (422): Record x.alt./AAAA 'zz': Invalid IPv6" in text(caught.value)
    assert "PUT /zones/net.alt./notify" in full.api.sent()


def test_a_setting_that_powerdns_lost_is_written_again(world) -> None:
    world.run(ALT)
    world.api.sent()
    world.api.lose = {"catalog"}
    world.run(ALT, NET)
    assert world.api.sent().count("PUT /zones/net.alt.") == 2
    assert world.api.zones["net.alt."]["catalog"] == CATALOG


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ([{"name": "alt", "rrsets": []}], "not absolute"),
        ([ALT, ALT], "alt. is there twice"),
        ([{**ALT, "rrsets": []}], "has no NS at its apex"),
        ([with_record(ALT, NS)], "net.alt. NS is there twice"),
        ([with_record(ALT, rrset("x.neo.", "AAAA", "fd00::1"))], "x.neo. AAAA is not below alt., its zone"),
        ([with_record(ALT, {"name": "x.alt."})], "not complete"),
    ],
)
def test_a_desired_set_that_makes_no_sense(wanted, message) -> None:
    with pytest.raises(PowerdnsError, match=message):
        model.desired(wanted)


def test_children_come_before_their_parents() -> None:
    names = ["alt.", "a.alt.", "b.a.alt.", "neo.", "x.y.neo."]
    levels = difference.levels(dict.fromkeys(names))
    assert levels == [["b.a.alt.", "x.y.neo."], ["a.alt.", "neo."], ["alt."]]


def test_what_nobody_else_owns_goes_without_being_asked(full) -> None:
    servers = [one for one in NET["rrsets"] if one["type"] == "NS"]
    before = full.held("net.alt.")
    full.run(ALT, {**NET, "rrsets": servers})
    assert full.held("net.alt.") == before
    shorter = {**NET, "rrsets": servers, "owns": ["net.alt."]}
    full.run(ALT, shorter)
    assert {one[1] for one in full.held("net.alt.")} == {"NS"}
    full.api.sent()
    full.run(ALT, shorter)
    assert not [one for one in full.api.sent() if one.startswith(("PATCH", "POST", "DELETE"))]


class TestChildren:
    """A delegation that decides on its DS by CDS: it has its first one from here, and all others by itself."""

    CUT = (rrset("lab.net.alt.", "NS", "ns.lab.net.alt."), rrset("lab.net.alt.", "DS", "1 13 2 " + "ab" * 32))
    OTHER = rrset("lab.net.alt.", "DS", "2 13 2 " + "cd" * 32)

    @pytest.fixture
    def child(self, full):
        wanted = {**with_record(NET, *self.CUT), "children": ["lab.net.alt."], "owns": ["net.alt."]}
        assert full.run(ALT, wanted).updated == ["net.alt."]
        assert ("lab.net.alt.", "DS", 3600, tuple(self.CUT[1]["records"])) in full.held("net.alt.")
        full.api.sent()
        return wanted

    def theirs(self, full, *rrsets):
        zone = full.api.zones["net.alt."]
        kept = [one for one in zone["rrsets"] if (one["name"], one["type"]) != ("lab.net.alt.", "DS")]
        zone["rrsets"] = [*kept, *({**one, "records": [{"content": one["records"][0]}]} for one in rrsets)]

    @pytest.mark.parametrize("prune", [False, True])
    @pytest.mark.parametrize("declared", [True, False])
    @pytest.mark.parametrize("now", [(OTHER,), ()], ids=["rolled", "unsigned"])
    def test_what_it_has_asked_for_stays(self, full, child, prune, declared, now) -> None:
        self.theirs(full, *now)
        rrsets = [one for one in child["rrsets"] if declared or one["type"] != "DS"]
        report = full.run(ALT, {**child, "rrsets": rrsets}, prune=prune)
        assert (report.diff, full.api.sent()) == ([], [])

    def test_the_inventory_has_the_say_again_without_it(self, full, child) -> None:
        self.theirs(full, self.OTHER)
        full.run(ALT, {**child, "children": []})
        assert ("lab.net.alt.", "DS", 3600, tuple(self.CUT[1]["records"])) in full.held("net.alt.")

    @pytest.mark.parametrize(("owns", "prune"), [([], False), ([], True), (["net.alt."], False)])
    def test_a_ds_that_is_not_declared_goes_by_prune_or_where_the_plan_owns_it(self, full, child, owns, prune) -> None:
        self.theirs(full, self.OTHER)
        rrsets = [one for one in child["rrsets"] if one["type"] != "DS"]
        wanted = {**child, "children": [], "rrsets": rrsets, "owns": owns}
        full.run(ALT, wanted, prune=prune, prune_consent=["net.alt."])
        left = ("lab.net.alt.", "DS", 3600, tuple(self.OTHER["records"])) in full.held("net.alt.")
        assert left == (not owns and not prune)
