"""History on disk survives what happens to disks and processes."""

from __future__ import annotations

import errno
import itertools
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gan.core.messages import say
from gan.monitor.records import COLUMNS, OLDER_SIGNALS, SIGNALS, Row, due
from gan.runs import history
from gan.runs.history import History, Mark
from tests import samples

pytestmark = pytest.mark.slow


def row(step: int) -> Row:
    return Row(step, step * 8, step / 10, 1.5, None, 0.5, 0.25, 1e-3, 1e-3)


def filled(folder, steps) -> History:
    h = History(folder)
    for s in steps:
        h.add("rows", row(s))
        h.add_frame(s, b"png%d" % s, [0.1], [0.9])
    h.add_event(3, "lr", "D's learning rate 1 → 2")
    h.flush()
    return h


def test_what_was_written_is_read_back(tmp_path):
    filled(tmp_path, range(5))
    again = History(tmp_path)
    assert again.rows == [row(s) for s in range(5)]
    assert [f["step"] for f in again.frames] == [0, 1, 2, 3, 4]
    assert again.events == [{"step": 3, "kind": "lr", "text": "D's learning rate 1 → 2"}]
    assert again.frame_path(4).read_bytes() == b"png4"
    assert (tmp_path / "rows.csv").read_text().splitlines()[0] == ",".join(COLUMNS)


def test_a_number_is_read_as_it_would_be_written(tmp_path):
    """Somebody else's file may say more digits than ours: memory and disk agree about them from the beginning."""
    table = ",".join(COLUMNS) + "\n1234567,2000000,30.33333333" + ",0.123456789" * (len(COLUMNS) - 3) + "\n"
    (tmp_path / "rows.csv").write_text(table)
    read = History(tmp_path)
    assert read.rows == [Row(1234567, 2000000, 30.3333, *[0.123457] * (len(COLUMNS) - 3))]
    (tmp_path / "copy").mkdir()
    read.copy_until(2000000, tmp_path / "copy")
    assert History(tmp_path / "copy").rows == read.rows


def test_an_event_keeps_the_key_and_values_of_its_text(tmp_path):
    history = filled(tmp_path, range(1))
    history.add_event(4, "lr", say("events.lr_d", before=1.0, now=2.0))
    history.flush()
    event = History(tmp_path).events[-1]
    assert event == history.events[-1] and event["text"] == "D's learning rate 1 → 2"
    assert event["messages"] == {"text": {"key": "events.lr_d", "values": {"before": 1.0, "now": 2.0}}}


@pytest.mark.parametrize(
    "said", ["{}", "[]", "3", '{"text": 3}', '{"text": {"key": "../x", "values": {}}}', '{"text": {"key": "a.b"}}']
)
def test_what_a_stranger_says_of_an_event_is_left_out(tmp_path, said):
    line = f'{{"step": 1, "kind": "lr", "text": "Old", "messages": {said}}}\n'
    (tmp_path / "events.jsonl").write_text(line, encoding="utf-8")
    assert History(tmp_path).events == [{"step": 1, "kind": "lr", "text": "Old"}]


@pytest.mark.parametrize("cut", [1, 5, 30])
def test_a_line_a_killed_process_left_unfinished_is_ignored_and_overwritten(tmp_path, cut):
    filled(tmp_path, range(5))
    path = tmp_path / "rows.csv"
    path.write_bytes(path.read_bytes()[:-cut])
    again = History(tmp_path)
    assert again.rows == [row(s) for s in range(len(again.rows))]
    n = len(again.rows)
    again.add("rows", row(99))
    again.flush()
    assert History(tmp_path).rows == [*(row(s) for s in range(n)), row(99)]


