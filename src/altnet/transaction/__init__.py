"""The transaction: one call applies a service's whole file set, or leaves the service as it was.

:func:`run` is the whole API: it takes the module's arguments and returns the module's result. The order of
the steps is in :mod:`.engine`, what is remembered of a fulfilled one in :mod:`.order`; what a kill at any
moment leaves behind, and how the next run repairs it, is in :mod:`.store` (what is on disk) and
:mod:`.recovery` (what is made of it).

Everything here runs on hosts: standard library and relative imports only.
"""

from __future__ import annotations

from .failure import RequestError, TransactionError
from .host import Host
from .order import run

__all__ = ["Host", "RequestError", "TransactionError", "run"]
