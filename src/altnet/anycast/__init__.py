"""An address that several hosts announce, each exactly while its own service is well.

What every such service needs, whatever it serves; the programs that ask them are in their own layers. Copied to hosts:
relative imports and the standard library only.
"""
