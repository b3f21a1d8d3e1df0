"""A new server, with nothing on it but ssh, joins by one line of the inventory and leaves by one playbook."""

from __future__ import annotations

from pathlib import Path

from acceptance import lab


def test_a_bare_host_joins_and_leaves(tmp_path: Path) -> None:
    assert lab.ssh("sao", "command -v wg bird; true") == "", "sao is not bare"
    confirmed = ["-e", "leave_host=sao", "-e", "leave_confirm=sao"]
    with lab.network_copy(tmp_path) as network:
        lab.join_sao(network)
        joined = lab.playbook("site.yml", inventory=network, timeout=900)
        try:
            joined.ok()
            assert {host for host, count in joined.changed.items() if count} == {"fra", "nyc", "sin", "sao"}
            told = lab.playbook("playbooks/check.yml", "-e", "check_wait=60", inventory=network).ok()
            assert "42 of 42 ordered pairs" in told.output
            assert "an0-fra\twireguard" in lab.ssh(
                "sao", "ip -d -o link show an0-fra | grep -q ' wireguard ' && printf 'an0-fra\\twireguard'"
            )
        finally:
            left = lab.playbook("playbooks/leave.yml", *confirmed, inventory=network)
        left.ok()
        lab.show(f"sao: joined from a bare image in {joined.seconds:.0f} s, left in {left.seconds:.0f} s")
    leftovers = lab.ssh("sao", "ls -d /etc/altnet /var/lib/altnet 2>/dev/null; ip -o link | grep an0; true")
    assert leftovers == "", leftovers
    lab.playbook("playbooks/check.yml", "-e", "check_wait=60").ok()
    assert lab.playbook("site.yml").ok().changed == dict.fromkeys(lab.addresses(), 0)
