"""From the settings to the writer's parts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...addressing import reverse_zone
from ...errors import Problem
from ...powerdns.client import Api, HttpApi, read_key
from ..settings import Settings, SettingsError
from .chores import Chores
from .compare import Comparison
from .guard import Guard
from .loop import Loop, say
from .outbox import Outbox
from .primary import Primary
from .wanted import Maker
from .watch import Watch
from .work import Work

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from ..acts.desk import Desk

_TIMEOUT = 120.0


@dataclass(frozen=True)
class Parts:
    """What every verb of the writer's needs."""

    api: Api
    maker: Maker
    primary: Primary
    watch: Watch


def parts(settings: Settings, api: Api | None = None) -> Parts:
    """Return the parts by the settings; SettingsError where they do not say where the primary is."""
    place = settings.primary
    if place is None or not settings.zone_secret_file:
        what = "names no primary" if place is None else "names no zone_secret_file"
        raise SettingsError(Problem("", "settings.json", what, "run the role registry (site.yml), which writes it"))
    api = api or HttpApi(place.address, place.port, read_key(Path(place.key_file)), patience=0, timeout=_TIMEOUT)
    reverse = f"{reverse_zone(settings.policy.prefix)}." if settings.policy.prefix else ""
    source = place.address if ":" in place.address else None
    return Parts(
        api,
        Maker(settings.policy, settings.secret("zone_secret_file").decode(), reverse),
        Primary(api, place.catalog),
        Watch.of(settings.secondaries, settings.secondary_port, source),
    )


def loop(settings: Settings, desk: Desk, key: Ed25519PrivateKey | None, some: Parts | None = None) -> Loop:
    """Return the writer; ``key`` signs the audit log's head."""
    some = some or parts(settings)
    outbox = Outbox(desk.store, some.maker)
    work = Work(outbox, some.primary, some.watch, Guard(desk.policy.prune_at_most), desk.clock)
    comparison = Comparison(desk.store, some.maker, some.primary)
    address = settings.primary.address if settings.primary else ""
    return Loop(desk, work, comparison, Chores(desk, key, some.maker.tlds, some.watch, address, say))
