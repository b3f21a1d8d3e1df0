"""The lab's containers and networks, with an engine that only remembers."""

from __future__ import annotations

import importlib.util
import types
from pathlib import Path
from typing import Any

import pytest

docker = pytest.importorskip("docker")
PATH = Path(__file__).parents[3] / "lab/library/lab_hosts.py"
PREFIX = "altnet-lab-"
NETWORK = {"ipv4": "10.77.0.0/24", "ipv6": "2001:db8:77::/64"}
DESIRED: dict[str, Any] = {
    "prefix": PREFIX,
    "networks": {f"{PREFIX}underlay": NETWORK, f"{PREFIX}nat": {"ipv4": "10.78.0.0/24", "masquerade": False}},
    "hosts": {
        "fra": {"image": "full", "networks": {f"{PREFIX}underlay": {"ipv4": "10.77.0.11"}}},
        "nyc": {
            "image": "full",
            "networks": {f"{PREFIX}nat": {"ipv4": "10.78.0.12"}, f"{PREFIX}underlay": {"ipv4": "10.77.0.12"}},
            "env": {"X": "1"},
        },
    },
    "repository": "altnet-lab",
    "authorized_key": "ssh-ed25519 AAAA",
    "wait": 1,
    "purge": False,
    "state": "present",
}


