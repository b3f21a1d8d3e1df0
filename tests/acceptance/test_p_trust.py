"""Trust: everything is signed by a root that can sign for nothing else, and the underlay sees none of it."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from altnet.pki import pem

from . import lab, names, web

#: Who listens for TLS, on its own address: host, port, and the name that its certificate is for.
SERVED = [
    *((host, 636, f"{host}.net.alt") for host in web.PROVIDERS),
    *((host, 8555, f"{host}.net.alt") for host in web.ISSUERS),
    ("fra", 443, "hello.alt"),
    ("fra", 443, "both.alt"),
    ("nyc", 443, "both.alt"),
    ("nyc", 443, "members.alt"),
    ("fra", 443, "git.alt"),
    ("nyc", 5223, "chat.alt"),
]
#: Beside the usual ones, all that Altnet's services listen on anywhere.
PORTS = (
    21, 25, 53, 80, 110, 111, 143, 179, 323, 389, 443, 465, 587, 636, 853, 993, 2019, 3128, 3306, 5300, 5301, 5353, 5432,
    5222, 5223, 5269, 5280, 5582, 5900, 6379, 8000, 8080, 8081, 8443, 8555, 9090, 9100, 11211, 27017,
    *range(51820, 51830),
)  # fmt: skip

#: The addresses that a host has on the public Internet, as it were; those behind the NAT have none.
UNDERLAY = {
    endpoint
    for group in yaml.safe_load((lab.INVENTORY / "hosts.yml").read_text())["lab"]["children"].values()
    for variables in group["hosts"].values()
    for endpoint in (variables or {}).get("altnet_endpoints", ())
}
#: A machine on the underlay that is in no network.
OUTSIDER = "sao"
#: By port, what a service there would answer to: a question for alt's SOA, NTP, a first packet of a QUIC version unknown.
UDP = {53: "dns", 5300: "dns", 5353: "dns", 123: "ntp", 443: "quic"}
SCAN = f"""
import json, socket, struct, sys
from concurrent.futures import ThreadPoolExecutor
addresses, services = {sorted(UNDERLAY)!r}, {UDP!r}
asked = {{
    "dns": struct.pack("!6H", 7, 256, 1, 0, 0, 0) + b"\\x03alt\\0" + struct.pack("!2H", 6, 1),
    "ntp": b"\\x23" + 47 * b"\\0",
    "quic": b"\\xc0\\x0a\\x0a\\x0a\\x0a\\x08" + 8 * b"a" + b"\\x08" + 8 * b"b" + 1200 * b"\\0",
}}
def tcp(one):
    try:
        socket.create_connection(one, timeout=2).close()
    except OSError:
        return False
    return True
def udp(one):
    address, port = one
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as place:
        place.settimeout(2)
        try:
            place.connect(one)
            place.send(asked[services[port]])
            return bool(place.recv(2048))
        except OSError:
            return False
ports = json.loads(sys.argv[1])
# All at once: a port that is filtered takes two seconds, and nearly all are.
with ThreadPoolExecutor(512) as pool:
    tcps = {{address: pool.map(tcp, [(address, port) for port in ports]) for address in addresses}}
    udps = {{address: pool.map(udp, [(address, port) for port in services]) for address in addresses}}
    told = {{
        address: {{
            "tcp": [port for port, yes in zip(ports, tcps[address]) if yes],
            "udp": [port for port, yes in zip(services, udps[address]) if yes],
        }}
        for address in addresses
    }}
