"""The Latent sliders tab: a picture follows the sliders, and the address holds it."""

from __future__ import annotations

import base64
import io
import re
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import expect

from gan import bench
from gan.core.noise import latent_of
from gan.data.catalog import DATA
from gan.models import weights_file
from tests.e2e.conftest import STRANGER, css, drawn_by, grey_of, look, part, same, set_slider, upload, wait_for_change

PICTURE = css("latent", "picture")
FIRST = '#gf-tab-latent [data-gf="direction"][data-key="0"] input[type=range]'

# A drag: many values, some before the page could ask for a picture, some while it waits for one.
_DRAG = """async ([selector, last]) => {
  const slider = document.querySelector(selector);
  for (let i = 0; i <= 60; i++) {
    slider.value = i < 60 ? -3 + i / 10 : last;
    slider.dispatchEvent(new Event('input', {bubbles: true}));
    if (i % 3 === 0) await new Promise(requestAnimationFrame);
  }
}"""


def latent(visit: Any, server: Any, query: str, **host: str) -> Any:
    """A page whose Latent sliders tab shows what the query says, drawn by whom it stays with."""
    page = visit(server.url(f"?tab=latent&{query}", **host))
    page.wait_for_selector(PICTURE + "[data-shows]")
    weights = re.search(r"\bw=([^&]+)", query).group(1)
    drawn_by(page, "server" if server.get(f"weights/{weights}")["page_refusal"] else "page")
    return page


def slider(page: Any, number: int) -> Any:
    """The slider of one of the first layer's directions."""
    return page.locator(f'[data-gf="direction"][data-key="{number - 1}"] input[type=range]')


def wait_for_shown(page: Any, words: str) -> str:
    """Wait until the picture is that of a state; returns the query it was asked for with."""
    found = page.wait_for_function(
        "([canvas, words]) => [document.querySelector(canvas).dataset.shows].find(shows => shows?.includes(words))",
        arg=[PICTURE, words],
    )
    return found.json_value()


def on_canvas(page: Any, selector: str = PICTURE) -> np.ndarray:
    """The grey picture on the stage, or of another canvas, uint8 [S, S]."""
    return grey_of(page, selector)


def test_slider_changes_the_picture_and_the_link_holds_it(server, visit, class_run):
    page = latent(visit, server, f"w=run-{class_run}&seed=5&c=4")
    page.wait_for_selector(bench.SLIDER)  # the benchmark finds one too
    before = look(page, "print", PICTURE)
    set_slider(slider(page, 1), 2)
    shows = wait_for_shown(page, "d=0:2")
    assert look(page, "print", PICTURE) != before
    page.wait_for_url(lambda url: url.endswith(f"?tab=latent&{shows}"))
    same(on_canvas(page), server.pixels(shows)[0, 0])

    there = latent(visit, server, page.url.partition("tab=latent&")[2], host=STRANGER)
    expect(slider(there, 1)).to_have_value("2")
    same(on_canvas(there), on_canvas(page))
    assert there.url.partition("?")[2] == page.url.partition("?")[2]


def test_keys_move_a_slider(server, visit, plain_run):
    page = latent(visit, server, f"w=run-{plain_run}&seed=1")
    before = look(page, "print", PICTURE)
    slider(page, 2).focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    expect(slider(page, 2)).to_have_value("0.5")
    wait_for_shown(page, "d=1:0.5")
    assert look(page, "print", PICTURE) != before
    expect(part(page, "latent", "classes")).to_be_hidden()


def test_classes_have_buttons(server, visit, class_run):
    page = latent(visit, server, f"w=run-{class_run}&c=3")
    buttons = part(page, "latent", "classes").get_by_role("radio")
    assert buttons.all_text_contents() == [str(digit) for digit in range(10)]
    expect(buttons.nth(3)).to_have_attribute("aria-checked", "true")
    before = look(page, "print", PICTURE)
    buttons.nth(7).click()
    shows = wait_for_shown(page, "c=7")
    assert look(page, "print", PICTURE) != before
    same(on_canvas(page), server.pixels(shows)[0, 0])


