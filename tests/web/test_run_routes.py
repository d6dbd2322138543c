"""Our HTTP routes as a stranger, an owner and a watcher meet them."""

from __future__ import annotations

import io
import json
import re
import zipfile

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gan.metrics.classifier import WEIGHTS
from gan.monitor.diagnosis import diagnose
from gan.recipes.catalog import ALL_RECIPES
from gan.runs import loop as loop_module
from gan.runs.eviction import Limits
from gan.runs.registry import Runs
from gan.runs.room import in_words
from gan.runs.store import MOST_TOKENS
from gan.training.checkpoint import CheckpointError
from gan.web.access import Access
from gan.web.routes.answers import BASE, routes_of
from gan.web.routes.register import run_tables
from gan.web.text import EN
from tests.conftest import PATIENCE, until
from tests.follow import answer_of, steps_of

pytestmark = pytest.mark.slow


@pytest.fixture
def registry(tmp_path, monkeypatch, random_pictures):
    monkeypatch.setattr(loop_module, "load", lambda *a, **k: random_pictures)
    runs = Runs(tmp_path / "runs", limit=1)
    yield runs
    runs.close()


def app_of(access, addresses=()):
    return Starlette(routes=routes_of(*run_tables(access, addresses)))


@pytest.fixture
def client(registry):
    return TestClient(app_of(Access(registry)))


