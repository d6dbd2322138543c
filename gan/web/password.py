"""One password in front of everything, when GAN_FORGE_PASSWORD asks for it.

It decides who gets in at all. Who may do what inside is decided by tokens (see gan.runs.registry).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import time
from collections import defaultdict, deque
from collections.abc import Iterator
from html import escape
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Receive, Scope, Send

from gan.core.messages import Message, say, with_messages
from gan.web.languages import language_of
from gan.web.text import text_in

COOKIE = "gan-forge-visit"
VISIT_SECONDS = 30 * 24 * 3600
TRIES, TRIES_OF_ALL, TRY_SECONDS = (
    8,
    60,
    300.0,
)  # wrong passwords, of one address and of all together, in so many seconds
MOST_FORM_BYTES = 4096
_COOKIE = re.compile(rf"(?:^|;\s*){COOKIE}=([0-9a-f.]+)")
_STARTUP = "/gradio_api/startup-events"  # asked by the program itself while it starts; tells nothing

_PAGE = """<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{product}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">
<style>:root{{color-scheme:light dark}}
body{{margin:0;min-height:100vh;display:grid;place-items:center;font:16px/1.5 system-ui,sans-serif;
background:light-dark(#fbfbfa,#0e1013);color:light-dark(#16191d,#e7eaee)}}
form{{display:grid;gap:12px;width:min(320px,calc(100vw - 48px))}}h1{{font-size:22px;margin:0}}
label{{display:grid;gap:4px}}
input,button{{font:inherit;padding:10px 12px;border-radius:10px;border:1px solid light-dark(#8a9099,#6b7280)}}
button{{background:#c2410c;border-color:#c2410c;color:#fff;font-weight:600;cursor:pointer}}p{{margin:0}}
[role=alert]{{color:light-dark(#b42318,#fda29b)}}</style></head><body><form method="post">
<h1>{product}</h1>
<label>{label}
<input type="password" name="password" autocomplete="current-password" required autofocus></label>
{problem}<button>{enter}</button></form></body></html>"""


class Password:
    """Plain ASGI: lets through who has given the password to this program since it was started."""

    def __init__(self, app: ASGIApp, password: str, framed: bool = False) -> None:
        """framed: the page may stand in another site's frame, so the cookie must be sent there (https only)."""
        self.app, self.framed = app, framed
        self._password = _digest(password)
        self._key = secrets.token_bytes(32)  # a restart asks everybody again
        self._tries = Tries()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or scope.get("path") == _STARTUP or self._known(scope):
            await self.app(scope, receive, send)
        elif scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
        elif scope["method"] == "POST" and _header(scope, b"content-type").startswith(
            "application/x-www-form-urlencoded"
        ):
            await self._enter(scope, receive, send)
        else:
            await self._ask(scope, send)

    def _known(self, scope: Scope) -> bool:
        until, _, proof = _cookie(scope).partition(".")
        if not until.isascii() or not until.isdigit() or len(until) > 12 or int(until) < time.time():
            return False
        return hmac.compare_digest(proof.encode(), self._proof(until).encode())

    def _proof(self, until: str) -> str:
        return hmac.new(self._key, until.encode(), hashlib.sha256).hexdigest()

    async def _enter(self, scope: Scope, receive: Receive, send: Send) -> None:
        visitor = (scope.get("client") or ("",))[0]
        given = _digest(await _password_of(receive))
        # From here to the count nothing is waited for, so that many tries at once are counted as many.
        if wait := self._tries.wait(visitor):
            await self._ask(scope, send, say("common.password_wait", minutes=round(wait / 60) or 1), 429)
            return
        if not hmac.compare_digest(given, self._password):
            self._tries.failed(visitor)
            await self._ask(scope, send, say("common.password_wrong"), 403)
            return
        until = str(int(time.time() + VISIT_SECONDS))
        # The same path with its query: a relative address is right behind any proxy.
        headers = [(b"location", b"?" + scope["query_string"]), (b"set-cookie", self._written(scope, until).encode())]
        await _answer(send, 303, headers, b"")

    def _written(self, scope: Scope, until: str) -> str:
        secure = scope.get("scheme") == "https" or _header(scope, b"x-forwarded-proto").startswith("https")
        where = "SameSite=None; Secure; Partitioned" if secure and self.framed else "SameSite=Lax"
        more = "; Secure" if secure and not self.framed else ""
        return f"{COOKIE}={until}.{self._proof(until)}; Path=/; Max-Age={VISIT_SECONDS}; HttpOnly; {where}{more}"

    async def _ask(self, scope: Scope, send: Send, problem: Message | None = None, status: int = 401) -> None:
        if "text/html" in _header(scope, b"accept"):
            language = language_of(scope)
            text = text_in(language)["common"]
            words = {k: escape(text[f"password_{k}"]) for k in ("label", "enter")}
            note = f'<p role="alert">{escape(_in(text, problem))}</p>' if problem else ""
            page = _PAGE.format(language=language, product=escape(text["product"]), problem=note, **words)
            body = page.encode()
            await _answer(send, status, [(b"content-type", b"text/html; charset=utf-8")], body)
        else:
            body = json.dumps(with_messages({"error": problem or say("common.password_needed")})).encode()
            await _answer(send, status, [(b"content-type", b"application/json")], body)


def _in(text: dict[str, str], message: Message) -> str:
    """A message of the area "common" in the language of its texts."""
    return text[message.key.partition(".")[2]].format_map(message.values)


class Tries:
    """Wrong passwords of the last minutes, so that nobody can go through a dictionary."""

    def __init__(self) -> None:
        self._of: dict[str, deque[float]] = defaultdict(deque)
        self._all: deque[float] = deque()

    def failed(self, visitor: str) -> None:
        now = time.monotonic()
        self._of[visitor].append(now)
        self._all.append(now)

    def wait(self, visitor: str) -> float:
        """Seconds until the next try of this visitor, 0 when it may be now."""
        now = time.monotonic()
        for times in (*self._of.values(), self._all):
            while times and now - times[0] > TRY_SECONDS:
                times.popleft()
        self._of = defaultdict(deque, {name: times for name, times in self._of.items() if times})
        return max(self._left(now, limit, times) for limit, times in self._limits(visitor))

    def _limits(self, visitor: str) -> Iterator[tuple[int, deque[float]]]:
        yield TRIES, self._of.get(visitor, deque())
        yield TRIES_OF_ALL, self._all

    @staticmethod
    def _left(now: float, limit: int, times: deque[float]) -> float:
        return TRY_SECONDS - (now - times[-limit]) if len(times) >= limit else 0.0


async def _password_of(receive: Receive) -> str:
    body = b""
    while len(body) <= MOST_FORM_BYTES:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    try:
        fields = parse_qs(body[:MOST_FORM_BYTES].decode("ascii"), max_num_fields=4, keep_blank_values=True)
        return fields.get("password", [""])[0]
    except ValueError:
        return ""


async def _answer(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    headers = [*headers, (b"content-length", str(len(body)).encode()), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def _cookie(scope: Scope) -> str:
    found = _COOKIE.search(_header(scope, b"cookie"))
    return found[1] if found else ""


def _digest(password: str) -> bytes:
    return hashlib.sha256(password.encode("utf-8", "surrogatepass")).digest()
