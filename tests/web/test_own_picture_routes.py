"""A stranger's own pictures through the routes: sent, prepared, prepared anew, managed, taken along, given up."""

from __future__ import annotations

import io
import json
import socket
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import uvicorn
from PIL import Image
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from gan.core.tokens import hash_of
from gan.data.catalog import _kept as loaded
from gan.data.catalog import describe, load
from gan.data.own_pictures import Form, prepare
from gan.data.pictures import read_pictures, read_splits, split_of, write_pictures
from gan.runs.archive import pack
from gan.runs.history import History
from gan.runs.registry import Runs
from gan.web import middleware
from gan.web.access import Access
from gan.web.routes.answers import BASE, routes_of
from gan.web.routes.register import run_tables
from tests.conftest import PATIENCE, listening, port_of, until
from tests.follow import answer_of

pytestmark = pytest.mark.slow


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Runs]:
    runs = Runs(tmp_path / "runs", limit=1)
    yield runs
    runs.close()


def app_of(runs: Runs, only_here: bool = False) -> Starlette:
    routes = routes_of(*run_tables(Access(runs, only_here)))
    return Starlette(routes=routes, middleware=[Middleware(middleware.BodyLimit)])


@pytest.fixture
def client(registry: Runs) -> TestClient:
    return TestClient(app_of(registry))


def png(seed: int) -> bytes:
    out = io.BytesIO()
    noise = np.random.default_rng(seed).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    Image.fromarray(noise).save(out, "PNG")
    return out.getvalue()


NOISE = [(f"{i}.png", png(i)) for i in range(20)]
PETS = [(f"pets/{kind}/{i}.png", png(i + 100 * kind.count("o"))) for kind in ("cat", "dog") for i in range(10)]


def zip_of(files: list[tuple[str, bytes]]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for name, data in files:
            z.writestr(name, data)
    return out.getvalue()


def send(client: Any, files: list, query: str = "size=28&channels=1", tokens: str = "", **fields: str) -> Any:
    parts = [("files", (name, data, "application/octet-stream")) for name, data in files]
    headers = {"X-Owner": tokens} if tokens else {}
    return client.post(f"{BASE}/pictures?{query}", files=parts, data=fields, headers=headers)


def again(client: Any, upload: str, **form: Any) -> Any:
    return client.post(f"{BASE}/pictures/again", json={"upload": upload} | form)


def owner(answer: Any) -> dict[str, str]:
    return {"X-Owner": answer.json()["token"]}


# Prepared, and prepared anew -------------------------------------------------------------------------------------


def test_own_pictures_become_a_data_set(client, registry):
    answer = send(client, NOISE)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made["count"] == 20 and made["dataset"].startswith("own-") and made["skipped"] == made["test"] == 0
    assert (made["size"], made["channels"], made["fit"]) == (28, 1, "crop") and "20 pictures" in made["message"]
    config = registry.create("dense", made["dataset"], {"batch": 4}, tokens=[made["token"]])[0].config
    assert (config.size, config.channels) == (28, 1)


def test_files_of_a_folder_are_a_set_with_its_name_and_classes(client, registry):
    answer = send(client, PETS, "size=32&channels=3&fit=pad", others=json.dumps(["pets/a.heic", "pets/b.heic"])).json()
    assert answer["title"] == "pets" and answer["classes"] == [["cat", 10], ["dog", 10]]
    assert (answer["size"], answer["channels"], answer["fit"], answer["skipped"]) == (32, 3, "pad", 2)
    assert "cat (10), dog (10)" in answer["message"] and "2 .heic files were left out" in answer["message"]
    assert describe(answer["dataset"], registry.own_dir).class_names == ("cat", "dog")


@pytest.mark.parametrize("way", ["files", "zip"])
def test_files_are_prepared_anew_without_being_sent_again(client, registry, way):
    """Whatever was asked first, the set of the second form is that of sending the files with it."""
    files = PETS if way == "files" else [("pets.zip", zip_of(PETS))]
    first = send(client, files, "size=28&channels=1").json()
    second = again(client, first["upload"], size=32, channels=3, fit="squeeze")
    assert second.status_code == 201, second.text
    assert second.json()["upload"] == first["upload"] and second.json()["dataset"] != first["dataset"]
    sent = send(client, files, "size=32&channels=3&fit=squeeze").json()
    assert second.json() | {"upload": "", "token": ""} == sent | {"upload": "", "token": ""}
    assert len(load(sent["dataset"], "train", registry.own_dir).images) == 20
    back = again(client, first["upload"], size=28, channels=1, fit="crop").json()
    assert back["dataset"] == first["dataset"]


def test_the_files_that_new_ones_replace_are_let_go(client):
    first = send(client, NOISE).json()["upload"]
    refused = send(client, NOISE[:3], f"size=28&channels=1&replaces={first}")
    assert refused.status_code == 400 and again(client, first).status_code == 201  # the old ones are still there
    second = send(client, PETS, f"size=28&channels=1&replaces={first}").json()["upload"]
    gone = again(client, first)
    assert gone.status_code == 404 and "choose them again" in gone.json()["error"]
    assert again(client, second).status_code == 201


@pytest.mark.parametrize("body", [{}, {"upload": None}, {"upload": "x"}, {"upload": ["x"]}, {"upload": "../x"}])
def test_what_was_never_sent_cannot_be_prepared(client, body):
    answer = client.post(f"{BASE}/pictures/again", json=body)
    assert answer.status_code == 404 and "choose them again" in answer.json()["error"]


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"size": 1000}, "size"),
        ({"size": 36}, "size"),
        ({"size": [28]}, "size"),
        ({"size": None}, "size"),
        ({"channels": 2}, "channels"),
        ({"fit": "stretch"}, "crop, pad, squeeze"),
        ({"progress": "<b>"}, "progress"),
    ],
)
def test_odd_forms_are_refused_in_words(client, form, words):
    upload = send(client, NOISE).json()["upload"]
    query = "&".join(f"{name}={value}" for name, value in form.items())
    for answer in (again(client, upload, **form), send(client, NOISE, query)):
        assert answer.status_code == 400 and words in answer.json()["error"]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([("a.png", png(1))] * 3, "16"),
        ([(f"{i}.png", b"just text") for i in range(20)], ".png"),
        ([("x.zip", b"PK\x03\x04nonsense")], "zip"),
    ],
)
def test_bad_pictures_get_a_sentence_and_leave_nothing(client, registry, files, words):
    answer = send(client, files)
    assert answer.status_code == 400 and words in answer.json()["error"] and "Traceback" not in answer.text
    assert list(registry.own_dir.iterdir()) == []


