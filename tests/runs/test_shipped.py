"""What ships can be made again: the table of it is true, and its command writes what it says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gan.cli.main import main
from gan.core.paths import WEIGHTS
from gan.models import weights_file
from gan.recipes.catalog import make_config
from gan.runs import recordings
from gan.runs.shipped import SHIPPED, files_of, words_of


@pytest.mark.parametrize("name", SHIPPED)
def test_what_ships_was_trained_as_its_table_says(name):
    shipped, file = SHIPPED[name], weights_file.load(WEIGHTS / f"{name}.safetensors")
    told = make_config(shipped.recipe, shipped.dataset, None, seed=recordings.SEED, **shipped.changes).to_dict()
    bounds = {"total_steps", "precision"}  # how long at most; "auto" is float32 on a processor
    assert {k: v for k, v in file.config.to_dict().items() if k not in bounds} == {
        k: v for k, v in told.items() if k not in bounds
    }
    assert (file.step, file.title, file.about) == (shipped.steps, *words_of(name))
    assert [path.exists() for path in files_of(name, WEIGHTS)] == [True] * (1 + shipped.starts)


def test_everything_that_ships_is_in_the_table():
    named = {path for name in SHIPPED for path in files_of(name, WEIGHTS)}
    assert named == {*(p for p in WEIGHTS.glob("*.safetensors") if "metric-" not in p.name), *WEIGHTS.glob("starts/*")}


@pytest.mark.slow
def test_what_ships_is_trained_where_it_is_missing(tmp_path, monkeypatch, capsys):
    short = replace(SHIPPED["monsters"], recipe="dense", dataset="mnist", steps=3, changes={"batch": 8})
    monkeypatch.setitem(SHIPPED, "monsters", short)
    assert main(["shipped-weights", "--out", str(tmp_path / "w"), "monsters"]) == 0
    made = files_of("monsters", tmp_path / "w")
    assert sorted(p for p in (tmp_path / "w").rglob("*") if p.is_file()) == sorted(made)
    found = weights_file.load(made[0])
    assert found.step == 3 and found.title == "Monsters" and found.config.seed == recordings.SEED
    capsys.readouterr()
    assert main(["shipped-weights", "--out", str(tmp_path / "w"), "monsters"]) == 0
    assert "is there already" in capsys.readouterr().out
    made[0].write_bytes(b"mine")
    made[1].unlink()
    assert main(["shipped-weights", "--out", str(tmp_path / "w"), "monsters"]) == 0
    assert made[1].exists() and made[0].read_bytes() == b"mine"
    assert main(["shipped-weights", "nothing"]) == 1
    assert "known: mnist-conditional" in capsys.readouterr().err
