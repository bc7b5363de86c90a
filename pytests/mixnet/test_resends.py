# SPDX-License-Identifier: Apache-2.0
"""S4: a packet is taken once, in whatever bytes and by whatever way it comes again.

Key rotation, and resends across it, are not part of 0.4: a mix's key lives as long as its process.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from crafted import MS, Crafter, Post, S, flipped, with_alpha
from mixlab import Run, Violated, sphinx
from mixlab.lab import Lab
from networks import fault, network, program, saved

SEED = 9
ROUTE = ("mix-0", "mix-2", "mix-4", "provider-0")
TAKEN, REPLAY, MAC = ("forward", None), ("drop", "replay"), ("drop", "mac")

VARIANTS: dict[str, Callable[[bytes], bytes]] = {
    "exact_copy": lambda packet: packet,
    "top_bit_of_alpha": lambda packet: flipped(packet, 31, 0x80),
    "u_plus_p": lambda packet: with_alpha(packet, sphinx.non_canonical(packet[:32])),
    "plus_order_2": lambda packet: with_alpha(packet, sphinx.add_small_order(packet[:32], 2)),
    "plus_order_4": lambda packet: with_alpha(packet, sphinx.add_small_order(packet[:32], 4)),
    "plus_order_8": lambda packet: with_alpha(packet, sphinx.add_small_order(packet[:32], 8)),
    "another_payload": lambda packet: flipped(packet, 1000, 1),
}
ALPHAS = [name for name in VARIANTS if name not in ("exact_copy", "another_payload")]


@dataclass
class Case:
    """One packet and its resend: who met them, and under which digests."""

    first: tuple[str, bytes]
    again: tuple[str, bytes]


def fates(run: Run, node: str, digest: bytes) -> list[tuple[str, str | None]]:
    query = "select verdict, reason from handled where node = ? and digest_in = ? order by received_ns, id"
    return run.sql(query, run.node_id(node), digest).rows()


def planned(lab: Lab, folder: Path, promise: str = "none", provider: str = "none") -> tuple[Run, dict[str, Case]]:
    """Everything in one run: originals at 8 s, both restarts at 10 s, resends from 12 s on."""
    instead = {
        "mix-0": ["mutant-mixnode", "run", "--break", promise] if promise != "none" else ["nym-mixnode", "run"],
        "provider-0": ["mutant-provider", "--break", provider, "run"],
    }
    parts = (fault("10 s", "crash", "mix[1]", "1 s"), fault("10 s", "crash", "provider", "1 s"))
    crafter = Crafter.of(lab.once(saved(folder, network("keys", duration="4 s", instead=instead)), SEED))
    one, other = Post(), Post()
    cases: dict[str, Case] = {}
    for number, (name, change) in enumerate(VARIANTS.items()):
        packet = crafter.packet(*ROUTE, secret=1 if name == "u_plus_p" else None)
        first = one.send(8 * S + number * 100 * MS, "mix-0", packet)
        cases[name] = Case(("mix-0", first), ("mix-0", one.send(12 * S + number * 100 * MS, "mix-0", change(packet))))
    elsewhere = {  # the route, who gets it first and who gets it again, and whose connection brings it
        "another_peer": (ROUTE, "mix-0", other),
        "another_layer": (ROUTE, "mix-2", one),
        "restarted_mix": (("mix-1", *ROUTE[1:]), "mix-1", one),
        "restarted_provider": (("provider-0",), "provider-0", one),
        "same_moment": (ROUTE, "mix-0", other),
    }
    for number, (name, (route, target, sender)) in enumerate(elsewhere.items()):
        packet, time = crafter.packet(*route), 9 * S + number * 100 * MS
        first = one.send(time, route[0], packet)
        again = sender.send(time if name == "same_moment" else time + 4 * S, target, packet)
        cases[name] = Case((route[0], first), (target, again))
    honest = crafter.packet(*ROUTE)
    forged = one.send(9 * S + 800 * MS, "mix-0", flipped(honest, 40, 1))
    cases["forged_first"] = Case(("mix-0", forged), ("mix-0", one.send(13 * S + 800 * MS, "mix-0", honest)))
    for name, post in (("one", one), ("other", other)):
        post.write(folder / f"{name}.packets", crafter.keys)
    senders = [
        f'[[program]]\nhost = "{name}"\nname = "{name}"\nfiles = {{ "packets" = "{name}.packets" }}\nstart = "7 s"\n'
        'command = ["mutant-sender", "--packets", "packets", "--record", "{record}"]\n'
        for name in ("one", "other")
    ]
    text = network(f"resends-{promise}-{provider}", *parts, *senders, duration="16 s", instead=instead)
    return lab.once(saved(folder, text), SEED), cases


@pytest.mark.parametrize("name", [*VARIANTS, "another_peer"])
def test_a_packet_that_comes_again_is_dropped_as_a_replay(lab: Lab, tmp_path: Path, name: str) -> None:
    run, cases = planned(lab, tmp_path)
    case = cases[name]
    if case.first == case.again:
        assert fates(run, *case.first) == [TAKEN, REPLAY]
    else:
        assert fates(run, *case.first) == [TAKEN]
        assert fates(run, *case.again) == [REPLAY]
    sent = "select count(*) from handled where reason = 'replay' and (sent_ns is not null or digest_out is not null)"
    assert run.sql(sent).scalar() == 0


def test_of_two_copies_at_one_moment_one_is_taken(lab: Lab, tmp_path: Path) -> None:
    run, cases = planned(lab, tmp_path)
    assert sorted(fates(run, *cases["same_moment"].first), key=str) == [REPLAY, TAKEN]
    times = run.sql("select received_ns from handled where digest_in = ?", cases["same_moment"].first[1]).column()
    assert times[0] == times[1]


@pytest.mark.parametrize("name", ["another_layer", "restarted_mix"])
def test_where_it_was_not_made_for_its_mac_does_not_hold(lab: Lab, tmp_path: Path, name: str) -> None:
    run, cases = planned(lab, tmp_path)
    assert fates(run, *cases[name].first)[0] == TAKEN
    assert fates(run, *cases[name].again)[-1] == MAC


def test_a_provider_remembers_across_its_crash(lab: Lab, tmp_path: Path) -> None:
    run, cases = planned(lab, tmp_path)
    assert fates(run, *cases["restarted_provider"].first) == [("drop", "unknown_recipient"), REPLAY]


def test_a_forgery_keeps_nobody_out(lab: Lab, tmp_path: Path) -> None:
    run, cases = planned(lab, tmp_path)
    assert fates(run, *cases["forged_first"].first) == [MAC]
    assert fates(run, *cases["forged_first"].again) == [TAKEN]


def test_no_packet_is_taken_twice_and_none_refused_that_is_new(lab: Lab, tmp_path: Path) -> None:
    run, cases = planned(lab, tmp_path)
    run.assert_no_resend_taken([case.first[1], case.again[1]] for case in cases.values())
    # False refusals: everything a client made was new.
    refused = "select count(*) from hop h join packet p on p.id = h.packet where h.reason = 'replay' and p.class in"
    assert run.sql(refused + " ('loop', 'cover', 'real')").scalar() == 0
    assert run.sql("select count(*) from handled where verdict = 'forward'").scalar() > 500
    assert run.drops()["replay"] == len(VARIANTS) + 3  # another peer, the same moment, the restarted provider


@pytest.mark.parametrize(("promise", "seen"), [("replay", [*VARIANTS, "another_peer"]), ("tag_of_alpha", ALPHAS)])
def test_a_mix_that_takes_packets_again_is_caught(lab: Lab, tmp_path: Path, promise: str, seen: list[str]) -> None:
    run, cases = planned(lab, tmp_path, promise)
    with pytest.raises(Violated, match="resends"):
        run.assert_no_resend_taken()
    for name in seen:
        with pytest.raises(Violated, match="resends"):
            run.assert_no_resend_taken([[cases[name].first[1], cases[name].again[1]]])
        assert fates(run, *cases[name].again)[-1] == TAKEN, name


def test_a_mix_that_remembers_forgeries_is_caught(lab: Lab, tmp_path: Path) -> None:
    run, cases = planned(lab, tmp_path, "tag_before_mac")
    assert fates(run, *cases["forged_first"].first) == [MAC]
    assert fates(run, *cases["forged_first"].again) == [REPLAY]


def test_a_provider_that_forgets_with_its_process_is_caught(lab: Lab, tmp_path: Path) -> None:
    run, cases = planned(lab, tmp_path, provider="forgets_tags")
    assert fates(run, *cases["restarted_provider"].first) == 2 * [("drop", "unknown_recipient")]


def test_a_flood_fills_no_memory_and_shortens_the_window_to_what_was_promised(lab: Lab, tmp_path: Path) -> None:
    """Ten thousand packets at a mix with 64 KiB for tags: at least 1536 are known, and at most twice that."""
    small = {"mix-0": ["nym-mixnode", "run", "--tag-memory", "65536"]}
    crafter = Crafter.of(lab.once(saved(tmp_path, network("keys", duration="4 s", width=1, instead=small)), SEED))
    post, packet = Post(), crafter.packet("mix-0", "mix-1", "mix-2", "provider-0")
    first = post.send(7_900 * MS, "mix-0", packet)
    post.send(9_400 * MS, "mix-0", packet)  # 1400 packets later
    post.send(17_500 * MS, "mix-0", packet)  # 9500 packets later
    post.write(tmp_path / "resender.packets", crafter.keys)
    resender = (
        '[[program]]\nhost = "resender"\nname = "resender"\nfiles = { "packets" = "resender.packets" }\nstart = "7 s"\n'
        'command = ["mutant-sender", "--packets", "packets", "--record", "{record}"]\n'
    )
    words = ["--hop", "mix:1", "--count", "10000", "--every", "1 ms", "--one-connection", "--record", "{record}"]
    flood = program(
        "flood", "flood", ["mutant-sender", "--directory", "http://10.0.0.1:8080", *words], start="8 s"
    )  # fmt: skip
    run = lab.run(saved(tmp_path, network("flood", resender, flood, duration="19 s", width=1, instead=small)), SEED)
    assert fates(run, "mix-0", first) == [TAKEN, REPLAY, TAKEN]
    assert run.drops()["final_at_mix"] == 10_000  # The flood's packets end at a mix, and their tags are kept.
    said = "select line from log where line like '%tag memory is full%more than 1536 others%'"
    assert len(run.sql(said)) == 1