def start(client, recipe="dense", **changes):
    body = {"recipe": recipe, "dataset": "mnist", "changes": {"batch": 8, "total_steps": 10**6} | changes}
    answer = client.post(f"{BASE}/runs", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"], {"X-Owner": answer.json()["token"]}


def get(client, path, **kwargs):
    return client.get(f"{BASE}/{path}", **kwargs)


def followed(client, run_id, since=""):
    """What is new since a cursor, and the pictures."""
    return answer_of(get(client, f"runs/{run_id}/follow?since={since}").content)


def live(client, run_id, at_least=0):
    """The newest snapshot, once it has come to a step."""

    def come() -> dict | None:
        moment = followed(client, run_id)[0].get("snapshot")
        return moment if moment and moment["step"] >= at_least else None

    return until(come)


def command(client, run_id, owner, name, **more):
    return client.post(f"{BASE}/runs/{run_id}/command", json={"command": name} | more, headers=owner)


def test_boot_tells_the_page_everything_it_offers(client, registry):
    boot = get(client, "boot").json()
    assert [r["name"] for r in boot["recipes"]] == list(ALL_RECIPES)
    assert {"mnist", "fashion-mnist", "emoji"} <= {d["name"] for d in boot["datasets"]}
    assert {k["kind"] for k in boot["knobs"]} == {"int", "float", "bool", "str"}
    kept = {knob["name"] for knob in boot["knobs"] if not knob["in_forks"]}  # the page offers the others for a fork
    assert kept == {"recipe", "dataset", "size", "channels", "classes", "attributes", "model", "freeze_d"}
    assert boot["owner"] is False
    assert registry.master not in json.dumps(boot)


HERE = {"base_url": "http://localhost:7860", "client": ("127.0.0.1", 5000)}
PROXIED = [{}, {"X-Forwarded-For": "127.0.0.1"}, {"Host": "127.0.0.1:7860", "Sec-Fetch-Site": "same-origin"}]


@pytest.mark.parametrize("headers", PROXIED)
def test_where_a_request_comes_from_gives_no_token(registry, headers):
    here = TestClient(app_of(Access(registry), ("http://192.0.2.7:7860/",)), **HERE)
    answer = get(here, "boot", headers=headers)
    assert answer.json()["owner"] is False and registry.master not in answer.text
    run_id, _ = start(here)
    for change in (
        here.post(f"{BASE}/runs/{run_id}/command", json={"command": "stop"}, headers=headers),
        here.post(f"{BASE}/runs/{run_id}/token", headers=headers),
        here.patch(f"{BASE}/runs/{run_id}", json={"title": "mine"}, headers=headers),
        here.delete(f"{BASE}/runs/{run_id}", headers=headers),
    ):
        assert change.status_code == 403
    assert get(here, "runs", headers=headers).json()["runs"] == []


def test_the_owners_token_opens_everything(client, registry):
    run_id, _ = start(client)
    master = {"X-Owner": registry.master}
    assert get(client, "boot", headers=master).json()["owner"] is True
    assert [r["id"] for r in get(client, "runs", headers=master).json()["runs"]] == [run_id]
    assert command(client, run_id, master, "pause").status_code == 200


@pytest.mark.parametrize("token", ["", "x", ",", "\u00e9", "a" * 5000, "x," * 600])
def test_odd_tokens_are_nobodys(client, token):
    run_id, _ = start(client)
    headers = {"X-Owner": token.encode("latin-1")}
    assert get(client, "boot", headers=headers).json()["owner"] is False
    assert client.delete(f"{BASE}/runs/{run_id}", headers=headers).status_code == 403


@pytest.mark.parametrize("number", ["\u00b2", "9" * 5000, "-1", "1e3", "NaN", " 1"])
def test_odd_numbers_are_no_numbers(client, number):
    run_id, _ = start(client)
    live(client, run_id, 1)
    for path in ("follow?since=", "diagnosis?step="):
        assert get(client, f"runs/{run_id}/{path}{number}").status_code == 200


@pytest.mark.parametrize("changes", [{"recipe": "x"}, {"dataset": "x"}])
@pytest.mark.parametrize("recipe", ["dense", "nope"])
def test_what_cannot_be_made_pauses_nobodys_run(client, registry, recipe, changes):
    run_id, _ = start(client)
    live(client, run_id, 1)
    registry.get(run_id)._watched_at -= 1000
    refused = client.post(f"{BASE}/runs", json={"recipe": recipe, "changes": changes})
    assert refused.status_code == 400
    assert registry.get(run_id).commands.empty() and registry.get(run_id).status == "running"


def test_a_run_whose_place_another_took_meanwhile_is_not_left_behind(client, registry, monkeypatch):
    create, other = registry.create, []

    def create_while_another_starts(*words):
        made = create(*words)
        other.append(create("dense", "mnist", {"batch": 8, "total_steps": 10**6})[0])
        registry.start(other[0])
        return made

    monkeypatch.setattr(registry, "create", create_while_another_starts)
    refused = client.post(f"{BASE}/runs", json={"recipe": "dense", "dataset": "mnist", "changes": {"batch": 8}})
    assert refused.status_code == 409 and refused.json()["busy"]["count"] == 1
    assert registry.owned([registry.master]) == other
    assert [p.parent for p in registry.folder.glob("*/run.json")] == [other[0].folder]


def test_another_device_gets_a_token_for_one_run(client, registry):
    run_id, owner = start(client)
    token = client.post(f"{BASE}/runs/{run_id}/token", headers=owner).json()["token"]
    other = {"X-Owner": token}
    assert get(client, "boot", headers=other).json()["owner"] is False
    assert command(client, run_id, other, "pause").status_code == 200
    assert token not in (registry.get(run_id).folder / "run.json").read_text()
    reopened = Runs(registry.folder)
    assert reopened.may_control(reopened.get(run_id), [token])
    for _ in range(MOST_TOKENS):
        client.post(f"{BASE}/runs/{run_id}/token", headers=owner)
    assert command(client, run_id, other, "stop").status_code == 403  # the oldest ended
    assert command(client, run_id, owner, "stop").status_code == 200


def test_only_the_owner_trains_where_that_was_asked(registry):
    client, master = TestClient(app_of(Access(registry, only_here=True))), {"X-Owner": registry.master}
    body = {"recipe": "dense", "dataset": "mnist", "changes": {"batch": 8, "total_steps": 10}}
    assert get(client, "boot").json()["may_train"] is False
    assert get(client, "boot", headers=master).json()["may_train"] is True
    made = client.post(f"{BASE}/runs", json=body, headers=master)
    assert made.status_code == 201
    own = {"X-Owner": made.json()["token"]}
    fork = f"{BASE}/runs/{made.json()['id']}/fork"
    assert command(client, made.json()["id"], own, "resume").status_code == 403
    assert command(client, made.json()["id"], own, "pause").status_code == 200
    refused = [client.post(path, json=body) for path in (f"{BASE}/runs", fork, f"{BASE}/runs/import")]
    assert {r.status_code for r in refused} == {403}
    assert {r.json()["error"] for r in refused} == {EN["train"]["only_here"]}


def test_pictures_of_a_run(client, registry):
    run_id, owner = start(client)
    live(client, run_id, 20)
    command(client, run_id, owner, "stop")
    registry.get(run_id).join(PATIENCE)
    picture = get(client, f"runs/{run_id}/frames/{steps_of(followed(client, run_id)[0], 'frames')[-1]}")
    assert "immutable" in picture.headers["cache-control"]
    assert Image.open(io.BytesIO(picture.content)).size == (224, 140)
    assert Image.open(io.BytesIO(get(client, f"runs/{run_id}/real.png").content)).size == (224, 56)


def test_only_the_owner_steers_and_everybody_may_watch(client, registry):
    run_id, owner = start(client)
    for stranger in ({}, {"X-Owner": "wrong"}, {"X-Owner": run_id}):
        answer = command(client, run_id, stranger, "stop")
        assert answer.status_code == 403 and "steer" in answer.json()["error"]
    assert get(client, "runs").json()["runs"] == []
    assert [r["id"] for r in get(client, "runs", headers=owner).json()["runs"]] == [run_id]
    assert get(client, f"runs/{run_id}").json()["title"] == "Dense on MNIST"
    assert "token" not in json.dumps(get(client, f"runs/{run_id}").json())
    assert command(client, run_id, owner, "stop").status_code == 200


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"recipe": "nope"}, "no recipe named 'nope'"),
        ({"recipe": "quick", "changes": {"d_lr": 0}}, "learning rate (d_lr) must be between"),
        ({"recipe": "quick", "changes": {"d_lr": "-1"}}, "must be between"),
        ({"recipe": "quick", "changes": {"g_lr": "nan"}}, "must be between"),
        ({"recipe": "quick", "changes": {"g_lr": "fast"}}, "must be a number"),
        ({"recipe": "quick", "changes": {"batch": 0}}, "must be between 2 and 4096"),
        ({"recipe": "quick", "changes": {"batch": 10**9}}, "must be between 2 and 4096"),
        ({"recipe": "quick", "changes": {"seed": -1}}, "must be between 0"),
        ({"recipe": "quick", "changes": {"wings": 2}}, "no setting named 'wings'"),
        ({"recipe": "quick", "changes": {"objective": "magic"}}, "no objective named 'magic'"),
        ({"recipe": "quick", "changes": [1]}, "must be a table"),
        ({"recipe": "quick", "dataset": "own-000000000000"}, "pictures"),
        ({"recipe": "conv-small-as-printed"}, "56×56"),
    ],
)
def test_bad_settings_are_answered_with_one_sentence_and_start_nothing(client, registry, body, words):
    answer = client.post(f"{BASE}/runs", json=body)
    assert answer.status_code == 400
    sentence = answer.json()["error"]
    assert words in sentence and "\n" not in sentence and "Traceback" not in sentence
    assert not list(registry.folder.glob("*/run.json"))


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"[" * 50_000, b'"' + b"x" * 200_000])
def test_requests_that_are_not_ours_are_answered_in_words(client, data):
    answer = client.post(f"{BASE}/runs", content=data)
    assert answer.status_code == 400 and answer.json()["error"] == "The request could not be read."


