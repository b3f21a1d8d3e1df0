"""The few pages that people see: plain HTML, no script, readable by everybody."""

from __future__ import annotations

import base64
import hashlib
from html import escape

from .messages import Reply

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #f6f7f9; --card: #fff; --line: #8a94a0; --deed: #0b5cad;
  --bad: #a3161a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ebee; --paper: #14171b; --card: #1e2328; --line: #77818c;
  --deed: #8cc2ff; --bad: #ff9c9c; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; }
main { width: min(24rem, 100vw - 2rem); padding: 2rem; background: var(--card); border: 1px solid var(--line);
  border-radius: .75rem; }
h1 { margin: 0 0 .5rem; font-size: 1.5rem; line-height: 1.2; }
label { display: block; margin: 1rem 0 .25rem; font-weight: 600; }
input { width: 100%; padding: .6rem .75rem; font: inherit; color: inherit; background: transparent;
  border: 1px solid var(--line); border-radius: .4rem; }
button { margin-top: 1.25rem; width: 100%; padding: .7rem; font: inherit; font-weight: 600; color: var(--card);
  background: var(--deed); border: 0; border-radius: .4rem; cursor: pointer; }
a { color: var(--deed); }
:focus-visible { outline: 3px solid var(--deed); outline-offset: 2px; }
[role=alert] { color: var(--bad); font-weight: 600; }
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()


def page(status: int, title: str, body: str, *, goes_to: str = "", **headers: str) -> Reply:
    """Return a page; its forms may lead to this site and to ``goes_to``, the redirects after them too."""
    forms = f"'self' https://{goes_to}" if goes_to else "'self'"
    policy = (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action {forms}; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    text = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width, initial-scale=1"><title>{escape(title)}</title><style>{STYLE}</style></head>'
        f"<body><main><h1>{escape(title)}</h1>\n{body}\n</main></body></html>\n"
    )
    return Reply(status, text, {"Content-Security-Policy": policy, **headers})


def login(status: int, *, flow: str, token: str, site: str, user: str = "", wrong: str = "", **headers: str) -> Reply:
    """Ask for name and password."""
    why = f"<p>to go on to <strong>{escape(site)}</strong></p>" if site else ""
    alert = f'<p role="alert" id="wrong">{escape(wrong)}</p>' if wrong else ""
    said = ' aria-describedby="wrong"' if wrong else ""
    body = f"""{why}{alert}<form method="post" action="/">
<input type="hidden" name="flow" value="{escape(flow)}"><input type="hidden" name="token" value="{escape(token)}">
<label for="user">Name</label>
<input id="user" name="user" value="{escape(user)}" autocomplete="username" autocapitalize="none" spellcheck="false"
 maxlength="64" required{said}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" maxlength="1024" required>
<button>Log in</button></form>"""
    return page(status, "Log in", body, goes_to=site, **headers)


def logout(user: str, action: str, *, goes_to: str = "") -> Reply:
    """Offer to log out."""
    body = f"""<p>You are logged in as <strong>{escape(user)}</strong>.</p>
<form method="post" action="{escape(action)}"><button>Log out</button></form>"""
    return page(200, "Logged in", body, goes_to=goes_to)


def logged_out(login_site: str) -> Reply:
    """Say that it is done."""
    return page(200, "Logged out", f'<p><a href="https://{escape(login_site)}/">Log in again</a></p>')


def refused(user: str, site: str) -> Reply:
    """Say to somebody we know that this is not for them."""
    body = f"""<p><strong>{escape(site)}</strong> is for members of a group that <strong>{escape(user)}</strong> is
not in.</p><p><a href="/.altnet/logout">Log out</a></p>"""
    return page(403, "Not for you", body)


def unusable(site: str) -> Reply:
    """Say that a code is not taken."""
    body = f'<p>This link was used before, or is too old. <a href="https://{escape(site)}/">Try once more</a></p>'
    return page(400, "Log in once more", body)


def unknown() -> Reply:
    """Say that nobody can tell who may see what."""
    body = "<p>The directory does not answer, so nobody can tell who may see this. Try again in a moment.</p>"
    return page(503, "In a moment", body, **{"Retry-After": "10"})
