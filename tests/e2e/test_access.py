"""Who may do what: links with tokens, proxies, paths, frames, the password. Pressed in a browser as people would."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import (
    STRANGER,
    Server,
    css,
    opened,
    part,
    press_train,
    run_on_screen,
    served,
    until,
    wait_for_status,
)
from tests.proxy import proxied

pytestmark = pytest.mark.thorough  # beside the main journeys, which a plain run takes

WORD = "correct horse"
RUNS = ".gf-run-list li"
STORED = "JSON.parse(localStorage.getItem('gan-forge-owner') ?? '{}').tokens ?? []"
_CHANGE = """async ([path, method, body]) => {
  const headers = {'Content-Type': 'application/json'};
  const answer = await fetch(`gradio_api/gan/${path}`, {method, headers, body: body && JSON.stringify(body)});
  return answer.status;
}"""
# Everything that the theme sets, as it reaches our part of the page.
_STYLE = """async () => {
  const sheet = await (await fetch('theme.css')).text();
  const found = getComputedStyle(document.querySelector('.gf'));
  const names = [...new Set(sheet.match(/--[a-z][a-z0-9-]*(?=:)/g))];
  return Object.fromEntries(names.map((name) => [name, found.getPropertyValue(name)]));
}"""


# Tokens ----------------------------------------------------------------------------------------------------------


def test_the_printed_link_opens_everything_and_the_plain_address_only_ones_own(server, visit, plain_run):
    owner = opened(visit(server.url("?tab=train")))
    assert "#" not in owner.url and server.owner not in owner.content()
    assert owner.evaluate(STORED) == [server.owner]
    expect(owner.locator(RUNS)).not_to_have_count(0)
    expect(part(owner, "train", "runs-hint")).to_be_hidden()
    owner.reload()
    expect(owner.locator(RUNS)).not_to_have_count(0)  # kept by the browser

    plain = opened(visit(f"http://127.0.0.1:{server.port}/?tab=train&run={plain_run}"))
    wait_for_status(plain, "finished")
    expect(plain.locator(RUNS)).to_have_count(0)
    expect(part(plain, "train", "runs-hint")).to_be_visible()
    expect(part(plain, "train", "controls")).to_be_hidden()
    assert plain.evaluate(STORED) == []
    own = press_train(plain)
    expect(plain.locator(RUNS)).to_have_count(1)
    plain.evaluate(f"location.hash = 'owner={server.owner}'")  # as when the link is pasted into the open page
    expect(plain.locator(RUNS)).to_have_count(len(server.run_ids()))
    assert own in server.run_ids() and "#" not in plain.url


def test_a_link_lets_another_device_steer_one_run(server, visit, plain_run):
    visit.expect("403")
    page = visit(server.url("?tab=train"), permissions=["clipboard-read", "clipboard-write"])
    run = press_train(page)
    wait_for_status(page, "running")
    row = page.locator(f"{RUNS}[data-run='{run}']")
    row.locator(".gf-run-more").click()
    row.get_by_role("button", name="Other device").click()
    expect(row.get_by_role("button", name="Copied")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch(rf"http://127.0.0.1:\d+/\?tab=train&run={run}#control={run}:[\w-]+", link)

    other = opened(visit(link.replace("127.0.0.1", STRANGER)))
    assert "#" not in other.url
    part(other, "train", "pause").click()
    wait_for_status(other, "paused")
    wait_for_status(page, "paused")
    assert other.evaluate(STORED) == []
    assert other.evaluate(_CHANGE, [f"runs/{plain_run}", "DELETE", None]) == 403


# Proxies ---------------------------------------------------------------------------------------------------------


def test_behind_a_plain_proxy_a_stranger_steers_nothing(server, visit):
    """The proxy says that all come from this machine, by its own name; the page is opened by another."""
    visit.expect("403")
    run = server.train()
    with proxied(server.port) as proxy:
        page = opened(visit(proxy.url(f"?tab=train&run={run}", host=STRANGER)))
        wait_for_status(page, "running")
        assert server.owner not in page.evaluate("fetch('gradio_api/gan/boot').then((answer) => answer.text())")
        expect(part(page, "train", "controls")).to_be_hidden()
        expect(page.locator(RUNS)).to_have_count(0)
        path = f"runs/{run}"
        for change in (
            [f"{path}/command", "POST", {"command": "pause"}],
            [f"{path}/token", "POST", {}],
            [path, "PATCH", {"title": "taken"}],
            [path, "DELETE", None],
        ):
            assert page.evaluate(_CHANGE, change) == 403
        page.close()  # before its proxy
    assert server.status(run) == "running"


@pytest.mark.parametrize("headers", [False, True], ids=["plain", "careful"])
def test_below_a_path_nothing_is_lost(server, visit, headers):
    direct = opened(visit(server.url()))
    with proxied(server.port, prefix="/gan/", headers=headers) as proxy:
        page = opened(visit(proxy.url(host=STRANGER), reduced_motion="reduce"))
        assert page.evaluate(_STYLE) == direct.evaluate(_STYLE)
        run = press_train(page)
        wait_for_status(page, "running")
        assert page.url.startswith(proxy.url(host=STRANGER)) and run in page.url
        part(page, "train", "stop").click()
        wait_for_status(page, "stopped")
        for tab in ("latent", "interpolation", "how", "compare"):
            page.locator(f'[role="tab"][data-tab-id="{tab}"]').click()
            page.wait_for_url(re.compile(rf"/gan/\?.*tab={tab}"))
            page.wait_for_selector(css("latent", "picture") + "[data-shows]", state="attached")
        page.close()  # before its proxy


def test_the_slash_at_the_end_of_a_path_may_be_missing(tmp_path, visit):
    """Asked below /gan, with a proxy that passes the path on: nginx's `location /gan { proxy_pass http://…; }`."""
    visit.expect(r"404.*assets")  # what the browser guesses before the page has said its address
    with served(tmp_path, "--root-path", "/gan") as server, proxied(server.port) as proxy:
        for path in ("gan", "gan/", "gan?tab=how", "gan/?tab=how"):
            page = opened(visit(proxy.url(path, host=STRANGER), reduced_motion="reduce"))
            page.wait_for_selector(css("train", "status") + "[data-kind=recording]", state="attached")
            page.close()