def test_bad_commands_are_refused_and_training_goes_on(client, registry):
    run_id, owner = start(client)
    live(client, run_id, 2)
    for more, words in (
        ({"command": "explode"}, "no command"),
        ({"command": "step", "players": "x"}, "no players"),
        ({"command": "step", "players": [1]}, "no players"),
        ({"command": "lr", "d_lr": "nan"}, "must be between"),
        ({"command": "lr", "g_lr": 0}, "must be between"),
    ):
        answer = client.post(f"{BASE}/runs/{run_id}/command", json=more, headers=owner)
        assert answer.status_code == 400 and words in answer.json()["error"]
    step = live(client, run_id)["step"]
    assert live(client, run_id, step + 3)["status"] == "running"


def test_a_second_visitor_reads_a_sentence_about_nobody(client, registry):
    """No title, and an id only where its owner shows it: an id is enough to watch, download and fork."""
    run_id, owner = start(client)
    client.patch(f"{BASE}/runs/{run_id}", json={"title": "Ann's cats"}, headers=owner)
    live(client, run_id, 12)
    for shown in (True, False, True):
        assert client.patch(f"{BASE}/runs/{run_id}", json={"shown": shown}, headers=owner).json()["shown"] is shown
        for path, body in (("runs", {"recipe": "dense"}), (f"runs/{run_id}/fork", {})):
            answer = client.post(f"{BASE}/{path}", json=body)
            assert answer.status_code == 409
            assert re.fullmatch(
                r"Somebody has been training here for \d+ s; about (\d+ h )?\d+ (min|s) are left\."
                r" When nobody watches it for 2 min, it makes room\.",
                answer.json()["error"],
            )
            busy = answer.json()["busy"]
            assert (busy["run"], busy["title"], busy["mine"], busy["count"]) == (
                run_id if shown else None,
                None,
                False,
                1,
            )
            assert "cats" not in answer.text and (shown or run_id not in answer.text)
        told = get(client, "busy").json()
        assert told["free"] is False and told["busy"]["run"] == busy["run"] and "Somebody" in told["error"]


