"""Figures for the monitoring."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from altnet.registry.acts import state
from altnet.registry.domain.errors import refuse


def figures(registry):
    answer = registry.client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_what_there_is(registry):
    registry.ask("ann", "POST", "/domains", json={"name": "garden.alt"})
    registry.ask("ann", "POST", "/domains", json={"name": "meadow.alt"})
    registry.ask("ann", "POST", "/domains/meadow.alt/lock")
    found = figures(registry)
    assert found["altnet_registry_database_up",] == 1
    assert found["altnet_registry_domains", ("state", "registered")] == 1
    assert found["altnet_registry_domains", ("state", "locked")] == 1
    assert found["altnet_registry_accounts", ("state", "active")] == 4
    assert found["altnet_registry_outbox_length",] >= 2
    assert found["altnet_registry_outbox_age_seconds",] >= 0
    assert found["altnet_registry_audit_number",] > 4
    assert found["altnet_registry_audit_head_number",] == 0


def test_requests_are_counted_by_route_and_not_by_path(registry):
    for number in range(3):
        registry.ask("ann", "GET", f"/domains/name{number}.alt")
        registry.client.get(f"/api/v1/nothing{number}")
        registry.client.get(f"/nothing{number}")
    registry.client.get("/rdap/domain/garden.alt")
    registry.client.get("/nic/update", headers={"Authorization": "Bearer wrong"})
    registry.client.get("/api/v1/me", headers={"Authorization": "Bearer wrong"})
    found = figures(registry)
    count = "altnet_registry_request_seconds_count"

    def at(route, status):
        return found[count, ("method", "GET"), ("route", route), ("status", status)]

    assert at("/api/v1/domains/{name}", "404") == 3
    assert sum(value for key, value in found.items() if key[0] == count and ("route", "other") in key) == 3
    assert at("/api/v1", "404") == 3
    assert at("/rdap/domain/{name:path}", "404") == 1
    assert at("/nic/update", "401") == 1
    assert found["altnet_registry_signin_failures_total", ("face", "dyndns")] == 1
    assert found["altnet_registry_signin_failures_total", ("face", "api")] == 1
    assert not [key for key in found if "name1" in str(key) or "nothing1" in str(key)]


def test_nobody_on_the_network_reads_them(registry):
    assert registry.client.get("/metrics", headers={"altnet-client": "fd12::9"}).status_code == 404


def test_a_database_that_is_away_is_a_figure(registry, monkeypatch):
    def away():
        raise refuse("unavailable", "away")

    monkeypatch.setattr(type(registry.desk.store), "read", lambda self: away())
    found = figures(registry)
    assert found["altnet_registry_database_up",] == 0
    assert ("altnet_registry_outbox_length",) not in found


def test_what_the_writer_saw(registry):
    state.observe(
        registry.desk, "drift", {"zones": 7, "differences": ["a"], "repaired": 1, "guarded": [], "seconds": 0.5}
    )
    found = figures(registry)
    assert found["altnet_registry_observed", ("figure", "zones"), ("what", "drift")] == 7
    assert found["altnet_registry_observed", ("figure", "differences"), ("what", "drift")] == 1
    assert found["altnet_registry_observed_age_seconds", ("what", "drift")] >= 0
