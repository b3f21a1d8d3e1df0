"""PowerDNS's HTTP API: one request, one answer, and errors in words."""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from .errors import PowerdnsError, problem

_ROOT = "/api/v1/servers/localhost"
_TIMEOUT = 300.0  # seconds: 10,000 names in one request take a loaded machine some
#: Seconds for the first answer, of which PowerDNS needs no zone: one that hangs is not waited for as if it worked.
_FIRST = 10.0
_PAUSE = 0.25
#: Seconds that a serial (which is a time) may be ahead of our clock and is waited for.
SERIAL_AHEAD = 5
#: Seconds that PowerDNS's clock may be behind ours: time(2) takes the kernel's last tick for now, up to 10 ms ago.
CLOCK_TICK = 0.02


class Api(Protocol):
    """What the rest of the package asks of PowerDNS."""

    def call(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401  # JSON
        """Send one request and return the decoded answer (None where it is empty); raises PowerdnsError."""


class RefusedError(PowerdnsError):
    """PowerDNS answered, and said no."""

    def __init__(self, where: str, status: int, message: str) -> None:
        self.status = status
        remedy = {
            401: "run the role dns_authoritative on this host: its key is not the one in the key file",
            404: "run again: it was there a moment ago",
        }.get(status, "mend the record or the zone it names")
        super().__init__(problem(where, f"PowerDNS refuses it ({status}): {message}", remedy))


class HttpApi:
    """The API of the PowerDNS on this host; a connection for each request, as it closes them anyway."""

    def __init__(self, address: str, port: int, key: str, patience: float = 10.0, timeout: float = _TIMEOUT) -> None:
        self._address, self._port, self._key = address, port, key
        self._patience, self._timeout = patience, timeout
        self._met = False

    def call(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401  # JSON
        """Send one request; a daemon that has just been started is waited for."""
        if not self._met:
            self._sent("GET", "", None, min(_FIRST, self._timeout), "no zone was changed")
            self._met = True
        known = method == "GET"
        lost = "no zone was changed by this request" if known else "whether this request changed its zone is not known"
        status, answer = self._sent(method, path, body, self._timeout, lost)
        if status >= 400:
            raise RefusedError(_where(path), status, _message(answer))
        return json.loads(answer) if answer.strip() else None

    def _sent(self, method: str, path: str, body: object, timeout: float, lost: str) -> tuple[int, bytes]:
        """Return status and answer; ``lost`` says what it means where none comes."""
        deadline = time.monotonic() + self._patience
        while True:
            try:
                return self._once(method, path, None if body is None else json.dumps(body), timeout)
            except ConnectionRefusedError as error:
                if time.monotonic() >= deadline:
                    raise self._unreachable(error, lost) from None
                time.sleep(_PAUSE)
            except (OSError, http.client.HTTPException) as error:
                raise self._unreachable(error, lost) from None

    def _once(self, method: str, path: str, body: str | None, timeout: float) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(self._address, self._port, timeout=timeout)
        try:
            headers = {"X-API-Key": self._key, "Content-Type": "application/json"}
            connection.request(method, _ROOT + path, None if body is None else body.encode(), headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def _unreachable(self, error: Exception, lost: str) -> PowerdnsError:
        what = f"PowerDNS's API does not answer ({error or type(error).__name__}); {lost}"
        remedy = "see `systemctl status pdns` on the primary, then run again"
        return PowerdnsError(problem(f"[{self._address}]:{self._port}", what, remedy))


def read_key(path: Path) -> str:
    """Return the API key in a file that others cannot read; it never is an argument of anything."""
    try:
        mode = path.stat().st_mode
        key = path.read_text().strip()
    except OSError as error:
        what = f"the API key cannot be read ({error.strerror})"
        raise PowerdnsError(problem(str(path), what, "run the role dns_authoritative on the primary")) from None
    if mode & 0o007 or not key:
        what = "the API key is readable by everybody, or empty"
        raise PowerdnsError(problem(str(path), what, "run the role dns_authoritative on the primary"))
    return key


def zone_path(name: str) -> str:
    """Return the path of a zone; what is no letter, digit, dot, dash or underscore is written by its number."""
    quoted = re.sub(r"[^A-Za-z0-9._-]", lambda found: f"={ord(found[0]):02X}", name)
    return f"/zones/{quoted}"


def _where(path: str) -> str:
    parts = path.partition("?")[0].split("/")
    return f"zone {parts[2]}" if len(parts) > 2 and parts[1] == "zones" else path


def _message(answer: bytes) -> str:
    text = answer.decode(errors="replace").strip()
    try:
        value = json.loads(text)
    except ValueError:
        return text[:500]
    if not isinstance(value, Mapping):
        return text[:500]
    return "; ".join([str(value.get("error", text)), *map(str, value.get("errors") or ())])
