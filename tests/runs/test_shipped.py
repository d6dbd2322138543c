"""What ships can be made again: the table of it is true, and its command writes what it says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gan.cli.main import main
from gan.core.paths import WEIGHTS
from gan.models import weights_file
from gan.recipes.catalog import make_config
from gan.runs import recordings
from gan.runs.shipped import SHIPPED, file_of, files_of, start_file_of, words_of
from gan.training.checkpoint import discriminator_state, read_header


@pytest.mark.parametrize("name", SHIPPED)
def test_what_ships_was_trained_as_its_table_says(name):
    shipped, file = SHIPPED[name], weights_file.load(file_of(name, WEIGHTS))
    assert (file.title, file.about) == words_of(name)
    made = [(file.config, file.step)]
    if shipped.starts:
        header = read_header(start_file_of(name, WEIGHTS))
        made.append((header["config"], header["steps_done"]))
    told = make_config(shipped.recipe, shipped.dataset, None, seed=recordings.SEED, **shipped.changes).to_dict()
    bounds = {"total_steps", "precision"}  # how long at most; "auto" is float32 on a processor
    for config, step in made:
        assert {k: v for k, v in config.to_dict().items() if k not in bounds} == {
            k: v for k, v in told.items() if k not in bounds
        }
        assert step == shipped.steps


def test_everything_that_ships_is_in_the_table():
    named = {path for name in SHIPPED for path in files_of(name, WEIGHTS)}
    assert named == {*(p for p in WEIGHTS.glob("*.safetensors") if "metric-" not in p.name), *WEIGHTS.glob("starts/*")}


@pytest.mark.slow
def test_what_ships_is_trained_where_it_is_missing(tmp_path, monkeypatch, capsys):
    out = tmp_path / "w"
    short = replace(SHIPPED["monsters"], recipe="dense", dataset="mnist", steps=3, changes={"batch": 8})
    monkeypatch.setitem(SHIPPED, "monsters", short)
    assert main(["shipped-weights", "--out", str(out), "monsters"]) == 0
    weights, networks = files_of("monsters", out)
    assert sorted(p for p in out.rglob("*") if p.is_file()) == sorted([weights, networks])
    found = weights_file.load(weights)
    assert found.step == 3 and found.title == "Monsters" and found.config.seed == recordings.SEED
    assert read_header(networks)["steps_done"] == 3 and discriminator_state(networks)
    weights.write_bytes(b"mine")
    networks.unlink()
    assert main(["shipped-weights", "--out", str(out), "monsters"]) == 0
    assert networks.exists() and weights.read_bytes() == b"mine"
    capsys.readouterr()
    assert main(["shipped-weights", "--out", str(out), "monsters"]) == 0
    assert "is there already" in capsys.readouterr().out
    assert main(["shipped-weights", "nothing"]) == 1
    assert "known: mnist-conditional" in capsys.readouterr().err
