"""A real Chromium presses the buttons of the real app and reads its canvases.

The app and the browser are started once. Tests wait for what the page shows, never for a time, and every one of them
also fails when the page met an error nobody expected or asked anybody but this machine for anything.
"""

from __future__ import annotations

import base64
import io
import json
import re
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen
from sys import executable
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect, sync_playwright

from gan.bench import App, find_chromium, free_port, process
from gan.web.page import TABS
from gan.web.text import EN
from tests.conftest import PATIENCE, not_here, until
from tests.follow import answer_of, records_of, steps_of

STRANGER = "visitor.test"  # the same server by a name under which no browser was given a token
TINY = {"batch": 8, "total_steps": 10**7}  # small steps, and more of them than any test waits for
TITLES = [EN["common"][f"tab_{name}"] for name in TABS]
NO_QUEUE = ("--max-waiting", "0")  # whoever comes second is refused, unless a test's own flags say otherwise
expect.set_options(timeout=PATIENCE * 1000)
HERE = r"https?://(127\.0\.0\.1|visitor\.test):\d+/"
LOCAL = re.compile(HERE + "|data:|blob:|about:")

# What tests read in the page: a fingerprint of (a part of) a canvas, its red channel, and how many pixels are coloured.
_EYES = """
window.gfTest = {
  image(selector, x = 0, y = 0, w = 0, h = 0) {
    const canvas = document.querySelector(selector);
    if (!canvas?.width || !canvas.height) return new Uint8ClampedArray();
    return canvas.getContext('2d').getImageData(x, y, w || canvas.width, h || canvas.height).data;
  },
  /** The pixels as text: a list of so many numbers would take seconds on its way to the test. */
  packed(...where) {
    let text = '';
    for (const value of this.image(...where)) text += String.fromCharCode(value);
    return btoa(text);
  },
  print(...where) {
    return this.image(...where).reduce((sum, value) => (sum * 31 + value) | 0, 7);
  },
  red(...where) {
    return [...this.image(...where)].filter((_, i) => i % 4 === 0);
  },
  coloured(...where) {
    const data = this.image(...where);
    let found = 0;
    for (let i = 0; i < data.length; i += 4) {
      const [r, g, b] = data.subarray(i, i + 3);
      if (data[i + 3] > 100 && Math.max(r, g, b) - Math.min(r, g, b) > 60) found += 1;
    }
    return found;
  },
};
"""


# The app ---------------------------------------------------------------------------------------------------------


class Server(App):
    """The app in a process of its own, asked as its owner asks."""

    process: Popen

    def url(self, path: str = "", host: str = "") -> str:
        """The page as its owner opens it, or by another name as a stranger does."""
        return (
            f"http://{host}:{self.port}/{path}" if host else f"http://127.0.0.1:{self.port}/{path}#owner={self.owner}"
        )

    def fetch(self, path: str) -> tuple[Any, bytes]:
        """Headers and body of a route."""
        request = urllib.request.Request(self.base + path, headers={"X-Owner": self.owner})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.headers, answer.read()

    def get(self, path: str) -> Any:
        return json.loads(self.fetch(path)[1] or b"null")

    def follow(self, run: str) -> dict[str, Any]:
        """What a page hears that begins to follow a run."""
        return answer_of(self.fetch(f"runs/{run}/follow")[1])[0]

    def moment(self, run: str) -> dict[str, Any]:
        """The numbers of its newest picture."""
        return self.follow(run)["snapshot"]

    def records(self, run: str, kind: str) -> list[dict[str, Any]]:
        return records_of(self.follow(run), kind)

    def frame_steps(self, run: str) -> list[int]:
        return steps_of(self.follow(run), "frames")

    def patch(self, run: str, **change: Any) -> None:
        """Change what its owner may: title, kept, shown."""
        self._ask(run, "PATCH", json.dumps(change).encode())

    def delete(self, run: str) -> None:
        self._ask(run, "DELETE")

    def _ask(self, run: str, method: str, body: bytes | None = None) -> None:
        headers = {"X-Owner": self.owner, "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.base}runs/{run}", body, headers, method=method)
        urllib.request.urlopen(request, timeout=PATIENCE).close()

    def pixels(self, query: str, route: str = "pixels") -> np.ndarray:
        """Pictures uint8 [N, C, H, W] from the route that draws."""
        headers, data = self.fetch(f"{route}?{query}")
        return np.frombuffer(data, np.uint8).reshape([int(n) for n in headers["X-Shape"].split(",")])

    def run_ids(self) -> list[str]:
        return [run["id"] for run in self.get("runs")["runs"]]

    def train(self, recipe: str = "dense", dataset: str = "mnist", **changes: Any) -> str:
        """The id of a run that has begun to learn."""
        body = {"recipe": recipe, "dataset": dataset, "changes": TINY | changes}
        run = self.post("runs", body)["id"]
        until(lambda: self.get(f"runs/{run}")["step"] > 0 or self.status(run) != "running")
        return run

    def finish(self, recipe: str = "dense", dataset: str = "mnist", **changes: Any) -> str:
        """The id of a run that has reached its end, and has saved it."""
        run = self.train(recipe, dataset, **{"total_steps": 40, **changes})
        until(lambda: self.saved(run))
        return run

    def saved(self, run: str) -> bool:
        """Whether a run has ended and its last state is on disk, which comes after the word."""
        now = self.get(f"runs/{run}")
        return now["status"] == "finished" and now["checkpoint_step"] == now["step"]

    def status(self, run: str) -> str:
        return self.get(f"runs/{run}")["status"]

    def command(self, run: str, command: str, **more: Any) -> None:
        self.post(f"runs/{run}/command", {"command": command, **more})

    def rest(self) -> None:
        """Stop whatever learns."""
        active = [run["id"] for run in self.get("runs")["runs"] if run["status"] in ("running", "paused")]
        for run in active:
            self.command(run, "stop")
        until(lambda: all(self.status(run) not in ("running", "paused") for run in active))


