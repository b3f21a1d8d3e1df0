"""What Altnet costs at a size nobody types by hand, beside what a user would take instead."""
