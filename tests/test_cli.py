"""The command line, as typed."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest
from PIL import Image

from gan import metrics
from gan import run as run_module
from gan.__main__ import FLAGS, main
from gan.config import KNOBS
from gan.run import Run


@pytest.fixture
def folder(tmp_path, monkeypatch, random_pictures):
    monkeypatch.setattr(run_module, "load", lambda *a, **k: random_pictures)
    return tmp_path / "runs"


def train(folder, *arguments: str) -> int:
    return main(["train", *arguments, "--runs", str(folder)])


def the_run(folder):
    (path,) = [p for p in folder.iterdir() if (p / "run.json").exists()]
    return path


def test_train_resume_export_sample(folder, tmp_path, capsys):
    assert train(folder, "quick-conditional", "--batch", "8", "--steps", "6", "--g-lr", "0.003", "--seed", "7") == 0
    run = the_run(folder)
    meta = json.loads((run / "run.json").read_text())
    assert meta["config"]["g_lr"] == 0.003 and meta["config"]["seed"] == 7 and meta["status"] == "finished"
    assert Image.open(run / "samples.png").size == (560, 224)
    assert main(["train", "--resume", str(run), "--steps", "9", "--runs", str(folder)]) == 0
    assert "finished at step 9" in capsys.readouterr().out
    weights = tmp_path / "w.safetensors"
    assert main(["export", str(run), str(weights), "--half", "--title", "Test"]) == 0
    assert (
        main(
            ["sample", str(weights), "--count", "20", "--class", "3", "--out", str(tmp_path / "s.png"), "--scale", "1"]
        )
        == 0
    )
    assert Image.open(tmp_path / "s.png").size == (280, 56)


def test_resume_with_other_settings_is_refused_naming_them(folder, capsys):
    train(folder, "dense", "--batch", "8", "--steps", "2")
    assert main(["train", "--resume", str(the_run(folder)), "--d-lr", "0.5", "--runs", str(folder)]) == 1
    assert "d_lr (0.001 in the checkpoint, 0.5 asked for)" in capsys.readouterr().err


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
        (["--fork", "nothing"], "no run"),
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
        (["--resume", "unknown"], "damaged"),
    ],
)
def test_mistakes_get_one_sentence_and_exit_code_1(folder, capsys, arguments, words):
    assert train(folder, *arguments) == 1
    err = capsys.readouterr().err
    assert words in err and err.startswith("gan: ") and err.count("\n") == 1


def test_every_setting_is_a_flag_and_help_reads(capsys):
    assert set(KNOBS) - set(FLAGS) == {"recipe", "dataset", "size", "channels", "classes"}
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    text = capsys.readouterr().out
    assert all(f"--{name.replace('_', '-')}" in text for name in FLAGS)
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "python -m gan train quick" in capsys.readouterr().out


def test_foreign_weights_are_refused_in_words(tmp_path, capsys):
    path = tmp_path / "w.safetensors"
    path.write_bytes(b"no weights at all, but long enough to have a header")
    assert main(["evaluate", str(path)]) == 1
    assert "not a weights file" in capsys.readouterr().err


WEIGHTS = "weights/mnist-conditional.safetensors"


def test_evaluate_prints_json(monkeypatch, capsys):
    monkeypatch.setattr(metrics, "JUDGED", 50)
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