@pytest.mark.parametrize("others", ["{}", "[1]", "[", "[" * 100_000])
def test_odd_lists_of_other_files_are_refused_in_words(client, others):
    answer = send(client, NOISE, others=others)
    assert answer.status_code == 400 and "left out" in answer.json()["error"]


def test_the_answer_tells_of_the_files_that_were_sent_now(client):
    """The same pictures may have been prepared before, with others beside them and under another title."""
    before = send(client, [("pets.zip", zip_of([*NOISE, ("x.png", b"no picture")]))]).json()
    now = send(client, [("more.zip", zip_of(NOISE))]).json()
    assert before["dataset"] == now["dataset"]
    assert [before["title"], before["skipped"]] == ["pets", 1] and "x.png" in before["message"]
    assert [now["title"], now["skipped"], now["message"]] == ["more", 0, "20 pictures."]


def test_files_beside_a_zip_are_named(client):
    made = send(client, [("pets.zip", zip_of(PETS))], others=json.dumps(["readme.pdf"])).json()
    assert made["title"] == "pets" and made["skipped"] == 1 and "1 .pdf file was left out" in made["message"]
    assert "1 .pdf file was left out" in again(client, made["upload"], size=32).json()["message"]


def test_strangers_send_nothing_where_only_the_owner_trains(registry):
    client = TestClient(app_of(registry, only_here=True))
    for answer in (send(client, NOISE), again(client, "x")):
        assert answer.status_code == 403
    assert send(client, NOISE, tokens=registry.master).status_code == 201


def test_boot_says_what_may_be_sent(client):
    told = client.get(f"{BASE}/boot").json()["pictures"]
    assert {".png", ".jpg", ".webp", ".avif"} <= set(told["suffixes"]) and {".csv", ".json"} <= set(told["sidecars"])
    assert (
        told["fits"] == ["crop", "pad", "squeeze"]
        and told["sizes"] == [28, 32, 40, 48, 56, 64]
        and told["most"] == 50_000
    )
    assert told["letters"] == 40 and told["preview"] == {"columns": 8, "most": 16}


# A run's zip -----------------------------------------------------------------------------------------------------


def test_the_zip_of_a_run_is_no_pictures(client, registry):
    run, _ = registry.create("dense", "mnist", {"batch": 4})
    zipped = client.get(f"{BASE}/runs/{run.id}/download/run.zip").content
    frames = [(f"frames/{i:08d}.png", png(i)) for i in range(20)]
    for data in (
        zipped,
        zip_of([("run.json", b"{}"), *frames]),
        zip_of([("x/run.json", b"{}")] + [("x/" + n, d) for n, d in frames]),
    ):
        answer = send(client, [("run.zip", data)])
        assert answer.status_code == 400 and "Bring back" in answer.json()["error"]
        assert "My runs" in answer.json()["error"]


# Who may do what -------------------------------------------------------------------------------------------------


def asked(client: Any, name: str, headers: dict[str, str]) -> list[int]:
    """The statuses of all that may be asked of a set, but for its end."""
    return [
        client.get(f"{BASE}/pictures/{name}", headers=headers).status_code,
        client.get(f"{BASE}/pictures/{name}/preview", headers=headers).status_code,
        client.post(f"{BASE}/pictures/{name}/classes", json={"classes": {"cat": "cats"}}, headers=headers).status_code,
    ]


def test_a_set_is_managed_with_its_own_token_or_the_masters(client, registry):
    made = send(client, PETS)
    name = made.json()["dataset"]
    for stranger in ({}, {"X-Owner": "x"}, owner(send(client, NOISE)), {"X-Owner": made.json()["upload"]}):
        assert asked(client, name, stranger) == [403, 403, 403]
        refused = client.delete(f"{BASE}/pictures/{name}", headers=stranger)
        assert refused.status_code == 403 and "prepared these pictures" in refused.json()["error"]
    for may in (owner(made), {"X-Owner": f"x,{made.json()['token']}"}, {"X-Owner": registry.master}):
        assert asked(client, name, may) == [200, 200, 201]
    card = client.get(f"{BASE}/pictures/{name}", headers=owner(made)).json()
    assert made.json() == card | {key: made.json()[key] for key in ("upload", "token", "fit")}
    assert made.json()["token"] not in "".join(p.read_text("utf-8") for p in registry.own_dir.glob("*.json"))


