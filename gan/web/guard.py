"""What stands in front of every request: security headers, and a limit on how much a body may weigh."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import ClientDisconnect

MIB = 1 << 20
OURS = "/gradio_api/gan/"
MOST_BYTES = 512 * MIB  # a zip of own pictures or of a whole run
MOST_BYTES_ELSEWHERE = MIB

# Gradio compiles the templates of gr.HTML with new Function, hence 'unsafe-eval'. A Space is shown in a frame.
CONTENT_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'self'",
        "frame-ancestors 'self' https://huggingface.co https://*.hf.space",
    )
)
HEADERS = (
    (b"content-security-policy", CONTENT_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
)


class SecurityHeaders:
    """Adds the headers to every answer. Plain ASGI, so that streams stay streams."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: dict, receive: Any, send: Any) -> None:
        async def send_with_headers(message: dict) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message.get("headers", [])}
                added = [header for header in HEADERS if header[0] not in present]
                message = {**message, "headers": [*message.get("headers", []), *added]}
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class TooLarge(Exception):
    """A body grew beyond its limit while it was being read."""


class BodyLimit:
    """Refuses bodies that are announced, or turn out, to be too large."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: dict, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        most = MOST_BYTES if OURS in scope["path"] else MOST_BYTES_ELSEWHERE
        if _announced(scope) > most:
            await _refuse(send, most)
            return
        state = {"read": 0, "started": False}

        async def counted() -> dict:
            message = await receive()
            state["read"] += len(message.get("body", b""))
            if state["read"] > most:
                raise TooLarge
            return message

        async def noted(message: dict) -> None:
            state["started"] = True
            await send(message)

        try:
            await self.app(scope, counted, noted)
        except TooLarge:
            if not state["started"]:
                await _refuse(send, most)
        except ClientDisconnect:
            pass  # whoever sent the body has gone: nobody is there to be answered


def _announced(scope: dict) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0


async def _refuse(send: Any, most: int) -> None:
    body = json.dumps({"error": f"That is too much to send at once: the limit is {most // MIB} MB."}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 413, "headers": [*headers, (b"connection", b"close")]})
    await send({"type": "http.response.body", "body": body})
