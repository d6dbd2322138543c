"""What visitors send: where it waits, what is said when there is no room, and when they leave meanwhile."""

from __future__ import annotations

import io
import itertools
import json
import logging
import random
import socket
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvicorn
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.testclient import TestClient

from gan.core.paths import ROOT
from gan.data.catalog import DataError
from gan.runs.errors import NotFound
from gan.runs.registry import Runs
from gan.web import middleware
from gan.web.access import Access
from gan.web.routes import uploads
from gan.web.routes.answers import BASE, routes_of
from gan.web.routes.kept_uploads import KEPT_SECONDS, MOST_KEPT, KeptUploads
from gan.web.routes.pictures import PictureRoutes
from gan.web.routes.register import run_tables
from gan.web.routes.uploads import FILE_WEIGHT, Upload, is_zip, receive_files
from tests.conftest import completed, listening, port_of, until

pytestmark = pytest.mark.slow

# Run where TMPDIR is a disk of a few megabytes: a zip of own pictures is sent there, its size in megabytes given.
_IN_SMALL_ROOM = f"""
import json, os, sys
from pathlib import Path
from starlette.applications import Starlette
from starlette.testclient import TestClient
from gan.runs.registry import Runs
from gan.web.access import Access
from gan.web.routes.answers import routes_of
from gan.web.routes.register import run_tables
from tests.web.test_uploads import zip_of
access = Access(Runs(Path(sys.argv[1]), limit=1))
client = TestClient(Starlette(routes=routes_of(*run_tables(access))))
for megabytes in (10, 9, 20):
    files = {{"f": ("a.zip", zip_of(megabytes))}}
    answer = client.post("{BASE}/pictures?size=28&channels=1", files=files)
    print(json.dumps([answer.status_code, answer.json(), os.listdir(os.environ["TMPDIR"])]))
assert client.post("{BASE}/pictures", files={{"f": ("a.zip", zip_of(9))}}).status_code == 201
for megabytes in (20, 10):
    answer = client.post("{BASE}/runs/import", content=zip_of(megabytes))
    print(json.dumps([answer.status_code, answer.json(), os.listdir(os.environ["TMPDIR"])]))
"""
_MOUNT = "mount -t tmpfs -o size=14m tmpfs $TMPDIR"


def zip_of(megabytes: int) -> bytes:
    """16 pictures of noise, stored as they are, in a zip that weighs about so much."""
    side = int((megabytes * 2**20 / 16 / 3) ** 0.5)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for i in range(16):
            noise = np.random.default_rng(i).integers(0, 256, (side, side, 3), dtype=np.uint8)
            picture = io.BytesIO()
            Image.fromarray(noise).save(picture, "BMP")
            z.writestr(f"{i}.bmp", picture.getvalue())
    return out.getvalue()


def in_small_room(tmp_path: Path, command: list[str]) -> subprocess.CompletedProcess:
    room = tmp_path / "room"
    room.mkdir(exist_ok=True)
    env = {"TMPDIR": str(room), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": str(ROOT)}
    inside = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", f'{_MOUNT} && exec "$@"', "sh", *command]
    return subprocess.run(inside, capture_output=True, text=True, env=env, cwd=ROOT)


def test_what_is_sent_lies_on_the_disk_once_and_a_full_one_is_named(tmp_path: Path) -> None:
    try:
        if in_small_room(tmp_path, ["true"]).returncode:
            pytest.skip("this machine lets nobody mount a small disk")
    except FileNotFoundError:
        pytest.skip("this machine has no unshare")
    done = in_small_room(tmp_path, [sys.executable, "-c", _IN_SMALL_ROOM, str(tmp_path / "runs")])
    assert done.returncode == 0, done.stderr
    fits, next_one, full, run, small_run = map(json.loads, done.stdout.splitlines())
    assert fits[0] == 201 and fits[1]["count"] == 16 and fits[2] == []  # twice would not fit
    assert next_one[0] == 201  # the files of the first are let go for it
    assert small_run[0] == 400 and "not a run of ours" in small_run[1]["error"]  # arrived, as kept files were let go
    for status, answer, left in (full, run):
        assert status == 507 and f"{tmp_path / 'room'} is full" in answer["error"] and "TMPDIR" in answer["error"]
        assert left == []


# The files of one request ----------------------------------------------------------------------------------------


def multipart(parts: list[tuple[str, str | None, bytes]], end: bytes = b"--x--\r\n") -> bytes:
    """(name of the field, name of the file, content) of each part, as a browser writes them; its boundary is x."""
    body = []
    for field, name, content in parts:
        file = "" if name is None else f'; filename="{name}"'
        head = f'--x\r\nContent-Disposition: form-data; name="{field}"{file}\r\nContent-Type: a/b\r\n\r\n'
        body += [head.encode(), content, b"\r\n"]
    return b"".join([*body, end])


def in_pieces(body: bytes, most: int = 1 << 16, seed: int = 0) -> list[bytes]:
    rng, pieces, at = random.Random(seed), [], 0
    while at < len(body):
        pieces.append(body[at : at + rng.randint(1, most)])
        at += len(pieces[-1])
    return pieces


def arrived(pieces: Iterable[bytes], kind: str = "multipart/form-data; boundary=x") -> Upload:
    """What the server makes of a body that comes in these pieces."""
    coming = iter(pieces)

    async def receive() -> dict[str, Any]:
        piece = next(coming, None)
        return {"type": "http.request", "body": piece or b"", "more_body": piece is not None}

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [(b"content-type", kind.encode())]}
    return completed(receive_files(Request(scope, receive), lambda: False))


