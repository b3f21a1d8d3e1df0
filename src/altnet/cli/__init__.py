"""The command ``altnet``: a member's, registrar's or operator's way to the registry from a terminal.

It speaks to the registry's API with the standard library alone, and runs from one file (``altnet.cli.bundle``).
"""