print(json.dumps(told))
"""


@pytest.mark.parametrize(("host", "port", "name"), SERVED)
def test_a_members_machine_believes_every_server(host: str, port: int, name: str) -> None:
    text = web.s_client(web.CLIENT, lab.loopback(host), port, name)
    assert "Verify return code: 0 (ok)" in text, text[-2000:]
    if (port, name) == (443, "hello.alt"):
        lab.show("the chain of hello.alt:\n" + "\n".join(re.findall(r"^ *(?:\d s:|i:).*", text, re.MULTILINE)))


def test_a_name_that_is_not_in_the_certificate_is_not_believed() -> None:
    text = web.s_client(web.CLIENT, lab.loopback("fra"), 443, "hello.alt", "-verify_hostname", "members.alt")
    assert "Verify return code: 0 (ok)" not in text


def test_names_tell_the_roots_fingerprint() -> None:
    (root,) = pem.certificates((lab.INVENTORY / "pki" / "root.pem").read_text(), "root.pem")
    fingerprint = root.fingerprint(hashes.SHA256()).hex()
    text = names.dig(web.CLIENT, "+dnssec", "_root.net.alt", "TXT")
    assert names.status(text) == "NOERROR AD", text
    assert fingerprint in text.replace(":", "").replace('"', "").replace(" ", "").lower(), text
    for host in lab.addresses():
        assert lab.ssh(host, "cat /etc/altnet/pki/roots.pem") == (lab.INVENTORY / "pki" / "root.pem").read_text()


def test_the_start_page_gives_members_the_root() -> None:
    """Without TLS too, for those who do not know it yet."""
    text = (lab.INVENTORY / "pki" / "root.pem").read_text()
    (root,) = pem.certificates(text, "root.pem")
    browser = web.Browser()
    for scheme in ("http", "https"):
        file, page = browser.do({"url": f"{scheme}://start.alt/root.pem"}, {"url": f"{scheme}://start.alt/root.html"})
        assert (file["status"], file["url"], file["body"]) == (200, f"{scheme}://start.alt/root.pem", text)
        assert pem.fingerprint(root) in page["body"]
        assert "Name Constraints: critical" in page["body"]
    browser.close()


#: What an issuer that was broken into signs; each of these would harm somebody outside the network, or a neighbour.
FORGED = {
    "a public name": "DNS:bank.example",
    "one of ours and a public one": "DNS:hello.alt,DNS:bank.example",
    "an address outside the prefix": "IP:2001:db8::1",
    "an IPv4 address": "IP:192.0.2.1",
}
#: Signs with the issuer's own key, on its host, then serves and asks itself, once with openssl and once with Python.
FORGERY = """
set -e
d=$(mktemp -d); cd $d; trap 'rm -r $d' EXIT
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out forged.csr -subj /CN=forged 2>/dev/null
printf 'basicConstraints=critical,CA:FALSE\\nextendedKeyUsage=serverAuth\\nsubjectAltName={names}\\n' >ext
openssl x509 -req -in forged.csr -CA /etc/altnet/pki/issuer/cert.pem -CAkey /etc/altnet/pki/issuer/key.pem -days 30 \\
  -extfile ext -out forged.pem 2>/dev/null
openssl verify -CAfile /etc/altnet/pki/roots.pem -untrusted /etc/altnet/pki/issuer/cert.pem forged.pem 2>&1 || true
cat forged.pem /etc/altnet/pki/issuer/cert.pem >chain.pem
python3 - <<'PYTHON'
import socket, ssl, threading
server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
server.load_cert_chain("chain.pem", "key.pem")
place = socket.create_server(("::1", 0), family=socket.AF_INET6)
def answer():
    try:
        server.wrap_socket(place.accept()[0], server_side=True)
    except OSError:
        pass
server_side = threading.Thread(target=answer)
server_side.start()
try:
    with socket.create_connection(place.getsockname()[:2]) as raw:
        ssl.create_default_context().wrap_socket(raw, server_hostname="{asked}")
    print("PYTHON BELIEVES IT")
except ssl.SSLCertVerificationError as error:
    print("PYTHON:", error.verify_message)
