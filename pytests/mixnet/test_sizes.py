# SPDX-License-Identifier: Apache-2.0
"""S3: sizes tell nothing. Known of the 0.4 wire, and let pass: a pull's reply is as long as its messages are."""

from __future__ import annotations

from pathlib import Path

import pytest

from mixlab import Inconclusive, Run, Violated
from mixlab.lab import Lab
from networks import network, program, saved, traffic

TALK = (traffic(2, ("6 s", "18 s"), size=24), traffic(1, ("6 s", "18 s"), size=975, source=1, target=0))


def run(lab: Lab, folder: Path, name: str, *parts: str, **more: object) -> Run:
    text = network(name, *TALK, *parts, duration="20 s", payload="full", **more)  # type: ignore[arg-type]
    return lab.once(saved(folder, text), seed=2)


def test_packets_requests_and_replies_have_one_shape(lab: Lab, tmp_path: Path) -> None:
    seen = run(lab, tmp_path, "sizes")
    sizes = seen.assert_size_uniform()
    whole = {size for link, size in sizes if link != "request"}
    assert all(size % 1372 == 0 for size in whole)
    assert min(sizes[link, 1372] for link in ("client to mix", "mix to mix", "mix to provider")) > 300
    assert {size for link, size in sizes if link == "request"} == {34, 66}
    assert sizes["request", 34] == 2  # Each client registers once.
    # The known exception is really there: a reader of replies learns how long messages are.
    replies = seen.sql(
        "select count(distinct s.size) from segment s join node a on a.id = s.from_node join node b on b.id = s.to_node"
        " where a.role = 'provider' and b.role = 'client'"
    ).scalar()
    assert replies > 10


@pytest.mark.parametrize(
    ("instead", "complaint"),
    [
        ({"client-0": ["mutant-client", "--break", "own_connections", "websocket"]}, "connections from 10.3.0.1"),
        ({"provider-0": ["mutant-provider", "--break", "bare_replies", "run"]}, "reply on connection .* messages"),
    ],
    ids=["own_connections", "bare_replies"],
)
def test_whoever_lets_shapes_tell_is_caught(
    lab: Lab, tmp_path: Path, instead: dict[str, list[str]], complaint: str
) -> None:
    seen = run(lab, tmp_path, "told-by-shape", instead=instead)
    with pytest.raises(Violated, match=complaint):
        seen.assert_size_uniform()


def test_a_packet_of_another_length_is_caught(lab: Lab, tmp_path: Path) -> None:
    short = program(
        "short", "short",
        ["mutant-sender", "--directory", "http://10.0.0.1:8080", "--hop", "mix:1", "--hop", "mix:2", "--truncate",
         "--record", "{record}"],
        start="8 s",
    )  # fmt: skip
    with pytest.raises(Violated, match="1371 bytes"):
        run(lab, tmp_path, "short", short).assert_size_uniform()


def test_replies_that_were_not_kept_are_no_pass(lab: Lab, tmp_path: Path) -> None:
    seen = lab.once(saved(tmp_path, network("sizes-digest", duration="12 s")), seed=2)
    with pytest.raises(Inconclusive, match="payload"):
        seen.assert_size_uniform()
