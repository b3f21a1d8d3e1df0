"""The checks that need no host: every variable, the network as a whole, the ledger, the vault."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean

from altnet import ledger as ledgers
from altnet import plan as plans
from altnet.addressing import generate_prefix
from altnet.allocate import allocate
from altnet.errors import AltnetError, Problem
from altnet.inventory.reader import nearest
from altnet.wireguard.check import MTU_MAX, MTU_MIN

from . import registry
from .apps import placed_of, problems_of
from .certificates import declared
from .content import sites_of, unsigned
from .failure import all_in_one
from .names import ds_of
from .network import inventory_of
from .people import logins_problems, people_problems
from .specification import refusals
from .variables import Known, names_of, resolve, role_options, roles

#: Facts that our own plugins set in the course of a run.
OWN_FACTS = {"altnet_slice", "altnet_host", "altnet_issued", "altnet_former_apps", "wireguard_public_keys"}
MASTER_SECRET = "altnet_master_secret"  # noqa: S105 - a variable's name
MASTER_SECRET_LENGTH = 32
#: What both ends of a tunnel, or all runs, must agree on; gather sees to the rest of the network's variables.
SHARED = (MASTER_SECRET, "altnet_ledger")
#: Numbers with an end that a specification cannot state. A host would refuse them too, but only when it is its turn.
RANGES = {"wireguard_mtu": (MTU_MIN, MTU_MAX)}


def problems(task_vars: Mapping[str, Any], ledger: Path, leaving: Iterable[str] = ()) -> list[str]:
    """Return everything that is wrong, one line each; the same fault on many hosts is one line.

    Hosts in ``leaving`` count as gone from the inventory: a removal that was interrupted can be taken up again.
    """
    names = names_of(task_vars)
    found = list(variables_problems(task_vars, names))
    before = None
    try:
        before = ledgers.load(ledger)
        ledger_problems: tuple[Problem, ...] = ()
    except AltnetError as error:
        ledger_problems = error.problems
    # A variable that is wrong or misspelt makes the network look wrong too: that would only be said twice.
    if not found and not ledger_problems:
        try:
            inventory = inventory_of(task_vars, without=leaving)
            new = allocate(inventory, before, keys={}, new_prefix=generate_prefix, ds_of=ds_of(task_vars))
            plans.compute(inventory, new.ledger)
            found += people_problems(task_vars)
            found += logins_problems(task_vars)
            found += problems_of(task_vars, inventory)
            found += registry.problems(placed_of(task_vars, inventory), task_vars, inventory, new.ledger)
            found += unsigned(sites_of(task_vars, inventory), task_vars)
        except AltnetError as error:
            found += error.problems
    return all_in_one([*found, *ledger_problems], len(names))


def variables_problems(task_vars: Mapping[str, Any], names: Iterable[str]) -> Iterator[Problem]:
    """Yield what is wrong with the hosts' variables, each host looked at once."""
    options = {key: option for role in roles() for key, option in role_options(role).items()}
    stranger = functools.cache(functools.partial(stranger_remedy, frozenset(options) | OWN_FACTS))
    first: dict[str, tuple[str, Any]] = {}
    known: Known = {}
    for name in names:
        variables = task_vars["hostvars"][name]
        for variable in variables:
            remedy = stranger(variable)
            if remedy:
                yield Problem(name, variable, "is no variable that Altnet knows", remedy)
        seen = {key: value for key, (_, value) in known.items()}
        values, unresolved = resolve(variables, name, options, known)
        yield from unresolved
        # What is large and the same as on a host before has been looked at there.
        new = {key: value for key, value in values.items() if key not in seen or seen[key] is not value}
        refused = list(refusals(name, options, new))
        yield from refused
        yield from outside(name, values, {problem.variable for problem in refused})
        if not refused:
            yield from upstream_problems(name, values)
        yield from declared(name, values.get("pki_certificates"))
        if MASTER_SECRET not in {problem.variable for problem in unresolved}:
            yield from secret_problems(name, values.get(MASTER_SECRET))
        for key in SHARED:
            owner, value = first.setdefault(key, (name, values[key])) if key in values else ("", None)
            if key in values and value != values[key]:
                what = f"is not the same as on host {owner}, and a network has only one"
                yield Problem(name, key, what, "set it once, in group_vars/all")


def stranger_remedy(known: frozenset[str], variable: str) -> str:
    """Return the remedy for a variable that looks like ours and is not; ``""`` for any other."""
    prefix, _, rest = variable.partition("_")
    ours = {option for option in known if option.startswith(f"{prefix}_")}
    if variable in known or not ours or not rest:
        return ""
    # Without the prefix: with a long one in common, any two names look alike.
    near = nearest(rest, {option.partition("_")[2] for option in ours - OWN_FACTS})
    likely = {f"{prefix}_{near}"} if near else {option for option in known if option.partition("_")[2] == rest}
    if likely:
        return f"did you mean {min(likely)}? Correct the name"
    return "remove it, or rename it if it is for a play of your own; docs/reference lists all variables"


def outside(name: str, values: Mapping[str, Any], refused: Collection[str]) -> Iterator[Problem]:
    """Yield the numbers that are too small or too large; those in ``refused`` are none."""
    for key, (low, high) in RANGES.items():
        if key in values and key not in refused and not low <= int(values[key]) <= high:
            yield Problem(name, key, f"is {values[key]}", f"use a number from {low} to {high}")


def upstream_problems(name: str, values: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield which upstreams would be asked over TLS with nobody knowing who they are: anybody could answer."""
    tls = boolean(values.get("dns_resolver_upstream_tls", False), strict=False)
    if values.get("dns_resolver_mode") != "forward" or not tls:
        return
    mend = "write it as 192.0.2.53@853#dns.example.net, or set dns_resolver_upstream_tls to false"
    upstreams = values.get("dns_resolver_upstreams") or ()
    if not upstreams:
        what = "is empty, and the servers that the host used before have no names to know them by over TLS"
        yield Problem(name, "dns_resolver_upstreams", what, mend.replace("write it as", "name one, as"))
    for index, upstream in enumerate(upstreams):
        if not str(upstream).partition("#")[2]:
            what = f"{upstream} has no #name, so that over TLS anybody could answer in its place"
            yield Problem(name, f"dns_resolver_upstreams[{index}]", what, mend)


def secret_problems(name: str, secret: object) -> Iterator[Problem]:
    """Yield what is wrong with the master secret."""
    if secret is None:
        yield Problem(
            name,
            MASTER_SECRET,
            "is not set",
            "make a new network's with playbooks/init.yml, or copy the network's group_vars/all/vault.yml here",
        )
    # White space around it is no part of it (altnet.secrets).
    elif len(str(secret).strip()) < MASTER_SECRET_LENGTH:
        yield Problem(
            name,
            MASTER_SECRET,
            f"is shorter than {MASTER_SECRET_LENGTH} characters",
            "replace it by a random one (openssl rand -base64 48) in the vault",
        )
