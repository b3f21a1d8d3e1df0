"""What a record may say: dnspython reads it, and gives it back in its one canonical form."""

from __future__ import annotations

import re
import socket
import struct

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from .model import MADE
from .names import NAME_MAX, Wrong, wrong_name

#: Types that may be declared. SOA, DNSKEY, RRSIG and NSEC are the server's own to make.
TYPES = (
    "A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "LOC", "MX", "NAPTR", "NS", "OPENPGPKEY", "PTR", "SMIMEA", "SRV",
    "SSHFP", "SVCB", "TLSA", "TXT", "URI",
)  # fmt: skip
#: Types whose text has nothing in it that capitals distinguish.
_LOWER = frozenset(("AAAA", "CNAME", "DS", "MX", "NS", "PTR", "SMIMEA", "SRV", "SSHFP", "TLSA"))
#: Types that point at a host, and where in the rdata.
_TARGET = {"NS": "target", "MX": "exchange", "SRV": "target"}
_STRING_MAX = 255
#: Parameters that PowerDNS writes without quotes: as it answers, so it has to be asked, or each run would change it.
_UNQUOTED = re.compile(r"\b(alpn|ipv4hint|ipv6hint|mandatory|port)=\"([^\"\\ ]*)\"")


#: A whole name of the letters that hosts have, a number as it is written, one string with nothing to escape.
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+", re.ASCII)
_NUMBER = re.compile(r"0|[1-9][0-9]{0,4}", re.ASCII)
_STRING = re.compile(r'"[ !#-\[\]-~]{0,255}"', re.ASCII)


def canonical(kind: str, value: str) -> str:
    """Return the value in its canonical form; raise ValueError with the reason where it is none of that type.

    Names in it have to be absolute: what a name without its final dot means depends on who reads it.
    """
    text = value.strip()
    if plain := _plain(kind, text):
        return plain
    if kind == "TXT" and not text.startswith('"'):
        text = _quoted(text)
    if kind in _LOWER:
        text = text.lower()
    written = str(checked(kind, text).to_text())
    if "\\" in written and str(checked(kind, written).to_text()) != written:
        # In dnspython 2.7 a byte beyond ASCII in CAA and NAPTR becomes two, each time that it is read.
        raise ValueError("has a sign beyond ASCII, which not all programs read alike")
    return _UNQUOTED.sub(r"\1=\2", written) if kind in {"HTTPS", "SVCB"} else written


def checked(kind: str, text: str) -> dns.rdata.Rdata:
    """Return what a record says that is sent as it is written; raise ValueError with the reason where it says nothing.

    Of the types that we do not know ourselves it is dnspython's word alone.
    """
    if "\n" in text or "\r" in text:
        # Of a second line nobody would take notice.
        raise ValueError("has a line break")
    try:
        rdata = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.from_text(kind), text, relativize=False)
        wire = rdata.to_wire()
    except dns.name.NeedAbsoluteNameOrOrigin:
        raise ValueError("names a host without a dot at the end") from None
    except (dns.exception.DNSException, ValueError, TypeError, IndexError, OverflowError, struct.error) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"is no {kind} record's value ({reason})") from None
    # Base64 is read past what is none of it, so that nothing may be left.
    if not wire and kind != "APL":
        raise ValueError(f"is no {kind} record's value (it is empty)")
    if rdata.rdcomment is not None:
        raise ValueError("has a comment")
    target = getattr(rdata, _TARGET[kind]).to_text().lower() if kind in _TARGET else "."
    wrong = None if target == "." and kind != "NS" else wrong_name(target)
    if wrong:
        raise ValueError(f"points at {target}, which {wrong[0]}")
    if kind == "AAAA" and "." in rdata.to_text():
        raise ValueError("is an IPv4 address in IPv6's clothes")
    return rdata


def _plain(kind: str, text: str) -> str:
    """Return the canonical form of the plainest values, empty for all others: dnspython takes 50 times as long.

    It says the same of them; most records are such, and files are checked by thousands.
    """
    if kind == "AAAA":
        return _address(text)
    if kind == "TXT":
        return text if _STRING.fullmatch(text) else ""
    # Two hyphens may be an xn-- form, which is judged.
    if kind not in {"CNAME", "MX", "NS", "PTR"} or len(text) > NAME_MAX or "--" in text:
        return ""
    text = text.lower()
    if kind == "MX":
        preference, _, name = text.partition(" ")
        return text if _NUMBER.fullmatch(preference) and int(preference) < 1 << 16 and _HOST.fullmatch(name) else ""
    return text if _HOST.fullmatch(text) else ""


def _address(text: str) -> str:
    """Return a plain IPv6 address in its canonical form, empty for whatever else it is."""
    try:
        written = socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, text))
    except (OSError, ValueError):
        return ""
    return "" if "." in written or "." in text else written


def wrong_type(kind: str) -> Wrong | None:
    """Judge a type in capitals that a zone is to have."""
    if kind in MADE:
        return f"has the type {kind}, which the server makes by itself", "leave it out"
    try:
        number = dns.rdatatype.from_text(kind)
    except (dns.exception.DNSException, ValueError):
        return f"has the type {kind!r}, which nobody knows", "write the type as its RFC names it"
    if dns.rdatatype.is_metatype(number):
        return f"has the type {kind}, which is a question's and no record's", "leave it out"
    return None


def _quoted(text: str) -> str:
    """Return text as the quoted strings of a TXT record, each of at most 255 bytes."""
    raw = text.encode()
    parts = [raw[start : start + _STRING_MAX] for start in range(0, len(raw), _STRING_MAX)] or [b""]
    return " ".join('"' + "".join(_escaped(byte) for byte in part) + '"' for part in parts)


def _escaped(byte: int) -> str:
    if byte in b'"\\':
        return f"\\{chr(byte)}"
    return chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03d}"


def remedy(kind: str, reason: str) -> str:
    """Return how to mend what :func:`canonical` refused."""
    if reason in {"has a line break", "has a comment"}:
        return "leave it out"
    if "without a dot at the end" in reason:
        return "write the whole name with a dot at its end (www.shop.alt.)"
    examples = {
        "A": "192.0.2.1",
        "AAAA": "fd12:3456:789a::1",
        "CAA": '0 issue "ca.alt"',
        "CNAME": "www.shop.alt.",
        "MX": "10 mail.shop.alt.",
        "NS": "ns.shop.alt.",
        "PTR": "www.shop.alt.",
        "SRV": "0 5 5060 sip.shop.alt.",
        "TXT": '"v=spf1 -all"',
    }
    return f"write it like {examples[kind]!r}" if kind in examples else f"write a {kind} record as its RFC has it"
