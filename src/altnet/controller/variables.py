"""Reading other hosts' variables, with errors that say whose and which."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from ansible.errors import AnsibleError

from altnet.errors import InventoryError, Problem

#: The repository's root: roles and their specifications are read from here.
ROOT = Path(__file__).resolve().parents[3]


def plain(value: Any) -> Any:
    """Return ``value`` built from Python's own types: Ansible's are subclasses that remember their origin."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)[:]
    if isinstance(value, (int, float)):
        return int(value) if isinstance(value, int) else float(value)
    if isinstance(value, Mapping):
        return {plain(key): plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, Sequence) else str(value)


def names_of(task_vars: Mapping[str, Any]) -> list[str]:
    """Return every host of the inventory, whatever ``--limit`` says; ``localhost`` is the control node, no host."""
    return sorted(str(name) for name in task_vars["groups"]["all"] if name != "localhost")


#: Variables with many records that all hosts have from one file: what one host has is not resolved for the next.
LARGE = ("altnet_zones",)
Known = dict[str, tuple[Any, Any]]
"""By variable, what one host has: as it is written, and resolved."""


def set_by_inventory(
    task_vars: Mapping[str, Any], name: str, wanted: Collection[str], known: Known | None = None
) -> dict[str, Any]:
    """Return host ``name``'s values of the ``wanted`` variables, as far as they are set, templates resolved.

    ``known`` is handed on from host to host, so that what is large is resolved once.

    Raises InventoryError where a value cannot be resolved: an undefined variable in a template, or a vault that
    the given password does not open.
    """
    values, problems = resolve(task_vars["hostvars"][name], name, wanted, known)
    if problems:
        raise InventoryError(problems)
    return values


def resolve(
    variables: Mapping[str, Any], name: str, wanted: Collection[str], known: Known | None = None
) -> tuple[dict[str, Any], list[Problem]]:
    """Return the values among host ``name``'s ``variables`` that are ``wanted``, and why others have none."""
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    known = {} if known is None else known
    for key in sorted(set(wanted).intersection(variables)):
        # Ten thousand records, resolved for each of three hundred hosts, would take minutes.
        written = getattr(variables, "_vars", {}).get(key) if key in LARGE else None
        if written is not None and key in known and known[key][0] == written:
            values[key] = known[key][1]
            continue
        try:
            values[key] = plain(variables[key])
        except (AnsibleError, KeyError) as error:
            problems.append(Problem(name, key, *unresolved(str(error))))
            continue
        # A template may say something else on another host.
        if written is not None and key not in known and not has_templates(written):
            known[key] = written, values[key]
    return values, problems


def has_templates(value: object) -> bool:
    """Return whether there is a template in a value, or may be one."""
    if isinstance(value, str):
        return "{{" in value or "{%" in value or "{#" in value
    if isinstance(value, Mapping):
        return any(has_templates(item) for item in value.values())
    return any(map(has_templates, value)) if isinstance(value, Sequence) else False


def unresolved(text: str) -> tuple[str, str]:
    """Return what and remedy for a value that could not be resolved, from Ansible's words for it."""
    first = text.strip().splitlines()[0].rstrip(".") if text.strip() else "no reason given"
    if "ecrypt" in text or "vault" in text.lower():
        known = ("no vault secrets", "Attempting to decrypt but no vault", "HMAC verification failed")
        if not any(words in text for words in known):
            mend = "take the vault back as it was, from git or a backup: it is damaged"
            return f"cannot be decrypted ({first})", mend
        return (
            "cannot be decrypted by any password that was given",
            (
                "give the password of this network's vault: --vault-password-file, ANSIBLE_VAULT_PASSWORD_FILE or -J; "
                "if that is the right one, the vault's file is damaged: take the last good version from its backup"
            ),
        )
    reason = first.removeprefix("Error rendering template: ")
    return f"cannot be resolved ({reason})", "correct the template, or set the variable it names"


def role_defaults(role: str) -> dict[str, Any]:
    """Return the plain values in a role's defaults/main.yml (templates as text)."""
    loaded = yaml.safe_load((ROOT / "roles" / role / "defaults" / "main.yml").read_text())
    return dict(loaded or {})


def role_options(role: str) -> dict[str, Any]:
    """Return the options of a role's entry point ``main``, as meta/argument_specs.yml states them."""
    loaded = yaml.safe_load((ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text())
    return dict(loaded["argument_specs"]["main"].get("options") or {})


def roles() -> list[str]:
    """Return the names of all roles that have a specification."""
    return sorted(path.parts[-3] for path in (ROOT / "roles").glob("*/meta/argument_specs.yml"))
