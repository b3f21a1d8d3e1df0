"""Pings from one host to many, on a precise schedule. Runs on the host itself: ``python3 - '<arguments as JSON>'``.

Standard library only, for Python 3.11 and later. Arguments: ``source``, an address of this host; ``targets``, names and
addresses; ``interval``, seconds between two pings to one target; ``wait``, seconds after which a ping is lost.

It prints READY, starts at the first line on its standard input, ends at the second (or at the end of the input), waits
for the last answers and prints the fate of every ping as JSON: for each target a list of [fate, how many], fates being
``ok``, ``lost``, and ``idle`` where this process was not given the processor in time, so that nothing was sent.
"""

from __future__ import annotations

import array
import gc
import itertools
import json
import os
import select
import socket
import struct
import sys
import time

ECHO_REQUEST, ECHO_REPLY, ICMP6_FILTER = 128, 129, 1
#: Type, code, checksum (by the kernel), identifier, sequence; then a number of this process, the target, the slot.
PACKET = struct.Struct("!BBHHHIHI")
IDLE, LOST, OK = range(3)
NAMES = ("idle", "lost", "ok")
#: A process that was forgotten ends by itself.
LONGEST = 4 * 3600.0


def open_socket(source: str) -> socket.socket:
    """Return a raw ICMPv6 socket at ``source`` that takes in echo replies and nothing else."""
    raw = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    words = [0xFFFFFFFF] * 8
    words[ECHO_REPLY >> 5] &= ~(1 << (ECHO_REPLY & 31)) & 0xFFFFFFFF
    raw.setsockopt(socket.IPPROTO_ICMPV6, ICMP6_FILTER, struct.pack("@8I", *words))
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    raw.settimeout(0)
    raw.bind((source, 0))
    return raw


class Pinger:
    """Slot s of target t is due at (s * targets + t) * step after the start: evenly spread, never in bursts."""

    def __init__(self, source: str, targets: dict[str, str], interval: float, wait: float) -> None:
        self.raw = open_socket(source)
        self.names = list(targets)
        self.addresses = [(address, 0) for address in targets.values()]
        self.step = interval / len(targets)
        self.wait = wait
        self.number = int.from_bytes(os.urandom(4), "big")
        self.fates = [bytearray() for _ in targets]
        self.sent = [array.array("d") for _ in targets]

    def send(self, due: int, now: float) -> None:
        """Send what is due; what cannot be sent (no route) is as lost as what is not answered."""
        slot, target = divmod(due, len(self.names))
        self.fates[target].append(LOST)
        self.sent[target].append(now)
        packet = PACKET.pack(
            ECHO_REQUEST, 0, 0, self.number & 0xFFFF, slot & 0xFFFF, self.number, target, slot
        )  # fmt: skip
        try:
            self.raw.sendto(packet, self.addresses[target])
        except OSError:
            return

    def skip(self, due: int, now: float) -> None:
        """Note that a slot went by while this process waited for the processor."""
        self.fates[due % len(self.names)].append(IDLE)
        self.sent[due % len(self.names)].append(now)

    def receive(self) -> None:
        """Take in every answer that is there."""
        while True:
            try:
                packet = self.raw.recv(256)
            except (BlockingIOError, InterruptedError):
                return
            now = time.monotonic()
            if len(packet) != PACKET.size:
                continue
            kind, _, _, _, _, number, target, slot = PACKET.unpack(packet)
            if kind != ECHO_REPLY or number != self.number:
                continue
            if self.fates[target][slot] == LOST and now - self.sent[target][slot] <= self.wait:
                self.fates[target][slot] = OK

    def run(self, stop: int) -> None:
        """Ping until something can be read from ``stop``, then wait for the last answers."""
        begin = time.monotonic()
        due = 0
        poll = select.poll()
        poll.register(self.raw, select.POLLIN)
        poll.register(stop, select.POLLIN | select.POLLHUP)
        while True:
            now = time.monotonic() - begin
            if now > LONGEST:
                break
            while due * self.step <= now:
                late = now - due * self.step > self.step * len(self.names)
                (self.skip if late else self.send)(due, begin + now)
                due += 1
            left = due * self.step - (time.monotonic() - begin)
            events = poll.poll(max(0.0, left) * 1000)
            if any(source == stop for source, _ in events):
                break
            if events:
                self.receive()
        end = time.monotonic() + self.wait
        while (left := end - time.monotonic()) > 0:
            if select.select([self.raw], [], [], left)[0]:
                self.receive()

    def report(self) -> dict[str, list[list[object]]]:
        """Return the fates by target, run-length encoded."""
        return {
            name: [[NAMES[fate], len(list(run))] for fate, run in itertools.groupby(fates)]
            for name, fates in zip(self.names, self.fates, strict=True)
        }


def main() -> None:
    """Obey standard input as the module's text says."""
    given = json.loads(sys.argv[1])
    pinger = Pinger(given["source"], given["targets"], given["interval"], given["wait"])
    gc.disable()
    print("READY", flush=True)
    if os.read(0, 1):
        pinger.run(0)
    print(json.dumps(pinger.report()), flush=True)


if __name__ == "__main__":
    main()
