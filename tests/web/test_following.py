"""Following a run: whoever asks again and again, from wherever, knows all of it, and is told nothing twice."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gan.core.images import grid, png_bytes
from gan.monitor.records import SIGNALS, Row
from gan.runs.history import RECORDS
from gan.runs.publishing import numbers_of, show
from gan.runs.registry import Runs
from gan.runs.run import Run
from gan.web import following
from gan.web.access import Access
from gan.web.following import Cursor, FollowAnswer, Following, cursor_of
from gan.web.routes.answers import BASE, routes_of
from gan.web.routes.register import run_tables
from tests.follow import answer_of, picture_of, records_of
from tests.web.test_shapes import has_shape

GARBAGE = (
    *("", "x", "1", "....", "1.zz.3", "-1.ab.2.3", "1.ab.2.3\n", "9" * 400),
    *("1.ab.2" + ".1" * 30, "1.abcd.5.1e9", "²"),
)
FRAME = png_bytes(grid(np.zeros((40, 1, 28, 28), np.uint8), 8))
MEASURE = {"images": 8, "modes": 2} | dict.fromkeys(
    ("seconds", "coverage", "confidence", "real_fid", "real_coverage", "real_confidence"), 0.5
)


@pytest.fixture
def runs(tmp_path: Path):
    runs = Runs(tmp_path / "runs")
    yield runs
    runs.close()


@pytest.fixture
def run(runs: Runs) -> Run:
    return runs.create("dense", "mnist", {"batch": 8, "total_steps": 100})[0]


@pytest.fixture
def client(runs: Runs) -> TestClient:
    return TestClient(Starlette(routes=routes_of(*run_tables(Access(runs)))))


class Story:
    """Writes a run's history and shows moments of it, as its loop does."""

    def __init__(self, run: Run, seed: int = 0) -> None:
        self.run, self.random, self.step = run, Random(seed), 0

    def goes_on(self) -> None:
        """A step, of which some kinds of records tell."""
        self.step += 1
        history, step, number = self.run.history, self.step, self.random.random()
        history.add("rows", Row(step, 8 * step, 0.1 * step, number, None if number < 0.3 else number))
        if number < 0.5:
            history.add("signals", dict.fromkeys(SIGNALS) | {"step": step, "d_grad": number})
        if number < 0.4:
            history.add_event(step, "note", f"é {step}")
        if number < 0.3:
            history.add_frame(step, FRAME, [number, 0.5], [])
        if number < 0.2:
            history.add("measures", {"step": step, **MEASURE, "fid": number, "histogram": [1, step]})

    def goes_back(self) -> None:
        self.step = self.random.randrange(self.step + 1)
        self.run.history.forget_after(self.step)

    def shows(self, seed: int | None = None) -> None:
        """A moment, with pictures of their own."""
        random = np.random.default_rng(self.random.randrange(10**9) if seed is None else seed)
        tiles = random.integers(0, 256, (40, 1, 28, 28), np.uint8)
        show(self.run, self.step, tiles, numbers_of(self.run, 8 * self.step, [0.5] * 40, [0.5] * 16))


class Reader:
    """A page: it asks with its cursor, and keeps what it is told."""

    def __init__(self, client: TestClient, run: Run) -> None:
        self.client, self.path = client, f"{BASE}/runs/{run.id}/follow"
        self.cursor, self.known = "", {name: [] for name in RECORDS}
        self.moment: dict[str, Any] | None = None
        self.picture: np.ndarray | None = None

    def asks(self) -> FollowAnswer | None:
        """What is new."""
        response = self.client.get(self.path, params={"since": self.cursor})
        if response.status_code == 204:
            return None
        answer, behind = answer_of(response.content)
        if answer["again"]:
            self.known = {name: [] for name in RECORDS}
        for kind in answer.get("records", {}):
            self.known[kind] += map(_there, records_of(answer, kind))
        self.cursor, self.moment = answer["cursor"], answer.get("snapshot", self.moment)
        self.picture = picture_of(answer, behind, self.picture)
        return answer


def known_to(run: Run) -> dict[str, list[dict[str, Any]]]:
    """All that a run has written down."""
    return {name: [_there(kind.fields(record)) for record in run.history.all(name)] for name, kind in RECORDS.items()}


