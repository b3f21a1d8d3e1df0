"""The registry as files in git: exported change by change, and taken back by push."""
