"""The zones of this run, for the action that hands them to the primary."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from altnet import ledger as ledgers
from altnet.errors import AltnetError, InventoryError, LedgerError, Problem
from altnet.gather import AUTHORITATIVE, CONTENT, DIRECTORY, ISSUERS
from altnet.naming import desired as zones
from altnet.naming import keys
from altnet.naming.anchors import DsOf
from altnet.pki import pem

from . import apps, content, rundir
from .network import inventory_of
from .variables import names_of, set_by_inventory

MASTER = "altnet_master_secret"
#: The groups whose presence has every host trust the certificate authority (playbooks/roles/patterns says so too).
TRUSTING = (ISSUERS, DIRECTORY, CONTENT)


def desired(task_vars: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return every zone of the network as ``pdns_zones`` takes it, parents first; [] where no host serves names.

    Reads the ledger as the plan of this run has it (in check mode, as it would become), or else from its file. The
    private keys are in the result: it must not be printed or registered. Raises AltnetError for what is wrong with
    the inventory, the ledger or the master secret.
    """
    ledger, inventory = ledger_of(task_vars), inventory_of(task_vars)
    if not inventory.authoritative:
        return []
    placed = apps.placed_of(task_vars, inventory)
    inventory = content.with_names(content.sites_of(task_vars, inventory), inventory, ledger)
    inventory = apps.with_names(placed, inventory, ledger)
    known = zones.keys_of(ledger, master_of(task_vars))
    return [zone.plain() for zone in zones.desired(inventory, ledger, known, roots_of(task_vars))]


def roots_of(task_vars: Mapping[str, Any]) -> list[str]:
    """Return the fingerprints of the certificate authority's roots, where hosts of the network trust them."""
    if not any(task_vars["groups"].get(group) for group in TRUSTING):
        return []
    values = set_by_inventory(task_vars, names_of(task_vars)[0], {"inventory_dir"})
    path = Path(str(values.get("inventory_dir", "")), "pki", "root.pem")
    # Half a certificate is said by those who sign with it; names go on without.
    with contextlib.suppress(OSError, AltnetError):
        return [pem.fingerprint(root) for root in pem.certificates(path.read_text(), str(path))]
    return []


def ledger_of(task_vars: Mapping[str, Any]) -> ledgers.Ledger:
    """Return the ledger of this run."""
    text = rundir.read_ledger()
    if text is not None:
        return ledgers.parse(text)
    name = names_of(task_vars)[0]
    values = set_by_inventory(task_vars, name, {"altnet_ledger", "inventory_dir"})
    path = Path(values.get("altnet_ledger") or Path(str(values.get("inventory_dir", "")), "ledger.json"))
    ledger = ledgers.load(path)
    if ledger is None:
        raise LedgerError(
            Problem("", str(path), "there is no ledger yet, so there is no network", "run site.yml first")
        )
    return ledger


def master_of(task_vars: Mapping[str, Any]) -> str:
    """Return the network's master secret; preflight sees to it that all hosts have the same."""
    for name in names_of(task_vars):
        found = set_by_inventory(task_vars, name, {MASTER}).get(MASTER)
        if found:
            return str(found)
    raise InventoryError(Problem("", MASTER, "is not set", "give the network's master secret from its vault"))


def ds_of(task_vars: Mapping[str, Any]) -> DsOf | None:
    """Return what gives the DS of a zone's key; None where no host serves names, so that no secret is asked for."""
    if not task_vars["groups"].get(AUTHORITATIVE):
        return None
    return functools.partial(keys.ds, master_of(task_vars))
