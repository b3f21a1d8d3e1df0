"""Errors that name the host, the variable and the remedy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong with the input, in words an operator can act on.

    ``host`` is an inventory name, or ``""`` for the network as a whole. ``variable`` is the path of what to
    change (``altnet_endpoints[1]``, ``ledger.json: hosts.fra.id``). ``what`` says what is wrong, ``remedy`` how
    to mend it; both are sentences without their closing period.
    """

    host: str
    variable: str
    what: str
    remedy: str

    def __str__(self) -> str:
        where = f"host {self.host}" if self.host else "the network"
        return f"{where}: {self.variable}: {self.what}. Remedy: {self.remedy}."


class AltnetError(Exception):
    """Base of every error that is the operator's to mend; anything else that escapes is a bug of ours.

    Carries one or more :class:`Problem`; its text is one line for each.
    """

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class InventoryError(AltnetError):
    """The inventory's variables contradict themselves or each other."""


class LedgerError(AltnetError):
    """The ledger file is damaged, newer than this code, or gives one thing to two."""


class CapacityError(AltnetError):
    """A range of the network's /48 (or of ports, or ASNs) is used up."""
