"""Which tunnels there are: never an impossible one, stable, and no relay is one too many to lose."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from altnet.inventory import Topology
from altnet.topology import Node, can_link, compute, kind_of
from altnet.topology.connect import analyse, survives
from altnet.topology.node import ABSENT, COMPATIBLE

BOTH = ("ipv4", "ipv6")
DUAL = kind_of(BOTH, BOTH)
FOUR = kind_of(("ipv4",), ("ipv4",))
SIX = kind_of(("ipv6",), ("ipv6",))
NAT_FOUR = kind_of(("ipv4",), ())
NAT_DUAL = kind_of(BOTH, ())
KINDS = [DUAL, FOUR, SIX, NAT_FOUR, NAT_DUAL, kind_of(BOTH, ("ipv4",))]
AUTO = Topology()


def relays(count, regions=1, kind=DUAL, first=1):
    return [
        Node(number, relay=True, kind=kind, region=f"r{number % regions}") for number in range(first, first + count)
    ]


def graph(nodes, pairs):
    members = {node.id for node in nodes if node.relay}
    links = {number: set() for number in sorted(members)}
    for one, other in pairs:
        if one in members and other in members:
            links[one].add(other)
            links[other].add(one)
    return links


def whole(nodes, pairs):
    """Say whether the loss of any one relay leaves the others in one piece."""
    found = analyse(graph(nodes, pairs))
    return len(found.roots) == 1 and not found.cuts


def parts_without(links, lost):
    seen, parts = {lost}, 0
    for root in links:
        if root not in seen:
            parts += 1
            seen.add(root)
            queue = deque([root])
            while queue:
                fresh = links[queue.popleft()] - seen
                seen |= fresh
                queue += fresh
    return parts


def eccentricity(links, start):
    seen, queue = {start: 0}, deque([start])
    while queue:
        here = queue.popleft()
        for there in links[here]:
            if there not in seen:
                seen[there] = seen[here] + 1
                queue.append(there)
    assert len(seen) == len(links)
    return max(seen.values())


@st.composite
def mixed(draw, max_size=24):
    size = draw(st.integers(1, max_size))
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=size, max_size=size))
    regions = draw(st.integers(1, 4))
    numbers = sorted(draw(st.sets(st.integers(1, 400), min_size=size, max_size=size)))
    roles = draw(st.lists(st.sampled_from([True, True, True, False]), min_size=size, max_size=size))
    return [
        Node(number, relay=role or not at, kind=kind, region=f"r{number % regions}")
        for at, (number, kind, role) in enumerate(zip(numbers, kinds, roles, strict=True))
    ]


topologies = st.builds(
    Topology,
    strategy=st.sampled_from(["auto", "full", "bounded"]),
    degree=st.integers(2, 7),
    full_mesh_max=st.integers(1, 10),
    attach=st.integers(1, 3),
)


@given(mixed(), topologies)
@settings(max_examples=150, deadline=None)
def test_whatever_the_network_its_tunnels_can_come_up_and_stay(nodes, topology):
    by_id = {node.id: node for node in nodes}
    pairs = compute(topology, nodes)
    for one, other in pairs:
        assert one < other
        assert can_link(by_id[one], by_id[other])
    assert compute(topology, list(reversed(nodes)), pairs) == pairs
    assert compute(topology, nodes) == pairs


@given(mixed(), topologies)
@settings(max_examples=150, deadline=None)
def test_the_loss_of_a_relay_splits_only_what_no_tunnel_could_hold_together(nodes, topology):
    members = [node for node in nodes if node.relay]
    links = graph(nodes, compute(topology, nodes))
    possible = graph(
        nodes,
        [(a.id, b.id) for a in members for b in members if a.id < b.id and COMPATIBLE[a.kind][b.kind]],
    )
    for lost in (0, *links):
        assert parts_without(links, lost) == parts_without(possible, lost)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_network_that_grows_and_shrinks(data):
    """One after the other joins or leaves: whoever joins changes its neighbours alone."""
    topology = Topology(
        strategy=data.draw(st.sampled_from(["auto", "bounded"])),
        degree=data.draw(st.integers(2, 6)),
        full_mesh_max=data.draw(st.integers(1, 9)),
    )
    kinds = data.draw(st.sampled_from([[DUAL], KINDS]))
    regions = data.draw(st.integers(1, 4))
    nodes, pairs = [], frozenset()
    cap = topology.degree if topology.strategy == "bounded" else max(topology.degree, topology.full_mesh_max - 1)
    for number in range(1, data.draw(st.integers(2, 30))):
        if len(nodes) > 3 and data.draw(st.integers(0, 4)) == 0:
            gone = data.draw(st.sampled_from(nodes))
            nodes.remove(gone)
            pairs = compute(topology, nodes, pairs)
        else:
            kind = data.draw(st.sampled_from(kinds))
            nodes.append(Node(number, relay=True, kind=kind, region=f"r{number % regions}"))
            before, pairs = pairs, compute(topology, nodes, pairs)
            added, removed = pairs - before, before - pairs
            mine = {end for ends in added for end in ends if number in ends}
            over = kinds != [DUAL] and any(len(others) > cap for others in graph(nodes, before).values())
            if topology.strategy == "auto" or not over:
                assert all(number in ends for ends in added)
                assert all(set(ends) <= mine for ends in removed)
        assert compute(topology, nodes, pairs) == pairs
        if kinds == [DUAL]:
            links = graph(nodes, pairs)
            assert whole(nodes, pairs)
            assert min(map(len, links.values())) >= min(len(nodes) - 1, 2)


@pytest.mark.parametrize("count", [3, 5, 8])
def test_small_networks_are_full_meshes(count):
    assert len(compute(AUTO, relays(count))) == count * (count - 1) // 2


def test_a_full_mesh_that_is_outgrown_keeps_its_links():
    mesh = compute(AUTO, relays(8))
    nine = compute(AUTO, relays(9), mesh)
    assert len(mesh - nine) == 3
    assert Counter(map(len, graph(relays(9), nine).values())) == {7: 8, 6: 1}
    back = compute(AUTO, relays(8), nine)
    assert back == mesh


@pytest.mark.parametrize("regions", [1, 3, 7])
@pytest.mark.parametrize("count", [9, 20, 60, 400])
def test_a_large_mesh_is_bounded_whole_and_shallow(count, regions):
    nodes = relays(count, regions)
    pairs = compute(AUTO, nodes)
    links = graph(nodes, pairs)
    assert max(map(len, links.values())) <= 8
    assert Counter(map(len, links.values()))[7] > count * 0.6
    assert whole(nodes, pairs)
    assert max(eccentricity(links, start) for start in list(links)[:: max(1, count // 8)]) <= 6


@pytest.mark.parametrize("degree", [3, 4, 6])
def test_most_links_stay_in_their_region_and_some_leave_it(degree):
    nodes = relays(300, 5)
    region = {node.id: node.region for node in nodes}
    pairs = compute(Topology("bounded", degree=degree), nodes)
    inner = [ends for ends in pairs if region[ends[0]] == region[ends[1]]]
    assert len(inner) > 0.6 * len(pairs)
    for name in set(region.values()):
        leaving = {ends for ends in pairs if (region[ends[0]] == name) != (region[ends[1]] == name)}
        # Whichever relay is lost, a link out of the region is left.
        assert all(any(lost not in ends for ends in leaving) for lost in region)


def test_regions_that_join_one_after_the_other():
    nodes, pairs = [], frozenset()
    for number in range(1, 61):
        nodes.append(Node(number, relay=True, kind=DUAL, region=f"r{(number - 1) // 20}"))
        pairs = compute(AUTO, nodes, pairs)
        assert whole(nodes, pairs) or number < 3
    region = {node.id: node.region for node in nodes}
    assert sum(region[one] == region[other] for one, other in pairs) > 0.6 * len(pairs)


def test_one_that_joins_moves_few():
    nodes = relays(200, 3)
    pairs = compute(AUTO, nodes)
    for number in range(201, 221):
        nodes.append(Node(number, relay=True, kind=DUAL, region=f"r{number % 3}"))
        before, pairs = pairs, compute(AUTO, nodes, pairs)
        assert len(pairs - before) <= 6
        assert len(before - pairs) <= 3


def test_who_lost_neighbours_gets_others():
    nodes = relays(40)
    pairs = compute(AUTO, nodes)
    left = nodes[6:]
    after = compute(AUTO, left, pairs)
    kept = {ends for ends in pairs if min(ends) > 6}
    assert kept <= after
    assert min(map(len, graph(left, after).values())) >= 5
    assert whole(left, after)


@pytest.mark.parametrize(("count", "degree"), [(8, 3), (12, 4), (40, 4), (40, 3)])
def test_bounded_trims_what_a_full_mesh_has_too_much(count, degree):
    nodes = relays(count, 2)
    pairs = compute(Topology("bounded", degree=degree), nodes, compute(Topology("full"), nodes))
    links = graph(nodes, pairs)
    assert whole(nodes, pairs)
    assert max(map(len, links.values())) <= degree + 1
    assert compute(Topology("bounded", degree=degree), nodes, pairs) == pairs


def test_few_relays_that_everybody_behind_nat_needs_keep_each_other():
    nodes = relays(3, kind=FOUR) + relays(60, kind=NAT_FOUR, first=10)
    pairs = compute(Topology("bounded", degree=4), nodes)
    assert whole(nodes, pairs)
    assert {(1, 2), (1, 3), (2, 3)} <= pairs
    assert compute(Topology("bounded", degree=4), nodes, pairs) == pairs


def test_hubs():
    pairs = compute(Topology("hub"), relays(7), hubs=[2, 5])
    assert pairs == {(2, 5)} | {tuple(sorted((hub, other))) for hub in (2, 5) for other in (1, 3, 4, 6, 7)}
    assert whole(relays(7), pairs)


def test_explicit_links_are_all_there_is():
    links = [(1, 2), (2, 3)]
    assert compute(Topology("explicit"), relays(3), [(1, 3)], links=links) == set(links)


@pytest.mark.parametrize("strategy", ["auto", "full", "bounded", "hub", "explicit"])
def test_a_tunnel_with_an_absent_host_is_kept_and_none_is_built_to_it(strategy):
    nodes = [*relays(12), Node(13, relay=True, kind=ABSENT), Node(14, relay=False, kind=ABSENT)]
    pairs = compute(Topology(strategy), nodes, [(1, 13), (13, 14)], hubs=[1, 2], links=[(1, 2)])
    assert {ends for ends in pairs if max(ends) > 12} == {(1, 13), (13, 14)}


@pytest.mark.parametrize("strategy", ["auto", "bounded"])
def test_absence_changes_nothing(strategy):
    nodes = relays(30, 3)
    pairs = compute(Topology(strategy), nodes)
    absent = [Node(node.id, relay=True, kind=ABSENT) if node.id % 7 == 0 else node for node in nodes]
    assert compute(Topology(strategy), absent, pairs) == pairs


def test_hosts_attach_to_the_least_loaded_of_their_region():
    nodes = relays(6, 2) + [Node(number, relay=False, kind=NAT_FOUR, region="r1") for number in range(10, 16)]
    pairs = compute(AUTO, nodes)
    load = Counter(one for one, other in pairs if other >= 10)
    assert load == {1: 4, 3: 4, 5: 4}


def test_hosts_go_abroad_when_their_region_is_too_small():
    nodes = [Node(1, relay=True, kind=DUAL, region="here"), *relays(3, first=2)]
    host = Node(9, relay=False, kind=NAT_FOUR, region="here")
    pairs = compute(AUTO, [*nodes, host])
    assert [one for one, other in sorted(pairs) if other == 9] == [1, 2]


def test_attachments_are_kept_while_they_are_valid():
    host = Node(9, relay=False, kind=NAT_FOUR, region="r1")
    pairs = compute(AUTO, [*relays(4, 2), host], [(3, 9), (4, 9)])
    assert {ends for ends in pairs if 9 in ends} == {(3, 9), (4, 9)}
    three = compute(AUTO, [*relays(4, 2), host], [(1, 9), (2, 9), (4, 9)])
    assert {ends for ends in three if 9 in ends} == {(1, 9), (2, 9)}
    no_more = [Node(4, relay=False, kind=DUAL) if node.id == 4 else node for node in relays(4, 2)]
    assert {ends for ends in compute(AUTO, [*no_more, host], [(3, 9), (4, 9)]) if 9 in ends} == {(1, 9), (3, 9)}


def attached(pairs, host):
    return {other for ends in pairs if host in ends for other in ends if other != host}


def test_a_host_that_moved_changes_the_more_loaded_of_its_relays():
    others = [Node(number, relay=False, kind=NAT_FOUR, region="r0") for number in (10, 11)]
    nodes = [*relays(6, 2), *others, Node(9, relay=False, kind=NAT_FOUR, region="r1")]
    before = [(2, 10), (6, 10), (2, 11), (4, 11), (2, 9), (4, 9)]
    pairs = compute(AUTO, nodes, before)
    assert (attached(pairs, 9), attached(pairs, 10), attached(pairs, 11)) == ({1, 4}, {2, 6}, {2, 4})
    assert compute(AUTO, nodes, pairs) == pairs


def test_a_host_that_moved_keeps_the_relay_that_no_other_of_its_relays_is_near():
    nodes = [*relays(6, 3), Node(9, relay=False, kind=NAT_FOUR, region="r0")]
    pairs = compute(Topology(attach=3), nodes, [(1, 9), (4, 9), (5, 9)])
    assert attached(pairs, 9) == {1, 3, 5}


def test_a_host_that_moved_waits_for_an_absent_relay_and_for_one_that_it_can_reach():
    """An absent relay's region is not known, so it may be the host's: absence changes nothing."""
    host = Node(9, relay=False, kind=NAT_FOUR, region="r1")
    absent = [Node(node.id, relay=True, kind=ABSENT) if node.id == 4 else node for node in relays(4, 2)]
    assert attached(compute(AUTO, [*absent, host], [(2, 9), (4, 9)]), 9) == {2, 4}
    beyond = [replace(node, kind=SIX) if node.region == "r1" else node for node in relays(4, 2)]
    assert attached(compute(AUTO, [*beyond, host], [(2, 9), (4, 9)]), 9) == {2, 4}
    one = Topology(attach=1)
    assert attached(compute(one, [*relays(4, 2), host], [(4, 9)]), 9) == {1}


@st.composite
def with_hosts(draw):
    """A network, and the same one after some of its hosts that are no relays moved or changed how they are reached."""
    nodes = draw(mixed(12)) + [
        Node(number, relay=False, kind=draw(st.sampled_from(KINDS)), region=draw(st.sampled_from(["r0", "r1", "away"])))
        for number in range(401, 401 + draw(st.integers(1, 6)))
    ]
    changed = draw(st.sets(st.sampled_from([node.id for node in nodes if not node.relay]), min_size=1, max_size=3))
    after = [
        replace(node, region=draw(st.sampled_from(["r0", "r1", "r2"])), kind=draw(st.sampled_from([node.kind, *KINDS])))
        if node.id in changed
        else node
        for node in nodes
    ]
    return nodes, after, changed


@given(with_hosts(), topologies)
@settings(max_examples=200, deadline=None)
def test_hosts_that_change_move_no_more_than_they_must_and_nobody_else(network, topology):
    nodes, now, changed = network
    before = compute(topology, nodes)
    after = compute(topology, now, before)
    assert compute(topology, now, after) == after
    assert all(changed & set(ends) for ends in before ^ after)
    by_id = {node.id: node for node in now}
    for host in (by_id[number] for number in changed):
        partners = {node.id for node in now if node.relay and can_link(host, node)}
        home = {number for number in partners if by_id[number].region == host.region}
        had, has = attached(before, host.id), attached(after, host.id)
        assert has <= partners
        assert len(has) == min(len(partners), topology.attach)
        assert bool(has & home) == bool(home)
        # Beyond the tunnels that cannot be any more it gives up one at most, and that for a relay at home.
        assert len((had & partners) - has) <= (1 if home and not had & home else 0)


@given(mixed(), topologies, st.data())
@settings(max_examples=100, deadline=None)
def test_a_relay_that_moves_or_joins_draws_its_regions_hosts_and_no_others(nodes, topology, data):
    relay = data.draw(st.sampled_from([node for node in nodes if node.relay]))
    others = [node for node in nodes if node != relay]
    start = data.draw(st.sampled_from([others, [*others, replace(relay, region="elsewhere")]]))
    before = compute(topology, start)
    after = compute(topology, nodes, before)
    assert compute(topology, nodes, after) == after
    for host in (node for node in nodes if not node.relay):
        had, has = attached(before, host.id), attached(after, host.id)
        assert had == has or (len(had - has) <= 1 and has - had == {relay.id})


def test_what_the_operator_chose_wins():
    host = Node(9, relay=False, kind=NAT_FOUR, attach=(3,))
    pairs = compute(AUTO, [*relays(4), host], [(1, 9)])
    assert {ends for ends in pairs if 9 in ends} == {(3, 9)}


def test_hosts_and_relays_that_cannot_meet_do_not():
    nodes = [*relays(2, kind=SIX), *relays(2, kind=NAT_FOUR, first=3), *relays(1, kind=FOUR, first=5)]
    pairs = compute(AUTO, [*nodes, Node(9, relay=False, kind=NAT_FOUR)])
    assert {ends for ends in pairs if 9 in ends} == {(5, 9)}
    assert not any(can_link(a, b) for a in nodes[:2] for b in nodes[2:])


@given(st.integers(1, 12).flatmap(lambda n: st.sets(st.tuples(st.integers(1, n), st.integers(1, n)), max_size=30)))
@settings(max_examples=200, deadline=None)
def test_cut_relays_are_those_whose_loss_splits(edges):
    links = graph([Node(n, relay=True, kind=DUAL) for n in range(1, 13)], {e for e in edges if e[0] != e[1]})
    found = analyse(links)
    assert len(found.roots) == parts_without(links, 0)
    isolated = {number for number in links if not links[number]}
    assert found.cuts == {
        lost for lost in set(links) - isolated if parts_without(links, lost) > parts_without(links, 0)
    }
    for one in links:
        for other in links[one]:
            apart = {
                number: others - {one, other} if number in (one, other) else others for number, others in links.items()
            }
            separable = (
                any(
                    parts_without({n: o - {lost} for n, o in apart.items() if n != lost} | {lost: set()}, lost)
                    > parts_without({n: o - {lost} for n, o in links.items() if n != lost} | {lost: set()}, lost)
                    for lost in {0, *links} - {one, other}
                )
                if 0 not in links
                else None
            )
            assert survives(apart, one, other) == (not separable)


def test_ten_thousand_relays_in_seconds():
    nodes = relays(10_000, 8)
    pairs = compute(AUTO, nodes)
    assert len(pairs) <= 35_000
    links = graph(nodes, pairs)
    assert eccentricity(links, 1) <= 9
    nodes.append(Node(10_001, relay=True, kind=DUAL, region="r1"))
    more = compute(AUTO, nodes, pairs)
    assert len(more ^ pairs) <= 9
