"""What ships can be made again: the table of it is true, and its command writes what it says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gan.cli.main import main
from gan.core.paths import WEIGHTS
from gan.models import weights_file
from gan.recipes.catalog import make_config
from gan.runs import recordings
from gan.runs.shipped import SHIPPED, file_of, words_of
from gan.training.checkpoint import discriminator_state, read_header


@pytest.mark.parametrize("name", SHIPPED)
def test_what_ships_was_trained_as_its_table_says(name):
    shipped, path = SHIPPED[name], file_of(name, WEIGHTS)
    told = make_config(shipped.recipe, shipped.dataset, None, seed=recordings.SEED, **shipped.changes).to_dict()
    if shipped.starts:
        header = read_header(path)
        config, step = header["config"], header["steps_done"]
    else:
        file = weights_file.load(path)
        config, step = file.config, file.step
        assert (file.title, file.about) == words_of(name)
    bounds = {"total_steps", "precision"}  # how long at most; "auto" is float32 on a processor
    assert {k: v for k, v in config.to_dict().items() if k not in bounds} == {
        k: v for k, v in told.items() if k not in bounds
    }
    assert step == shipped.steps


def test_everything_that_ships_is_in_the_table():
    named = {file_of(name, WEIGHTS) for name in SHIPPED}
    assert named == {*(p for p in WEIGHTS.glob("*.safetensors") if "metric-" not in p.name), *WEIGHTS.glob("starts/*")}


@pytest.mark.slow
def test_what_ships_is_trained_where_it_is_missing(tmp_path, monkeypatch, capsys):
    names, out = ("monsters", "starts/monsters"), tmp_path / "w"
    for name in names:
        short = replace(SHIPPED[name], recipe="dense", dataset="mnist", steps=3, changes={"batch": 8})
        monkeypatch.setitem(SHIPPED, name, short)
    assert main(["shipped-weights", "--out", str(out), *names]) == 0
    weights, networks = (file_of(name, out) for name in names)
    assert sorted(p for p in out.rglob("*") if p.is_file()) == sorted([weights, networks])
    found = weights_file.load(weights)
    assert found.step == 3 and found.title == "Monsters" and found.config.seed == recordings.SEED
    assert read_header(networks)["steps_done"] == 3 and discriminator_state(networks)
    weights.write_bytes(b"mine")
    networks.unlink()
    capsys.readouterr()
    assert main(["shipped-weights", "--out", str(out), *names]) == 0
    assert "is there already" in capsys.readouterr().out
    assert networks.exists() and weights.read_bytes() == b"mine"
    assert main(["shipped-weights", "nothing"]) == 1
    assert "known: mnist-conditional" in capsys.readouterr().err
