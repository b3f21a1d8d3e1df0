"""What brings the rows to PowerDNS: one writer, a comparison beside it, and the rebuilding of a lost primary.

``wanted`` says what a name has to be on the primary, ``primary`` makes one zone so, ``parents`` delegates, ``outbox``
is the list of what changed, ``work`` carries a change from there to the parent, ``compare`` finds drift, ``guard`` says
what may go, ``chores`` are what is done each minute and each hour, and ``loop`` runs all of it.
"""
