"""A packet socket that is read from gets room, and no other."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "lab" / "kernel"))

from uml import inbox

ETH_P_IP = 0x0800


def size(one: socket.socket) -> int:
    """The kernel doubles what is asked for."""
    return one.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2


def test_only_what_is_read_from_gets_room() -> None:
    try:
        read = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(inbox.ETH_P_ALL))
    except PermissionError:
        pytest.skip("a packet socket needs root, as which `make test` runs")
    with read, socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_IP)) as sent:
        read.bind(("lo", inbox.ETH_P_ALL))
        sent.bind(("lo", ETH_P_IP))
        before = size(sent)
        assert inbox.widen(os.getpid()) == 1
        assert size(read) == inbox.RECEIVE_BUFFER
        assert size(sent) == before


def test_a_process_that_has_ended_is_an_error() -> None:
    ended = os.fork()
    if not ended:
        os._exit(0)
    os.waitpid(ended, 0)
    with pytest.raises(OSError, match="No such process"):
        inbox.widen(ended)
