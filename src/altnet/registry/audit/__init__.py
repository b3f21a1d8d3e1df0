"""The append-only log: a chain of SHA-256, its head signed hourly."""
