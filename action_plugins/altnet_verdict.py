"""Fail once, for all hosts, before any of them is changed (documented in library/altnet_verdict.py)."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase

from altnet.apps.compute import former
from altnet.controller.apps import known
from altnet.controller.failure import Refusal, all_in_one, last_line
from altnet.controller.variables import role_defaults
from altnet.errors import Problem
from altnet.gather import AUTHORITATIVE, CONTENT, DIRECTORY, ISSUERS, LOGINS, RESOLVERS

#: Seconds of difference between the control node's clock and a host's that are worth a warning.
CLOCK_TOLERANCE = 60
#: The same for hosts with services of the network, for which it is an error.
SERVICE_CLOCK_TOLERANCE = 300
#: The Debian release that the network's services were tried on; the first whose PowerDNS has what the name servers need
#: (catalog zones with LMDB).
SERVICE_RELEASE = "trixie"
#: By group: what is wrong with another release, and why the clock matters.
SERVICES = {
    AUTHORITATIVE: ("whose PowerDNS is too old for it", "signatures have a time"),
    RESOLVERS: ("whose PowerDNS is too old for it", "signatures have a time"),
    ISSUERS: ("on which the issuer's program was not tried", "signatures have a time"),
    DIRECTORY: ("whose OpenLDAP is too old for it", "of two changes of one entry the younger one counts"),
    LOGINS: ("whose sssd was not tried", "certificates have a time"),
    CONTENT: ("whose Caddy is too old for it", "logins have a time"),
    **{app.group: (f"on which {app.title} was not tried", "logins have a time") for app in known()},
}
#: What a module says that found no room for itself: Python's tempfile where it could write nowhere, and errno 28.
DISK_FULL = ("No usable temporary directory", "No space left on device")


def host_problems(name: str, variables: Mapping[str, Any], probe: str) -> list[Problem]:
    """Return what keeps one host from being changed."""
    result = variables.get(probe)
    if result is None or result.get("unreachable"):
        return [
            Problem(
                name,
                f"ansible_host ({variables.get('ansible_host', name)})",
                f"is unreachable: {last_line(result) if result else 'no answer'}",
                f"bring it back, correct its address, user or key, or run without it: --limit 'all:!{name}'",
            )
        ]
    if result.get("failed"):
        reason = last_line(result)
        if any(said in reason for said in DISK_FULL):
            what = f"there is no room for the probe: {reason}"
            return [Problem(name, "disk", what, "docs/runbooks/a-disk-is-full.md")]
        if result.get("rc") == 127 or "python" in reason.lower() or "SyntaxError" in reason:
            variable = "ansible_python_interpreter"
            remedy = "install python3 (3.11 or newer) on the host and let ansible_python_interpreter name it"
        else:
            variable = "ansible_become"
            remedy = (
                "log in as root, or let Ansible become root (ansible_become, -K asks for the password); -vvv shows all"
            )
        return [Problem(name, variable, f"the probe did not run: {reason}", remedy)]
    found = result["ansible_facts"]["altnet_host"]["problems"]
    return [Problem(name, item["variable"], item["what"], item["remedy"]) for item in found]


def userspace_problems(name: str, facts: Mapping[str, Any], variables: Mapping[str, Any]) -> list[Problem]:
    """Return why the host's tunnels could not come up, where its kernel has no WireGuard and that is an error."""
    defaults = role_defaults("wireguard")
    chosen = {key: variables.get(key, defaults[key]) for key in ("wireguard_backend", "wireguard_userspace_allowed")}
    allowed = boolean(chosen["wireguard_userspace_allowed"], strict=False)
    if facts["kernel_wireguard"] or (allowed and chosen["wireguard_backend"] != "kernel"):
        return []
    variable = "wireguard_backend" if allowed else "wireguard_userspace_allowed"
    return [
        Problem(
            name,
            variable,
            f"is {str(chosen[variable]).lower()}, and the host's kernel has no WireGuard",
            "install Debian's own kernel (linux-image-amd64) there, or allow wireguard-go, which is much slower",
        )
    ]


def service_problems(name: str, group: str, facts: Mapping[str, Any], ahead: float) -> list[Problem]:
    """Return why a host in one of the groups with services cannot do what the group does."""
    found = []
    release, reason = SERVICES[group]
    if facts["release"] != SERVICE_RELEASE:
        what = f"the host runs Debian {facts['release'] or 'of unknown release'}, {release}"
        mend = f"upgrade the host to Debian 13 ({SERVICE_RELEASE}), or take it out of the group"
        found.append(Problem(name, f"group {group}", what, mend))
    if abs(ahead) > SERVICE_CLOCK_TOLERANCE:
        way = "ahead of" if ahead > 0 else "behind"
        what = f"the host's clock is {abs(ahead):.0f} s {way} the control node's, and {reason}"
        mend = "docs/runbooks/a-clock-is-wrong.md, for the host or for the control node"
        found.append(Problem(name, f"group {group}", what, mend))
    return found


def target_problems(target: str, names: Collection[str], stopped: Mapping[str, str]) -> list[Problem]:
    """Return why the one host that a playbook is about cannot be changed, before the ledger says that it was."""
    if target and target not in names:
        return [
            Problem(target, "--limit", "is outside the limit of this run", "name the host in the limit, or give none")
        ]
    if target in stopped:
        what = f"every play refuses this host: {stopped[target]}"
        return [Problem(target, "/etc/altnet/stop", what, "when the reason is gone, remove the file on the host")]
    return []


class ActionModule(ActionBase):  # type: ignore[misc]
    """The action."""

    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Fail with every host's problems; warn of clocks that differ."""
        super().run(tmp, task_vars)
        assert task_vars is not None
        _, args = self.validate_argument_spec(
            {"probe": {"type": "str", "required": True}, "target": {"type": "str", "default": ""}}
        )
        found: list[Problem] = []
        stopped: dict[str, str] = {}
        sets: dict[str, list[str]] = {}
        now = time.time()
        names, groups = task_vars["ansible_play_hosts_all"], task_vars["groups"]
        for name in names:
            variables = task_vars["hostvars"][name]
            problems = host_problems(name, variables, args["probe"])
            found += problems
            if problems:
                continue
            facts = variables[args["probe"]]["ansible_facts"]["altnet_host"]
            sets[name] = facts["transactions"]
            found += userspace_problems(name, facts, variables)
            for chain in facts.get("foreign_drops", ()):
                self._display.warning(
                    f"host {name}: the firewall chain {chain} of somebody else drops by default, and may drop the "
                    "tunnels' packets or what the fabric forwards. Remedy: docs/concepts/firewall.md."
                )
            if facts["stop"] is not None:
                stopped[name] = facts["stop"]
            # Of many hosts, the first were asked minutes ago: what counts is the time at which each was.
            ahead = facts["time"] - (facts.get("asked_at") or now)
            group = next((group for group in SERVICES if name in groups.get(group, ())), "")
            if group:
                found += service_problems(name, group, facts, ahead)
            if abs(ahead) > CLOCK_TOLERANCE:
                self._display.warning(
                    f"host {name}: its clock is about {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the "
                    "control node's; signatures and certificates will fail. Remedy: let its chrony reach a time source "
                    "(base_ntp_servers)."
                )
        found += target_problems(args["target"], names, stopped)
        if found:
            raise Refusal(all_in_one(found, len(names)), "no host was changed", {"stopped": stopped})
        gone = former(known(), groups, sets)
        return {
            "changed": False,
            "stopped": stopped,
            "former_apps": [{"host": host, "apps": gone[host]} for host in gone],
        }
