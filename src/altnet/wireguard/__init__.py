"""A host's WireGuard keys and tunnels: the desired set, the live state, and the way from one to the other.

``keys`` makes private keys on the host. ``tunnels`` takes the whole desired set of tunnels and mends the
live system in one call: ``check`` (arguments), ``live`` (read once), ``difference`` (pure), ``apply``. Runs
on hosts, so only the standard library and relative imports.
"""
