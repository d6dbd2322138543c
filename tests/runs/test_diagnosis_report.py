"""`python -m gan diagnose` and what `train` says at its end: the route's answer, in words, and nothing written."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gan.cli.main import _changes, _parser, main
from gan.core.config import Config
from gan.monitor.diagnosis import diagnose
from gan.monitor.diagnosis.kinds import TOO_EARLY
from gan.monitor.records import OLDER_SIGNALS, SIGNALS
from gan.recipes.catalog import make_config
from gan.recipes.failures import GALLERY, PREFIX
from gan.runs import loop as loop_module
from gan.runs.registry import Runs
from gan.runs.run import Run
from gan.web.diagnoses import Diagnoses
from gan.web.routes.answers import BASE, routes_of
from gan.web.routes.diagnosis import DiagnosisRoutes
from tests.monitor.test_diagnosis import CASES, NAN, QUICK, STANDSTILL, rows, signals


def written(
    folder: Path, config: Config = QUICK, gap=lambda step: 0.2, events=(), steps: int = 1000, **formulas
) -> Run:
    """A run of this config with the history of one of the CASES, on disk."""
    run, _ = Runs(folder).adopt(config)
    for row in rows(steps, gap):
        run.history.add("rows", row)
    for record in signals(steps, **formulas):
        run.history.add("signals", record)
    for event in events:
        run.history.add_event(**event)
    run.history.flush()
    return Run(run.folder)


def said(capsys: pytest.CaptureFixture, run: Run, *flags: str) -> str:
    assert main(["diagnose", str(run.folder), *flags]) == 0
    return capsys.readouterr().out


def files(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file with its bytes and the moment of its last change."""
    found = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in found}


def verdicts(run: Run) -> list:
    h = run.history
    return diagnose(run.config, h.rows, h.signals, h.events, h.measures)


def test_a_fork_that_two_verdicts_ask_for_is_offered_once(tmp_path, capsys):
    run = written(
        tmp_path, QUICK.changed(g_lr=0.02), diversity=lambda step: 0.1, **STANDSTILL, correlation=lambda step: 0.1
    )
    first, second = verdicts(run)
    assert (first.remedy, first.fork_step) == (second.remedy, second.fork_step) and first.remedy
    answered = json.loads(said(capsys, run, "--json"))["verdicts"]
    assert [len(verdict["changes"]) for verdict in answered] == [1, 0]
    assert not answered[1]["everything"] and answered[1]["fork_step"] is answered[1]["everything_step"] is None
    assert said(capsys, run).count("To make it") == 1


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_the_command_says_every_word_the_kind_first_and_writes_nothing(tmp_path, capsys, case):
    run = written(tmp_path, **CASES[case])
    before = files(run.folder)
    found, text = verdicts(run), said(capsys, run)
    assert text.split("\n")[0] == found[0].kind
    for verdict in found:
        wanted = (verdict.kind, verdict.title, verdict.seen, verdict.why, verdict.try_, getattr(verdict, "sure", ""))
        assert all(words in text for words in wanted)
    assert said(capsys, run, "--json") and files(run.folder) == before
    assert main(["diagnose", run.id, "--runs", str(tmp_path)]) == 0 and capsys.readouterr().out == text


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_the_command_that_is_offered_makes_the_fork_of_the_verdict(tmp_path, capsys, case):
    run = written(tmp_path, **CASES[case])
    wanted = [v for v in verdicts(run) if v.remedy]
    offered = [line.partition(": ")[2] for line in said(capsys, run).splitlines() if line.startswith("To make it: ")]
    given = [_parser().parse_args(shlex.split(command)[3:]) for command in offered]
    assert [(args.at, _changes(args)) for args in given] == [(v.fork_step or 0, v.remedy) for v in wanted]
    assert all(args.fork == str(run.folder) for args in given)


def test_the_offered_fork_trains(tmp_path, capsys, monkeypatch, random_pictures):
    monkeypatch.setattr(loop_module, "load", lambda *a, **k: random_pictures)
    config = make_config("dense", batch=8, total_steps=2)
    run = written(tmp_path, config, diversity=lambda step: 0.1)
    command = next(line for line in said(capsys, run).splitlines() if line.startswith("To make it: "))
    assert main(shlex.split(command.partition(": ")[2])[3:]) == 0
    out = capsys.readouterr().out
    assert "finished at step 2" in out and f"\n{TOO_EARLY}\n" in out


