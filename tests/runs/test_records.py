"""A new kind of record is one entry of the table, and everything else follows."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gan.runs import archive
from gan.runs.fork import plan_fork
from gan.runs.history import RECORDS, History, Record
from gan.runs.registry import Runs
from gan.runs.run import Run
from gan.web.access import Access
from gan.web.routes.answers import BASE, routes_of
from gan.web.routes.register import run_tables
from tests import samples
from tests.follow import answer_of

WEATHER = Record("weather.jsonl", json.dumps, json.loads)
SAID = [{"step": step, "degrees": 20.5 + step} for step in (0, 2, 4)]


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:
    """A registry with one run, whose state is that of step 2, and which has written down the weather."""
    monkeypatch.setitem(RECORDS, "weather", WEATHER)
    folder = samples.put_run(tmp_path / "AbCdEfGhIjKl")
    history = History(folder)
    for record in SAID:
        history.add("weather", record)
    history.flush()
    return Runs(tmp_path)


@pytest.fixture
def run(runs: Runs) -> Run:
    return runs.get("AbCdEfGhIjKl")


def test_it_is_written_and_read_back(run: Run) -> None:
    lines = (run.folder / "weather.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == run.history.all("weather") == SAID


def test_it_is_taken_back_where_a_run_goes_back(run: Run) -> None:
    run.history.forget_after(3)
    assert run.history.all("weather") == History(run.folder).all("weather") == SAID[:2]


def test_it_is_cut_at_a_fork(runs: Runs, run: Run) -> None:
    step = run.checkpoint_step()
    assert step is not None and step < 4
    fork, _ = runs.fork(plan_fork(run, {}))
    assert fork.history.all("weather") == History(fork.folder).all("weather") == [r for r in SAID if r["step"] <= step]


def test_it_is_in_the_zip_and_comes_back(runs: Runs, run: Run) -> None:
    archive.pack(run.folder, out := io.BytesIO())
    assert "weather.jsonl" in zipfile.ZipFile(out).namelist()
    again, _, _ = runs.bring_back(out)
    assert again.history.all("weather") == SAID


def test_a_page_that_follows_the_run_gets_it(runs: Runs, run: Run) -> None:
    client = TestClient(Starlette(routes=routes_of(*run_tables(Access(runs)))))
    answer, _ = answer_of(client.get(f"{BASE}/runs/{run.id}/follow").content)
    assert answer["records"]["weather"] == {"step": [0, 2, 4], "degrees": [20.5, 22.5, 24.5]}


def test_a_program_that_does_not_know_it_opens_the_run(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(RECORDS, "weather")
    assert Run(run.folder).history.rows == run.history.rows
    archive.pack(run.folder, out := io.BytesIO())
    assert "weather.jsonl" not in zipfile.ZipFile(out).namelist()


@pytest.mark.parametrize("name", RECORDS)
def test_every_record_has_its_step_and_fields(tmp_path: Path, name: str) -> None:
    history, record = History(samples.put_run(tmp_path / "run")), RECORDS[name]
    first = history.all(name)[0]
    assert record.fields(first)["step"] == record.step(first) == 0
    assert record.decode(record.encode(first)) == first == record.rounded(first)
