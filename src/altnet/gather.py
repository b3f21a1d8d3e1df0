"""From Ansible's view of the inventory to the typed one.

Ansible knows variables host by host; some of ours belong to the network as a whole. This is the one place that
knows which, and that reads a group's name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from altnet.errors import InventoryError, Problem
from altnet.inventory import Inventory, parse

#: Variables that have one value for the whole network, without their ``altnet_``.
NETWORK_VARIABLES = ("prefix", "allow_fc00", "asn_base", "topology", "anycast", "tlds", "tlds_forced", "zones")
#: Variables that each host has for itself.
HOST_VARIABLES = ("endpoints", "nat", "families", "region", "attach")
#: The group whose members carry other hosts' traffic.
RELAYS = "relays"
#: The groups of the names layer: hosts with name servers, and hosts that answer everybody's questions.
AUTHORITATIVE = "authoritative"
RESOLVERS = "resolvers"
#: The group of the trust layer whose hosts issue certificates by ACME.
ISSUERS = "issuers"
#: The group whose members hold people and groups.
DIRECTORY = "directory"
#: The group whose members operators log in on with their accounts of the directory.
LOGINS = "logins"
#: The group whose members serve sites.
CONTENT = "content"

PREFIX = "altnet_"


def gather(
    names: Iterable[str],
    variables: Callable[[str], Mapping[str, Any]],
    groups: Mapping[str, Iterable[str]],
    defaults: Mapping[str, Any],
) -> Inventory:
    """Return the typed inventory of all hosts ``names``.

    ``variables(name)`` gives a host's variables with templates resolved (a lookup may raise whatever the resolver
    raises), ``groups`` the members of each group, ``defaults`` the values of network-wide variables nobody set.

    Raises InventoryError with every problem found.
    """
    hosts: dict[str, dict[str, object]] = {}
    network: dict[str, object] = {}
    owner: dict[str, str] = {}
    problems: list[Problem] = []
    for name in names:
        values = variables(name)
        # The empty text and the empty list are defaults, and may be written out.
        given = {key: value for key, value in values.items() if value not in ("", [])}
        hosts[name] = {key: given[PREFIX + key] for key in HOST_VARIABLES if PREFIX + key in given}
        for key in NETWORK_VARIABLES:
            if PREFIX + key not in given:
                continue
            value = given[PREFIX + key]
            if key not in network:
                network[key], owner[key] = value, name
            elif network[key] != value:
                problems.append(
                    Problem(
                        name,
                        PREFIX + key,
                        f"is not the same as on host {owner[key]}, and a network has only one",
                        "set it once, in group_vars/all",
                    )
                )
    if problems:
        raise InventoryError(problems)
    for key in NETWORK_VARIABLES:
        default = defaults.get(PREFIX + key)
        if key not in network and default not in (None, ""):
            network[key] = default
    return parse(
        network,
        hosts,
        set(groups.get(RELAYS, ())),
        authoritative=list(groups.get(AUTHORITATIVE, ())),
        resolvers=list(groups.get(RESOLVERS, ())),
        directory=list(groups.get(DIRECTORY, ())),
    )