def test_names_that_are_none_are_not_found(client, registry):
    (registry.own_dir / "secret.safetensors").write_bytes(b"x")
    (registry.folder / "own-000000000000.safetensors").write_bytes(b"x")
    for name in ("own-000000000000", "secret", "own-x", "..%2fown-000000000000", "own-000000000000%0a"):
        for answer in (
            client.get(f"{BASE}/pictures/{name}", headers={"X-Owner": registry.master}),
            client.get(f"{BASE}/pictures/{name}/preview", headers={"X-Owner": registry.master}),
            client.delete(f"{BASE}/pictures/{name}", headers={"X-Owner": registry.master}),
        ):
            assert answer.status_code == 404, name
    assert (registry.own_dir / "secret.safetensors").exists()


def test_a_preview_shows_sixteen_pictures_as_they_are(client, registry):
    made = send(client, NOISE)
    answer = client.get(f"{BASE}/pictures/{made.json()['dataset']}/preview", headers=owner(made))
    sheet = np.asarray(Image.open(io.BytesIO(answer.content)))
    assert answer.headers["content-type"] == "image/png" and sheet.shape == (2 * 28, 8 * 28)
    tiles = {t.tobytes() for row in np.split(sheet, 2) for t in np.split(row, 8, axis=1)}
    kept = {picture.tobytes() for picture in load(made.json()["dataset"], "train", registry.own_dir).images.numpy()}
    assert len(tiles) == 16 and tiles <= kept


def test_classes_get_other_names_in_a_set_of_their_own(client, registry):
    made = send(client, PETS)
    name = made.json()["dataset"]
    answer = client.post(f"{BASE}/pictures/{name}/classes", json={"classes": {"cat": "kitten"}}, headers=owner(made))
    assert answer.status_code == 201 and answer.json()["classes"] == [["dog", 10], ["kitten", 10]]
    assert "upload" not in answer.json() and answer.json()["dataset"] != name
    assert asked(client, answer.json()["dataset"], owner(answer))[0] == 200
    assert client.get(f"{BASE}/pictures/{name}", headers=owner(made)).json()["classes"] == [["cat", 10], ["dog", 10]]


@pytest.mark.parametrize("classes", [None, [], "x", {"cat": 5}, {"cat": None}, {"bird": "x"}, {"cat": "", "dog": ""}])
def test_odd_classes_are_refused_in_words(client, classes):
    made = send(client, PETS)
    path = f"{BASE}/pictures/{made.json()['dataset']}/classes"
    answer = client.post(path, json={"classes": classes}, headers=owner(made))
    assert answer.status_code == 400 and answer.json()["error"].endswith(".")


# Several owners, and the end -------------------------------------------------------------------------------------


def test_a_set_goes_with_its_last_claim(client, registry):
    first, second = send(client, NOISE), send(client, NOISE)
    name = first.json()["dataset"]
    assert second.json()["dataset"] == name and second.json()["token"] != first.json()["token"]
    same = send(client, NOISE, tokens=first.json()["token"])
    assert same.json()["token"] == first.json()["token"]  # who claims it already gets no second claim
    assert client.delete(f"{BASE}/pictures/{name}", headers=owner(first)).status_code == 200
    assert asked(client, name, owner(first))[0] == 403
    assert client.delete(f"{BASE}/pictures/{name}", headers=owner(first)).status_code == 403
    assert client.get(f"{BASE}/pictures/{name}", headers=owner(second)).status_code == 200
    assert client.delete(f"{BASE}/pictures/{name}", headers=owner(second)).status_code == 200
    assert list(registry.own_dir.iterdir()) == []
    gone = client.get(f"{BASE}/pictures/{name}", headers=owner(second))
    assert gone.status_code == 404 and gone.json()["gone"] is True
    assert again(client, first.json()["upload"], size=28, channels=1).json()["dataset"] == name  # and back again


def test_the_master_removes_a_set_whoever_claims_it(client, registry):
    name = send(client, NOISE).json()["dataset"]
    assert client.delete(f"{BASE}/pictures/{name}", headers={"X-Owner": registry.master}).status_code == 200
    assert list(registry.own_dir.iterdir()) == []


def test_sets_without_claims_are_the_masters(client, registry):
    """Prepared from the command line, or by an older version; or its file of claims is damaged."""
    made = send(client, NOISE)
    name = made.json()["dataset"]
    for nonsense in (None, b"[", b"{}", b"5", b"\xff", b"[1, null]"):
        for path in registry.own_dir.glob("*.claims.json"):
            path.unlink() if nonsense is None else path.write_bytes(nonsense)
        if nonsense is not None:
            (registry.own_dir / f"{name}.claims.json").write_bytes(nonsense)
        assert asked(client, name, owner(made))[0] == 403
        assert asked(client, name, {"X-Owner": registry.master})[0] == 200


