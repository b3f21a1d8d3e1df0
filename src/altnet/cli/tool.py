"""What each verb is given: the registry, what was asked for, and how to answer."""

from __future__ import annotations

import getpass
import sys
from argparse import Namespace
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from . import settings, show
from .client import Answer, Client
from .failure import USAGE, CommandError

#: Of a list, where nothing else is asked for.
LIMIT: Final = 1000


@dataclass(frozen=True)
class Argument:
    """An argument of a verb, as argparse takes it."""

    names: tuple[str, ...]
    about: str
    more: Mapping[str, Any]


def arg(*names: str, about: str, **more: Any) -> Argument:  # noqa: ANN401 - argparse's
    """Return an argument."""
    return Argument(names, about, more)


@dataclass(frozen=True)
class Verb:
    """Something that can be done, by its words: ``name register``."""

    words: tuple[str, ...]
    about: str
    run: Callable[[Tool], int | None]
    arguments: tuple[Argument, ...] = ()


def verb(words: str, about: str, run: Callable[[Tool], int | None], *arguments: Argument) -> Verb:
    """Return a verb."""
    return Verb(tuple(words.split()), about, run, arguments)


class Tool:
    """One run of the command."""

    def __init__(self, given: Namespace) -> None:
        self.given = given

    @cached_property
    def settings(self) -> settings.Settings:
        """Where the registry is."""
        return settings.load(self.option("url"), self.option("ca"))

    @cached_property
    def client(self) -> Client:
        """The way to it."""
        return Client(self.settings, settings.token, float(self.option("timeout", 30)))

    @property
    def json(self) -> bool:
        """Whether a program reads what is answered."""
        return bool(self.option("json", default=False))

    def option(self, name: str, default: Any = "") -> Any:  # noqa: ANN401 - argparse's
        """Return one of the options that every verb has; those that were not given are not there."""
        return getattr(self.given, name, default)

    def get(self, *path: str, **query: object) -> Answer:
        """Read something."""
        return self.client.get(*path, **query)

    def write(self, method: str, *path: str, body: Any = None, if_match: str = "") -> Answer:  # noqa: ANN401 - JSON
        """Change something."""
        return self.client.ask(method, path, body, if_match=if_match)

    def listed(self, columns: Sequence[show.Column], *path: str, **query: object) -> None:
        """Read a list and show it; where there is more than was asked for, say so beside it."""
        limit = int(self.option("limit", LIMIT))
        items = list(self.client.pages(*path, limit=limit + 1 if limit else 0, **query))
        more = bool(limit) and len(items) > limit
        self.table(columns, items[:limit] if more else items)
        if more:
            self.note(f"There are more than {limit}; --limit 0 shows all.")

    def table(self, columns: Sequence[show.Column], items: Sequence[Mapping[str, Any]]) -> None:
        """Show objects, a line each."""
        show.out(show.dump(list(items)) if self.json else show.table(columns, items))

    def one(self, columns: Sequence[show.Column], item: Mapping[str, Any]) -> None:
        """Show one object, a field a line."""
        show.out(show.dump(item) if self.json else show.fields(columns, item))

    def done(self, text: str, body: object = None) -> None:
        """Say what was done, or answer it to a program."""
        self.say([text], body)

    def say(self, lines: Iterable[str], body: object = None) -> None:
        """Print lines, or answer a program."""
        show.out(show.dump(body) if self.json else map(show.tame, lines))

    def note(self, text: str) -> None:
        """Say something beside what is answered."""
        show.out([show.tame(text)], sys.stderr)

    def sure(self, what: str, name: str) -> None:
        """Have somebody type a name before what cannot be undone; a script says --yes."""
        if self.option("yes", default=False):
            return
        if not sys.stdin.isatty():
            raise CommandError(f"This would {what}, and nobody is there to say that it is meant", "add --yes", USAGE)
        self.note(f"This will {what}.")
        if self.ask(f"Type {name} to go on: ").rstrip(".") != name.rstrip("."):
            raise CommandError("That was something else: nothing was done")

    def ask(self, prompt: str, default: str = "") -> str:
        """Return a line that somebody types, or that a script pipes in."""
        if sys.stdin.isatty():
            sys.stderr.write(show.tame(prompt))
            sys.stderr.flush()
        line = sys.stdin.readline()
        if not line:
            raise CommandError("There is nothing more to read", "give it as an argument, or by a pipe", USAGE)
        return line.strip() or default

    def secret(self, prompt: str) -> str:
        """Return a secret that somebody types unseen, or that a script pipes in: it is no argument, which all see."""
        if sys.stdin.isatty():
            try:
                return getpass.getpass(prompt)
            except EOFError:
                raise CommandError("Nothing was typed", code=USAGE) from None
        line = sys.stdin.readline()
        if not line:
            raise CommandError("There is no secret to read", "pipe it in, a line", USAGE)
        return line.rstrip("\r\n")
