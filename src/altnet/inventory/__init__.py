"""What the operator wrote, typed and checked: every problem of an inventory is found in one reading."""

from .model import FAMILIES, Anycast, Host, Inventory, Topology
from .parse import parse
from .without import without

__all__ = ["FAMILIES", "Anycast", "Host", "Inventory", "Topology", "parse", "without"]
