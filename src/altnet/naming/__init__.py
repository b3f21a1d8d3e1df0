"""Names: what every zone of the network has to say, and with which keys. Pure functions; the control node's alone.

``tlds`` says which top-level domains a network may have, ``names`` what a name may look like, ``rdata`` what a
record may say (dnspython), ``desired`` makes all zones, ``keys`` derives their keys, ``anchors`` says with what
resolvers begin, and ``roll`` changes a key in the ledger.
"""

from .model import Key, RRSet, Zone

__all__ = ["Key", "RRSet", "Zone"]
