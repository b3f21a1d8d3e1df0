"""Asks a host's own chat as a client would: over TLS, by its name, up to where a password would be given.

``python3 -m altnet.chat.asking ADDRESS NAME ROOTS [SECONDS]`` prints ``NAME: answers`` or why not, at most
so many seconds later.
"""

from __future__ import annotations

import socket
import ssl
import sys
import time
from collections.abc import Sequence
from html import escape

#: For clients that begin with TLS.
PORT = 5223
TIMEOUT = 5.0
#: What a server offers before the login is a few hundred bytes.
MOST = 65_536


def ask(address: str, name: str, roots: str, port: int = PORT) -> str:
    """Return why it is not well; nothing where it is."""
    try:
        offered = _offered(address, name, roots, port)
    except (OSError, ValueError) as error:
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"its certificate is refused: {error.verify_message}"
        return str(error) or type(error).__name__
    if b"<mechanism>PLAIN</mechanism>" not in offered:
        return "offers no login"
    return ""


def _offered(address: str, name: str, roots: str, port: int) -> bytes:
    """Return what a server says before somebody logs in."""
    context = ssl.create_default_context(cafile=roots)
    context.set_alpn_protocols(["xmpp-client"])
    hello = (
        f"<?xml version='1.0'?><stream:stream to='{escape(name)}' version='1.0' xmlns='jabber:client'"
        " xmlns:stream='http://etherx.jabber.org/streams'>"
    )
    with (
        socket.create_connection((address, port), TIMEOUT) as plain,
        context.wrap_socket(plain, server_hostname=name) as line,
    ):
        line.sendall(hello.encode())
        heard = b""
        while b"</stream:features>" not in heard and b"</stream:stream>" not in heard and len(heard) < MOST:
            more = line.recv(4096)
            if not more:
                break
            heard += more
        return heard


def main(argv: Sequence[str]) -> int:
    """Print one line."""
    address, name, roots, *patience = argv
    end = time.monotonic() + sum(map(float, patience))
    while (refusal := ask(address, name, roots)) and time.monotonic() < end:
        time.sleep(0.2)
    sys.stdout.write(f"{name}: {refusal or 'answers'}\n")
    return 1 if refusal else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
