"""What the load clients of `bench crowd` and `bench soak` take for a failure, and what they find in a process."""

from __future__ import annotations

import asyncio
import json
import os
import time
import xml.etree.ElementTree as xml
from contextlib import suppress

import pytest

from gan.bench.crowd_page import Answer, Page, Tally
from gan.bench.crowd_visitors import ACTS, KINDS, Crowd, Known, Visitor
from gan.bench.held import descriptor_count, held_by, sampled
from gan.bench.load_clients import Tally as Tallied
from gan.bench.plot import Panel, svg_of
from gan.bench.soak import rise
from gan.bench.viewers import _growth
from gan.core.files import bytes_below
from tests.conftest import completed, until


def answering(*answers: bytes) -> list[str]:
    """What a page met that asked a server of one connection, which gives these answers; its refusals and errors."""
    tally = Tally()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
        writer.close()

    async def ask() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        page = Page(server.sockets[0].getsockname()[1], tally)
        for _ in answers:
            with suppress(EOFError):
                await page.get("runs")
        page.close()
        server.close()

    completed(ask())
    return [*tally.refusals, *tally.errors]


def http(status: int, body: bytes = b"", more: str = "") -> bytes:
    return f"HTTP/1.1 {status} Why\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body


WORDS = json.dumps({"error": "Too much.", "messages": {"error": {"key": "web.busy", "values": {}}}}).encode()


PARTS = {"parts": [{"key": "runs.full_number", "values": {"number": 3}}, {"key": "runs.one_makes_room"}]}
ROW = json.dumps({"error": "3 ...", "messages": {"error": {"key": "core.row", "values": PARTS}}}).encode()


@pytest.mark.parametrize(
    ("answer", "met"),
    [
        (http(200, b"{}"), []),
        (http(304, more='ETag: "1"\r\n'), []),
        (http(409, WORDS), ["409 web.busy"]),
        (http(503, WORDS), ["503 web.busy"]),
        (http(409, ROW), ["409 runs.full_number"]),
        (http(500, WORDS), ["GET /gradio_api/gan/runs: status 500 web.busy"]),
        (http(503, b"<html>"), ["GET /gradio_api/gan/runs: status 503 b'<html>'"]),
        (http(404, b""), ["GET /gradio_api/gan/runs: status 404 b''"]),
    ],
)
def test_a_refusal_in_words_is_none_of_the_failures(answer, met):
    assert answering(answer) == met


def test_a_page_reads_chunks_and_sends_back_tags():
    chunked = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nETag: "7"\r\n\r\n2\r\n{}\r\n1;x=y\r\n \r\n0\r\n\r\n'
    assert answering(chunked, http(304)) == []
    page = Page(1, Tally())
    page._etags["/x"], page.tokens["run"] = '"7"', "secret"
    head = page._head("GET", "/x", b"").decode()
    assert 'If-None-Match: "7"\r\n' in head and "X-Owner: secret\r\n" in head


def visitor() -> Visitor:
    crowd = Crowd(1, time.monotonic())
    crowd.runs["mine"] = Known("quick", 1000001, 0)
    return Visitor(crowd, "queuer", 0, 0)


@pytest.mark.parametrize(
    "said",
    [
        {"run": {"id": "other", "recipe": "quick", "total_steps": 1000001}},
        {"run": {"id": "mine", "recipe": "mlp", "total_steps": 1000001}},
        {"snapshot": {"total_steps": 1000002}},
    ],
)
def test_an_answer_about_another_run_is_cross_talk(said):
    one = visitor()
    assert one._compared("mine", {"cursor": "1", "snapshot": {"total_steps": 1000001}}) == "1"
    assert one._compared("mine", {"cursor": "2"}) == "2"
    assert not one.tally.errors and one.crowd.checked == 2
    one._compared("mine", {"cursor": "3", **said})
    assert [error[:10] for error in one.tally.errors] == ["cross-talk"]


@pytest.mark.parametrize("status", [200, 201, 500])
def test_who_steers_anothers_run_is_cross_talk(monkeypatch, status):
    one = visitor()
    one.crowd.runs["theirs"] = Known("quick", 1000002, 1)

    async def ask(*_: object) -> Answer:
        return Answer(status, {}, b"{}")

    monkeypatch.setattr(one.page, "ask", ask)
    completed(one._trespass())
    assert "cross-talk" in one.tally.errors[0] and "runs/theirs" in one.tally.errors[0]


def test_what_visitors_do_there_is():
    assert set(ACTS) == set(KINDS)
    assert all(callable(getattr(Visitor, f"_{act}")) for acts in ACTS.values() for act in acts)


def test_what_a_process_holds_is_found(tmp_path):
    kept = ("run.json", "states/000000016.safetensors", "states/before.safetensors", "frames/00000001.png")
    strays = [".part", "gone/run.json", "kept/.run.json.ab12", "kept/other"]
    for name in (*strays, *(f"kept/{name}" for name in kept)):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"1234")
    os.link(tmp_path / "kept/run.json", tmp_path / "kept/checkpoint.safetensors")
    assert held_by(os.getpid(), tmp_path, {"kept"}).strays == strays
    assert bytes_below(tmp_path) == 8 * 4
    before = descriptor_count(os.getpid())
    with open(tmp_path / ".part", encoding="utf-8"):
        assert descriptor_count(os.getpid()) == before + 1
        assert held_by(os.getpid(), tmp_path, ()).descriptors[str(tmp_path / ".part")] == 1


def test_what_levels_off_rises_by_nothing():
    seconds = [5.0 * i for i in range(20)]
    assert rise(seconds, [7.0] * 20) == 0 and rise(seconds, [0.0] * 20) == 0
    assert rise(seconds, seconds) == pytest.approx(2)  # from nothing to twice its mean


def test_a_plot_holds_every_curve():
    panels = [Panel("A & B", {"a": [0.0, 1.0], "b": [2.0, 4.0]}), Panel("none", {"": [0.0, 0.0]})]
    drawn = xml.fromstring(svg_of("<title>", [0.0, 1.0], "minutes", panels))
    lines = [line.get("points") for line in drawn.iter("{http://www.w3.org/2000/svg}polyline")]
    assert len(lines) == 3 and lines[1].split()[1].endswith(",28.0")  # the highest is at the top of its panel


def test_samples_end_with_their_block_and_tell_what_went_wrong():
    with sampled(lambda: 1, 1e-3) as samples:
        until(lambda: len(samples) > 3)
    count = len(samples)
    assert samples == [1] * count

    def fails() -> int:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"), sampled(fails, 1.0):
        pass


def test_memory_grows_from_what_was_held_after_the_beginning():
    memory = [(0.0, 50), (1.0, 100), (2.0, 130), (3.0, 110)]
    assert _growth(memory, 1.0) == pytest.approx(0.3) and _growth(memory, 9.0) == 0


def test_updates_in_time_are_those_no_older_than_a_second():
    tally = Tallied(times=[0.1, 1.0, 1.1, 0.2], ages=[0.5, 2.0])
    summary = tally.summary()
    assert (summary["answers_in_time"], summary["updates_in_time"]) == (0.75, 0.5)
