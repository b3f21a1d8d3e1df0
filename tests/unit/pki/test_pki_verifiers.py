"""What others make of our certificates: OpenSSL, GnuTLS, NSS, Python's ssl and the library that we sign with."""

from __future__ import annotations

import ipaddress
import re
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pki_world
import pytest
from cryptography import x509
from cryptography.x509 import DNSName, IPAddress, RFC822Name, UniformResourceIdentifier
from cryptography.x509.oid import ExtendedKeyUsageOID

from altnet.pki import pem
from altnet.pki.authority import Signer, make_intermediate, make_leaf

WORLD = pki_world.authority()
LONG = f"{'a' * 60}.{'b' * 60}.alt"
GOOD = {
    "a host": ["core1.net.alt"],
    "both TLDs and an address": ["core1.net.alt", "core1.net.neo", "fd12:3456:789a::5"],
    "an address alone": ["fd12:3456:789a::5"],
    "a name too long for a subject": [LONG],
}


def address(text: str) -> IPAddress:
    return IPAddress(ipaddress.ip_address(text))


BAD = {
    "a public name": [DNSName("bank.example")],
    "one of ours and a public one": [DNSName("www.alt"), DNSName("bank.example")],
    "a TLD that ends like ours": [DNSName("www.notalt")],
    "ours as a part of another": [DNSName("www.alt.example")],
    "a wildcard for everything": [DNSName("*.example")],
    "an address outside the prefix": [address("2001:db8::1")],
    "a neighbour network's address": [address("fd12:3456:789b::1")],
    "ours and an address outside": [DNSName("www.alt"), address("2001:db8::1")],
    "IPv4": [address("192.0.2.1")],
    "loopback": [address("127.0.0.1")],
    "ours and loopback": [DNSName("www.alt"), address("::1")],
}
#: Forms that a server's name is never in. No browser looks at them; those who do must refuse them.
OTHER = {
    "e-mail": [RFC822Name("me@bank.example")],
    "a URI": [UniformResourceIdentifier("https://bank.example/")],
}


@dataclass(frozen=True)
class Chain:
    leaf: x509.Certificate
    key: str
    roots: tuple[x509.Certificate, ...] = (WORLD.root.certificate,)
    between: tuple[x509.Certificate, ...] = (WORLD.infra.certificate,)

    def write(self, directory: Path) -> None:
        (directory / "root.pem").write_text(pem.text(*self.roots))
        (directory / "between.pem").write_text(pem.text(*self.between))
        (directory / "leaf.pem").write_text(pem.text(self.leaf))
        (directory / "chain.pem").write_text(pem.text(self.leaf, *self.between))
        (directory / "key.pem").write_text(self.key)


def run(*command: str) -> tuple[int, str]:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout + done.stderr


def needs(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")


def openssl(directory: Path) -> bool:
    needs("openssl")
    command = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", str(directory / "root.pem")]
    code, said = run(*command, "-untrusted", str(directory / "between.pem"), str(directory / "leaf.pem"))
    return code == 0 and "OK" in said


def gnutls(directory: Path) -> bool:
    needs("certtool")
    command = ["certtool", "--verify", "--verify-purpose=1.3.6.1.5.5.7.3.1", "--infile", str(directory / "chain.pem")]
    code, _ = run(*command, "--load-ca-certificate", str(directory / "root.pem"))
    return code == 0


def nss(directory: Path) -> bool:
    needs("vfychain")
    needs("certutil")
    base = f"sql:{directory}/db"
    (directory / "db").mkdir(exist_ok=True)
    assert run("certutil", "-N", "-d", base, "--empty-password")[0] == 0
    roots = re.findall(r"-----BEGIN.*?-----END CERTIFICATE-----\n", (directory / "root.pem").read_text(), re.DOTALL)
    for number, root in enumerate(roots):
        (directory / "one.pem").write_text(root)
        added = run("certutil", "-A", "-d", base, "-n", f"r{number}", "-t", "C,,", "-a", "-i", f"{directory}/one.pem")
        assert added[0] == 0, added[1]
    command = [
        "vfychain",
        "-d",
        base,
        "-pp",
        "-u",
        "1",
        "-a",
        str(directory / "leaf.pem"),
        str(directory / "between.pem"),
    ]
    code, said = run(*command)
    assert "Chain is" in said, said
    return code == 0 and "Chain is good!" in said


def python(directory: Path) -> bool:
    """Connect to a real server, as strictly as Python 3.13 does by itself."""
    leaf = x509.load_pem_x509_certificate((directory / "leaf.pem").read_bytes())
    with suppress(x509.ExtensionNotFound):
        first = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        name = str(next(iter(first)).value)
        return any(handshake(directory, one) for one in [name, *(["www.alt"] if "www.alt" in str(first) else [])])
    return handshake(directory, pem.common_name(leaf.subject))


def handshake(directory: Path, name: str) -> bool:
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(directory / "chain.pem", directory / "key.pem")
    asking = ssl.create_default_context(cafile=str(directory / "root.pem"))
    asking.verify_flags |= ssl.VERIFY_X509_STRICT
    here, there = socket.socketpair()

    def serve() -> None:
        with suppress(ssl.SSLError, OSError), serving.wrap_socket(there, server_side=True) as one:
            one.recv(1)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with asking.wrap_socket(here, server_hostname=name):
            return True
    except ssl.SSLCertVerificationError:
        return False
    finally:
        here.close()
        thread.join()


def pyca(directory: Path) -> bool:
    verification = pytest.importorskip("cryptography.x509.verification")
    roots = x509.load_pem_x509_certificates((directory / "root.pem").read_bytes())
    chain = x509.load_pem_x509_certificates((directory / "chain.pem").read_bytes())
    try:
        first = next(iter(chain[0].extensions.get_extension_for_class(x509.SubjectAlternativeName).value))
    except x509.ExtensionNotFound:
        return False
    if not isinstance(first, DNSName | IPAddress):
        first = DNSName("www.alt")
    if isinstance(first, DNSName):
        first = DNSName(first.value.replace("*", "www"))
    builder = verification.PolicyBuilder().store(verification.Store(roots)).time(pki_world.NOW)
    try:
        builder.build_server_verifier(first).verify(chain[0], chain[1:])
    except verification.VerificationError:
        return False
    return True


VERIFIERS: list[Callable[[Path], bool]] = [openssl, gnutls, nss, python, pyca]


@pytest.fixture(params=VERIFIERS, ids=lambda one: one.__name__)
def accepts(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Chain], bool]:
    def judge(chain: Chain) -> bool:
        chain.write(tmp_path)
        answer: bool = request.param(tmp_path)
        return answer

    return judge


