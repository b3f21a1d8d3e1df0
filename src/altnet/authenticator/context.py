"""What every answer needs, in one hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .limit import Limit
from .people import People
from .seals import Seals
from .settings import Settings
from .store import Store


@dataclass(frozen=True)
class Context:
    """One authenticator's parts."""

    settings: Settings
    store: Store
    people: People
    seals: Seals
    limit: Limit
    clock: Callable[[], float]
