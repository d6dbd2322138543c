"""Addresses: out of a folder, into the library's own routes, too long, in no known way."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from tests.web.hostile.asking import (
    VARIATIONS,
    Ask,
    Kinds,
    Target,
    ask,
    ask_elsewhere,
    filled,
    form,
    kind,
    request,
    word,
)

FILES = ("etc/passwd", "app.py", "proc/self/environ", "run.json", "requirements.txt")
UP = ("../", "..%2f", "%2e%2e/", "%2e%2e%2f", "..%5c", "..;/", ".%2e/", "%252e%252e%252f", "..%c0%af", "....//")
API = "/gradio_api"
CROSSWISE = ('{"data":[],"fn_index":0,"session_hash":"x"}', '{"data":["/etc/passwd"],"event_id":null}', "{}", "[]", "x")


def climbing(rng: random.Random) -> Iterator[str]:
    """Ways out of a folder, without end."""
    for up in itertools.cycle(UP):
        yield up * rng.randrange(1, 9) + rng.choice(FILES)
        yield f"page.js{'%00' * rng.randrange(2)}/{up * 3}{rng.choice(FILES)}"
        yield quote(f"/{rng.choice(FILES)}", safe="")


def some(asked: Iterable[Ask], count: int = VARIATIONS) -> Iterator[Ask]:
    return itertools.islice(asked, count)


def out_of_static(target: Target, rng: random.Random) -> Iterator[Ask]:
    yield from some(ask("GET", "static/" + path) for path in climbing(rng))


def out_of_runs(target: Target, rng: random.Random) -> Iterator[Ask]:
    for path in itertools.islice(climbing(rng), VARIATIONS):
        yield ask("GET", f"runs/{path}")
        yield ask("GET", f"runs/{target.mine}/frames/{path}")
        yield ask("GET", f"runs/{target.mine}/download/{path}")


def out_of_pictures(target: Target, rng: random.Random) -> Iterator[Ask]:
    for path in itertools.islice(climbing(rng), VARIATIONS):
        yield ask("GET", f"pictures/{path}", X_Owner=target.my_token)
        yield ask("GET", f"pixels?seed=1&w={path}")
        yield ask("GET", f"weights/{path}")


def out_of_assets(target: Target, rng: random.Random) -> Iterator[Ask]:
    for path in itertools.islice(climbing(rng), VARIATIONS):
        yield ask_elsewhere("GET", f"/{rng.choice(('assets', 'static', 'static/img', 'svelte'))}/{path}")


def files_of_the_library(target: Target, rng: random.Random) -> Iterator[Ask]:
    names = ("file=", "file/", "file=/", "custom_component/x/client/component/", "file=./", "file=http://127.0.0.1:22/")
    for i, path in enumerate(itertools.islice(climbing(rng), VARIATIONS)):
        yield ask_elsewhere("GET", f"{API}/{names[i % len(names)]}{path}")


def fetching(target: Target, rng: random.Random) -> Iterator[Ask]:
    hosts = ("169.254.169.254/latest/meta-data", "127.0.0.1:22", "[::1]/", "huggingface.co", "0x7f000001", "2130706433")
    ways = ("proxy=http://{}", "file=http://{}", "proxy=https://{}", "proxy=ftp://{}", "proxy=//{}")
    for way, host in itertools.product(ways, hosts):
        yield ask_elsewhere("GET", f"{API}/{way.format(host)}")


def uploads(target: Target, rng: random.Random) -> Iterator[Ask]:
    for i in range(VARIATIONS):
        body = form([(f"{word(rng, 5)}.html", rng.randbytes(rng.randrange(1, 60_000)))])
        path = ("upload", "upload?upload_id=x", "upload/", "upload_progress?upload_id=x", "/upload")[i % 5]
        yield ask_elsewhere("POST", f"{API}/{path}", body, Content_Type="multipart/form-data; boundary=x")


def queue(target: Target, rng: random.Random) -> Iterator[Ask]:
    for body in CROSSWISE:
        yield ask_elsewhere("POST", f"{API}/queue/join", body.encode(), Content_Type="application/json")
        yield ask_elsewhere("POST", f"{API}/cancel", body.encode(), Content_Type="application/json")
        yield ask_elsewhere("POST", f"{API}/reset", body.encode(), Content_Type="application/json")
        yield ask_elsewhere("GET", f"{API}/queue/{('data', 'status')[rng.randrange(2)]}?session_hash={word(rng, 8)}")
        yield ask_elsewhere("GET", f"{API}/heartbeat/{word(rng, 8)}")


def functions(target: Target, rng: random.Random) -> Iterator[Ask]:
    for body, way in itertools.product(CROSSWISE, ("run/{}", "api/{}", "call/{}", "call/v2/{}", "run/{}/")):
        path = way.format(rng.choice(("predict", "0", "x", word(rng, 8))))
        yield ask_elsewhere("POST", f"{API}/{path}", body.encode(), Content_Type="application/json")


def components(target: Target, rng: random.Random) -> Iterator[Ask]:
    paths = ("component_server", "component_server/", "process_recording", "stream/x", "stream/x/close")
    for body, path in itertools.product(CROSSWISE, paths):
        yield ask_elsewhere("POST", f"{API}/{path}", body.encode(), Content_Type="application/json")


def other_routes(target: Target, rng: random.Random) -> Iterator[Ask]:
    below = ("info", "openapi.json", "vibe-code", "vibe-edit", "vibe-starter-queries", "dev/reload", "token", "user",
             "app_id", "login_check", "run-history/buckets", "runs", "deep_link?session_hash=x", "profiling/summary",
             "stream/x/y/1/playlist.m3u8", "mcp/", "mcp/sse", "startup-events/x")  # fmt: skip
    top = ("/config", "/login", "/logout", "/openapi.json", "/docs", "/redoc", "/monitoring", "/monitoring/summary",
           "/manifest.json", "/pwa_icon", "/svelte/x", "/.env", "/.git/config", "/wp-login.php")  # fmt: skip
    for path in (*(f"{API}/{name}" for name in below), *top):
        yield ask_elsewhere("GET", path)
        yield ask_elsewhere("POST", path, b"{}")


def methods(target: Target, rng: random.Random) -> Iterator[Ask]:
    for method in ("PUT", "TRACE", "OPTIONS", "PROPFIND", "M-SEARCH", "LOCK", "PURGE", "X" * 200):
        yield ask(method, f"runs/{target.run}", b"{}")
        yield ask(method, "boot")
        yield ask_elsewhere(method, "/")
        yield ask_elsewhere(method, "/theme.css")


def no_such_route(target: Target, rng: random.Random) -> Iterator[Ask]:
    for line in target.lines:
        method, path = line.split(" ")
        path = filled(path, run_id=target.run, name="x", step="1", what="run.zip", key="x" * 8, raised_id="1")
        if "{" not in path:
            yield ask("PUT", path, b"{}")
            yield ask(method, f"{path}/{word(rng, 4)}/{word(rng, 4)}", b"{}")


def upgrades(target: Target, rng: random.Random) -> Iterator[Ask]:
    for i in range(VARIATIONS):
        kinds = {"Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "x" * 22 + "=="}
        kinds["Upgrade"] = ("websocket", "h2c", "TLS/1.0", "websocket, h2c", "x")[i % 5]
        path = rng.choice((f"{API}/queue/join", f"{API}/gan/nope", "/ws", "/socket.io/"))
        yield Ask([request("GET", path, headers=kinds | {"Connection": "Upgrade, close"})])


def through_us(target: Target, rng: random.Random) -> Iterator[Ask]:
    for i in range(VARIATIONS):
        host = rng.choice(("169.254.169.254", "example.org", "127.0.0.1:22", "[::1]:22"))
        way = (f"http://{host}/", f"https://{host}/x", f"//{host}/", f"file:///{rng.choice(FILES)}", f"{host}:443")[
            i % 5
        ]
        yield ask_elsewhere("CONNECT" if way.endswith(":443") else "GET", way)


def long_addresses(target: Target, rng: random.Random) -> Iterator[Ask]:
    for i in range(VARIATIONS):
        long = word(rng, rng.randrange(3000, 60_000))
        yield (
            ask("GET", f"runs/{long}"),
            ask("GET", f"pixels?w={long}"),
            ask("GET", f"weights/{'%2f' * (len(long) // 3)}"),
            ask_elsewhere("GET", "/" + "a/" * (len(long) // 2)),
            ask("GET", "qr.svg?of=http://x/" + long),
        )[i % 5]


def far_too_long_addresses(target: Target, rng: random.Random) -> Iterator[Ask]:
    for _ in range(VARIATIONS):
        yield ask("GET", f"runs/{word(rng, rng.randrange(70_000, 300_000))}")


def unprintable(target: Target, rng: random.Random) -> Iterator[Ask]:
    odd = ("%00", "%0d%0a", "%ff%fe", "%c0%ae", "%ed%a0%80", "%e2%80%ae", "%1b[31m", "%7f", "%f4%90%80%80", "%")
    for _ in range(VARIATIONS):
        path = "".join(rng.choices(odd, k=rng.randrange(1, 6)))
        yield ask("GET", rng.choice((f"runs/{path}", f"weights/{path}", f"static/{path}", f"pictures/{path}/preview")))


ADDRESSES: Kinds = {
    "out of the folder of scripts": kind("`static/../../etc/passwd`, quoted in ten ways", "404", out_of_static),
    "out of the folder of runs": kind("the same as the id of a run, as a step, as a download", "404", out_of_runs),
    "out of the folder of pictures": kind("the same as a set, as weights", "404", out_of_pictures),
    "out of Gradio's assets": kind("the same below `/assets` and `/static`", "404", out_of_assets),
    "files through Gradio": kind("`/gradio_api/file=` with paths and addresses", "404", files_of_the_library),
    "fetching through Gradio": kind("`/gradio_api/proxy=` and `file=` with addresses inside", "404", fetching),
    "uploads to Gradio": kind("files to `/gradio_api/upload`", "404", uploads),
    "Gradio's queue": kind("`queue/join`, `queue/data`, `cancel`, `reset`, `heartbeat`", "404", queue),
    "Gradio's functions": kind("`run`, `api`, `call` with made-up names and data", "404", functions),
    "Gradio's components": kind("`component_server`, `stream`, `process_recording`", "404", components),
    "Gradio's other routes": kind(
        "`config`, `info`, `vibe-code`, `monitoring`, `login`, …, and guesses", "404", other_routes
    ),
    "unusual methods": kind("PUT, TRACE, OPTIONS, PROPFIND, …", "404", methods),
    "no such route": kind("real routes with another method, or two words more", "404", no_such_route),
    "upgrades": kind("WebSocket and other protocols", "404", upgrades),
    "other servers through us": kind("CONNECT, whole addresses instead of paths", "404", through_us),
    "long addresses": kind("3,000 to 60,000 characters", "400 or 404", long_addresses),
    "addresses without end": kind(
        "more than 65,536 characters", "400, 404 or none: the connection ends", far_too_long_addresses, sentence=False
    ),
    "unprintable addresses": kind("zeros, line breaks, broken UTF-8, right-to-left marks", "404", unprintable),
}
