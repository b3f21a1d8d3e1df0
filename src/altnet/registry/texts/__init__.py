"""Every object as a file that people review: written, read and checked with no server at hand."""
