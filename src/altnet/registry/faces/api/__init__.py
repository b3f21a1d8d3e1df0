"""The registry for programs: resources in JSON under /api/v1."""