def test_what_the_command_line_prepared_outlives_a_strangers_claim(client, registry):
    """He has the same pictures, and may do with them what others may; the set is not his to remove."""
    name = prepare([(name, io.BytesIO(data)) for name, data in NOISE], Form(28, 1), registry.own_dir).name
    made = send(client, NOISE)
    assert made.json()["dataset"] == name and asked(client, name, owner(made))[0] == 200
    assert client.delete(f"{BASE}/pictures/{name}", headers=owner(made)).status_code == 200
    assert asked(client, name, owner(made))[0] == 403 and registry.prepared.path(name)
    assert client.delete(f"{BASE}/pictures/{name}", headers={"X-Owner": registry.master}).status_code == 200
    assert list(registry.own_dir.iterdir()) == []


DAMAGED = ("pets/cat/Anna Schmidt passport.jpg", b"no picture")


def test_nobody_is_told_of_anothers_files(client, registry):
    """Who prepares the same pictures as somebody before reads of his own files only, whatever is asked."""
    first = send(client, [*PETS, DAMAGED])
    assert first.json()["title"] == "pets" and "Anna Schmidt" in first.json()["message"]
    second = send(client, [(name.replace("pets", "zoo"), data) for name, data in PETS])
    name = first.json()["dataset"]
    assert second.json()["dataset"] == name and second.json()["title"] == "zoo"
    for who, title, said in ((first, "pets", True), (second, "zoo", False)):
        card = client.get(f"{BASE}/pictures/{name}", headers=owner(who)).json()
        change = {"classes": {"cat": "kitten"}}
        edited = client.post(f"{BASE}/pictures/{name}/classes", json=change, headers=owner(who))
        assert card["classes"] == [["cat", 10], ["dog", 10]]
        for told in (card, edited.json()):
            assert told["title"] == title and told["skipped"] == int(said) and ("Anna" in told["message"]) is said
        body = {"recipe": "dense", "dataset": name, "changes": {"batch": 4, "total_steps": 1}}
        run = registry.get(client.post(f"{BASE}/runs", json=body, headers=owner(who)).json()["id"])
        assert run.meta.dataset_title == title and title in run.meta.title
        run.join(PATIENCE)
    for file in registry.own_dir.glob("own-*.safetensors"):
        assert b"Anna" not in file.read_bytes() and b"pets" not in file.read_bytes()
    assert describe(name, registry.own_dir).title == "Own pictures"


def test_a_watchers_fork_does_not_learn_what_the_pictures_are_called_by_others(client, registry, trained):
    fork = client.post(f"{BASE}/runs/{trained[2].id}/fork", json={}).json()["id"]
    assert trained[2].meta.dataset_title == "pets" and registry.get(fork).meta.dataset_title == "Own pictures"


def test_what_the_command_line_prepared_keeps_its_name_for_its_owner(client, registry):
    files = [(name, io.BytesIO(data)) for name, data in PETS]
    name = prepare(files, Form(28, 1), registry.own_dir, title="holiday").name
    assert registry.create("dense", name, {"batch": 4})[0].meta.dataset_title == "holiday"
    made = send(client, [(name.replace("pets", "zoo"), data) for name, data in PETS])
    assert made.json()["dataset"] == name
    for token, title in ((made.json()["token"], "zoo"), (registry.master, "holiday")):
        assert client.get(f"{BASE}/pictures/{name}", headers={"X-Owner": token}).json()["title"] == title
        assert registry.create("dense", name, {"batch": 4}, tokens=[token])[0].meta.dataset_title == title


def test_claims_of_older_versions_stay_and_tell_nothing_of_files(client, registry):
    """They were a list of hashes, and the set's file held what was said to the first."""
    files = [(name, io.BytesIO(data)) for name, data in (*PETS, DAMAGED)]
    name = prepare(files, Form(28, 1), registry.own_dir).name
    (registry.own_dir / f"{name}.claims.json").write_text(json.dumps([hash_of("mine")]))
    card = client.get(f"{BASE}/pictures/{name}", headers={"X-Owner": "mine"}).json()
    assert card["title"] == "Own pictures" and card["classes"] == [["cat", 10], ["dog", 10]]
    assert card["message"] == "20 pictures, 2 classes: cat (10), dog (10)."
    assert send(client, PETS, tokens="mine").json()["token"] == "mine"
    assert client.get(f"{BASE}/pictures/{name}", headers={"X-Owner": "mine"}).json()["title"] == "pets"


@pytest.mark.parametrize("stored", [None, "{", '{"count": 1e999}'])
def test_a_set_that_says_nothing_of_itself_is_counted(client, registry, stored):
    """One of an older version, or damaged."""
    made = send(client, PETS).json()
    path = registry.own_dir / f"{made['dataset']}.safetensors"
    words = {"title": "older", "classes": '["cat", "dog"]'} | ({"summary": stored} if stored else {})
    write_pictures(path, [split_of(part) for part in read_splits(path, path.stem)], words)
    card = client.get(f"{BASE}/pictures/{path.stem}", headers={"X-Owner": registry.master}).json()
    assert (card["title"], card["classes"]) == ("older", [["cat", 10], ["dog", 10]])
    assert card["message"] == "20 pictures, 2 classes: cat (10), dog (10)."


