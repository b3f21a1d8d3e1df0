"""Signing in: password, second factors, passkeys, sessions, and the way to every other site of the network."""
