"""When a task takes what the probe said of its order, and when the module is executed all the same."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible import constants
from ansible.plugins.loader import action_loader
from controller_world import ROOT

from altnet.controller import orders

action_loader.add_directory(str(ROOT / "action_plugins"))
ARGS = {"generations": [0], "state": "present"}
ORDER = orders.fingerprint("wireguard_key", ARGS)
KNOWN = {"changed": False, "public_keys": {"0": "known"}}


@pytest.fixture(autouse=True)
def _rundir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))


def variables(age: float = 1.0, **changes: Any) -> dict[str, Any]:
    answer = {"fingerprint": ORDER, "result": KNOWN}
    facts = {"asked_at": time.time() - age, "standing": {"wireguard_key": answer}, **changes}
    return {"inventory_hostname": "fra", "altnet_host": facts}


def act(
    task_vars: dict[str, Any], executed: list[dict[str, Any]], answer: Any = None, again: Any = None, **task: Any
) -> dict[str, Any]:
    """Run the action wireguard_key; what would go to the host is put into ``executed``. ``again`` answers the probe."""
    stub = {"args": ARGS, "async_val": 0, "check_mode": False, "diff": False, "delegate_to": None, **task}
    nothing = dict.fromkeys(("play_context", "loader", "templar", "shared_loader_obj"))
    connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir=None))
    plugin = action_loader.get(
        "wireguard_key", task=SimpleNamespace(action="wireguard_key", **stub), connection=connection, **nothing
    )

    def execute(module_name: str, module_args: dict[str, Any], **_: Any) -> dict[str, Any]:
        executed.append(module_args)
        if module_name == "altnet_probe":
            return again or {"failed": True, "msg": "no"}
        return answer or {"changed": False, "public_keys": {"0": "asked"}}

    plugin._execute_module = execute
    result: dict[str, Any] = plugin.run(None, task_vars)
    return result


def test_a_standing_order_is_not_given_again() -> None:
    executed: list[dict[str, Any]] = []
    assert act(variables(), executed) == KNOWN
    assert act(variables(), executed, check_mode=True) == KNOWN
    assert executed == []


# The clock runs between collection and a test: the age is reckoned in the test.
@pytest.mark.parametrize(
    ("facts", "task"),
    [
        ({"standing": {}}, {}),
        ({"standing": {"wireguard_key": {"fingerprint": "other", "result": KNOWN}}}, {}),
        ({"asked_at": None}, {}),
        ({"age": orders.AGE_MAX + 5}, {}),
        ({"age": -60}, {}),
        ({}, {"args": {**ARGS, "prune": True}}),
        ({}, {"args": {**ARGS, "directory": "/elsewhere"}}),
        ({}, {"delegate_to": "nyc"}),
    ],
    ids=["nothing stands", "other order", "no time", "old", "future", "more", "elsewhere", "delegated"],
)
def test_otherwise_the_module_is_executed(facts: dict[str, Any], task: dict[str, Any]) -> None:
    executed: list[dict[str, Any]] = []
    assert act(variables(**facts), executed, **task)["public_keys"] == {"0": "asked"}
    assert len(executed) == 1


def test_without_a_probe_the_module_is_executed() -> None:
    executed: list[dict[str, Any]] = []
    assert act({"inventory_hostname": "fra"}, executed)["public_keys"] == {"0": "asked"}
    assert len(executed) == 1


def said(**standing: Any) -> dict[str, Any]:
    """Return what the probe answers when it is asked again, now."""
    return {"ansible_facts": {"altnet_host": {"asked_at": time.time(), "standing": standing}}}


@pytest.mark.parametrize("answer", [{"changed": True}, {"failed": True, "msg": "no"}, {"unreachable": True}])
def test_after_a_change_the_host_is_asked_again(answer: dict[str, Any]) -> None:
    executed: list[dict[str, Any]] = []
    other = {"args": {"generations": [0, 1]}}
    act(variables(), executed, {"changed": False}, **other)
    act(variables(), executed, answer, check_mode=True, **other)
    assert act(variables(), executed) == KNOWN, "neither an unchanged host nor check mode counts"
    act(variables(), executed, answer, **other)
    executed.clear()
    assert act(variables(), executed, again=said())["public_keys"] == {"0": "asked"}, "it holds no more"
    assert [args.get("orders_only") for args in executed] == [True, None]
    assert act({**variables(), "inventory_hostname": "nyc"}, executed) == KNOWN


def test_it_is_asked_once_for_all_that_follows_up_to_its_next_change() -> None:
    executed: list[dict[str, Any]] = []
    now = {"changed": False, "public_keys": {"0": "now"}}
    again = said(wireguard_key={"fingerprint": ORDER, "result": now})
    act(variables(), executed, {"changed": True}, args={"generations": [0, 1]})
    assert act(variables(), executed, again=again) == now
    assert act(variables(), executed, again=again) == now
    assert [args.get("orders_only") for args in executed] == [None, True]
    # What is asked for differently is executed, whatever the host would say.
    act(variables(), executed, {"changed": True}, again=again, args={"generations": [0, 2]})
    assert [args.get("orders_only") for args in executed] == [None, True, None]
    assert act(variables(), executed)["public_keys"] == {"0": "asked"}, "a host that cannot say is executed on"


def test_an_answer_after_a_change_is_young(monkeypatch: pytest.MonkeyPatch) -> None:
    executed: list[dict[str, Any]] = []
    act(variables(), executed, {"changed": True}, args={"generations": [0, 1]})
    old = said(wireguard_key={"fingerprint": ORDER, "result": KNOWN})
    assert act(variables(), executed, again=old) == KNOWN
    later = time.time() + orders.AGAIN_MAX + 5
    monkeypatch.setattr(orders.time, "time", lambda: later)
    facts = {"asked_at": later - 1}
    assert act(variables(**facts), executed, again=said())["public_keys"] == {"0": "asked"}
    assert [args.get("orders_only") for args in executed] == [None, True, True, None]


def test_the_fingerprint_is_of_every_argument() -> None:
    assert orders.fingerprint("m", {"a": 1, "b": [1, 2]}) == orders.fingerprint("m", {"b": [1, 2], "a": 1})
    different = [("m", {"a": 1}), ("n", {"a": 1}), ("m", {"a": 2}), ("m", {"a": [1, 2]}), ("m", {"a": [2, 1]})]
    assert len({orders.fingerprint(*one) for one in different}) == len(different)


MASTER = "correct horse battery staple correct horse"


def transact(files: list[dict[str, Any]], executed: list[dict[str, Any]], **task_vars: Any) -> dict[str, Any]:
    """Run the action transaction on a host ``fra``."""
    args = {"name": "fake", "files": files}
    stub = {"args": args, "async_val": 0, "check_mode": False, "diff": False, "delegate_to": None}
    templar = SimpleNamespace(template=lambda value: value)
    nothing = dict.fromkeys(("play_context", "loader", "shared_loader_obj"))
    plugin = action_loader.get(
        "transaction",
        task=SimpleNamespace(action="transaction", **stub),
        connection=SimpleNamespace(_shell=SimpleNamespace(tmpdir=None)),
        templar=templar,
        **nothing,
    )

    def execute(module_name: str, module_args: dict[str, Any], **_: Any) -> dict[str, Any]:
        executed.append(module_args)
        return {"changed": False}

    plugin._execute_module = execute
    result: dict[str, Any] = plugin.run(None, {"inventory_hostname": "fra", **task_vars})
    return result


def test_a_set_with_a_secret_is_named_by_a_key_of_the_networks() -> None:
    executed: list[dict[str, Any]] = []
    secret = [{"path": "/k", "content": "hunter2", "sensitive": True}]
    plain = [{"path": "/k", "content": "hunter2"}]
    transact(secret, executed)
    transact(secret, executed, altnet_master_secret=MASTER)
    transact(secret, executed, altnet_master_secret=MASTER + "!")
    transact([{**secret[0], "content": "hunter3"}], executed, altnet_master_secret=MASTER)
    transact(plain, executed, altnet_master_secret=MASTER)
    without, with_master, *others = [args["_order"] for args in executed]
    assert without is None, "no key, no name"
    assert len({with_master, *others}) == 4
    everything = {key: value for key, value in executed[1].items() if key != "_order"}
    assert orders.fingerprint("transaction", everything) != with_master, "who guesses the contents cannot try the guess"


def test_a_standing_set_with_a_secret_is_not_executed_again() -> None:
    executed: list[dict[str, Any]] = []
    secret = [{"path": "/k", "content": "hunter2", "sensitive": True}]
    transact(secret, executed, altnet_master_secret=MASTER)
    answer = {"fingerprint": executed[0]["_order"], "result": KNOWN}
    facts = {"asked_at": time.time() - 1, "standing": {"transaction fake": answer}}
    assert transact(secret, executed, altnet_master_secret=MASTER, altnet_host=facts) == KNOWN
    assert len(executed) == 1


def publish(executed: list[dict[str, Any]], answer: Any = None, args: Any = None, **task_vars: Any) -> dict[str, Any]:
    """Run the action pdns_zones for the host ``fra``, delegated to the primary ``core``."""
    zone = {"name": "alt.", "parent": None, "rrsets": [], "keys": [{"private": "hunter2"}]}
    args = {"zones": [zone], "address": "fd12:3456:789a::2", "secondaries": [], **(args or {})}
    stub = {"args": args, "async_val": 0, "check_mode": False, "diff": False, "delegate_to": "core"}
    nothing = dict.fromkeys(("play_context", "loader", "shared_loader_obj"))
    plugin = action_loader.get(
        "pdns_zones",
        task=SimpleNamespace(action="pdns_zones", **stub),
        connection=SimpleNamespace(_shell=SimpleNamespace(tmpdir=None)),
        templar=SimpleNamespace(template=lambda value: value),
        **nothing,
    )

    def execute(module_name: str, module_args: dict[str, Any], **_: Any) -> dict[str, Any]:
        executed.append(module_args)
        return answer or {"changed": False}

    plugin._execute_module = execute
    result: dict[str, Any] = plugin.run(
        None, {"inventory_hostname": "fra", "altnet_master_secret": MASTER, **task_vars}
    )
    return result


def test_zones_that_stand_on_the_primary_are_not_published_again() -> None:
    executed: list[dict[str, Any]] = []
    publish(executed)
    assert executed[0]["_host"] == "core", "it is told its own name"
    order = executed.pop()["_order"]
    facts = {"asked_at": time.time() - 1, "standing": {"pdns_zones": {"fingerprint": order, "result": KNOWN}}}
    asked = {"hostvars": {"core": {"altnet_host": facts}}}
    assert publish(executed, **asked) == KNOWN
    assert executed == []
    publish(executed, altnet_host=facts, hostvars={"core": {}})
    publish(executed, args={"wait": 60}, **asked)
    publish(executed, args={"settle": True}, **asked)
    assert [args["_order"] == order for args in executed] == [True, False, False], "another host's, or another order"
    assert executed[-1]["_order"] is None, "what is done once is not remembered"
    publish(executed, {"changed": True}, args={"wait": 60}, **asked)
    publish(executed, **asked)
    assert len(executed) == 6, "a change ends it on the primary, which is asked again"
    assert executed[-2]["orders_only"]