class Engine:
    """Docker's low-level client as far as the module uses it, with everything it was told to change."""

    _version = "1.44"

    def __init__(self) -> None:
        self.log: list[str] = []
        self.there: dict[str, dict[str, Any]] = {"somebody-else": {"Names": ["/somebody-else"], "State": "running"}}
        self.nets: dict[str, dict[str, Any]] = {"bridge": {"Name": "bridge"}}
        self.held = {
            "altnet-lab:full": "sha256:1",
            "sha256:0123456789abcdef": "",
            "altnet-lab-base:trixie": "sha256:2",
            "altnet-labour:x": "sha256:3",
        }

    def images(self, filters: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        if filters:
            return [{"Id": tag} for tag in self.held if tag.startswith("sha256:")]
        tags = [tag for tag in self.held if not tag.startswith("sha256:")]
        return [{"RepoTags": [tag]} for tag in tags] + [{"RepoTags": None}]

    def remove_image(self, tag: str, force: bool) -> None:
        self.log.append(f"remove image {tag}")
        del self.held[tag]

    def containers(self, all: bool) -> list[dict[str, Any]]:  # noqa: A002 - docker's name
        return list(self.there.values())

    def networks(self) -> list[dict[str, Any]]:
        return list(self.nets.values())

    def inspect_image(self, tag: str) -> dict[str, str]:
        if tag not in self.held:
            raise docker.errors.ImageNotFound(tag)
        return {"Id": self.held[tag]}

    def inspect_network(self, name: str) -> dict[str, Any]:
        on = {key: {} for key, row in self.there.items() if name in row.get("NetworkSettings", {}).get("Networks", {})}
        return {"Containers": on}

    def create_network(self, name: str, **options: Any) -> None:
        self.log.append(f"create network {name}")
        self.nets[name] = {"Name": name, "Labels": options["labels"], "Options": options}

    def remove_network(self, name: str) -> None:
        self.log.append(f"remove network {name}")
        del self.nets[name]

    def disconnect_container_from_network(self, identity: str, name: str, force: bool) -> None:
        self.log.append(f"disconnect {identity}")

    def create_host_config(self, **options: Any) -> dict[str, Any]:
        return dict(options)

    def create_container(self, image: str, name: str, **options: Any) -> dict[str, str]:
        self.log.append(f"create {name}")
        networks = {key: {} for key in options["networking_config"]["EndpointsConfig"]}
        self.there[name] = {
            "Names": [f"/{name}"],
            "Labels": options["labels"],
            "State": "created",
            "NetworkSettings": {"Networks": networks},
            "Created": options,
        }
        return {"Id": name}

    def connect_container_to_network(self, identity: str, network: str, **addresses: Any) -> None:
        self.there[identity]["NetworkSettings"]["Networks"][network] = addresses

    def start(self, name: str) -> None:
        self.log.append(f"start {name}")
        self.there[name]["State"] = "running"

    def remove_container(self, name: str, force: bool, v: bool) -> None:
        self.log.append(f"remove {name}")
        del self.there[name]

    def logs(self, name: str, tail: int) -> bytes:
        return b"its log"


class EngineError(Exception):
    """The module gave up."""


class World:
    def __init__(self, module: types.ModuleType) -> None:
        self.module, self.engine = module, Engine()

    def call(self, *, check: bool = False, **changes: Any) -> tuple[list[str], list[str]]:
        """Call the module; return its actions and the hosts it says are new."""

        def fail(msg: str) -> None:
            raise EngineError(msg)

        params = {**DESIRED, **changes}
        self.engine.log.clear()
        lab = self.module.Lab(types.SimpleNamespace(params=params, check_mode=check, fail_json=fail))
        if params["state"] == "present":
            lab.up()
        else:
            lab.down()
        assert "somebody-else" in self.engine.there
        assert "bridge" in self.engine.nets
        return lab.actions, lab.created


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    spec = importlib.util.spec_from_file_location("lab_hosts", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made = World(module)
    monkeypatch.setattr(module.docker, "APIClient", lambda **_: made.engine)
    monkeypatch.setattr(module, "answers", lambda _: True)
    return made


ALL_NEW = [
    f"network {PREFIX}nat: created",
    f"network {PREFIX}underlay: created",
    "host fra: created",
    "host nyc: created",
]


def test_a_new_lab(world: World) -> None:
    assert world.call(check=True) == (ALL_NEW, ["fra", "nyc"])
    assert world.engine.log == []
    assert world.call() == (ALL_NEW, ["fra", "nyc"])
    assert world.engine.log[:2] == [f"create network {PREFIX}nat", f"create network {PREFIX}underlay"]
    nyc = world.engine.there[f"{PREFIX}nyc"]
    assert nyc["State"] == "running"
    assert nyc["Created"]["hostname"] == "nyc"
    assert nyc["Created"]["environment"] == {"LAB_AUTHORIZED_KEY": "ssh-ed25519 AAAA", "X": "1"}
    assert list(nyc["NetworkSettings"]["Networks"]) == [f"{PREFIX}nat", f"{PREFIX}underlay"], "the first is eth0"
    masquerade = "com.docker.network.bridge.enable_ip_masquerade"
    assert world.engine.nets[f"{PREFIX}nat"]["Options"]["options"] == {masquerade: "false"}
    assert world.call() == ([], [])
    assert world.engine.log == []


def test_a_host_that_stopped(world: World) -> None:
    world.call()
    world.engine.there[f"{PREFIX}fra"]["State"] = "exited"
    assert world.call(check=True) == (["host fra: started"], [])
    assert world.call() == (["host fra: started"], [])
    assert world.engine.log == [f"start {PREFIX}fra"]


@pytest.mark.parametrize("what", ["env", "image", "key"])
def test_a_host_that_changed(world: World, what: str) -> None:
    world.call()
    changes: dict[str, Any] = {}
    names = ["fra"]
    if what == "env":
        changes["hosts"] = {**DESIRED["hosts"], "fra": {**DESIRED["hosts"]["fra"], "env": {"X": "2"}}}
    elif what == "image":
        world.engine.held["altnet-lab:full"] = "sha256:2"
        names = ["fra", "nyc"]
    else:
        changes["authorized_key"] = "ssh-ed25519 BBBB"
        names = ["fra", "nyc"]
    actions, created = world.call(**changes)
    assert actions == [f"host {name}: replaced" for name in names]
    assert created == names
    assert world.engine.log[:3] == [f"remove {PREFIX}fra", f"create {PREFIX}fra", f"start {PREFIX}fra"]
    assert world.call(**changes) == ([], [])


def test_a_host_that_is_gone_from_the_description(world: World) -> None:
    world.call()
    hosts = {"nyc": DESIRED["hosts"]["nyc"]}
    assert world.call(hosts=hosts, check=True) == (["host fra: removed"], [])
    assert world.engine.log == []
    assert world.call(hosts=hosts) == (["host fra: removed"], [])
    assert world.call(hosts=hosts) == ([], [])


@pytest.mark.parametrize("check", [True, False])
def test_a_network_that_changed_takes_its_hosts_with_it(world: World, check: bool) -> None:
    world.call()
    networks = {**DESIRED["networks"], f"{PREFIX}nat": {"ipv4": "10.79.0.0/24"}}
    assert world.call(networks=networks, check=check) == (
        [
            "host nyc: removed",
            f"network {PREFIX}nat: removed",
            f"network {PREFIX}nat: created",
            "host nyc: created",
        ],
        ["nyc"],
    )
    assert world.engine.there[f"{PREFIX}fra"]["State"] == "running"
    assert bool(world.engine.log) != check


def test_an_image_that_is_not_there(world: World) -> None:
    world.engine.held.clear()
    assert world.call(check=True)[0] == ALL_NEW
    with pytest.raises(EngineError, match="image altnet-lab:full is not there: run lab/build-image first"):
        world.call()


def test_a_subnet_that_is_taken(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def overlap(name: str, **_: Any) -> None:
        raise docker.errors.APIError("x", explanation="Pool overlaps with other one on this address space")

    monkeypatch.setattr(world.engine, "create_network", overlap)
    with pytest.raises(EngineError, match=r"network altnet-lab-nat .*Pool overlaps .*docker network ls"):
        world.call()


def test_a_host_that_does_not_come_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world.module, "answers", lambda _: False)
    with pytest.raises(EngineError, match=r"host fra does not answer on 10.77.0.11 port 22; its log: its log"):
        world.call(wait=0.2)


def test_down(world: World) -> None:
    world.call()
    expected = [
        "host fra: removed",
        "host nyc: removed",
        f"network {PREFIX}nat: removed",
        f"network {PREFIX}underlay: removed",
    ]
    assert world.call(state="absent", check=True) == (expected, [])
    assert world.engine.log == []
    assert world.call(state="absent") == (expected, [])
    assert set(world.engine.there) == {"somebody-else"}
    assert set(world.engine.nets) == {"bridge"}
    assert world.call(state="absent") == ([], [])


def test_down_with_its_images(world: World) -> None:
    """A base that was made here goes too; what only begins with the same letters stays."""
    expected = [
        "image altnet-lab-base:trixie: removed",
        "image altnet-lab:full: removed",
        "image 0123456789ab: removed",
    ]
    assert world.call(state="absent", purge=True, check=True) == (expected, [])
    assert world.call(state="absent", purge=True) == (expected, [])
    assert set(world.engine.held) == {"altnet-labour:x"}
    assert world.call(state="absent", purge=True) == ([], [])
