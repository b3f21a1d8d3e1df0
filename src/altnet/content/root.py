"""Where members get the network's root: a plain file, and a page with its fingerprint and with what it may sign for.

Both are there without TLS too: whoever has no root yet would be warned of the page that gives it.
"""

from __future__ import annotations

import hashlib
import re
import ssl
import subprocess
from collections.abc import Iterator
from html import escape
from pathlib import Path

FILE, PAGE = "root.pem", "root.html"
#: Each root by itself, for devices that take one at a time.
_SINGLE = "root-{}.crt"
#: What of a start page's site is answered without TLS.
PATHS = (f"/{FILE}", f"/{PAGE}", "/" + _SINGLE.format("*"))
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\n[^-]+-----END CERTIFICATE-----\n")


def fingerprint(certificate: str) -> str:
    """Return the SHA-256 fingerprint as browsers show it: ``AB:CD:...``."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate)).digest().hex(":").upper()


def said(certificate: str) -> str:
    """Return what a root says of itself: until when it is valid, and what it may sign for; empty without openssl."""
    argv = ["openssl", "x509", "-noout", "-subject", "-enddate", "-ext", "nameConstraints"]
    try:
        done = subprocess.run(argv, input=certificate, capture_output=True, text=True, check=False, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return ""
    return "" if done.returncode else done.stdout.strip()


def files(roots: str, site: str, layout: str, style: str) -> dict[str, str]:
    """Return the files by name; none where there is no root yet."""
    found = _CERTIFICATE.findall(roots)
    if not found:
        return {}
    singles = {_SINGLE.format(_short(one)): one for one in found}
    return {FILE: "".join(found), **singles, PAGE: _page(found, site, layout, style)}


def keep(place: Path, wanted: dict[str, str]) -> Iterator[str]:
    """Remove the files of roots that are trusted no more; yield their names."""
    for path in sorted(place.glob(_SINGLE.format("*"))):
        if path.name not in wanted:
            path.unlink()
            yield path.name


def _short(certificate: str) -> str:
    return fingerprint(certificate).replace(":", "").lower()[:8]


def _page(roots: list[str], site: str, layout: str, style: str) -> str:
    record = f"_root.net.{site.rpartition('.')[2]}"
    how = (
        "<p>Compare the fingerprint with the one that you were given by another way, on paper or by a phone call, "
        "before you install it: whoever could change this page could change what stands on it.</p>"
        f"<p>Names tell it as well: <code>{escape(record)} TXT</code>.</p>"
    )
    return layout.format(
        title="The root of this network",
        style=style,
        summary="With it your device knows the network's sites. It can vouch for nothing outside the network.",
        sections="\n".join([how, *map(_section, roots)]),
        footer='<a href="/">To the start page</a>',
    )


def _section(certificate: str) -> str:
    short = _short(certificate)
    words = said(certificate)
    lines = [
        f'<h2 id="root-{short}">Root {short}</h2>',
        "<p>SHA-256 fingerprint:</p>",
        f"<pre>{fingerprint(certificate)}</pre>",
        f'<p><a href="/{_SINGLE.format(short)}">Get this root</a>, or <a href="/{FILE}">all in one file</a></p>',
        f"<p>What it says of itself:</p><pre>{escape(words)}</pre>" if words else "",
    ]
    return f'<section aria-labelledby="root-{short}">{"".join(lines)}</section>'