CONTENT = st.binary(max_size=200) | st.sampled_from(
    [b"\r\n--", b"\r\n--y", b"--x", b"\r", b"\n" * 70_000, b"--" * 40_000]
)
NAMES = st.text(st.characters(exclude_characters='"\\%\r\n\0', exclude_categories=("Cs",)), min_size=1, max_size=40)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(NAMES, CONTENT), min_size=1, max_size=12), st.integers(1, 50_000), st.integers(0, 9))
def test_files_arrive_as_they_were_sent_however_the_body_is_cut(files: list, most: int, seed: int) -> None:
    files = [(name if not is_zip(name) else "a.png", content) for name, content in files]
    parts = [("files", name, content) for name, content in files] + [("others", None, '["ä.heic"]'.encode())]
    upload = arrived(in_pieces(multipart(parts), most, seed))
    assert [(name, part.read()) for name, part in upload] == files
    assert upload.fields == {"others": '["ä.heic"]'} and len(upload.files) == len(files)
    upload.drop()


def test_files_can_be_read_by_several_at_once() -> None:
    """Each part has a place of its own in the one file."""
    parts = [("files", f"pets/{i}.png", bytes([i]) * 100_000) for i in range(8)]
    upload = arrived(in_pieces(multipart(parts)))

    def read(part: Any) -> bytes:
        return b"".join(iter(lambda: part.read(997), b""))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(read, [part for _, part in upload])) == [content for *_, content in parts]
    upload.drop()


@pytest.mark.parametrize("cut", [3, 5, 40, 200])
def test_a_body_that_ends_too_early_is_said(cut: int) -> None:
    with pytest.raises(DataError, match="did not arrive completely"):
        arrived([multipart([("f", "a.png", b"abc" * 50), ("f", "b.png", b"abc" * 50)])[:-cut]])


@pytest.mark.parametrize(
    ("kind", "body", "words"),
    [
        ("text/plain", b"hello", "No file arrived"),
        ("multipart/form-data", b"hello", "No file arrived"),
        ("multipart/form-data; boundary=", b"hello", "No file arrived"),
        ("multipart/form-data; boundary=x", b"hello", "did not arrive completely"),
        (f"multipart/form-data; boundary={'x' * 5000}", b"hello", "did not arrive completely"),
        ("multipart/form-data; boundary=x", multipart([]), "No file arrived"),
        ("multipart/form-data; boundary=x", multipart([("f", "", b"")]), "No file arrived"),
        ("multipart/form-data; boundary=x", multipart([("others", None, b"[]")]), "No file arrived"),
        ("multipart/form-data; boundary=x", b"--x\r\n" + b"A: " + b"y" * 100_000, "did not arrive completely"),
    ],
)
def test_bodies_without_files_are_refused_in_words(kind: str, body: bytes, words: str) -> None:
    with pytest.raises(DataError, match=words):
        arrived([body], kind)


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_no_body_is_answered_with_anything_but_words(data: st.DataObject) -> None:
    body = bytearray(multipart([("files", "a/1.png", b"abc" * 50), ("others", None, b"[]"), ("f", "b.png", b"")]))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    try:
        upload = arrived(in_pieces(bytes(body), 60))
        assert all(0 <= s.offset <= s.offset + s.length <= upload.length for s in upload.files)
        upload.drop()
    except DataError:
        pass


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["a.zip", "b.ZIP"], "One .zip at a time"),
        (["a.zip", "b.png"], "comes alone"),
        (["b.png", "a.zip"], "comes alone"),
    ],
)
def test_a_zip_comes_alone(names: list[str], words: str) -> None:
    with pytest.raises(DataError, match=words):
        arrived([multipart([("f", name, b"abc") for name in names])])


