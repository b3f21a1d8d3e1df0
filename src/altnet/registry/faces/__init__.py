"""What people and programs see: portal, API, RDAP, whois, git, metrics."""
