"""The zones as a standing order: held against PowerDNS as the module would, without a secret on disk."""

from __future__ import annotations

from pathlib import Path

import pytest
from powerdns_fakes import CATALOG, SECRET, arguments, key, rrset, zone

from altnet.host import standing
from altnet.powerdns import order

AAAA = rrset("fra.net.alt.", "AAAA", "fd12:3456:789a::1")
NET = zone("net.alt.", AAAA, keys=[key("net-private"), key("next-private", active=False)])


@pytest.fixture
def path(world, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The order of a PowerDNS that has just been brought to it."""
    monkeypatch.setattr(order, "_api", lambda *_, **__: world.api)
    world.run(NET)  # in a time of the test's
    found = tmp_path / "pdns_zones" / "order.json"
    assert order.run(arguments(NET), check_mode=False, path=found).diff == []
    world.api.sent()
    return found


def test_it_stands_with_the_modules_own_answer(path: Path) -> None:
    answer = order.stands(path)
    assert answer == ("f1", order.run(arguments(NET), check_mode=True, path=path).result())


def test_no_secret_is_kept_twice(path: Path) -> None:
    assert not [secret for secret in (SECRET, "net-private", "next-private") if secret in path.read_text()]


def drop(api):
    api.zones["net.alt."]["rrsets"] = [one for one in api.zones["net.alt."]["rrsets"] if one["type"] != "AAAA"]


@pytest.mark.parametrize(
    "change",
    [
        drop,
        lambda api: api.zones.pop("net.alt."),
        lambda api: api.zones.pop(CATALOG),
        lambda api: api.zones["net.alt."].update(soa_edit=""),
        lambda api: api.keys["net.alt."].pop(),
        lambda api: api.keys["net.alt."][1].update(active=True),
        lambda api: api.keys["net.alt."][0].update(privatekey=key("other")["private"]),
        lambda api: api.tsig["transfer."].update(key="other"),
        lambda api: api.tsig.clear(),
    ],
    ids=["record", "zone", "catalog", "setting", "no key", "key's state", "other key", "transfer key", "none"],
)
def test_what_was_changed_by_hand_ends_it(path: Path, world, change) -> None:
    assert "pdns_zones" in standing.standing(lambda *_: None, places=standing.Places(zones=path, sets=path.parent))
    change(world.api)
    assert "pdns_zones" not in standing.standing(lambda *_: None, places=standing.Places(zones=path, sets=path.parent))
    assert world.api.sent() == [], "it only looks"


def test_what_has_no_name_or_is_a_rehearsal_is_not_remembered(path: Path) -> None:
    order.run(arguments(NET, _order="f2"), check_mode=True, path=path)
    assert order.stands(path) is not None
    order.run(arguments(NET, _order=None), check_mode=False, path=path)
    assert order.stands(path) is None
    assert not path.exists()
