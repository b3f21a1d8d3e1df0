"""The installed bird judges: its checker on whole files, and its filters on routes.

The filters run in a daemon without sessions and without the kernel: static routes get an AS path and go
through the same functions that a session's routes go through. It needs no privileges and changes nothing.
"""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from bird_fakes import BASE, NET, leaf, relay, render, session

BIRD = shutil.which("bird", path="/usr/sbin:/sbin:/usr/bin:/usr/local/sbin")
BIRDC = shutil.which("birdc", path="/usr/sbin:/sbin:/usr/bin:/usr/local/sbin")
pytestmark = pytest.mark.skipif(
    BIRD is None or BIRDC is None,
    reason="NOT TESTED HERE: no bird on this machine; the acceptance suite runs it on the lab's hosts",
)


@pytest.mark.parametrize(
    "plan",
    [
        relay(),
        leaf(),
        relay(drained=True),
        leaf(drained=True),
        relay(bgp=[], anycast=[]),
        relay(prefix="fd00:1::/48", loopback="fd00:1::1", subnet="fd00:1:0:1::/64", anycast=[]),
        relay(
            bgp=[session("a-b-c", 2, "relay", generation=6, rank=1), session("a-b-c", 2, "relay", generation=7)],
        ),
    ],
    ids=["relay", "leaf", "relay-drained", "leaf-drained", "alone", "short-prefix", "rotating"],
)
def test_checker_accepts(plan, tmp_path: Path) -> None:
    file = tmp_path / "bird.conf"
    file.write_text(render(plan))
    done = subprocess.run([str(BIRD), "-p", "-c", file], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


LEAF, RELAY = "1, 127, 0", "PATH_MAX, 64, 0"
ALLOWED = [
    (RELAY, f"{NET}::2/128", [2]),
    (RELAY, f"{NET}:2::/64", [2]),
    (RELAY, f"{NET}::2c77/128", [2, 0x2C77]),
    (RELAY, f"{NET}:2a55::/64", [2, 7, 0x2A55]),
    (RELAY, f"{NET}::15aa/128", [2, 0x15AA]),
    (RELAY, f"{NET}::22/128", [*range(100, 131), 0x22]),
    (RELAY, f"{NET}::2:35/128", [9, 2]),
    (LEAF, f"{NET}::3/128", [3]),
    (LEAF, f"{NET}::2:7b/128", [2]),
    # The last resort: an anycast address with one bit less.
    (RELAY, f"{NET}::2:34/127", [9, 2]),
    (LEAF, f"{NET}::2:7a/127", [2]),
]
REFUSED = [
    (RELAY, f"{NET}::4/128", [2], "another's loopback"),
    (RELAY, f"{NET}:4::/64", [2], "another's /64"),
    (RELAY, f"{NET}::15ab/128", [2, 0x15AA], "off by the last bit"),
    (RELAY, f"{NET}:aa55::/64", [0x2A55], "off by the first bit"),
    (RELAY, f"{NET}::2c78/128", [2, 0x2C78], "past the last id"),
    (RELAY, f"{NET}:2c78::/64", [2, 0x2C78], "past the last relay"),
    (RELAY, f"{NET}::/128", [0], "number 0"),
    (RELAY, f"{NET}::/64", [0], "the infrastructure /64"),
    (RELAY, f"{NET}::/48", [2], "the whole network"),
    (RELAY, "::/0", [2], "a default route"),
    (RELAY, "fc00::/8", [2], "fc00::/8"),
    (RELAY, "fc00:0:0:2::/64", [2], "a /64 in fc00::/8"),
    (RELAY, "fd00::/8", [2], "every ULA"),
    (RELAY, "fd99:3456:789a:2::/64", [2], "another network's /64"),
    (RELAY, f"{NET}:3::/65", [3], "more specific than a /64"),
    (RELAY, f"{NET}:4::/63", [4], "less specific than a /64"),
    (RELAY, f"{NET}:5::5/128", [5], "an address in the own /64"),
    (RELAY, f"{NET}::6/127", [6], "less than a loopback"),
    (RELAY, f"{NET}::1:7/128", [7], "a service address"),
    (RELAY, f"{NET}::2:35/128", [3], "anycast of others"),
    (RELAY, f"{NET}::2:36/127", [2], "anycast, the next pair"),
    (RELAY, f"{NET}::2:34/126", [2], "anycast, two bits less"),
    (RELAY, f"{NET}::2:34/128", [2], "the other half of an anycast pair"),
    (LEAF, f"{NET}::7e/127", [3], "a pair of loopbacks"),
    (RELAY, f"{NET}::2:99/128", [2], "anycast of nobody"),
    (RELAY, f"{NET}::2:1/128", [1], "anycast that is not listed"),
    (RELAY, f"{NET}::20/128", [65001 - BASE, 0x20], "a stranger in the path"),
    (RELAY, f"{NET}::21/128", [*range(100, 132), 0x21], "a path too long"),
    (RELAY, f"{NET}::23/128", [], "no path"),
    (LEAF, f"{NET}::24/128", [3, 0x24], "transit through a host that is no relay"),
    (LEAF, f"{NET}:25::/64", [0x25], "a /64 of a host that is no relay"),
]


def fed(plan, routes) -> str:
    """Return the plan's functions with ``routes`` in place of its protocols, one static protocol each."""
    conf = render(plan)
    text = conf[: conf.index("protocol device {")].replace("log syslog all;", "log stderr all;")
    for number, (take, prefix, path) in enumerate(routes):
        prepends = " ".join(f"bgp_path.prepend({BASE + hop});" for hop in reversed(path))
        body = f"{prepends} take({take}); accept;"
        text += f"protocol static case{number} {{ ipv6 {{ import filter {{ {body} }}; }}; "
        text += f"route {prefix} unreachable; }}\n"
    return text + "protocol device {}\n"


class Daemon:
    """A running bird and its client."""

    def __init__(self, conf: str, directory: Path) -> None:
        self.log, self.socket = directory / "log", directory / "ctl"
        (directory / "bird.conf").write_text(conf)
        argv = [str(BIRD), "-f", "-c", directory / "bird.conf", "-s", self.socket, "-P", directory / "pid"]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(argv, stdout=log, stderr=log)
        for _ in range(100):
            if self.process.poll() is not None or "up" in self.ask("show", "protocols", "device1"):
                break
            time.sleep(0.05)
        assert self.process.poll() is None, self.log.read_text()

    def ask(self, *words: str) -> str:
        argv = [str(BIRDC), "-s", str(self.socket), *words]
        return subprocess.run(argv, capture_output=True, text=True, check=False).stdout

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)


