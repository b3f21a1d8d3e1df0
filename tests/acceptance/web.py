"""The lab's sites as a member sees them: TLS and HTTP from one of the hosts, with nothing but Python and its trust store."""

from __future__ import annotations

import json
import secrets
import shlex
from collections.abc import Sequence
from typing import Any

from . import lab, names

ISSUERS, PROVIDERS, CONTENT = ("fra", "nyc"), ("core2", "sin"), ("fra", "nyc")
CLIENT = names.CLIENT
#: A host with OpenLDAP's tools that holds nobody itself.
ASKS = "nyc"
BASE = "dc=alt"
#: Where the portal takes name and password for all sites.
LOGIN = "https://portal.alt/login"
#: Does what its argument says, as one browser: its cookies are kept in a file.
BROWSER = """
import html, http.cookiejar, json, re, sys, time, urllib.error, urllib.parse, urllib.request

jar = http.cookiejar.LWPCookieJar(sys.argv[1])
try:
    jar.load(ignore_discard=True)
except FileNotFoundError:
    pass
opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
opener.addheaders = [("Accept", "text/html")]
body = ""
for step in json.loads(sys.argv[2]):
    data, headers = None, {}
    if "user" in step:
        fields = dict(re.findall(r'name="(flow|csrf|next)" value="([^"]*)"', body))
        fields = {key: html.unescape(value) for key, value in fields.items()}
        data = urllib.parse.urlencode({**fields, "user": step["user"], "password": step["password"]}).encode()
        origin = urllib.parse.urlsplit(step["url"])
        headers = {"Origin": f"{origin.scheme}://{origin.netloc}"}
    begun = time.monotonic()
    try:
        answer = opener.open(urllib.request.Request(step["url"], data, headers), timeout=15)
    except urllib.error.HTTPError as error:
        answer = error
    except OSError as error:
        print(json.dumps({"status": 0, "body": str(error), "url": step["url"]}))
        continue
    body = answer.read().decode()
    print(json.dumps({
        "status": answer.status, "url": answer.url, "body": body, "headers": dict(answer.headers),
        "seconds": time.monotonic() - begun,
    }))
jar.save(ignore_discard=True)
"""


class Browser:
    """One member's browser, on a host of the lab."""

    def __init__(self, host: str = CLIENT) -> None:
        self.host = host
        self.jar = f"/run/altnet-test-{secrets.token_hex(4)}"

    def do(self, *steps: dict[str, str]) -> list[dict[str, Any]]:
        """Take steps one after the other, and return what came of each."""
        process = names.begun(self.host, BROWSER, self.jar, json.dumps(steps))
        return [json.loads(line) for line in names.ended(process, 120).splitlines()]

    def get(self, url: str) -> dict[str, Any]:
        """Open a page."""
        return self.do({"url": url})[0]

    def log_in(self, url: str, user: str, password: str) -> dict[str, Any]:
        """Open a page, fill in the form that comes in its place, and return what comes then."""
        return self.do({"url": url}, {"url": LOGIN, "user": user, "password": password})[-1]

    def close(self) -> None:
        """Forget everything."""
        lab.ssh(self.host, f"rm -f {self.jar}")


def give_password(uid: str, host: str = PROVIDERS[0]) -> str:
    """Give somebody a password as an operator does (docs/runbooks/add-a-person.md), and return it."""
    password = secrets.token_urlsafe(16)
    person = f"uid={uid},ou=people,{BASE}"
    lab.ssh(
        host,
        f"umask 077; printf %s {shlex.quote(password)} >/run/altnet-test-password;"
        f" ldappasswd -Q -Y EXTERNAL -H ldapi:/// -T /run/altnet-test-password {person};"
        " code=$?; rm /run/altnet-test-password; exit $code",
    )
    return password


def root_ldap(host: str, tool: str, text: str = "", *words: str, check: bool = True) -> str:
    """Run one of OpenLDAP's tools as root of a provider, who needs no password there."""
    end = f" <<'LDIF'\n{text}\nLDIF" if text else ""
    return lab.ssh(host, f"{tool} -Q -Y EXTERNAL -H ldapi:/// {shlex.join(words)} 2>&1{end}", check=check)


def membership(uid: str, group: str, *, there: bool, host: str = PROVIDERS[0]) -> None:
    """Put somebody into a group, or take them out of it."""
    change = f"dn: cn={group},ou=groups,{BASE}\nchangetype: modify\n{'add' if there else 'delete'}: member\n"
    root_ldap(host, "ldapmodify", f"{change}member: uid={uid},ou=people,{BASE}")


def search(provider: str, uid: str, password: str, *words: str, host: str = ASKS) -> str:
    """Ask a provider from another host, over TLS, as a person; what is wrong is in the text."""
    who = f"uid={uid},ou=people,{BASE}"
    return lab.ssh(
        host,
        "export LDAPTLS_CACERT=/etc/altnet/pki/roots.pem;"
        f" ldapsearch -LLL -x -o ldif-wrap=no -H ldaps://{provider}.net.alt -D {who} -w {shlex.quote(password)}"
        f" -b {BASE} {shlex.join(words)} 2>&1",
        check=False,
    )


def s_client(host: str, address: str, port: int, name: str, *words: str) -> str:
    """Return what OpenSSL on a host says of a server, judged by the host's own trust store."""
    argv: Sequence[str] = (
        "openssl", "s_client", "-connect", f"[{address}]:{port}", "-servername", name, "-verify_hostname", name,
        "-verify_return_error", "-showcerts", *words,
    )  # fmt: skip
    return lab.ssh(host, f"{shlex.join(argv)} </dev/null 2>&1", check=False)
