"""What stands in front of every request: which addresses there are, and whose pages may ask."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from gan.web.middleware import OnlyUsed, OwnPages, no_grants
from gan.web.routes.answers import routes_of

METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]


async def behind(_: Request) -> Response:
    return PlainTextResponse("everything")


EVERYTHING = Starlette(routes=[Route("/{path:path}", behind, methods=METHODS)])
ASKED = ["/", "/theme.css", "/robots.txt", "/assets/Index-B_x.js", "/static/img/logo.svg", "/gradio_api/gan/boot"]
NOT_ASKED = [
    "/config", "/gradio_api/upload", "/gradio_api/file=/etc/passwd", "/gradio_api/file=/gradio_api/gan/x", "/assets",
    "/assets/..%2Fx", "/assets//x", "/static/.env", "/theme.css/", "/gradio_api/ganx", "/gradio_api/gan/a%0Ab",
]  # fmt: skip


@pytest.mark.parametrize("root", ["", "/gan"])
def test_only_what_the_page_asks_for_is_there(root: str) -> None:
    client = TestClient(OnlyUsed(EVERYTHING, root))
    for path in ASKED:
        assert client.get(root + path).text == "everything", path
        assert client.get(path).text == "everything", path  # a proxy may take the path away
    for path in NOT_ASKED:
        answer = client.get(root + path)
        assert (answer.status_code, answer.json()["error"]) == (404, "There is no such address here."), path
    assert client.get(root or "/").text == "everything"
    assert client.post(root + "/").status_code == 404 and client.post(root + "/gradio_api/gan/runs").status_code == 200


def test_what_stands_in_no_table_is_refused_in_words() -> None:
    client = TestClient(Starlette(routes=routes_of({"GET x": behind})))
    assert client.get("/gradio_api/gan/x").status_code == 200
    for method, path in (("GET", "y"), ("POST", "x"), ("PROPFIND", "x"), ("DELETE", "x/y")):
        answer = client.request(method, f"/gradio_api/gan/{path}")
        assert (answer.status_code, answer.json()["error"]) == (404, "There is no such address here.")


OVER_HTTP = {"Origin": "http://evil.test", "Host": "192.168.1.5:7860"}  # a browser says no Sec-Fetch-Site there


@pytest.mark.parametrize(("more", "status"), [({}, 403), ({"X-Owner": ""}, 200)])
def test_over_plain_http_our_page_shows_itself_by_its_header(more: dict[str, str], status: int) -> None:
    client = TestClient(OwnPages(EVERYTHING))
    for method in ("POST", "PATCH", "DELETE", "OPTIONS"):
        answer = client.request(method, "/gradio_api/gan/runs", headers=OVER_HTTP | more)
        assert answer.status_code == status, method
    assert client.get("/gradio_api/gan/wall", headers=OVER_HTTP).status_code == 200
    assert client.post("/gradio_api/gan/runs", headers={"Host": "192.168.1.5"}).status_code == 200  # a program


def test_no_page_of_another_site_is_granted_anything() -> None:
    app: Any = FastAPI()
    app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_headers=["*"])
    app.add_api_route("/x", lambda: {})
    client = TestClient(app)
    granted = "access-control-allow-origin"
    assert granted in client.get("/x", headers=OVER_HTTP).headers
    no_grants(app)
    assert granted not in client.get("/x", headers=OVER_HTTP).headers
    wanted = OVER_HTTP | {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "x-owner"}
    assert granted not in client.options("/x", headers=wanted).headers
