"""The start page: what exists on the network, and whether it answers. Plain HTML without a script.

``python3 -m altnet.content.start FILE`` writes it, asks every site again each minute, and writes what has changed.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from .. import systemd
from . import root
from .asking import Question, ask_all

log = logging.getLogger("altnet-start")

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --paper: #f6f7f9; --card: #fff; --line: #d0d7de;
  --deed: #0b5cad; --good: #14662f; --bad: #a3161a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ebee; --soft: #a6b0ba; --paper: #14171b; --card: #1e2328;
  --line: #3a424b; --deed: #8cc2ff; --good: #7ddc97; --bad: #ff9c9c; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1.0625rem/1.5 system-ui, sans-serif; }
.skip { position: absolute; left: -99rem; } .skip:focus { left: 1rem; top: 1rem; }
header, main, footer { max-width: 64rem; margin: 0 auto; padding: 1.5rem 1.25rem; }
header { padding-top: 3rem; }
h1 { margin: 0; font-size: clamp(1.8rem, 5vw, 2.6rem); line-height: 1.15; }
header p { margin: .5rem 0 0; color: var(--soft); }
h2 { margin: 2rem 0 1rem; font-size: 1.25rem; }
ul { list-style: none; margin: 0; padding: 0; display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(min(18rem, 100%), 1fr)); }
li { position: relative; padding: 1.25rem; background: var(--card); border: 1px solid var(--line);
  border-radius: .75rem; }
li:hover { border-color: var(--deed); }
h3 { margin: 0; font-size: 1.125rem; }
h3 a { color: var(--deed); text-decoration: none; }
h3 a::after { content: ""; position: absolute; inset: 0; border-radius: .75rem; }
h3 a:focus-visible { outline: none; } h3 a:focus-visible::after, .skip:focus { outline: 3px solid var(--deed); }
li p { margin: .35rem 0 0; color: var(--soft); overflow-wrap: anywhere; }
.state { font-size: .9375rem; font-weight: 600; }
.good { color: var(--good); } .bad { color: var(--bad); }
pre { padding: .75rem; background: var(--card); border: 1px solid var(--line); border-radius: .4rem;
  white-space: pre-wrap; overflow-wrap: anywhere; }
footer { color: var(--soft); font-size: .9375rem; }
p > a, footer a { color: var(--deed); }
"""
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<a class="skip" href="#content">To the content</a>
<header><h1>{title}</h1><p>{summary}</p></header>
<main id="content">
{sections}
</main>
<footer><p>{footer}</p></footer>
</body>
</html>
"""


@dataclass(frozen=True)
class Listed:
    """A site that is shown; ``state`` is why it is not well, empty where it is, None where nobody has asked yet."""

    name: str
    title: str
    summary: str
    groups: tuple[str, ...]
    state: str | None = None


def page(title: str, sites: Sequence[Listed], footer: str) -> str:
    """Return the page: first what is for everybody, then what is for members of a group."""
    known = [site for site in sites if site.state is not None]
    well = sum(1 for site in known if not site.state)
    count = f"{len(sites)} site{'' if len(sites) == 1 else 's'}"
    parts = (
        ("For everybody", [site for site in sites if not site.groups]),
        ("For members of a group", [site for site in sites if site.groups]),
    )
    return _PAGE.format(
        title=escape(title),
        style=STYLE,
        summary=f"{count}, {well} of {len(known)} answer" if known else count,
        sections="\n".join(_section(name, some) for name, some in parts if some) or "<p>There is no site yet.</p>",
        footer=f'{escape(footer)} <a href="/{root.PAGE}">The root of this network</a>',
    )


def _section(name: str, sites: Sequence[Listed]) -> str:
    label = name.lower().replace(" ", "-")
    items = "\n".join(map(_item, sites))
    return f'<section aria-labelledby="{label}"><h2 id="{label}">{name}</h2>\n<ul>\n{items}\n</ul></section>'


def _item(site: Listed) -> str:
    lines = [f'<h3><a href="https://{escape(site.name)}/">{escape(site.title)}</a></h3>']
    lines += [f"<p>{escape(site.summary)}</p>"] if site.summary else []
    lines += [f"<p>{escape(site.name)}</p>"] if site.title != site.name else []
    lines += [f"<p>For {escape(', '.join(site.groups))}</p>"] if site.groups else []
    if site.state is not None:
        mark, words = ("bad", f"\u2717 {site.state}") if site.state else ("good", "\u2713 answers")
        lines.append(f'<p class="state {mark}">{escape(words)}</p>')
    return f"<li>{''.join(lines)}</li>"


def sites_of(settings: Mapping[str, Any], states: Mapping[str, str] | None = None) -> list[Listed]:
    """Return the sites of a settings file with what is known of them."""
    return [
        Listed(
            one["name"], one["title"], one["summary"], tuple(one["groups"]),
            None if states is None else states.get(one["name"]),
        )
        for one in settings["listed"]
    ]  # fmt: skip


def write(file: Path, text: str) -> bool:
    """Write a file in one piece; say whether it is another one than before."""
    if file.is_file() and file.read_text() == text:
        return False
    new = file.with_name(".new")
    new.write_text(text)
    new.chmod(0o644)
    new.replace(file)
    return True


def states_of(settings: Mapping[str, Any]) -> dict[str, str]:
    """Ask every site at its name, as a visitor would."""
    asked = [Question(one["name"], one["name"], settings["roots"]) for one in settings["listed"]]
    return {question.name: found.refusal for question, found in ask_all(asked, settings["timeout"]).items()}


def keep_root(settings: Mapping[str, Any], place: Path) -> None:
    """Offer the roots that the host trusts; another one is there a minute after the host has it."""
    try:
        roots = Path(settings["roots"]).read_text()
    except OSError as error:
        log.warning("%s cannot be read: %s", settings["roots"], error.strerror)
        return
    wanted = root.files(roots, settings["name"], _PAGE, STYLE)
    written = [name for name, text in wanted.items() if write(place / name, text)]
    changed = [*written, *root.keep(place, wanted)]
    if changed:
        log.info("the network's root: %s", ", ".join(changed))


def main(arguments: list[str]) -> int:
    """Keep the pages for ever."""
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    settings = json.loads(Path(arguments[0]).read_text())
    file = Path(settings["place"], "index.html")
    if not file.is_file():
        write(file, page(settings["title"], sites_of(settings), settings["footer"]))
    systemd.notify("READY=1")
    while True:
        keep_root(settings, file.parent)
        states = states_of(settings)
        if write(file, page(settings["title"], sites_of(settings, states), settings["footer"])):
            log.info(
                "%s", ", ".join(f"{name} {state}" for name, state in states.items() if state) or "all sites answer"
            )
        time.sleep(settings["interval"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
