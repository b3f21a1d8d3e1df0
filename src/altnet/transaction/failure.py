"""What a transaction that did not succeed says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..errors import AltnetError, Problem


class RequestError(AltnetError):
    """The arguments contradict themselves; every problem found is named by its place (``files[3].path``)."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        super().__init__(problems)
        self.text = "\n".join(f"{p.variable}: {p.what}. Remedy: {p.remedy}." for p in self.problems)

    def __str__(self) -> str:
        return self.text


class TransactionError(AltnetError):
    """A step failed on the host. ``phase`` names the step, ``facts`` go into the module's result.

    ``what`` may have several lines: the first is the sentence, the others show outputs.
    """

    def __init__(self, phase: str, what: str, remedy: str, facts: Mapping[str, object] | None = None) -> None:
        super().__init__(Problem(host="", variable=f"transaction ({phase})", what=what, remedy=remedy))
        self.phase = phase
        self.what = what
        self.remedy = remedy
        self.facts: dict[str, object] = dict(facts or {})

    def __str__(self) -> str:
        return f"{self.what}\nRemedy: {self.remedy}."
