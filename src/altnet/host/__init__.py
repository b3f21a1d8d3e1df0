"""What a host tells of itself: the probe before a run, and the check after it."""