def good(names: list[str], signer: Signer = WORLD.infra) -> Chain:
    key = pem.new_key()
    return Chain(make_leaf(signer, names, key.public_key(), pki_world.NOW), pem.private_text(key))


def bad(names: list[x509.GeneralName], **more: object) -> Chain:
    key, leaf = pki_world.forged(WORLD.infra, names, **more)  # type: ignore[arg-type]
    return Chain(leaf, pem.private_text(key))


@pytest.mark.parametrize("names", GOOD.values(), ids=GOOD)
def test_what_we_sign_is_accepted(accepts: Callable[[Chain], bool], names: list[str]) -> None:
    assert accepts(good(names))


@pytest.mark.parametrize("names", BAD.values(), ids=BAD)
def test_nothing_outside_is_accepted(accepts: Callable[[Chain], bool], names: list[x509.GeneralName]) -> None:
    assert not accepts(bad(names))


@pytest.mark.parametrize("names", OTHER.values(), ids=OTHER)
def test_no_other_form_is_accepted(
    accepts: Callable[[Chain], bool], names: list[x509.GeneralName], request: pytest.FixtureRequest
) -> None:
    # GnuTLS knows no constraints of URIs (3.8), and looks for a server's name in no URI either.
    blind = "gnutls" in request.node.name and isinstance(names[0], UniformResourceIdentifier)
    assert accepts(bad([DNSName("www.alt"), *names])) == blind


def test_a_name_in_the_subject_alone_opens_nothing(tmp_path: Path) -> None:
    bad([], common_name="bank.example").write(tmp_path)
    assert not python(tmp_path)
    assert not openssl(tmp_path)


def test_an_issuer_makes_no_issuer(accepts: Callable[[Chain], bool]) -> None:
    key = pem.new_key()
    child = Signer(make_intermediate(WORLD.root, "infra", key.public_key(), pki_world.NOW), key)
    below = pki_world.below(child)
    leaf_key = pem.new_key()
    leaf = make_leaf(below, ["www.alt"], leaf_key.public_key(), pki_world.NOW)
    between = (below.certificate, child.certificate)
    assert not accepts(Chain(leaf, pem.private_text(leaf_key), between=between))


def test_of_two_roots_each_will_do(accepts: Callable[[Chain], bool]) -> None:
    other = pki_world.authority()
    chain = good(["core1.net.alt"])
    roots = (other.root.certificate, WORLD.root.certificate)
    assert accepts(Chain(chain.leaf, chain.key, roots=roots))


def test_a_stranger_s_root_will_not(accepts: Callable[[Chain], bool]) -> None:
    chain = good(["core1.net.alt"])
    assert not accepts(Chain(chain.leaf, chain.key, roots=(pki_world.authority().root.certificate,)))


def test_a_server_is_no_mere_client(accepts: Callable[[Chain], bool]) -> None:
    chain = bad([DNSName("www.alt")], usage=ExtendedKeyUsageOID.CLIENT_AUTH)
    assert not accepts(chain)
