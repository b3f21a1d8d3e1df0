"""The same site.yml, on hosts that are new: what it leaves is whole, and a second run changes nothing."""

from __future__ import annotations

from acceptance import lab

HOSTS = sorted(lab.addresses())


def test_it_converges_hosts_that_had_nothing(first_run: lab.Run) -> None:
    lab.show(f"site.yml on new hosts: {first_run.seconds:.0f} s")
    assert set(first_run.changed) == set(HOSTS)


def test_all_pairs_reach_each_other() -> None:
    told = lab.playbook("playbooks/check.yml", "-e", "check_wait=60").ok()
    assert "30 of 30 ordered pairs" in told.output
    lab.show(told.output[told.output.index("Network ") : told.output.index("TASK [Show the network]")])


def test_a_second_run_changes_nothing() -> None:
    again = lab.playbook("site.yml").ok()
    lab.show(f"site.yml again: {again.seconds:.0f} s")
    assert again.changed == dict.fromkeys(HOSTS, 0)


def test_hosts_that_keep_their_own_clock_have_it_kept() -> None:
    """Here a host may set its clock, so the time daemon's part of the base role runs; containers leave it out."""
    for host in HOSTS:
        out = lab.ssh(
            host, "systemctl is-active chrony; stat -c %a /etc/chrony/sources.d/altnet.sources; chronyc -n sources"
        )
        assert out.splitlines()[0] == "active"
        assert "MS Name/IP address" in out


def test_relays_serve_the_time_on_the_fabric() -> None:
    """Hosts hear them, and would follow them in a network that is cut off: relays agree upon a time of their own."""
    relays = {lab.loopback(name) for name in ("fra", "nyc", "sin")}
    for host in ("core1", "laptop1"):
        sources = lab.ssh(host, "chronyc -n waitsync 30 0 0 1 >/dev/null; chronyc -n sources")
        heard = {line.split()[1]: line.split()[4] for line in sources.splitlines() if line.startswith("^")}
        asked = relays & heard.keys()
        assert len(asked) >= 2, sources
        assert any(heard[relay] != "0" for relay in asked), sources
    assert "orphan" in lab.ssh("fra", "cat /etc/chrony/conf.d/altnet.conf")
    assert "serves no time" in lab.ssh("laptop1", "cat /etc/chrony/conf.d/altnet.conf")