def test_the_owner_of_the_run_that_trains_is_told_which_it_is(client, registry):
    run_id, owner = start(client)
    answer = client.post(f"{BASE}/runs", json={"recipe": "dense"}, headers=owner)
    assert answer.status_code == 409
    assert answer.json()["error"] == "Your own run “Dense on MNIST” is training; pause or stop it first."
    assert (answer.json()["busy"]["mine"], answer.json()["busy"]["run"]) == (True, run_id)
    master = client.post(f"{BASE}/runs", json={"recipe": "dense"}, headers={"X-Owner": registry.master})
    assert master.json()["error"] == "The run “Dense on MNIST” is training; pause or stop it first."
    command(client, run_id, owner, "pause")
    until(lambda: registry.get(run_id).status == "paused")
    assert get(client, "busy").json() == {"free": True}
    start(client)
    resumed = command(client, run_id, owner, "resume")
    assert resumed.status_code == 409 and resumed.json()["error"].startswith("Somebody has been training")
    assert get(client, f"runs/{run_id}").json()["status"] == "paused"


def test_where_strangers_meet_a_run_that_nobody_watches_makes_room(client, registry):
    run_id, _ = start(client)
    live(client, run_id, 1)
    words = client.post(f"{BASE}/runs", json={"recipe": "dense"}).json()["error"]
    assert words.endswith("When nobody watches it for 2 min, it makes room.")
    registry.get(run_id)._watched_at -= 1000
    assert get(client, "busy").json() == {"free": True} and registry.get(run_id).status == "running"
    start(client)
    until(lambda: registry.get(run_id).status == "paused")
    assert "nobody was watching" in registry.get(run_id).message


def test_who_may_watch_is_the_owners_choice(client, registry):
    answer = client.post(f"{BASE}/runs", json={"recipe": "dense", "shown": False})
    run_id, owner = answer.json()["id"], {"X-Owner": answer.json()["token"]}
    assert get(client, f"runs/{run_id}").json()["shown"] is False
    assert client.patch(f"{BASE}/runs/{run_id}", json={"shown": True}).status_code == 403
    live(client, run_id, 1)
    command(client, run_id, owner, "stop")
    registry.get(run_id).join(20)
    client.patch(f"{BASE}/runs/{run_id}", json={"shown": True}, headers=owner)
    (listed,) = get(client, "runs", headers=owner).json()["runs"]
    assert listed["shown"] is True
    for tokens, shown in ((owner, True), ({}, False)):  # whoever forks another's run has not been asked
        fork = client.post(f"{BASE}/runs/{run_id}/fork", json={}, headers=tokens).json()
        assert get(client, f"runs/{fork['id']}").json()["shown"] is shown
        command(client, fork["id"], {"X-Owner": fork["token"]}, "stop")
        registry.get(fork["id"]).join(20)
    zipped = get(client, f"runs/{run_id}/download/run.zip").content
    assert get(client, f"runs/{bring(client, zipped).json()['id']}").json()["shown"] is False


def test_runs_of_before_are_not_shown(client, registry, rested):
    path = registry.get(rested[0]).folder / "run.json"
    meta = json.loads(path.read_text())
    assert meta.pop("shown") is True
    path.write_text(json.dumps(meta))
    assert Runs(registry.folder).get(rested[0]).shown is False


TIMES = {0: "1 s", 59: "59 s", 60: "1 min", 1430: "24 min", 3599: "1 h 00 min", 3900: "1 h 05 min"}


@pytest.mark.parametrize(("seconds", "words"), TIMES.items())
def test_times_in_words(seconds, words):
    assert in_words(seconds) == words


def test_unknown_runs_frames_and_files(client):
    run_id, _ = start(client)
    for path in ("", "/follow", "/real.png", "/frames/1", "/diagnosis", "/download/run.zip"):
        answer = get(client, f"runs/unknown{path}")
        assert answer.status_code == 404 and answer.json()["gone"] is True, path
        assert "no run with this address" in answer.json()["error"]
    for path in ("runs/unknown/command", "runs/unknown/fork"):
        assert client.post(f"{BASE}/{path}", json={"command": "stop"}).status_code == 404
    assert client.patch(f"{BASE}/runs/unknown", json={}).status_code == 404
    assert client.delete(f"{BASE}/runs/unknown").status_code == 404
    until(lambda: get(client, f"runs/{run_id}/frames/0").status_code == 200)
    assert get(client, f"runs/{run_id}/frames/0").content == get(client, f"runs/{run_id}/frames/0.png").content
    assert get(client, f"runs/{run_id}/frames/99999999").status_code == 404
    assert get(client, f"runs/{run_id}/download/passwords").status_code == 404


