"""The command against the registry itself: from an invitation to records, and all that registrars do."""

from __future__ import annotations

import re
import stat

import pyotp

from altnet.cli.verbs import records as verbs
from altnet.registry.acts import accounts, domains, records
from altnet.registry.acts.desk import Person
from altnet.registry.domain.model import Actor, Role
from altnet.registry.faces.signin import totp

ANN = Actor("ann", frozenset({Role.MEMBER}), "portal")


class TestComing:
    def test_from_an_invitation_to_a_name(self, registry, altnet, by) -> None:
        link = by("ann", "invite", "create", "--note", "for Cem").out.strip()
        assert re.fullmatch(r"https://portal\.alt/join/\S+", link)
        altnet.monkeypatch.delenv("ALTNET_TOKEN")
        joined = altnet("join", link, "--url", registry.url, given="cem\n\nthe sky over the garden\n")
        assert (joined.code, joined.out) == (
            0,
            "Welcome, cem. You are logged in; get a name: altnet name register NAME\n",
        )
        assert "ann invites you." in joined.err
        assert "the sky" not in joined.out + joined.err
        token = altnet.home / "altnet" / "token"
        assert stat.S_IMODE(token.stat().st_mode) == 0o600
        assert stat.S_IMODE(token.parent.stat().st_mode) == 0o700
        altnet.monkeypatch.delenv("ALTNET_URL")
        # The address is kept too: nothing is asked for any more.
        registered = altnet("name", "register", "orchard", "--address", "fd12:3456:789a::7")
        assert (registered.code, registered.out) == (0, "orchard.alt is yours.\n")
        zone = domains.get(registry.desk, Actor("cem", frozenset({Role.MEMBER}), "portal"), "orchard")
        assert [(one.name, one.type, one.records) for one in zone.rrsets] == [
            ("orchard.alt.", "AAAA", ("fd12:3456:789a::7",))
        ]
        assert by("ann", "invite", "revoke", by("ann", "invite", "list", "--json").json[0]["id"]).code == 0

    def test_an_invitation_that_is_used_up(self, registry, altnet, by) -> None:
        link = by("ann", "invite", "create").out.strip()
        altnet.monkeypatch.delenv("ALTNET_TOKEN")
        assert altnet("join", link, "--url", registry.url, "--uid", "dora", given="D\na password for dora\n").code == 0
        again = altnet("join", link, "--url", registry.url, "--uid", "dan", given="D\na password for dan\n")
        assert again.code == 5
        assert "altnet: " in again.err

    def test_a_bad_password_is_told_at_its_field_and_not_shown(self, registry, altnet, by) -> None:
        link = by("ann", "invite", "create").out.strip()
        altnet.monkeypatch.delenv("ALTNET_TOKEN")
        bad = altnet("join", link, "--url", registry.url, "--uid", "Eve!", "--name", "Eve", given="short1\n")
        assert bad.code == 1
        assert "altnet: uid (Eve!): " in bad.err
        assert "short1" not in bad.err

    def test_logging_in_and_out(self, registry, altnet) -> None:
        altnet.at(registry.url)
        wrong = altnet("login", "ann", given="not this one\n")
        assert (wrong.code, wrong.err) == (3, "altnet: Name, password or code is wrong. Try once more: altnet login.\n")
        assert altnet("login", "ann", given="ann's own password\n").out == "You are logged in as ann.\n"
        secret = (altnet.home / "altnet" / "token").read_text().strip()
        who = altnet("whoami", "--json")
        assert (who.json["uid"], who.json["scope"]["verbs"]) == ("ann", ["full"])
        assert altnet("logout").code == 0
        assert not (altnet.home / "altnet" / "token").exists()
        altnet.monkeypatch.setenv("ALTNET_TOKEN", secret)
        assert altnet("whoami").code == 3

    def test_a_second_factor_is_asked_for(self, registry, altnet) -> None:
        registry.people.create(Person("otto", "Otto"), "otto's password")
        code = second_factor(registry, "otto")
        altnet.at(registry.url)
        assert altnet("login", "otto", given="otto's password\n000000\n").code == 3
        done = altnet("login", "otto", given=f"otto's password\n{code}\n")
        assert (done.code, done.out) == (0, "You are logged in as otto.\n")

    def test_a_token_that_is_given(self, registry, altnet) -> None:
        altnet.at(registry.url)
        assert altnet("login", "--token", given="altnet_nonsense\n").code == 3
        assert not (altnet.home / "altnet").exists()
        assert altnet("login", "--token", given=registry.token("ann") + "\n").code == 0
        assert altnet("whoami").out.startswith("account")


