"""The command line, as typed."""

from __future__ import annotations

import argparse
import json
import re
import shlex
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gan.cli.main import FLAGS, _parser, _seldom, main
from gan.core.config import KNOBS, OUTPUTS, PRECISIONS, SAMPLINGS, UPDATE_ORDERS
from gan.core.errors import as_user_error
from gan.core.files import write_atomically
from gan.draw import draw
from gan.losses.objectives import OBJECTIVES
from gan.losses.penalties import PENALTIES
from gan.models import MODELS, weights_file
from gan.monitor.diagnosis.kinds import TOO_EARLY
from gan.recipes.catalog import make_config
from gan.runs import loop as loop_module
from gan.runs import recordings
from gan.runs import registry as runs_module
from gan.runs.meta import new_meta
from gan.runs.registry import Runs
from gan.runs.run import Run
from gan.runs.sources import find_weights
from tests.conftest import judge_only


@pytest.fixture
def folder(tmp_path, monkeypatch, random_pictures):
    monkeypatch.setattr(loop_module, "load", lambda *a, **k: random_pictures)
    return tmp_path / "runs"


def train(folder, *arguments: str) -> int:
    return main(["train", *arguments, "--runs", str(folder)])


def the_run(folder):
    (path,) = [p for p in folder.iterdir() if (p / "run.json").exists()]
    return path


@pytest.mark.slow
def test_train_resume_export_sample(folder, tmp_path, capsys):
    assert train(folder, "quick-conditional", "--batch", "8", "--steps", "6", "--g-lr", "0.003", "--seed", "7") == 0
    run = the_run(folder)
    meta = json.loads((run / "run.json").read_text())
    assert meta["config"]["g_lr"] == 0.003 and meta["config"]["seed"] == 7 and meta["status"] == "finished"
    assert Image.open(run / "samples.png").size == (560, 224)
    assert main(["train", "--resume", str(run), "--steps", "9", "--runs", str(folder)]) == 0
    out = capsys.readouterr().out
    assert "finished at step 9" in out and f"To train longer: python -m gan train --resume {run} --total-steps N" in out
    exported = tmp_path / "w.safetensors"
    assert main(["export", str(run), str(exported), "--half", "--title", "Test"]) == 0
    options = ["--count", "20", "--class", "3", "--out", str(tmp_path / "s.png"), "--scale", "1"]
    assert main(["sample", str(exported), *options]) == 0
    assert Image.open(tmp_path / "s.png").size == (280, 56)


def test_resume_with_other_settings_is_refused_naming_them(folder, capsys):
    train(folder, "dense", "--batch", "8", "--steps", "2")
    assert main(["train", "--resume", str(the_run(folder)), "--d-lr", "0.5", "--runs", str(folder)]) == 1
    assert "d_lr (0.001 in the checkpoint, 0.5 asked for)" in capsys.readouterr().err


@pytest.mark.slow
def test_a_run_starts_from_another_and_becomes_a_recording(folder, tmp_path, capsys):
    small = ("--width", "4", "--z-dim", "12", "--clusters", "2", "--batch", "8", "--steps", "4")
    assert train(folder, "quick", *small) == 0
    source = the_run(folder)
    networks = tmp_path / "networks.safetensors"
    assert main(["export", str(source), str(networks), "--networks"]) == 0
    assert "G and D of Quick on MNIST" in capsys.readouterr().out and networks.stat().st_size > 0
    arguments = ("quick", "--dataset", "fashion-mnist", "--start-from", str(source), "--batch", "8", "--steps", "4")
    assert train(folder, *arguments) == 0
    assert "Quick on Fashion-MNIST, from another run" in capsys.readouterr().out
    assert train(folder, "quick", "--start-from", str(source), "--width", "8") == 1
    assert "fit other networks (width)" in capsys.readouterr().err
    out = tmp_path / "recorded"
    assert main(["record", str(source), str(out), "--frames", "3", "--tiles", "5"]) == 0
    assert len(Run(out).history.frames) == 3 and Run(out).meta.tiles["count"] == 5
    assert main(["record", str(source), str(out)]) == 1
    assert "is not empty" in capsys.readouterr().err