def test_fast_drag_ends_with_its_last_picture(server, visit, large_run):
    """Where every picture is asked for."""
    page = latent(visit, server, f"w=run-{large_run}&seed=5")
    asked = []
    page.on("request", lambda request: "/pixels?" in request.url and asked.append(request.url))
    page.evaluate(_DRAG, [FIRST, 1.35])
    shows = wait_for_shown(page, "d=0:1.35")
    same(on_canvas(page), server.pixels(shows)[0, 0])
    assert 0 < len([url for url in asked if "near" not in url]) <= 61
    # The neighbours come last; nothing older may replace the picture meanwhile.
    page.wait_for_url(lambda url: "d=0:1.35" in url)
    neighbours = server.pixels(f"{shows}&near=16&spread=0.7")
    near = css("latent", "near") + ":nth-of-type(16) canvas"
    page.wait_for_function(
        "([selector, wanted]) => gfTest.red(selector).join() === wanted",
        arg=[near, ",".join(map(str, neighbours[16].ravel()))],
    )
    same(on_canvas(page), neighbours[0, 0])


def test_real_drag_ends_with_its_last_picture(server, visit, plain_run):
    """The same with the mouse: where the hand lets go is what is shown."""
    page = latent(visit, server, f"w=run-{plain_run}&seed=5")
    slider(page, 1).hover()
    page.mouse.down()  # from here on the slider has the mouse, wherever it is moved to
    box = slider(page, 1).bounding_box()
    height = box["y"] + box["height"] / 2
    for i in range(50):
        page.mouse.move(box["x"] + 10 + (i * 37) % (box["width"] - 20), height)
    page.mouse.up()
    value = float(slider(page, 1).input_value())
    assert value != 0
    shows = f"w=run-{plain_run}&seed=5&d=0:{value:g}"
    page.wait_for_selector(f'{PICTURE}[data-shows="{shows}"]')
    same(on_canvas(page), server.pixels(shows)[0, 0])


def test_neighbour_can_be_visited_linked_and_left(server, visit, plain_run):
    page = latent(visit, server, f"w=run-{plain_run}&seed=9")
    start = on_canvas(page)
    near = part(page, "latent", "near").nth(2)
    expect(near).to_be_enabled()
    neighbour = server.pixels(f"w=run-{plain_run}&seed=9&near=16&spread=0.7")[3, 0]
    near.click()
    wait_for_shown(page, "m=2:0.7")
    same(on_canvas(page), neighbour)
    page.wait_for_url(lambda url: "m=2:0.7" in url)

    there = latent(visit, server, page.url.partition("tab=latent&")[2], host=STRANGER)
    same(on_canvas(there), neighbour)
    part(there, "latent", "back").click()
    there.wait_for_selector(f'{PICTURE}[data-shows="w=run-{plain_run}&seed=9"]')
    same(on_canvas(there), start)


def test_single_numbers_are_held_and_let_go(server, visit, plain_run):
    page = latent(visit, server, f"w=run-{plain_run}&seed=9")
    start = on_canvas(page)
    part(page, "latent", "raw").locator("summary").click()
    faders = page.locator("#gf-tab-latent .gf-fader")
    expect(faders).to_have_count(100)
    page.wait_for_selector("#gf-tab-latent .gf-fader[data-value]")
    faders.first.focus()
    for key in ("ArrowRight", "ArrowUp"):
        page.keyboard.press(key)
    shows = wait_for_shown(page, "&z=1:")
    same(on_canvas(page), server.pixels(shows)[0, 0])
    page.keyboard.press("Delete")
    page.wait_for_selector(f'{PICTURE}[data-shows="w=run-{plain_run}&seed=9"]')

    set_slider(faders.nth(12), 3)
    shows = wait_for_shown(page, "z=12:3")
    same(on_canvas(page), server.pixels(shows)[0, 0])
    assert not np.array_equal(on_canvas(page), start)
    part(page, "latent", "reset").click()
    page.wait_for_selector(f'{PICTURE}[data-shows="w=run-{plain_run}&seed=9"]')
    same(on_canvas(page), start)


def test_wrong_seed_is_marked_and_keeps_the_picture(server, visit, plain_run):
    page = latent(visit, server, f"w=run-{plain_run}&seed=9")
    before = look(page, "print", PICTURE)
    seed = part(page, "latent", "seed")
    seed.fill("-3")
    expect(seed).to_have_attribute("aria-invalid", "true")
    assert look(page, "print", PICTURE) == before
    seed.fill("10")
    expect(seed).to_have_attribute("aria-invalid", "false")
    wait_for_shown(page, "seed=10")
    assert look(page, "print", PICTURE) != before


def test_picture_is_downloaded(server, visit, plain_run, tmp_path):
    page = latent(visit, server, f"w=run-{plain_run}&seed=9")
    with page.expect_download() as download:
        part(page, "latent", "png").click()
    picture = np.asarray(Image.open(io.BytesIO(download.value.path().read_bytes())))
    same(picture[::16, ::16], on_canvas(page))


