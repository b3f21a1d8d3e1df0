"""The export: one commit a change, by its author; the files are what the objects are."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest

from altnet.registry.acts import accounts, domains, invitations, prefixes, records, tokens
from altnet.registry.acts.importing import Edit, RefusedError, take
from altnet.registry.domain.model import Scope
from altnet.registry.faces.git import export
from altnet.registry.faces.git.repository import BRANCH, Repository
from altnet.registry.storage.snapshots import OPERATORS, PUBLIC
from altnet.registry.storage.store import Store
from altnet.registry.texts import check, objects, reading

POLICY_FILE = "registry"


def exported(desk, repository, name=PUBLIC):
    while export.turn(desk, repository, name):
        pass


def log(repository, form="%an %s"):
    return repository.run("log", "--reverse", f"--format={form}", BRANCH).decode().splitlines()


def files(repository: Repository) -> dict[str, str]:
    names = repository.run("ls-tree", "-r", "-z", "--name-only", BRANCH).decode().split("\0")[:-1]
    return {name: text.decode() for name, text in repository.texts(BRANCH, names).items()}


def test_one_commit_a_change_by_its_author(desk, actor, repository) -> None:
    exported(desk, repository)
    domains.register(
        desk, actor("ada"), "garden", rrsets=[{"name": "www", "type": "AAAA", "ttl": 300, "records": ["fd12::1"]}]
    )
    records.put(desk, actor("ada"), "garden", "@", "TXT", 300, ['"a \\"b\\" \\195\\164"'])
    domains.register(desk, actor("ben"), "con")
    domains.release(desk, actor("ada"), "garden")
    exported(desk, repository)
    assert log(repository)[1:] == [
        "ada domain.register: garden.alt.",
        "ada rrset.put: garden.alt.",
        "ben domain.register: con.alt.",
        "ada domain.release: garden.alt.",
    ]
    # Each commit has what was there right after its change, however late it is exported.
    second = repository.run("show", f"{BRANCH}~2:domains/alt.garden").decode()
    assert 'record:      @ 300 TXT "a \\"b\\" \\195\\164"\n' in second
    assert "record:      www 300 AAAA fd12::1\n" in second
    assert "domains/alt.garden" not in files(repository)
    assert "domains/alt.con_" in files(repository)


def test_a_kill_between_commit_and_database_does_nothing_twice(desk, actor, repository, monkeypatch) -> None:
    exported(desk, repository)
    domains.register(desk, actor("ada"), "garden")
    real = export._head
    monkeypatch.setattr(export, "delete", lambda table: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        export.turn(desk, repository, PUBLIC)
    monkeypatch.undo()
    assert export._head is real
    exported(desk, repository)
    assert log(repository).count("ada domain.register: garden.alt.") == 1


def test_a_lost_repository_begins_anew_with_what_there_is(desk, actor, repository, tmp_path) -> None:
    domains.register(desk, actor("ada"), "garden")
    exported(desk, repository)
    before = files(repository)
    again = Repository(tmp_path / "again.git")
    again.prepare(["/bin/false"])
    exported(desk, again)
    assert files(again) == before


def test_what_is_private_is_in_the_operators_repository_alone(desk, actor, repository, tmp_path) -> None:
    one, secret = invitations.create(desk, actor("ada"), note="for Ben's friend")
    _, token = tokens.make(desk, actor("ada"), "router", Scope(names=("garden.alt.",)))
    exported(desk, repository)
    private = Repository(tmp_path / "operators.git")
    private.prepare(["/bin/false"])
    exported(desk, private, OPERATORS)
    assert not [name for name in files(repository) if name.startswith(("invitations", "tokens"))]
    found = files(private)
    assert "for Ben's friend" in found[f"invitations/{one.id}"]
    assert "router" in "".join(found.values())
    whole = "".join(found.values()) + "".join(files(repository).values())
    assert secret not in whole
    assert token not in whole


def test_the_tree_is_what_the_check_takes(desk, actor, repository, tmp_path) -> None:
    domains.register(
        desk,
        actor("ada"),
        "garden",
        rrsets=[{"name": "*", "type": "MX", "ttl": 60, "records": ["10 mail.garden.alt."]}],
    )
    domains.register(desk, actor("ada"), "gärten")
    asn = prefixes.register_asn(desk, actor("ada"))
    prefix = prefixes.register_prefix(desk, actor("ada"), 56)
    prefixes.add_route(desk, actor("ada"), prefix.prefix, asn.number)
    exported(desk, repository)
    copy = tmp_path / "copy"
    subprocess.run(["git", "clone", "-q", repository.place, copy], check=True)
    assert check.directory(copy) == []
    bad = copy / "domains" / "alt.garden"
    bad.write_text(bad.read_text().replace("10 mail", "ten mail"))
    (line,) = [number for number, text in enumerate(bad.read_text().splitlines(), 1) if "ten mail" in text]
    (wrong,) = check.directory(copy)
    assert str(wrong).startswith(f"domains/alt.garden:{line}: ")


def test_a_round_trip_loses_nothing(desk, actor, repository, tmp_path) -> None:
    """Export, and take every file into a registry that has nothing."""
    kinds = {
        "AAAA": ["fd12::1", "fd12::2"], "CAA": ['0 issue "ca.alt"'], "SRV": ["0 5 5060 sip.garden.alt."],
        "TXT": ['"\\000\\255" "b"'], "LOC": ["52 22 23.000 N 4 53 32.000 E -2.00m 1.00m 10000.00m 10.00m"],
    }  # fmt: skip
    given = [{"name": f"n{kind.lower()}", "type": kind, "ttl": 77, "records": values} for kind, values in kinds.items()]
    given.append({"name": "_sip._tcp", "type": "SRV", "ttl": 1, "records": ["0 5 5060 sip.garden.alt."]})
    domains.register(desk, actor("ada"), "garden", rrsets=given)
    delegated = [
        {"name": "@", "type": "NS", "ttl": 3600, "records": ["ns.far.alt."]},
        {"name": "ns", "type": "AAAA", "ttl": 3600, "records": ["fd00::53"]},
    ]
    domains.register(desk, actor("ada"), "far", rrsets=delegated, hosting="delegated")
    exported(desk, repository)
    mine = {path: text for path, text in files(repository).items() if path.startswith("domains/")}
    fresh = _fresh(tmp_path, desk, actor)
    strip = lambda text: "".join(  # noqa: E731
        line for line in text.splitlines(keepends=True) if not line.startswith(("created", "updated", "expires"))
    )
    said = take(fresh, actor("ada"), [Edit(path, None, strip(text)) for path, text in mine.items()])
    assert len(said) == 2
    for path, text in mine.items():
        name = reading.domain(path, text, desk.policy)[0].name
        assert strip(objects.domain(domains.get(fresh, actor("ada"), name))) == strip(text)


def _fresh(tmp_path, desk, actor):
    store = Store.open(f"sqlite:///{tmp_path}/fresh.sqlite")
    store.migrate()
    fresh = replace(desk, store=store)
    accounts.me(fresh, actor("ada"))
    return fresh


class TestTaking:
    def edit(self, desk, actor, repository, change, name="garden") -> Edit:
        domains.register(desk, actor("ada"), name)
        exported(desk, repository)
        path = f"domains/alt.{name}"
        before = files(repository)[path]
        return Edit(path, before, change(before))

    def test_records_are_changed(self, desk, actor, repository) -> None:
        edit = self.edit(desk, actor, repository, lambda text: text + "record:      www 60 AAAA fd12::1\n")
        assert take(desk, actor("ada"), [edit]) == ["garden.alt. is changed"]
        assert domains.get(desk, actor("ada"), "garden").rrsets[0].records == ("fd12::1",)

    def test_others_are_not(self, desk, actor, repository) -> None:
        edit = self.edit(desk, actor, repository, lambda text: text + "record:      www 60 AAAA fd12::1\n")
        with pytest.raises(RefusedError, match=r"domains/alt\.garden:1: There is no"):
            take(desk, actor("ben"), [edit])

    def test_all_or_nothing(self, desk, actor, repository) -> None:
        edit = self.edit(desk, actor, repository, lambda text: None)
        new = Edit("domains/alt.shed", None, "domain: shed.alt.\n")
        taken = Edit("domains/alt.garden", None, "domain: garden.alt.\n")
        before = len(log(repository))
        with pytest.raises(RefusedError, match="Somebody has this already"):
            take(desk, actor("ben"), [new, taken])
        exported(desk, repository)
        assert len(log(repository)) == before
        assert take(desk, actor("ada"), [edit, new]) == ["garden.alt. is released", "shed.alt. is registered"]

    def test_what_has_changed_meanwhile(self, desk, actor, repository) -> None:
        edit = self.edit(desk, actor, repository, lambda text: text + "record:      www 60 AAAA fd12::1\n")
        records.put(desk, actor("ada"), "garden", "x", "AAAA", 60, ["fd12::2"])
        with pytest.raises(RefusedError, match="has changed since"):
            take(desk, actor("ada"), [edit])

    def test_what_is_not_theirs_to_set(self, desk, actor, repository) -> None:
        edit = self.edit(desk, actor, repository, lambda text: text.replace("expires:     20", "expires:     21"))
        with pytest.raises(RefusedError, match=r"domains/alt.garden:7: expires is '21"):
            take(desk, actor("ada"), [edit])

    def test_a_delegation_is_asked_for_first(self, desk, actor, repository) -> None:
        text = "domain: far.alt.\nhosting: delegated\nrecord: @ 3600 NS bad.other.alt.\n"
        with pytest.raises(RefusedError, match="does not answer"):
            take(desk, actor("ada"), [Edit("domains/alt.far", None, text)])
        text = text.replace("bad.", "ns.")
        assert take(desk, actor("ada"), [Edit("domains/alt.far", None, text)]) == ["far.alt. is registered"]
