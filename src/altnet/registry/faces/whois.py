"""Whois on port 43 (RFC 3912): one line asked, one text answered, in UTF-8."""

from __future__ import annotations

import asyncio
import ipaddress
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ..domain.errors import RegistryError
from ..domain.model import Account, Asn, DomainState, Hosting, Prefix, Zone
from . import public

if TYPE_CHECKING:
    from ..acts.desk import Desk

#: Bytes of a question, seconds for it, questions at once, and from one address; seconds for one too many.
LONGEST, PATIENCE, MOST, EACH = 255, 5.0, 64, 4
HURRY = 1.0
_FLAGS = re.compile(r"(?:^|\s)-(?:[TVi]\s*\S+|\S*)")
#: EPP's names of a domain's states (RFC 5731).
STATUS = {
    DomainState.REQUESTED: ("pendingCreate",),
    DomainState.REGISTERED: ("ok",),
    DomainState.LOCKED: ("clientUpdateProhibited", "clientTransferProhibited", "clientDeleteProhibited"),
    DomainState.HELD: ("serverHold", "serverTransferProhibited"),
    DomainState.EXPIRED: ("redemptionPeriod",),
    DomainState.TRANSFERRING: ("pendingTransfer",),
    DomainState.RESERVED: ("reserved",),
    DomainState.REVOKED: ("serverHold", "serverUpdateProhibited", "serverDeleteProhibited"),
}
Lines = Iterable[tuple[str, str]]


def answer(desk: Desk, asked: str) -> str:
    """Return the text for a question: a domain, an address or prefix, an AS number or an account."""
    words = _FLAGS.sub(" ", asked).split()
    if len(words) == 2 and words[0].lower() in ("domain", "person", "account", "n", "a"):
        words = words[1:]
    if len(words) != 1 or not words[0].isprintable():
        return _text("Ask for one domain, address, prefix, AS number or account.")
    try:
        found = _find(desk, words[0])
    except RegistryError:
        return _text("The registry does not answer now. Try again in a minute.")
    if found is None:
        return _text("No entries found.")
    width = 16
    body = "".join(f"{name + ':':<{width}}{value}\n" for name, value in found)
    return _text("What the registry has now. Names and mail of people are not in it.") + "\n" + body + "\n"


def _text(words: str) -> str:
    return f"% {words}\n"


def _find(desk: Desk, asked: str) -> Lines | None:
    number = re.fullmatch(r"(?:as)?([0-9]{1,10})", asked, re.IGNORECASE | re.ASCII)
    if number:
        asn = public.asn(desk, int(number[1])) if int(number[1]) <= 4_294_967_295 else None
        return None if asn is None else _asn(asn)
    try:
        net = ipaddress.ip_network(asked, strict=False)
    except ValueError:
        pass
    else:
        prefix = public.prefix(desk, net) if isinstance(net, ipaddress.IPv6Network) else None
        return None if prefix is None else _prefix(prefix)
    if "." in asked.strip("."):
        zone = public.domain(desk, asked)
        return None if zone is None else _domain(desk, zone)
    account = public.account(desk, asked)
    return None if account is None else _account(account)


def _domain(desk: Desk, zone: Zone) -> list[tuple[str, str]]:
    domain = zone.domain
    lines = [("Domain Name", domain.name.removesuffix("."))]
    if domain.unicode != domain.name.removesuffix("."):
        lines.append(("Internationalized Name", f" {domain.unicode}"))
    if domain.holder:
        lines.append(("Registrant", domain.holder))
    lines += [("Domain Status", status) for status in STATUS.get(domain.state, ("inactive",))]
    lines += [("Creation Date", _when(domain.created)), ("Updated Date", _when(domain.updated))]
    if domain.holder:
        lines.append(("Expiry Date", _when(domain.expires)))
    for host, addresses in public.nameservers(desk, zone).items():
        lines.append(("Name Server", " ".join((host.removesuffix("."), *addresses))))
    signers = public.signers(zone)
    signed = domain.hosting is Hosting.ZONE or bool(signers)
    return [*lines, ("DNSSEC", "signedDelegation" if signed else "unsigned"), *(("DNSSEC DS", ds) for ds in signers)]


def _prefix(prefix: Prefix) -> list[tuple[str, str]]:
    lines = [
        ("inet6num", prefix.prefix),
        ("netname", f"{prefix.holder}-{prefix.prefix.rpartition('/')[2]}"),
        ("org", prefix.holder),
        *(("nserver", host) for host in prefix.nameservers),
        *(("ds-rdata", ds) for ds in prefix.ds),
        ("status", "ASSIGNED"),
        ("created", _when(prefix.created)),
        ("last-modified", _when(prefix.updated)),
    ]
    for number in prefix.asns:
        lines += [("route6", prefix.prefix), ("origin", f"AS{number}")]
    return lines


def _asn(asn: Asn) -> list[tuple[str, str]]:
    return [
        ("aut-num", f"AS{asn.number}"),
        ("as-name", f"AS{asn.number}"),
        ("org", asn.holder),
        ("status", "ASSIGNED"),
        ("created", _when(asn.created)),
    ]


def _account(account: Account) -> list[tuple[str, str]]:
    return [("person", account.uid), ("status", account.state.value), ("created", _when(account.created))]


def _when(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


class Service:
    """Answers on sockets; each question is read from the database in a thread."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.here = desk, Counter[str]()

    async def listen(self, addresses: Sequence[str], port: int) -> list[asyncio.Server]:
        """Return servers on all addresses."""
        return [
            await asyncio.start_server(self.serve, address, port, limit=LONGEST + 2, backlog=128)
            for address in addresses
        ]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection, within bounds of time and number."""
        peer = str((writer.get_extra_info("peername") or ("",))[0])
        self.here[peer] += 1
        try:
            crowded = self.here.total() > MOST or self.here[peer] > EACH
            # The question of one who is turned away is read too: a close before it would take the answer back (RST).
            async with asyncio.timeout(HURRY if crowded else PATIENCE):
                text = await self._reply(reader, crowded=crowded)
                writer.write(text.replace("\n", "\r\n").encode("utf-8", "replace"))
                await writer.drain()
        except (TimeoutError, ConnectionError):
            pass
        finally:
            self.here[peer] -= 1
            if not self.here[peer]:
                del self.here[peer]
            writer.close()

    async def _reply(self, reader: asyncio.StreamReader, *, crowded: bool) -> str:
        try:
            line = await reader.readuntil(b"\n")
        except asyncio.LimitOverrunError:
            return _text(f"A question has at most {LONGEST} bytes.")
        except asyncio.IncompleteReadError as error:
            line = error.partial
        if crowded:
            return _text("Too many questions at once. Try again in a moment.")
        try:
            asked = line.decode().strip()
        except UnicodeDecodeError:
            return _text("Ask in UTF-8.")
        return await asyncio.to_thread(answer, self.desk, asked)