def test_downloads_of_a_run(client, registry):
    run_id, owner = start(client)
    live(client, run_id, 12)
    command(client, run_id, owner, "stop")
    run = registry.get(run_id)
    run.join(PATIENCE)
    from gan.models.weights_file import from_bytes

    weights = from_bytes(get(client, f"runs/{run_id}/download/weights.safetensors").content)
    assert weights.step == run.checkpoint_step() and weights.config == run.config
    assert get(client, f"runs/{run_id}/download/history.csv").text.splitlines()[0].startswith("step,images,seconds")
    gif = Image.open(io.BytesIO(get(client, f"runs/{run_id}/download/timelapse.gif").content))
    first = np.asarray(gif.convert("L"))
    frame = np.asarray(Image.open(run.history.frame_path(0)))
    assert np.array_equal(first[::2, ::2], frame)  # enlarged twice, no pixel changed
    assert get(client, f"runs/{run_id}/download/timelapse.mp4").content[4:8] == b"ftyp"


# Forks, and keeping order -----------------------------------------------------------------------------------------


@pytest.fixture
def rested(client, registry):
    """A run that has learned some steps and was stopped."""
    run_id, owner = start(client)
    live(client, run_id, 20)
    command(client, run_id, owner, "stop")
    registry.get(run_id).join(PATIENCE)
    return run_id, owner


def test_anybody_with_the_link_forks_and_owns_the_fork(client, registry, rested):
    run_id, owner = rested
    answer = client.post(f"{BASE}/runs/{run_id}/fork", json={"changes": {"g_lr": "1e-4"}, "step": 18})
    assert answer.status_code == 201
    fork, token = answer.json()["id"], {"X-Owner": answer.json()["token"]}
    assert live(client, fork, 17)["lr"] == {"d": 1e-3, "g": 1e-4}
    info = get(client, f"runs/{fork}").json()
    assert info["states"] == [16] and info["events"][0]["kind"] == "fork" and run_id not in json.dumps(info)
    assert command(client, fork, owner, "stop").status_code == 403
    assert command(client, fork, token, "stop").status_code == 200


def test_bad_forks_are_refused_in_words(client, registry, rested):
    before = sorted(p.name for p in registry.folder.iterdir())
    for body, words in (
        ({"changes": {"z_dim": 7}}, "make other networks (z_dim)"),
        ({"changes": {"g_lr": "fast"}}, "must be a number"),
        ({"changes": [1]}, "must be a table"),
        ({"step": -1}, "whole number, 0 or more"),
        ({"step": "x"}, "whole number, 0 or more"),
        ({"step": True}, "whole number, 0 or more"),
    ):
        answer = client.post(f"{BASE}/runs/{rested[0]}/fork", json=body)
        assert answer.status_code == 400 and words in answer.json()["error"]
    assert sorted(p.name for p in registry.folder.iterdir()) == before


def test_a_fork_takes_the_place_of_the_run_it_comes_from_and_of_no_other(client, registry):
    run_id, owner = start(client)
    live(client, run_id, 2)
    stranger = client.post(f"{BASE}/runs/{run_id}/fork", json={})
    assert stranger.status_code == 409 and "Somebody has been training" in stranger.json()["error"]
    wrong = client.post(f"{BASE}/runs/{run_id}/fork", json={"changes": {"z_dim": 7}}, headers=owner)
    assert wrong.status_code == 400 and registry.get(run_id).status == "running"
    assert len(list(registry.folder.glob("*/run.json"))) == 1
    answer = client.post(f"{BASE}/runs/{run_id}/fork", json={}, headers=owner)
    assert answer.status_code == 201 and registry.get(run_id).status == "paused"
    live(client, answer.json()["id"], registry.get(run_id).trainer.steps_done + 1)


def test_going_back_to_a_kept_step(client, registry, rested):
    run_id, owner = rested
    assert "whole number" in command(client, run_id, owner, "rewind", step="16").json()["error"]
    assert command(client, run_id, owner, "rewind", step=17).status_code == 200
    until(lambda: registry.get(run_id).latest.step == 16)


