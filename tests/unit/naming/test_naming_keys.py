"""Keys from the master secret, checked against what others make of them."""

from __future__ import annotations

import base64
import hashlib

import dns.dnssec
import dns.name
import dns.rrset
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st
from naming_world import MASTER

from altnet.errors import AltnetError
from altnet.naming import keys, sshfp
from altnet.secrets import derive


def private(text: str) -> ec.EllipticCurvePrivateKey:
    values = dict(line.split(": ", 1) for line in text.splitlines())
    return ec.derive_private_key(int.from_bytes(base64.b64decode(values["PrivateKey"]), "big"), ec.SECP256R1())


@given(st.from_regex(r"[a-z]{1,20}(\.[a-z]{1,20}){0,3}", fullmatch=True), st.integers(0, 2**32))
@settings(max_examples=50, deadline=None)
def test_a_signature_of_the_private_text_is_one_of_the_dnskey(zone: str, epoch: int) -> None:
    name = dns.name.from_text(zone + ".")
    key = keys.dnskey(MASTER, zone, epoch)
    text = dns.rrset.from_text(name, 60, "IN", "AAAA", "fd12::1")
    signature = dns.dnssec.sign(text, private(keys.private_text(MASTER, zone, epoch)), name, key, lifetime=60)
    rrset = dns.rrset.from_rdata(name, 60, signature)
    dns.dnssec.validate(text, rrset, {name: dns.rrset.from_rdata(name, 60, key)})
    tag, algorithm, digest, value = keys.ds(MASTER, zone, epoch).split()
    assert (int(tag), algorithm, digest) == (keys.key_tag(MASTER, zone, epoch), "13", "2")
    assert value == hashlib.sha256(name.to_wire() + key.to_wire()).hexdigest()
    assert len({1} | {keys.scalar(MASTER, zone, epoch)}) == 2
    assert 1 <= keys.scalar(MASTER, zone, epoch) < keys.ORDER


def test_keys_stay_what_they_are() -> None:
    """Whoever changes how keys are derived takes every network's zones away."""
    seed = int.from_bytes(derive(MASTER, "dnssec/alt", 0, 48), "big")
    assert keys.scalar(MASTER, "alt", 0) == seed % (keys.ORDER - 1) + 1
    assert keys.private_text(MASTER, "alt", 0) == (
        "Private-key-format: v1.2\nAlgorithm: 13 (ECDSAP256SHA256)\n"
        "PrivateKey: juFmEllGeXUkUpizqX1ysMgiKWXHiz/CimMKjLEWkz4=\n"
    )
    assert keys.ds(MASTER, "alt", 0) == "36054 13 2 4d7453007bd6b7643e6f5a678b3a75fbda4d62ca52f51076c836de23293c2e80"


def test_every_zone_and_every_epoch_has_its_own() -> None:
    found = {keys.ds(MASTER, zone, epoch) for zone in ("alt", "neo", "net.alt") for epoch in range(3)}
    assert len(found) == 9
    assert keys.ds(MASTER, "ALT.", 0) == keys.ds(MASTER, "alt", 0)
    assert keys.ds(MASTER + "x", "alt", 0) not in found


def test_a_short_master_secret() -> None:
    with pytest.raises(AltnetError, match="altnet_master_secret"):
        keys.ds("short", "alt", 0)


ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJq2aqOUv8wXmCuHDnJkMFj8XFc3K2SrTSfNxMAlqDU"


def test_host_keys() -> None:
    print_ = hashlib.sha256(base64.b64decode(ED25519.split()[1])).hexdigest()
    assert sshfp.fingerprints([f"{ED25519} root@fra\n"]) == {4: print_}


@pytest.mark.parametrize(
    "line", ["", "ssh-ed25519", "ssh-ed25519 %", "ssh-dss AAAA", ED25519.replace("ed25519", "rsa")]
)
def test_what_is_no_host_key_is_passed_over(line: str) -> None:
    assert sshfp.fingerprints([line, ED25519]).keys() == {4}