def test_sliders_work_while_it_learns(server, visit, plain_run):
    page = latent(visit, server, f"w=run-{plain_run}")
    run = server.train("dense")
    choice = part(page, "latent", "weights")
    expect(choice.locator(f'optgroup[label="Learning now"] option[value="run-{run}"]')).to_be_attached()
    choice.select_option(f"run-{run}")
    expect(part(page, "latent", "live")).to_be_visible()
    wait_for_shown(page, f"w=run-{run}")
    before = look(page, "print", PICTURE)
    wait_for_change(page, PICTURE, before)  # by itself: nobody touches anything
    set_slider(slider(page, 1), -2)
    wait_for_shown(page, "d=0:-2")
    assert server.status(run) == "running"


def test_weights_that_do_not_exist_are_said(server, visit, plain_run):
    visit.expect("status of 404", "status of 400")
    page = visit(server.url("?tab=latent&w=run-nowhere00000"))
    expect(page.locator(".gf-toast")).to_be_visible()
    expect(page.locator(".gf-toast-text")).not_to_be_empty()
    page.wait_for_selector(PICTURE + "[data-shows]")  # and other weights are shown


def test_file_that_holds_no_weights_is_said(server, visit, plain_run):
    visit.expect("status of 400")
    page = latent(visit, server, f"w=run-{plain_run}")
    before = look(page, "print", PICTURE)
    part(page, "latent", "file").set_input_files([upload("bad.safetensors", b"not weights" * 9, "")])
    expect(page.locator(".gf-toast-text")).to_contain_text("This is not a weights file")
    assert look(page, "print", PICTURE) == before


def by_key(page: Any, key: str) -> Any:
    """A direction's row, once it has been found."""
    row = page.locator(f'[data-gf="direction"][data-key="{key}"]')
    expect(row.locator("input")).to_be_enabled()
    return row


def test_measured_direction_locks_undoes_and_is_in_the_link(server, visit):
    page = latent(visit, server, "w=mnist-conditional&seed=5&c=4")
    start = on_canvas(page)
    set_slider(by_key(page, "thickness").locator("input"), 2)
    wait_for_shown(page, "u=thickness:2:")
    thick = on_canvas(page)
    assert thick.sum() > 1.2 * start.sum()
    by_key(page, "slant").locator(".gf-lock").click()
    part(page, "latent", "mix-class").select_option("9")
    part(page, "latent", "psi").evaluate("e => { e.value = 0.6; e.dispatchEvent(new Event('input', {bubbles: true})) }")
    shows = wait_for_shown(page, "psi=0.6&mix=9:0.5")
    assert "lock=slant" in shows
    page.wait_for_url(lambda url: "psi=0.6" in url)
    same(on_canvas(page), server.pixels(shows)[0, 0])

    there = latent(visit, server, page.url.partition("tab=latent&")[2], host=STRANGER)
    np.testing.assert_array_equal(on_canvas(there), on_canvas(page))
    expect(by_key(there, "thickness").locator("input")).to_have_value("2")
    expect(by_key(there, "slant").locator(".gf-lock")).to_have_attribute("aria-pressed", "true")
    expect(part(there, "latent", "mix-class")).to_have_value("9")

    part(page, "latent", "reset").click()
    page.wait_for_selector(f'{PICTURE}[data-shows="w=mnist-conditional&seed=5&c=4"]')
    np.testing.assert_array_equal(on_canvas(page), start)
    page.keyboard.press("Control+z")
    page.wait_for_selector(f'{PICTURE}[data-shows="{shows}"]')
    part(page, "latent", "redo").click()
    page.wait_for_selector(f'{PICTURE}[data-shows="w=mnist-conditional&seed=5&c=4"]')


