"""Pages of HTML: one environment for all templates, and what each page is told of its reader."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response

from .signin.session import csrf_token, flashed, give, world_of

if TYPE_CHECKING:
    from starlette.requests import Request

HERE: Final = Path(__file__).parent
#: Scripts of ours alone, none inline; pictures in a page are the QR code of a second factor.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action {forms}; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@functools.cache
def environment() -> Environment:
    """Return the templates; the portal's come first."""
    places = [FileSystemLoader(HERE / part / "templates") for part in ("portal", "signin")]
    made = Environment(
        loader=ChoiceLoader(places),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals["_"] = lambda text: text
    return made


def page(
    request: Request,
    template: str,
    status: int = 200,
    *,
    goes_to: str = "",
    headers: dict[str, str] | None = None,
    **context: Any,  # noqa: ANN401 - what the template says
) -> Response:
    """Return a page; its forms may lead to this site and to ``goes_to``, the redirects after them too."""
    world = world_of(request)
    session = getattr(request.state, "session", None)
    text = (
        environment()
        .get_template(template)
        .render(
            request=request,
            session=session,
            csrf=csrf_token(request),
            flash=flashed(request),
            site=world.settings.site,
            tld=world.desk.policy.tlds[0],
            faults=context.pop("faults", ()),
            **context,
        )
    )
    forms = f"'self' https://{goes_to}" if goes_to else "'self'"
    more = {**HEADERS, "Content-Security-Policy": POLICY.format(forms=forms), **(headers or {})}
    return give(Response(text, status, more, "text/html; charset=utf-8"), request)
