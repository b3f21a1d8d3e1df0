"""A host in the wrong hands: its BIRD says what the attacker likes, and its sockets send what the attacker likes."""

from __future__ import annotations

import re
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from . import lab

#: Every false announcement carries (MARK, its number), which all hosts pass on: so it is found wherever it went.
MARK = 64999
LEAK, FLOOD, FLAP = 900, 901, 902
FLOOD_SIZE = 10_000
#: Where forged packets go.
PORT = 9999


@dataclass(frozen=True)
class Announcement:
    """``path`` are the host ids behind the attacker's own; ``via`` is the neighbour to which it sends the packets on."""

    what: str
    prefix: str
    path: tuple[int, ...] = ()
    via: str = ""
    allowed: bool = False


def number(host: str) -> int:
    """Return a host's id."""
    found = lab.ledger()["hosts"][host]["id"]
    assert isinstance(found, int)
    return found


def infra() -> str:
    """Return the network's prefix up to and with its last colons but one, as ``fd12:3456:789a``."""
    return str(lab.ledger()["prefix"]).removesuffix("::/48")


def tunnels(host: str) -> dict[str, str]:
    """Return a host's live tunnel interfaces by neighbour."""
    names = re.findall(r"^\d+: (an[01]-\S+?)[:@]", lab.ssh(host, "ip -o link show up"), re.MULTILINE)
    return {name.partition("-")[2]: name for name in sorted(names)}


def configuration(attacker: str, announcements: Sequence[Announcement], extra: str = "") -> str:
    """Return the attacker's bird.conf: its own, with nothing held back, and the false announcements."""
    conf = lab.ssh(attacker, "cat /etc/bird/bird.conf")
    told = f"if source = RTS_BGP then bgp_community.add(({MARK}, {LEAK}));" if not relay(attacker) else ""
    conf, holes = re.subn(r"export filter \{\s+give\(\);\s+accept;", f"export filter {{ {told} accept;", conf)
    assert holes == 1, conf
    # What leads nowhere stays out of the attacker's own kernel: it wants to live.
    conf = conf.replace(
        "if source = RTS_STATIC then accept;",
        "if (MARKED, 1) ~ bgp_community then reject; if source = RTS_STATIC then accept;",
    )
    conf = conf.replace("define OWN_ASN", f"define MARKED = {MARK - 1};\ndefine OWN_ASN", 1)
    base = int(re.search(r"ASN_BASE = (\d+)", conf)[1])  # type: ignore[index]
    links = tunnels(attacker)
    for index, one in enumerate(announcements):
        away = f"via fe80::{number(one.via):x}%'{links[one.via]}'" if one.via else "unreachable"
        conf += static(
            f"attack{index}", index, [f"{one.prefix} {away}"], [base + hop for hop in one.path], dead=not one.via
        )
    return conf + extra


def static(name: str, mark: int, routes: Sequence[str], path: Sequence[int] = (), *, dead: bool = True) -> str:
    """Return a static protocol with marked routes."""
    prepends = " ".join(f"bgp_path.prepend({asn});" for asn in reversed(path))
    stay = f"bgp_community.add(({MARK - 1}, 1));" if dead else ""
    body = f"bgp_community.add(({MARK}, {mark})); {stay} {prepends} accept;"
    return (
        f"\nprotocol static {name} {{ ipv6 {{ import filter {{ {body} }}; }};\n"
        + "".join(f"  route {route};\n" for route in routes)
        + "}\n"
    )


def flood(size: int = FLOOD_SIZE) -> str:
    """Return routes to nowhere, many of them, in another network."""
    return static(
        "flood", FLOOD, [f"fd99:9999:{index >> 8:x}:{index & 255:x}::/64 unreachable" for index in range(size)]
    )


def relay(host: str) -> bool:
    """Return whether a host is a relay."""
    return bool(lab.ledger()["hosts"][host]["relay"])