def _there(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Those that have a value."""
    return {name: value for name, value in fields.items() if value is not None}


@pytest.mark.parametrize("seed", range(12))
def test_whoever_asks_whenever_knows_the_whole_history(client, run, seed):
    """Readers come, ask and rest at random while the run goes on and back; those who asked last know everything."""
    random, story = Random(seed), Story(run, seed)
    readers = [Reader(client, run) for _ in range(3)]
    for _ in range(60):
        what = random.random()
        if what < 0.5:
            story.goes_on()
        elif what < 0.56:
            story.goes_back()
        elif what < 0.8:
            story.shows()
        else:
            random.choice(readers).asks()
    story.shows()
    for reader in [*readers, Reader(client, run)]:
        reader.asks()
        assert reader.known == known_to(run)
        assert reader.moment is not None and reader.moment["version"] == run.latest.version
        assert np.array_equal(reader.picture, run.latest.sheet)
        assert reader.asks() is None


def test_while_a_run_goes_back_nothing_is_said_but_what_it_is(client, run):
    story, reader = Story(run), Reader(client, run)
    for _ in range(9):
        story.goes_on()
    story.shows()
    reader.asks()
    story.goes_on()
    story.shows()
    story.goes_back()
    newcomer = Reader(client, run)
    assert reader.asks() is None  # what was shown is true no more
    assert newcomer.asks().keys() == {"cursor", "again", "run"}  # a page that has just made a fork asks then
    assert newcomer.asks() is None
    story.shows()
    for each in (reader, newcomer):
        assert each.asks()["again"] is True
        assert each.known == known_to(run)


def test_everybody_who_knows_the_same_gets_the_same_bytes_encoded_once(client, run, monkeypatch):
    story = Story(run)
    story.goes_on()
    story.shows()
    made: list[Cursor] = []
    make = following._Now._made

    def counted(self: Any, since: Cursor) -> following.Answer:
        made.append(since)
        return make(self, since)

    monkeypatch.setattr(following._Now, "_made", counted)
    with ThreadPoolExecutor(8) as pool:
        bodies = set(pool.map(lambda _: client.get(f"{BASE}/runs/{run.id}/follow").content, range(40)))
    assert len(bodies) == len(made) == 1
    cursor = answer_of(bodies.pop())[0]["cursor"]
    assert {client.get(f"{BASE}/runs/{run.id}/follow?since={cursor}").status_code for _ in range(5)} == {204}
    story.shows()
    answers = {client.get(f"{BASE}/runs/{run.id}/follow?since={cursor}").content for _ in range(5)}
    assert len(answers) == 1 and made == [Cursor(), cursor_of(cursor), cursor_of(cursor)]


def test_nothing_is_sent_twice(client, run):
    story, reader = Story(run), Reader(client, run)
    assert reader.asks().keys() == {"cursor", "again", "run"}  # it is getting ready
    assert reader.asks() is None
    story.goes_on()
    story.shows(7)
    first = reader.asks()
    assert "run" not in first and first["picture"]["difference"] is False and records_of(first, "rows")
    story.shows(7)
    same = reader.asks()
    assert same["snapshot"]["version"] == run.latest.version and "picture" not in same
    run.end("failed", "It broke.")
    ended = reader.asks()
    assert ended["run"]["status"] == ended["snapshot"]["status"] == "failed"
    assert "picture" not in ended and ended["records"] == {} and ended["again"] is False
    run.describe(title="Mine")
    renamed = reader.asks()
    assert renamed["run"]["title"] == "Mine" and "snapshot" not in renamed


def test_pictures_are_differences_from_those_that_were_shown(client, run):
    story, often, rarely = Story(run), Reader(client, run), Reader(client, run)
    found = []
    for round_ in range(3 * following.KEPT_MOMENTS):
        story.shows()
        found.append(often.asks()["picture"]["difference"])
        if round_ % (following.KEPT_MOMENTS + 2) == 0:
            found.append(not rarely.asks()["picture"]["difference"])
        assert np.array_equal(often.picture, run.latest.sheet)
    assert rarely.asks() and np.array_equal(rarely.picture, run.latest.sheet)
    assert found.count(False) == 1  # the first of all


def test_differences_pack_well(run):
    """Of pictures that change by little, as those of neighbouring steps do."""
    random = np.random.default_rng(0)
    before = random.integers(0, 256, (140, 224, 1), np.uint8)
    after = before + (before > 200) * random.integers(0, 4, before.shape, np.uint8)  # only the light ones change
    packed = following.Answer(following.difference(before, after)).packed
    assert len(packed) < 0.12 * len(following.Answer(following.difference(None, after)).packed)


def test_a_server_that_was_started_anew_tells_everything_again(client, run, runs):
    story, reader = Story(run), Reader(client, run)
    for _ in range(30):
        story.goes_on()
    run.history.flush()
    run.write_meta()
    story.shows()
    reader.asks()
    reader.client = TestClient(Starlette(routes=routes_of(*run_tables(Access(Runs(runs.folder))))))
    known, reader.picture = reader.known, None
    assert reader.asks()["again"] is True
    assert reader.known == known and len(known["rows"]) == 30
    assert reader.picture is not None


@pytest.mark.parametrize("cursor", GARBAGE)
def test_what_is_no_cursor_stands_for_the_beginning(client, run, cursor):
    story, reader = Story(run), Reader(client, run)
    story.goes_on()
    story.shows()
    reader.cursor = cursor
    assert reader.asks()["again"] is True and len(reader.known["rows"]) == 1
    assert np.array_equal(reader.picture, run.latest.sheet)


def test_a_forged_cursor_gets_no_more_than_there_is(client, run):
    story, reader = Story(run), Reader(client, run)
    story.goes_on()
    story.shows()
    reader.asks()
    now = cursor_of(reader.cursor)
    for counts in ((10**14,) * len(now.mark.counts), (), (0,) * 19, tuple(n + 1 for n in now.mark.counts)):
        reader.cursor = str(now._replace(mark=now.mark._replace(counts=counts)))
        assert reader.asks()["again"] is True and len(reader.known["rows"]) == 1


def test_a_cursor_is_read_as_it_was_written(run):
    for cursor in (Cursor(), Cursor(5, "0123abcd", run.history.mark()), Cursor(0, "0123abcd")):
        assert cursor_of(str(cursor)) == cursor


def test_what_is_kept_is_bounded(client, runs, run, monkeypatch):
    monkeypatch.setattr(following, "KEPT_RUNS", 2)
    kept, story = Following(), Story(run)
    for _ in range(20):
        story.goes_on()
    story.shows()
    now = cursor_of(str(kept._now_of(run).cursor))
    for count in range(20):  # each knows another part
        kept.answer(run, now._replace(mark=now.mark._replace(counts=(0, count, *now.mark.counts[2:]))))
    assert len(kept._now[run.id].answers) <= following.KEPT_ANSWERS
    monkeypatch.setattr(following, "KEPT_BYTES", 10)
    kept.answer(run, Cursor())
    assert len(kept._now[run.id].answers) == 1
    for _ in range(3):
        kept.answer(runs.create("dense", "mnist")[0], Cursor())
    assert len(kept._now) == 2


def test_answers_are_packed_for_who_can_unpack_them(client, run):
    story = Story(run)
    for _ in range(50):
        story.goes_on()
    story.shows()
    plain = client.get(f"{BASE}/runs/{run.id}/follow", headers={"Accept-Encoding": "identity"})
    packed = client.get(f"{BASE}/runs/{run.id}/follow", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip" and "content-encoding" not in plain.headers
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) < len(plain.content)


def test_what_no_page_can_read_is_null(client, run):
    story = Story(run)
    run.history.add("measures", {"step": 3, "fid": float("nan"), "histogram": [1, float("inf")]})
    story.shows()
    body = client.get(f"{BASE}/runs/{run.id}/follow").content.partition(b"\n")[0].decode()
    answer = json.loads(body, parse_constant=pytest.fail)
    assert answer["records"]["measures"] == {"step": [3], "fid": [None], "histogram": [[1, None]]}


def test_who_asks_watches(client, run):
    assert not run.is_watched
    client.get(f"{BASE}/runs/{run.id}/follow")
    assert run.is_watched and not run.is_followed


def test_answers_are_what_the_page_was_promised(client, runs, run):
    story, reader = Story(run), Reader(client, run)
    answers = [reader.asks()]
    for _ in range(30):
        story.goes_on()
        story.shows()
        answers.append(reader.asks())
    assert all(has_shape(answer, FollowAnswer) for answer in answers)
    assert not has_shape({**answers[0], "again": 1}, FollowAnswer)
    assert not has_shape({"cursor": ""}, FollowAnswer)
