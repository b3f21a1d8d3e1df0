"""The primary's zones: what PowerDNS holds against what is desired, by its HTTP API.

Runs on the primary itself, from a module: standard library, and dnspython where answers of secondaries are read.
"""