def test_limits_of_one_request(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = [("f", f"{i}.png", b"abc") for i in range(5)]
    monkeypatch.setattr(uploads, "MOST_FILES", 5)
    arrived([multipart(parts)]).drop()
    with pytest.raises(DataError, match="More than 5 files at once"):
        arrived([multipart([*parts, ("f", "one more.png", b"abc")])])
    monkeypatch.setattr(uploads, "MOST_FIELD_BYTES", 99)
    arrived([multipart([*parts, ("others", None, b"y" * 99)])]).drop()
    with pytest.raises(DataError, match="left out"):
        arrived([multipart([*parts, ("others", None, b"y" * 50), ("others", None, b"y" * 50)])])
    monkeypatch.setattr(uploads, "MOST_HEADER_BYTES", 300)
    with pytest.raises(DataError, match="names of the files are too long"):
        arrived([multipart(parts)])


def test_many_files_take_no_memory_of_their_own() -> None:
    """6,000 of 4 kB, 24 MB together: what is held is where they lie, and the piece that is being written."""
    parts = (multipart([("files", f"pets/cat/{i:05d}.png", b"y" * 4096)], b"") for i in range(6_000))
    tracemalloc.start()
    upload = arrived(itertools.chain(parts, [b"--x--\r\n"]))
    held, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(upload.files) == 6_000 and upload.length == 6_000 * 4096
    assert held < FILE_WEIGHT * 6_000 + upload.header_bytes and most < held + (5 << 20)
    upload.drop()


# Kept for a while ------------------------------------------------------------------------------------------------


class _Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def _some(megabytes: int) -> Upload:
    upload = Upload()
    upload.files.append(uploads.Sent("a.png", 0, 3))
    upload.write(b"abc")
    upload.length = megabytes << 20
    return upload


def test_kept_files_go_half_an_hour_after_their_last_use() -> None:
    async def story() -> None:
        clock = _Clock()
        kept = KeptUploads(clock)
        a, b = await _some(1), await _some(1)
        first, second = kept.keep(a), kept.keep(b)
        clock.now = KEPT_SECONDS - 1
        assert kept.get(first) is a
        clock.now = KEPT_SECONDS + 1
        assert kept.get(first) is a and b.file.closed
        for gone in (second, "", "x", first + "x"):
            with pytest.raises(NotFound, match="choose them again"):
                kept.get(gone)
        kept.drop(first)
        assert a.file.closed

    completed(story())


def test_too_many_kept_files_drop_the_oldest_and_never_what_is_read() -> None:
    async def story() -> None:
        kept, sent = KeptUploads(_Clock()), [await _some(400) for _ in range(3)]
        keys = [kept.keep(upload) for upload in sent[:2]]
        kept.get(keys[0])  # used again, so the second is the oldest
        with sent[1].held():
            kept.keep(sent[2])
            assert not sent[1].file.closed and next(iter(sent[1]))[1].read() == b"abc"
        assert [upload.file.closed for upload in sent] == [False, True, False]
        with pytest.raises(DataError), sent[1].held():
            pass
        while kept.drop_oldest():
            pass
        assert all(upload.file.closed for upload in sent)
        many = [kept.keep(await _some(0)) for _ in range(MOST_KEPT + 1)]
        with pytest.raises(NotFound):
            kept.get(many[0])
        assert kept.get(many[1])

    completed(story())


# Visitors who leave ----------------------------------------------------------------------------------------------


class _Shelf:
    """As much of a renderer as a body that never arrives needs: none of it."""


def app_of(folder: Path) -> Starlette:
    runs = Runs(folder / "runs", limit=1)
    routes = routes_of(*run_tables(Access(runs)), PictureRoutes(_Shelf(), runs).table())
    return Starlette(routes=routes, middleware=[Middleware(middleware.BodyLimit)])


@pytest.fixture
def server(tmp_path: Path) -> Iterator[uvicorn.Server]:
    with listening(app_of(tmp_path)) as server:
        yield server


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("pictures?size=28&channels=1", "multipart/form-data; boundary=x"),
        ("runs/import", "application/zip"),
        ("weights", "application/octet-stream"),
        ("runs", "application/json"),
    ],
)
def test_who_leaves_meanwhile_leaves_no_traceback(server: uvicorn.Server, caplog: Any, path: str, kind: str) -> None:
    caplog.set_level(logging.WARNING)
    port = port_of(server)
    part = b'--x\r\nContent-Disposition: form-data; name="f"; filename="a.png"\r\n\r\n' + b"y" * 50_000
    head = f"POST {BASE}/{path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: 90000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(head.encode() + part)
        until(lambda: server.server_state.tasks)
    until(lambda: not server.server_state.tasks)
    assert [record for record in caplog.records if record.exc_info or record.levelno >= logging.WARNING] == []


def test_a_body_that_turns_out_too_large_is_413(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "MOST_BYTES", 100_000)
    client = TestClient(app_of(tmp_path))
    for path in ("runs/import", "weights"):
        answer = client.post(f"{BASE}/{path}", content=iter([b"x" * 60_000] * 3))  # in pieces, so nothing is announced
        assert answer.status_code == 413 and "too much to send at once" in answer.json()["error"]