def test_leaning_is_fitted_to_the_picture_and_a_link_keeps_it(server, visit):
    page = latent(visit, server, "w=mnist&seed=5")
    row = by_key(page, "slant")

    def fitted(seed: int) -> str:
        (found,) = server.get(f"steered?w=mnist&seed={seed}")["directions"]
        return f"w=mnist&seed={seed}&u=slant:2:{found['vector']}"

    set_slider(row.locator("input"), 2)
    page.wait_for_url(lambda url: url.endswith(fitted(5)))
    same(on_canvas(page), server.pixels(fitted(5))[0, 0])
    seed = part(page, "latent", "seed")
    seed.fill("6")
    seed.press("Enter")
    page.wait_for_url(lambda url: url.endswith(fitted(6)))  # the vector of the new picture, not of the one before
    part(page, "latent", "undo").click()  # one step: that the vector was fitted is none of its own
    page.wait_for_url(lambda url: url.endswith(fitted(5)))
    expect(seed).to_have_value("5")

    common = next(d for d in server.get("weights/mnist/directions")["directions"] if d["key"] == "slant")
    older = f"w=mnist&seed=5&u=slant:2:{common['vector']}"  # a link from elsewhere is shown as it is
    there = latent(visit, server, older, host=STRANGER)
    set_slider(by_key(there, "thickness").locator("input"), 1)  # and after the hand has moved elsewhere
    wait_for_shown(there, f"u=slant:2:{common['vector']},thickness:1:")
    set_slider(by_key(there, "thickness").locator("input"), 0)
    there.wait_for_url(lambda url: url.endswith(older))
    expect(part(there, "latent", "picture")).to_have_attribute("data-shows", older)
    same(on_canvas(there), server.pixels(older)[0, 0])


def test_a_direction_is_taught_by_marks_and_stays(server, visit):
    page = latent(visit, server, "w=mnist-conditional&seed=5&c=4")
    by_key(page, "thickness")
    part(page, "latent", "teach").click()
    pictures = part(page, "latent", "teach-pictures").locator("button")
    expect(pictures).to_have_count(24)
    ink = [int(grey_of(page, f".gf-mark:nth-child({i + 1}) canvas").sum(dtype=int)) for i in range(24)]
    order = np.argsort(ink)
    for i in order[-4:]:
        pictures.nth(int(i)).click()
    for i in order[:4]:
        pictures.nth(int(i)).click(click_count=2)
    expect(part(page, "latent", "teach-count")).to_have_text("4 more, 4 less")
    expect(part(page, "latent", "teach-save")).to_be_enabled()
    last = on_canvas(page, f".gf-mark:nth-child({int(order[3]) + 1}) canvas")
    part(page, "latent", "teach-open").click()  # which closes the dialog
    wait_for_shown(page, "c=4&from=study:")
    same(on_canvas(page), last)
    part(page, "latent", "undo").click()
    page.wait_for_selector(f'{PICTURE}[data-shows="w=mnist-conditional&seed=5&c=4"]')
    part(page, "latent", "teach").click()
    for i in (order[-1], order[0]):
        pictures.nth(int(i)).click(click_count=2 if i == order[0] else 1)
    expect(part(page, "latent", "teach-save")).to_be_enabled()
    part(page, "latent", "teach-name").fill("bold")
    part(page, "latent", "teach-save").click()
    before = on_canvas(page)
    set_slider(by_key(page, "bold").locator("input"), 3)
    wait_for_shown(page, "u=bold:3:")
    assert on_canvas(page).sum() > 1.2 * before.sum()
    with page.expect_download() as download:
        part(page, "latent", "choose").click()
        part(page, "latent", "export").click()
    page.wait_for_url(lambda url: "u=bold:3:" in url)  # written when the hand rests
    page.reload(wait_until="commit")
    expect(by_key(page, "bold").locator("input")).to_have_value("3")
    part(page, "latent", "choose").click()
    page.get_by_label("Delete bold").click()
    page.wait_for_selector(f'{PICTURE}[data-shows="w=mnist-conditional&seed=5&c=4"]')
    expect(page.locator('[data-gf="direction"][data-key="bold"]')).to_have_count(0)
    part(page, "latent", "import").set_input_files(download.value.path())
    by_key(page, "bold")


