#!/usr/bin/python
"""Containers that stand in for hosts: the whole lab in one call."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lab_hosts
short_description: Bring the lab's containers and networks to the described state
description:
  - Creates, replaces, starts or removes the containers that stand in for hosts, and the networks between them.
  - A container whose description changed is replaced; one that stopped is started; nothing else is touched.
  - Runs on the control node and needs the C(docker) Python package there.
options:
  prefix:
    description: Begins the name of every container; whatever else has it is a leftover and is removed.
    type: str
    required: true
  networks:
    description: By name, C(ipv4) and C(ipv6) subnets, and whether the engine masquerades what leaves.
    type: dict
    default: {}
  hosts:
    description: By host name, C(image) tag, C(networks) with the addresses there (the first is eth0) and C(env).
    type: dict
    default: {}
  repository:
    description: The image repository whose tags the hosts name.
    type: str
    default: altnet-lab
  authorized_key:
    description: The ssh public key that may log in as root.
    type: str
    default: ""
  wait:
    description: Seconds to wait until every host answers on its ssh port.
    type: int
    default: 300
  purge:
    description: With C(state=absent), remove the images too.
    type: bool
    default: false
  state:
    description: Whether the lab is there.
    type: str
    choices: [present, absent]
    default: present
attributes:
  check_mode: {support: full}
  diff_mode: {support: full}
author: The Altnet developers
"""

EXAMPLES = r"""
- name: Bring up two hosts on one wire
  lab_hosts:
    prefix: altnet-lab-
    networks: {altnet-lab-underlay: {ipv4: 10.77.0.0/24}}
    hosts: {fra: {image: full, networks: {altnet-lab-underlay: {ipv4: 10.77.0.11}}}}
    authorized_key: "{{ lookup('ansible.builtin.file', 'id_ed25519.pub') }}"
"""

RETURN = r"""
actions:
  description: What was done, in words, in order.
  returned: always
  type: list
  elements: str
  sample: ["network altnet-lab-underlay: created", "host fra: created"]
created:
  description: The hosts whose container is new, and whose ssh host key is new with it.
  returned: always
  type: list
  elements: str
"""

import hashlib
import json
import socket
import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule

try:
    import docker
    import docker.errors
    from docker.types import EndpointConfig, IPAMConfig, IPAMPool
except ImportError:
    docker = None

# What systemd, WireGuard, BIRD, nftables and ping need; ALL cannot be had on every machine.
CAPABILITIES = [
    "SYS_ADMIN",
    "NET_ADMIN",
    "NET_BROADCAST",
    "NET_RAW",
    "SYS_PTRACE",
    "AUDIT_WRITE",
    "IPC_LOCK",
    "DAC_READ_SEARCH",
]
LABEL = "altnet.lab.spec"


