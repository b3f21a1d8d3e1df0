"""The document that describes the API (OpenAPI 3.1): FastAPI's, with refusals, ways to sign in, and headers."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from . import answers, problem
from .who import COOKIE, CSRF

ABOUT = (
    "Every act of the registry. Send a token as `Authorization: Bearer altnet_...`. A refusal is "
    "`application/problem+json` (RFC 9457) with a remedy for every fault. Lists go on at `next`; a change sent with "
    "`If-Match` is refused with 412 where somebody else was there before, and one sent with `Idempotency-Key` is done "
    "once. Names and prefixes stand in paths percent-encoded."
)
TAGS = {
    "accounts": "People's accounts, and who came by whom.",
    "invitations": "Links by which others join.",
    "join": "Joining by a link. No token is needed.",
    "domains": "Registering names, and keeping them.",
    "records": "What a name says, or to whom it is delegated.",
    "transfers": "Names that pass to somebody else.",
    "registrars": "What registrars decide about names.",
    "prefixes": "Address space of members who route.",
    "asns": "Autonomous systems of members who route.",
    "routes": "Which autonomous system may announce which prefix.",
    "tokens": "Tokens of the API.",
    "audit": "What was done, by whom.",
    "state": "How the registry is, for operators.",
    "problems": "What refusals mean.",
}
#: Refusals that any resource may answer, and those that only acts may.
ANY = ("malformed", "unauthenticated", "forbidden", "missing", "invalid", "too-large", "too-many", "unavailable")
ACTS = ("conflict", "stale", "type")
#: Parts of the path of resources that have a version, with If-Match where they are changed.
VERSIONED = ("{name}", "{uid}", "{prefix}")


def of(app: FastAPI) -> dict[str, Any]:
    """Return the document, made once."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            servers=[{"url": "/api/v1"}],
            tags=[{"name": name, "description": about} for name, about in TAGS.items()],
        )
        _complete(made)
        app.openapi_schema = made
    return app.openapi_schema


def public(path: str) -> bool:
    """Say whether a path asks nobody to sign in."""
    return path.startswith(("/join/", "/problems/"))


def _complete(document: dict[str, Any]) -> None:
    parts = document["components"]
    for name in ("HTTPValidationError", "ValidationError"):
        parts["schemas"].pop(name, None)
    shape = answers.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    parts["schemas"].update(shape.pop("$defs"), Problem=shape)
    parts["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "A token of the API."},
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": COOKIE,
            "description": f"The portal's session, in a browser; acts need the header {CSRF} too.",
        },
    }
    parts["responses"] = {
        kind: {
            "description": f"{title}.",
            "content": {problem.MEDIA: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for kind, (_, title) in problem.ALL.items()
    }
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            _operation(path, method, operation)


def _operation(path: str, method: str, operation: dict[str, Any]) -> None:
    reads = method == "get"
    operation["security"] = [] if public(path) else [{"token": []}, {"session": []}]
    responses = operation["responses"]
    responses.pop("422", None)
    kinds = (*ANY, "expired") if reads or public(path) else (*ANY, *ACTS)
    if public(path) and not reads:
        kinds = (*kinds, *ACTS)
    for kind in kinds:
        responses.setdefault(str(problem.ALL[kind][0]), {"$ref": f"#/components/responses/{kind}"})
    parameters = operation.setdefault("parameters", [])
    if path.endswith("}/check") or public(path):
        return
    if reads and any(part in path for part in VERSIONED):
        parameters.append(_header("If-None-Match", "304 where it still has this ETag.", '"3"'))
        responses["304"] = {"description": "You have it already."}
    if not reads:
        parameters.append(_header("Idempotency-Key", "Done once, however often it is sent with this key.", "a1b2c3"))
        if any(part in path for part in VERSIONED):
            parameters.append(_header("If-Match", "Only where it still has this ETag.", '"3"'))


def _header(name: str, about: str, example: str) -> dict[str, Any]:
    schema = {"type": "string", "maxLength": 128, "pattern": "^[!-~]+$"}
    return {"name": name, "in": "header", "required": False, "description": about, "schema": schema, "example": example}
