# SPDX-License-Identifier: Apache-2.0
"""Each assertion passes on a recording that keeps the promise and fails on every recording that breaks it."""

from __future__ import annotations

import pytest

from book import MS, Book, S
from mixlab import Inconclusive, Violated, programs

HOME = ["alice", "mix-1a", "mix-2a", "mix-3a", "provider"]


# Layer order. -----------------------------------------------------------------------------------------------


def test_layer_order_holds_on_honest_routes(book: Book) -> None:
    run = book.honest().close()
    run.assert_layer_order()
    assert run.hops_by_layer() == {(0, 1): 20, (1, 2): 20, (2, 3): 20, (3, 4): 20}


@pytest.mark.parametrize(
    ("route", "source", "target"),
    [
        (["alice", "mix-2a", "mix-3a", "provider"], 0, 2),
        (["alice", "mix-1a", "mix-3a", "provider"], 1, 3),
        (["alice", "mix-1a", "mix-1b", "mix-2a", "mix-3a", "provider"], 1, 1),
        (["alice", "mix-1a", "mix-2a", "mix-1b", "mix-2b", "mix-3a", "provider"], 2, 1),
        (["alice", "mix-1a", "provider"], 1, 4),
    ],
)
def test_layer_order_names_the_hop_that_breaks_it(book: Book, route: list[str], source: int, target: int) -> None:
    book.honest().packet(route, 30 * S)
    run = book.close()
    with pytest.raises(Violated, match="layer order: 1 violation") as caught:
        run.assert_layer_order()
    assert run.hops_by_layer()[source, target] == 1
    assert "all hops of packet 21" in str(caught.value)
    assert str(run.path) in str(caught.value)


def test_layer_order_sees_a_skipping_hop_although_it_was_refused(book: Book) -> None:
    book.honest().packet(["alice", "mix-2a"], 30 * S, drop="mac")
    with pytest.raises(Violated):
        book.close().assert_layer_order()


def test_an_unknown_sender_into_layer_2_is_a_violation(book: Book) -> None:
    book.honest().packet(["alice", "mix-2a", "mix-3a", "provider"], 30 * S, silent=True)
    with pytest.raises(Violated, match="unknown"):
        book.close().assert_layer_order()


@pytest.mark.parametrize(
    ("clock", "after", "outcome"), [("wall", 1, Inconclusive), ("wall", 3, Violated), ("virtual", 1, Violated)]
)
def test_what_a_killed_program_did_not_write_down_is_unjudged_but_only_in_a_devnet_and_just_then(
    book: Book, clock: str, after: int, outcome: type[AssertionError]
) -> None:
    book.honest().packet(["mix-2a", "mix-3a", "provider"], 30 * S, silent=True)
    book.writer.execute(
        "insert into fault (time_ns, verb, target) values (?, 'crash', 'mix-2a')", 30 * S + MS - after * S
    )
    book.writer.execute("update run set clock = ?", clock)
    with pytest.raises(outcome):
        book.close().assert_layer_order()


def test_an_unknown_sender_into_layer_1_is_unjudged_and_never_a_pass(book: Book) -> None:
    book.honest().packet(HOME, 30 * S, silent=True)
    run = book.close()
    with pytest.raises(Inconclusive, match="1 hop"):
        run.assert_layer_order()
    run.assert_layer_order(allow_unjudged=1)


def test_layer_order_of_an_empty_recording_cannot_be_judged(book: Book) -> None:
    with pytest.raises(Inconclusive, match="no hop"):
        book.close().assert_layer_order()


def test_a_resent_packet_is_matched_in_order_and_multiplies_no_rows(book: Book) -> None:
    digest = book.packet(HOME, S)
    book.made("alice", "mix-1a", digest, 2 * S, "injected", "alice")
    book.handled("mix-1a", 2 * S + MS, digest, None, None, "drop", "replay")
    run = book.close()
    run.assert_layer_order()
    assert run.hops_by_layer() == {(0, 1): 2, (1, 2): 1, (2, 3): 1, (3, 4): 1}
    assert run.drops() == {"replay": 1}


# Loops. -----------------------------------------------------------------------------------------------------


def test_loops_delivered_counts_what_came_home_in_time(book: Book) -> None:
    run = book.honest().close()
    run.assert_loops_delivered(ratio=1.0, within="10 s")
    run.assert_loops_delivered(ratio="1/1", within=100 * MS)
    assert run.loops_home() == 20


