"""Which hosts have tunnels with each other: named strategies over ids, deterministic and stable."""

from .compute import compute
from .node import Node, can_link, kind_of

__all__ = ["Node", "can_link", "compute", "kind_of"]
