"""Sign-on for sites: one login page for the network, and the word that a web server asks for before each request.

The package is copied to content hosts and needs Debian's Starlette, uvicorn, ldap3 and cryptography there. Relative
imports only. What the portal takes over later is written down in docs/concepts/sign-on.md.
"""
