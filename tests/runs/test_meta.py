"""run.json: what it says is what it said, and what is wrong in it is one sentence."""

from __future__ import annotations

import dataclasses
import json
import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from gan.core.config import Config, ConfigError
from gan.core.messages import Message, say
from gan.core.tokens import hash_of
from gan.core.version import VERSION
from gan.runs import store as store_module
from gan.runs.meta import RunMeta, new_meta, public, read_meta
from gan.runs.registry import Runs
from gan.runs.run import Run
from gan.training.checkpoint import CheckpointError
from tests import samples


def written(folder: Path, **words: object) -> Path:
    """A run whose run.json says something else."""
    said = json.loads(samples.run_files()["run.json"]) | words
    return samples.put_run(folder, {"run.json": json.dumps(said).encode()})


def test_what_a_new_run_says_is_read_back(tmp_path: Path) -> None:
    meta = new_meta(Config(classes=10), title="Ten", kept=True, class_names=["a"], shown_seed=3)
    meta.write(tmp_path)
    assert read_meta(tmp_path) == meta
    assert (meta.version, meta.tiles["columns"], meta.frame_seed) == (VERSION, 10, 3)


def test_every_field_is_written_and_none_is_not(tmp_path: Path) -> None:
    new_meta(Config()).write(tmp_path)
    names = {field.name for field in dataclasses.fields(RunMeta)} - {"more", "shown_seed"}
    assert json.loads((tmp_path / "run.json").read_text()).keys() == names


def test_what_another_version_says_besides_is_kept(tmp_path: Path) -> None:
    folder = written(tmp_path, colour=["blue"], more=7)
    Run(folder).describe(title="Other")
    said = json.loads((folder / "run.json").read_text())
    assert (said["colour"], said["more"], said["title"]) == (["blue"], 7, "Other")


def test_a_message_is_kept_with_its_key(tmp_path: Path) -> None:
    meta = new_meta(Config(), message=say("runs.state_kept", step=5), title="Mine")
    meta.write(tmp_path)
    again = read_meta(tmp_path)
    assert isinstance(again.message, Message) and again.message.to_json() == meta.message.to_json()
    assert type(again.title) is str and again.more == {}


def test_older_files_say_less(tmp_path: Path) -> None:
    said = json.loads(samples.run_files()["run.json"])
    few = {name: said[name] for name in ("format", "status", "message", "config", "tiles")}
    meta = read_meta(samples.put_run(tmp_path, {"run.json": json.dumps(few).encode()}))
    assert (meta.title, meta.kept, meta.version, meta.measure_share, meta.frame_seed) == ("", False, "", 0.1, 0)


WRONG = {
    "format": [3, 0, None, "1", []],
    "status": [None, 1],
    "message": [[], None],
    "tiles": [None, {}, {"count": 40, "columns": 8, "size": 28}, [40, 8, 28, 1], "x"],
    "title": [5, None],
    "created": ["now", None, True, 10**400],
    "kept": ["yes", 1],
    "shown": [0, None],
    "token_sha256": [["a"]],
    "more_tokens_sha256": ["a", [1]],
    "class_names": ["abc", [1], {}],
    "real_labels": [[-1], ["a"], [True]],
    "dataset_count": [-1, 1.5, True],
    "shown_seed": [-1, "1"],
    "measure_share": [0.6, True, "much"],
    "config": [None, [], {"z_dim": 0}],
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_word_is_one_sentence_that_names_it(tmp_path: Path, name: str) -> None:
    for i, value in enumerate(WRONG[name]):
        folder = written(tmp_path / str(i), **{name: value})
        with pytest.raises((CheckpointError, ConfigError), match=r"^The |^Latent size") as refusal:
            Run(folder)
        sentence = str(refusal.value)
        assert len(sentence.splitlines()) == 1 and (name in sentence or name == "config"), sentence


def test_nobody_learns_what_controls_a_run(tmp_path: Path) -> None:
    meta = new_meta(Config(), token_sha256="secret", more_tokens_sha256=["other"], visitor="who", title="T")
    meta.write(tmp_path)
    said = public((tmp_path / "run.json").read_bytes())
    assert not any(word in said for word in (b"secret", b"other", b"visitor")) and json.loads(said)["title"] == "T"


def test_a_description_that_cannot_be_written_changes_nothing(tmp_path: Path) -> None:
    run = Run(written(tmp_path / "run"))
    (tmp_path / "run").rename(tmp_path / "gone")
    with pytest.raises(OSError, match=r"run\.json|No such file"):
        run.describe(title="Other", kept=True)
    assert (run.meta.title, run.meta.kept) == ("Test", False)


def test_two_tokens_that_are_asked_for_at_once_both_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = Runs(tmp_path)
    run, _ = registry.create("dense")
    with ThreadPoolExecutor(1) as another:
        asked: list[Future[str]] = []

        def hash_while_another_asks(token: str) -> str:
            if threading.current_thread() is threading.main_thread():
                asked.append(another.submit(registry.new_token, run))
                wait(asked, timeout=0.5)  # it comes in between where nothing keeps it
            return hash_of(token)

        monkeypatch.setattr(store_module, "hash_of", hash_while_another_asks)
        first = registry.new_token(run)
    assert {hash_of(first), hash_of(asked[0].result())} == set(run.meta.more_tokens_sha256)
    assert read_meta(run.folder) == run.meta
