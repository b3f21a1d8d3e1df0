"""The one that writes to PowerDNS: it empties the outbox, repairs drift, and rebuilds what was lost."""
