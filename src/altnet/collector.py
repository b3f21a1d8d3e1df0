"""Python's cyclic garbage collector, set aside while a large thing without cycles is built."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def set_aside() -> Iterator[None]:
    """Leave the collector off within, and as it was afterwards; also a decorator.

    A network of 10,000 relays is millions of tuples that all stay: each time the collector walks them again, it finds
    nothing, and the walks are what grows faster than the network. What is not in a cycle is freed all the same.
    """
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()