def test_other_pictures_of_the_same_short_name_are_not_claimed(client, registry):
    """48 bits of a hash can be hit on purpose."""
    made = send(client, PETS).json()
    path = registry.own_dir / f"{made['dataset']}.safetensors"
    other = read_pictures(path, path.stem)
    other.images.fill_(7)
    write_pictures(path, [split_of(other)], {"classes": '["cat", "dog"]'})
    before = (registry.own_dir / f"{path.stem}.claims.json").read_bytes()
    refused = send(client, PETS)
    assert refused.status_code == 400 and "Other pictures are stored here" in refused.json()["error"]
    assert (registry.own_dir / f"{path.stem}.claims.json").read_bytes() == before


def test_deleting_says_whether_the_pictures_are_gone_and_takes_the_files_along(client, registry):
    first, second = send(client, NOISE), send(client, NOISE)
    path = f"{BASE}/pictures/{first.json()['dataset']}"
    load(first.json()["dataset"], "train", registry.own_dir)
    assert any(str(registry.own_dir) in key for key in loaded)
    for made, removed in ((first, False), (second, True)):
        upload = made.json()["upload"]
        answer = client.delete(f"{path}?upload={upload}", headers=owner(made))
        assert answer.status_code == 200 and answer.json() == {"removed": removed}
        assert again(client, upload, size=28, channels=1).status_code == 404
    assert not any(str(registry.own_dir) in key for key in loaded)


def test_whoever_knows_only_a_sets_name_starts_no_run_on_it(client, registry):
    made = send(client, NOISE)
    body = {"recipe": "dense", "dataset": made.json()["dataset"], "changes": {"batch": 4, "total_steps": 1}}
    for stranger in ({}, {"X-Owner": "x"}, owner(send(client, PETS)), {"X-Owner": made.json()["upload"]}):
        refused = client.post(f"{BASE}/runs", json=body, headers=stranger)
        assert refused.status_code == 403 and "prepared these pictures" in refused.json()["error"]
    for who in (owner(made), {"X-Owner": registry.master}):
        started = client.post(f"{BASE}/runs", json=body, headers=who)
        assert started.status_code == 201
        registry.get(started.json()["id"]).join(PATIENCE)


def test_runs_of_others_do_not_keep_a_set_from_its_owner(client, registry, trained):
    """They are stopped, and say what they need."""
    made, started, run = trained
    fork = client.post(f"{BASE}/runs/{run.id}/fork", json={"changes": {"total_steps": 10**6}})
    theirs = registry.get(fork.json()["id"])
    until(lambda: theirs.latest is not None and theirs.status == "running")
    answer = client.delete(f"{BASE}/pictures/{made.json()['dataset']}", headers=both(made, started))
    assert answer.status_code == 200 and answer.json() == {"removed": True}
    theirs.join(PATIENCE)
    assert theirs.status == "stopped" and "Prepare the same files again" in theirs.needs
    assert [path.name for path in registry.own_dir.iterdir()] == []


def test_pictures_that_a_run_trains_on_are_not_deleted(client, registry):
    made = send(client, NOISE)
    name, other = made.json()["dataset"], send(client, NOISE)
    body = {"recipe": "dense", "dataset": name, "changes": {"batch": 4, "total_steps": 10**6}}
    started = client.post(f"{BASE}/runs", json=body, headers=owner(made))
    run = registry.get(started.json()["id"])
    until(lambda: run.latest is not None)
    assert client.delete(f"{BASE}/pictures/{name}", headers=owner(other)).status_code == 200  # a claim only
    for who in (both(made, started), {"X-Owner": registry.master}):
        refused = client.delete(f"{BASE}/pictures/{name}", headers=who)
        assert refused.status_code == 409 and "training on these pictures" in refused.json()["error"]
    client.post(f"{BASE}/runs/{run.id}/command", json={"command": "stop"}, headers=owner(started))
    run.join(PATIENCE)
    assert client.delete(f"{BASE}/pictures/{name}", headers=owner(made)).status_code == 200
    assert "20 pictures, 28 × 28, grey" in client.get(f"{BASE}/runs/{run.id}").json()["needs"]


def test_runs_on_own_pictures_are_shown_only_where_somebody_says_so(client, registry):
    made = send(client, NOISE)
    body = {"recipe": "dense", "dataset": made.json()["dataset"], "changes": {"batch": 4, "total_steps": 10**6}}
    answer = client.post(f"{BASE}/runs", json=body, headers=owner(made))
    run_id, mine = answer.json()["id"], owner(answer)

    def is_shown(run_id: str) -> bool:
        return client.get(f"{BASE}/runs/{run_id}").json()["shown"]

    assert not is_shown(run_id)
    assert run_id not in client.post(f"{BASE}/runs", json={"recipe": "dense"}).text
    until(
        lambda: client.get(f"{BASE}/runs/{run_id}").json()["checkpoint_step"] is not None
    )  # nothing to fork before that
    fork = client.post(f"{BASE}/runs/{run_id}/fork", json={}, headers=mine).json()["id"]
    assert not is_shown(fork)
    assert client.patch(f"{BASE}/runs/{run_id}", json={"shown": True}).status_code == 403
    with_claim = {"X-Owner": f"{mine['X-Owner']},{made.json()['token']}"}
    assert client.patch(f"{BASE}/runs/{run_id}", json={"shown": True}, headers=with_claim).json()["shown"] is True
    assert client.patch(f"{BASE}/runs/{run_id}", json={"shown": False}, headers=mine).json()["shown"] is False

    def stop_all() -> None:
        for run in registry.all():
            client.post(f"{BASE}/runs/{run.id}/command", json={"command": "stop"}, headers={"X-Owner": registry.master})
            run.join(PATIENCE)

    stop_all()
    others = client.post(f"{BASE}/runs/{run_id}/fork", json={})  # by somebody who has the link
    refused = client.patch(f"{BASE}/runs/{others.json()['id']}", json={"shown": True}, headers=owner(others))
    assert refused.status_code == 403 and not is_shown(others.json()["id"])
    stop_all()
    asked = client.post(f"{BASE}/runs", json=body | {"shown": True}, headers=owner(made)).json()["id"]
    assert is_shown(asked)