def test_only_the_owner_renames_keeps_and_deletes(client, registry, rested):
    run_id, owner = rested
    path = f"{BASE}/runs/{run_id}"
    for stranger in ({}, {"X-Owner": "wrong"}):
        assert client.patch(path, json={"title": "x"}, headers=stranger).status_code == 403
        assert client.delete(path, headers=stranger).status_code == 403
    assert client.patch(path, json={"title": " <b>Mine</b> ", "kept": True}, headers=owner).json()["kept"] is True
    (listed,) = get(client, "runs", headers=owner).json()["runs"]
    assert (listed["title"], listed["kept"]) == ("<b>Mine</b>", True)
    refused = client.patch(path, json={"title": "x" * 99}, headers=owner)
    assert refused.status_code == 400 and "1 to 80 characters" in refused.json()["error"]
    refused = client.delete(path, headers=owner)
    assert refused.status_code == 400 and "kept" in refused.json()["error"]
    client.patch(path, json={"kept": False}, headers=owner)
    assert client.delete(path, headers=owner).status_code == 200
    assert get(client, f"runs/{run_id}").status_code == 404
    assert list(registry.folder.glob("*/run.json")) == []


def test_a_run_that_trains_is_not_deleted(client):
    run_id, owner = start(client)
    live(client, run_id, 1)
    refused = client.delete(f"{BASE}/runs/{run_id}", headers=owner)
    assert refused.status_code == 400 and "stop it" in refused.json()["error"]
    assert get(client, f"runs/{run_id}").status_code == 200


# A run as a zip --------------------------------------------------------------------------------------------------


@pytest.fixture
def zipped(client, registry):
    run_id, owner = start(client)
    live(client, run_id, 12)
    command(client, run_id, owner, "stop")
    registry.get(run_id).join(PATIENCE)
    return run_id, owner, get(client, f"runs/{run_id}/download/run.zip").content


def bring(client, data: bytes):
    return client.post(f"{BASE}/runs/import", content=data)


def test_whoever_adds_a_run_to_a_full_server_makes_the_oldest_go(client, registry, zipped):
    """Started, forked or brought back: never the new one, though it is not kept, and may not train."""
    run_id, _, data = zipped
    registry.limits = Limits(runs=2)
    first, second = (registry.create("dense")[0] for _ in range(2))
    started, owner = start(client)
    assert [(registry.folder / name).exists() for name in (run_id, first.id, second.id)] == [False, False, True]
    command(client, started, owner, "stop")
    registry.get(started).join(PATIENCE)
    made = [started]
    made.append(client.post(f"{BASE}/runs/{made[0]}/fork", json={"step": 0}).json()["id"])
    made.append(bring(client, data).json()["id"])
    assert not first.folder.exists() and not second.folder.exists()
    assert [(registry.folder / name).exists() for name in made] == [False, True, True]


def test_a_run_comes_back_under_another_owner_and_continues(client, registry, zipped):
    run_id, owner, data = zipped
    assert b"token_sha256" not in zipfile.ZipFile(io.BytesIO(data)).read("run.json")
    answer = bring(client, data)
    assert answer.status_code == 201
    again, original = registry.get(answer.json()["id"]), registry.get(run_id)
    assert again.history.rows == original.history.rows and again.config == original.config
    assert again.checkpoint_step() == original.checkpoint_step()
    assert command(client, again.id, owner, "resume").status_code == 403
    assert command(client, again.id, {"X-Owner": answer.json()["token"]}, "resume").status_code == 200
    until(lambda: again.latest.step > original.checkpoint_step())


def test_a_finished_run_comes_back_finished_with_all_that_was_known_of_it(client, registry):
    run_id, owner = start(client, total_steps=45)
    registry.get(run_id).join(PATIENCE)
    client.patch(f"{BASE}/runs/{run_id}", json={"title": "Mine"}, headers=owner)
    before, picture = followed(client, run_id)
    again = bring(client, get(client, f"runs/{run_id}/download/run.zip").content).json()["id"]
    info, (after, same) = get(client, f"runs/{again}").json(), followed(client, again)
    assert (info["status"], info["title"], info["step"]) == ("finished", "Mine", 45)
    for name in ("status", "step", "epoch", "images", "total_steps", "verdict_fake"):
        assert after["snapshot"][name] == before["snapshot"][name], name
    assert same == picture and after["records"] == before["records"]
    assert before["snapshot"]["epoch"] == round(45 * 8 / 256, 2)


def edited(data: bytes, **words) -> bytes:
    """The zip of a run with other words in its run.json."""

    def change(files):
        files["run.json"] = json.dumps(json.loads(files["run.json"]) | words).encode()

    return rezip(data, change)