def put(attacker: str, conf: str) -> None:
    """Make the attacker's BIRD follow ``conf``; its sessions stay up."""
    path = "/etc/bird/bird.conf"
    address = {**lab.addresses()}[attacker]
    argv = [
        "ssh", "-i", str(lab.INVENTORY / ".ssh" / "id_ed25519"), "-o", f"ControlPath={lab.INVENTORY / '.ssh' / '%h'}",
        "-o", f"UserKnownHostsFile={lab.INVENTORY / '.ssh' / 'known_hosts'}", "-o", "StrictHostKeyChecking=accept-new",
        "-o", "LogLevel=ERROR", f"root@{address}", f"cat > {path} && bird -p -c {path} && birdc configure",
    ]  # fmt: skip
    done = subprocess.run(argv, input=conf, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def each(hosts: Sequence[str], command: str, timeout: float = 120) -> dict[str, str]:
    """Run one command on several hosts at once; return what each said."""
    with ThreadPoolExecutor(len(hosts)) as pool:
        return dict(
            zip(hosts, pool.map(lambda host: lab.ssh(host, command, check=False, timeout=timeout), hosts), strict=True)
        )


def marks(text: str) -> set[int]:
    """Return the numbers of the announcements among routes."""
    return {int(found) for found in re.findall(rf"\({MARK},(\d+)\)", text.replace(", ", ","))}


@dataclass(frozen=True)
class Sight:
    """What a host made of it: the announcements it uses, those it refused, and the lines it logged."""

    accepted: set[int]
    refused: set[int]
    log: str


def look(hosts: Sequence[str], since: float) -> dict[str, Sight]:
    """Look at all hosts."""
    cut = "---cut---"
    told = each(
        hosts,
        f"birdc show route all | grep -F '({MARK},'; echo {cut}; birdc show route filtered all | grep -F '({MARK},';"
        f" echo {cut}; journalctl --no-pager -o cat -u bird --since @{since:.0f} | grep -v '\\(RTS\\|Reconfigur\\)'",
    )
    parts = {host: text.split(cut + "\n") for host, text in told.items()}
    return {host: Sight(marks(one), marks(two), log) for host, (one, two, log) in parts.items()}


def forge(attacker: str, interface: str, source: str, target: str, count: int = 20) -> None:
    """Send UDP packets with a source that is not the attacker's, straight into one tunnel."""
    code = (
        "import socket,struct,sys,time\n"
        "dev,src,dst,n,port=sys.argv[1:6]\n"
        "s,d=(socket.inet_pton(socket.AF_INET6,a) for a in (src,dst))\n"
        "data=b'forged'; udp=struct.pack('!HHHH',int(port),int(port),8+len(data),0)+data\n"
        "t=sum(struct.unpack('!%dH'%((len(s+d)+8+len(udp))//2),s+d+struct.pack('!II',len(udp),17)+udp))\n"
        "while t>>16: t=(t&65535)+(t>>16)\n"
        "udp=udp[:6]+struct.pack('!H',~t&65535)+data\n"
        "pkt=struct.pack('!IHBB',6<<28,len(udp),17,64)+s+d+udp\n"
        "k=socket.socket(socket.AF_PACKET,socket.SOCK_DGRAM); k.bind((dev,0x86dd))\n"
        "[(k.send(pkt),time.sleep(0.02)) for _ in range(int(n))]\n"
    )
    lab.ssh(attacker, f"python3 -c {shell(code)} {interface} {source} {target} {count} {PORT}")


def shell(text: str) -> str:
    """Return ``text`` quoted for a shell."""
    return "'" + text.replace("'", "'\\''") + "'"


@contextmanager
def counting(hosts: Sequence[str]) -> Iterator[dict[str, int]]:
    """Count the forged packets that come out of each host's tunnels while the block runs."""
    found: dict[str, int] = {}
    each(
        hosts,
        "nft 'add table inet lab_count; add chain inet lab_count in { type filter hook prerouting priority -400; };"
        f' add rule inet lab_count in iifname "an*" udp dport {PORT} counter\'',
    )
    try:
        yield found
        time.sleep(3)  # a machine under load takes its time with userspace tunnels
        for host, text in each(hosts, "nft list table inet lab_count").items():
            match = re.search(r"counter packets (\d+)", text)
            assert match, f"{host}: {text}"
            found[host] = int(match[1])
    finally:
        each(hosts, "nft delete table inet lab_count")


def seconds_of_cpu(hosts: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return the CPU seconds that BIRD and the journal have used on each host."""
    told = each(
        hosts,
        'for u in bird systemd-journald; do p=$(systemctl show -P MainPID $u); echo "$u $(cut -d" " -f14,15 /proc/$p/stat)"; done',
    )
    return {
        host: {unit: (int(user) + int(kernel)) / 100 for unit, user, kernel in re.findall(r"(\S+) (\d+) (\d+)", text)}
        for host, text in told.items()
    }


def updates(hosts: Sequence[str]) -> dict[str, int]:
    """Return how many routes each host's BIRD has been told and untold so far."""
    told = each(hosts, "birdc show protocols all")
    found = {host: re.findall(r"Import (?:updates|withdraws): +(\d+)", text) for host, text in told.items()}
    return {host: sum(map(int, counts)) for host, counts in found.items()}


class Watch(threading.Thread):
    """Notes when a host has neither a tunnel nor a session with another any more."""

    def __init__(self, host: str, gone: str) -> None:
        super().__init__(daemon=True)
        self.host, self.gone, self.at = host, gone, 0.0

    def run(self) -> None:
        """Ask every 50 ms, on the host itself, whose clock is the control node's in the lab."""
        out = lab.ssh(
            self.host,
            f"for i in $(seq 1200); do"
            f" if ! ip -o link show up | grep -q 'an[01]-{self.gone}[:@]' && ! birdc show protocols"
            f" | grep 'an[01]_{self.gone} ' | grep -q Established; then date +%s.%N; break; fi; sleep 0.05; done",
            check=False,
            timeout=90,
        )
        self.at = float(out.strip() or 0)