def test_a_drawn_digit_is_found_edited_and_linked(server, visit):
    page = latent(visit, server, "w=mnist&seed=4")
    part(page, "latent", "find").locator("summary").click()
    expect(part(page, "latent", "find-tests").locator("button")).to_have_count(10)
    pen = part(page, "latent", "pen")  # scrolls into view, wherever the strips above have moved it to
    pen.hover(position={"x": 100, "y": 30})
    page.mouse.down()
    pen.hover(position={"x": 100, "y": 170})
    page.mouse.up()
    wait_for_shown(page, "&from=")
    expect(part(page, "latent", "find-words")).to_contain_text("Found")
    found = on_canvas(page)
    columns = found.sum(0) > 400
    assert columns.sum() <= 7 and found.sum(1).astype(bool).sum() >= 15  # an upright stroke
    page.wait_for_url(lambda url: "&from=" in url)  # the hand has rested: what follows is a change of its own
    set_slider(by_key(page, "slant").locator("input"), 3)
    page.wait_for_url(lambda url: "u=slant:3:" in url)

    link = page.url.partition("tab=latent&")[2]  # read once: a slant fitted to this picture may still come
    there = latent(visit, server, link, host=STRANGER)
    same(on_canvas(there), server.pixels(link)[0, 0])
    part(page, "latent", "undo").click()
    page.wait_for_function(
        "([canvas, was]) => gfTest.red(canvas).join() === was", arg=[PICTURE, ",".join(map(str, found.ravel()))]
    )
    part(page, "latent", "found-leave").click()
    page.wait_for_selector(f'{PICTURE}[data-shows="w=mnist&seed=4"]')


def test_by_class_it_is_said_as_what_a_picture_was_found(server, visit):
    page = latent(visit, server, "w=mnist-conditional&seed=4&c=0")
    part(page, "latent", "find").locator("summary").click()
    part(page, "latent", "find-tests").locator("button").nth(3).click()  # a test picture of each digit
    expect(part(page, "latent", "find-words")).to_contain_text("Found as “3”")
    wait_for_shown(page, "c=3&from=")


def test_what_does_not_fit_other_weights_is_left_out_and_said(server, visit):
    short = base64.urlsafe_b64encode(b"\x00<" * 10).decode().rstrip("=")  # a direction of other weights: ten ones
    page = latent(visit, server, f"w=mnist&seed=5&u=bold:2:{short}")
    expect(page.locator(".gf-toast")).to_contain_text("Some of what was set does not fit these weights")
    page.wait_for_url(lambda url: url.endswith("w=mnist&seed=5"))
    np.testing.assert_array_equal(on_canvas(page), on_canvas(latent(visit, server, "w=mnist&seed=5", host=STRANGER)))


def test_what_a_told_generator_draws_is_chosen_from_lists(server, visit):
    run = server.finish("quick-monsters", "monsters", batch=8, total_steps=4)
    page = latent(visit, server, f"w=run-{run}&seed=5")
    known = DATA["monsters"].attributes
    mouth, values = list(known).index("mouth"), [str(value) for value in known["mouth"].values]
    lists = part(page, "latent", "attributes").locator("select")
    expect(lists).to_have_count(len(known))
    expect(lists.nth(mouth)).to_be_enabled()
    network = weights_file.build(weights_file.from_bytes(server.fetch(f"runs/{run}/download/weights.safetensors")[1]))
    vote = network.vote(latent_of(5, network.z_dim)).split(network.codes, 1)[mouth]
    expect(lists.nth(mouth).locator("option:checked")).to_have_text(f"({values[int(vote.argmax())]})")
    start = on_canvas(page)
    for value in (2, 5):
        lists.nth(mouth).select_option(values[value])
        shows = wait_for_shown(page, f"u=attribute-{mouth}-{value}:3:")
        assert shows.endswith(":g") and shows.count("attribute") == 1  # it chooses anew, and nothing else is chosen
        same(on_canvas(page), server.pixels(shows)[0, 0])  # of its red
        expect(by_key(page, f"attribute-{mouth}-{value}").locator("input")).to_have_value("3")
    there = latent(visit, server, shows, host=STRANGER)
    np.testing.assert_array_equal(on_canvas(there), on_canvas(page))
    expect(part(there, "latent", "attributes").locator("select").nth(mouth)).to_have_value(f"attribute-{mouth}-5")
    lists.nth(mouth).select_option("")
    page.wait_for_selector(f'{PICTURE}[data-shows="w=run-{run}&seed=5"]')
    np.testing.assert_array_equal(on_canvas(page), start)

    part(page, "latent", "choose").click()  # and each value may have a slider
    row = part(page, "latent", "chips").locator(".gf-chip-named", has_text=known["mouth"].title)
    expect(row.locator(".gf-chip")).to_have_text(values)  # so young a run shows none of them surely: all are weak
    expect(part(page, "latent", "chips")).to_contain_text("drawn less surely")
    expect(row.locator(".gf-chip").nth(2)).to_have_accessible_name(f"{known['mouth'].title}: {values[2]}")
    row.locator(".gf-chip").nth(2).click()
    set_slider(by_key(page, f"attribute-{mouth}-2").locator("input"), -3)
    wait_for_shown(page, f"u=attribute-{mouth}-2:-3:")
