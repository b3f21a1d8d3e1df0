"""The settings and the secrets, each from a JSON file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(frozen=True)
class DirectorySettings:
    """Where people are: LDAP servers in the order in which they are asked, and who asks."""

    uris: tuple[str, ...]
    base: str
    bind_dn: str = ""
    roots: str = "/etc/altnet/pki/roots.pem"
    timeout: int = 3


@dataclass(frozen=True)
class Settings:
    """One authenticator.

    ``login`` is the name of the site with the login page, ``sites`` the groups of each site here that is not for
    everybody: a member of any of them may see it. Times are in seconds.
    """

    login: str
    directory: DirectorySettings
    sites: Mapping[str, frozenset[str]] = field(default_factory=dict)
    login_lifetime: int = 43_200
    site_lifetime: int = 3_600
    code_lifetime: int = 60
    flow_lifetime: int = 900
    recheck: int = 10
    grace: int = 300
    failures_user: int = 10
    failures_client: int = 30
    failures_window: int = 900


@dataclass(frozen=True)
class Secrets:
    """``keys`` seal what travels through browsers: the first seals, all open. So one can be changed for another."""

    keys: tuple[str, ...]
    bind_password: str = ""


def parse(value: Mapping[str, Any]) -> Settings:
    """Return the settings in a JSON object. Raises KeyError, TypeError or ValueError for one that is not ours."""
    known = {one.name for one in fields(Settings)} - {"directory", "sites"}
    directory = dict(value["directory"])
    directory["uris"] = tuple(directory["uris"])
    rest = {key: value[key] for key in known if key in value}
    sites = {str(name): frozenset(map(str, groups)) for name, groups in value.get("sites", {}).items()}
    return Settings(directory=DirectorySettings(**directory), sites=sites, **rest)


def parse_secrets(value: Mapping[str, Any]) -> Secrets:
    """Return the secrets in a JSON object."""
    return Secrets(tuple(value["keys"]), str(value.get("bind_password", "")))