@pytest.mark.parametrize(
    ("said", "status", "message"),
    [
        ({"status": "finished"}, "stopped", ""),  # it is at step 12 or so, of a million
        ({"status": "running"}, "stopped", ""),
        ({"status": "failed", "message": "<b>NaN</b>"}, "failed", "<b>NaN</b>"),
        ({"status": "failed", "message": 5}, "stopped", ""),
        ({"status": ["x"], "message": {}}, "stopped", ""),
    ],
)
def test_what_a_zip_says_of_its_end_is_believed_as_far_as_it_can_be(client, zipped, said, status, message):
    info = get(client, f"runs/{bring(client, edited(zipped[2], **said)).json()['id']}").json()
    assert (info["status"], info["message"]) == (status, message)


NONSENSE = [None, True, -1, 10**30, 1e400, "x" * 10_000, "a\nb", [], [[]], {}, {"x": 1}, ["\0"], [1, 2], [10**9] * 5]


NAMES = (
    *("title", "dataset_title", "class_names", "dataset_count", "pictures_count", "shown_seed", "real_labels"),
    *("computes", "created", "token_sha256", "kept", "shown", "tiles", "measure_share", "status"),
    *("message", "job"),
)


@pytest.mark.parametrize("value", NONSENSE, ids=map(str, range(len(NONSENSE))))
def test_no_nonsense_in_a_zip_is_taken_over(client, registry, zipped, value):
    """All fields at once; tests/runs/test_archive.py tries each alone."""
    answer = bring(client, edited(zipped[2], **dict.fromkeys(NAMES, value)))
    assert answer.status_code == 201, answer.text
    run = registry.get(answer.json()["id"])
    info = get(client, f"runs/{run.id}").json()
    assert info["title"] and "\n" not in info["title"] and len(info["title"]) <= 80
    assert followed(client, run.id)[0]["run"]["status"] == run.status
    assert not run.meta.kept and len(run.meta.class_names) == 10
    assert client.delete(f"{BASE}/runs/{run.id}", headers={"X-Owner": answer.json()["token"]}).status_code == 200


def rezip(data: bytes, change) -> bytes:
    out = io.BytesIO()
    files = {
        i.filename: zipfile.ZipFile(io.BytesIO(data)).read(i) for i in zipfile.ZipFile(io.BytesIO(data)).infolist()
    }
    change(files)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for name, content in files.items():
            z.writestr(name, content)
    return out.getvalue()


