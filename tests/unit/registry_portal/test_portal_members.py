"""What members do in the portal, by its forms alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from altnet.registry.acts import accounts, domains
from altnet.registry.domain.errors import Fault

PASSWORD = "four words and more"


def test_from_the_link_to_the_first_name_takes_three_inputs(site: Any) -> None:
    newcomer = site.visitor()
    page = newcomer.get(f"/join/{site.invite()}")
    assert page.status == 200
    assert "Ann Example invites you" in page.words
    assert "ann@mail.invalid" not in page.text
    page = newcomer.send(page, "/join/", uid="cleo", password=PASSWORD)
    assert (page.status, page.path) == (200, "/names/new")
    assert "Welcome, cleo" in page.words
    page = newcomer.send(page, "/names/new", name="garden")
    assert (page.status, page.path) == (200, "/names/garden.alt")
    assert "garden.alt is yours" in page.words
    assert "garden.alt is yours" not in newcomer.get("/names/garden.alt").words


def test_a_joiner_reads_everything_that_is_wrong_at_its_field(site: Any) -> None:
    newcomer = site.visitor()
    page = newcomer.get(f"/join/{site.invite()}")
    page = newcomer.send(page, "/join/", uid="A b", password="short", mail="no")
    assert page.status == 422
    for field in ("uid", "password", "mail"):
        assert f'id="f-{field}-wrong"' in page.text
        assert any(said.get("id") == f"f-{field}" and said.get("aria-invalid") == "true" for _, said in page.read.tags)
    assert 'value="A b"' in page.text
    assert "short" not in [said.get("value") for _, said in page.read.tags]
    page = newcomer.send(page, "/join/", uid="ann", password=PASSWORD, mail="")
    assert page.status == 409
    assert "Somebody has this name already" in page.words


def test_an_invitation_that_is_over_says_so(site: Any) -> None:
    secret = site.invite()
    first = site.visitor()
    first.send(first.get(f"/join/{secret}"), "/join/", uid="cleo", password=PASSWORD)
    page = site.visitor().get(f"/join/{secret}")
    assert page.status == 410
    assert "This invitation is over" in page.words
    assert site.visitor().get("/join/nothing").status == 404


def test_who_is_signed_in_already_joins_nowhere(site: Any) -> None:
    page = site.person("ben").get(f"/join/{site.invite()}")
    assert page.status == 200
    assert "You are signed in as ben already" in page.words
    assert not [form for form in page.read.forms if "/join/" in form["action"]]


def test_a_name_that_cannot_be_had_is_explained_before_and_after(site: Any) -> None:
    ann, ben = site.person("ann"), site.person("ben")
    ann.send(ann.get("/names/new"), "/names/new", name="garden")
    part = ben.get("/names/check?name=garden", **{"HX-Request": "true"})
    assert part.status == 200
    assert "<html" not in part.text
    page = ben.send(ben.get("/names/new"), "/names/new", name="garden")
    assert page.status == 409
    assert 'id="f-name-wrong"' in page.text
    assert "ann" not in page.words
    page = ben.send(page, "/names/new", name="-bad-")
    assert page.status == 422
    assert "can be yours" in ben.get("/names/check?name=orchard").words
    assert "can be yours" in ben.get("/names/new?name=orchard").words


def test_a_name_in_letters_of_another_language_is_shown_in_them(site: Any) -> None:
    ann = site.person("ann")
    page = ann.send(ann.get("/names/new"), "/names/new", name="Gärten")
    assert page.path == "/names/xn--grten-gra.alt"
    assert "gärten.alt" in page.words
    assert "gärten.alt" in ann.get("/names").words
    assert "xn--grten-gra.alt" in page.words


def test_records_are_added_changed_and_removed(site: Any) -> None:
    ann = _with_garden(site)
    page = ann.get("/names/garden.alt/records/new?type=AAAA")
    page = ann.send(page, "/records/new", name="www", records="fd12:3456:789a::1\nfd12:3456:789a:0::2")
    assert page.path == "/names/garden.alt"
    assert "fd12:3456:789a::2" in page.words
    page = ann.get("/names/garden.alt/records/edit?owner=www&type=AAAA")
    page = ann.send(page, "/records/edit", records="fd12:3456:789a::3", ttl="60")
    assert "fd12:3456:789a::3" in page.words
    assert "fd12:3456:789a::1" not in page.words
    page = ann.get("/names/garden.alt/records/delete?owner=www&type=AAAA")
    page = ann.send(page, "/records/delete")
    assert "No records yet" in page.words


def test_each_wrong_record_is_named_by_its_line(site: Any) -> None:
    ann = _with_garden(site)
    page = ann.get("/names/garden.alt/records/new?type=AAAA")
    page = ann.send(page, "/records/new", name="www", records="fd12::1\nnonsense\nfd12::2\n192.0.2.1", ttl="x")
    assert page.status == 422
    assert "The TTL is no number" in page.words
    page = ann.send(page, "/records/new", ttl="60")
    assert "Line 2:" in page.words
    assert "Line 4:" in page.words
    assert "Line 1:" not in page.words
    assert page.form("/records/new")["values"]["records"] == "fd12::1\nnonsense\nfd12::2\n192.0.2.1"


def test_a_record_set_that_is_there_is_not_overwritten_by_adding(site: Any) -> None:
    ann = _with_garden(site)
    new = ann.get("/names/garden.alt/records/new?type=TXT")
    ann.send(new, "/records/new", name="@", records="one")
    page = ann.send(new, "/records/new", name="@", records="two")
    assert page.status == 409
    assert "already" in page.words


def test_two_tabs_do_not_overwrite_each_other(site: Any) -> None:
    ann = _with_garden(site)
    ann.send(ann.get("/names/garden.alt/records/new?type=TXT"), "/records/new", name="@", records="one")
    ann.send(ann.get("/names/garden.alt/records/new?type=A"), "/records/new", name="@", records="192.0.2.1")
    first = ann.get("/names/garden.alt/records/edit?owner=@&type=TXT")
    second = ann.get("/names/garden.alt/records/edit?owner=@&type=TXT")
    other = ann.get("/names/garden.alt/records/edit?owner=@&type=A")
    assert ann.send(first, "/records/edit", records="first").status == 200
    # Another record set of the same name is nobody's conflict.
    assert ann.send(other, "/records/edit", records="192.0.2.2").path == "/names/garden.alt"
    page = ann.send(second, "/records/edit", records="second")
    assert page.status == 412
    assert "first" in page.words
    assert page.form("/records/edit")["values"]["records"] == "second"
    # Who has seen both may go on.
    page = ann.send(page, "/records/edit")
    assert (page.status, page.path) == (200, "/names/garden.alt")
    assert "second" in page.words


def test_a_row_is_edited_in_place_where_htmx_asks(site: Any) -> None:
    ann = _with_garden(site)
    ann.send(ann.get("/names/garden.alt/records/new?type=TXT"), "/records/new", name="@", records="one")
    htmx = {"HX-Request": "true"}
    row = ann.get("/names/garden.alt/records/edit?owner=@&type=TXT", **htmx)
    assert row.text.strip().startswith("<tr")
    ann.client.headers["HX-Request"] = "true"
    wrong = ann.send(row, "/records/edit", ttl="never")
    assert wrong.status == 422
    assert wrong.text.strip().startswith("<tr")
    done = ann.send(row, "/records/edit", records="two")
    assert done.text.strip().startswith("<tr")
    assert '"two"' in done.words
    assert ann.get("/names/garden.alt/records/row?owner=@&type=TXT").text.strip().startswith("<tr")


def test_steps_ask_first_and_say_what_was_done(site: Any) -> None:
    ann = _with_garden(site)
    for key, said in (("renew", "is renewed"), ("lock", "is locked"), ("unlock", "is unlocked")):
        page = ann.get(f"/names/garden.alt/{key}")
        assert page.status == 200
        page = ann.send(page, f"/{key}")
        assert page.path == "/names/garden.alt"
        assert said in page.words
    page = ann.send(ann.get("/names/garden.alt/release"), "/release")
    assert page.path == "/names"
    assert "is released" in page.words
    assert ann.get("/names/garden.alt").status == 404


def test_a_locked_name_offers_no_change_and_says_why(site: Any) -> None:
    ann = _with_garden(site)
    form = ann.get("/names/garden.alt/records/new?type=TXT")
    ann.send(ann.get("/names/garden.alt/lock"), "/lock")
    page = ann.get("/names/garden.alt")
    assert "records/new" not in page.text
    page = ann.send(form, "/records/new", name="@", records="late")
    assert page.status == 409
    assert "unlock it first" in page.words.lower()


def test_a_step_on_a_version_that_is_gone_is_explained(site: Any) -> None:
    ann = _with_garden(site)
    old = ann.get("/names/garden.alt/release")
    ann.send(ann.get("/names/garden.alt/records/new?type=TXT"), "/records/new", name="@", records="one")
    page = ann.send(old, "/release")
    assert page.status == 412
    assert "It is now: registered" in page.words
    assert ann.send(page, "/release").path == "/names"


def test_a_name_goes_from_one_to_another(site: Any) -> None:
    ann, ben = _with_garden(site), site.person("ben")
    page = ann.send(ann.get("/names/garden.alt/offer"), "/offer", to="nobody-here")
    assert page.status == 422
    assert 'id="f-to-wrong"' in page.text
    ann.send(page, "/offer", to="ben")
    assert "ann offers you garden.alt" in ben.get("/").words
    assert "garden.alt" in ben.get("/names").words
    page = ben.send(ben.get("/names/garden.alt/accept"), "/accept")
    assert "garden.alt is yours" in page.words
    assert ann.get("/names/garden.alt").status == 404


def test_delegating_shows_what_the_servers_answered(site: Any) -> None:
    ann = _with_garden(site)
    site.servers.wrong = (Fault("nameservers[0]", "silent", "ns1.garden.alt. does not answer", "start it"),)
    page = ann.get("/names/garden.alt/delegation")
    page = ann.send(page, "/delegation", nameservers="ns1.garden.alt.", glue="ns1.garden.alt. fd12:3456:789a:1::53")
    assert page.status == 422
    assert "Line 1: ns1.garden.alt. does not answer. Start it." in page.words
    site.servers.wrong = ()
    page = ann.send(page, "/delegation")
    assert page.path == "/names/garden.alt"
    assert "the holder's own servers" in page.words
    assert "fd12:3456:789a:1::53" in ann.get("/names/garden.alt/delegation").text
    page = ann.send(ann.get("/names/garden.alt/host"), "/host")
    assert "is served by the network" in page.words


def test_a_transfer_key_is_shown_once(site: Any) -> None:
    ann = _with_garden(site)
    page = ann.send(ann.get("/names/garden.alt/transfer-key"), "/transfer-key")
    secret = next(said["value"] for _, said in page.read.tags if said.get("id") == "key-secret")
    assert len(secret) == 44
    assert secret not in ann.get("/names/garden.alt").text
    page = ann.send(ann.get("/names/garden.alt/forbid-transfer"), "/forbid-transfer")
    assert "The key is over" in page.words


def test_tokens_are_made_shown_once_and_revoked(site: Any) -> None:
    ann = site.person("ann")
    page = ann.get("/tokens/new")
    page = ann.send(page, "/tokens/new", label="", types="NOPE!", sources="everywhere")
    assert page.status == 422
    for field in ("label", "types", "sources"):
        assert f'id="f-{field}-wrong"' in page.text
    page = ann.send(
        page, "/tokens/new", label="router", may="write", names="home.garden.alt", types="A AAAA", sources=""
    )
    secret = next(str(said["value"]) for _, said in page.read.tags if said.get("id") == "secret")
    assert secret.startswith("altnet_")
    page = ann.get("/tokens")
    assert secret not in page.text
    assert "home.garden.alt" in page.words
    link = next(link for link in page.read.links if link.endswith("/revoke"))
    page = ann.send(ann.get(link), "/revoke")
    assert "is over" in page.words


def test_a_token_for_everything_asks_who_one_is(site: Any) -> None:
    ann = site.person("ann")
    page = ann.get("/tokens/new")
    made = ann.send(page, "/tokens/new", label="all", may="full")
    assert made.status == 200
    site.clock.on(minutes=20)
    asked = ann.send(page, "/tokens/new", label="all", may="full")
    assert (asked.status, asked.path) == (200, "/prove")


def test_invitations_are_made_and_show_who_came(site: Any) -> None:
    ann = site.person("ann")
    page = ann.send(ann.get("/invitations/new"), "/invitations/new", note="for cleo", uses_max="x")
    assert page.status == 422
    assert 'id="f-uses_max-wrong"' in page.text
    page = ann.send(page, "/invitations/new", uses_max="2", lifetime="3")
    link = next(str(said["value"]) for _, said in page.read.tags if said.get("id") == "link")
    assert link.startswith("https://portal.alt/join/")
    newcomer = site.visitor()
    path = link.removeprefix("https://portal.alt")
    newcomer.send(newcomer.get(path), "/join/", uid="cleo", password=PASSWORD)
    page = ann.get("/invitations")
    assert link not in page.text
    assert "used 1 of 2" in page.words
    assert "└ cleo" in page.words
    revoke = next(one for one in page.read.links if one.endswith("/revoke"))
    assert "Nobody joins by its link" in ann.get(revoke).words
    assert "over" in ann.send(ann.get(revoke), "/revoke").words
    assert site.visitor().get(path).status == 410


def test_prefixes_routes_and_reverse_zones(site: Any) -> None:
    ann = site.person("ann")
    numbers = ann.get("/numbers")
    page = ann.send(numbers, "/numbers", kind="asn")
    assert "is yours" in page.words
    page = ann.send(numbers, "/numbers", kind="48")
    assert page.path.startswith("/numbers/fd")
    assert page.path.endswith("-48")
    path = page.path
    number = next(
        said["value"] for tag, said in page.read.tags if tag == "option" and str(said["value"]).startswith("42")
    )
    page = ann.send(page, path, do="route", asn=str(number))
    assert f"AS{number}" in page.words
    page = ann.send(page, path, do="reverse", nameservers="not a name", ds="")
    assert page.status == 422
    assert 'id="f-nameservers-wrong"' in page.text
    page = ann.send(page, path, do="reverse", nameservers="ns1.garden.alt.", ds="", version=_version(ann.get(path)))
    assert page.status == 200
    page = ann.send(ann.get(path + "/release"), "/release")
    assert "is given back" in page.words
    page = ann.send(ann.get(f"/numbers/as/{number}/release"), "/release")
    assert "is given back" in page.words
    assert ann.get(path).status == 404


def test_the_list_is_searched_and_paged(site: Any) -> None:
    accounts.set_quota(site.desk, site.actor("reg"), "ann", domains=100)
    for number in range(60):
        domains.register(site.desk, site.actor("ann"), f"plot-{number:02}")
    ann = site.person("ann")
    page = ann.get("/names")
    assert "plot-00.alt" in page.words
    assert "plot-59.alt" not in page.words
    further = next(link for link in page.read.links if "cursor=" in link)
    assert "plot-59.alt" in ann.get(further).words
    page = ann.get("/names?part=plot-42")
    assert "plot-42.alt" in page.words
    assert "plot-41.alt" not in page.words
    assert "None of your names" in ann.get("/names?part=zzz").words
    assert "60" in ann.get("/").words


def test_activity_shows_ones_own(site: Any) -> None:
    ann, ben = _with_garden(site), site.person("ben")
    assert "Name registered garden.alt" in ann.get("/activity").words
    assert "garden" not in ben.get("/activity").words
    assert "Name registered" in ann.get("/activity?object=garden.alt.").words
    assert "Nothing has happened" in ann.get("/activity?object=other.alt.").words


def _with_garden(site: Any) -> Any:
    ann = site.person("ann")
    ann.send(ann.get("/names/new"), "/names/new", name="garden")
    return ann


def _version(page: Any) -> str:
    return str(page.form("/numbers/")["values"]["version"])


def test_the_command_line_is_got_from_the_portal_by_whoever_has_no_account(site: Any, tmp_path: Path) -> None:
    answer = site.visitor().client.get("/altnet")
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == 'attachment; filename="altnet"'
    file = tmp_path / "altnet"
    file.write_bytes(answer.content)
    ran = subprocess.run([sys.executable, "-I", file, "--help"], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "registry" in ran.stdout
    assert 'href="/altnet"' in site.person("ben").get("/tokens").text
