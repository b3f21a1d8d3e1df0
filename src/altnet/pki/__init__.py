"""The network's certificate authority: a root that can sign for nobody but the network, and what hangs from it.

What a host runs (:mod:`.born`) needs the standard library and the host's openssl; all else runs on the control node.
"""
