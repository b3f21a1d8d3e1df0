"""Room for what arrives at a host of the kernel lab while its process waits for a processor.

User-mode Linux takes frames from a packet socket with the machine's default receive buffer, which holds some 90 full
frames. A run of Ansible sends more than that at once. What does not fit is lost: by the lab, not by the network.
"""

from __future__ import annotations

import ctypes
import os
import socket
from pathlib import Path

RECEIVE_BUFFER = 8 << 20
#: Not in Python's socket module: sets it past the machine's limit, for who may administer the network.
SO_RCVBUFFORCE = 33
#: The kernel sends through a second socket, which gets copies of IPv4 frames that nobody ever reads.
ETH_P_ALL = 3
#: The number of pidfd_getfd(2), for which Python has no function; the same on every architecture.
PIDFD_GETFD = 438


def widen(pid: int) -> int:
    """Enlarge the receive buffer of every packet socket that process ``pid`` reads frames from; return how many.

    Raises OSError where this process may not touch the other's descriptors (CAP_SYS_PTRACE), or not this buffer.
    """
    found = 0
    handle = os.pidfd_open(pid)
    try:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            if not _is_socket(link):
                continue
            with socket.socket(fileno=_borrow(handle, int(link.name))) as shared:
                if shared.family == socket.AF_PACKET and shared.getsockname()[1] == ETH_P_ALL:
                    shared.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
                    found += 1
    finally:
        os.close(handle)
    return found


def _is_socket(link: Path) -> bool:
    try:
        return os.readlink(link).startswith("socket:")  # noqa: PTH115 - what it says is no path
    except FileNotFoundError:
        return False


def _borrow(handle: int, descriptor: int) -> int:
    """Return a descriptor of this process for one of another's; both are the same socket."""
    library = ctypes.CDLL(None, use_errno=True)
    got: int = library.syscall(PIDFD_GETFD, handle, descriptor, 0)
    if got < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return got
