"""The whole desired set as the module is given it, and once fulfilled as a standing order of the primary.

The private keys and the transfer key are not remembered a second time: they are read back from PowerDNS, and held
against their digests.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..host.orders import Order, keep, recall
from ..host.standing import ZONES
from . import model, strict
from .client import Api, HttpApi, read_key, zone_path
from .errors import PowerdnsError
from .followers import DnsFollowers
from .lost import Witnesses
from .reconcile import Report, Tsig, Wish, reconcile
from .witnesses import DnsWitnesses

TRANSFER = "transfer."
#: How long the probe waits for a PowerDNS that hangs; the module itself is more patient.
_TIMEOUT = 20.0


def run(given: Mapping[str, Any], *, check_mode: bool, path: Path = ZONES) -> Report:
    """Bring PowerDNS to the module's arguments, and remember the order where it has a fingerprint."""
    zones = _judged(given)
    witnesses = None if given["start_anew"] else DnsWitnesses(*_secondaries(given), host=given.get("_host") or "")
    report = _bring(given, zones, _api(given), check_mode=check_mode, witnesses=witnesses)
    if not check_mode:
        keep(path, _order(given))
    return report


def stands(path: Path = ZONES, api: Api | None = None) -> tuple[str, dict[str, Any]] | None:
    """Return fingerprint and result of the last order if PowerDNS holds all it asks for, else None."""
    order = recall(path)
    if order is None:
        return None
    once = _Once(api or _api(order.params, patience=0, timeout=_TIMEOUT))
    asked = _whole(order.params, once)
    # They were judged before they were sent.
    report = _bring(asked, _zones(asked), once, check_mode=True)
    return None if report.diff else (order.fingerprint, report.result())


def _api(given: Mapping[str, Any], **limits: float) -> HttpApi:
    return HttpApi(given["address"], given["port"], read_key(Path(given["key_file"])), **limits)


def _secondaries(given: Mapping[str, Any]) -> tuple[dict[str, str], int, str]:
    return {one["name"]: one["address"] for one in given["secondaries"]}, given["secondary_port"], given["address"]


def _judged(given: Mapping[str, Any]) -> dict[str, model.Zone]:
    """Return the desired zones; PowerdnsError with every fault of every record, before anything is asked or sent."""
    problems = strict.faults(given["zones"])
    try:
        zones = _zones(given)
    except PowerdnsError as error:
        raise PowerdnsError([*error.problems, *problems]) from None
    if problems:
        raise PowerdnsError(problems)
    return zones


def _zones(given: Mapping[str, Any]) -> dict[str, model.Zone]:
    keys = json.loads(given["keys"])
    return model.desired({**zone, "keys": keys.get(zone.get("name"), [])} for zone in given["zones"])


def _bring(
    given: Mapping[str, Any],
    zones: Mapping[str, model.Zone],
    api: Api,
    *,
    check_mode: bool,
    witnesses: Witnesses | None = None,
) -> Report:
    return reconcile(
        api,
        zones,
        Wish(
            catalog=given["catalog"],
            tsig=Tsig(TRANSFER, given["transfer_key"]) if given["transfer_key"] else None,
            wait=given["wait"],
            prune=given["prune"],
            prune_at_most=given["prune_at_most"],
            prune_consent=tuple(given["prune_consent"]),
            replace_keys=given["replace_keys"],
            settle=given["settle"],
        ),
        DnsFollowers(*_secondaries(given)),
        check_mode=check_mode,
        witnesses=witnesses,
    )


def _order(given: Mapping[str, Any]) -> Order | None:
    fingerprint = given.get("_order")
    if not fingerprint:
        return None
    hidden = {
        zone: [{**key, "private": _digest(model.private_field(key["private"], "PrivateKey"))} for key in keys]
        for zone, keys in json.loads(given["keys"]).items()
    }
    asked = {name: value for name, value in sorted(given.items()) if not name.startswith("_")}
    transfer = _digest(given["transfer_key"]) if given["transfer_key"] else None
    return Order(str(fingerprint), {**asked, "keys": hidden, "transfer_key": transfer})


def _whole(asked: Mapping[str, Any], api: Api) -> dict[str, Any]:
    """Return the arguments with the secrets that PowerDNS holds; KeyError where one is not what was asked for."""
    whole: dict[str, list[dict[str, Any]]] = {}
    for zone, keys in asked["keys"].items():
        path = f"{zone_path(zone)}/cryptokeys"
        texts = [api.call("GET", f"{path}/{key['id']}")["privatekey"] for key in api.call("GET", path)]
        held = {_digest(model.private_field(text, "PrivateKey")): text for text in texts}
        whole[zone] = [{**key, "private": held[key["private"]]} for key in keys]
    transfer = asked["transfer_key"]
    if transfer is not None:
        transfer = {_digest(key): key for key in [api.call("GET", f"/tsigkeys/{TRANSFER}")["key"]]}[transfer]
    return {**asked, "keys": json.dumps(whole), "transfer_key": transfer}


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


class _Once:
    """Asks every question once: all zones are judged at the same moment."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._known: dict[str, Any] = {}

    def call(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401  # JSON
        """Return the answer, the one of before where the question was asked already."""
        if method != "GET":
            return self._api.call(method, path, body)
        if path not in self._known:
            self._known[path] = self._api.call(method, path)
        return self._known[path]
