"""Git over HTTPS with the directory's accounts: who may do what with which repository, and what serves it.

Runs on the host of the app. Relative imports, the authenticator's modules, Starlette and the standard library only.
"""
