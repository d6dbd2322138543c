"""Bodies: too large, cut, slow, without end, of the wrong kind; JSON that is none, or too much; too much to draw."""

from __future__ import annotations

import gzip
import itertools
import json
import random
from collections.abc import Iterator

from tests.damage import ODD, hurt
from tests.web.hostile.asking import OURS, VARIATIONS, Ask, Kinds, Target, ask, ask_json, form, kind, request

MIB = 1 << 20
LARGE = ("pictures?size=28&channels=1", "runs/import", "weights")  # may be sent up to 512 MB
SMALL = ("runs", "lesson/raised", "pictures/again")
GOOD = {"recipe": "dense", "dataset": "mnist", "changes": {"batch": 8}}


def head(path: str, length: str) -> bytes:
    return f"POST {OURS}{path} HTTP/1.1\r\nHost: x\r\nX-Owner: x\r\n{length}\r\n\r\n".encode()


def chunked(pieces: Iterator[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        yield f"{len(piece):x}\r\n".encode() + piece + b"\r\n"


def announced(target: Target, rng: random.Random) -> Iterator[Ask]:
    for i in range(VARIATIONS):
        large = 512 * MIB + rng.randrange(1, 10**12)
        path, length = ((LARGE[i % 3], large), (SMALL[i % 3], 2 * MIB + rng.randrange(1, 10**6)))[i % 2]
        yield Ask([head(path, f"Content-Length: {length}"), b"x" * rng.randrange(20_000)])


def turned_out(target: Target, rng: random.Random) -> Iterator[Ask]:
    for i in range(VARIATIONS):
        pieces = itertools.repeat(b"x" * rng.randrange(50_000, 200_000), 60)
        yield Ask(itertools.chain([head(SMALL[i % 3], "Transfer-Encoding: chunked")], chunked(pieces)))


def cut(target: Target, rng: random.Random) -> Iterator[Ask]:
    for i in range(VARIATIONS):
        body = form([("a.png", rng.randbytes(rng.randrange(10, 5000)))])
        said = f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {len(body) + rng.randrange(1, 10**6)}"
        yield Ask([head((*LARGE, *SMALL)[i % 6], said), body[: rng.randrange(len(body))]], leave=True)


def slow(target: Target, rng: random.Random) -> Iterator[Ask]:
    for i in range(VARIATIONS):
        said = f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {rng.randrange(1000, 90_000)}"
        yield Ask([head((*LARGE, *SMALL)[i % 6], said), b"--x\r\n"[: rng.randrange(6)]])


def slow_heads(target: Target, rng: random.Random) -> Iterator[Ask]:
    whole = request("GET", OURS + "boot")
    for _ in range(VARIATIONS):
        yield Ask([whole[: rng.randrange(len(whole) - 4)]])


def endless(target: Target, rng: random.Random) -> Iterator[Ask]:
    """Spaces before a JSON object that never comes."""
    for i in range(VARIATIONS):
        spaces = itertools.repeat(b" " * rng.randrange(1000, 9000))
        yield Ask(itertools.chain([head(SMALL[i % 3], "Transfer-Encoding: chunked")], chunked(spaces)))


def wrong_type(target: Target, rng: random.Random) -> Iterator[Ask]:
    kinds = (
        "",
        "text/html",
        "application/json",
        "multipart/form-data",
        "multipart/mixed; boundary=x",
        "a/b; boundary=",
    )
    for i in range(VARIATIONS + 5):
        path = ("runs", "pictures?size=28&channels=1", "weights", "runs/import", "lesson/raised")[i % 5]
        body = (b"a=b&c=d", b"<xml/>", rng.randbytes(300))[i % 3]
        yield ask("POST", path, body, Content_Type=kinds[i % 6])


def packed(target: Target, rng: random.Random) -> Iterator[Ask]:
    for i in range(VARIATIONS):
        data = gzip.compress(b" " * rng.randrange(10**6, 10**7) + b"{}")
        yield ask("POST", SMALL[i % 3], data, Content_Type="application/json", Content_Encoding=("gzip", "br")[i % 2])


def broken_forms(target: Target, rng: random.Random) -> Iterator[Ask]:
    good = form([("a.png", b"x" * 100)], {"others": '["b.txt"]'})
    for i in range(VARIATIONS):
        odd = (
            hurt(good, rng),
            good[: rng.randrange(len(good) - 4)],
            b"--x\r\n" + b"A: b\r\n" * rng.randrange(5000, 50_000),
            b"--x\r\nContent-Disposition: form-data; name=" + b"y" * rng.randrange(100_000, 900_000),
            b"--x\r\n\r\n" * rng.randrange(1000, 20_000),
        )[i % 5]
        kinds = "multipart/form-data; boundary=" + ("x", "x", "x", "x", "y" * 400)[i % 5]
        yield ask("POST", LARGE[0], odd, Content_Type=kinds)


# JSON ------------------------------------------------------------------------------------------------------------


def broken_json(target: Target, rng: random.Random) -> Iterator[Ask]:
    good = json.dumps(GOOD).encode()
    for i in range(VARIATIONS):
        odd = (good[: rng.randrange(len(good))], b"\xff\xfe" + good, b"'" + good, b"[" + good + b"]", good + good)[
            i % 5
        ]
        yield ask("POST", SMALL[i % 3], odd, Content_Type="application/json")


def no_numbers(target: Target, rng: random.Random) -> Iterator[Ask]:
    names = ("d_lr", "g_lr", "batch", "z_dim", "total_steps")
    for name, value in itertools.product(names, ("NaN", "Infinity", "-Infinity", '"nan"', '"1e999"')):
        body = f'{{"recipe": "dense", "dataset": "mnist", "changes": {{"{name}": {value}}}}}'
        yield ask("POST", "runs", body.encode(), Content_Type="application/json")


def huge_numbers(target: Target, rng: random.Random) -> Iterator[Ask]:
    names = ("d_lr", "batch", "z_dim", "width", "total_steps")
    for name, digits in itertools.product(names, (19, 30, 400, 5000, 90_000)):
        body = f'{{"recipe": "dense", "dataset": "mnist", "changes": {{"{name}": {"9" * digits}}}}}'
        yield ask("POST", "runs", body.encode(), Content_Type="application/json")


def nested(target: Target, rng: random.Random) -> Iterator[Ask]:
    for i in range(VARIATIONS):
        depth = rng.randrange(900, 16_000)
        inner = ("[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth, "[" * depth, '{"":[' * depth)[i % 4]
        name = ("changes", "dataset", "start")[i % 3]
        yield ask("POST", "runs", f'{{"recipe":"dense","{name}":{inner}}}'.encode(), Content_Type="application/json")


def wrong_values(target: Target, rng: random.Random) -> Iterator[Ask]:
    for odd in ODD:
        yield ask_json("POST", "runs", {"recipe": "dense", "changes": {"batch": odd or "", "objective": odd}})
        yield ask_json("POST", f"runs/{target.mine}/command", {"command": odd, "step": odd}, X_Owner=target.my_token)
        yield ask_json("POST", "lesson/raised", {"by": odd, "picture": odd})


def unknown_settings(target: Target, rng: random.Random) -> Iterator[Ask]:
    names = ("__class__", "__proto__", "constructor", "toString", "dataset", "recipe", "seed ", "", "x" * 5000, "é\0")
    for i in range(VARIATIONS):
        yield ask_json("POST", "runs", {"recipe": "dense", "changes": {names[i % 10]: {"polluted": i}}})


# Drawing ---------------------------------------------------------------------------------------------------------


def odd_queries(target: Target, rng: random.Random) -> Iterator[Ask]:
    values = ("nan", "inf", "-1", "1e999", "9" * 5000, "%C2%B2", "1:nan", "x" * 9000)
    names = ("seed", "c", "m", "z", "d", "u", "psi", "near")
    for name, value in itertools.product(names, values):
        yield ask("GET", f"pixels?w={target.weights}&slot=~&{name}={value}")


def too_much_to_draw(target: Target, rng: random.Random) -> Iterator[Ask]:
    for i in range(VARIATIONS):
        many = rng.randrange(10_000, 10**12)
        asked = (
            f"pixels?w={target.weights}&near={many}",
            f"path.gif?w={target.weights}&a=1&b=2&frames={many}",
            f"path.png?w={target.weights}&a=1&b=2&scale={many}",
            f"sums?w={target.weights}&a=1&b=2&shares={'1,0,' * rng.randrange(400, 5000)}1,0",
            f"path.zip?w={target.weights}&a=1&b=2&frames=240&scale={many}",
        )
        yield ask("GET", asked[i % 5])


BODIES: Kinds = {
    "bodies too large": kind("a length above the limit", "413", announced),
    "bodies that become too large": kind(
        "pieces without a length, more than 2 MB", "400 or none: the connection ends", turned_out
    ),
    "bodies cut off": kind("the sender goes before the end", "none: nobody is there", cut),
    "slow bodies": kind("a beginning, then nothing", "408: after 30 s at the latest", slow, together=True),
    "slow heads": kind(
        "a part of a request's head, then nothing", "none: the connection ends after 15 s", slow_heads, together=True
    ),
    "bodies without end": kind("spaces for ever", "400 or none: the connection ends", endless),
    "bodies of the wrong type": kind("what is no form, JSON, zip or weights", "400", wrong_type),
    "packed bodies": kind("gzip of 1 to 10 MB of spaces", "400", packed),
    "broken forms": kind("multipart bodies that are cut, damaged, endless in their heads", "400", broken_forms),
    "broken JSON": kind("cut, doubled, in another encoding", "400", broken_json),
    "no numbers": kind("NaN and infinities as settings", "400", no_numbers),
    "huge numbers": kind("19 to 90,000 digits as settings", "400", huge_numbers),
    "nested JSON": kind("900 to 16,000 levels", "400", nested),
    "wrong values": kind("values of every other type", "400 or 409", wrong_values),
    "unknown settings": kind("`__proto__` and other names that are no settings", "400 or 409", unknown_settings),
    "odd queries": kind("NaN, negative, huge, foreign digits in the query of a picture", "400", odd_queries),
    "too much to draw": kind("10,000 pictures and more, films and sums without end", "400", too_much_to_draw),
}