def digest(value: object) -> str:
    """Return a short digest of ``value``'s JSON form."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


class Lab:
    """The engine's present state, and the calls that change it (or, in check mode, only say so)."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.params: dict[str, Any] = module.params
        self.api = docker.APIClient(version="auto", timeout=600)
        self.actions: list[str] = []
        self.created: list[str] = []

    def do(self, what: str) -> bool:
        """Record an action; return whether it is to be carried out."""
        self.actions.append(what)
        return not self.module.check_mode

    def containers(self) -> dict[str, dict[str, Any]]:
        """Return the containers whose name has the prefix, by name."""
        prefix = self.params["prefix"]
        found = {}
        for row in self.api.containers(all=True):
            for name in row["Names"]:
                if name.lstrip("/").startswith(prefix):
                    found[name.lstrip("/")] = row
        return found

    def networks(self) -> dict[str, dict[str, Any]]:
        """Return the networks whose name has the prefix, by name."""
        prefix = self.params["prefix"]
        return {row["Name"]: row for row in self.api.networks() if row["Name"].startswith(prefix)}

    def remove_container(self, name: str) -> None:
        """Remove a container, running or not."""
        self.api.remove_container(name, force=True, v=True)

    def remove_network(self, name: str) -> None:
        """Remove a network and whatever leftover containers still hang on it."""
        for identity in (self.api.inspect_network(name).get("Containers") or {}).copy():
            self.api.disconnect_container_from_network(identity, name, force=True)
        self.api.remove_network(name)

    def spec(self, host: dict[str, Any]) -> dict[str, Any]:
        """Return everything that, when it changes, makes a new container necessary."""
        tag = f"{self.params['repository']}:{host['image']}"
        try:
            image = self.api.inspect_image(tag)["Id"]
        except docker.errors.ImageNotFound:
            if not self.module.check_mode:
                self.module.fail_json(msg=f"image {tag} is not there: run lab/build-image first")
            image = ""
        networks = {name: self.params["networks"][name] for name in host["networks"]}
        return {
            "host": host,
            "image": image,
            "networks": networks,
            "key": self.params["authorized_key"],
            "capabilities": CAPABILITIES,
        }

    def create_network(self, name: str, network: dict[str, Any]) -> None:
        """Create a bridge with the given subnets; an overlap with a foreign network is the operator's to mend."""
        pools = [IPAMPool(subnet=network[family]) for family in ("ipv4", "ipv6") if family in network]
        options = {"com.docker.network.bridge.enable_ip_masquerade": str(network.get("masquerade", True)).lower()}
        try:
            self.api.create_network(
                name,
                driver="bridge",
                ipam=IPAMConfig(pool_configs=pools),
                enable_ipv6="ipv6" in network,
                options=options,
                labels={LABEL: digest(network)},
            )
        except docker.errors.APIError as error:
            self.module.fail_json(
                msg=f"network {name} ({network}) cannot be created: {error.explanation}. Another network of this "
                "machine may use the subnet: `docker network ls` shows them; change lab/underlay.yml or remove it."
            )

    def create_container(self, name: str, host: dict[str, Any], spec: dict[str, Any]) -> None:
        """Create, connect and start one host."""
        short = name.removeprefix(self.params["prefix"])
        env = {"LAB_AUTHORIZED_KEY": self.params["authorized_key"], **host.get("env", {})}
        host_config = self.api.create_host_config(
            cap_add=CAPABILITIES,
            security_opt=["seccomp=unconfined", "apparmor=unconfined"],
            tmpfs={"/run": "", "/run/lock": "", "/tmp": ""},  # noqa: S108 - inside the container
            devices=["/dev/net/tun:/dev/net/tun:rwm"],
            restart_policy={"Name": "no"},
        )
        host_config["CgroupnsMode"] = "private"
        (first, address), *rest = host["networks"].items()

        def endpoint(addresses: dict[str, str]) -> EndpointConfig:
            return EndpointConfig(
                self.api._version, ipv4_address=addresses.get("ipv4"), ipv6_address=addresses.get("ipv6")
            )

        container = self.api.create_container(
            f"{self.params['repository']}:{host['image']}",
            name=name,
            hostname=short,
            environment=env,
            labels={LABEL: digest(spec)},
            host_config=host_config,
            networking_config={"EndpointsConfig": {first: endpoint(address)}},
        )
        for network, addresses in rest:
            self.api.connect_container_to_network(
                container["Id"],
                network,
                ipv4_address=addresses.get("ipv4"),
                ipv6_address=addresses.get("ipv6"),
            )
        self.api.start(container["Id"])

    def up(self) -> None:
        """Bring networks, then hosts, to the described state; then wait for ssh."""
        prefix, hosts = self.params["prefix"], self.params["hosts"]
        networks = self.networks()
        stale = {
            name
            for name, row in networks.items()
            if row.get("Labels", {}).get(LABEL) != digest(self.params["networks"].get(name))
        }
        present = self.clear({prefix + name for name in hosts}, stale)
        self.bring_networks(set(networks) - stale, stale)
        for name, host in hosts.items():
            self.bring_host(prefix + name, host, present.get(prefix + name))
        if not self.module.check_mode:
            self.wait(hosts)

    def clear(self, wanted: set[str], stale: set[str]) -> dict[str, dict[str, Any]]:
        """Remove containers that are not wanted or hang on a network that has to go; return the others by name."""
        kept = {}
        for name, row in sorted(self.containers().items()):
            if name in wanted and not stale & set(row.get("NetworkSettings", {}).get("Networks", {})):
                kept[name] = row
            elif self.do(f"host {name.removeprefix(self.params['prefix'])}: removed"):
                self.remove_container(name)
        return kept

    def bring_networks(self, present: set[str], stale: set[str]) -> None:
        """Remove the networks that are ``stale`` and create those that are not ``present``."""
        for name in sorted(stale):
            if self.do(f"network {name}: removed"):
                self.remove_network(name)
        for name, network in sorted(self.params["networks"].items()):
            if name not in present and self.do(f"network {name}: created"):
                self.create_network(name, network)

    def bring_host(self, name: str, host: dict[str, Any], row: dict[str, Any] | None) -> None:
        """Create, replace or start one container; ``row`` is what the engine says of the one that is there."""
        short, spec = name.removeprefix(self.params["prefix"]), self.spec(host)
        if row and row["Labels"].get(LABEL) == digest(spec):
            if row["State"] != "running" and self.do(f"host {short}: started"):
                self.api.start(name)
            return
        self.created.append(short)
        if self.do(f"host {short}: {'replaced' if row else 'created'}"):
            if row:
                self.remove_container(name)
            self.create_container(name, host, spec)

    def wait(self, hosts: dict[str, Any]) -> None:
        """Wait until every host sends its ssh banner."""
        deadline = time.monotonic() + self.params["wait"]
        for name, host in hosts.items():
            address = next(iter(host["networks"].values()))["ipv4"]
            while not answers(address):
                if time.monotonic() > deadline:
                    log = self.api.logs(self.params["prefix"] + name, tail=20).decode(errors="replace")
                    self.module.fail_json(msg=f"host {name} does not answer on {address} port 22; its log: {log}")
                time.sleep(0.1)

    def down(self) -> None:
        """Remove every container and network that has the prefix."""
        for name in sorted(self.containers()):
            if self.do(f"host {name.removeprefix(self.params['prefix'])}: removed"):
                self.remove_container(name)
        for name in sorted(self.networks()):
            if self.do(f"network {name}: removed"):
                self.remove_network(name)
        if self.params["purge"]:
            self.remove_images()

    def remove_images(self) -> None:
        """Remove the repository's images, and the base that was made where no registry answered."""
        tags = sorted(tag for row in self.api.images() for tag in row["RepoTags"] or ())
        for tag in tags:
            name = tag.rpartition(":")[0]
            mine = name in {self.params["repository"], f"{self.params['repository']}-base"}
            if mine and self.do(f"image {tag}: removed"):
                self.api.remove_image(tag, force=True)
        # What an earlier build left when its tag moved on.
        for row in self.api.images(filters={"dangling": True, "label": "altnet.lab.digest"}):
            if self.do(f"image {row['Id'].removeprefix('sha256:')[:12]}: removed"):
                self.api.remove_image(row["Id"], force=True)


def answers(address: str) -> bool:
    """Return whether an ssh server at ``address`` sends its banner within a second."""
    try:
        with socket.create_connection((address, 22), timeout=1) as connection:
            connection.settimeout(1)
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "prefix": {"type": "str", "required": True},
            "networks": {"type": "dict", "default": {}},
            "hosts": {"type": "dict", "default": {}},
            "repository": {"type": "str", "default": "altnet-lab"},
            "authorized_key": {"type": "str", "default": "", "no_log": False},
            "wait": {"type": "int", "default": 300},
            "purge": {"type": "bool", "default": False},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        supports_check_mode=True,
    )
    if docker is None:
        module.fail_json(msg="the docker Python package is missing on the control node: run `make venv`")
    try:
        lab = Lab(module)
        if module.params["state"] == "present":
            lab.up()
        else:
            lab.down()
    except docker.errors.DockerException as error:
        module.fail_json(
            msg=f"the docker engine refused: {error}. Is one running? `docker info` tells; `lab/engine` starts one"
        )
    module.exit_json(
        changed=bool(lab.actions),
        actions=lab.actions,
        created=lab.created,
        diff={"before": "", "after": "".join(f"{action}\n" for action in lab.actions)},
    )


if __name__ == "__main__":
    main()
