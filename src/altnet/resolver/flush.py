"""Has Unbound forget a zone as soon as the secondary beside it has a new version.

The secondary passes each NOTIFY on, once when it comes (`forward-notify`) and once when it has the new version
(`secondary-do-renotify`): for every zone there is, without being asked, and repeated until answered. So a change is
seen at once whatever its TTL, and what has not changed stays cached. Both come up to a second late; therefore a zone
that was notified is watched closely for a while.
"""

from __future__ import annotations

import json
import logging
import select
import socket
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from .. import systemd
from . import wire

log = logging.getLogger("altnet-flush")

#: Seconds between two looks at the serial of a zone that was notified, and for how long it is looked at.
LOOK, WATCH = 0.05, 5.0
#: Zones that are watched at a time; during a mass of changes the others wait for the second NOTIFY.
WATCHED = 64
#: Seconds after which a zone is flushed once more: an answer may have been under way from the old version.
AGAIN = 1.0
#: Seconds after which a flush that Unbound did not take is tried again.
RETRY = 1.0


def control(command: str, path: str) -> str:
    """Give Unbound a command, as unbound-control does, and return its answer. Raises OSError where it takes none."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(10)
        connection.connect(path)
        connection.sendall(f"UBCT1 {command}\n".encode())
        text = b""
        while part := connection.recv(4096):
            text += part
    reply = text.decode("utf-8", "replace").strip()
    if not reply.startswith("ok"):
        raise OSError(reply or "no answer")
    return reply


class Agenda:
    """Which zones are to be flushed and when, and which are watched until when, with the answer seen last."""

    def __init__(self, flush: Callable[[str], object]) -> None:
        self.flush = flush
        self.due: dict[str, list[float]] = {}
        self.watched: dict[str, float] = {}
        self.seen: dict[str, bytes] = {}
        self.next_look = 0.0

    def note(self, zone: str, now: float) -> None:
        """Put a zone on: at once, and once more."""
        self.due[zone] = [now, now + AGAIN]

    def notified(self, zone: str, now: float) -> None:
        """Put a zone on that may have a new version now or in a moment."""
        self.note(zone, now)
        if zone in self.watched or len(self.watched) < WATCHED:
            self.watched[zone] = now + WATCH

    def saw(self, packet: bytes, now: float) -> None:
        """Take an answer of the secondary about a zone's SOA; another one than before is another version."""
        try:
            zone, _ = wire.decode(packet, wire.HEADER.size)
        except ValueError:
            return
        if zone not in self.watched:
            return
        if self.seen.get(zone, packet[2:]) != packet[2:]:
            self.note(zone, now)
        self.seen[zone] = packet[2:]

    def to_look_at(self, now: float) -> list[str]:
        """Return the zones to look at now; none before the next look, as an answer to the last one wakes us too."""
        for zone in [zone for zone, until in self.watched.items() if until < now]:
            del self.watched[zone]
            self.seen.pop(zone, None)
        if not self.watched or now < self.next_look:
            return []
        self.next_look = now + LOOK
        return sorted(self.watched)

    def left(self, now: float) -> float | None:
        """Return the seconds until something is due, None where nothing is."""
        moments = [times[0] for times in self.due.values()] + [self.next_look] * bool(self.watched)
        return max(0.0, min(moments) - now) if moments else None

    def run(self, now: float) -> None:
        """Flush what is due; what fails stays on."""
        for zone, times in sorted(self.due.items()):
            if times[0] > now:
                continue
            try:
                self.flush(zone)
            except OSError as error:
                log.warning("%s not flushed, will try again: %s", zone, error)
                self.due[zone] = [now + RETRY, *times[1:]]
                continue
            log.info("%s flushed", zone)
            self.due[zone] = times[1:]
        self.due = {zone: times for zone, times in self.due.items() if times}


def serve(place: socket.socket, secondary: socket.socket, agenda: Agenda) -> None:
    """Answer and obey every NOTIFY, for good."""
    while True:
        agenda.run(time.monotonic())
        for zone in agenda.to_look_at(time.monotonic()):
            try:
                secondary.send(wire.question(zone, "SOA", 0))
            except (OSError, ValueError):
                break
        wait = agenda.left(time.monotonic())
        for ready in select.select([place, secondary], [], [], wait)[0]:
            take(ready, place, agenda)


def take(ready: socket.socket, place: socket.socket, agenda: Agenda) -> None:
    """Read everything that has come to one of the sockets."""
    while True:
        try:
            packet, sender = ready.recvfrom(4096)
        except BlockingIOError:
            return
        except OSError:  # nobody listens at the secondary's port; asked again at the next look
            return
        if ready is not place:
            agenda.saw(packet, time.monotonic())
        elif (heard := wire.notified(packet)) is not None:
            place.sendto(heard[1], sender)
            agenda.notified(heard[0], time.monotonic())


def start(agenda: Agenda, zones: Iterable[str]) -> None:
    """Flush everything that we answer for: it may have changed while we were away."""
    for zone in zones:
        agenda.note(zone, time.monotonic())


def main(arguments: list[str]) -> int:
    """Read the settings file that is named, then serve."""
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    settings = json.loads(Path(arguments[0]).read_text())
    agenda = Agenda(lambda zone: control(f"flush_zone {zone}", settings["control"]))
    kind = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK
    with socket.socket(socket.AF_INET6, kind) as place, socket.socket(socket.AF_INET6, kind) as secondary:
        place.bind((settings["listen"]["address"], settings["listen"]["port"]))
        secondary.connect((settings["secondary"]["address"], settings["secondary"]["port"]))
        start(agenda, settings["zones"])
        systemd.notify("READY=1")
        serve(place, secondary, agenda)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
