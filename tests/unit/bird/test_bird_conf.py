"""The text of bird.conf: what follows from the slice, and what must not."""

from __future__ import annotations

import difflib
import random

import pytest
from bird_fakes import BASE, NET, leaf, relay, render, session, stanza


def changed_lines(before: str, after: str) -> tuple[list[str], list[str]]:
    """Lines taken away and lines added."""
    lines = list(difflib.ndiff(before.splitlines(), after.splitlines()))
    return [x[2:] for x in lines if x[:2] == "- "], [x[2:] for x in lines if x[:2] == "+ "]


def test_first_line_says_who_manages_the_file() -> None:
    assert render(relay()).startswith("# Ansible managed\n")


def test_order_of_the_input_does_not_matter() -> None:
    plan = relay()
    want = render(plan)
    for seed in range(5):
        shuffled = relay()
        for key in ("bgp", "anycast"):
            random.Random(seed).shuffle(shuffled[key])
        shuffled["anycast"] = [
            {**one, "origins": one["origins"][::-1]} if seed % 2 else one for one in shuffled["anycast"]
        ]
        assert render(shuffled) == want


def test_one_more_neighbour_is_one_more_stanza_and_nothing_else() -> None:
    plan = relay()
    more = relay(bgp=[*plan["bgp"], session("sgp", 9, "relay")])
    gone, new = changed_lines(render(plan), render(more))
    assert gone == []
    assert "protocol bgp an0_sgp from session {" in new
    assert "\n".join(new).strip() == stanza(render(more), "protocol bgp an0_sgp").strip()


@pytest.mark.parametrize(
    ("plan", "name", "take", "limits"),
    [
        (relay(), "an0_nyc", "take(PATH_MAX, 64, 0);", (32768, 24576)),
        (relay(), "an0_pi", "take(1, 127, 0);", (64, 16)),
        (leaf(), "an0_fra", "take(PATH_MAX, 64, 0);", (32768, 24576)),
    ],
)
def test_a_session_takes_what_its_kind_may_bring(plan, name, take, limits) -> None:
    block = stanza(render(plan), f"protocol bgp {name} ")
    assert take in block
    assert f"receive limit {limits[0]} action restart;" in block
    assert f"import limit {limits[1]} action block;" in block


def test_every_session_is_guarded() -> None:
    conf = render(relay())
    assert conf.count("protocol bgp ") == conf.count(" from session {") == 2
    template = stanza(conf, "template bgp session")
    for line in ("bfd on;", "enforce first as on;", "graceful restart off;", "direct;", "give();"):
        assert line in template
    assert "import all" not in conf
    assert "export all" not in conf


def test_a_host_that_is_no_relay_carries_nothing() -> None:
    assert "if source = RTS_BGP then reject;" in stanza(render(leaf()), "function give()")
    assert "if source = RTS_BGP then reject;" not in stanza(render(relay()), "function give()")


def test_draining_changes_what_a_host_announces_alone() -> None:
    """Were its import to change too, its routes would come in anew, one neighbour after the other: a loop meanwhile."""
    gone, new = changed_lines(render(relay()), render(relay(drained=True)))
    assert gone == []
    assert new == ["\tbgp_community.add(GRACEFUL_SHUTDOWN);"]


def test_the_anycast_list_is_in_judge_alone() -> None:
    """BIRD restarts `direct` when its filter changes, which would withdraw every host's loopback."""
    with_list, without = render(relay()), render(relay(anycast=[]))
    gone, new = changed_lines(without, with_list)
    assert gone == []
    assert new == [
        f"\tif pfx.len >= 127 && {NET}::2:35 ~ pfx && origin ~ [{BASE + 1}, {BASE + 2}] then entitled = true;",
        f"\tif pfx.len >= 127 && {NET}::2:7b ~ pfx && origin ~ [{BASE + 2}] then entitled = true;",
    ]
    assert stanza(with_list, "protocol direct own") == stanza(without, "protocol direct own")
    assert "judge" not in stanza(with_list, "protocol direct own")


def test_the_older_of_two_tunnels_ranks_behind() -> None:
    plan = relay(
        bgp=[
            session("nyc", 2, "relay", generation=4, rank=1),
            session("nyc", 2, "relay", generation=5),
            session("pi", 3, "leaf", generation=4),
        ],
    )
    conf = render(plan)
    assert "take(PATH_MAX, 64, 1);" in stanza(conf, "protocol bgp an0_nyc ")
    assert "take(PATH_MAX, 64, 0);" in stanza(conf, "protocol bgp an1_nyc ")
    assert "take(1, 127, 0);" in stanza(conf, "protocol bgp an0_pi ")


def test_extra_configuration_comes_last() -> None:
    assert render(relay(), bird_extra_config="# mine").endswith("\n# mine\n")
    assert render(relay()).endswith("\n}\n")
