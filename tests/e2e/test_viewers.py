"""Twenty people watch one training; fifty drag a slider."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from gan.bench.load_clients import Tally, drag_many, watch
from tests.conftest import PATIENCE
from tests.e2e.conftest import css, look, opened, wait_for_change, wait_for_status, wait_for_step

pytestmark = pytest.mark.thorough

VIEWERS, DRAGGERS = 20, 50
FAKE = css("train", "fake")


def test_twenty_viewers_see_it_learn(server, visit):
    run = server.train("dense")
    page = opened(visit(server.url(f"?tab=train&run={run}")))
    wait_for_status(page, "running")
    wait_for_step(page, 1)
    tallies = [Tally() for _ in range(VIEWERS)]

    async def all_watch() -> None:
        """Until each has seen two pictures."""
        url = f"{server.base}runs/{run}/follow"
        viewers = [
            asyncio.create_task(watch(url, PATIENCE, 1.0, i / VIEWERS, tally)) for i, tally in enumerate(tallies)
        ]
        while min(tally.fresh for tally in tallies) < 2 and not all(viewer.done() for viewer in viewers):
            await asyncio.sleep(0.1)
        for viewer in viewers:
            viewer.cancel()

    # Playwright has an event loop of its own in this thread.
    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(asyncio.run, all_watch())
        wait_for_change(page, FAKE, look(page, "print", FAKE))
        watching.result()
    assert [tally.errors for tally in tallies] == [[]] * VIEWERS
    assert min(tally.fresh for tally in tallies) >= 2
    assert server.status(run) == "running"


def test_fifty_people_drag_a_slider_through_the_server(server):
    with ThreadPoolExecutor(1) as pool:
        met = pool.submit(asyncio.run, drag_many(f"{server.base}pixels?w=mnist", DRAGGERS, 2)).result()
    assert met.errors == []
    assert met.fresh == DRAGGERS, "where a hand rests is what it sees"
