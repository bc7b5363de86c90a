# SPDX-License-Identifier: Apache-2.0
"""What users write arrives: exactly once where nothing goes wrong, at least once across a provider's crash."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from mixlab import Run, Violated
from mixlab.lab import Lab
from networks import fault, network, saved, traffic

TALK = (traffic(1, ("6 s", "16 s")), traffic(1, ("6 s", "16 s"), source=1, target=0))
SEED = 6


def run(lab: Lab, folder: Path, name: str, *parts: str, promise: str = "none") -> Run:
    instead = {"provider-0": ["mutant-provider", "--break", promise, "run"]}
    text = network(
        name, *TALK, *parts, duration="36 s", loop_rate=1, send_rate=2, payload="full", instead=instead
    )  # fmt: skip
    return lab.once(saved(folder, text), SEED)


def said(run: Run, verb: str) -> Counter[str]:
    """{a message's name: how often the users' own programs said so}."""
    lines = run.sql("select line from log where stream = 'stdout' and line like ?", f"{verb} client-%>client-%")
    return Counter(line.removeprefix(f"{verb} ") for line in lines.column())


def test_without_faults_each_message_arrives_exactly_once(lab: Lab, tmp_path: Path) -> None:
    seen = run(lab, tmp_path, "quiet")
    sent, got = said(seen, "sent"), said(seen, "got")
    assert len(sent) == 18
    assert set(sent.values()) == {1}
    assert got == sent
    seen.assert_real_delivered(within="8 s", exactly_once=True)


def test_a_provider_that_hands_out_mail_again_is_caught(lab: Lab, tmp_path: Path) -> None:
    seen = run(lab, tmp_path, "quiet", promise="hands_out_twice")
    assert max(said(seen, "got").values()) > 1
    with pytest.raises(Violated, match="exactly once"):
        seen.assert_real_delivered(within="8 s", exactly_once=True)


def reply_on_its_way(seen: Run) -> int:
    """When a reply that carries a user's message leaves the provider for client-1."""
    for time, payload in seen.sql(
        "select sent_ns, payload from segment where from_node = ? and to_node = ? and sent_ns > 10000000000"
        " order by sent_ns",
        seen.node_id("provider-0"),
        seen.node_id("client-1"),
    ):
        if b"client-0>client-1#" in payload:
            return int(time)
    raise AssertionError("no message was ever handed out")


@pytest.mark.parametrize(("promise", "lost"), [("none", 0), ("deletes_early", 1)])
def test_a_reply_that_is_lost_with_its_provider_comes_again(lab: Lab, tmp_path: Path, promise: str, lost: int) -> None:
    """Of 0.4: deleted before the reply was sent. The reply is cut off until the client has given it up, and the
    provider dies before it knows whether it arrived."""
    time = reply_on_its_way(run(lab, tmp_path, "quiet", promise=promise))
    parts = (
        f'[[at]]\nt = "{time + 1_000_000} ns"\ndo = "partition"\nbetween = ["provider", "client[1]"]\nfor = "12 s"\n',
        fault(f"{time + 2_000_000} ns", "crash", "provider", "1 s"),
    )
    seen = run(lab, tmp_path, "crash", *parts, promise=promise)
    sent, got = said(seen, "sent"), said(seen, "got")
    assert len(sent) == 18
    # What the provider was not there to take has its reason; all the rest must be read by somebody.
    dropped = seen.sql("select count(*) from packet where class = 'real' and outcome = 'dropped'").scalar()
    assert dropped < 5
    missing = len(set(sent) - set(got)) - dropped
    assert missing == 0 if lost == 0 else missing >= lost
