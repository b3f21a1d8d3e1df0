"""What somebody does: each act is judged, written, logged and put into the outbox in one transaction."""
