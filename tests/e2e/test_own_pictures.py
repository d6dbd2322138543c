"""A stranger's pictures on the page: chosen as files, a folder or a zip, looked at as the networks see them, prepared
in another way without being sent again, their classes changed, kept in the menu, deleted."""

from __future__ import annotations

import io
import re
import urllib.error
import zipfile
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from gan.data.catalog import load
from gan.data.own_pictures import Form, prepare_folder
from tests.conftest import until
from tests.e2e.conftest import choose, css, fill, opened, part, pixels_of, png, run_on_screen, served, upload
from tests.proxy import proxied

PREVIEW = css("train", "own-preview")
GAP = 2  # pixels between two of its pictures


def picture(colours: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(colours.astype(np.uint8)).save(out, "PNG")
    return out.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for name, data in files.items():
            z.writestr(name, data)
    return out.getvalue()


def pets(**counts: int) -> bytes:
    """A zip with a folder of so many pictures for each class."""
    return zipped(
        {f"pets/{kind}/{i}.png": png(1000 * crc32(kind.encode()) + i) for kind, n in counts.items() for i in range(n)}
    )


def choose_zip(page: Any, data: bytes, name: str = "pets.zip") -> str:
    """Choose a zip as own pictures; the name of the set, once its card is there."""
    part(opened(page), "train", "dataset").select_option("own")
    part(page, "train", "own-files").set_input_files(upload(name, data, "application/zip"))
    return shown_set(page)


def shown_set(page: Any, other_than: str = "own") -> str:
    """The set that is chosen, once its preview is drawn and nothing is under way."""
    page.wait_for_function(
        "([menu, preview, other]) => { const { value } = document.querySelector(menu);"
        " const canvas = document.querySelector(preview);"
        " return value !== other && canvas.dataset.shows === value && !('old' in canvas.dataset); }",
        arg=[css("train", "dataset"), PREVIEW, other_than],
    )
    return part(page, "train", "dataset").input_value()


def about(page: Any) -> Any:
    return part(page, "train", "dataset-about")


def own_entries(page: Any) -> list[str]:
    """What the menu lists of own pictures."""
    options = part(page, "train", "dataset").locator("option[value^='own-']")
    return [text.strip() for text in options.all_text_contents()]


def tiles(page: Any, size: int) -> np.ndarray:
    """The sixteen previewed pictures [16, S, S, 3], read from the canvas in the middle of each of their pixels."""
    seen = pixels_of(page, PREVIEW)[..., :3]
    height, width = seen.shape[:2]
    columns = next(n for n in (8, 4, 2) if (width + GAP) * (16 // n) == (height + GAP) * n)
    step = (width + GAP) // columns
    inside = ((np.arange(size) + 0.5) * (step - GAP) / size).astype(int)
    corners = [(y, x) for y in range(0, height, step) for x in range(0, width, step)]
    return np.stack([seen[y + inside][:, x + inside] for y, x in corners])


def sheet(server: Any, name: str) -> np.ndarray:
    """What the server gives as preview: pictures [16, S, S, 3]."""
    _, data = server.fetch(f"pictures/{name}/preview")
    image = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    side = image.shape[1] // 8
    return image.reshape(2, side, 8, side, 3).swapaxes(1, 2).reshape(16, side, side, 3)


def is_there(server: Any, name: str) -> bool:
    try:
        return bool(server.get(f"pictures/{name}"))
    except urllib.error.HTTPError as error:
        assert error.code == 404
        return False


# From files to a card --------------------------------------------------------------------------------------------


def test_a_folder_keeps_its_classes_and_says_what_was_left_out(server, visit, tmp_path):
    for kind, numbers in (("cat", range(9)), ("dog", range(9, 20))):
        (tmp_path / "pets" / kind).mkdir(parents=True)
        for i in numbers:
            (tmp_path / "pets" / kind / f"{i}.png").write_bytes(png(i))
    for name in ("IMG_1.CR2", "IMG_2.CR2", ".DS_Store", "cat/Thumbs.db"):
        (tmp_path / "pets" / name).write_bytes(b"no picture")
    page = opened(visit(server.url()))
    part(page, "train", "dataset").select_option("own")
    part(page, "train", "own-folder").set_input_files(tmp_path / "pets")
    name = shown_set(page)
    expect(about(page)).to_contain_text("20 pictures, 2 classes: cat (9), dog (11).")
    expect(about(page)).to_contain_text("2 .cr2 files were left out")
    expect(about(page)).not_to_contain_text(re.compile("thumbs|DS_Store", re.I))
    assert own_entries(page) == ["pets (20)"]
    said = about(page).text_content()
    page.reload()
    part(opened(page), "train", "dataset").select_option(name)
    expect(about(page)).to_have_text(said)


def test_the_preview_shows_what_the_networks_see(server, visit):
    page = visit(server.url("?recipe=quick"))
    name = choose_zip(page, pets(cat=8, dog=8))
    assert (tiles(page, 28) == sheet(server, name)).all()
    part(page, "train", "own-channels").select_option("3")
    part(page, "train", "own-size").select_option("32")
    expect(about(page)).to_contain_text("16 pictures")
    page.wait_for_function(f"document.querySelector('{PREVIEW}').dataset.shows !== '{name}'")
    name = shown_set(page, name)
    card = server.get(f"pictures/{name}")
    assert [card["size"], card["channels"]] == [32, 3]
    assert (tiles(page, 32) == sheet(server, name)).all()


def test_size_colours_and_fit_are_changed_without_sending_anything_again(server, visit):
    """Tall pictures: red, green and blue thirds, one above the other."""
    thirds = np.repeat([[255, 0, 0], [0, 255, 0], [0, 0, 255]], 40, axis=0)[:, None].repeat(40, axis=1)
    files = {f"{i}.png": picture(thirds) for i in range(16)}
    page = visit(server.url("?recipe=quick-colour"))
    first = before = choose_zip(page, zipped(files))
    posted: list[str] = []
    page.on("request", lambda request: request.method == "POST" and posted.append(request.url.split("/gan/")[1]))
    middle, corner = (slice(None), 16, 16), (slice(None), 2, 2)

    def fitted(way: str) -> np.ndarray:
        nonlocal before
        part(page, "train", "own-fit").select_option(way)
        before = shown_set(page, before)
        return tiles(page, 32)

    cropped = tiles(page, 32)
    assert (cropped[middle] == [0, 255, 0]).all() and (cropped[corner] == [0, 255, 0]).all()
    padded = fitted("pad")
    assert (padded[middle] == [0, 255, 0]).all()
    assert (padded[corner] == 0).all()
    squeezed = fitted("squeeze")
    assert (squeezed[middle] == [0, 255, 0]).all() and (squeezed[corner] == [255, 0, 0]).all()
    part(page, "train", "own-channels").select_option("1")
    before = shown_set(page, before)
    grey = tiles(page, 32)
    assert (grey[..., 0] == grey[..., 2]).all()
    assert posted == ["pictures/again"] * 3
    assert len(own_entries(page)) == 1
    until(lambda: not is_there(server, first))  # what was replaced is not kept
    assert is_there(server, before)


@pytest.mark.thorough
def test_the_newest_choice_wins(server, visit):
    page = visit(server.url())
    before = choose_zip(page, pets(cat=200, dog=200))
    page.evaluate(
        """(names) => {
          const [size, channels, fit] = names.map((name) => document.querySelector(name));
          const set = (field, value) => {
            field.value = value;
            field.dispatchEvent(new Event('change', {bubbles: true}));
          };
          set(size, '32'); set(fit, 'pad'); set(channels, '3'); set(fit, 'squeeze'); set(size, '28'); set(size, '32');
        }""",
        [css("train", f"own-{name}") for name in ("size", "channels", "fit")],
    )
    card = server.get(f"pictures/{shown_set(page, before)}")
    assert [card["size"], card["channels"]] == [32, 3]
    expect(part(page, "train", "own-fit")).to_have_value("squeeze")
    expect(part(page, "train", "own-note")).to_have_text("")
    assert len(own_entries(page)) == 1


@pytest.mark.thorough
def test_what_is_chosen_while_files_are_sent_is_not_forgotten(server, visit):
    with proxied(server.port) as proxy:
        page = opened(visit(proxy.url(), reduced_motion="reduce"))
        part(page, "train", "dataset").select_option("own")
        proxy.hold()
        part(page, "train", "own-files").set_input_files(upload("pets.zip", pets(cat=8, dog=8), "application/zip"))
        until(lambda: proxy.sending)
        part(page, "train", "own-size").select_option("32")
        part(page, "train", "own-fit").select_option("pad")
        proxy.go_on()
        expect(part(page, "train", "own-cancel")).to_be_hidden()
        assert server.get(f"pictures/{shown_set(page)}")["size"] == 32
        expect(part(page, "train", "own-size")).to_have_value("32")
        expect(part(page, "train", "own-fit")).to_have_value("pad")
        page.close()  # before the proxy goes


@pytest.mark.thorough
def test_files_that_the_server_keeps_no_longer_are_asked_for(server, visit):
    """As it is half an hour later: the set is there, its files are not."""
    visit.expect("status of 404")
    page = visit(server.url("?recipe=quick"))
    name = choose_zip(page, pets(cat=8, dog=8))
    page.evaluate(
        """() => {
          const kept = JSON.parse(localStorage['gan-forge-pictures']);
          for (const set of kept.sets) set.upload = 'gone';
          localStorage['gan-forge-pictures'] = JSON.stringify(kept);
        }"""
    )
    page.reload()
    shown_set(opened(page))
    size = part(page, "train", "own-size")
    size.select_option("32")
    expect(part(page, "train", "own-note")).to_have_text("Choose the files again to change these.")
    for field in ("size", "channels", "fit"):
        expect(part(page, "train", f"own-{field}")).to_be_disabled()
    expect(size).to_have_value("28")
    assert part(page, "train", "dataset").input_value() == name


@pytest.mark.thorough
def test_reading_is_told_and_can_be_cancelled(server, visit):
    plain = picture(np.full((1600, 1600, 3), 90))
    data = zipped({f"{i}.png": plain for i in range(1500)})
    page = opened(visit(server.url()))
    part(page, "train", "dataset").select_option("own")
    part(page, "train", "own-files").set_input_files(upload("large.zip", data, "application/zip"))
    note = part(page, "train", "own-note")
    expect(note).to_have_text(re.compile(r"^[\d,]+ of 1,500 pictures read\.$"))
    part(page, "train", "train").click()
    expect(part(page, "train", "setup-error")).to_have_text("Your pictures are still being prepared.")
    part(page, "train", "own-cancel").click()
    expect(note).to_have_text("Cancelled.")
    assert own_entries(page) == []
    part(page, "train", "own-files").set_input_files(upload("pets.zip", pets(cat=8, dog=8), "application/zip"))
    shown_set(page)  # nothing is left of the other that would be in its way


# Classes ---------------------------------------------------------------------------------------------------------


def class_row(page: Any, name: str) -> tuple[Any, Any]:
    """(tick, field) of a class as it was found."""
    box = part(page, "train", "own-classes")
    return box.get_by_label(f"Use the pictures of {name}", exact=True), box.get_by_label(f"Name of {name}", exact=True)


def test_classes_are_renamed_merged_and_left_out_and_found_again(server, visit):
    page = visit(server.url())
    found = choose_zip(page, pets(cat=8, dog=9, puppy=10, car=4))
    part(page, "train", "own-classes-title").click()
    apply = part(page, "train", "own-classes-apply")
    expect(apply).to_be_disabled()
    class_row(page, "cat")[1].fill("Katze")
    class_row(page, "puppy")[1].fill("dog")
    class_row(page, "car")[0].uncheck()
    apply.click()
    edited = shown_set(page, found)
    expect(about(page)).to_contain_text("27 pictures, 2 classes: dog (19), Katze (8).")
    expect(part(page, "train", "own-classes-title")).to_have_text("Classes (2)")
    assert own_entries(page) == ["pets (27)"]
    part(page, "train", "own-size").select_option("32")
    larger = shown_set(page, edited)
    card = server.get(f"pictures/{larger}")
    assert card["size"] == 32
    assert dict(card["classes"]) == {"dog": 19, "Katze": 8}
    page.reload()
    shown_set(opened(page))
    part(page, "train", "own-classes-title").click()
    expect(class_row(page, "puppy")[1]).to_have_value("dog")
    expect(class_row(page, "car")[0]).not_to_be_checked()
    part(page, "train", "own-classes-back").click()
    shown_set(page, larger)
    expect(about(page)).to_contain_text("31 pictures, 4 classes: car (4), cat (8), dog (9), puppy (10).")
    assert own_entries(page) == ["pets (31)"]


@pytest.mark.thorough
def test_class_changes_that_leave_too_little_change_nothing(server, visit):
    visit.expect("status of 400")
    page = visit(server.url())
    found = choose_zip(page, pets(cat=8, dog=9))
    part(page, "train", "own-classes-title").click()
    class_row(page, "dog")[0].uncheck()
    part(page, "train", "own-classes-apply").click()
    expect(part(page, "train", "own-note")).to_contain_text("at least 16")
    assert part(page, "train", "dataset").input_value() == found


@pytest.mark.thorough
def test_a_recipe_that_needs_classes_says_so_before_train(server, visit):
    page = visit(server.url())
    choose_zip(page, zipped({f"{i}.png": png(i) for i in range(16)}))
    why = part(page, "train", "dataset-why")
    expect(why).to_contain_text("so few pictures")
    choose(page, "quick-conditional")
    expect(why).to_have_text("“Quick, by class” is told a class with each picture; these have none.")
    expect(part(page, "train", "own-classes")).to_be_hidden()


# What stays ------------------------------------------------------------------------------------------------------


def test_sets_stay_in_the_menu_until_they_are_deleted(server, visit):
    page = visit(server.url())
    cats, dogs = choose_zip(page, pets(cat=20), "cats.zip"), choose_zip(page, pets(dog=17), "dogs.zip")
    page.goto(server.url())
    menu = part(opened(page), "train", "dataset")
    assert sorted(own_entries(page)) == ["cats (20)", "dogs (17)"]
    menu.select_option(cats)
    shown_set(page)
    expect(about(page)).to_contain_text("20 pictures")
    part(page, "train", "own-delete").click()
    expect(part(page, "train", "own-sure")).to_contain_text("Delete them from this server?")
    part(page, "train", "own-keep").click()
    part(page, "train", "own-delete").click()
    part(page, "train", "own-delete-now").click()
    expect(page.locator(".gf-toast")).to_contain_text("The pictures were deleted.")
    expect(menu).to_have_value("monsters")
    assert own_entries(page) == ["dogs (17)"]
    assert not is_there(server, cats)
    page.reload()
    opened(page)
    assert own_entries(page) == ["dogs (17)"]
    assert is_there(server, dogs)


@pytest.mark.thorough
def test_a_set_that_is_gone_is_forgotten_in_words(server, visit):
    visit.expect("status of 404")
    page = visit(server.url())
    name = choose_zip(page, pets(cat=16), "cats.zip")
    other = visit(server.url(f"?dataset={name}"))  # the owner of the program
    shown_set(opened(other))
    part(other, "train", "own-delete").click()
    part(other, "train", "own-delete-now").click()
    expect(other.locator(".gf-toast")).to_contain_text("The pictures were deleted.")
    page.reload()
    expect(part(opened(page), "train", "setup-error")).to_have_text(
        "The pictures of “cats” are no longer on this server."
    )
    expect(part(page, "train", "dataset")).to_have_value("monsters")
    assert own_entries(page) == []


@pytest.mark.thorough
def test_sets_of_one_name_are_numbered(server, visit):
    page = visit(server.url())
    for seed in (0, 100, 200):
        before = part(opened(page), "train", "dataset").input_value()
        part(page, "train", "dataset").select_option("own")
        part(page, "train", "own-files").set_input_files([upload(f"{i}.png", png(seed + i)) for i in range(16)])
        shown_set(page, before)
    assert own_entries(page) == ["Own pictures (16)", "Own pictures (16) · 2", "Own pictures (16) · 3"]


@pytest.mark.thorough
def test_two_sets_keep_their_own_forms(server, visit):
    """What is changed in one changes nothing of the other; only the newest is kept to be prepared anew."""
    page = visit(server.url("?recipe=quick"))
    cats = choose_zip(page, pets(cat=16), "cats.zip")
    dogs = choose_zip(page, pets(dog=16), "dogs.zip")
    part(page, "train", "own-size").select_option("32")
    dogs = shown_set(page, dogs)
    part(page, "train", "dataset").select_option(cats)
    shown_set(page, dogs)
    expect(part(page, "train", "own-size")).to_have_value("28")
    expect(part(page, "train", "own-size")).to_be_disabled()
    expect(part(page, "train", "own-note")).to_have_text("Choose the files again to change these.")
    part(page, "train", "dataset").select_option(dogs)
    expect(part(page, "train", "own-size")).to_have_value("32")
    expect(part(page, "train", "own-size")).to_be_enabled()


# Files -----------------------------------------------------------------------------------------------------------


@pytest.mark.thorough
@pytest.mark.parametrize(("names", "sent", "others"), [
    (
        ["p/class 10/2.png", "p/class 2/10.PNG", "p/class 2/2.jpeg", "p/labels.csv", "p/dataset.json", "p/boxes.json"],
        ["p/class 10/2.png", "p/class 2/10.PNG", "p/class 2/2.jpeg", "p/dataset.json", "p/labels.csv"],
        ["p/boxes.json"],
    ),
    (["p/.hidden/1.png", "p/__MACOSX/p/1.png", "p/._1.png", "p/desktop.ini", "Thumbs.db", ".DS_Store"], [], []),
    (["b.heic", "notes", "a.tar.gz"], [], ["a.tar.gz", "b.heic", "notes"]),
    (["1.png", "more.zip"], ["1.png"], ["more.zip"]),
    (["b.zip", "a.ZIP", "x.txt"], ["a.ZIP", "b.zip"], ["x.txt"]),
])  # fmt: skip
def test_files_are_sorted_out_by_their_names(server, visit, names, sent, others):
    found = opened(visit(server.url())).evaluate(
        """async (names) => {
          const { sortOut } = await import(new URL('gradio_api/gan/static/train/sendable.js', document.baseURI));
          const offered = { suffixes: ['.png', '.jpeg'], sidecars: ['.json', '.csv', '.tsv'] };
          const { sent, others } = sortOut(names.map((name) => new File(['x'], name)), offered);
          return [sent.map(({ name }) => name), others];
        }""",
        names,
    )
    assert found == [sent, others]


@pytest.mark.thorough
def test_telephone_pictures_alone_are_refused_by_their_kind(server, visit):
    visit.expect("status of 400")
    page = opened(visit(server.url()))
    part(page, "train", "dataset").select_option("own")
    part(page, "train", "own-files").set_input_files([upload(f"IMG_{i}.CR2", b"?" * 99) for i in range(20)])
    expect(part(page, "train", "own-note")).to_contain_text("20 .cr2 files were left out")
    expect(part(page, "train", "own-note")).to_have_attribute("data-kind", "error")


@pytest.mark.thorough
def test_a_run_is_downloaded_with_its_pictures_when_that_is_wished(server, visit, tmp_path):
    page = visit(server.url())
    choose_zip(page, pets(cat=8, dog=9))
    choose(page, "dense")
    fill(page, batch=8, total_steps=20)
    part(page, "train", "train").click()
    run = run_on_screen(page)
    size = server.get(f"runs/{run}")["pictures_bytes"]
    menu = part(page, "train", "download")

    def saved(wished: bool) -> Path:
        menu.locator("summary").click()
        menu.get_by_label(f"with its pictures ({size / 2**20:.1f} MB)").set_checked(wished)
        with page.expect_download() as download:
            menu.get_by_text("Whole run (zip)").click()
        download.value.save_as(tmp_path / f"run-{wished}.zip")
        return tmp_path / f"run-{wished}.zip"

    def has_pictures(run: Path) -> bool:
        with zipfile.ZipFile(run) as z:
            return "pictures.safetensors" in z.namelist()

    menu.locator("summary").click()
    expect(menu.get_by_role("checkbox")).not_to_be_checked()
    menu.locator("summary").click()
    assert not has_pictures(saved(False))
    assert has_pictures(saved(True))
    assert not has_pictures(saved(False))
    stranger = visit(server.url(f"?run={run}", host="visitor.test"))
    part(opened(stranger), "train", "download").locator("summary").click()
    expect(part(stranger, "train", "download").get_by_text("Whole run (zip)")).to_be_visible()
    expect(part(stranger, "train", "download").get_by_text("with its pictures")).to_have_count(0)


@pytest.mark.thorough
def test_a_run_brings_its_pictures_back_into_the_menu(server, visit, tmp_path):
    page = visit(server.url())
    name = choose_zip(page, pets(cow=8, hen=9), "farm.zip")
    run = server.finish("dense", name, batch=8)
    path = tmp_path / "run.zip"
    path.write_bytes(server.fetch(f"runs/{run}/download/run.zip?pictures=1")[1])
    server.delete(run)
    part(page, "train", "own-delete").click()
    part(page, "train", "own-delete-now").click()
    expect(page.locator(".gf-toast")).to_contain_text("The pictures were deleted.")
    part(page, "train", "bring-back").set_input_files(path)
    expect(page.locator(".gf-toast")).to_contain_text("The run is back.")
    assert own_entries(page) == ["Own pictures (17)"]  # the owner of the program trained, who is not told “farm”
    part(page, "train", "dataset").select_option(name)
    shown_set(page)
    expect(about(page)).to_contain_text("17 pictures, 2 classes: cow (8), hen (9).")
    expect(part(page, "train", "own-size")).to_be_disabled()


@pytest.mark.thorough
def test_a_run_keeps_its_pictures_when_they_are_prepared_in_another_way(server, visit):
    """A stranger to the program, whose tokens decide."""
    page = visit(server.url("?recipe=quick", host="visitor.test"))
    before = choose_zip(page, pets(pig=8, hen=9), "farm.zip")
    choose(page, "dense")
    fill(page, batch=8, total_steps=20)
    part(page, "train", "train").click()
    run_on_screen(page)
    tick = part(page, "train", "download").get_by_text("with its pictures")
    expect(tick).to_have_count(1)
    part(page, "train", "own-size").select_option("32")
    middle = shown_set(page, before)
    part(page, "train", "own-channels").select_option("3")
    shown_set(page, middle)
    until(lambda: not is_there(server, middle))  # no run learned from it
    assert is_there(server, before)
    page.reload()
    expect(tick).to_have_count(1)


def test_few_pictures_are_augmented_unless_somebody_says_otherwise(server, visit):
    page = visit(server.url())
    augment = page.locator("#gf-knob-augment")
    why = part(page, "train", "dataset-why")
    few = choose_zip(page, pets(cat=20))
    expect(augment).to_have_value("1")
    expect(why).to_contain_text("Networks learn so few pictures (20) by heart")
    expect(part(page, "train", "more-title")).to_have_text(re.compile("1 changed"))
    choose(page, "lsgan")  # a program of others stays what it is
    expect(augment).to_have_value("0")
    choose(page, "quick-colour")
    expect(augment).to_have_value("1")
    part(page, "train", "dataset").select_option("mnist")
    expect(augment).to_have_value("0")
    part(page, "train", "dataset").select_option(few)
    expect(augment).to_have_value("1")
    part(page, "train", "more-title").click()
    page.locator('.gf-section[data-section="seen"] > summary').click()
    augment.fill("0")
    for name in ("mnist", few):  # what a person has said stays
        part(page, "train", "dataset").select_option(name)
        expect(augment).to_have_value("0")
    page.reload()
    expect(part(opened(page), "train", "dataset")).to_have_value(few)
    expect(augment).to_have_value("0")
    fill(page, batch=8, total_steps=4)
    part(page, "train", "reset").click()
    expect(augment).to_have_value("1")
    part(page, "train", "more-title").click()
    page.locator('.gf-section[data-section="seen"] > summary').click()
    augment.fill("0")
    fill(page, batch=8, total_steps=4)
    part(page, "train", "train").click()
    run = run_on_screen(page)
    assert server.get(f"runs/{run}")["config"]["augment"] == 0


def photo(seed: int, turn: int) -> bytes:
    """As a camera's: large, noisy, and turned by what stands in its notes. Above it is light, on its right red."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:1200, 0:1600]
    upright = np.stack([60 + x / 10, 200 - y / 8, np.full(y.shape, 90.0)], 2) + rng.normal(0, 40, (1200, 1600, 3))
    picture = Image.fromarray(upright.clip(0, 255).astype(np.uint8))
    back = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    out, notes = io.BytesIO(), Image.Exif()
    notes[0x0112] = turn
    (picture.transpose(back[turn]) if turn in back else picture).save(out, "JPEG", quality=98, exif=notes)
    return out.getvalue()


@pytest.fixture
def own_server(tmp_path: Path) -> Any:
    """Whose folder is known."""
    with served(tmp_path / "runs") as server:
        yield server


@pytest.mark.thorough
def test_many_large_photos_are_made_smaller_and_stay_the_same_pictures(own_server, visit, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(18):
        (folder / f"{i:02d}.jpg").write_bytes(photo(i, (1, 3, 6, 8)[i % 4]))
    total = sum(path.stat().st_size for path in folder.iterdir())
    assert total > 32e6
    page = opened(visit(own_server.url()))
    part(page, "train", "dataset").select_option("own")
    page.route("**/pictures?*", lambda route: None)  # nothing arrives, so that there is something to cancel
    part(page, "train", "own-files").set_input_files(sorted(folder.iterdir()))
    part(page, "train", "own-cancel").click()
    expect(part(page, "train", "own-cancel")).to_be_hidden()
    page.unroute("**/pictures?*")
    with page.expect_request(lambda request: "/pictures?" in request.url) as posted:
        part(page, "train", "own-again").click()
    name = shown_set(page)
    expect(part(page, "train", "own-note")).to_have_text("18 large photos were made smaller before they were sent.")
    assert int(posted.value.all_headers()["content-length"]) < total / 4
    sent = load(name, own_dir=tmp_path / "runs" / "pictures").images.float()
    whole = load(prepare_folder(folder, Form(64, 3), tmp_path / "own").name, own_dir=tmp_path / "own").images.float()
    assert sent.shape == whole.shape == (18, 3, 64, 64) and (sent - whole).abs().mean() < 3