HOSTILE = {
    "a path out of the folder": (lambda f: f.update({"../evil.py": b"x"}), "not a run of ours"),
    "a program": (lambda f: f.update({"run.py": b"x"}), "not a run of ours"),
    "no settings": (lambda f: f.pop("run.json"), "run.json"),
    "settings that are no settings": (lambda f: f.update({"run.json": b"[" * 100_000}), "run.json"),
    "unknown networks": (
        lambda f: f.update({"run.json": json.dumps({"config": {"model": "virus"}}).encode()}),
        "no networks named",
    ),
    "a frame that is no picture": (lambda f: f.update({"frames/00000000.png": b"MZ"}), "frame of step 0"),
    "a checkpoint that is none": (lambda f: f.update({"checkpoint.safetensors": b"\x80\x02pickle"}), "damaged"),
    "another run's checkpoint": (
        lambda f: f.update({"run.json": f["run.json"].replace(b'"seed": 0', b'"seed": 1')}),
        "another run",
    ),
    "a bomb": (lambda f: f.update({"checkpoint.safetensors": b"0" * (200 << 20)}), "unpacks to"),
    "too many entries": (lambda f: f.update({f"frames/{i:08d}.png": b"" for i in range(6000)}), "entries"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_zips_are_refused_and_leave_nothing(client, registry, zipped, what, monkeypatch):
    monkeypatch.setattr("gan.runs.archive.MAX_UNPACKED_BYTES", 100 << 20)
    change, words = HOSTILE[what]
    before = sorted(p.name for p in registry.folder.iterdir())
    answer = bring(client, rezip(zipped[2], change))
    assert answer.status_code == 400 and words in answer.json()["error"]
    assert sorted(p.name for p in registry.folder.iterdir()) == before


@pytest.mark.parametrize(
    ("name", "most"),
    [("best.safetensors", 8), ("run.json", 1), ("real.png", 16), ("events.jsonl", 32), ("rows.csv", 32)],
)
def test_no_entry_of_a_zip_may_be_too_large(client, registry, zipped, monkeypatch, name, most):
    monkeypatch.setattr("gan.runs.archive.MAX_ENTRY_BYTES", 8 << 20)
    before = sorted(p.name for p in registry.folder.iterdir())
    answer = bring(client, rezip(zipped[2], lambda f: f.update({name: b"0" * ((most << 20) + 1)})))
    assert answer.status_code == 400 and f"{name} in this zip is larger than {most} MB" in answer.json()["error"]
    assert sorted(p.name for p in registry.folder.iterdir()) == before


@pytest.mark.parametrize("said", [10, 0])
def test_a_zip_whose_listing_lies_about_sizes(client, registry, zipped, monkeypatch, said):
    """Whatever the listing says, no more is written than may be, and nothing stays."""
    monkeypatch.setattr("gan.runs.archive.MAX_ENTRY_BYTES", 8 << 20)
    size = 9 << 20
    data = rezip(zipped[2], lambda f: f.update({"events.jsonl": b"0" * size}))
    before = sorted(p.name for p in registry.folder.iterdir())
    answer = bring(client, data.replace(size.to_bytes(4, "little"), said.to_bytes(4, "little")))
    assert answer.status_code == 400 and "zip" in answer.json()["error"]
    assert sorted(p.name for p in registry.folder.iterdir()) == before


def test_reading_stops_at_the_limit_whatever_was_listed(tmp_path, monkeypatch):
    from gan.runs import archive
    from tests import samples

    monkeypatch.setattr(archive, "_check_listing", lambda z: None)
    monkeypatch.setattr(archive, "MAX_ENTRY_BYTES", 1 << 20)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("rows.csv", b"0" * (40 << 20))
        z.writestr("run.json", samples.run_files()["run.json"])
    with pytest.raises(archive.ArchiveError, match="more than it says"):
        archive.unpack(tmp_path / "a.zip", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_damaged_compressed_data_is_no_zip_of_a_run(client, registry, zipped):
    data = bytearray(zipped[2])
    at = data.index(b"checkpoint.safetensors") + 200
    data[at : at + 400] = b"\xff" * 400
    before = sorted(p.name for p in registry.folder.iterdir())
    answer = bring(client, bytes(data))
    assert answer.status_code == 400 and "not a readable zip" in answer.json()["error"]
    assert sorted(p.name for p in registry.folder.iterdir()) == before


def test_a_run_that_cannot_be_opened_leaves_a_sentence_and_no_folder(client, registry, monkeypatch):
    def damaged(*_):
        raise CheckpointError("It is damaged.")

    monkeypatch.setattr("gan.runs.store.Run", damaged)
    before = sorted(p.name for p in registry.folder.iterdir())
    answer = client.post(f"{BASE}/runs", json={"recipe": "dense"})
    assert answer.status_code == 400 and "could not be opened: It is damaged." in answer.json()["error"]
    assert sorted(p.name for p in registry.folder.iterdir()) == before


def test_something_that_is_no_zip(client, registry):
    answer = bring(client, b"hello")
    assert answer.status_code == 400 and "zip" in answer.json()["error"]


# The diagnosis of a moment ---------------------------------------------------------------------------------------


def test_the_diagnosis_of_a_moment_knows_nothing_of_later(tmp_path):
    """At every step of the shipped recording: what a run would have been told that had come as far."""
    registry = Runs(tmp_path / "runs", recorded=WEIGHTS / "recorded")
    client, run = TestClient(app_of(Access(registry))), registry.get("recorded")
    end = get(client, "runs/recorded/diagnosis").json()
    assert end["verdicts"] and get(client, "runs/recorded/diagnosis?step=10").json()["verdicts"] == []
    assert get(client, "runs/recorded/diagnosis?step=999999").json() == end
    for step in range(0, run.config.total_steps, 150):
        rows = [row for row in run.history.rows if row.step <= step]
        until_then = [
            [r for r in records if r["step"] <= step]
            for records in (run.history.signals, run.history.events, run.history.measures)
        ]
        told = get(client, f"runs/recorded/diagnosis?step={step}").json()["verdicts"]
        assert [v["seen"] for v in told] == [v.seen for v in diagnose(run.config, rows, *until_then)]
    for nonsense in ("x", "-1", "1e9", "9" * 40, "²"):
        assert get(client, f"runs/recorded/diagnosis?step={nonsense}").json() == end


def test_nothing_large_is_unpacked_for_a_run_json_that_is_refused(tmp_path, monkeypatch):
    from gan.runs import archive

    unpacked, unpack = [], archive._unpack_entry
    monkeypatch.setattr(
        archive, "_unpack_entry", lambda z, entry, *more: unpacked.append(entry) or unpack(z, entry, *more)
    )
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("checkpoint.safetensors", bytes(1 << 20))
        z.writestr("run.json", "{}")
    with pytest.raises(archive.ArchiveError, match=r"run\.json"):
        archive.unpack(tmp_path / "a.zip", tmp_path / "run")
    assert [entry.filename for entry in unpacked] == ["run.json"]