@pytest.mark.slow
def test_recipes_are_trained_and_recorded_where_that_was_not_done(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(recordings.STEPS, "dense", 12)
    monkeypatch.setitem(recordings.STEPS, "cgan", 0)  # of which nothing is trained
    out, wanted = tmp_path / "recorded", ("dense", "conv-small-as-printed", "gallery:divergence")
    (out / "gallery-divergence").mkdir(parents=True)
    assert main(["record-recipes", "--out", str(out), *wanted]) == 0
    said = capsys.readouterr().out
    assert "As printed, this program cannot run" in said and "gallery-divergence is there already" in said
    assert sorted(path.name for path in out.iterdir()) == ["dense", "gallery-divergence"]
    made = Run(out / "dense")
    assert made.config.total_steps == 12 == made.history.frames[-1]["step"] and made.config.seed == recordings.SEED
    assert main(["record-recipes", "--out", str(out), "cgan"]) == 1
    assert "total_steps" in capsys.readouterr().err and not (out / "cgan").exists()


@pytest.mark.slow
def test_a_fork_begins_where_the_other_run_was(folder, capsys):
    train(folder, "dense", "--batch", "8", "--steps", "20")
    source = the_run(folder)
    assert train(folder, "--fork", str(source), "--at", "18", "--g-lr", "0.0005") == 0
    assert "finished at step 20" in capsys.readouterr().out
    (fork,) = [p for p in folder.iterdir() if (p / "run.json").exists() and p != source]
    assert json.loads((fork / "run.json").read_text())["config"]["g_lr"] == 0.0005
    assert Run(fork).history.events[0]["text"].endswith("at step 16: G's learning rate 0.001 → 0.0005")
    for wrong, words in (
        (["--fork", source.name, "--dataset", "emoji"], "keeps its data set"),
        (["quick", "--fork", source.name], "made with the recipe 'dense'"),
        (["--fork", "nothing"], "There is no run nothing in "),
        (["--fork", source.name, "--at", "5000"], "at step 20, so it has no state of step 5,000"),
        (["--fork", source.name, "--at", "18", "--z-dim", "7"], "other networks"),
    ):
        assert train(folder, *wrong) == 1
        assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nope"], "no recipe named 'nope'"),
        ([], "Which recipe?"),
        (["quick", "--batch", "0"], "between 2 and 4096"),
        (["quick", "--d-lr", "nan"], "between 1e-08 and 1"),
        (["quick", "--seed", "-1"], "between 0"),
        (["quick", "--dataset", "/nowhere"], "no data set and no folder"),
        (["conv-small-as-printed"], "56×56"),
        (["--resume", "unknown"], "There is no run unknown in "),
        (["--resume", "-m5puVRX2ZDN"], "There is no run -m5puVRX2ZDN in "),
        (["--fork", "-m5puVRX2ZDN"], "There is no run -m5puVRX2ZDN in "),
        (["--resume", "a", "--fork", "b"], "--fork: not allowed with argument --resume"),
        (["--resume", "a", "--size", "28"], "--size is for a folder or .zip of your own pictures"),
        (["dense", "--at", "5"], "--at says where a fork begins"),
        (["dense", "--size", "64"], "--size is for a folder or .zip of your own pictures"),
        (["dense", "--dataset", "mnist", "--channels", "3"], "--channels is for a folder"),
        (["dense", "--threads", "0"], "--threads: a whole number from 1 to "),
        (["dense", "--threads", "100000"], "--threads: a whole number from 1 to "),
        (["dense", "--g-lr", "-1e-3"], "between 1e-08 and 1, not -0.001"),
        (["dense", "--seed", "2147483648"], "between 0 and 2147483647, not 2147483648"),
        (["dense", "--measure-share", "nan"], "a number from 0 to 0.5"),
        (["dense", "--nonsense"], "unrecognized arguments: --nonsense"),
    ],
)
def test_mistakes_get_one_sentence_and_exit_code_1(folder, capsys, arguments, words):
    assert train(folder, *arguments) == 1
    err = capsys.readouterr().err
    assert words in err and err.startswith("gan: ") and err.count("\n") == 1
    assert not folder.exists() or [p.name for p in folder.iterdir()] == ["pictures"]


