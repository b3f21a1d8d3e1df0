"""Pings others at a steady rate until standard input ends, then prints what was lost, as JSON. Runs on a host.

Arguments: source address, seconds between two pings to one target, then NAME=ADDRESS for each target. For each target:
``sent``, ``lost``, ``gap`` (the longest run without an answer, in milliseconds at the nominal rate: with nothing lost
it is one interval) and ``silence`` (the longest time between two answers' arrivals by the kernel's clock, less what the
sender itself was late).
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import struct
import sys
import time

ECHO_REQUEST, ECHO_REPLY = 128, 129
ICMP6_FILTER = 1
SO_TIMESTAMPNS = 35
#: Type, code, checksum (by the kernel), identifier, target, number.
PACKET = struct.Struct("!BBHHHQ")
#: Seconds that the last answers get to arrive.
LAST = 2.0


class Pinger:
    """When each ping was sent, and when its answer arrived, by target."""

    def __init__(self, source: str, targets: dict[str, str], interval: float) -> None:
        self.targets, self.interval = targets, interval
        self.identifier = os.getpid() & 0xFFFF
        self.sent: list[list[float]] = [[] for _ in targets]
        self.arrived: list[dict[int, float]] = [{} for _ in targets]
        self.raw = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        words = [0xFFFFFFFF] * 8
        words[ECHO_REPLY >> 5] &= ~(1 << (ECHO_REPLY & 31)) & 0xFFFFFFFF
        self.raw.setsockopt(socket.IPPROTO_ICMPV6, ICMP6_FILTER, struct.pack("@8I", *words))
        self.raw.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.raw.settimeout(0)
        self.raw.bind((source, 0))

    def send(self) -> None:
        """Ping every target once; where there is no route nothing will answer, and that is counted."""
        for index, address in enumerate(self.targets.values()):
            packet = PACKET.pack(ECHO_REQUEST, 0, 0, self.identifier, index, len(self.sent[index]))
            self.sent[index].append(time.time())
            with contextlib.suppress(OSError):
                self.raw.sendto(packet, (address, 0))

    def receive(self) -> None:
        """Take in every answer that is there."""
        while True:
            try:
                packet, ancillary, _, _ = self.raw.recvmsg(256, socket.CMSG_SPACE(16))
            except BlockingIOError:
                return
            if len(packet) != PACKET.size:
                continue
            _, _, _, identifier, index, number = PACKET.unpack(packet)
            if identifier == self.identifier:
                stamps = (struct.unpack("@qq", data) for _, what, data in ancillary if what == SO_TIMESTAMPNS)
                seconds, nanoseconds = next(stamps, (time.time(), 0))
                self.arrived[index].setdefault(number, seconds + nanoseconds / 1e9)

    def run(self) -> None:
        """Ping until standard input ends, and wait for the last answers."""
        due, ended = time.monotonic(), False
        while not ended:
            self.send()
            # Who was late does not catch up in a burst.
            due = max(due + self.interval, time.monotonic() - self.interval)
            while not ended and (left := due - time.monotonic()) > 0:
                ended = sys.stdin in select.select([self.raw, sys.stdin], [], [], left)[0]
                self.receive()
        until = time.monotonic() + LAST
        while (left := until - time.monotonic()) > 0:
            select.select([self.raw], [], [], left)
            self.receive()

    def told(self, index: int) -> dict[str, int]:
        """Return one target's figures."""
        sent, arrived = self.sent[index], self.arrived[index]
        missing, run, silence = 0, 0, 0.0
        last: int | None = None
        for number, when in enumerate(sent):
            missing = missing + 1 if number not in arrived else 0
            run = max(run, missing)
            if number in arrived:
                if last is not None:
                    late = max(0.0, when - sent[last] - (number - last) * self.interval)
                    silence = max(silence, arrived[number] - arrived[last] - late)
                last = number
        return {
            "sent": len(sent),
            "lost": len(sent) - len(arrived),
            "gap": round((run + 1) * self.interval * 1000),
            "silence": round(silence * 1000),
        }


def main() -> None:
    """Entry point."""
    pairs = (argument.partition("=") for argument in sys.argv[3:])
    pinger = Pinger(sys.argv[1], {name: address for name, _, address in pairs}, float(sys.argv[2]))
    pinger.run()
    print(json.dumps({name: pinger.told(index) for index, name in enumerate(pinger.targets)}))


if __name__ == "__main__":
    main()
