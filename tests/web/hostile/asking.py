"""A request as bytes, so that nothing between here and the server makes it better than it is; and its answer."""

from __future__ import annotations

import http.client
import json
import random
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

OURS = "/gradio_api/gan/"
VARIATIONS = 25
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
PATIENCE = 20.0  # seconds until an answer counts as not coming, on a machine that is busy


@dataclass(frozen=True)
class Ask:
    """pieces: of the whole request. leave: the sender goes as soon as it has sent, and reads no answer."""

    pieces: Iterable[bytes]
    leave: bool = False


@dataclass(frozen=True)
class Answer:
    """status: 0 where the connection ended without an answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Target:
    """What a hostile visitor knows, and what belongs to others."""

    port: int
    lines: tuple[str, ...]  # "METHOD path" of all our routes
    run: str  # somebody's run, which trains
    token: str  # of that run: only to compare with
    mine: str  # a run of the visitor, which has ended
    my_token: str
    ended_token: str  # of the visitor's run, no longer good
    pictures: str  # somebody's prepared set
    weights: str  # that everybody may use
    spare: tuple[tuple[str, str], ...]  # runs of the visitor to be deleted, with their tokens


Make = Callable[[Target, random.Random], Iterator[Ask]]


@dataclass(frozen=True)
class Kind:
    """One kind of hostile request.

    sent, answer: in words, as SECURITY.md has them. statuses: of the answers; 0: none. together: all at once. sentence:
    a refusal is one of our sentences, and not a word of the protocol's library.
    """

    sent: str
    answer: str
    statuses: frozenset[int]
    make: Make
    together: bool = False
    sentence: bool = True


Kinds = dict[str, Kind]


def kind(
    sent: str,
    answer: str,
    make: Make,
    *,
    together: bool = False,
    sentence: bool = True,
) -> Kind:
    """answer: begins with its statuses, "403" or "400 or 404: ..."; "none" stands for no answer."""
    numbers, _, _ = answer.partition(":")
    statuses = frozenset(0 if word == "none" else int(word) for word in numbers.replace(",", " or").split(" or "))
    return Kind(sent, answer, statuses, make, together, sentence)


def request(method: str, path: str, body: bytes = b"", /, headers: Mapping[str, str] = {}) -> bytes:
    """A whole request. path: from the root; what no address may hold is quoted by whoever calls this."""
    said = {"Host": "127.0.0.1", "Connection": "close"} | headers
    if body and "Transfer-Encoding" not in said:
        said = {"Content-Length": str(len(body))} | said
    head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in said.items())
    return head.encode("utf-8") + b"\r\n" + body


def ask(method: str, path: str, body: bytes = b"", **headers: str) -> Ask:
    """A request to one of our routes. headers: with _ for -."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Ask([request(method, OURS + path, body, headers=named)])


def ask_json(method: str, path: str, content: object, **headers: str) -> Ask:
    return ask(method, path, json.dumps(content).encode(), Content_Type="application/json", **headers)


def ask_elsewhere(method: str, path: str, body: bytes = b"", **headers: str) -> Ask:
    """The same to any address of the server."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Ask([request(method, path, body, headers=named)])


def form(files: Iterable[tuple[str, bytes]], fields: Mapping[str, str] = {}) -> bytes:
    """A multipart body with the boundary "x"."""
    head = 'Content-Disposition: form-data; name="files"; filename="'
    parts = [f'--x\r\n{head}{name}"\r\n\r\n'.encode() + data + b"\r\n" for name, data in files]
    parts += [f'--x\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n'.encode() for n, v in fields.items()]
    return b"".join(parts) + b"--x--\r\n"


def send_files(files: Iterable[tuple[str, bytes]], query: str = "size=28&channels=1", **fields: str) -> Ask:
    return ask("POST", f"pictures?{query}", form(files, fields), Content_Type="multipart/form-data; boundary=x")


def word(rng: random.Random, length: int) -> str:
    """Letters of which ids and tokens are made."""
    return "".join(rng.choices(LETTERS, k=length))


def filled(path: str, **gaps: str) -> str:
    """The path of a line with words in its gaps, quoted."""
    for name, word in gaps.items():
        path = path.replace("{" + name + "}", quote(word, safe=""))
    return path


# Sending ---------------------------------------------------------------------------------------------------------


def answered(port: int, asked: Ask) -> Answer:
    """Send it and read the answer. Raises TimeoutError where none comes, and the connection stays."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as line:
        try:
            for piece in asked.pieces:
                line.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it was answered before all was sent
        return Answer(0, {}, b"") if asked.leave else read_answer(line)


def read_answer(line: socket.socket) -> Answer:
    response = http.client.HTTPResponse(line)
    try:
        response.begin()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    except (http.client.HTTPException, ConnectionResetError):
        return Answer(0, {}, b"")