def test_a_late_loop_is_a_lost_one(book: Book) -> None:
    book.honest(19).packet(HOME, 30 * S, home_after=10 * S + 1)
    run = book.close()
    run.assert_loops_delivered(ratio=0.95)
    with pytest.raises(Violated, match="in time 19"):
        run.assert_loops_delivered()


@pytest.mark.parametrize("harm", [{"vanish": True}, {"drop": "mac"}, {"home_after": None}])
def test_a_lost_loop_is_missed(book: Book, harm: dict[str, object]) -> None:
    book.honest(19).packet(HOME, 30 * S, **harm)
    run = book.close()
    run.assert_loops_delivered(ratio="19/20")
    with pytest.raises(Violated, match="loops come home"):
        run.assert_loops_delivered(ratio="20/20")


def test_loops_made_too_late_to_judge_are_left_out(book: Book) -> None:
    book.honest().packet(HOME, 50 * S + 1, vanish=True)
    run = book.close()
    run.assert_loops_delivered(within="10 s")
    with pytest.raises(Violated):
        run.assert_loops_delivered(within="9 s")


def test_loops_that_nobody_sent_are_not_a_pass(book: Book) -> None:
    book.packet(HOME, S, kind="real", recipient="bob")
    with pytest.raises(Inconclusive):
        book.close().assert_loops_delivered()


def test_fillers_count_only_when_asked_for(book: Book) -> None:
    book.honest().packet(HOME, S, kind="cover", vanish=True)
    run = book.close()
    run.assert_loops_delivered()
    with pytest.raises(Violated):
        run.assert_loops_delivered(packet_class="any")
    with pytest.raises(ValueError, match="packet_class"):
        run.assert_loops_delivered(packet_class="real")


# Real messages. ---------------------------------------------------------------------------------------------


def test_real_delivered_wants_each_message_fetched(book: Book) -> None:
    for i in range(5):
        book.packet(HOME, i * S, kind="real", recipient="bob")
        book.fetched("bob", i * S + 300 * MS, "real")
    book.close().assert_real_delivered(exactly_once=True)


def test_a_message_that_reached_no_mailbox_is_missed(book: Book) -> None:
    book.packet(HOME, S, kind="real", recipient="bob", vanish=True)
    with pytest.raises(Violated, match="real messages arrive"):
        book.close().assert_real_delivered()


def test_a_message_that_stayed_in_its_mailbox_is_missed(book: Book) -> None:
    book.packet(HOME, S, kind="real", recipient="bob")
    with pytest.raises(Violated, match="fetched by its recipient"):
        book.close().assert_real_delivered()


def test_a_message_that_came_twice_is_noticed_only_when_once_was_promised(book: Book) -> None:
    book.packet(HOME, S, kind="real", recipient="bob")
    book.fetched("bob", 2 * S, "real")
    book.fetched("bob", 3 * S, "real")
    run = book.close()
    run.assert_real_delivered()
    with pytest.raises(Violated, match="exactly once"):
        run.assert_real_delivered(exactly_once=True)


# Conservation and drops. ------------------------------------------------------------------------------------


def test_conservation_holds_when_each_packet_ends_somewhere(book: Book) -> None:
    book.honest().packet(HOME[:3], 30 * S, drop="next_hop_unknown")
    book.close().assert_conservation()


def test_a_packet_that_vanished_breaks_conservation(book: Book) -> None:
    book.honest().packet(HOME, 30 * S, vanish=True)
    with pytest.raises(Violated, match="in_flight"):
        book.close().assert_conservation()


def test_a_packet_still_on_its_way_at_the_end_does_not(book: Book) -> None:
    book.honest().packet(HOME, 55 * S, vanish=True)
    run = book.close()
    run.assert_conservation(settle="10 s")
    with pytest.raises(Violated):
        run.assert_conservation(settle="4 s")


def test_after_a_kill_a_vanished_packet_is_inconclusive_with_its_number(book: Book) -> None:
    book.honest().packet(HOME, 30 * S, vanish=True)
    book.writer.fault("crash", "mix-2a")
    with pytest.raises(Inconclusive, match=r"1 packet\(s\) in flight after something was killed"):
        book.close().assert_conservation()


def test_conservation_of_an_empty_recording_cannot_be_judged(book: Book) -> None:
    with pytest.raises(Inconclusive):
        book.close().assert_conservation()


