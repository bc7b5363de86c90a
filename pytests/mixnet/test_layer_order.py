# SPDX-License-Identifier: Apache-2.0
"""S1: every packet goes through layers 1, 2, 3 and to the provider, and whoever tries another way gets nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from mixlab import Run, Violated
from mixlab.lab import Lab
from networks import network, program, saved

# A name, its route, and the layer of the node that must refuse it.
ROUTES = {
    "one_to_three": (["mix:1", "mix:3", "provider"], 1),
    "two_to_one": (["mix:1", "mix:2", "mix:1:1", "mix:3", "provider"], 2),
    "one_to_provider": (["mix:1", "provider"], 1),
    "two_to_provider": (["mix:1", "mix:2", "provider"], 2),
    "one_to_one": (["mix:1:0", "mix:1:1", "mix:2", "mix:3", "provider"], 1),
    "one_to_itself": (["mix:1:0", "mix:1:0", "mix:2", "mix:3", "provider"], 1),
    "three_to_one_again": (["mix:1:0", "mix:2", "mix:3", "mix:1:0", "provider"], 3),
}
PACKETS = 3


def crafter(name: str, route: list[str]) -> str:
    hops = [word for hop in route for word in ("--hop", hop)]
    return program(
        name, name,
        ["mutant-sender", "--directory", "http://10.0.0.1:8080", *hops, "--count", str(PACKETS), "--every", "700 ms",
         "--delay", "50 ms", "--name", name, "--record", "{record}"],
        start="8 s",
    )  # fmt: skip


def run_with(lab: Lab, folder: Path, name: str, routes: dict[str, list[str]], **more: object) -> Run:
    text = network(name, *(crafter(who, route) for who, route in routes.items()), duration="20 s", **more)  # type: ignore[arg-type]
    return lab.once(saved(folder, text), seed=5)


def test_every_packet_of_an_honest_client_takes_one_step_a_layer(lab: Lab, tmp_path: Path) -> None:
    run = run_with(lab, tmp_path, "crafted", {name: route for name, (route, _) in ROUTES.items()})
    run.assert_layer_order()
    # The whole way of each packet that was stored, in one line: exactly one hop a layer, in order of time.
    ways = run.sql(
        "select way, count(*) from (select packet, group_concat(from_layer || '>' || to_layer || ' ' || verdict, ', ')"
        "   as way from (select * from hop order by packet, received_ns) group by packet)"
        " where way like '%store' group by 1"
    ).rows()
    assert [way for way, _ in ways] == ["0>1 forward, 1>2 forward, 2>3 forward, 3>4 store"]
    assert ways[0][1] > 300


@pytest.mark.parametrize("name", ROUTES)
def test_a_route_that_leaves_the_order_ends_where_it_would(lab: Lab, tmp_path: Path, name: str) -> None:
    run = run_with(lab, tmp_path, "crafted", {name: route for name, (route, _) in ROUTES.items()})
    ends = run.sql(
        "select last.to_layer, last.reason, count(*) from packet p join node n on n.id = p.origin"
        " join hop last on last.packet = p.id and last.hop = (select max(hop) from hop where packet = p.id)"
        " where n.name = ? group by 1, 2",
        name,
    ).rows()
    assert ends == [(ROUTES[name][1], "next_hop_not_next_layer", PACKETS)]


def test_a_program_that_begins_in_layer_2_is_a_hop_from_0_to_2(lab: Lab, tmp_path: Path) -> None:
    """Plain TCP proves no sender, so no node can refuse this: the record shows it."""
    run = run_with(lab, tmp_path, "injected", {"skipper": ["mix:2", "mix:3", "provider"]})
    assert run.hops_by_layer()[0, 2] == PACKETS
    with pytest.raises(Violated, match=r"layer order: 3 violation(.|\n)*skipper"):
        run.assert_layer_order()


@pytest.mark.parametrize("promise", ["none", "layer_order"])
def test_a_mix_that_obeys_any_header_is_caught(lab: Lab, tmp_path: Path, promise: str) -> None:
    """As nodes of 0.4 do. Both mixes of layer 1 are of this kind."""
    words = ["mutant-mixnode", "run", "--break", promise]
    run = run_with(
        lab, tmp_path, f"obeys-{promise}", {"one_to_three": ROUTES["one_to_three"][0]},
        instead={"mix-0": words, "mix-1": words},
    )  # fmt: skip
    if promise == "none":
        run.assert_layer_order()
    else:
        with pytest.raises(Violated, match="layer order: 3 violation"):
            run.assert_layer_order()
