"""Drills: what users of the network see when something breaks, measured with pings between all pairs of hosts."""
