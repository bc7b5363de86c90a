# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from book import Book
from mixlab import Run, drawing, durations, layout, programs, recording, summary
from mixlab.directory import Topology


def test_sql_gives_values_columns_and_rows(book: Book) -> None:
    run = book.honest(3).close()
    assert run.sql("select count(*) from made").scalar() == 3
    assert run.sql("select name from node where role = ? order by id", "client").column() == ["alice", "bob"]
    assert run.sql("select id, name from node where name = :name", name="bob").dicts() == [{"id": 9, "name": "bob"}]
    assert len(run.sql("select * from hop")) == 12
    assert run.node_id("bob") == 9


def test_scalar_of_another_shape_is_refused(book: Book) -> None:
    run = book.close()
    with pytest.raises(ValueError, match="got 9 row"):
        run.sql("select id from node").scalar()
    with pytest.raises(ValueError, match="2 column"):
        run.sql("select id, name from node where id = 1").scalar()


def test_a_recording_cannot_be_changed_through_run(book: Book) -> None:
    run = book.honest().close()
    with pytest.raises(sqlite3.OperationalError, match=r"readonly(.|\n)*delete from made"):
        run.sql("delete from made")


def test_a_wrong_query_is_shown_with_the_error(book: Book) -> None:
    with pytest.raises(sqlite3.OperationalError, match=r"no such column: nonsense(.|\n)*select nonsense"):
        book.close().sql("select nonsense from node")


def test_a_recording_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"missing\.sqlite"):
        Run(tmp_path / "missing.sqlite")


def test_a_table_shows_null_and_hex(book: Book) -> None:
    table = book.close().sql("select null as missing, x'0a0b' as bytes").table()
    assert table.splitlines() == ["missing  bytes", "   NULL   0a0b"]


def test_a_recording_is_private_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    recording.create(path, programs.schema_file()).finish()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        recording.create(path, programs.schema_file())


def test_a_recording_is_finished_when_its_maker_says_so(tmp_path: Path) -> None:
    writer = recording.create(tmp_path / "run.sqlite", programs.schema_file())
    run = Run(writer.path)
    assert not run.finished
    assert run.clock == "wall"
    assert run.chain is None
    writer.finish()
    assert run.finished
    assert run.end_ns > 0


@pytest.mark.parametrize(
    ("text", "ns"),
    [("10 s", 10**10), ("2.5 ms", 2_500_000), ("0.1 s", 10**8), ("3 us", 3000), ("2 min", 12 * 10**10), (7, 7)],
)
def test_durations_are_exact(text: str | int, ns: int) -> None:
    assert durations.nanoseconds(text) == ns


@pytest.mark.parametrize("wrong", ["10", "10 sec", "s", "-1 s", "0.1 ns", -1, True, 1.5])
def test_what_is_no_duration_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"duration|nanosecond"):
        durations.nanoseconds(wrong)  # type: ignore[arg-type]


def test_a_ratio_is_taken_as_written() -> None:
    assert durations.ratio(0.1) * 10 == 1
    assert durations.ratio("99/100") == durations.ratio(0.99)
    for wrong in ("1.5", -1, "x", "1/0"):
        with pytest.raises(ValueError, match="ratio"):
            durations.ratio(wrong)


def test_the_classic_layout_skips_the_providers_ports() -> None:
    plan = layout.classic(30)
    assert plan.mixes[:17] == tuple(range(9980, 9997))
    assert plan.mixes[17] == 9999
    assert (plan.provider_mix, plan.provider_client, plan.directory) == (9997, 9998, 8080)
    assert [plan.layer_of(i) for i in (0, 9, 10, 19, 20, 29)] == [1, 1, 2, 2, 3, 3]


@pytest.mark.parametrize("count", [0, -3, 1, 2, 4, 31])
def test_mixnodes_come_in_threes(count: int) -> None:
    with pytest.raises(layout.LayoutError, match=f"multiple of 3.*not {count}"):
        layout.classic(count)


def test_a_port_base_moves_everything_and_stays_below_65536() -> None:
    first, second = layout.block(20000, 6, 2), layout.block(20011, 6, 2)
    assert set(first.all_ports()) == set(range(20000, 20011))
    assert not set(first.all_ports()) & set(second.all_ports())
    with pytest.raises(layout.LayoutError, match="65536"):
        layout.block(65530, 6)


def test_the_drawing_shows_each_node_in_its_layer() -> None:
    mixes = tuple({"host": f"127.0.0.1:{9980 + i}", "layer": i // 2 + 1} for i in range(6))
    drawn = drawing.layers(Topology(mixes, ({"mixnetListener": "127.0.0.1:9997"},)))
    lines = drawn.splitlines()
    assert lines[0].split() == ["layer", "0", "layer", "1", "layer", "2", "layer", "3", "provider"]
    assert lines[1].count("->") == 4
    assert [line.count("127.0.0.1:99") for line in lines[1:]] == [4, 3]


def test_the_summary_tells_links_loops_drops_and_strangers(book: Book) -> None:
    book.honest().packet(["alice", "mix-1a"], 30_000_000_000, drop="mac")
    book.packet(["alice", "mix-1a", "mix-2a", "mix-3a", "provider"], 31_000_000_000, silent=True)
    text = summary.text(book.close())
    assert "0 -> 1        21" in text
    assert "? -> 1         1" in text
    assert "loops: 21 made, 20 home, 1 dropped, 0 on their way; median round trip 100 ms" in text
    assert "drops: mac 1" in text
    assert "packets from programs that did not record: 1" in text


def test_the_summary_of_an_idle_network_says_why_it_is_empty(book: Book) -> None:
    assert "No packet was recorded" in summary.text(book.close())
