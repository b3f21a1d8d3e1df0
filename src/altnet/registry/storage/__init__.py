"""The tables and how they are reached: SQLite in WAL mode, or PostgreSQL."""
