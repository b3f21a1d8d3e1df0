"""The registry's settings: one JSON file, which the role writes; secrets are in files of their own."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, fields
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ..authenticator.settings import DirectorySettings
from ..errors import AltnetError, Problem
from .domain.policy import Policy

T = TypeVar("T")
#: A century, in seconds.
_LONG = 3_200_000_000


class SettingsError(AltnetError):
    """The settings file, or one that it names, is not what the registry can work with."""


@dataclass(frozen=True)
class Primary:
    """The zones' primary, on this host: its API, and the catalog that secondaries follow."""

    key_file: str
    address: str = "::1"
    port: int = 8081
    catalog: str = "catalog.invalid."


@dataclass(frozen=True)
class Serving:
    """Where the web server reaches the portal, and the monitoring its metrics."""

    socket: str = "/run/altnet-registry/socket"
    group: str = "caddy"
    metrics: str = ""


@dataclass(frozen=True)
class Whois:
    """Where port 43 is answered."""

    addresses: tuple[str, ...] = ()
    port: int = 43


@dataclass(frozen=True)
class Git:
    """The export: below ``place`` are its repositories; none where it is empty."""

    place: str = ""
    socket: str = ""


@dataclass(frozen=True)
class Limits:
    """Of requests, in a minute: a client's of all sorts, and those that write."""

    requests: int = 1200
    writes: int = 240


@dataclass(frozen=True)
class Settings:
    """All of it. ``site`` is the portal's own name, and ``login`` the one at which all sites' people sign in."""

    database: str
    site: str
    policy: Policy
    directory: DirectorySettings
    directory_password_file: str = ""
    primary: Primary | None = None
    secondaries: tuple[str, ...] = ()
    secondary_port: int = 5300
    zone_secret_file: str = ""
    signing_key_file: str = ""
    signin_secret_file: str = ""
    seals_file: str = ""
    serving: Serving = Serving()
    whois: Whois = Whois()
    git: Git = Git()
    limits: Limits = Limits()

    @classmethod
    def load(cls, path: Path) -> Settings:
        """Return the settings in a file; SettingsError names the key that is wrong."""
        try:
            value = json.loads(path.read_text())
        except OSError as error:
            raise _wrong(path, "", f"cannot be read ({error.strerror})") from None
        except ValueError as error:
            raise _wrong(path, "", f"is no JSON ({error})") from None
        if not isinstance(value, dict):
            raise _wrong(path, "", "is no JSON object")
        return cls.parse(value, path)

    @classmethod
    def parse(cls, value: Mapping[str, Any], path: Path = Path("settings.json")) -> Settings:
        """Return the settings in a JSON object."""
        rest = dict(value)
        if isinstance(rest.get("directory"), Mapping) and "password_file" in rest["directory"]:
            rest["directory"] = dict(rest["directory"])
            rest["directory_password_file"] = rest["directory"].pop("password_file")
        if isinstance(seals := rest.pop("seals", None), Mapping):
            rest["seals_file"] = seals.get("keys", "")
        parts: dict[str, Any] = {
            "policy": _part(path, "policy", rest.pop("policy", {}), _policy),
            "directory": _part(path, "directory", rest.pop("directory", {}), _directory),
        }
        makers = (("primary", Primary), ("serving", Serving), ("whois", Whois), ("git", Git), ("limits", Limits))
        for key, maker in makers:
            if (part := rest.pop(key, None)) is not None:
                parts[key] = _part(path, key, part, lambda given, maker=maker: _plain(maker, given))  # type: ignore[misc]
        return _part(path, "", {**rest, **parts}, lambda given: _plain(cls, given))

    def signing_key(self) -> Ed25519PrivateKey:
        """Return the key that signs the audit log's head; its file has 32 bytes in base64."""
        try:
            return Ed25519PrivateKey.from_private_bytes(
                base64.b64decode(self.secret("signing_key_file"), validate=True)
            )
        except ValueError:
            raise _wrong(Path(self.signing_key_file), "", "is no 32 bytes in base64") from None

    def verifying_key(self) -> Ed25519PublicKey | None:
        """Return what the head's signatures are verified with; None where no key is set."""
        return self.signing_key().public_key() if self.signing_key_file else None

    def secret(self, name: str) -> bytes:
        """Return what is in a file that the settings name (``zone_secret_file``); SettingsError without it."""
        place = Path(str(getattr(self, name)))
        try:
            return place.read_bytes().strip()
        except OSError as error:
            raise _wrong(place, name, f"cannot be read ({error.strerror})") from None


def _plain(maker: type[T], given: Mapping[str, Any]) -> T:
    known = {one.name: one for one in fields(maker)}  # type: ignore[arg-type]
    strangers = sorted(set(given) - set(known))
    if strangers:
        raise ValueError(f"{strangers[0]} is not known")
    values = {key: tuple(entry) if isinstance(entry, list) else entry for key, entry in given.items()}
    for key, entry in values.items():
        wanted = str(known[key].type)
        simple = {"int": int, "str": str, "bool": bool}.get(wanted)
        if simple is not None and type(entry) is not simple:
            raise ValueError(f"{key} is no {wanted}")
        texts = isinstance(entry, tuple) and all(isinstance(one, str) for one in entry)
        if wanted.startswith("tuple[str") and not texts:
            raise ValueError(f"{key} is no list of texts")
    missing = [one.name for one in known.values() if one.name not in values and _needed(one)]
    if missing:
        raise ValueError(f"{missing[0]} is missing")
    return maker(**values)


def _needed(one: Field[Any]) -> bool:
    return one.default is MISSING and one.default_factory is MISSING


def _policy(given: Mapping[str, Any]) -> Policy:
    durations = {one.name for one in fields(Policy) if str(one.type) == "timedelta"}
    for key in durations & set(given):
        if type(given[key]) not in {int, float} or not 0 <= given[key] < _LONG:
            raise ValueError(f"{key} is no number of seconds")
    values = {key: timedelta(seconds=entry) if key in durations else entry for key, entry in given.items()}
    policy = _plain(Policy, values)
    if not policy.tlds or not policy.prefix:
        raise ValueError("tlds and prefix are needed")
    return policy


def _directory(given: Mapping[str, Any]) -> DirectorySettings:
    return _plain(DirectorySettings, given)


def _part(path: Path, key: str, given: Any, make: Callable[[Mapping[str, Any]], T]) -> T:  # noqa: ANN401
    try:
        if not isinstance(given, Mapping):
            raise ValueError("is no JSON object")
        return make(given)
    except (TypeError, ValueError) as error:
        raise _wrong(path, key, str(error)) from None


def _wrong(path: Path, key: str, what: str) -> SettingsError:
    where = f"{path}: {key}" if key else str(path)
    return SettingsError(Problem("", where, what, "run the role registry (site.yml), which writes it"))
