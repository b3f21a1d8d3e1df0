"""The directory: what is declared, what slapd holds, and the difference.

Where it runs: ``parse``, ``services`` and ``wish`` on the control node; ``order`` and what it uses on a provider, in
the module; ``database`` on a provider, by itself, before slapd starts. On hosts there is the standard library only.
"""