# Progress, and visitors who leave --------------------------------------------------------------------------------


@pytest.fixture
def server(registry: Runs) -> Iterator[uvicorn.Server]:
    with listening(app_of(registry)) as server:
        yield server


def slow_pictures() -> bytes:
    """The body of a request with 6,000 pictures that weigh little and take many seconds to decode."""
    out = io.BytesIO()
    Image.new("RGB", (1000, 1000), "red").save(out, "PNG")
    data = zip_of([(f"{i}.png", out.getvalue()) for i in range(6000)])
    head = b'--x\r\nContent-Disposition: form-data; name="f"; filename="a.zip"\r\n\r\n'
    return head + data + b"\r\n--x--\r\n"


def sending(server: uvicorn.Server, key: str, body: bytes) -> socket.socket:
    head = f"POST {BASE}/pictures?progress={key} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
    line = socket.create_connection(("127.0.0.1", port_of(server)))
    line.sendall(head.encode() + b"Content-Type: multipart/form-data; boundary=x\r\n\r\n" + body)
    return line


def said(server: uvicorn.Server, key: str) -> str:
    return httpx.get(f"http://127.0.0.1:{port_of(server)}{BASE}/pictures/progress/{key}").json()["said"]


@pytest.mark.thorough
def test_progress_is_told_and_whoever_leaves_stops_the_preparing(server, registry, caplog):
    """The second waits for the first; nothing of either is left when both have gone."""
    body = slow_pictures()
    with sending(server, "first-key", body):
        until(lambda: "of 6,000 pictures read" in said(server, "first-key"))
        with sending(server, "second-key", body):
            until(lambda: "read first" in said(server, "second-key"))
            with sending(server, "third-key", body):
                until(lambda: "read first" in said(server, "third-key"))
            until(lambda: said(server, "third-key") == "")  # who leaves while waiting leaves at once
            assert "of 6,000 pictures read" in said(server, "first-key")
    until(lambda: said(server, "first-key") == said(server, "second-key") == "")
    until(lambda: not server.server_state.tasks)
    assert list(registry.own_dir.iterdir()) == []
    assert [record for record in caplog.records if record.exc_info] == []
    made = httpx.post(f"http://127.0.0.1:{port_of(server)}{BASE}/pictures", files=[("f", f) for f in NOISE])
    assert made.status_code == 201  # the next one's turn comes


def test_nothing_is_said_under_unknown_keys(client):
    """Nor is that an error: a page asks until it has its answer."""
    answer = client.get(f"{BASE}/pictures/progress/abcdefgh")
    assert answer.status_code == 200 and answer.json() == {"said": ""}


def test_names_of_files_that_were_not_sent_are_enough_for_a_sentence(client):
    others = json.dumps([f"IMG_{i}.CR2" for i in range(200)])
    answer = client.post(f"{BASE}/pictures", files={"others": (None, others)})
    assert answer.status_code == 400 and "200 .cr2 files were left out" in answer.json()["error"]


# Own pictures and runs, on another server ------------------------------------------------------------------------


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Runs]:
    runs = Runs(tmp_path / "elsewhere", limit=1)
    yield runs
    runs.close()


@pytest.fixture
def trained(client, registry):
    """(the answer to sending the pictures, that to starting the run, the run), done after 60 steps."""
    made = send(client, PETS)
    body = {"recipe": "dense", "dataset": made.json()["dataset"], "changes": {"batch": 4, "total_steps": 60}}
    started = client.post(f"{BASE}/runs", json=body, headers=owner(made))
    run = registry.get(started.json()["id"])
    run.join(PATIENCE)
    return made, started, run


def both(*answers: Any) -> dict[str, str]:
    """Who holds the tokens of all these."""
    return {"X-Owner": ",".join(answer.json()["token"] for answer in answers)}


def bring(client: Any, data: bytes, headers: dict[str, str] | None = None) -> Any:
    return client.post(f"{BASE}/runs/import", content=data, headers=headers)


def goes_on(client: Any, runs: Runs, made: Any) -> None:
    """A run that was brought back learns further."""
    longer = {"command": "resume", "total_steps": 80}
    answer = client.post(f"{BASE}/runs/{made.json()['id']}/command", json=longer, headers=owner(made))
    assert answer.status_code == 200, answer.text
    run = runs.get(made.json()["id"])
    run.join(PATIENCE)
    assert run.latest.numbers["status"] == "finished" and run.checkpoint_step() == 80


