"""From plain data to the typed inventory."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from ..addressing import ANYCAST, ASNS, DEFAULT_ASN_BASE, MAX_ASN, parse_prefix
from ..errors import AltnetError, InventoryError, Problem
from ..naming import tlds as top_level
from . import zones
from .check import check
from .model import FAMILIES, STRATEGIES, Anycast, Host, Inventory, Topology
from .reader import Reader

# The secret is read where secrets are derived, not here.
NETWORK_KEYS = (
    "prefix", "allow_fc00", "asn_base", "topology", "anycast", "master_secret", "tlds", "tlds_forced", "zones",
)  # fmt: skip
HOST_KEYS = ("endpoints", "nat", "families", "region", "attach")
TOPOLOGY_KEYS = ("strategy", "degree", "full_mesh_max", "hubs", "links", "attach")
ANYCAST_KEYS = ("name", "address_index", "origins")
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_REGION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_SERVICE = re.compile(r"[a-z]([a-z0-9-]{0,30}[a-z0-9])?")


def parse(
    network: Mapping[str, object],
    hosts: Mapping[str, Mapping[str, object]],
    relays: Collection[str],
    *,
    authoritative: Sequence[str] = (),
    resolvers: Sequence[str] = (),
    directory: Sequence[str] = (),
) -> Inventory:
    """Return the typed inventory, or raise :class:`InventoryError` with every problem there is.

    ``network`` has the values that the network has once, ``hosts`` the values of each host, ``relays``,
    ``authoritative``, ``resolvers`` and ``directory`` the names of the groups of those names. Keys are the variables'
    names, with or without their ``altnet_``.
    """
    problems: list[Problem] = []
    members = frozenset(map(str, relays))
    reader = Reader("", network, problems, NETWORK_KEYS)
    inventory = Inventory(
        hosts={
            name: _host(Reader(name, hosts[name], problems, HOST_KEYS), name, relay=name in members)
            for name in sorted(hosts)
        },
        topology=_topology(reader),
        prefix=_prefix(reader),
        allow_fc00=reader.values.get("allow_fc00") is True,
        asn_base=reader.whole(
            reader.values.get("asn_base", DEFAULT_ASN_BASE), "altnet_asn_base", DEFAULT_ASN_BASE,
            DEFAULT_ASN_BASE, MAX_ASN - ASNS.last,
        ),
        anycast=_anycast(reader),
        authoritative=tuple(dict.fromkeys(name for name in authoritative if name in hosts)),
        resolvers=tuple(dict.fromkeys(name for name in resolvers if name in hosts)),
        directory=tuple(dict.fromkeys(name for name in directory if name in hosts)),
        tlds=_tlds(reader),
    )  # fmt: skip
    inventory = replace(inventory, zones=zones.read(reader, reader.values.get("zones", []), inventory.tlds))
    groups = {"relays": members, "authoritative": authoritative, "resolvers": resolvers, "directory": directory}
    problems += [
        Problem(name, f"group {group}", "is in the group but is no host", "remove it from the group")
        for group, names in groups.items()
        for name in set(names) - set(hosts)
    ]
    broken = {problem.host for problem in problems}
    check(inventory, broken, problems)
    if problems:
        raise InventoryError(sorted(set(problems)))
    return inventory


def _prefix(reader: Reader) -> str | None:
    allow = reader.boolean("allow_fc00", default=False)
    value = reader.values.get("prefix")
    if value is None:
        return None
    if not isinstance(value, str):
        reader.expect("altnet_prefix", value, "a prefix")
        return None
    try:
        return str(parse_prefix(str(value), allow_fc00=allow))
    except AltnetError as error:
        reader.problems += error.problems
        return None


def _tlds(reader: Reader) -> tuple[str, ...]:
    found = [name for _, name in reader.texts(reader.values.get("tlds", ["alt"]), "altnet_tlds")]
    forced = [name for _, name in reader.texts(reader.values.get("tlds_forced", []), "altnet_tlds_forced")]
    reader.problems += top_level.problems(found, forced)
    if not found:
        if reader.values.get("tlds") == []:
            reader.wrong("altnet_tlds", "is empty", "name one at least, such as alt")
        return ("alt",)
    return tuple(found)


def _topology(reader: Reader) -> Topology:
    plain = Topology()
    where = "altnet_topology"
    values = reader.mapping(reader.values.get("topology", {}), where, TOPOLOGY_KEYS)
    strategy = values.get("strategy", plain.strategy)
    if strategy not in STRATEGIES:
        reader.wrong(f"{where}.strategy", f"is {strategy!r}", f"use one of: {', '.join(STRATEGIES)}")
        strategy = plain.strategy
    links = []
    for path, pair in reader.items(values.get("links", []), f"{where}.links"):
        if isinstance(pair, (list, tuple)) and len(pair) == 2 and all(isinstance(end, str) for end in pair):
            links.append((str(pair[0]), str(pair[1])))
        else:
            reader.wrong(path, "is not a pair of host names", "write [one, other]")
    return Topology(
        strategy=str(strategy),
        degree=reader.whole(values.get("degree", plain.degree), f"{where}.degree", plain.degree, 2),
        full_mesh_max=reader.whole(
            values.get("full_mesh_max", plain.full_mesh_max), f"{where}.full_mesh_max", plain.full_mesh_max, 1
        ),
        hubs=tuple(hub for _, hub in reader.texts(values.get("hubs", []), f"{where}.hubs")),
        links=tuple(links),
        attach=reader.whole(values.get("attach", plain.attach), f"{where}.attach", plain.attach, 1),
    )


def _anycast(reader: Reader) -> tuple[Anycast, ...]:
    found = []
    for where, entry in reader.items(reader.values.get("anycast", []), "altnet_anycast"):
        values = reader.mapping(entry, where, ANYCAST_KEYS)
        if not values:
            continue
        name = reader.text(values.get("name"), f"{where}.name", "")
        if name and not _SERVICE.fullmatch(name):
            what = f"is {name!r}"
            reader.wrong(f"{where}.name", what, "use at most 32 lower-case letters, digits and hyphens")
        index = reader.whole(values.get("address_index"), f"{where}.address_index", 0, 1, ANYCAST.capacity)
        origins = tuple(host for _, host in reader.texts(values.get("origins"), f"{where}.origins"))
        found.append(Anycast(name, index, origins))
    return tuple(found)


def _host(reader: Reader, name: str, *, relay: bool) -> Host:
    _check_name(reader, name)
    endpoints = _endpoints(reader)
    own = tuple("ipv6" if ":" in endpoint else "ipv4" for endpoint in endpoints)
    families = _families(reader, own)
    nat = reader.boolean("nat", default=not endpoints)
    if nat and endpoints:
        what = "is true, and the host has endpoints: behind NAT means that nobody can reach it first"
        mend = "remove altnet_nat if the ports are forwarded to the host, else remove altnet_endpoints"
        reader.wrong("altnet_nat", what, mend)
    if relay and not endpoints and not reader.values.get("nat") and not reader.values.get("endpoints"):
        what = "is empty, and the host is a relay, which others must be able to reach"
        mend = "give its addresses on the internet, or set altnet_nat to true if it has none of its own"
        reader.wrong("altnet_endpoints", what, mend)
    region = reader.text(reader.values.get("region", "default"), "altnet_region", "default")
    if not _REGION.fullmatch(region):
        reader.wrong("altnet_region", f"is {region!r}", "use at most 63 letters, digits, '.', '_' and '-'")
    attach = tuple(entry for _, entry in reader.texts(reader.values.get("attach", []), "altnet_attach"))
    return Host(name, relay, endpoints, families, nat or not endpoints, region, attach)


def _check_name(reader: Reader, name: str) -> None:
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        what = f"{name!r} is no host name as RFC 1123 defines it"
        mend = "use letters, digits and hyphens, and dots between them; a longer name goes into ansible_host"
        reader.wrong("inventory name", what, mend)
    elif labels[-1].isdigit():
        what = f"{name!r} looks like an address"
        reader.wrong("inventory name", what, "give the host a name, and the address as ansible_host")


def _endpoints(reader: Reader) -> tuple[str, ...]:
    found: dict[int, str] = {}
    for where, text in reader.texts(reader.values.get("endpoints", []), "altnet_endpoints"):
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            mend = "give the address alone, such as 192.0.2.1 or 2001:db8::1, without a port, name or length"
            reader.wrong(where, f"{text!r} is not an IP address", mend)
            continue
        unfit = _unfit(address)
        if unfit:
            reader.wrong(where, f"{text} is {unfit}", "give an address that the other hosts can send to")
        elif address.version in found:
            what = f"{text} is the second IPv{address.version} address beside {found[address.version]}"
            reader.wrong(where, what, "keep one address of each family")
        else:
            found[address.version] = str(address)
    return tuple(found[version] for version in sorted(found))


def _unfit(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    if isinstance(address, ipaddress.IPv6Address) and (address.ipv4_mapped or address.scope_id):
        return "an IPv4 address in IPv6's clothes" if address.ipv4_mapped else "an address with a zone"
    kinds = (
        (address.is_unspecified, "the unspecified address"),
        (address.is_loopback, "a loopback address"),
        (address.is_link_local, "a link-local address"),
        (address.is_multicast, "a multicast address"),
        (address.is_reserved, "a reserved address"),
    )
    return next((words for matches, words in kinds if matches), "")


def _families(reader: Reader, own: tuple[str, ...]) -> frozenset[str]:
    value = reader.values.get("families")
    if value is None:
        return frozenset(own or ("ipv4",))
    found = set()
    for where, family in reader.texts(value, "altnet_families"):
        if family in FAMILIES:
            found.add(family)
        else:
            reader.wrong(where, f"{family!r} is no address family", "use ipv4 and ipv6")
    if not found:
        if value == []:
            reader.wrong("altnet_families", "is empty", "name ipv4, ipv6 or both, or leave it out")
        return frozenset(own or ("ipv4",))
    for family in own:
        if family not in found:
            what = f"leaves out {family}, and the host has an endpoint of that family"
            reader.wrong("altnet_families", what, f"add {family}, or remove the endpoint")
    return frozenset(found)
