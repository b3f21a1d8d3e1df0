"""What Caddy has really loaded, as a digest: ``python3 -m altnet.content.loaded``. Nothing is changed by asking."""

from __future__ import annotations

import hashlib
import http.client
import socket
import sys
from pathlib import Path

ADMIN = Path("/run/caddy/admin.sock")


class Connection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self) -> None:
        """Connect."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


def digest(path: Path = ADMIN) -> str:
    """Return the digest of the configuration that is in force. Raises OSError where nobody tells."""
    connection = Connection(path, 5.0)
    try:
        connection.putrequest("GET", "/config/", skip_host=True)
        # On a socket Caddy takes no name for its own, but the empty one.
        connection.putheader("Host", "")
        connection.endheaders()
        answer = connection.getresponse()
        text = answer.read()
    finally:
        connection.close()
    if answer.status != http.client.OK:
        raise OSError(f"{path} answers with {answer.status}")
    return hashlib.sha256(text).hexdigest()


def main() -> int:
    """Print it."""
    try:
        sys.stdout.write(f"{digest()}\n")
    except (OSError, http.client.HTTPException) as error:
        sys.stdout.write(f"nobody tells: {error}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
