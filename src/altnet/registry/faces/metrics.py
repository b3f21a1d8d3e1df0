"""Figures for Prometheus, for the monitoring alone: nothing that came through the web server is answered with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from starlette.requests import Request
from starlette.responses import Response

from ..domain.errors import RegistryError
from ..storage.tables import accounts, audit, audit_heads, domains, observations, outbox

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.types import Scope

    from ..acts.desk import Desk

#: Set by the web server on everything it passes on.
CLIENT = b"altnet-client"
#: Bounds of the histogram, in seconds; the goal is 0.05 for nearly all.
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)
MEDIA = "text/plain; version=0.0.4; charset=utf-8"
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


def note(scope: Scope) -> dict[str, str]:
    """Return where whoever answers notes the ``route``, and the face at which a sign-in ``failed``."""
    noted: dict[str, str] = scope.setdefault("altnet.noted", {})
    return noted


class Metrics:
    """What is counted in this process, and what is looked up when it is asked for."""

    def __init__(self, desk: Desk) -> None:
        self.registry = CollectorRegistry()
        self.seconds = Histogram(
            "altnet_registry_request_seconds",
            "Seconds for requests, by route, method and status",
            ("route", "method", "status"),
            buckets=BOUNDS,
            registry=self.registry,
        )
        self.failures = Counter(
            "altnet_registry_signin_failures",
            "Sign-ins and tokens that were refused, by face",
            ("face",),
            registry=self.registry,
        )
        self.registry.register(Looked(desk))

    def watch(self, scope: Scope, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        noted = note(scope)
        route = noted.get("route") or getattr(scope.get("route"), "path", "") or "other"
        method = scope["method"] if scope["method"] in METHODS else "other"
        self.seconds.labels(route, method, str(status)).observe(seconds)
        if "failed" in noted:
            self.failures.labels(noted["failed"]).inc()

    def endpoint(self, request: Request) -> Response:
        """Answer /metrics; to what came through the web server there is no such page."""
        if request.headers.get(CLIENT.decode()) is not None:
            return Response("Not found\n", 404, media_type="text/plain")
        return Response(generate_latest(self.registry), media_type=None, headers={"Content-Type": MEDIA})


class Looked(Collector):
    """What the database says, each time it is asked for."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def collect(self) -> Iterator[Metric]:
        """Yield the figures; where the database does not answer, that."""
        up = GaugeMetricFamily("altnet_registry_database_up", "Whether the database answers")
        try:
            found = list(self._figures())
        except RegistryError:
            found = []
        up.add_metric((), 1 if found else 0)
        yield up
        yield from found

    def _figures(self) -> Iterator[Metric]:
        now = self.desk.clock()
        with self.desk.store.read() as connection:
            yield _by_state("domains", connection.execute(_counted(domains)).all())
            yield _by_state("accounts", connection.execute(_counted(accounts)).all())
            waiting = connection.execute(select(func.count(), func.min(outbox.c.created))).one()
            yield _one("outbox_length", "Names that wait to be written to the DNS", waiting[0])
            yield _one("outbox_age_seconds", "For how long the oldest of them waits", _age(now, waiting[1]))
            last = connection.execute(select(func.max(audit.c.number))).scalar()
            yield _one("audit_number", "The last line of the audit log", last or 0)
            head = connection.execute(
                select(audit_heads.c.number, audit_heads.c.time).order_by(audit_heads.c.time.desc()).limit(1)
            ).one_or_none()
            yield _one("audit_head_number", "The line up to which the log is signed", head.number if head else 0)
            yield _one("audit_head_age_seconds", "How old that is", _age(now, head.time if head else None))
            yield from _observed(now, connection.execute(select(observations)).all())


def _counted(table: Any) -> Any:  # noqa: ANN401 - a table, and a query of it
    return select(table.c.state, func.count()).group_by(table.c.state)


def _by_state(what: str, rows: Any) -> Metric:  # noqa: ANN401 - rows
    family = GaugeMetricFamily(f"altnet_registry_{what}", f"How many {what} there are, by state", labels=("state",))
    for state, number in rows:
        family.add_metric((state,), number)
    return family


def _one(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(f"altnet_registry_{name}", about, value=value)


def _age(now: datetime, since: datetime | None) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())


def _observed(now: datetime, rows: Any) -> Iterator[Metric]:  # noqa: ANN401 - rows
    """Yield how old each observation of the writer is, and the numbers in those that are flat."""
    ages = GaugeMetricFamily("altnet_registry_observed_age_seconds", "How old what was seen is", labels=("what",))
    numbers = GaugeMetricFamily("altnet_registry_observed", "Numbers that the writer saw", labels=("what", "figure"))
    for row in rows:
        ages.add_metric((row.key,), _age(now, row.time))
        seen = row.json if isinstance(row.json, dict) else {"items": row.json}
        for name, value in seen.items():
            if isinstance(value, list | dict):
                numbers.add_metric((row.key, name), len(value))
            elif isinstance(value, int | float):
                numbers.add_metric((row.key, name), value)
    yield ages
    yield numbers