@pytest.mark.slow
@pytest.mark.parametrize("step", ["", "500", "20"])
@pytest.mark.parametrize("name", GALLERY)
def test_json_is_what_the_route_answers(tmp_path, capsys, name, step):
    run = written(tmp_path, make_config(PREFIX + name), events=[NAN], diversity=lambda step: 0.1)
    app = Starlette(routes=routes_of(DiagnosisRoutes(Runs(tmp_path), Diagnoses()).table()))
    answer = TestClient(app).get(f"{BASE}/runs/{run.id}/diagnosis", params={"step": step}).json()
    text = said(capsys, run, "--json", *(["--step", step] if step else []))
    assert json.loads(text) == answer and text.count("\n") == 1
    assert answer["cure"]["about"] in said(capsys, run)


@pytest.mark.parametrize("config", [QUICK, make_config(PREFIX + "mode-collapse")], ids=["plain", "gallery"])
def test_a_run_that_has_written_nothing_is_too_young(tmp_path, capsys, config):
    run, _ = Runs(tmp_path).adopt(config)
    text = said(capsys, run)
    assert text.startswith(f"{TOO_EARLY}\nToo early to tell · at step 0\n")
    assert json.loads(said(capsys, run, "--json"))["verdicts"] == []


@pytest.mark.parametrize("names", OLDER_SIGNALS, ids=len)
def test_an_older_history_is_read_and_stays_as_it_is(tmp_path, capsys, names):
    run = written(tmp_path)
    path = run.folder / "signals.csv"
    cells = [line.split(",")[: len(names)] for line in path.read_text("utf-8").splitlines()]
    path.write_text("".join(",".join(line) + "\n" for line in cells), "utf-8")
    before, older = files(run.folder), Run(run.folder)
    assert older.history.signals[-1][SIGNALS[-1]] is None
    found = verdicts(older)
    assert said(capsys, older).split("\n")[0] == (found[0].kind if found else TOO_EARLY)
    assert files(run.folder) == before


def test_a_line_that_is_half_written_is_left_out(tmp_path, capsys):
    """As a run in another process may leave it for a moment."""
    run = written(tmp_path)
    whole = said(capsys, run)
    for name in ("rows.csv", "signals.csv", "events.jsonl", "measures.jsonl"):
        with (run.folder / name).open("ab") as file:
            file.write(b'{"step": 10')
    assert said(capsys, run) == whole


def test_a_moment_that_has_not_come_is_one_sentence(tmp_path, capsys):
    run = written(tmp_path)
    assert main(["diagnose", str(run.folder), "--step", "1001"]) == 1
    problem = capsys.readouterr().err
    assert problem == f"gan: The run {run.id} is at step 1,000, so nothing is known of step 1,001 (--step).\n"


@pytest.mark.slow
@pytest.mark.parametrize("junk", ["1e400", "[" * 100_000, "null", "[]", '"', "\x00"])
@pytest.mark.parametrize("name", ["run.json", "rows.csv", "signals.csv", "events.jsonl", "measures.jsonl"])
def test_a_damaged_folder_is_one_sentence_or_read_as_far_as_it_goes(tmp_path, capsys, name, junk):
    run = written(tmp_path, events=[NAN])
    text = (run.folder / name).read_text("utf-8") if (run.folder / name).exists() else ""
    (run.folder / name).write_text(text.replace("900", junk) + f'{{"step": {junk}}}\n', "utf-8")
    code = main(["diagnose", str(run.folder)])
    said = capsys.readouterr()
    assert (code, said.err.count("\n"), bool(said.out)) in ((0, 0, True), (1, 1, False))


def test_an_objective_that_nobody_knows_is_one_sentence(tmp_path, capsys):
    run = written(tmp_path)
    path = run.folder / "run.json"
    path.write_text(path.read_text("utf-8").replace(run.config.objective, "magic"), "utf-8")
    assert main(["diagnose", str(run.folder)]) == 1
    assert "There is no objective named 'magic'" in capsys.readouterr().err
