"""Sites: what the inventory declares, what Caddy is told, what the start page shows, and what watches them on the host.

What runs on a content host (``asking``, ``checkout``) has relative imports and the standard library only.
"""
