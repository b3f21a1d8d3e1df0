"""The Registration Data Access Protocol (RFC 9082, RFC 9083)."""