def second_factor(registry, uid: str) -> str:
    """Give somebody an app, as the page that shows it does, and return a recovery code."""
    signin, actor = registry.world.signin, Actor(uid, frozenset({Role.MEMBER}), "portal")
    accounts.me(registry.desk, actor)
    sealed = totp.begin(signin, uid)
    _, secret = totp.picture(signin, uid, sealed)
    return totp.confirm(signin, actor, sealed, pyotp.TOTP(secret).now())[0]


class TestNames:
    def test_its_whole_life(self, by) -> None:
        check = by("ann", "name", "check", "meadow", "x")
        assert check.code == 5
        assert re.search(r"^meadow\.alt +yes +available +-$", check.out, re.M)
        assert re.search(r"^x +- +available +'x' is too short$", check.out, re.M)
        assert (
            by("ann", "name", "register", "meadow", "--record", "www AAAA fd12::1", "--record", "@ TXT a b").code == 0
        )
        assert "meadow.alt" in by("ann", "name", "list").out
        shown = by("ann", "name", "show", "meadow")
        assert re.search(r"^www +3600 +AAAA +fd12::1$", shown.out, re.M)
        assert re.search(r'^@ +3600 +TXT +"a b"$', shown.out, re.M)
        for act in ("lock", "unlock", "renew"):
            assert by("ann", "name", act, "meadow").code == 0
        locked = by("ann", "name", "lock", "meadow")
        assert locked.out == "meadow.alt is locked.\n"
        refused = by("ann", "record", "put", "meadow", "@", "AAAA", "fd12::1")
        assert (refused.code, refused.err.count("\n")) == (5, 1)
        by("ann", "name", "unlock", "meadow")
        assert (
            by("ann", "name", "offer", "meadow", "ben").out == "meadow.alt is offered to ben, who has to accept it.\n"
        )
        assert by("ben", "name", "accept", "meadow").out == "meadow.alt is yours.\n"
        assert by("ann", "name", "show", "meadow").code == 4
        unsure = by("ben", "name", "release", "meadow")
        assert (unsure.code, "--yes" in unsure.err) == (2, True)
        assert by("ben", "name", "release", "meadow", "--yes").code == 0
        assert by("ann", "name", "check", "meadow").code == 0

    def test_somebody_was_there_before(self, by) -> None:
        assert by("ann", "name", "register", "pond").code == 0
        second = by("ben", "name", "register", "pond")
        assert second.code == 5
        assert second.err.startswith("altnet: name (pond): ")

    def test_names_in_other_scripts(self, by) -> None:
        made = by("ann", "name", "register", "gärtchen", "--json")
        assert made.json["name"] == "xn--grtchen-5wa.alt."
        assert re.search(r"^name +gärtchen\.alt$", by("ann", "name", "show", "gärtchen").out, re.M)

    def test_a_delegation_and_back(self, by) -> None:
        by("ann", "name", "register", "island")
        moved = by("ann", "name", "delegate", "island", "--ns", "ns1.island.alt.=fd12::53", "--ns", "ns.pier.alt.")
        assert moved.out == "island.alt is delegated to ns1.island.alt., ns.pier.alt..\n"
        assert by("ann", "name", "show", "island", "--json").json["hosting"] == "delegated"
        assert by("ann", "name", "host", "island").code == 0
        direct = by("ann", "name", "register", "islet", "--ns", "ns1.islet.alt.=fd12::53", "--json")
        assert direct.json["hosting"] == "delegated"
        assert by("ann", "name", "delegate", "island").code == 2

    def test_a_transfer_key(self, by) -> None:
        by("ann", "name", "register", "mirror-of")
        made = by("ann", "name", "key", "mirror-of")
        assert re.search(r"^secret +\S{40,}$", made.out, re.M)
        assert by("ann", "name", "key", "mirror-of", "--forbid").code == 0


