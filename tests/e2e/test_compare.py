"""Runs side by side, forks, the order of my runs, and what charts show under the pointer."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import STRANGER, Server, css, look, opened, part, set_slider, until, wait_for_status

RUN = "#gf-tab-compare .gf-compare-run"
INSIDE = (2, 2, 40, 40)  # of the first picture
CURVE = '#gf-tab-compare [data-curve="{}"]'


@pytest.fixture(scope="module")
def pair(shared_server: Server) -> tuple[str, str]:
    """A finished run and its finished fork, which learned with another rate from step 32 on."""
    source = shared_server.finish("dense", total_steps=60)
    fork = shared_server.post(f"runs/{source}/fork", {"changes": {"g_lr": "0.01"}, "step": 40})["id"]
    until(lambda: shared_server.saved(fork))
    return source, fork


def shown_steps(page: Any) -> list[int]:
    """The step of the pictures in each column."""
    return [int(column.get_attribute("data-step")) for column in page.locator(f"{RUN} canvas").all()]


def wait_for_steps(page: Any, steps: list[int]) -> None:
    page.wait_for_function(
        "([selector, steps]) => JSON.stringify([...document.querySelectorAll(selector)].map(c => +c.dataset.step)) === "
        "JSON.stringify(steps)",
        arg=[f"{RUN} canvas", steps],
    )


def hover(page: Any, selector: str, share: float) -> None:
    """Point at a chart, at a share of its width."""
    canvas = page.locator(selector)
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    canvas.hover(position={"x": 44 + share * (box["width"] - 54), "y": box["height"] / 2})


def test_two_runs_side_by_side_over_one_axis(server, visit, pair):
    page = visit(server.url("?tab=compare"))
    part(page, "compare", "begin").wait_for()  # the empty tab says what to do
    field = part(page, "compare", "paste-field")
    field.fill("what?")
    field.press("Enter")
    expect(part(page, "compare", "error")).to_have_text("This is neither a link to a run nor its id.")
    for pasted in (pair[0], server.url(f"?tab=train&run={pair[1]}")):
        field.fill(pasted)
        field.press("Enter")
        expect(field).to_have_value("")
    expect(part(page, "compare", "error")).to_be_hidden()
    wait_for_steps(page, [60, 60])
    expect(part(page, "compare", "latents")).to_have_text("The same noise in every column.")
    expect(part(page, "compare", "table").locator("tbody tr")).to_have_count(1)
    expect(part(page, "compare", "table").locator("tbody")).to_contain_text("Generator's learning rate0.0010.01")

    set_slider(part(page, "compare", "scrub"), 500)  # before the fork both are the same run, after it not
    wait_for_steps(page, [30, 30])
    first, second = f'{RUN}[data-run="{pair[0]}"] canvas', f'{RUN}[data-run="{pair[1]}"] canvas'
    assert look(page, "print", first, *INSIDE) == look(page, "print", second, *INSIDE)
    part(page, "compare", "scrub").press("End")
    wait_for_steps(page, [60, 60])
    assert look(page, "print", first, *INSIDE) != look(page, "print", second, *INSIDE)

    hover(page, CURVE.format("g_loss") + " canvas", 0.25)
    expect(page.locator(CURVE.format("d_loss") + " .gf-legend-step")).to_have_text("Step 15")
    values = page.locator(CURVE.format("g_loss") + " .gf-legend b").all_inner_texts()
    assert len(values) == 2 and values[0] == values[1] != "–"
    page.locator('#gf-tab-compare [data-axis="images"]').click()
    page.locator(CURVE.format("g_loss") + " canvas").click(position={"x": 300, "y": 60})
    expect(part(page, "compare", "place")).to_have_text(re.compile(r"^Pictures \d+$"))

    until(lambda: 60 not in shown_steps(page))  # both columns have gone to that place
    page.wait_for_url(lambda url: "at=" in url)
    address = page.url
    assert "x=images" in address and f"runs={pair[0]},{pair[1]}" in address
    words, steps = part(page, "compare", "place").text_content(), shown_steps(page)
    page.goto(address, wait_until="commit")
    expect(part(page, "compare", "place")).to_have_text(words)
    wait_for_steps(page, steps)
    expect(page.locator('#gf-tab-compare [data-axis="images"]')).to_have_attribute("aria-checked", "true")


def test_runs_of_other_pictures_begin_at_the_same_height(server, visit, pair):
    """However many rows their pictures take: forty of 28 pixels beside forty of 64."""
    large = server.finish("quick-monsters", "monsters", clusters=0, width=4, z_dim=8, total_steps=2)
    page = visit(server.url(f"?tab=compare&runs={large},{pair[0]}"), viewport={"width": 820, "height": 900})
    wait_for_steps(page, [2, 60])
    page.wait_for_function(
        """(run) => {
          const all = (part) => [...document.querySelectorAll(`${run} ${part}`)];
          const boxes = (part) => all(part).map((element) => element.getBoundingClientRect());
          const pairs = ["header", ".gf-compare-verdict", "canvas"].map(boxes);
          const level = pairs.every(([a, b]) => a.y === b.y && a.x < b.x);
          const [large, small] = boxes("canvas");
          return level && large.height > 1.2 * small.height;
        }""",
        arg=RUN,
    )


def test_a_fork_is_made_in_the_page_and_joins_the_comparison(server, visit, pair):
    page = visit(server.url(f"?tab=compare&runs={pair[0]}"))
    page.locator(RUN).get_by_role("button", name="Fork…").click()
    part(page, "compare", "fork-from").select_option("32")
    part(page, "compare", "fork-knob").select_option("z_dim")
    page.locator("#gf-fork-value").fill("7")
    visit.expect("status of 400")
    part(page, "compare", "fork-go").click()
    expect(part(page, "compare", "fork-error")).to_contain_text("other networks (z_dim)")
    part(page, "compare", "fork-knob").select_option("objective")
    page.locator("#gf-fork-value").select_option("hinge")
    part(page, "compare", "fork-go").click()
    expect(page.locator(RUN)).to_have_count(2)
    both = re.compile(rf"runs={pair[0]},([\w-]+)")
    page.wait_for_url(both)  # written a moment after the run is shown
    made = both.search(page.url)[1]
    until(lambda: server.saved(made))
    info = server.get(f"runs/{made}")
    assert info["config"]["objective"] == "hinge" and info["states"] == [32]
    assert info["events"][0]["text"] == "Forked from Dense on MNIST at step 32: objective Non-saturating → Hinge"
    wait_for_steps(page, [60, 60])  # it was followed while it trained
    expect(part(page, "compare", "table")).to_contain_text("Hinge")


@pytest.mark.thorough
def test_a_step_chosen_while_the_run_is_asked_for_its_states_stays_chosen(server, visit, pair):
    page = visit(server.url(f"?tab=compare&runs={pair[0]}"))
    expect(page.locator(RUN)).to_have_count(1)
    start, held = part(page, "compare", "fork-from"), []
    url = f"**/runs/{pair[0]}"
    page.route(url, lambda route: held.append(route))
    with page.expect_request(url):
        page.locator(RUN).get_by_role("button", name="Fork…").click()
    start.select_option("32")
    answer = held[0].fetch()
    held[0].fulfill(response=answer, json=answer.json() | {"states": [16, 32, 60]})
    expect(start.locator("option[value='16']")).to_be_attached()  # the answer has come
    expect(start).to_have_value("32")


def test_a_stranger_forks_what_he_may_see(server, visit, pair):
    page = visit(server.url(f"?tab=compare&runs={pair[0]}", host=STRANGER))
    page.locator(RUN).get_by_role("button", name="Fork…").click()
    part(page, "compare", "fork-go").click()
    wait_for_steps(page, [60, 120])  # a fork of a finished run learns as long again; the buttons lie still then
    page.locator(RUN).nth(1).get_by_role("button", name="Open in Train").click()
    expect(part(page, "train", "controls")).to_be_visible()


def test_charts_tell_values_under_the_pointer_on_any_axis(server, visit, pair):
    page = opened(visit(server.url(f"?tab=train&run={pair[0]}")))
    wait_for_status(page, "finished")
    rows = server.records(pair[0], "rows")
    canvas = css("train", "chart-loss")
    page.wait_for_function("selector => gfTest.coloured(selector) > 30", arg=canvas)
    set_slider(part(page, "train", "smoothing"), 0)
    hover(page, canvas, 0.5)
    legend = part(page, "train", "legend-loss")
    expect(legend).to_contain_text("Step 30")
    shown = [float(v) for v in re.findall(r"\d+\.\d+", legend.inner_text())]
    row = next(r for r in rows if r["step"] == 30)
    assert shown == [pytest.approx(v, rel=5e-3) for v in (row["d_loss"], row["g_loss"])]
    page.locator(canvas).press("ArrowRight")
    expect(legend).to_contain_text("Step 31")
    page.locator(canvas).press("Escape")
    expect(legend).not_to_contain_text("Step")

    linear = look(page, "print", canvas)
    part(page, "train", "log").check()
    page.wait_for_function("([s, before]) => gfTest.print(s) !== before", arg=[canvas, linear])
    page.locator('#gf-tab-train [data-axis="images"]').click()
    hover(page, canvas, 0.5)
    expect(legend).to_contain_text("Pictures 240")
    part(page, "train", "more-curves").select_option("verdict_strip")
    strip = '#gf-tab-train [data-curve="verdict_strip"] canvas'
    page.wait_for_function("selector => gfTest.coloured(selector) > 30", arg=strip)
    with page.expect_download() as download:
        part(page, "train", "csv").click()
    assert download.value.suggested_filename.endswith("history.csv")
    page.reload(wait_until="commit")  # how somebody likes the charts is remembered
    page.wait_for_selector(strip)
    expect(part(page, "train", "log")).to_be_checked()


def test_a_run_is_renamed_kept_and_deleted(server, visit):
    run = server.finish("dense", total_steps=20)
    page = opened(visit(server.url(f"?tab=train&run={run}")))
    wait_for_status(page, "finished")
    row = page.locator(".gf-run-list li").filter(has=page.locator('[aria-current="true"]'))
    row.locator(".gf-run-more").click()
    row.get_by_role("button", name="Rename", exact=True).click()
    row.get_by_label("New title").fill("<b>Mine</b>")
    row.get_by_label("New title").press("Enter")
    expect(part(page, "train", "title")).to_have_text("<b>Mine</b>")
    row.locator(".gf-run-more").click()
    row.get_by_role("button", name="Keep", exact=True).click()
    expect(page.locator(".gf-run-list li").first.locator(".gf-run-name")).to_have_text("★ <b>Mine</b>")
    row.locator(".gf-run-more").click()
    delete = row.get_by_role("button", name="Delete", exact=True)
    delete.click()
    visit.expect("status of 400")
    delete.click()
    expect(page.locator(".gf-toast")).to_contain_text("This run is kept; unmark it before you delete it.")
    row.get_by_role("button", name="Cancel").click()
    row.get_by_role("button", name="Do not keep").click()
    expect(row.locator(".gf-kept")).to_have_count(0)
    row.locator(".gf-run-more").click()
    delete.click()
    delete.click()
    until(lambda: run not in server.run_ids())
    expect(page.locator(".gf-run-list").get_by_text("<b>Mine</b>")).to_have_count(0)


def test_going_back_to_a_moment_that_is_looked_at(server, visit):
    run = server.finish("dense", total_steps=40)
    page = opened(visit(server.url(f"?tab=train&run={run}")))
    wait_for_status(page, "finished")
    frames = server.frame_steps(run)
    expect(part(page, "train", "scrub")).to_have_attribute("max", str(len(frames)))
    set_slider(part(page, "train", "scrub"), frames.index(20))
    part(page, "train", "from-here").click()
    back = part(page, "train", "back-here")
    expect(back).to_have_text("Go back to step 16")
    back.click()
    expect(back).to_have_text("Sure? Later steps are forgotten.")
    back.click()
    wait_for_status(page, "paused")
    expect(part(page, "train", "n-step")).to_have_text("16")
    assert server.frame_steps(run)[-1] == 16
