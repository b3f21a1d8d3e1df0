"""Apps: services with a catalogue entry (``apps/<id>.toml``), and what each adds to the host that is in its group."""
