"""Where the registry is and by what token one is known there: a file, a file of its own for the token, variables."""

from __future__ import annotations

import json
import os
import tempfile
import tomllib
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from .failure import USAGE, CommandError

URL: Final = "https://portal.alt"
_KEYS: Final = {"url": "URL", "ca": "CA"}


@dataclass(frozen=True)
class Settings:
    """``url`` is the portal's; ``ca`` a file with the root that its certificate hangs on, empty for the system's."""

    url: str = URL
    ca: str = ""


def directory() -> Path:
    """Return where the files are: XDG's place for settings."""
    base = os.environ.get("XDG_CONFIG_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".config") / "altnet"


def load(url: str = "", ca: str = "") -> Settings:
    """Return the settings: what a command line says goes before a variable, and that before the file."""
    path = directory() / "config.toml"
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        told = {}
    except (OSError, ValueError) as error:
        raise CommandError(f"{path} cannot be read ({error})", "mend it, or remove it", USAGE) from None
    wrong = sorted(key for key, value in told.items() if key not in _KEYS or not isinstance(value, str))
    if wrong:
        raise CommandError(f"{path}: {wrong[0]} is no setting", 'known are url = "…" and ca = "…"', USAGE)
    asked = {"url": url, "ca": ca}
    found = {
        key: asked[key] or os.environ.get(f"ALTNET_{name}", "") or told.get(key, "") for key, name in _KEYS.items()
    }
    return Settings(checked(found["url"] or URL), found["ca"])


def checked(url: str) -> str:
    """Return a portal's address without its final slash; CommandError for one to which no secret should go."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if not host or parts.scheme not in {"https", "http"} or parts.query or parts.fragment or parts.username:
        raise CommandError(f"{url!r} is no portal's address", f"write it like {URL}", USAGE)
    if parts.scheme == "http" and not _loopback(host):
        raise CommandError("A token is not sent in clear", f"write https://{parts.netloc}", USAGE)
    return url.rstrip("/")


def save(settings: Settings) -> None:
    """Keep the settings that are not what is taken anyway."""
    kept = {"url": settings.url, "ca": str(Path(settings.ca).absolute()) if settings.ca else ""}
    # What JSON writes for a text without control characters, TOML reads.
    text = "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in kept.items() if value)
    _write(directory() / "config.toml", text)


def token() -> str:
    """Return the token, empty where there is none; CommandError for a file that others may read."""
    if given := os.environ.get("ALTNET_TOKEN", ""):
        return given.strip()
    path = directory() / "token"
    try:
        with path.open(encoding="ascii") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise CommandError(
                    f"Others may read {path}", f"make it yours alone: chmod 600 {path}; and think of a new token", USAGE
                )
            return file.read(4096).strip()
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        raise CommandError(f"{path} cannot be read ({error})", "log in anew: altnet login", USAGE) from None


def keep_token(secret: str) -> Path:
    """Keep a token where its owner alone may read it, and return where."""
    path = directory() / "token"
    _write(path, secret + "\n")
    return path


def forget_token() -> bool:
    """Remove the token; say whether there was one."""
    try:
        (directory() / "token").unlink()
    except FileNotFoundError:
        return False
    return True


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all, for its owner alone from its first moment."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, half = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(half).replace(path)
        except BaseException:
            Path(half).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise CommandError(f"{path} cannot be written ({error.strerror})") from None


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
