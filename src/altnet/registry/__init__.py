"""The registry: who is a member, and who has which name, prefix and number.

Layers, each of which uses only those before it: ``domain`` has the rules, free of any framework; ``storage`` the
tables; ``audit`` the chained log; ``acts`` has one function for each thing that somebody does, in one transaction:
judged, written, logged, and put into the outbox; ``writer`` brings it to PowerDNS; ``faces`` show it to people and
programs. A rule is written once, and all faces use it.
"""
