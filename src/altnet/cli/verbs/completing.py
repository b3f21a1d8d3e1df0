"""Completion for bash, zsh and fish: each asks the command itself what may come next."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from typing import Final

from ..tool import Tool, arg, verb

#: What a shell's script runs; its answer is a word and what it is, with a tab between, a line each.
ASK: Final = "__complete"

_SCRIPTS: Final = {
    "bash": """_altnet() {
  local IFS=$'\\n' cur=${COMP_WORDS[COMP_CWORD]}
  COMPREPLY=($(compgen -W "$(altnet __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f1)" -- "$cur"))
}
complete -o default -F _altnet altnet
""",
    "zsh": """#compdef altnet
_altnet() {
  local -a found
  local line
  while IFS=$'\\t' read -r word about; do
    found+=("${word//:/\\\\:}:$about")
  done < <(altnet __complete "${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( $#found )); then _describe altnet found; else _files; fi
}
if [[ $funcstack[1] == _altnet ]]; then _altnet "$@"; else compdef _altnet altnet; fi
""",
    "fish": """function __altnet_complete
  set -l words (commandline -opc) (commandline -ct)
  altnet __complete $words[2..-1] 2>/dev/null
end
complete -c altnet -a '(__altnet_complete)'
""",
}


def _script(tool: Tool) -> None:
    import sys  # noqa: PLC0415

    sys.stdout.write(_SCRIPTS[tool.given.shell])


def candidates(parser: argparse.ArgumentParser, words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield what may stand in place of the last word, after those before it."""
    *before, last = words or [""]
    for word in before:
        if action := _verbs(parser):
            parser = action.choices.get(word, parser)
    found = _options(parser) if last.startswith("-") else _words(parser, before)
    yield from ((word, about) for word, about in found if word.startswith(last))


def _options(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    for option in parser._actions:
        yield from ((name, option.help or "") for name in option.option_strings)


def _words(parser: argparse.ArgumentParser, before: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield an option's values, verbs, or an argument's values; nothing where a file may stand."""
    if before and (taken := _option(parser, before[-1])) is not None:
        yield from ((str(one), "") for one in taken.choices or ())
        return
    if action := _verbs(parser):
        about = {one.dest: one.help or "" for one in action._choices_actions}
        yield from ((word, about.get(word, "")) for word in action.choices)
        return
    for place in parser._actions:
        if not place.option_strings and place.choices:
            yield from ((str(one), "") for one in place.choices)


def _verbs(parser: argparse.ArgumentParser) -> argparse._SubParsersAction[argparse.ArgumentParser] | None:
    return next((one for one in parser._actions if isinstance(one, argparse._SubParsersAction)), None)


def _option(parser: argparse.ArgumentParser, word: str) -> argparse.Action | None:
    """Return the option that takes what stands after it, where a word is one."""
    return next((one for one in parser._actions if word in one.option_strings and one.nargs != 0), None)


VERBS = (
    verb(
        "completion", "print a script that completes words for a shell", _script,
        arg("shell", choices=tuple(_SCRIPTS), about="which: add the script to what it reads at its start"),
    ),
)  # fmt: skip
