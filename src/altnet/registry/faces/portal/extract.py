"""All messages of the portal, for translators: ``python3 -m altnet.registry.faces.portal.extract`` lists them."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

from . import look, words
from .words import Key

POT = words.LOCALE / "portal.pot"
_HEADER = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n'


def messages() -> dict[Key, list[str]]:
    """Return each message with the files that it is in."""
    found: dict[Key, list[str]] = {}
    for path in sorted((look.HERE / "templates").glob("*.html")):
        for key in look.own_messages(path.name):
            found.setdefault(key, []).append(path.name)
    for path in sorted(look.HERE.glob("*.py")):
        for key in _python(path):
            if path.name not in found.setdefault(key, []):
                found[key].append(path.name)
    return found


def text() -> str:
    """Return the template of a catalogue."""
    blocks = [_HEADER]
    for key, places in sorted(messages().items()):
        lines = [f"#: {' '.join(places)}", f"msgid {_quoted(key[0])}"]
        lines += [f"msgid_plural {_quoted(key[1])}", 'msgstr[0] ""', 'msgstr[1] ""'] if key[1:] else ['msgstr ""']
        blocks.append("\n".join(lines) + "\n")
    return "\n".join(blocks)


def _python(path: Path) -> Iterator[Key]:
    """Yield what is marked by ``N_("…")``, or said by ``view.say("…")``."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called in {"N_", "say"} and isinstance(node.args[0].value, str):
            yield (node.args[0].value,)


def _quoted(message: str) -> str:
    return json.dumps(message, ensure_ascii=False)


if __name__ == "__main__":
    POT.write_text(text(), encoding="utf-8")
