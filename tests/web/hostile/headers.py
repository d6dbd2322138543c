"""Headers: smuggled, repeated, claimed; calls from pages of other sites."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.web.hostile.asking import OURS, VARIATIONS, Ask, Kinds, Target, ask, ask_json, kind, request, word

BREAKS = ("%0d%0a", "%0a", "%0d", "%E5%98%8A%E5%98%8D", "%c4%8d%c4%8a")
INJECTED = "X-Injected:%20yes"
CHANGE = {"title": "Taken", "hidden": True, "command": "stop"}


def injected(target: Target, rng: random.Random) -> Iterator[Ask]:
    for line in BREAKS:
        text = f"a{line}{INJECTED}{line}{line}<script>"
        yield ask("GET", f"qr.svg?of=http://x/{text}")
        yield ask("GET", f"boot?lang=de{text}")
        yield ask("GET", f"runs/{target.mine}/download/{text}")
        yield ask("GET", f"directions.json?w={text}&stamp={text}")
        yield ask("GET", f"lesson?{text}", If_None_Match=text)


def broken_lines(target: Target, rng: random.Random) -> Iterator[Ask]:
    odd = ("a\rb", "a\0b", "a\x0bb", "\x7f\x01")
    for i in range(VARIATIONS):
        name = ("X-Owner", "Accept-Language", "X-Forwarded-For", "Cookie", "Na me")[i % 5]
        yield Ask([request("GET", OURS + "boot", headers={name: rng.choice(odd)})])


def many_headers(target: Target, rng: random.Random) -> Iterator[Ask]:
    for _ in range(VARIATIONS):
        count = rng.randrange(400, 3000)
        more = {f"X-{i}": word(rng, 70_000 // count + 100) for i in range(count)}
        yield Ask([request("GET", OURS + "boot", headers=more)])


def forwarded(target: Target, rng: random.Random) -> Iterator[Ask]:
    ours = ("127.0.0.1", "::1", "localhost", "10.0.0.1", "unknown, 127.0.0.1")
    names = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Client-IP", "CF-Connecting-IP", "X-Forwarded-Host")
    for i in range(VARIATIONS + 5):
        value = ("for=" if names[i % 6] == "Forwarded" else "") + ours[i % 5]
        said = {names[i % 6]: value, "X-Forwarded-Proto": "https", "X-Remote-User": "admin"}
        method, path = (("PATCH", f"runs/{target.run}"), ("POST", "lesson/pause"), ("DELETE", "game"))[i % 3]
        yield ask_json(method, path, CHANGE, **{name.replace("-", "_"): words for name, words in said.items()})


def hosts(target: Target, rng: random.Random) -> Iterator[Ask]:
    odd = (
        "localhost",
        "127.0.0.1:1",
        "evil.test",
        "[::1]",
        "a" * 5000,
        '"><script>',
        "evil.test@127.0.0.1",
        "",
        "?x#y",
    )
    for i in range(VARIATIONS + 2):
        method, path = (("PATCH", f"runs/{target.run}"), ("POST", "lesson/pause"), ("DELETE", f"runs/{target.run}"))[
            i % 3
        ]
        yield ask_json(method, path, CHANGE, Host=odd[i // 3 % len(odd)])


def foreign_pages(target: Target, rng: random.Random) -> Iterator[Ask]:
    for i in range(VARIATIONS):
        site, mode = ("cross-site", "same-site")[i % 2], ("cors", "no-cors", "websocket")[i % 3]
        said = {"Sec_Fetch_Site": site, "Sec_Fetch_Mode": mode, "Origin": "https://evil.test"}
        method, path = (("GET", "wall"), ("POST", "runs"), ("GET", f"runs/{target.run}"), ("GET", "boot"))[i % 4]
        yield ask(method, path, b"{}", X_Owner=target.token, **said)


def foreign_forms(target: Target, rng: random.Random) -> Iterator[Ask]:
    kinds = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x")
    for i in range(VARIATIONS):
        origin = ("null", "http://evil.test", "https://127.0.0.1.evil.test", "http://192.168.1.9")[i % 4]
        path = ("runs", "runs/import", "pictures?size=28&channels=1", "weights", "lesson/raised")[i % 5]
        body = b'{"recipe": "dense"}'
        yield ask("POST", path, body, Origin=origin, Content_Type=kinds[i % 3], Host="192.168.1.5:7860")


def preflights(target: Target, rng: random.Random) -> Iterator[Ask]:
    for i in range(VARIATIONS):
        wanted = {"Access_Control_Request_Method": ("POST", "DELETE", "PATCH", "GET", "PUT")[i % 5]}
        origin = rng.choice(("null", "http://evil.test", "http://localhost:3000", "http://127.0.0.1"))
        path = rng.choice(("runs", f"runs/{target.run}", "lesson", "boot"))
        host = rng.choice(("127.0.0.1", "gan.test", "192.168.1.5"))
        yield ask("OPTIONS", path, Origin=origin, Host=host, Access_Control_Request_Headers="x-owner", **wanted)


def reading_pages(target: Target, rng: random.Random) -> Iterator[Ask]:
    for i in range(VARIATIONS):
        origin = ("null", "http://evil.test", "http://localhost:1", "http://192.168.1.9", "file://")[i % 5]
        host = ("gan.test", "192.168.1.5:7860", "127.0.0.1")[i % 3]
        yield ask("GET", ("wall", "boot", f"runs/{target.run}", "runs", "weights")[i % 5], Origin=origin, Host=host)


def ranges(target: Target, rng: random.Random) -> Iterator[Ask]:
    for i in range(VARIATIONS):
        many = ",".join(f"{rng.randrange(900)}-{rng.randrange(9000)}" for _ in range(rng.randrange(1, 6000)))
        said = (f"bytes={many}", "bytes=" + "0-," * 9000, f"bytes={'9' * 5000}-", "bytes=-" + "1" * 4000, "x=1-2")[
            i % 5
        ]
        yield ask("GET", rng.choice(("static/page.js", "static/css/base.css", "boot")), Range=said)


def endless_languages(target: Target, rng: random.Random) -> Iterator[Ask]:
    for i in range(VARIATIONS):
        said = (
            ",".join(f"{word(rng, 5)};q=0.{k % 10}" for k in range(3000)),
            "de" * 20_000,
            ";q=" * 9000,
            "*" * 20_000,
            "q",
        )
        yield ask("GET", "boot", Accept_Language=said[i % 4], If_None_Match=said[(i + 1) % 4], Cookie="=" * 5000)


def two_lengths(target: Target, rng: random.Random) -> Iterator[Ask]:
    chunked, empty = "Transfer-Encoding: chunked\r\n\r\n", "0\r\n\r\n"
    bodies = (
        "Content-Length: 5\r\nContent-Length: 6\r\n\r\n{}    ", "Content-Length: -5\r\n\r\n{}",
        "Content-Length: +5\r\n\r\n{}   ", f"{chunked}ZZ\r\n{{}}\r\n{empty}", f"{chunked}-1\r\n{{}}\r\n{empty}",
        f"Transfer-Encoding: gzip, chunked\r\n\r\n{empty}", f"Transfer-Encoding: xchunked\r\n\r\n{empty}",
        "Content-Length: 0x10\r\n\r\n{}", f"Content-Length: {'9' * 400}\r\n\r\n", "Content-Length : 2\r\n\r\n{}",
    )  # fmt: skip
    for body in (*bodies, *bodies, *bodies[:5]):
        head = f"POST {OURS}{rng.choice(('runs', 'weights', 'lesson/raised'))} HTTP/1.1\r\nHost: x\r\n"
        yield Ask([(head + body).encode()])


HEADERS: Kinds = {
    "header injection": kind(
        "line breaks in what an answer's headers are made of", "200, 400 or 404: no header comes of it", injected
    ),
    "broken header lines": kind("zeros and control characters in headers", "200 or 400", broken_lines, sentence=False),
    "many headers": kind(
        "400 to 3,000 headers, more than 64 kB", "200, 400 or none: the connection ends", many_headers, sentence=False
    ),
    "claimed addresses": kind("forwarding headers that claim to come from this machine", "403", forwarded),
    "claimed hosts": kind("this machine's names as Host, and nonsense", "403", hosts),
    "calls of foreign pages": kind("`Sec-Fetch-Site` says cross-site, with a real token", "403", foreign_pages),
    "forms of foreign pages": kind(
        "a foreign `Origin` over plain HTTP, and no header of our page", "403", foreign_forms
    ),
    "preflights": kind("a foreign page asks whether it may", "403: nobody is allowed", preflights),
    "readings of foreign pages": kind(
        "a foreign `Origin` over plain HTTP reads what is public", "200: the browser may not show it", reading_pages
    ),
    "ranges": kind("thousands of ranges of a file, and huge ones", "200, 206 or 400", ranges, sentence=False),
    "languages without end": kind("`Accept-Language`, `If-None-Match`, cookies of 40 kB", "200", endless_languages),
    "two lengths": kind("contradicting, negative, made-up lengths of a body", "400", two_lengths, sentence=False),
}
