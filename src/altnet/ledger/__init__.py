"""The ledger: what was given out, once and for all, in one file beside the inventory.

There is no checksum in it, and none is wanted. The file lives in git, and two honest branches that each add a
host must merge without help: a checksum over the file, or over any part that both branches extend, would make
every such merge a conflict. A checksum for each host would survive merges, and a hand that edits an id would
have to edit one more line; but whoever mends a damaged file by hand would have to compute it, on the day when
everything else is broken too. What a reader can prove wrong from the file alone (one id, label or key at two
hosts, a tunnel's record at the wrong end, a key twice in one object, which is what a careless merge leaves)
is refused. What it cannot prove, git shows in the diff.
"""

from .model import EPOCH_STATES, GENERATION_MAX, SCHEMA, Epoch, Ledger, Record, empty
from .parse import parse
from .store import dump, load, locked, save

__all__ = [
    "EPOCH_STATES", "GENERATION_MAX", "SCHEMA", "Epoch", "Ledger", "Record", "dump", "empty", "load", "locked", "parse",
    "save",
]  # fmt: skip