@contextmanager
def served(folder: Path, *flags: str, port: int | None = None, **environment: str) -> Iterator[Server]:
    """The app on a port, with its runs in a folder."""
    server = Server(port or free_port())
    command = (executable, "app.py", "--port", str(server.port), "--runs", str(folder), *NO_QUEUE, *flags)
    with process(*command, **environment) as server.process:
        server.ready(server.process)
        yield server


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory, browser: Any) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("runs")) as server:
        yield server


@pytest.fixture
def server(shared_server: Server) -> Iterator[Server]:
    """The app, with nothing learning before and after."""
    yield shared_server
    shared_server.rest()


@pytest.fixture(scope="session")
def plain_run(shared_server: Server) -> str:
    """A finished run without classes."""
    return shared_server.finish("dense")


@pytest.fixture(scope="session")
def class_run(shared_server: Server) -> str:
    """A finished run with the ten classes of MNIST."""
    return shared_server.finish("quick-conditional", width=4, z_dim=16, batch=4, total_steps=12)


@pytest.fixture(scope="session")
def large_run(shared_server: Server) -> str:
    """A finished run whose pictures only the server draws."""
    return shared_server.finish("dcgan-upsample", batch=2, total_steps=2)


# The browser -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    path = find_chromium()
    if path is None:
        not_here("No Chromium was found. Install it (Debian: chromium-headless-shell) or set CHROMIUM to its path.")
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", f"--host-resolver-rules=MAP {STRANGER} 127.0.0.1"]
        chromium = playwright.chromium.launch(executable_path=path, args=arguments, timeout=PATIENCE * 1000)
        yield chromium
        chromium.close()


class Visits:
    """Opens pages as different people, and remembers what went wrong in them."""

    def __init__(self, browser: Any) -> None:
        self.browser = browser
        self.contexts: list[Any] = []
        self.problems: list[str] = []
        self.expected: list[str] = []

    def expect(self, *patterns: str) -> None:
        """What the browser's console may say in this test, because the test provokes it."""
        self.expected += patterns

    def __call__(self, url: str, **options: Any) -> Any:
        """A page in a browser that was never here before."""
        context = self.browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **options})
        context.set_default_timeout(PATIENCE * 1000)
        context.add_init_script(_EYES)
        self.contexts.append(context)
        page = context.new_page()
        self.watch(page)
        page.goto(url, wait_until="commit")
        return page

    def watch(self, page: Any) -> None:
        page.on("pageerror", lambda error: self.problems.append(f"page error: {error}"))
        page.on("console", lambda message: self._heard(message))
        page.on("request", lambda request: self._asked(request.url))
        page.on("websocket", lambda socket: self._asked(socket.url))

    def _heard(self, message: Any) -> None:
        if message.type == "error":
            self.problems.append(f"console: {message.text} ({message.location.get('url')})")

    def _asked(self, url: str) -> None:
        if not LOCAL.match(url):
            self.problems.append(f"asked for {url}")

    def close(self) -> None:
        for context in self.contexts:
            context.close()

    def unexpected(self) -> list[str]:
        return [problem for problem in self.problems if not any(re.search(e, problem) for e in self.expected)]


@pytest.fixture
def visit(browser: Any) -> Iterator[Visits]:
    """visit(url, **options of the browser's context) -> page. Errors in any page fail the test at its end."""
    visits = Visits(browser)
    yield visits
    visits.close()
    assert visits.unexpected() == []


# Looking ---------------------------------------------------------------------------------------------------------


def css(tab: str, name: str) -> str:
    """The selector of an element that a tab's script knows by name."""
    return f'#gf-tab-{tab} [data-gf="{name}"]'


def part(page: Any, tab: str, name: str) -> Any:
    return page.locator(css(tab, name))


