"""All verbs, by subject."""

from typing import Final

from ..tool import Verb
from . import checking, completing, entering, governing, inviting, names, numbers, records, running, tokens

VERBS: Final[tuple[Verb, ...]] = (
    *entering.VERBS,
    *names.VERBS,
    *records.VERBS,
    *inviting.VERBS,
    *tokens.VERBS,
    *numbers.VERBS,
    *governing.VERBS,
    *running.VERBS,
    *checking.VERBS,
    *completing.VERBS,
)

#: The words that verbs begin with, and what they are about.
GROUPS: Final = {
    "name": "names: register, keep, give away, let go",
    "record": "what a name says in the DNS",
    "invite": "invitations, by which others join",
    "token": "tokens, for programs",
    "prefix": "prefixes of members who route",
    "asn": "autonomous system numbers",
    "route": "which autonomous system announces which prefix",
    "registrar": "for registrars: the queue, holds, transfers, accounts",
    "audit": "the audit log",
    "state": "for operators: the outbox, drift, name servers",
    "registry": "the registry's files in git",
}
