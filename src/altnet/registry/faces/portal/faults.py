"""What is wrong in a form, by its fields."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from ...domain.errors import Fault, RegistryError

#: ``scope.names[2]`` is the third line of the field ``names``; ``glue[ns.garden.alt.][0]`` is somewhere in ``glue``.
_PLACE: Final = re.compile(r"(?:[a-z_]+\.)*([a-z_]+)(?:\[(?:(\d+)|[^\]]*)\].*)?")


@dataclass(frozen=True)
class Shown:
    """One fault as a page says it: ``line`` counts from 1, None where the field is one line."""

    what: str
    remedy: str
    line: int | None = None
    code: str = ""


@dataclass(frozen=True)
class Faults:
    """The faults of a form. Asking for a field takes it into account; :meth:`rest` has what no field was asked for."""

    title: str = ""
    kind: str = ""
    fields: tuple[tuple[str, Shown], ...] = ()

    @classmethod
    def of(cls, error: RegistryError | None) -> Faults:
        """Return an error's faults."""
        if error is None:
            return cls()
        return cls(error.title, error.kind, tuple(_shown(fault) for fault in error.faults))

    def __bool__(self) -> bool:
        """Say whether anything is wrong."""
        return bool(self.fields)

    def at(self, *names: str) -> list[Shown]:
        """Return the faults of a field, whatever it is called elsewhere."""
        return [shown for name, shown in self.fields if name in names]

    def rest(self, *names: str) -> list[Shown]:
        """Return the faults of no field that is named: of the whole."""
        return [shown for name, shown in self.fields if name not in names]


def _shown(fault: Fault) -> tuple[str, Shown]:
    found = _PLACE.fullmatch(fault.field)
    name, line = (found[1], found[2]) if found else (fault.field, None)
    return name, Shown(_closed(fault.what), _sentence(fault.remedy), int(line) + 1 if line else None, fault.code)


def _sentence(text: str) -> str:
    return _closed(text[:1].upper() + text[1:])


def _closed(text: str) -> str:
    """Return a sentence with its period. It may begin with a name, so that its first letter stays as it is."""
    return f"{text}." if text and text[-1] not in ".!?" else text
