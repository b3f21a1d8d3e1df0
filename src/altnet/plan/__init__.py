"""The plan: each host's slice of the network, a pure function of inventory and ledger."""

from .compute import MemberPrefix, Plan, compute

__all__ = ["MemberPrefix", "Plan", "compute"]