def opened(page: Any) -> Any:
    """The page, once its form is there. (On a phone the button is another one.)"""
    page.wait_for_selector(css("train", "train") + ":not([disabled])", state="attached")
    return page


def look(page: Any, what: str, selector: str, *area: int) -> Any:
    """gfTest.print, .packed or .coloured of a canvas."""
    return page.evaluate(f"([...where]) => gfTest.{what}(...where)", [selector, *area])


def pixels_of(page: Any, selector: str) -> np.ndarray:
    """What a canvas shows, uint8 [H, W, 4]."""
    width, height = page.locator(selector).evaluate("({ width, height }) => [width, height]")
    seen = base64.b64decode(look(page, "packed", selector, 0, 0, width, height))
    return np.frombuffer(seen, np.uint8).reshape(height, width, 4)


def grey_of(page: Any, selector: str) -> np.ndarray:
    """The red channel of what a canvas shows, uint8 [H, W]: the whole of a grey picture."""
    return pixels_of(page, selector)[..., 0]


def same(a: np.ndarray, b: np.ndarray) -> None:
    """Equal to one of 255 steps: a page draws by itself where it can, and rounds some pixels otherwise than torch."""
    assert a.shape == b.shape
    assert np.abs(a.astype(int) - b.astype(int)).max() <= 1


def drawn_by(page: Any, who: str, tab: str = "latent") -> Any:
    """Wait until the picture is one that "page" or "server" has drawn; returns the line that says so."""
    line = part(page, tab, "drawn")
    expect(line).to_have_attribute("data-by", who)
    return line


def wait_for_rest(page: Any) -> None:
    """Wait until nothing fades or moves any more that will end by itself."""
    page.wait_for_function(
        "document.getAnimations().every(({ playState, effect }) => "
        "playState !== 'running' || effect.getComputedTiming().endTime === Infinity)"
    )


def wait_for_change(page: Any, selector: str, before: int, *area: int) -> int:
    """Wait until a canvas shows other pixels than before; returns the new fingerprint."""
    page.wait_for_function("([before, ...where]) => gfTest.print(...where) !== before", arg=[before, selector, *area])
    return look(page, "print", selector, *area)


def wait_for_status(page: Any, status: str) -> None:
    page.wait_for_selector(css("train", "status") + f'[data-kind="{status}"]')


def shown_step(page: Any) -> int:
    """The step in the header of the Train tab."""
    text = part(page, "train", "n-step").text_content()
    return int(text.replace(",", "")) if text[0].isdigit() else -1


def wait_for_step(page: Any, at_least: int) -> None:
    page.wait_for_function(
        "([selector, least]) => Number(document.querySelector(selector).textContent.replaceAll(',', '')) >= least",
        arg=[css("train", "n-step"), at_least],
    )


def run_on_screen(page: Any) -> str:
    """The id of the run that the address names."""
    page.wait_for_url(re.compile(r"[?&]run="))
    return re.search(r"[?&]run=([^&]+)", page.url).group(1)


# Pressing --------------------------------------------------------------------------------------------------------


def choose(page: Any, recipe: str) -> None:
    card = page.locator(f'.gf-recipe[data-recipe="{recipe}"]')
    card.evaluate("card => { if (card.closest('details')) card.closest('details').open = true }")
    card.click()


def fill(page: Any, **knobs: Any) -> None:
    for name, value in knobs.items():
        page.locator(f"#gf-knob-{name}").fill(str(value))


def press_train(page: Any, recipe: str = "dense") -> str:
    """Set up a small run as a person does and start it; returns its id."""
    choose(opened(page), recipe)
    fill(page, **TINY)
    part(page, "train", "train").click()
    return run_on_screen(page)


def open_tab(page: Any, tab: str) -> None:
    button = page.locator(f'[role="tab"][data-tab-id="{tab}"]')
    button.click()
    expect(button).to_have_attribute("aria-selected", "true")


def set_slider(locator: Any, value: float) -> None:
    """Move a slider as a hand does: its value, and the event that tells of it."""
    locator.evaluate(
        "(slider, value) => { slider.value = value; slider.dispatchEvent(new Event('input', {bubbles: true})) }", value
    )


# Files -----------------------------------------------------------------------------------------------------------


def png(seed: int, side: int = 40) -> bytes:
    """A small picture of its own."""
    colours = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(colours).save(out, "PNG")
    return out.getvalue()


def upload(name: str, data: bytes, kind: str = "image/png") -> dict[str, Any]:
    return {"name": name, "mimeType": kind, "buffer": data}


def wait_for_picture_of_tab(page: Any, tab: str) -> None:
    """Until a tab shows something: a canvas that is drawn, or a picture that has come."""
    page.wait_for_function(
        """(tab) => [...document.querySelectorAll(`#gf-tab-${tab} :is(canvas, img, svg)`)].some(
          (shown) => shown.checkVisibility() && (shown.tagName === "svg" || shown.naturalWidth || shown.width > 20))""",
        arg=tab,
    )
