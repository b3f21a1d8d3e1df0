"""The command line: words and options to a verb, and how it ends to an exit code."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Final, NoReturn

from . import show
from .failure import INTERRUPTED, USAGE, CommandError
from .tool import Tool, Verb
from .verbs import GROUPS, VERBS
from .verbs.completing import ASK, candidates

ABOUT: Final = "Join a network, register names, say what they are in the DNS."
EXITS: Final = (
    "Exit codes: 0 done; 1 refused; 2 a wrong call; 3 not logged in; 4 not yours, or not there; "
    "5 somebody or something was there before; 6 the registry does not answer."
)


class _Parser(argparse.ArgumentParser):
    """Refuses a wrong call in one line that says where help is."""

    def error(self, message: str) -> NoReturn:
        """End with 2."""
        show.out([show.tame(f"altnet: {message}. See {self.prog} --help.")], sys.stderr)
        raise SystemExit(USAGE)


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    common = _Parser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument("--json", action="store_true", help="answer in JSON")
    common.add_argument("--url", metavar="URL", help="the portal (ALTNET_URL, or url in the settings)")
    common.add_argument("--ca", metavar="FILE", help="the network's root (ALTNET_CA, or ca in the settings)")
    common.add_argument("--timeout", metavar="SECONDS", type=_seconds, help="how long to wait for an answer (30)")
    options = {"parents": [common], "allow_abbrev": False}
    top = _Parser(prog="altnet", description=ABOUT, epilog=EXITS, **options)  # type: ignore[arg-type]
    top.set_defaults(verb=None)
    words = top.add_subparsers(title="verbs", metavar="VERB", parser_class=_Parser)
    groups: dict[str, argparse._SubParsersAction[_Parser]] = {}
    for verb in VERBS:
        place = words
        if len(verb.words) == 2:
            group = verb.words[0]
            if group not in groups:
                made = words.add_parser(group, help=GROUPS[group], description=_said(GROUPS[group]), **options)  # type: ignore[arg-type]
                made.set_defaults(verb=None, group=made)
                groups[group] = made.add_subparsers(title="verbs", metavar="VERB", parser_class=_Parser)
            place = groups[group]
        one = place.add_parser(verb.words[-1], help=verb.about, description=_said(verb.about), **options)  # type: ignore[arg-type]
        for argument in verb.arguments:
            one.add_argument(*argument.names, help=argument.about, **argument.more)
        one.set_defaults(verb=verb)
    return top


def main(arguments: Sequence[str]) -> int:
    """Do what a command line says, and return the exit code."""
    if arguments[:1] == [ASK]:
        found = candidates(parser(), list(arguments[1:]))
        show.out(f"{word}\t{about}" for word, about in found)
        return 0
    reader = parser()
    try:
        given = reader.parse_args(arguments)
    except SystemExit as end:
        return int(end.code or 0)
    if given.verb is None:
        getattr(given, "group", reader).print_help(sys.stderr)
        return USAGE
    return _run(given.verb, Tool(given))


def _run(verb: Verb, tool: Tool) -> int:
    try:
        code = verb.run(tool) or 0
        sys.stdout.flush()
    except CommandError as error:
        if tool.json:
            show.out(show.dump(error.json()), sys.stderr)
        else:
            show.out((show.tame(f"altnet: {line}") for line in error.lines()), sys.stderr)
        return error.code
    except KeyboardInterrupt:
        show.out([""], sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Who read has gone: nothing is left to say, at the interpreter's end neither.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value <= 3600:
        raise ValueError(text)
    return value


def _said(text: str) -> str:
    return text[:1].upper() + text[1:] + "."
