"""The table that says what was built, and whether every host reaches every other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .names_report import names_part
from .services_report import services_part

#: Up to how many hosts the matrix of all pairs is printed; past it only the pairs that fail.
MATRIX_MAX = 16
#: A live tunnel's handshake is never older, in seconds: use renews it after 120 (REKEY_AFTER_TIME), plus a try.
HANDSHAKE_MAX = 180
#: How many faults of one kind are spelled out.
SHOWN_MAX = 20


@dataclass(frozen=True)
class Seen:
    """What one host saw; ``problem`` says what kept it from looking. What its layers do not have is None."""

    reach: Mapping[str, Mapping[str, float] | None] = field(default_factory=dict)
    tunnels: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    sessions: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    names: Mapping[str, Any] | None = None
    people: Mapping[str, Any] | None = None
    sites: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Report:
    """The table as lines, and everything that is not as it should be."""

    lines: tuple[str, ...]
    faults: tuple[str, ...]


@dataclass
class Faults:
    """Everything that is not as it should be, by kind; of each kind a few are spelled out."""

    hosts: list[str] = field(default_factory=list)
    tunnels: list[str] = field(default_factory=list)
    sessions: list[str] = field(default_factory=list)
    pairs: list[str] = field(default_factory=list)
    zones: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    sites: list[str] = field(default_factory=list)

    def lines(self) -> tuple[str, ...]:
        """Return the faults in the order of their causes."""
        return (
            *self.hosts,
            *capped(self.tunnels, "tunnels without a handshake"),
            *capped(self.sessions, "BGP sessions that are down"),
            *capped(self.pairs, "pairs of hosts without a way"),
            *capped(self.zones, "faults of zones"),
            *capped(self.answers, "answers that are wrong"),
            *capped(self.people, "faults of the directory"),
            *capped(self.sites, "sites that are not well"),
        )


def capped(faults: Sequence[str], kind: str) -> list[str]:
    """Return the first few faults of one kind, and how many there are besides."""
    more = len(faults) - SHOWN_MAX
    return [*faults[:SHOWN_MAX], *([f"and {more} more {kind}"] if more > 0 else [])]


def report(
    slices: Mapping[str, Mapping[str, Any]],
    seen: Mapping[str, Seen],
    silent: Mapping[str, str] | None = None,
    quarantined: Mapping[str, Mapping[str, Any]] | None = None,
) -> Report:
    """Return the report on the hosts of ``slices`` (by name), given what those that were asked saw.

    ``silent`` says why another could not be asked, unless it is that the control node does not reach it. Hosts that are
    ``quarantined`` have a row and nothing else.
    """
    names = sorted(slices, key=lambda name: int(slices[name]["id"]))
    faults = Faults()
    rows = [["HOST", "ROLE", "ID", "LOOPBACK", "ASN", "SUBNET", "TUNNELS", "BGP", "HANDSHAKE", "REACHES"]]
    rows += [host_row(slices[name], seen.get(name), faults) for name in names]
    for name, known in sorted((quarantined or {}).items(), key=lambda item: int(item[1]["id"])):
        rows.append([name, "quarantined", str(known["id"]), known["loopback"], str(known["asn"]), *["-"] * 5])
    faults.hosts += [
        f"{name} cannot be asked: {(silent or {}).get(name, 'the control node does not reach it')}"
        for name in names
        if name not in seen
    ]
    # Whoever was asked about counts, also beyond the limit of this run.
    pairs = [(a, b) for a in names if a in seen for b in sorted(seen[a].reach)]
    lost = [(a, b) for a, b in pairs if not seen[a].reach.get(b)]
    # Who could not ask has said so already.
    faults.pairs += [f"{a} does not reach {b}" for a, b in lost if not seen[a].problem]
    userspace = sorted(
        name
        for name in names
        if any(not tunnel["kernel"] for tunnel in (seen[name].tunnels if name in seen else {}).values())
    )
    lines = [headline(slices, names), "", *table(rows), ""]
    if len(names) <= MATRIX_MAX:
        lines += [*matrix(names, seen), ""]
    named = names_part(slices, names, {name: seen[name].names for name in names if name in seen})
    faults.zones, faults.answers = named.zones, named.answers
    if named.rows:
        lines += [*table(named.rows), ""]
    asked = [name for name in names if name in seen]
    served = services_part(
        slices, asked, {name: seen[name].people for name in asked}, {name: seen[name].sites for name in asked}
    )
    faults.people, faults.sites = served.people, served.sites
    if served.rows:
        lines += [*table(served.rows), ""]
    if userspace:
        where = ", ".join(userspace)
        lines.append(f"WireGuard runs in userspace on {where}: no kernel support was found there. It works, slower.")
    lines.append(
        f"{len(pairs) - len(lost)} of {len(pairs)} ordered pairs of hosts reach each other"
        + (", all of them." if pairs and not lost else ".")
    )
    lines += [line for line in (named.line, served.line) if line]
    return Report(tuple(lines), faults.lines())


def headline(slices: Mapping[str, Mapping[str, Any]], names: Sequence[str]) -> str:
    """Return the line above the table. A tunnel to a host that is not in the table counts once, like all others."""
    relays = sum(bool(slices[name]["relay"]) for name in names)
    tunnels = {
        (frozenset((name, tunnel["neighbour"])), tunnel["generation"])
        for name in names
        for tunnel in slices[name]["tunnels"]
    }
    prefix = slices[names[0]]["prefix"] if names else "-"
    return f"Network {prefix}: {len(names)} hosts, {relays} of them relays, {len(tunnels)} tunnels"


def host_row(piece: Mapping[str, Any], seen: Seen | None, faults: Faults) -> list[str]:
    """Return a host's row; what is wrong with it is added to ``faults``."""
    name = piece["name"]
    role = ("relay" if piece["relay"] else "host") + (", drained" if piece["drained"] else "")
    head = [name, role, str(piece["id"]), piece["loopback"], str(piece["asn"]), piece["subnet"] or "-"]
    if seen is None:
        return [*head, "?", "?", "?", "?"]
    if seen.problem:
        faults.hosts.append(f"{name} {seen.problem}")
    if piece["pending"]:
        faults.hosts.append(f"{name} waits for the keys of {', '.join(piece['pending'])}: run site.yml there too")
    wanted = [tunnel["interface"] for tunnel in piece["tunnels"] if not tunnel["pending"]]
    ages = {interface: (seen.tunnels.get(interface) or {}).get("age") for interface in wanted}
    young = [age for age in ages.values() if age is not None and age <= HANDSHAKE_MAX]
    for interface, age in ages.items():
        if age is None:
            faults.tunnels.append(f"{name} has no handshake on {interface}")
        elif age > HANDSHAKE_MAX:
            faults.tunnels.append(f"{name} has had no handshake on {interface} for {age} s")
    states = {session["protocol"]: seen.sessions.get(session["protocol"], "missing") for session in piece["bgp"]}
    faults.sessions += [
        f"{name} has no BGP session with {session['neighbour']}: {session['protocol']} is {states[session['protocol']]}"
        for session in piece["bgp"]
        if states[session["protocol"]] != "Established"
    ]
    reached = sum(reply is not None for reply in seen.reach.values())
    return [
        *head,
        f"{len(young)}/{len(piece['tunnels'])}",
        f"{sum(state == 'Established' for state in states.values())}/{len(piece['bgp'])}",
        f"{max(young)} s" if young else "-",
        f"{reached}/{len(seen.reach)}",
    ]


def matrix(names: Sequence[str], seen: Mapping[str, Seen]) -> list[str]:
    """Return the round trips in milliseconds and the routers on the way back, from each row to each column."""
    rows = [["ms (hops)", *names]]
    rows += [[name, *(cell(name, other, seen.get(name)) for other in names)] for name in names]
    return table(rows)


def cell(name: str, other: str, seen: Seen | None) -> str:
    """Return one cell of the matrix."""
    if name == other:
        return "-"
    if seen is None:
        return "?"
    reply = seen.reach.get(other)
    return "LOST" if not reply else f"{reply['milliseconds']:.1f} ({reply['hops']})"


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines with aligned columns."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip() for row in rows]
