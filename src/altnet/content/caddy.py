"""What Caddy is told, as its own JSON: the same sites always give the same bytes.

JSON, not a Caddyfile: no value can be taken for a directive, and what is not said is not done (no certificates from the
Internet, no redirects or listeners that nobody asked for).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from . import headers, logs, passing, root

Object = dict[str, Any]

ADMIN = "unix//run/caddy/admin.sock"
AUTHENTICATOR = "unix//run/altnet-authenticator/socket"
#: What a browser may send to the login page.
LONGEST_FORM = 16_384
#: What an application is told of a visitor, and nobody but the authenticator may say.
TOLD = ("Remote-User", "Remote-Groups")
#: The same to an application that is told of headers by CGI's rules, where an underscore is a hyphen (WSGI among them).
#: Debian's Caddy drops all such headers since 2.6.2-12+deb13u1, an older one hands them on.
ALIKE = tuple(name.replace("-", "_") for name in TOLD)
#: Files in a served directory that are nobody's business.
HIDDEN = (".git*", ".svn*", ".env*", ".ht*")
OURS = "/.altnet/*"


def render(content: Mapping[str, Any]) -> str:
    """Return the configuration of a host from its part of the content, as ``compute`` makes it and the role adds to it.

    ``sites``, ``addresses`` (all that is listened on), ``siblings`` (hosts that share an address with this one),
    ``login`` (the login page's name), ``certificates`` (``{"mode": "files", "directory": ...}``, or ``{"mode":
    "acme", "directories": [...], "roots": ...}``), ``log_size`` in MiB, ``log_keep``.
    """
    return json.dumps(configuration(content), indent=2, sort_keys=True) + "\n"


def configuration(content: Mapping[str, Any]) -> Object:
    """Return the configuration as an object."""
    sites = sorted(content["sites"], key=lambda site: str(site["name"]))
    names = [site["name"] for site in sites]
    addresses = content["addresses"]
    return {
        "admin": {"listen": ADMIN, "config": {"persist": False}},
        "logging": logs.logging(content["log_size"], content["log_keep"]),
        "storage": {"module": "file_system", "root": "/var/lib/caddy/storage"},
        "apps": {
            "http": {
                "servers": {
                    "plain": _server(
                        _listen(addresses, 80), [*_roots(sites), *passing.plain(names, content.get("siblings", []))]
                    ),
                    "sites": {
                        **_server(
                            _listen(addresses, 443),
                            [
                                logs.unwatched(addresses),
                                *(_site(site, content.get("login") or "") for site in sites),
                                headers.misdirected(),
                            ],
                        ),
                        "tls_connection_policies": [{}],
                        "logs": {"default_logger_name": logs.ACCESS},
                        "errors": {"routes": [headers.failed()]},
                    },
                }
            },
            "tls": _tls(names, content["certificates"]),
        },
    }


def _roots(sites: Sequence[Mapping[str, Any]]) -> list[Object]:
    """Answer without TLS what is there for those who cannot check a certificate yet."""
    starts = [site for site in sites if site["kind"] == "start" and not site["groups"]]
    return [
        {
            "match": [{"host": [site["name"]], "path": list(root.PATHS)}],
            "handle": [*headers.security(site, tls=False), headers.uncached(), *_content(site)],
            "terminal": True,
        }
        for site in starts
    ]


def _listen(addresses: Iterable[str], port: int) -> list[str]:
    return [f"[{address}]:{port}" for address in addresses]


def _server(listen: list[str], routes: Sequence[Object]) -> Object:
    return {
        "listen": listen,
        "routes": list(routes),
        # Names are served that were declared, with certificates of ours, and nothing is done beside that.
        "automatic_https": {"disable": True},
        "read_header_timeout": "10s",
        "idle_timeout": "2m",
        "max_header_bytes": 65_536,
    }


def _site(site: Mapping[str, Any], login: str) -> Object:
    routes = [{"handle": [_nothing_claimed(), *headers.security(site)]}]
    if site["kind"] == "login" and login not in {"", site["name"]}:
        # Another site has taken its place; what people remember still leads there.
        routes.append({"handle": [_elsewhere(login)]})
    elif site["kind"] == "login":
        limit: Object = {"handler": "request_body", "max_size": LONGEST_FORM}
        routes.append({"handle": [limit, _ask(site, [])]})
    else:
        routes += _members_only(site) if site["groups"] else []
        routes.append({"handle": [*headers.caching(site), _compressed(), *_content(site)]})
    return {
        "match": [{"host": [site["name"]]}],
        "handle": [{"handler": "subroute", "routes": routes}],
        "terminal": True,
    }


def _nothing_claimed() -> Object:
    return {"handler": "headers", "request": {"delete": [*TOLD, *ALIKE]}}


def _members_only(site: Mapping[str, Any]) -> list[Object]:
    """Have the authenticator asked before each request, and its own pages in reach of those who are refused."""
    pages = {
        "match": [{"path": [OURS]}],
        "handle": [{"handler": "request_body", "max_size": LONGEST_FORM}, _ask(site, [])],
        "terminal": True,
    }
    let_in = {
        "match": {"status_code": [2]},
        "routes": [
            {
                "handle": [
                    {
                        "handler": "headers",
                        "request": {"set": {name: [f"{{http.reverse_proxy.header.{name}}}"] for name in TOLD}},
                    }
                ]
            }
        ],
    }
    # The application is told who it is. It gets no cookie with which it could be that person elsewhere.
    forget = {
        "handler": "headers",
        "request": {"replace": {"Cookie": [{"search_regexp": "__Host-altnet-[a-z]+=[^;]*(; *|$)", "replace": ""}]}},
    }
    return [pages, {"handle": [_ask(site, [let_in], check=True), forget]}]


def _ask(site: Mapping[str, Any], replies: list[Object], *, check: bool = False) -> Object:
    """Pass a request on to the authenticator, or ask it about one. A browser cannot speak for Caddy in its headers."""
    said = {
        "Altnet-Site": [site["name"]],
        "Altnet-Client": ["{http.request.remote.host}"],
        "Altnet-Method": ["{http.request.method}"],
        "Altnet-Uri": ["{http.request.uri}"],
    }
    asked: Object = {
        "handler": "reverse_proxy",
        "upstreams": [{"dial": AUTHENTICATOR}],
        "headers": {"request": {"set": said}},
        # A moment's patience: it is restarted where its settings change.
        "load_balancing": {"try_duration": "3s", "try_interval": "100ms"},
    }
    if check:
        asked |= {"rewrite": {"method": "GET", "uri": "/check"}, "handle_response": replies}
    return asked


def _elsewhere(login: str) -> Object:
    headers = {"Location": [f"https://{login}{{http.request.uri}}"], "Cache-Control": ["no-store"]}
    return {"handler": "static_response", "status_code": 307, "headers": headers}


def _compressed() -> Object:
    return {
        "handler": "encode",
        "encodings": {"gzip": {}, "zstd": {}},
        "prefer": ["zstd", "gzip"],
        "minimum_length": 512,
    }


def _content(site: Mapping[str, Any]) -> list[Object]:
    if site["kind"] == "proxy":
        asked: Object = {"handler": "reverse_proxy", "upstreams": [{"dial": site["to"]}]}
        # Over a socket there is no address to see, and a browser cannot speak for Caddy.
        asked["headers"] = {"request": {"set": {"Altnet-Client": ["{http.request.remote.host}"]}}}
        return [asked]
    served: Object = {"handler": "file_server", "root": site["directory"], "hide": list(HIDDEN)}
    if site["kind"] == "start":
        return [headers.certificates(), served]
    if site["kind"] == "files":
        served["browse"] = {}
    return [served]


def _tls(names: Sequence[str], certificates: Mapping[str, Any]) -> Object:
    if certificates["mode"] == "files":
        place = certificates["directory"]
        files = [{"certificate": f"{place}/{name}/cert.pem", "key": f"{place}/{name}/key.pem"} for name in names]
        return {"certificates": {"load_files": files}}
    # TLS-ALPN lands on whichever host is near and cannot be passed on; an answer over HTTP can.
    issuers = [
        {
            "module": "acme",
            "ca": directory,
            "trusted_roots_pem_files": [certificates["roots"]],
            "challenges": {"tls-alpn": {"disabled": True}},
        }
        for directory in certificates["directories"]
    ]
    return {
        "certificates": {"automate": list(names)},
        "automation": {"policies": [{"subjects": list(names), "issuers": issuers}]},
    }
