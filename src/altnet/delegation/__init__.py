"""Delegations elsewhere whose DS the child itself decides: CDS and CDNSKEY (RFC 7344, 8078, 9615).

Relative imports and dnspython only: the primary has a copy.
"""