def test_a_full_disk_loses_nothing(tmp_path, monkeypatch):
    h = filled(tmp_path, range(3))
    before = (tmp_path / "rows.csv").read_bytes()

    def no_space(path, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as m:
        m.setattr(history, "write_atomically", no_space)
        h.add("rows", row(3))
        h.add_frame(3, b"png3", [], [])
        with pytest.raises(OSError, match="No space"):
            h.flush()
    assert (tmp_path / "rows.csv").read_bytes() == before
    h.flush()
    again = History(tmp_path)
    assert again.rows[-1] == row(3) and again.frames[-1]["step"] == 3 and again.frame_path(3).exists()


def test_half_a_line_written_before_the_disk_was_full_is_cut_off(tmp_path, monkeypatch):
    import builtins

    h = filled(tmp_path, range(3))
    h.add("rows", row(3))
    real_open = builtins.open

    class HalfWriter:
        def __init__(self, f):
            self.f = f

        def __enter__(self):
            return self

        def __exit__(self, *a):
            self.f.close()

        def seek(self, at):
            self.f.seek(at)

        def write(self, data):
            self.f.write(data[: len(data) // 2])
            self.f.flush()
            raise OSError(errno.ENOSPC, "No space left on device")

    calls = []

    def failing_open(path, mode="r", *a, **k):
        f = real_open(path, mode, *a, **k)
        if "b" in mode and "+" in mode and not calls:
            calls.append(path)
            return HalfWriter(f)
        return f

    with monkeypatch.context() as m:
        m.setattr(history, "open", failing_open, raising=False)
        with pytest.raises(OSError):
            h.flush()
    assert calls
    assert History(tmp_path).rows == [row(s) for s in range(3)]
    h.flush()
    assert History(tmp_path).rows == [row(s) for s in range(4)]


def test_going_back_forgets_what_came_later(tmp_path):
    h = filled(tmp_path, range(6))
    generation = h.generation
    h.forget_after(2)
    for seen in (h, History(tmp_path)):
        assert [r.step for r in seen.rows] == [0, 1, 2]
        assert [f["step"] for f in seen.frames] == [0, 1, 2]
        assert seen.events == []
    assert not h.frame_path(4).exists() and h.frame_path(2).exists()
    assert h.generation == generation + 1


def test_going_back_on_a_full_disk_is_made_good_by_the_next_flush(tmp_path, monkeypatch):
    h = filled(tmp_path, range(4))
    generation = h.generation
    h.add("rows", row(4))

    def no_space(path, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as m:
        m.setattr(history, "write_atomically", no_space)
        with pytest.raises(OSError, match="No space"):
            h.forget_after(2)
    assert [r.step for r in History(tmp_path).rows] == [0, 1, 2, 3] and h.frame_path(3).exists()  # as it was
    assert h.generation == generation + 1
    h.add("rows", row(3))
    h.flush()
    for seen in (h, History(tmp_path)):
        assert [r.step for r in seen.rows] == [0, 1, 2, 3]
        assert [f["step"] for f in seen.frames] == [0, 1, 2] and seen.events == []


def test_records_thin_out_but_never_stop():
    frames = [s for s in range(100_001) if due(s, history.FRAME_GROWTH)]
    rows = [s for s in range(100_001) if due(s, history.ROW_GROWTH)]
    assert 250 < len(frames) < 450 and 1000 < len(rows) < 3000
    assert frames[:5] == [0, 1, 2, 3, 4]
    assert max(b / a for a, b in itertools.pairwise(frames[50:])) < 1.07


@pytest.mark.parametrize("line", ["nonsense", "1,2,3", "1,8,nan,1,1,1,1,1,1", ",,,,,,,,"])
def test_foreign_rows_are_not_believed(tmp_path, line):
    filled(tmp_path, range(2))
    with open(tmp_path / "rows.csv", "a") as f:
        f.write(line + "\n")
    assert len(History(tmp_path).rows) == 2


def older_signals(folder, steps, names=OLDER_SIGNALS[0]) -> str:
    """A file as it was written before there were more columns."""
    lines = [",".join(names)] + [",".join([str(s)] + ["0.5"] * (len(names) - 1)) for s in steps]
    (folder / "signals.csv").write_text("\n".join(lines) + "\n")
    return lines[0]


@pytest.mark.parametrize("names", OLDER_SIGNALS, ids=len)
def test_signals_of_older_runs_are_read_and_go_on_with_more_columns(tmp_path, names):
    head = older_signals(tmp_path, (20, 40), names)
    h = History(tmp_path)
    assert [s["step"] for s in h.signals] == [20, 40]
    assert all(h.signals[0][name] == 0.5 for name in names[1:])
    assert all(h.signals[0][name] is None for name in SIGNALS[len(names) :])
    h.flush()
    assert (tmp_path / "signals.csv").read_text().startswith(head + "\n")  # nothing was to be written
    h.add("signals", dict.fromkeys(history.SIGNALS, 0.25) | {"step": 60})
    h.flush()
    h.add("signals", dict.fromkeys(history.SIGNALS, 0.25) | {"step": 80})
    h.flush()
    lines = (tmp_path / "signals.csv").read_text().splitlines()
    assert lines[0] == ",".join(history.SIGNALS) and {line.count(",") for line in lines} == {lines[0].count(",")}
    assert History(tmp_path).signals == h.signals and len(h.signals) == 4


def test_pages_are_told_of_curves_and_of_no_sketch(tmp_path):
    h = History(tmp_path)
    h.add("signals", dict.fromkeys(SIGNALS, 0.25) | {"step": 20})
    (told,) = h.between(Mark(), h.mark())["signals"]
    assert list(told) == [name for name in SIGNALS if not name.startswith("sketch")] and len(told) == len(SIGNALS) - 32


def test_a_full_disk_loses_no_older_signals(tmp_path, monkeypatch):
    older_signals(tmp_path, (20, 40))
    h, before = History(tmp_path), (tmp_path / "signals.csv").read_bytes()
    h.add("signals", dict.fromkeys(history.SIGNALS, 0.25) | {"step": 60})

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as m:
        m.setattr(history, "write_atomically", full)
        with pytest.raises(OSError):
            h.flush()
    assert (tmp_path / "signals.csv").read_bytes() == before
    h.flush()
    assert [s["step"] for s in History(tmp_path).signals] == [20, 40, 60]


# ---- cut at any byte ----

FILES = {name: record.file for name, record in history.RECORDS.items()}


@pytest.mark.parametrize("kind", FILES)
@given(data=st.data(), rest=st.binary(max_size=20).filter(lambda rest: b"\n" not in rest))
def test_what_is_read_of_a_cut_file_is_a_prefix_and_writing_goes_on(kind, data, rest):
    """Whatever a killed process or a broken disk left behind the cut."""
    with tempfile.TemporaryDirectory() as folder:
        path, whole = Path(folder, FILES[kind]), samples.run_files()[FILES[kind]]
        path.write_bytes(whole)
        written = History(Path(folder)).all(kind)
        cut = data.draw(st.integers(0, len(whole)))
        path.write_bytes(whole[:cut] + rest)
        history = History(Path(folder))
        found = list(history.all(kind))
        lines = whole[:cut].count(b"\n") - path.suffix.endswith("csv")
        assert len(written) == 3 and found == written[: max(lines, 0)]  # every whole line, and no other
        samples.add_records(history, range(7, 9))
        history.flush()
        again = History(Path(folder)).all(kind)
        assert again[: len(found)] == found and again == history.all(kind) and len(again) == len(found) + 2


WORDS = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(st.tuples(st.integers(0, 10**9), WORDS, NUMBERS, st.none() | NUMBERS), max_size=6), st.integers(0, 6))
def test_all_that_can_be_written_is_read_back(records, at):
    """Whatever stands in words and numbers, flushed in two turns."""
    with tempfile.TemporaryDirectory() as folder:
        history = History(Path(folder))
        for i, (step, words, number, perhaps) in enumerate(records):
            history.add("rows", Row(step, step, *[number] * 2, perhaps, *[number] * 4))
            history.add_event(step, "lr", words)
            history.add("signals", dict.fromkeys(SIGNALS, perhaps) | {"step": step})
            if i == at:
                history.flush()
        history.flush()
        again = History(Path(folder))
        assert again.rows == history.rows and again.events == history.events and again.signals == history.signals