def test_no_drops_lets_only_named_reasons_pass(book: Book) -> None:
    book.honest().packet(HOME[:3], 30 * S, drop="next_hop_unknown")
    run = book.close()
    run.assert_no_drops(besides=["next_hop_unknown"])
    with pytest.raises(Violated, match="next_hop_unknown"):
        run.assert_no_drops()
    with pytest.raises(Violated):
        run.assert_no_drops(besides=["mac"])


def test_what_is_held_when_a_node_is_told_to_stop_is_no_refusal(book: Book) -> None:
    book.honest().packet(HOME[:3], 59 * S, drop="shutting_down")
    book.close().assert_no_drops()


@pytest.mark.parametrize(("ended", "fails"), [(60, False), (59, True)])
def test_in_the_lab_a_reset_is_spared_only_at_the_very_end(book: Book, ended: int, fails: bool) -> None:
    digest = book.honest().packet(HOME[:2], 58 * S, drop="connection_reset")
    book.writer.execute_script(
        "create table wire_packet (from_node integer, to_node integer, sent_ns integer, delivered_ns integer,"
        " digest blob, fate text, ended_ns integer)"
    )
    book.writer.execute("insert into wire_packet values (8, 1, 0, null, ?, 'connection_reset', ?)", digest, ended * S)
    run = book.close()
    if fails:
        with pytest.raises(Violated, match="connection_reset"):
            run.assert_no_drops()
    else:
        run.assert_no_drops()


def test_no_drops_of_an_empty_recording_cannot_be_judged(book: Book) -> None:
    with pytest.raises(Inconclusive):
        book.close().assert_no_drops()


# The lab's wire. --------------------------------------------------------------------------------------------

WIRE = """
create table wire_packet (from_node integer, to_node integer, sent_ns integer, delivered_ns integer, digest blob,
  fate text);
insert into wire_packet
  select from_node, to_node, sent_ns, received_ns, digest, null from hop where sent_ns is not null;
"""


def test_the_wire_and_the_nodes_tell_the_same(book: Book) -> None:
    book.honest().writer.execute_script(WIRE)
    book.close().assert_conservation()


@pytest.mark.parametrize(
    ("lie", "who"),
    [
        ("delete from handled where id = 4", "provider"),  # Received it, did not say so.
        ("delete from wire_packet where rowid = 2", "mix-2a|mix-2b|mix-1"),  # Says so, but it was never there.
        ("delete from made where id = 1", "alice"),  # Sent it, did not say so.
        ("update handled set digest_out = zeroblob(16) where id = 1", "mix-1a"),  # Sent something else.
    ],
)
def test_a_node_whose_account_differs_from_the_wire_breaks_conservation(book: Book, lie: str, who: str) -> None:
    book.honest().writer.execute_script(WIRE)
    book.writer.execute(lie)
    with pytest.raises(Violated, match=who):
        book.close().assert_conservation()


LAB_SCHEMA = programs.schema_file().parents[2] / "harness/recorder/schema.sql"
CROSSED = """
create temp table crossed as
  select from_node, to_node, sent_ns, coalesce(received_ns, sent_ns + 1) as delivered_ns, digest from hop;
drop table fault;
"""
WAS_KILLED = """
insert into wire_packet (connection, from_node, to_node, sent_ns, delivered_ns, digest, alone)
  select 1, from_node, to_node, sent_ns, delivered_ns, digest, 1 from crossed;
insert into event
  select 1, 31000000000, id, 'exit', '{"wait_status": 9}' from node where name = 'provider';
update wire_packet set fate = 'node_crashed', ended_ns = 31000000000
 where digest not in (select digest_in from handled);
"""


@pytest.mark.parametrize(
    ("lie", "what"),
    [
        ("select 1", None),
        # It came to the node that was killed, and nobody says what became of it.
        ("update wire_packet set fate = null, ended_ns = null where fate is not null", "received"),
        # It was sent to the node that was killed, and was never on the wire.
        ("delete from wire_packet where fate is not null", "sent"),
        # The node that was killed took it, said so, and it never was on the wire to it.
        ("delete from wire_packet where id = 4", "received"),
    ],
)
def test_to_be_killed_excuses_no_packet_without_a_fate(book: Book, lie: str, what: str | None) -> None:
    book.honest().packet(HOME, 30 * S, vanish=True)
    for script in (CROSSED, LAB_SCHEMA.read_text(encoding="utf-8"), WAS_KILLED, lie):
        book.writer.execute_script(script)
    run = book.close()
    if what is None:
        run.assert_conservation()
        assert run.drops() == {"node_crashed": 1}
    else:
        with pytest.raises(Violated, match=f"what each node reports as {what}"):
            run.assert_conservation()