def test_every_setting_is_a_flag_and_help_reads(capsys):
    assert set(KNOBS) - set(FLAGS) == {"recipe", "dataset", "size", "channels", "classes", "attributes"}
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    text = capsys.readouterr().out
    assert all(f"--{name.replace('_', '-')}" in text for name in FLAGS)
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "python -m gan train quick" in capsys.readouterr().out


def test_help_lists_the_words_and_numbers_that_a_setting_may_have(capsys):
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    text = "".join(capsys.readouterr().out.split())
    for words in (OBJECTIVES, PENALTIES, MODELS, OUTPUTS, SAMPLINGS, PRECISIONS, UPDATE_ORDERS, ("true", "false")):
        assert f"{{{','.join(words)}}}" in text
    assert "0to2147483647" in text and "e+" not in text


@pytest.mark.parametrize("command", ["train", "sample", "evaluate", "export", "metric-network"])
def test_every_option_has_a_line_of_help(command):
    for action in parsers_below(_parser())[command]._actions:
        assert action.help, action.dest


def parsers_below(parser, prefix: tuple[str, ...] = ()) -> dict:
    """Every sub-command's parser by what is typed to reach it."""
    found = {}
    for action in parser._actions:
        for name, below in action.choices.items() if isinstance(action, argparse._SubParsersAction) else ():
            found |= {" ".join((*prefix, name)): below} | parsers_below(below, (*prefix, name))
    return found


def numeric_flags() -> list[tuple[str, str]]:
    """(command, flag) of every flag that is a number."""
    found = [("train", f"--{n.replace('_', '-')}") for n in FLAGS if KNOBS[n].kind in (int, float)]
    for command, parser in parsers_below(_parser()).items():
        found += [
            (command, action.option_strings[0])
            for action in parser._actions
            if action.option_strings and getattr(action.type, "__name__", "") == "number"
        ]
    return found


JUNK = ["-1", "nan", "-inf", "1e999", "x", "", " ", "9" * 5000, "-1e-5", "0x10", "1\n2", "é\udcff"]


@pytest.mark.slow
@pytest.mark.parametrize(("command", "flag"), numeric_flags(), ids=lambda word: word)
def test_junk_for_a_number_is_one_sentence(folder, capsys, command, flag):
    """No traceback, nothing taken silently, nothing begun."""
    start = {"train": ["dense", "--runs", str(folder)], "sample": ["mnist"], "evaluate": ["mnist"]}
    for junk in JUNK:
        words = [*command.split(), *start.get(command, []), f"{flag}={junk}"]
        assert main(words) == 1, words
        err = capsys.readouterr().err
        assert err.startswith("gan: ") and err.count("\n") == 1 and len(err) < 400, err
    assert not folder.exists() or [p.name for p in folder.iterdir()] == ["pictures"]