class TestRecords:
    def test_one_set_and_one_value(self, registry, by) -> None:
        by("ann", "name", "register", "shed")
        assert by("ann", "record", "add", "shed", "www", "AAAA", "fd12::1").code == 0
        assert by("ann", "record", "add", "shed", "www", "aaaa", "fd12::2", "fd12::1", "--ttl", "60").code == 0
        (only,) = records.listed(registry.desk, ANN, "shed")
        assert (only.ttl, only.records) == (60, ("fd12::1", "fd12::2"))
        assert by("ann", "record", "delete", "shed", "www", "AAAA", "fd12::9").code == 5
        assert by("ann", "record", "delete", "shed", "www", "AAAA", "fd12::1").code == 0
        assert by("ann", "record", "delete", "shed", "www", "AAAA", "fd12::2").code == 0
        assert records.listed(registry.desk, ANN, "shed") == ()
        by("ann", "record", "put", "shed", "*", "AAAA", "fd12::1", "fd12::2")
        assert by("ann", "record", "delete", "shed", "*", "AAAA").code == 0

    def test_what_others_write_in_between_is_not_lost(self, registry, by, monkeypatch) -> None:
        by("ann", "name", "register", "barn")
        by("ann", "record", "put", "barn", "@", "AAAA", "fd12::1")
        real, done = verbs._read, []

        def read(tool):
            found = real(tool)
            if not done:
                done.append(records.put(registry.desk, ANN, "barn", "@", "AAAA", 3600, ["fd12::1", "fd12::2"]))
            return found

        monkeypatch.setattr(verbs, "_read", read)
        assert by("ann", "record", "add", "barn", "@", "AAAA", "fd12::3").code == 0
        (only,) = records.listed(registry.desk, ANN, "barn")
        assert only.records == ("fd12::1", "fd12::2", "fd12::3")

    def test_a_fault_says_where_and_how_to_mend_it(self, by) -> None:
        by("ann", "name", "register", "well")
        bad = by("ann", "record", "put", "well", "@", "AAAA", "fd12::1", "192.0.2.1")
        assert bad.code == 1
        assert bad.err.startswith("altnet: records[1] (192.0.2.1): ")
        program = by("ann", "record", "put", "well", "@", "AAAA", "nonsense", "--json")
        assert '"field": "records[0]"' in program.err
        assert program.out == ""

    def test_a_text_needs_no_quotes(self, registry, by) -> None:
        by("ann", "name", "register", "sign")
        long = 'say "hi" \\ ö' + "x" * 300
        assert by("ann", "record", "put", "sign", "@", "TXT", long, '"as it is" "in two"').code == 0
        (only,) = records.listed(registry.desk, ANN, "sign")
        assert '"as it is" "in two"' in only.records
        assert any(one.startswith('"say \\"hi\\" \\\\ \\195\\182xxx') and '" "' in one for one in only.records)

    def test_a_zone_file(self, registry, by, tmp_path) -> None:
        by("ann", "name", "register", "farm", "--record", "old AAAA fd12::1")
        file = tmp_path / "farm.zone"
        file.write_text(
            "$TTL 300\n@ IN SOA ns.farm.alt. root.farm.alt. 1 2 3 4 5\n@ IN NS ns.elsewhere.alt.\n"
            "www IN AAAA fd12::2\n    IN AAAA fd12::3\n@ MX 10 mail\n"
        )
        dry = by("ann", "record", "import", "farm", str(file), "--dry-run")
        assert dry.err.splitlines() == [
            "- old.farm.alt. 3600 AAAA fd12::1",
            "+ farm.alt. 300 MX 10 mail.farm.alt.",
            "+ www.farm.alt. 300 AAAA fd12::2",
            "+ www.farm.alt. 300 AAAA fd12::3",
        ]
        assert len(records.listed(registry.desk, ANN, "farm")) == 1
        assert by("ann", "record", "import", "farm", str(file), "--merge").code == 0
        assert len(records.listed(registry.desk, ANN, "farm")) == 3
        assert by("ann", "record", "import", "farm", str(file)).code == 0
        # What is printed as a zone file is what can be read as one.
        printed = by("ann", "record", "list", "farm", "--zone-file").out
        again = by("ann", "record", "import", "farm", "-", given=printed)
        assert again.out == "0 records change.\n"
        file.write_text("www IN AAAA\n")
        assert by("ann", "record", "import", "farm", str(file)).code == 2
        file.write_text("$INCLUDE /etc/passwd\n")
        assert by("ann", "record", "import", "farm", str(file)).code == 2