def test_the_theme_needs_no_file_of_gradios(server, visit):
    visit.expect("theme.css", "ERR_FAILED")
    whole = opened(visit(server.url()))
    page = visit("about:blank")
    page.route("**/theme.css*", lambda route: route.abort())
    page.goto(server.url())
    opened(page)
    page.unroute("**/theme.css*")  # what the page has is compared with what it should have
    found = page.evaluate(_STYLE)
    assert len(found) > 200 and found == whole.evaluate(_STYLE)


# Password, frames, who trains ------------------------------------------------------------------------------------


class _Frame(BaseHTTPRequestHandler):
    """Another site, which shows the page in a frame."""

    def do_GET(self) -> None:
        body = f'<iframe src="http://127.0.0.1:{self.path[1:]}/" width="900" height="700"></iframe>'.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def site() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Frame)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.fixture
def guarded(tmp_path, site: int) -> Iterator[Server]:
    """Open to the network, with a password, for one site's frames, and only its owner trains."""
    flags = ("--host", "0.0.0.0", "--only-here", "--frame-from", f"http://{STRANGER}:{site}")
    with served(tmp_path, *flags, GAN_FORGE_PASSWORD=WORD) as server:
        yield server


def test_a_guarded_server(guarded, site, visit):
    visit.expect("401", "403", r"favicon\.ico", "Blocked autofocusing")
    page = visit(guarded.url("?tab=train"))
    field = page.get_by_label("Password")
    field.fill("wrong password")
    page.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_have_text("That is not the password.")
    field.fill(WORD)
    field.press("Enter")
    opened(page)  # and the owner's token, which stood behind the #, has come through
    assert page.evaluate(STORED) == [guarded.owner]
    press_train(page)
    wait_for_status(page, "running")

    other = visit(guarded.url("?tab=train", host=STRANGER))
    other.get_by_label("Password").fill(WORD)
    other.get_by_label("Password").press("Enter")
    expect(part(other, "train", "only-here")).to_be_visible()
    expect(part(other, "train", "train")).to_be_disabled()
    order = ["runs", "POST", {"recipe": "dense"}]
    assert other.evaluate(_CHANGE, order) == 403

    framing = visit(f"http://{STRANGER}:{site}/{guarded.port}")
    framing.frame_locator("iframe").get_by_label("Password").wait_for()


def test_other_sites_frames_stay_empty(server, site, visit):
    visit.expect("frame-ancestors", "ERR_BLOCKED_BY_RESPONSE", r"favicon\.ico")
    framing = visit(f"http://{STRANGER}:{site}/{server.port}")
    until(lambda: any("frame-ancestors" in problem for problem in visit.problems) or framing.wait_for_timeout(50))


def test_a_page_by_this_machines_name_copies_an_address_for_others(tmp_path, visit):
    with served(tmp_path, "--host", "0.0.0.0") as server:
        addresses = server.get("boot")["addresses"]
        if not addresses:
            pytest.skip("This machine is in no network.")
        page = opened(visit(server.url("?tab=train"), permissions=["clipboard-read", "clipboard-write"]))
        press_train(page)
        run = run_on_screen(page)
        part(page, "train", "copy-link").click()
        expect(part(page, "train", "copy-link")).to_have_text("Copied")
        assert page.evaluate("navigator.clipboard.readText()") == f"{addresses[0]}?tab=train&run={run}"
        page.close()
