"""What runs beside Unbound on a resolver host: who asks it whether it is well, and who tells it what has changed.

The whole package is copied to such hosts, without Ansible and without anything to install: relative imports and the
standard library only, on Debian 13's Python.
"""