class TestTokensAndNumbers:
    def test_a_narrow_token(self, registry, altnet, by) -> None:
        by("ann", "name", "register", "router-of")
        secret = by(
            "ann", "token", "create", "router", "--may", "write", "--for-name", "router-of.alt.", "--for-type", "aaaa"
        ).out.strip()  # fmt: skip
        altnet.at(registry.url, secret)
        assert altnet("record", "put", "router-of", "@", "AAAA", "fd12::1").code == 0
        assert altnet("record", "put", "router-of", "@", "MX", "10 mail.alt.").code == 4
        assert altnet("name", "register", "something").code == 4
        (mine,) = [one for one in by("ann", "token", "list", "--json").json if one["label"] == "router"]
        assert by("ann", "token", "revoke", mine["id"]).code == 0
        assert altnet.at(registry.url, secret)("whoami").code == 3

    def test_a_member_who_routes(self, by) -> None:
        number = by("ann", "asn", "register", "--json").json["number"]
        prefix = by("ann", "prefix", "register", "56", "--json").json["prefix"]
        assert by("ann", "route", "add", prefix, f"AS{number}").out == f"AS{number} may announce {prefix}.\n"
        assert re.search(rf"^{prefix} +AS{number} +ann$", by("ann", "route", "list").out, re.M)
        assert by("ann", "prefix", "reverse", prefix, "--ns", "ns.garden.alt.").code == 0
        assert "ns.garden.alt." in by("ann", "prefix", "show", prefix).out
        assert by("ann", "route", "drop", prefix, str(number)).code == 0
        assert by("ann", "prefix", "release", prefix, "--yes").code == 0
        assert by("ann", "asn", "release", f"AS{number}", "--yes").code == 0
        assert by("ann", "asn", "list").out.count("\n") == 1
        assert by("ann", "asn", "release", "ASX", "--yes").code == 2


class TestGoverning:
    def test_members_do_not(self, by) -> None:
        by("ann", "name", "register", "hill")
        assert by("ben", "registrar", "hold", "hill", "--reason", "mine").code == 4
        assert by("ben", "name", "release", "hill", "--yes").code == 4

    def test_a_name(self, by) -> None:
        by("ann", "name", "register", "valley")
        held = by("reg", "registrar", "hold", "valley", "--reason", "Sends unwanted mail.")
        assert held.out == "valley.alt is held.\n"
        assert "Sends unwanted mail." in by("ann", "name", "show", "valley").out
        assert by("reg", "registrar", "unhold", "valley").code == 0
        assert by("reg", "registrar", "move", "valley", "ben", "--reason", "Agreed.").out == "valley.alt is ben's.\n"
        assert by("reg", "registrar", "revoke", "valley", "--reason", "Enough.").code == 2
        assert by("reg", "registrar", "revoke", "valley", "--reason", "Enough.", "--yes").code == 0
        assert by("reg", "registrar", "reserve", "lake", "--reason", "For all.").code == 0
        assert by("ann", "name", "register", "lake").code in (1, 5)
        assert by("reg", "registrar", "unreserve", "lake").out == "lake can be had.\n"
        assert by("reg", "registrar", "queue").out.count("\n") == 1

    def test_an_account(self, registry, by) -> None:
        registry.people.create(Person("fay", "Fay"), "fay's password")
        assert by("fay", "whoami").code == 0
        assert by("reg", "registrar", "quota", "fay", "--domains", "3").out == "fay may have: domains 3.\n"
        assert (
            by("reg", "registrar", "quota", "fay", "--domains", "policy").out == "fay may have: what everybody may.\n"
        )
        assert by("reg", "registrar", "quota", "fay").code == 2
        assert by("reg", "registrar", "lock", "fay", "--reason", "Asked to.").code == 0
        assert by("fay", "whoami").code in (3, 4)
        assert by("reg", "registrar", "unlock", "fay").code == 0
        assert re.search(r"^fay +active", by("reg", "registrar", "accounts").out, re.M)
        assert by("reg", "registrar", "cut", "fay", "--reason", "Robots.", "--yes").out == "Locked: fay.\n"
        assert "fay" in by("reg", "registrar", "tree").out

    def test_the_log_and_the_state(self, by) -> None:
        by("ann", "name", "register", "creek")
        mine = by("ann", "audit", "list", "--action", "domain.register", "--object", "creek.alt.")
        assert re.search(r"ann +api +domain.register +creek.alt.", mine.out)
        assert by("ops", "audit", "verify").out == "The audit log is what it was.\n"
        assert by("ann", "audit", "verify").code == 4
        assert by("ops", "state", "outbox").code == 0
        assert by("ops", "state", "servers").code == 0
        assert by("ops", "state", "drift").code == 0
        assert by("ann", "state", "drift").code == 4

    def test_long_lists_come_page_by_page(self, by) -> None:
        for number in range(5):
            by("ann", "name", "register", f"row{number}")
        some = by("ann", "name", "list", "--part", "row", "--limit", "3")
        assert (some.out.count("\n"), some.err) == (4, "There are more than 3; --limit 0 shows all.\n")
        assert len(by("ann", "name", "list", "--part", "row", "--limit", "0", "--json").json) == 5
