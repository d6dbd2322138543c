"""What stands in front of every request: security headers, a limit on how much a body may weigh, and a first page that
knows its own address behind any proxy."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gan.core.messages import say, with_messages
from gan.web.languages import language_of

log = logging.getLogger(__name__)
MIB = 1 << 20
OURS = "/gradio_api/gan/"
ON_DISK = tuple(OURS + path for path in ("pictures", "runs/import"))  # where a body is never in memory as a whole
FILES = (*ON_DISK, OURS + "weights", OURS + "find")  # which files may be sent to
MOST_BYTES = 512 * MIB  # a zip of own pictures or of a whole run
MOST_BYTES_ELSEWHERE = 2 * MIB

# A Space is shown in a frame.
FRAMES = ("'self'", "https://huggingface.co", "https://*.hf.space")


def content_policy(frame_from: Sequence[str] = ()) -> str:
    """frame_from: other sites (SCHEME://HOST[:PORT]) that may show the page in a frame."""
    # Gradio compiles the templates of gr.HTML with new Function, hence 'unsafe-eval'.
    return "; ".join(
        (
            "default-src 'self'",
            "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "media-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "form-action 'self'",
            "frame-src 'none'",
            "worker-src 'none'",
            "manifest-src 'none'",
            "object-src 'none'",
            "base-uri 'self'",
            f"frame-ancestors {' '.join((*FRAMES, *frame_from))}",
        )
    )


class SecurityHeaders:
    """Adds the headers to every answer. Plain ASGI, so that streams stay streams.

    What our routes answer is data and no page: it may load nothing, which is said in few bytes.
    """

    def __init__(self, app: ASGIApp, frame_from: Sequence[str] = ()) -> None:
        self.app = app
        self.headers = (
            (b"content-security-policy", content_policy(frame_from).encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
            (b"permissions-policy", b"camera=(self), microphone=(self), geolocation=()"),
            (b"cross-origin-resource-policy", b"same-origin"),
        )
        self.headers_of_ours = (
            (b"content-security-policy", b"default-src 'none'"),
            (b"x-content-type-options", b"nosniff"),
            (b"cross-origin-resource-policy", b"same-origin"),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = self.headers_of_ours if OURS in scope.get("path", "") else self.headers

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message.get("headers", [])}
                added = [header for header in headers if header[0] not in present]
                message = {**message, "headers": [*message.get("headers", []), *added]}
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


# Gradio writes the address it believes to have into its page, and loads from there. Behind a proxy that is another
# machine's address, or lacks the path. The browser knows better. Without a slash at its end, /gan would make
# gradio_api/... an address beside it. The icon stands in the page, because browsers look for one at the site's root.
_ADDRESS = b"""<link rel="icon" href="data:image/svg+xml,\
%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'%3E%3Crect width='8' height='8' rx='2' fill='%23ea580c'/%3E\
%3Cpath d='M2 2h1v1H2zm2 0h2v1H4zM2 4h2v1H2zm3 0h1v2H5zM3 5h1v1H3z' fill='white'/%3E%3C/svg%3E">
<script>{
const base = document.querySelector("base");
if (!location.pathname.endsWith("/")) base.href = location.pathname + "/";
window.gradio_config.root = new URL(".", document.baseURI).href.replace(/[/]$/, "");
}</script>
"""
_BEFORE = b"<script data-gradio-mode>"  # the first after the settings
_BELIEVED = re.compile(rb'const root = "[^"]*";')
_KNOWN = b"const root = window.gradio_config.root;"
_MANIFEST = re.compile(rb'<link rel="manifest"[^>]*>')  # of an app to install, which this is not
_ENGLISH = re.compile(rb'<html\s+lang="en"')
_SETTINGS = re.compile(rb"(?<=window\.gradio_config = )\{.*?\}(?=;</script>)", re.DOTALL)

Texts = Mapping[str, str]  # what stands in the page in English -> in another language


class FirstPage:
    """Lets the first page find its own address, and answers below a path with and without the slash at its end.

    style: a sheet that stands in the page, so that it looks as it should even where nothing else arrives. texts: what
    stands in the page -> the same in a language.
    """

    def __init__(
        self,
        app: ASGIApp,
        root_path: str = "",
        style: Callable[[], str] = str,
        texts: Callable[[str], Texts] = lambda _: {},
    ) -> None:
        self.app, self.root_path, self.style, self.texts = app, root_path, style, texts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] == "http" and self.root_path and path == self.root_path:
            path = self.root_path + "/"
            scope = {**scope, "path": path, "raw_path": path.encode()}
        if scope["type"] == "http" and scope["method"] == "GET" and path in ("/", self.root_path + "/"):
            language = language_of(scope)
            send = _Rewritten(send, f"<style>{self.style()}</style>\n".encode(), language, self.texts(language)).send
        await self.app(scope, receive, send)


class _Rewritten:
    """Holds a page back until it is whole."""

    def __init__(self, send: Send, style: bytes, language: str, texts: Texts) -> None:
        self._send, self._style, self._body = send, style, b""
        self._language, self._texts = language, texts
        self._start: Message = {}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._body += message.get("body", b"")
        if message.get("more_body"):
            return
        body = _BELIEVED.sub(_KNOWN, _MANIFEST.sub(b"", self._body))
        body = body.replace(_BEFORE, _ADDRESS + _BEFORE, 1).replace(b"</head>", self._style + b"</head>", 1)
        body = self._translated(body)
        kept = [h for h in self._start.get("headers", []) if h[0].lower() != b"content-length"]
        own = [(b"content-length", str(len(body)).encode()), (b"vary", b"Accept-Language")]
        await self._send({**self._start, "headers": [*kept, *own]})
        await self._send({"type": "http.response.body", "body": body})

    def _translated(self, body: bytes) -> bytes:
        """The page in its language: what Gradio is to show, and the words of its head."""
        if not self._texts:
            return body
        found = _SETTINGS.search(body)
        if found is None:
            log.error("the first page stays in English: Gradio's settings are not where they are looked for in it")
            return body
        text = json.dumps(_exchanged(json.loads(found[0]), self._texts), ensure_ascii=False).replace("<", "\\u003c")
        body = body[: found.start()] + text.encode() + body[found.end() :]
        return _ENGLISH.sub(f'<html lang="{self._language}"'.encode(), body, 1)


def _exchanged(content: Any, texts: Texts) -> Any:
    """JSON with every text that is among these exchanged."""
    if isinstance(content, dict):
        return {name: _exchanged(value, texts) for name, value in content.items()}
    if isinstance(content, list):
        return [_exchanged(value, texts) for value in content]
    return texts.get(content, content) if isinstance(content, str) else content


class OwnPages:
    """Answers our routes to pages of this address alone: a page of another site may link here, but not ask or send.

    Browsers say where a request comes from, also through a proxy; programs say nothing and are let through, as they
    hold nobody's cookies or tokens. Over plain HTTP browsers say it of this machine alone. Our page then shows itself
    by a header that pages of other sites may not send, because nobody grants it to them (see `no_grants`).
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and OURS in scope["path"] and _is_foreign(scope["method"], dict(scope["headers"])):
            await answer_json(send, 403, say("web.own_page_only"))
            return
        await self.app(scope, receive, send)


def _is_foreign(method: str, said: Mapping[bytes, bytes]) -> bool:
    site = said.get(b"sec-fetch-site")
    if site is None:
        return method not in ("GET", "HEAD") and b"origin" in said and b"x-owner" not in said
    linked = said.get(b"sec-fetch-mode") == b"navigate" and method == "GET"
    return site in (b"cross-site", b"same-site") and not linked


def no_grants(app: Starlette) -> None:
    """No page of another site may read an answer. Gradio would let it, where the server has a name of its own."""
    app.user_middleware = [one for one in app.user_middleware if "CORS" not in getattr(one.cls, "__name__", "")]
    app.middleware_stack = app.build_middleware_stack()


# Of Gradio's own routes the page asks for these alone. It has some sixty more: they take files, call functions, fetch
# from other servers.
_USED = re.compile(
    r"/|/theme\.css|/robots\.txt|/gradio_api/startup-events|/(assets|static)(/[A-Za-z0-9_@+~-][A-Za-z0-9_.@+~-]*)+"
)


class OnlyUsed:
    """Answers what our page asks for. All else that the library behind it can do is not here."""

    def __init__(self, app: ASGIApp, root_path: str = "") -> None:
        self.app, self.root_path = app, root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":  # of which our page has none
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] != "http" or self._used(scope):
            await self.app(scope, receive, send)
        else:
            await answer_json(send, 404, say("web.no_address"))

    def _used(self, scope: Scope) -> bool:
        path = scope["path"]
        if self.root_path and (path + "/").startswith(self.root_path + "/"):
            path = path[len(self.root_path) :] or "/"
        if path.startswith(OURS):
            return path.isprintable()  # a line break matches no route at all, not even the one that refuses
        return scope["method"] in ("GET", "HEAD") and bool(_USED.fullmatch(path))


class TooLarge(Exception):
    """A body grew beyond its limit while it was being read."""


class BodyLimit:
    """Refuses bodies that are announced, or turn out, to be too large."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        most = MOST_BYTES if scope["path"].endswith(FILES) else MOST_BYTES_ELSEWHERE
        if _announced(scope) > most:
            await _refuse(send, most)
            return
        state = {"read": 0, "started": False}

        async def counted() -> Message:
            message = await receive()
            state["read"] += len(message.get("body", b""))
            if state["read"] > most:
                raise TooLarge
            return message

        async def noted(message: Message) -> None:
            state["started"] = True
            await send(message)

        try:
            await self.app(scope, counted, noted)
        except TooLarge:
            if not state["started"]:
                await _refuse(send, most)
        except ClientDisconnect:
            pass  # whoever sent the body has gone: nobody is there to be answered


def _announced(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0


async def _refuse(send: Send, most: int) -> None:
    await answer_json(send, 413, say("web.too_much", most=most // MIB))


async def answer_json(send: Send, status: int, sentence: str, *more: tuple[bytes, bytes]) -> None:
    """What went wrong, as all our routes say it. The body of the request is not read, so the connection ends.

    more: headers.
    """
    body = json.dumps(with_messages({"error": sentence})).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *more]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, (b"connection", b"close")]})
    await send({"type": "http.response.body", "body": body})