def test_numbers_at_their_limits_are_taken():
    given = ["sample", "mnist", "--count", "1", "--columns", "1", "--scale", "16", "--seed", "2147483647"]
    args = _parser().parse_args([*given, "--class", "0"])
    assert (args.count, args.columns, args.scale, args.seed, args.label) == (1, 1, 16, 2147483647, 0)
    args = _parser().parse_args(["evaluate", "mnist", "--samples", "60000", "--seed", "0"])
    assert (args.samples, args.seed) == (60_000, 0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["sample", "nope"], "There is no run nope in runs/, no such file, and no shipped weights"),
        (["export", "nope", "w.safetensors"], "There is no run nope in runs/"),
        (["evaluate", "nope"], "There is no run nope in runs/"),
        (["diagnose", "nope"], "There is no run nope in runs/"),
        (["diagnose", "full"], "There is no run full in runs/"),
        (["diagnose", "full/file"], "There is no run full/file in runs/"),
        (["sample", "mnist", "--out", "s.txt"], "a file that ends in .png"),
        (["sample", "mnist", "--out", "nowhere/a.png"], "there is no folder nowhere"),
        (["sample", "mnist", "--out", "folder.png"], "folder.png is a folder"),
        (["sample", "mnist", "--files", "full"], "the folder full is not empty"),
        (["sample", "mnist", "--files", "full/file"], "full/file is a file"),
        (["sample", "mnist", "--files", "full/file/a"], "full/file"),
        (["sample", "mnist", "--files", "new", "--columns", "3"], "--columns is for a sheet"),
        (["sample", "mnist", "--files", "new", "--out", "a.png"], "not allowed with argument"),
        (["sample", "mnist", "--class", "3"], "no classes to choose from"),
        (["sample", "mnist-conditional", "--class", "10"], "There is no class 10"),
        (["sample", "mnist", "--count", "100000", "--scale", "16"], "This sheet would have"),
        (["export", "mnist", "w.txt"], "ends in .safetensors"),
        (["export", "mnist", "nowhere/w.safetensors"], "there is no folder nowhere"),
        (["export", "mnist", "w.safetensors", "--title", "x" * 201], "at most 200 characters"),
        (["export", "mnist", "w.safetensors", "--about", "a\nb"], "on one line"),
        (["evaluate", "mnist", "--samples", "191"], "from 192 to 60000"),
        (["metric-network", "emoji"], "invalid choice: 'emoji'"),
        (["nonsense"], "invalid choice: 'nonsense'"),
        ([], "required: COMMAND"),
    ],
)
def test_whatever_is_wrong_with_weights_or_files_is_one_sentence(tmp_path, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_bytes(b"mine")
    assert main(arguments) == 1
    err = capsys.readouterr().err
    assert words in err and err.startswith("gan: ") and err.count("\n") == 1
    assert {p.name for p in tmp_path.rglob("*")} == {"folder.png", "full", "file"}


def test_what_the_disk_refuses_names_the_file_that_was_asked_for(tmp_path):
    with pytest.raises(OSError) as caught:
        write_atomically(tmp_path / "nowhere" / "a.png", b"")
    told = as_user_error(caught.value, paths=True)
    assert str(told).startswith(f"{tmp_path / 'nowhere' / 'a.png'} cannot be read or written (")


def test_one_way_to_name_a_generator(folder, tmp_path, monkeypatch):
    """A shipped name, a file, a run's id and its folder: for sample, evaluate, export and draw alike."""
    train(folder, "quick-conditional", "--batch", "8", "--steps", "3")
    monkeypatch.chdir(tmp_path)
    run, sheets = the_run(folder), []
    assert main(["export", run.name, "w.safetensors", "--runs", str(folder)]) == 0
    for name in (run.name, str(run), "w.safetensors"):
        assert main(["sample", name, "--count", "4", "--out", "s.png", "--runs", str(folder)]) == 0
        assert draw(name, "seed=3&c=1").pixels.tolist() == draw("w.safetensors", "seed=3&c=1").pixels.tolist()
        sheets.append(np.asarray(Image.open("s.png")).tolist())
    assert sheets == sheets[:1] * 3
    assert draw(run.name, "seed=3&c=1").origin.weights == f"run-{run.name}"
    assert main(["export", "mnist", "m.safetensors", "--title", "Mine", "--about", "mine"]) == 0
    copy = weights_file.load("m.safetensors")
    assert (copy.title, copy.about) == ("Mine", "mine")
    assert weights_file.digest(copy) == weights_file.digest(find_weights("mnist").weights)


def test_ids_begin_with_a_letter_or_digit_and_older_ones_are_still_found(folder, monkeypatch, capsys):
    given = iter(["-bcdefghijkl", "_bcdefghijkl", "Abcdefghijk-"])
    with monkeypatch.context() as patch:
        patch.setattr(runs_module.secrets, "token_urlsafe", lambda n: next(given))
        assert runs_module.new_id() == "Abcdefghijk-"
    old = folder / "-m5puVRX2ZDN"
    old.mkdir(parents=True)
    new_meta(make_config("dense", total_steps=2, batch=8), title="Old").write(old)
    for words in (["train", "--resume", old.name], ["train", "--resume=-m5puVRX2ZDN"], ["sample", old.name, "--out"]):
        more = [str(folder / "s.png")] if words[-1] == "--out" else []
        assert main([*words, *more, "--runs", str(folder)]) == 0
    assert old.name in Runs(folder)._runs


@pytest.mark.parametrize("name", ["mnist", "mnist-conditional", "fashion-mnist-conditional"])
def test_single_files_are_the_pictures_of_the_sheet(tmp_path, name):
    sheet, files = tmp_path / "s.png", tmp_path / "deep" / "files"
    assert main(["sample", name, "--count", "123", "--seed", "5", "--out", str(sheet), "--scale", "1"]) == 0
    assert main(["sample", name, "--count", "123", "--seed", "5", "--files", str(files)]) == 0
    shown = np.asarray(Image.open(sheet))
    found = sorted(files.iterdir())
    assert len(found) == 123
    for i, path in enumerate(found):
        top, left = i // 10 * 28, i % 10 * 28
        assert np.array_equal(np.asarray(Image.open(path)), shown[top : top + 28, left : left + 28])
    classes = [re.sub(r"[^a-z0-9]+", "-", c.lower()).strip("-") for c in find_weights(name).weights.class_names]
    wanted = [f"{i:04}{'-' + classes[i % 10] if classes else ''}.png" for i in range(123)]
    assert [p.name for p in found] == wanted


@pytest.mark.slow
def test_an_interrupted_training_says_how_it_is_and_how_it_goes_on(tmp_path, capsys):
    """A process of its own, because Ctrl-C is a signal to a process."""
    command = [sys.executable, "-m", "gan", "train", "dense", "--batch", "4", "--runs", str(tmp_path / "my runs")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8") as child:
        title, _, run = child.stdout.readline().rstrip("\n").partition(": ")
        assert title == "Dense on MNIST"
        assert main(["diagnose", run]) == 0  # while another process trains it
        assert capsys.readouterr().out.startswith(f"{TOO_EARLY}\n")
        child.send_signal(signal.SIGINT)
        said, problems = child.communicate()
    assert child.returncode == 0, problems
    assert "stopped at step" in said and f"\n{TOO_EARLY}\n" in said
    again = shlex.split(said.splitlines()[-1].removeprefix("To go on: "))
    assert again[:4] == ["python", "-m", "gan", "train"] and again[4] == "--resume"
    assert (Path(again[5]) / "checkpoint.safetensors").exists()


def test_foreign_weights_are_refused_in_words(tmp_path, capsys):
    path = tmp_path / "w.safetensors"
    path.write_bytes(b"no weights at all, but long enough to have a header")
    assert main(["evaluate", str(path)]) == 1
    assert "not a weights file" in capsys.readouterr().err


WEIGHTS = "weights/mnist-conditional.safetensors"


@pytest.mark.slow
def test_evaluate_prints_json(monkeypatch, capsys):
    judge_only(50, monkeypatch)
    assert main(["evaluate", WEIGHTS, "--samples", "200", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["samples"] == 200 and found["modes"] == 10 and found["title"] and abs(found["real_kid"]) < 3
    assert (
        found["fid"] > 0 and found["real_fid"] > 0 and 0 < found["real_coverage"] <= 1 and len(found["histogram"]) == 10
    )


def test_inception_without_a_network_is_one_sentence(monkeypatch, tmp_path, capsys):
    def nobody(url: str, timeout: float) -> None:
        raise urllib.error.URLError("no route to host")

    monkeypatch.setenv("GAN_FORGE_DATA", str(tmp_path))
    monkeypatch.setattr(urllib.request, "urlopen", nobody)
    assert main(["evaluate", WEIGHTS, "--inception"]) == 1
    err = capsys.readouterr().err.splitlines()
    assert "torch-fidelity" in err[-1] or ("could not reach their server" in err[-1] and "91 MB" in err[-1])
    assert err[-1].startswith("gan: ") and list(tmp_path.iterdir()) == []


def test_a_folder_of_own_pictures_trains(folder, tmp_path):
    import numpy as np

    (tmp_path / "cats").mkdir()
    for i in range(16):
        noise = np.random.default_rng(i).integers(0, 256, (28, 28), dtype=np.uint8)
        Image.fromarray(noise).save(tmp_path / "cats" / f"{i}.png")
    arguments = ["dense", "--dataset", str(tmp_path / "cats"), "--size", "28", "--channels", "1"]
    assert train(folder, *arguments, "--batch", "8", "--steps", "2") == 0
    assert json.loads((the_run(folder) / "run.json").read_text())["config"]["dataset"].startswith("own-")


def test_progress_is_passed_on_but_not_too_often():
    said: list[str] = []
    always, never = _seldom(said.append, 0.0), _seldom(said.append, 1e9)
    for words in ("a", "b"):
        always(words)
        never("no " + words)
    assert said == ["a", "b"]
