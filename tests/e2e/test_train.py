"""The Train tab: what the buttons do, as the page shows it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from gan.recipes.catalog import ALL_RECIPES
from tests.e2e.conftest import (
    STRANGER,
    TITLES,
    choose,
    css,
    fill,
    look,
    opened,
    part,
    press_train,
    run_on_screen,
    set_slider,
    shown_step,
    until,
    wait_for_change,
    wait_for_status,
    wait_for_step,
)

FAKE = css("train", "fake")
INSIDE = (2, 2, 40, 40)  # of the first picture: without the verdict below it
CURVES = (css("train", "chart-loss"), css("train", "chart-verdict"))


def wait_for_curves(page: Any) -> None:
    for curve in CURVES:
        page.wait_for_function("selector => gfTest.coloured(selector) > 30", arg=curve)


RUN_TITLE = f"document.querySelector('{css('train', 'title')}')"


def frames_shown(page: Any) -> int:
    return int(part(page, "train", "scrub").get_attribute("max"))


def test_page_offers_what_the_tables_hold(server, visit):
    page = opened(visit(server.url()))
    tabs = page.get_by_role("tab").all_text_contents()
    assert tabs == TITLES
    assert page.locator(".gf-recipe-title").all_text_contents() == [r.title for r in ALL_RECIPES.values()]
    expect(part(page, "train", "train")).to_be_enabled()


def test_recording_can_be_scrubbed(server, visit):
    if not server.get("boot")["recorded"]:
        pytest.skip("no recorded run is shipped")
    page = opened(visit(server.url()))
    wait_for_status(page, "recording")
    page.wait_for_function("selector => Number(document.querySelector(selector).max) > 1", arg=css("train", "scrub"))
    first, last = picture_at(page, 0), picture_at(page, frames_shown(page) - 1)
    assert first != last
    expect(part(page, "train", "controls")).to_be_hidden()


def test_the_recording_of_a_recipe_can_be_watched_while_a_run_is_open(server, visit, plain_run):
    recorded = server.get("boot")["recorded"]
    if "quick" not in recorded:
        pytest.skip("no recorded run is shipped")
    page = opened(visit(server.url(f"?tab=train&run={plain_run}")))
    wait_for_status(page, "finished")
    watch = part(page, "train", "watch-recording")
    choose(page, "conv-small-as-printed")  # which cannot run, and was not recorded
    expect(watch).to_be_hidden()
    choose(page, "quick")
    watch.click()
    wait_for_status(page, "recording")
    expect(watch).to_be_hidden()
    assert "recipe=quick" in page.url and "run=" not in page.url
    choose(page, "quick-monsters")  # another recording on the screen follows the recipe by itself
    follows = f"{RUN_TITLE}.textContent.includes('monsters')"
    page.wait_for_function(follows)
    expect(watch).to_be_hidden()


def picture_at(page: Any, position: int) -> int:
    """Fingerprint of the generated pictures at a position of the scrubber."""
    set_slider(part(page, "train", "scrub"), position)
    wait_for_sought(page)
    return look(page, "print", FAKE, *INSIDE)


def wait_for_sought(page: Any) -> None:
    """Until the pictures are those of the step that stands beside the scrubber."""
    step = re.sub(r"\D", "", part(page, "train", "scrub-step").text_content())
    label = f"document.querySelector('{FAKE}').getAttribute('aria-label').replaceAll(',', '')"
    page.wait_for_function(f"step => {label}.endsWith(` step ${{step}}`)", arg=step)


def test_seeking_while_the_playback_still_loads(server, visit, plain_run):
    """The last place that was asked for is shown, also when the frames before it are slow to come."""
    page = opened(visit(server.url(f"?tab=train&run={plain_run}")))
    frames = len(server.frame_steps(plain_run))
    expect(part(page, "train", "scrub")).to_have_attribute("max", str(frames))
    asked = []

    def slow(route: Any) -> None:
        """The seventh to the tenth picture are on their way: as many as the page fetches at once."""
        asked.append(route)
        if not 6 < len(asked) <= 10:
            route.continue_()

    page.route("**/frames/*", slow)
    part(page, "train", "play").click()
    until(lambda: page.evaluate("true") and len(asked) == 10)
    set_slider(part(page, "train", "scrub"), frames - 1)
    for route in asked[6:10]:
        route.continue_()
    wait_for_sought(page)


def test_training_is_seen_and_steered(server, visit):
    page = visit(server.url())
    run = press_train(page)
    wait_for_status(page, "running")
    wait_for_step(page, 1)
    before = look(page, "print", FAKE, *INSIDE)
    wait_for_change(page, FAKE, before, *INSIDE)
    wait_for_step(page, shown_step(page) + 1)
    wait_for_curves(page)

    steered_by_hand(page, pause(page))

    part(page, "train", "pause").click()
    wait_for_status(page, "running")
    wait_for_step(page, shown_step(page) + 2)
    change_rate(page, server, run)

    part(page, "train", "stop").click()
    wait_for_status(page, "stopped")
    part(page, "train", "start-over").click()
    page.wait_for_url(lambda url: "run=" in url and run not in url)
    wait_for_status(page, "running")
    wait_for_step(page, 1)
    again = run_on_screen(page)
    assert server.get(f"runs/{again}")["config"] == server.get(f"runs/{run}")["config"]
    assert server.status(run) == "stopped"


def test_the_same_once_more_keeps_the_networks_that_a_recipe_had(server, visit):
    before = {"model": "quick", "width": 4, "d_width": 0, "clusters": 0, "z_dim": 16, "batch": 8}
    run = server.finish("quick-colour", "emoji", **before)
    page = visit(server.url(f"?run={run}"))
    wait_for_status(page, "finished")
    part(page, "train", "start-over").click()
    page.wait_for_url(lambda url: "run=" in url and run not in url)
    again = run_on_screen(page)
    assert server.get(f"runs/{again}")["config"] == server.get(f"runs/{run}")["config"]


def pause(page: Any) -> int:
    """Press Pause and see that the counter rests; returns the step."""
    part(page, "train", "pause").click()
    wait_for_status(page, "paused")
    step = shown_step(page)
    for _ in range(2):  # the page asks twice more and hears of nothing new
        with page.expect_response(lambda answer: "/follow?" in answer.url) as asked:
            pass
        assert asked.value.status == 204
    assert shown_step(page) == step
    return step


def steered_by_hand(page: Any, step: int) -> None:
    for moved, players in enumerate(("d", "g", "both"), start=1):
        page.locator(css("train", "step") + f'[data-players="{players}"]').click()
        wait_for_step(page, step + moved)
        assert shown_step(page) == step + moved
    wait_for_status(page, "paused")


def change_rate(page: Any, server: Any, run: str) -> None:
    """Change a learning rate while it learns: an event in the history, and words under the curves."""
    part(page, "train", "rate-d").fill("0.0005")
    part(page, "train", "rates").get_by_role("button").click()
    until(lambda: any(event["kind"] == "lr" for event in server.records(run, "events")))
    expect(part(page, "train", "event-line")).to_contain_text("D's learning rate 0.001 → 0.0005")
    until(lambda: server.moment(run)["lr"] == {"d": 0.0005, "g": 0.001})
    assert server.status(run) == "running"


WRONG = (
    ("d_lr", "0", "Discriminator's learning rate (d_lr) must be between 1e-08 and 1, not 0.0."),
    ("d_lr", "-1", "Discriminator's learning rate (d_lr) must be between 1e-08 and 1, not -1.0."),
    ("g_lr", "nan", "Generator's learning rate (g_lr) must be between 1e-08 and 1, not nan."),
    ("g_lr", "fast", "Generator's learning rate (g_lr) must be a number, not 'fast'."),
    ("batch", "0", "Batch size (batch) must be between 2 and 4096, not 0."),
    ("batch", "1000000000", "Batch size (batch) must be between 2 and 4096, not 1000000000."),
    ("seed", "-1", "Seed (seed) must be between 0 and 2147483647, not -1."),
)


def test_wrong_values_are_answered_with_a_sentence(server, visit):
    visit.expect("status of 400")
    runs = server.run_ids()
    page = opened(visit(server.url()))
    note = part(page, "train", "setup-error")
    choose(page, "dense")
    fill(page, total_steps=777)
    for knob, typed, sentence in WRONG:
        right = page.locator(f"#gf-knob-{knob}").input_value()
        fill(page, **{knob: typed})
        part(page, "train", "train").click()
        expect(note).to_have_text(sentence)
        expect(note).to_be_in_viewport()
        expect(page.locator(f"#gf-knob-{knob}")).to_have_value(typed)
        expect(page.locator(f"#gf-knob-{knob}")).to_have_attribute("aria-invalid", "true")
        expect(page.locator("#gf-knob-total_steps")).to_have_value("777")
        fill(page, **{knob: right})
        expect(note).to_be_hidden()
    choose(page, "conv-small-as-printed")
    part(page, "train", "train").click()
    expect(note).to_contain_text(re.compile("56.{1,3}56.*28.{1,3}28"))
    assert server.run_ids() == runs


def test_reload_shows_the_whole_history(server, visit):
    page = visit(server.url())
    run = press_train(page)
    until(lambda: len(server.frame_steps(run)) > 20)
    part(page, "train", "pause").click()
    wait_for_status(page, "paused")
    page.reload(wait_until="commit")
    wait_for_status(page, "paused")
    assert run_on_screen(page) == run
    frames = len(server.frame_steps(run))
    page.wait_for_function(f"max => document.querySelector('{css('train', 'scrub')}').max === max", arg=str(frames))
    wait_for_curves(page)
    assert shown_step(page) == server.moment(run)["step"]
    assert picture_at(page, 0) != picture_at(page, frames - 1)
    part(page, "train", "pause").click()
    wait_for_status(page, "running")


def test_second_tab_only_watches(server, visit):
    run = press_train(visit(server.url()))
    page = visit(server.url(f"?tab=train&run={run}", host=STRANGER))
    wait_for_status(page, "running")
    wait_for_step(page, 1)
    wait_for_change(page, FAKE, look(page, "print", FAKE, *INSIDE), *INSIDE)
    wait_for_curves(page)
    expect(part(page, "train", "subtitle")).to_contain_text("You are watching")
    for name in ("controls", "rates"):
        expect(part(page, "train", name)).to_be_hidden()
    visit.expect("status of 403")
    command = {"method": "POST", "body": '{"command": "stop"}'}
    status = page.evaluate(
        "([run, how]) => fetch(`gradio_api/gan/runs/${run}/command`, how).then(answer => answer.status)", [run, command]
    )
    assert status == 403
    assert server.status(run) == "running"


def test_a_refused_download_is_a_sentence(server, visit):
    visit.expect(r"400 .*download/weights")
    page = visit(server.url("?tab=train&run=recorded"))
    part(page, "train", "download").click()
    part(page, "train", "download").get_by_text("Weights").click()
    expect(page.locator(".gf-toast")).to_have_text(re.compile("This run has no weights yet."))


def test_run_is_brought_back_by_somebody_else(server, visit, plain_run, tmp_path):
    """Who has a run's zip owns its copy, also without owning the run it came from."""
    page = visit(server.url(f"?tab=train&run={plain_run}", host=STRANGER))
    wait_for_status(page, "finished")
    expect(part(page, "train", "controls")).to_be_hidden()
    frames = str(len(server.frame_steps(plain_run)))
    scrub = part(page, "train", "scrub")
    expect(scrub).to_have_attribute("max", frames)
    last = picture_at(page, int(frames) - 1)

    part(page, "train", "download").click()
    with page.expect_download() as download:
        part(page, "train", "download").get_by_text("Whole run").click()
    file = tmp_path / "run.zip"
    download.value.save_as(file)
    part(page, "train", "bring-back").set_input_files(file)
    page.wait_for_url(lambda url: "run=" in url and plain_run not in url)
    expect(part(page, "train", "controls")).to_be_visible()
    expect(scrub).to_have_attribute("max", frames)
    wait_for_curves(page)
    assert picture_at(page, int(frames) - 1) == last
    expect(page.locator(".gf-run-list li")).to_have_count(1)