def moment_of(client: Any, run_id: str) -> dict[str, Any]:
    return answer_of(client.get(f"{BASE}/runs/{run_id}/follow").content)[0]["snapshot"]


def test_a_run_on_own_pictures_comes_back_without_them(client, elsewhere, trained):
    """It can be watched and downloaded, says what continuing needs, and goes on when the same files are prepared."""
    dataset, run = trained[0].json()["dataset"], trained[2]
    epoch = moment_of(client, run.id)["epoch"]
    zipped = client.get(f"{BASE}/runs/{run.id}/download/run.zip").content
    assert not any("pictures" in name for name in zipfile.ZipFile(io.BytesIO(zipped)).namelist())
    there = TestClient(app_of(elsewhere))
    made = bring(there, zipped)
    assert made.status_code == 201 and made.json()["pictures_token"] == "", made.text
    again, headers = made.json()["id"], owner(made)
    shown = moment_of(there, again)
    assert (shown["status"], shown["step"], shown["epoch"]) == ("finished", 60, epoch)
    assert there.get(f"{BASE}/runs/{again}/frames/0").status_code == 200
    for what in ("weights.safetensors", "history.csv", "timelapse.gif", "run.zip"):
        assert there.get(f"{BASE}/runs/{again}/download/{what}").status_code == 200, what
    info = there.get(f"{BASE}/runs/{again}", headers=headers).json()
    assert "“pets”" in info["needs"] and "20 pictures, 28 × 28, grey" in info["needs"] and info["pictures_bytes"] == 0
    longer = {"command": "resume", "total_steps": 80}
    for path, asked in ((f"runs/{again}/command", longer), (f"runs/{again}/fork", {})):
        refused = there.post(f"{BASE}/{path}", json=asked, headers=headers)
        assert refused.status_code == 400 and refused.json()["error"] == info["needs"]
    refused = there.get(f"{BASE}/runs/{again}/download/run.zip?pictures=1", headers=headers)
    assert refused.status_code == 400 and "not here" in refused.json()["error"]
    assert there.get(f"{BASE}/runs/{again}").json()["status"] == "finished"
    assert send(there, PETS).json()["dataset"] == dataset
    assert there.get(f"{BASE}/runs/{again}").json()["needs"] == ""
    goes_on(there, elsewhere, made)


def test_a_zip_that_only_names_pictures_gives_no_right_to_them(client, registry, trained):
    """They are here and somebody's: whoever brings the run back needs a claim on them."""
    sent, _, run = trained
    before = {path.name for path in registry.folder.iterdir()}
    zipped = client.get(f"{BASE}/runs/{run.id}/download/run.zip").content
    refused = bring(client, zipped)
    assert refused.status_code == 403 and "Only who prepared these pictures" in refused.json()["error"]
    assert {path.name for path in registry.folder.iterdir()} == before
    assert bring(client, zipped, owner(sent)).status_code == 201


def test_a_run_takes_its_pictures_along(client, registry, elsewhere, trained):
    sent, started, run = trained
    size = client.get(f"{BASE}/runs/{run.id}", headers=both(sent, started)).json()["pictures_bytes"]
    file = registry.own_dir / f"{sent.json()['dataset']}.safetensors"
    assert size == file.stat().st_size
    zipped = client.get(f"{BASE}/runs/{run.id}/download/run.zip?pictures=1", headers=both(sent, started)).content
    assert zipfile.ZipFile(io.BytesIO(zipped)).read("pictures.safetensors") == file.read_bytes()
    there = TestClient(app_of(elsewhere))
    made = bring(there, zipped)
    assert made.status_code == 201, made.text
    assert there.get(f"{BASE}/runs/{made.json()['id']}").json()["needs"] == ""
    assert (elsewhere.own_dir / file.name).read_bytes() == file.read_bytes()
    assert not list(elsewhere.folder.glob("*/pictures.safetensors"))
    card = there.get(f"{BASE}/pictures/{file.stem}", headers={"X-Owner": made.json()["pictures_token"]})
    assert card.status_code == 200 and card.json()["title"] == "pets"
    goes_on(there, elsewhere, made)
    second = bring(there, zipped)  # where they are there already
    assert second.status_code == 201 and second.json()["pictures_token"] != made.json()["pictures_token"]


def test_pictures_leave_only_with_who_prepared_them(client, registry, trained):
    """A watcher may go on from a run in one of his own, which he controls: the pictures do not follow him."""
    sent, started, run = trained
    fork = client.post(f"{BASE}/runs/{run.id}/fork", json={})
    client.post(f"{BASE}/runs/{fork.json()['id']}/command", json={"command": "stop"}, headers=owner(fork))
    registry.get(fork.json()["id"]).join(PATIENCE)
    watchers = [(run.id, {}), (run.id, owner(started)), (run.id, owner(sent)), (fork.json()["id"], owner(fork))]
    for run_id, headers in watchers:
        refused = client.get(f"{BASE}/runs/{run_id}/download/run.zip?pictures=1", headers=headers)
        assert refused.status_code == 403 and "prepared its pictures" in refused.json()["error"]
        assert client.get(f"{BASE}/runs/{run_id}", headers=headers).json()["pictures_bytes"] == 0
    master = client.get(f"{BASE}/runs/{run.id}/download/run.zip?pictures=1", headers={"X-Owner": registry.master})
    assert master.status_code == 200