@pytest.fixture
def start() -> Iterator:
    running: list[Daemon] = []
    with tempfile.TemporaryDirectory(prefix="bird-") as directory:  # a socket's path has 107 characters at most
        number = itertools.count()

        def begin(conf: str) -> Daemon:
            place = Path(directory, str(next(number)))
            place.mkdir()
            running.append(Daemon(conf, place))
            return running[-1]

        yield begin
        for daemon in running:
            daemon.stop()


def test_closed_world(start) -> None:
    routes = [case[:3] for case in [*ALLOWED, *REFUSED]]
    daemon = start(fed(relay(), routes))
    taken = {int(n) for n in re.findall(r"\[case(\d+) ", daemon.ask("show", "route"))}
    assert [ALLOWED[n] for n in range(len(ALLOWED)) if n not in taken] == []
    assert [REFUSED[n - len(ALLOWED)] for n in sorted(taken) if n >= len(ALLOWED)] == []
    log = daemon.log.read_text()
    assert sorted(re.findall(r"refused (\S+) from case\d+: origin \d+", log)) == sorted(x[1] for x in REFUSED)


@pytest.mark.parametrize(("drained", "community", "preference"), [
    (False, None, 100), (False, "(65535, 0)", 0), (False, "(65535, 1)", 100), (True, None, 100),
])  # fmt: skip
def test_graceful_shutdown_is_honoured_and_passed_on(start, drained, community, preference) -> None:
    conf = fed(relay(drained=drained), [("PATH_MAX, 64, 1", f"{NET}::2/128", [2])])
    if community:
        conf = conf.replace("take(PATH_MAX, 64, 1);", f"bgp_community.add({community}); take(PATH_MAX, 64, 1);")
    route = start(conf).ask("show", "route", "all")
    assert f"BGP.local_pref: {preference}\n" in route
    assert "BGP.med: 1\n" in route
    assert ("BGP.community: " + community.replace(" ", "") in route) if community else ("community" not in route)


def test_own_routes_leave_only_where_the_host_is_entitled(start) -> None:
    wanted = [f"{NET}::1/128", f"{NET}:1::/64", f"{NET}::2:35/128"]
    kept = [f"{NET}::/48", f"{NET}::2:7b/128", f"{NET}::2/128", "fd99::1/128"]
    conf = render(relay())
    conf = conf[: conf.index("protocol device {")].replace("log syslog all;", "log stderr all;")
    conf += "protocol device {}\nipv6 table sent;\nprotocol static own { ipv6; "
    conf += " ".join(f"route {prefix} unreachable;" for prefix in [*wanted, *kept]) + " }\n"
    conf += "protocol pipe { table master6; peer table sent; import none; export filter { give(); accept; }; }\n"
    answer = start(conf).ask("show", "route", "table", "sent")
    assert sorted(re.findall(r"^(\S+/\d+)", answer, re.MULTILINE)) == sorted(wanted)