server_side.join(10)
PYTHON
"""


def forgery(given: str) -> str:
    asked = given.rpartition(",")[2].partition(":")[2]
    return lab.ssh("fra", FORGERY.replace("{names}", given).replace("{asked}", asked))


@pytest.mark.parametrize("what", FORGED)
def test_a_forged_certificate_is_refused(what: str) -> None:
    said = forgery(FORGED[what])
    assert "forged.pem: OK" not in said, said
    assert "PYTHON BELIEVES IT" not in said, said
    assert re.search(r"permitted subtree violation|excluded subtree violation", said), said
    lab.show(f"{what}: {' '.join(said.split())[:300]}")


def test_the_forger_does_sign_what_it_may() -> None:
    """Or else the refusals above would prove nothing."""
    said = forgery("DNS:hello.alt")
    assert "forged.pem: OK" in said
    assert "PYTHON BELIEVES IT" in said


def test_issuers_are_limited_and_their_keys_are_their_own() -> None:
    keys = set()
    for host in web.ISSUERS:
        (one,) = pem.certificates(lab.ssh(host, "cat /etc/altnet/pki/issuer/cert.pem"), host)
        limits = one.extensions.get_extension_for_class(x509.NameConstraints)
        assert limits.critical
        assert {entry.value for entry in limits.value.permitted_subtrees or () if isinstance(entry, x509.DNSName)} == {
            "alt",
            "neo",
        }
        keys.add(pem.fingerprint(one))
        assert lab.ssh(host, "stat -c %a:%U /etc/altnet/pki/issuer/key.pem").strip() == "640:root"
    assert len(keys) == len(web.ISSUERS)


def test_the_roots_key_may_be_away(copy: Path) -> None:
    (copy / "pki" / "root.key.yml").unlink()
    assert lab.playbook(
        "site.yml", "--tags", "trust,people,content,apps", inventory=copy
    ).ok().changed == dict.fromkeys(lab.addresses(), 0)


def test_a_certificate_that_is_lost_is_signed_again_and_loaded() -> None:
    before = web.s_client(web.CLIENT, lab.loopback("fra"), 443, "hello.alt")
    lab.ssh("fra", "rm /etc/altnet/pki/hello.alt/cert.pem")
    assert lab.playbook("site.yml", "--limit", "fra", "--tags", "content").ok().changed["fra"] >= 1
    after = web.s_client(web.CLIENT, lab.loopback("fra"), 443, "hello.alt")
    assert "Verify return code: 0 (ok)" in after
    first = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
    served = [found[0] for found in (first.findall(before), first.findall(after))]
    assert served[0] != served[1], "the former certificate is served"


#: The site's key gets a certificate that nobody has renewed for long, as if no run had reached the host.
OLD = """
set -e
cd /etc/altnet/pki/hello.alt
openssl req -new -key key.pem -subj /CN=hello.alt -out /run/altnet-test.csr
printf 'basicConstraints=critical,CA:FALSE\\nextendedKeyUsage=serverAuth\\nsubjectAltName=DNS:hello.alt\\n' >/run/altnet-test.ext
openssl x509 -req -in /run/altnet-test.csr -CA ../issuer/cert.pem -CAkey ../issuer/key.pem -days 10 \
  -extfile /run/altnet-test.ext 2>/dev/null >/run/altnet-test.pem
cat /run/altnet-test.pem ../issuer/cert.pem >cert.pem
rm /run/altnet-test.*
"""


def test_check_names_a_certificate_that_is_about_to_expire() -> None:
    quiet = lab.playbook("playbooks/check.yml", "-e", "check_wait=20").ok().output
    assert "expires on" not in quiet, quiet
    lab.ssh("fra", OLD)
    try:
        told = " ".join(lab.playbook("playbooks/check.yml", "-e", "check_wait=20").output.split())
        assert re.search(r"fra[^.]*hello\.alt[^.]* expires on \d{4}-\d\d-\d\d", told), told[-3000:]
    finally:
        done = lab.playbook("site.yml", "--limit", "fra", "--tags", "content").ok()
    assert done.changed["fra"] >= 1
    assert "expires on" not in lab.playbook("playbooks/check.yml", "-e", "check_wait=20").ok().output


def test_the_underlay_sees_ssh_and_tunnels_alone() -> None:
    """From sao, which is beside the hosts on the underlay and not in the network: TCP ports, and what UDP would answer."""
    wanted = sorted({22, *PORTS})
    found = json.loads(
        lab.ssh(OUTSIDER, f"python3 -c {shlex.quote(SCAN)} {shlex.quote(json.dumps(wanted))}", timeout=300)
    )
    opened = {address: told["tcp"] for address, told in found.items()}
    lab.show(f"of {len(wanted)} TCP ports and {len(UDP)} UDP services on each underlay address, these answer: {found}")
    assert opened == {address: [22] for address in found}
    assert not any(told["udp"] for told in found.values()), found


def test_nothing_listens_where_the_underlay_could_reach_it() -> None:
    """What the firewall would keep out anyway: services bind to the fabric, loopback or a socket."""
    for host in dict.fromkeys((*web.PROVIDERS, *web.CONTENT)):
        ports = " or ".join(f"sport = :{port}" for port in (80, 389, 443, 636, 5222, 5223, 8555))
        bound = lab.ssh(host, f"ss -Hltnp '( {ports} )'")
        for line in bound.splitlines():
            place = line.split()[3]
            assert place.startswith(f"[{str(lab.ledger()['prefix']).removesuffix('::/48')}"), f"{host}: {line}"