def test_pictures_too_large_for_a_zip_are_named(client, trained, monkeypatch):
    sent, started, run = trained
    monkeypatch.setattr("gan.runs.archive.MOST_PICTURES_BYTES", 1000)
    refused = client.get(f"{BASE}/runs/{run.id}/download/run.zip?pictures=1", headers=both(sent, started))
    assert refused.status_code == 400 and "Keep the files" in refused.json()["error"]


def test_a_run_on_a_shipped_data_set_has_no_pictures_to_take_along(client, registry):
    run, token = registry.create("dense", "mnist", {"batch": 4})
    headers = {"X-Owner": f"{token},{registry.master}"}
    assert client.get(f"{BASE}/runs/{run.id}", headers=headers).json()["pictures_bytes"] == 0
    answer = client.get(f"{BASE}/runs/{run.id}/download/run.zip?pictures=1", headers=headers)
    assert answer.status_code == 400 and answer.json()["error"].endswith(".")


def test_only_a_yes_takes_the_pictures_along(client, trained):
    for query in ("", "?pictures=", "?pictures=0", "?pictures=false"):
        zipped = client.get(f"{BASE}/runs/{trained[2].id}/download/run.zip{query}", headers=both(*trained[:2])).content
        assert "pictures.safetensors" not in zipfile.ZipFile(io.BytesIO(zipped)).namelist()


class Meanwhile(io.BytesIO):
    """A file at whose first byte something happens."""

    def __init__(self, happens: Callable[[], None]) -> None:
        super().__init__()
        self._happens = [happens]

    def write(self, data: Any) -> int:
        while self._happens:
            self._happens.pop()()
        return super().write(data)


def test_a_run_that_trains_while_it_is_packed_comes_back(client, registry, trained):
    """No frame is spoken of that came too late to be packed."""
    history = History(trained[2].folder)
    frame = history.frame_path(history.frames[-1]["step"]).read_bytes()

    def one_more() -> None:
        history.add_frame(61, frame, [0.0] * 40, [0.0] * 16)
        history.flush()

    out = Meanwhile(one_more)
    pack(trained[2].folder, out)
    assert history.frames[-1]["step"] == 61
    assert bring(client, out.getvalue(), owner(trained[0])).status_code == 201


def test_a_frame_that_is_not_in_a_zip_is_said_to_be_missing(client, registry, trained):
    zipped = zipfile.ZipFile(io.BytesIO(client.get(f"{BASE}/runs/{trained[2].id}/download/run.zip").content))
    refused = bring(client, zip_of([(n, zipped.read(n)) for n in zipped.namelist() if not n.startswith("frames/")]))
    assert refused.status_code == 400 and refused.json()["error"] == "The frame of step 0 is missing in this zip."


def rezipped(data: bytes, pictures: bytes) -> bytes:
    old = zipfile.ZipFile(io.BytesIO(data))
    files = [(name, old.read(name)) for name in old.namelist() if name != "pictures.safetensors"]
    return zip_of([*files, ("pictures.safetensors", pictures)])


def test_hostile_pictures_in_a_zip_are_refused_and_leave_nothing(client, elsewhere, trained, monkeypatch):
    sent, started, run = trained
    zipped = client.get(f"{BASE}/runs/{run.id}/download/run.zip?pictures=1", headers=both(sent, started)).content
    real = zipfile.ZipFile(io.BytesIO(zipped)).read("pictures.safetensors")
    there, flipped, header = TestClient(app_of(elsewhere)), bytearray(real), bytearray(real)
    flipped[-1] ^= 1
    header[9] ^= 1
    other = real.replace(b"cat", b"cow")
    before = sorted(p.name for p in elsewhere.folder.rglob("*"))
    for pictures in (b"", b"x" * 100, real[:-1], real + b"x", bytes(flipped), bytes(header), other, b"\x80\x02pickle"):
        refused = bring(there, rezipped(zipped, pictures))
        assert refused.status_code == 400 and "pictures" in refused.json()["error"], refused.text
        assert sorted(p.name for p in elsewhere.folder.rglob("*")) == before
    monkeypatch.setattr("gan.runs.archive.MOST_PICTURES_BYTES", len(real) - 1)
    refused = bring(there, zipped)
    assert refused.status_code == 400 and "larger than" in refused.json()["error"]
    assert sorted(p.name for p in elsewhere.folder.rglob("*")) == before


def test_pictures_of_a_run_that_cannot_be_opened_are_not_kept(client, elsewhere, trained, monkeypatch):
    sent, started, run = trained
    zipped = client.get(f"{BASE}/runs/{run.id}/download/run.zip?pictures=1", headers=both(sent, started)).content
    monkeypatch.setattr(elsewhere, "adopt", lambda *a, **k: (_ for _ in ()).throw(OSError(28, "No space left")))
    assert bring(TestClient(app_of(elsewhere)), zipped).status_code == 507
    assert list(elsewhere.own_dir.iterdir()) == []
