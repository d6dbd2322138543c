"""What visitors send: where it waits, what is said when there is no room, and when they leave meanwhile."""

from __future__ import annotations

import io
import json
import logging
import socket
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image
from starlette.middleware import Middleware

from gan.runs import Runs
from gan.web import guard
from gan.web.picture_routes import add_picture_routes
from gan.web.routes import BASE, add_routes
from tests.conftest import until

# Run where TMPDIR is a disk of a few megabytes: a zip of own pictures is sent there, its size in megabytes given.
_IN_SMALL_ROOM = f"""
import json, os, sys
from pathlib import Path
from fastapi import FastAPI
from fastapi.testclient import TestClient
from gan.runs import Runs
from gan.web.routes import add_routes
from tests.test_uploads import zip_of
app = FastAPI()
add_routes(app, Runs(Path(sys.argv[1]), limit=1))
client = TestClient(app)
for megabytes in (10, 20):
    files = {{"f": ("a.zip", zip_of(megabytes))}}
    answer = client.post("{BASE}/pictures?size=28&channels=1", files=files)
    print(json.dumps([answer.status_code, answer.json(), os.listdir(os.environ["TMPDIR"])]))
answer = client.post("{BASE}/runs/import", content=zip_of(20))
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
    env = {"TMPDIR": str(room), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": str(Path(__file__).parents[1])}
    inside = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", f'{_MOUNT} && exec "$@"', "sh", *command]
    return subprocess.run(inside, capture_output=True, text=True, env=env, cwd=Path(__file__).parents[1])


def test_what_is_sent_lies_on_the_disk_once_and_a_full_one_is_named(tmp_path: Path) -> None:
    try:
        if in_small_room(tmp_path, ["true"]).returncode:
            pytest.skip("this machine lets nobody mount a small disk")
    except FileNotFoundError:
        pytest.skip("this machine has no unshare")
    done = in_small_room(tmp_path, [sys.executable, "-c", _IN_SMALL_ROOM, str(tmp_path / "runs")])
    assert done.returncode == 0, done.stderr
    fits, full, run = map(json.loads, done.stdout.splitlines())
    assert fits[0] == 201 and fits[1]["count"] == 16 and fits[2] == []  # twice would not fit
    for status, answer, left in (full, run):
        assert status == 507 and f"{tmp_path / 'room'} is full" in answer["error"] and "TMPDIR" in answer["error"]
        assert left == []


def test_one_zip_at_a_time(tmp_path: Path) -> None:
    client = TestClient(app_of(tmp_path))
    files = [("f", (name, zip_of(1))) for name in ("a.zip", "b.zip")]
    answer = client.post(f"{BASE}/pictures?size=28&channels=1", files=files)
    assert answer.status_code == 400 and "One .zip at a time" in answer.json()["error"]


# Visitors who leave ----------------------------------------------------------------------------------------------


class _Shelf:
    """As much of a renderer as a body that never arrives needs: none of it."""


def app_of(folder: Path) -> FastAPI:
    app = FastAPI(middleware=[Middleware(guard.BodyLimit)])
    runs = Runs(folder / "runs", limit=1)
    add_routes(app, runs)
    add_picture_routes(app, _Shelf(), runs)
    return app


@pytest.fixture
def server(tmp_path: Path) -> Iterator[uvicorn.Server]:
    config = uvicorn.Config(app_of(tmp_path), port=0, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started)
    yield server
    server.should_exit = True
    thread.join(20)


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
    port = server.servers[0].sockets[0].getsockname()[1]
    part = b'--x\r\nContent-Disposition: form-data; name="f"; filename="a.png"\r\n\r\n' + b"y" * 100_000
    head = f"POST {BASE}/{path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: 1900000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(head.encode() + part)
        until(lambda: server.server_state.tasks)
    until(lambda: not server.server_state.tasks)
    assert [record for record in caplog.records if record.exc_info or record.levelno >= logging.WARNING] == []


def test_a_body_that_turns_out_too_large_is_413(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "MOST_BYTES", 100_000)
    client = TestClient(app_of(tmp_path))
    for path in ("runs/import", "weights"):
        answer = client.post(f"{BASE}/{path}", content=iter([b"x" * 60_000] * 3))  # in pieces, so nothing is announced
        assert answer.status_code == 413 and "too much to send at once" in answer.json()["error"]
