"""From the ledger's text to the typed ledger, with everything that is wrong with it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from itertools import pairwise

from ..addressing import MAX_HOST_ID, decode_key, parse_prefix
from ..errors import AltnetError, LedgerError, Problem
from ..naming.names import wrong_name
from .model import EPOCH_STATES, GENERATION_MAX, SCHEMA, Epoch, Ledger, Record

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,9}[a-z0-9])?")
_GENERATION = re.compile(r"0|[1-9][0-9]{0,8}")
_TOP = {"asn_base", "dns_primary", "dnssec", "generation", "hosts", "prefix", "schema"}
_LIVE = {"id", "label", "relay", "keys", "tunnels", "drained", "left", "quarantined", "revoked", "sshfp"}
_DS = re.compile(r"(0|[1-9][0-9]{0,4}) 13 2 [0-9a-f]{64}")
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_SINCE_MAX = 2**40
_RESTORE = "take the last good version from git (git log -p ledger.json) and run again"


class _Object(dict[str, object]):
    """A JSON object that remembers the keys which stood in it more than once."""

    def __init__(self, pairs: Iterable[tuple[str, object]]) -> None:
        super().__init__()
        self.twice: list[str] = []
        for key, value in pairs:
            if key in self:
                self.twice.append(key)
            self[key] = value


class _Reader:
    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def wrong(self, path: str, what: str, remedy: str, host: str = "") -> None:
        self.problems.append(Problem(host, f"ledger.json: {path}" if path else "ledger.json", what, remedy))

    def mapping(self, value: object, path: str, host: str = "") -> Mapping[str, object]:
        """Return a JSON object; one that is none, or that has a key twice, is a problem."""
        if not isinstance(value, _Object):
            self.wrong(path, "is not an object", _RESTORE, host)
            return {}
        for key in value.twice:
            where = f"{path}.{key}" if path else key
            mend = "keep the one that is deployed and delete the other; a host that lost its entry gets a new id"
            self.wrong(where, "is there twice, as a merge in git can leave it", mend, host or key)
        return value

    def unknown(self, value: Mapping[str, object], known: set[str], path: str, host: str = "") -> None:
        for key in sorted(set(value) - known):
            where = f"{path}.{key}" if path else key
            self.wrong(where, "is nothing this version knows", "remove it, or update this checkout", host)

    def whole(self, value: object, path: str, low: int, high: int, host: str = "") -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.wrong(path, f"is {value!r}, not a whole number from {low} to {high}", _RESTORE, host)
            return -1
        return value

    def flag(self, values: Mapping[str, object], key: str, path: str, host: str) -> bool:
        value = values.get(key, False)
        if not isinstance(value, bool):
            self.wrong(f"{path}.{key}", f"is {value!r}, not true or false", "write true, or remove it", host)
            return False
        return value


def parse(text: str) -> Ledger:
    """Return the ledger in ``text``, or raise :class:`LedgerError` with every problem there is."""
    _refuse_markers(text)
    try:
        data = json.loads(text, object_pairs_hook=_Object)
    except (ValueError, RecursionError) as error:
        at = f"line {error.lineno}, column {error.colno}: " if isinstance(error, json.JSONDecodeError) else ""
        what = "is empty" if not text.strip() else f"is not JSON ({at}{error.args[0].split(':')[0]})"
        raise LedgerError(Problem("", "ledger.json", what, _RESTORE)) from None
    reader = _Reader()
    top = reader.mapping(data, "")
    if reader.problems and not top:
        raise LedgerError(reader.problems)
    _check_schema(top.get("schema"))
    reader.unknown(top, _TOP, "")
    prefix = _prefix(reader, top.get("prefix"))
    asn_base = reader.whole(top.get("asn_base"), "asn_base", 1, 4_294_967_294)
    generation = reader.whole(top.get("generation"), "generation", 0, GENERATION_MAX)
    raw = reader.mapping(top.get("hosts"), "hosts")
    hosts = {name: _record(reader, name, raw[name]) for name in raw}
    primary = _primary(reader, top.get("dns_primary"), hosts)
    dnssec = _dnssec(reader, top.get("dnssec", _Object(())))
    _check_unique(reader, hosts)
    _check_tunnels(reader, hosts)
    if reader.problems:
        raise LedgerError(sorted(set(reader.problems)))
    return Ledger(prefix, asn_base, generation, hosts, primary, dnssec)


def _refuse_markers(text: str) -> None:
    if "<<<<<<< " not in text and ">>>>>>> " not in text:
        return
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith(("<<<<<<< ", ">>>>>>> ")):
            what = f"has git's conflict marker in line {number}: two branches were merged and not reconciled"
            mend = (
                "keep the hosts of both sides; of two hosts with one id keep the deployed one, delete "
                "the other's entry, and the next run gives that host a new id; then remove the markers"
            )
            raise LedgerError(Problem("", "ledger.json", what, mend))


def _check_schema(schema: object) -> None:
    if isinstance(schema, int) and not isinstance(schema, bool) and schema > SCHEMA:
        what = f"is {schema}, written by a newer version; this one reads up to {SCHEMA}"
        raise LedgerError(Problem("", "ledger.json: schema", what, "update this checkout; change nothing by hand"))
    if schema != SCHEMA or isinstance(schema, bool):
        raise LedgerError(Problem("", "ledger.json: schema", f"is {schema!r}, not {SCHEMA}", _RESTORE))


def _prefix(reader: _Reader, value: object) -> str:
    if not isinstance(value, str):
        reader.wrong("prefix", "is no text", _RESTORE)
        return ""
    try:
        # Whether fc00::/8 is allowed is the inventory's to say, and allocation asks it.
        canonical = str(parse_prefix(value, allow_fc00=True))
    except AltnetError as error:
        reader.wrong("prefix", error.problems[0].what, _RESTORE)
        return ""
    if canonical != value:
        reader.wrong("prefix", f"{value!r} is not how this prefix is written", f"write {canonical}")
    return canonical


def _record(reader: _Reader, name: str, value: object) -> Record:
    path = f"hosts.{name}"
    values = reader.mapping(value, path, name)
    if not values:
        return Record(-1, "")
    reader.unknown(values, _LIVE, path, name)
    label = values.get("label")
    if not isinstance(label, str) or not _LABEL.fullmatch(label):
        what = f"is {label!r}, not 1 to 11 lower-case letters, digits and hyphens"
        reader.wrong(f"{path}.label", what, _RESTORE, name)
        label = ""
    record = Record(
        id=reader.whole(values.get("id"), f"{path}.id", 1, MAX_HOST_ID, name),
        label=label,
        relay=reader.flag(values, "relay", path, name),
        keys=_keys(reader, name, "keys", values.get("keys", _Object(()))),
        tunnels=_tunnels(reader, name, values.get("tunnels", _Object(()))),
        drained=reader.flag(values, "drained", path, name),
        left=reader.flag(values, "left", path, name),
        quarantined=reader.flag(values, "quarantined", path, name),
        revoked=_keys(reader, name, "revoked", values.get("revoked", _Object(()))),
        sshfp=_sshfp(reader, name, values.get("sshfp", _Object(()))),
    )
    if record.left:
        for key in sorted((_LIVE - {"id", "label", "left"}) & set(values)):
            what = "is there although the host has left"
            mend = "remove it; if the host is to come back, give it a new name in the inventory"
            reader.wrong(f"{path}.{key}", what, mend, name)
    return record


def _keys(reader: _Reader, name: str, what: str, value: object) -> dict[int, str]:
    path = f"hosts.{name}.{what}"
    found: dict[int, str] = {}
    for generation, key in reader.mapping(value, path, name).items():
        where = f"{path}.{generation}"
        if not _GENERATION.fullmatch(generation):
            reader.wrong(where, "is no generation, which is a whole number from 0 on", _RESTORE, name)
            continue
        try:
            decode_key(key if isinstance(key, str) else "")
        except ValueError as error:
            mend = "remove it, and the next run asks the host again"
            reader.wrong(where, f"{key!r} is no WireGuard public key: {error}", mend, name)
            continue
        found[int(generation)] = str(key)
    return found


def _sshfp(reader: _Reader, name: str, value: object) -> dict[int, str]:
    path = f"hosts.{name}.sshfp"
    found: dict[int, str] = {}
    for algorithm, fingerprint in reader.mapping(value, path, name).items():
        fits = isinstance(fingerprint, str) and _FINGERPRINT.fullmatch(fingerprint)
        if not fits or not algorithm.isdigit() or not 1 <= int(algorithm) <= 255:
            what = f"{fingerprint!r} is no SHA-256 fingerprint of an ssh host key in 64 hexadecimal digits"
            reader.wrong(f"{path}.{algorithm}", what, "remove it, and the next run asks the host again", name)
            continue
        found[int(algorithm)] = str(fingerprint)
    return found


def _primary(reader: _Reader, value: object, hosts: Mapping[str, Record]) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or value not in hosts or hosts[value].left:
        mend = "remove it, and the next run takes the first host of the group authoritative"
        reader.wrong("dns_primary", f"{value!r} is no host that is in the network", mend)
        return None
    return value


def _dnssec(reader: _Reader, value: object) -> dict[str, dict[int, Epoch]]:
    found: dict[str, dict[int, Epoch]] = {}
    for zone, entry in reader.mapping(value, "dnssec").items():
        path = f"dnssec.{zone}"
        if wrong_name(zone) or zone.endswith("."):
            reader.wrong(path, "is no name of a zone in lower case, without a dot at its end", _RESTORE)
        epochs: dict[int, Epoch] = {}
        for number, raw in reader.mapping(entry, path).items():
            where = f"{path}.{number}"
            if not _GENERATION.fullmatch(number):
                reader.wrong(where, "is no epoch, which is a whole number from 0 on", _RESTORE)
                continue
            epochs[int(number)] = _epoch(reader, where, raw)
        active = [number for number, epoch in epochs.items() if epoch.state == "active"]
        if len(active) != 1:
            what = f"has {len(active)} active keys, and a zone is signed with one"
            reader.wrong(path, what, _RESTORE)
        found[zone] = epochs
    return found


def _epoch(reader: _Reader, where: str, raw: object) -> Epoch:
    values = reader.mapping(raw, where)
    reader.unknown(values, {"ds", "since", "state"}, where)
    state, ds = values.get("state"), values.get("ds")
    if state not in EPOCH_STATES:
        reader.wrong(f"{where}.state", f"is {state!r}, not one of {', '.join(EPOCH_STATES)}", _RESTORE)
    if not isinstance(ds, str) or not _DS.fullmatch(ds):
        reader.wrong(f"{where}.ds", f"{ds!r} is no DS record of algorithm 13 and SHA-256", _RESTORE)
    return Epoch(str(state), str(ds), reader.whole(values.get("since", 0), f"{where}.since", 0, _SINCE_MAX))


def _tunnels(reader: _Reader, name: str, value: object) -> dict[str, tuple[int, ...]]:
    path = f"hosts.{name}.tunnels"
    found: dict[str, tuple[int, ...]] = {}
    for other, entry in reader.mapping(value, path, name).items():
        generations = entry if isinstance(entry, list) else []
        whole = all(isinstance(g, int) and not isinstance(g, bool) and g >= 0 for g in generations)
        # Ports and interface names know a generation by whether it is odd, so two that live together differ
        # in it.
        steps = [later - earlier for earlier, later in pairwise(generations)] if whole else []
        if not whole or not 1 <= len(generations) <= 2 or steps not in ([], [1]):
            what = f"is {entry!r}, not one generation or two that follow each other, such as [0] or [0, 1]"
            reader.wrong(f"{path}.{other}", what, _RESTORE, name)
            continue
        found[other] = tuple(generations)
    return found


def _check_unique(reader: _Reader, hosts: Mapping[str, Record]) -> None:
    for thing in ("id", "label"):
        owner: dict[object, str] = {}
        for name in sorted(hosts):
            value = getattr(hosts[name], thing)
            first = owner.setdefault(value, name) if value not in (-1, "") else name
            if first != name:
                what = f"{value} is the {thing} of {first} too"
                mend = "keep the deployed one, delete the other's entry, and the next run gives it a new one"
                reader.wrong(f"hosts.{name}.{thing}", what, mend, name)
    keys: dict[str, str] = {}
    for name in sorted(hosts):
        for generation, key in sorted(hosts[name].keys.items()):
            where = f"hosts.{name}.keys.{generation}"
            first = keys.setdefault(key, where)
            if first != where:
                what = f"is the public key at {first} too: was one machine copied from another?"
                mend = "delete this entry, remove the copied private key on the host, and run again"
                reader.wrong(where, what, mend, name)


def _check_tunnels(reader: _Reader, hosts: Mapping[str, Record]) -> None:
    for name, record in hosts.items():
        for other in record.tunnels:
            where = f"hosts.{name}.tunnels.{other}"
            if other not in hosts:
                reader.wrong(where, "names a host that is not in the ledger", "remove it, and run again", name)
            elif hosts[other].left:
                reader.wrong(where, "names a host that has left", "remove it, and run again", name)
            elif hosts[other].id > record.id > 0:
                what = f"is at the wrong end: a tunnel's record is at the higher id, which is {other}'s"
                reader.wrong(where, what, f"move it to hosts.{other}.tunnels.{name}", name)
            elif other == name:
                reader.wrong(where, "is a tunnel with itself", "remove it, and run again", name)
