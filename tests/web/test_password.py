"""The password in front of everything: who has not given it gets nothing, and nobody may guess for long."""

from __future__ import annotations

import asyncio

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from gan.web import password
from gan.web.middleware import OwnPages
from gan.web.password import COOKIE, TRIES, TRIES_OF_ALL, TRY_SECONDS, Password, Tries
from gan.web.text import EN
from tests.conftest import completed

WORD = "a long pässword"
HTML = {"Accept": "text/html"}


async def behind(_):
    return PlainTextResponse("everything")


async def talk(socket):
    await socket.accept()


def client(framed: bool = False, **more) -> TestClient:
    routes = [Route("/{path:path}", behind, methods=["GET", "POST", "DELETE"]), WebSocketRoute("/talk", talk)]
    middleware = [Middleware(Password, password=WORD, framed=framed)]
    return TestClient(Starlette(routes=routes, middleware=middleware), follow_redirects=False, **more)


def enter(c: TestClient, password: str = WORD, path: str = "/gan/?tab=how"):
    return c.post(path, data={"password": password}, headers=HTML)


@pytest.mark.parametrize(
    "path", ["/", "/gradio_api/gan/boot", "/gradio_api/gan/static/page.js", "/theme.css", "/config"]
)
def test_nothing_is_given_without_the_password(path):
    c = client()
    for answer in (c.get(path), c.delete(path), c.get(path, headers=HTML), c.post(path, json={"password": WORD})):
        assert answer.status_code == 401 and "everything" not in answer.text
    assert "password" in c.get(path).json()["error"]
    with pytest.raises(WebSocketDisconnect), c.websocket_connect("/talk"):
        pass


def test_the_right_password_lets_in_and_brings_back_to_the_same_address():
    c = client()
    assert 'type="password"' in c.get("/gan/", headers=HTML).text
    answer = enter(c)
    assert answer.status_code == 303 and answer.headers["location"] == "?tab=how"
    assert "HttpOnly" in answer.headers["set-cookie"] and "SameSite=Lax" in answer.headers["set-cookie"]
    assert c.get("/").text == "everything"


@pytest.mark.parametrize("wrong", ["", "a long password", WORD + " ", "x" * 100_000])
def test_a_wrong_password_is_said_and_lets_nobody_in(wrong):
    c = client()
    answer = enter(c, wrong)
    assert answer.status_code == 403 and EN["common"]["password_wrong"] in answer.text
    assert c.get("/").status_code == 401


def test_a_cookie_cannot_be_made_or_kept_over_a_restart():
    c = client()
    enter(c)
    until, proof = c.cookies[COOKIE].split(".")
    other = client()
    for forged in (f"{until}.{proof}", f"{int(until) + 1}.{proof}", f"{until}.", until, f"1.{proof}", "9" * 5000, ""):
        assert other.get("/", headers={"Cookie": f"a=b; {COOKIE}={forged}"}).status_code == 401
        if forged != f"{until}.{proof}":
            c.cookies.clear()
            assert c.get("/", headers={"Cookie": f"{COOKIE}={forged}"}).status_code == 401
    assert c.get("/", headers={"Cookie": f'odd="{{}}"; {COOKIE}={until}.{proof}; z=1'}).text == "everything"


def test_a_visit_ends(monkeypatch):
    c = client()
    enter(c)
    monkeypatch.setattr(password.time, "time", lambda: 10.0**11)
    assert c.get("/").status_code == 401


def test_https_makes_the_cookie_secure_and_a_frame_gets_it():
    there = {"base_url": "https://gan.example"}
    plain, framed = (enter(client(f, **there)).headers["set-cookie"] for f in (False, True))
    assert "Secure" in plain and "SameSite=Lax" in plain
    assert "SameSite=None; Secure; Partitioned" in framed
    proxied = client().post("/", data={"password": WORD}, headers={"X-Forwarded-Proto": "https"})
    assert "Secure" in proxied.headers["set-cookie"]
    assert "Secure" not in enter(client()).headers["set-cookie"]


def test_after_many_wrong_passwords_even_the_right_one_waits():
    c = client()
    for _ in range(TRIES):
        assert enter(c, "wrong").status_code == 403
    answer = enter(c)
    assert answer.status_code == 429 and "5 min" in answer.text
    assert c.get("/").status_code == 401


def test_tries_are_counted_for_each_address_and_for_all(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(password.time, "monotonic", lambda: now[0])
    tries = Tries()
    for _ in range(TRIES):
        tries.failed("a")
    assert tries.wait("a") == TRY_SECONDS and tries.wait("b") == 0
    for i in range(TRIES_OF_ALL - TRIES):
        tries.failed(f"other {i}")
    assert tries.wait("b") == TRY_SECONDS
    now[0] = TRY_SECONDS + 1
    assert tries.wait("a") == tries.wait("b") == 0


def test_a_text_is_only_text(monkeypatch):
    text = {"common": EN["common"] | {"product": "<script>x</script>"}}
    monkeypatch.setattr(password, "text_in", lambda _: text)
    assert "<script>" not in client().get("/", headers=HTML).text


@pytest.mark.parametrize(("language", "wrong"), [("de", "Das ist nicht das Passwort."), ("es", "contraseña")])
def test_it_is_asked_for_in_the_language_of_the_browser(language, wrong):
    c = client(headers={"Accept-Language": f"{language}-XX,{language};q=0.9,en;q=0.5"})
    asked = c.get("/", headers=HTML).text
    assert f'<html lang="{language}">' in asked and EN["common"]["password_label"] not in asked
    refused = enter(c, "wrong").text
    assert wrong in refused and EN["common"]["password_wrong"] not in refused


def test_many_tries_at_once_are_counted_as_many():
    """All have sent their headers before the first password comes: each is held against those before it."""
    guard = Password(behind, WORD)
    form = [(b"content-type", b"application/x-www-form-urlencoded")]
    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": form, "client": ("a", 1)}
    statuses: list[int] = []

    async def all_at_once() -> None:
        headers_are_there = asyncio.Event()

        async def receive() -> dict:
            await headers_are_there.wait()
            return {"type": "http.request", "body": b"password=wrong"}

        async def send(message: dict) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        tries = [asyncio.create_task(guard(scope, receive, send)) for _ in range(5 * TRIES)]
        await asyncio.sleep(0)
        headers_are_there.set()
        await asyncio.gather(*tries)

    completed(all_at_once())
    assert statuses.count(403) == TRIES and statuses.count(429) == 4 * TRIES


SITES = {"same-origin": True, "none": True, "same-site": False, "cross-site": False}


@pytest.mark.parametrize(("site", "allowed"), SITES.items())
def test_our_routes_answer_pages_of_this_address_alone(site, allowed):
    c = TestClient(Starlette(routes=[Route("/{path:path}", behind, methods=["GET", "POST"])]))
    guarded = TestClient(OwnPages(c.app))
    said = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "cors", "Host": "127.0.0.1:7860"}
    for path in ("/gradio_api/gan/boot", "/gan/gradio_api/gan/runs"):
        for answer in (guarded.get(path, headers=said), guarded.post(path, headers=said)):
            assert answer.status_code == (200 if allowed else 403)
        assert guarded.get(path).status_code == 200  # a program
        link = said | {"Sec-Fetch-Mode": "navigate"}
        assert guarded.get(path, headers=link).status_code == 200
        assert guarded.post(path, headers=link).status_code == (200 if allowed else 403)
    assert guarded.get("/", headers=said).status_code == 200
