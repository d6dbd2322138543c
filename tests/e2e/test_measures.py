"""The measure tile: what it shows of a run, of its past, and how its owner steers it."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.conftest import PATIENCE
from tests.e2e.conftest import STRANGER, part, press_train, set_slider, until, wait_for_status


def measures(server: Any, run: str) -> list[dict[str, Any]]:
    """What the page shows: not what the run began with."""
    return [measure for measure in server.records(run, "measures") if measure["step"]]


def moment(page: Any) -> Any:
    return part(page, "train", "measure-moment")


@pytest.mark.thorough
def test_measures_are_seen_steered_and_followed_into_the_past(server, visit):
    page = visit(server.url())
    run = press_train(page)
    share = part(page, "train", "measure-share")
    expect(share).to_have_value("0.1")
    share.select_option("0.2")
    until(lambda: server.moment(run)["measure_share"] == 0.2)
    until(lambda: len(measures(server, run)) >= 2, 2 * PATIENCE)  # they take a fifth of the time
    share.select_option("0")
    until(lambda: server.moment(run)["measure_share"] == 0)
    part(page, "train", "pause").click()
    wait_for_status(page, "paused")
    expect(share).to_have_value("0")

    found = measures(server, run)
    first, last = found[0], found[-1]
    expect(moment(page)).to_have_text(f"of step {last['step']:,}")
    expect(part(page, "train", "m-coverage")).to_have_text(f"{100 * last['coverage']:.0f} %")
    expect(part(page, "train", "m-kinds")).to_have_text(f"{last['modes']} of 10")
    best = min(found, key=lambda m: m["fid"])
    expect(part(page, "train", "m-fid-best")).to_contain_text(f"at step {best['step']:,}")
    numbers = part(page, "train", "m-bars").locator(".gf-measure-bar span.gf-num").all_text_contents()
    assert [int(n) for n in numbers] == pytest.approx([n / 10 for n in last["histogram"]], abs=0.5)

    set_slider(part(page, "train", "scrub"), 0)
    expect(moment(page)).to_have_text(f"of step {first['step']:,}")

    watcher = visit(server.url(f"?tab=train&run={run}", host=STRANGER))
    expect(part(watcher, "train", "measure-share")).to_be_hidden()
    expect(moment(watcher)).to_have_text(f"of step {last['step']:,}")


def test_the_tile_says_why_there_is_nothing(server, visit):
    run = server.train("quick-colour", "emoji")
    page = visit(server.url(f"?tab=train&run={run}"))
    expect(part(page, "train", "measure-note")).to_contain_text("only MNIST, Fashion-MNIST, Monsters and Faces")
    expect(part(page, "train", "measure-numbers")).to_be_hidden()
    server.command(run, "stop")
    page.goto(server.url("?tab=train&run=recorded"))
    wait_for_status(page, "recording")
    expect(part(page, "train", "measure-note")).to_be_hidden()
    expect(part(page, "train", "measure-numbers")).to_be_visible()  # a recording has what was measured then
