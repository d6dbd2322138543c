"""Which pictures a run learns from: the recipe's own, until the person has chosen others."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from gan.recipes.catalog import ALL_RECIPES
from tests.e2e.conftest import choose, fill, opened, part, png, press_train, run_on_screen, upload

MADE_FOR = "Data set: Emoji, which this recipe is made for."
GREY = "“Quick, in colour” is made for colour pictures, such as Emoji; these are grey."


def dataset(page: Any) -> Any:
    return part(page, "train", "dataset")


def why(page: Any) -> Any:
    return part(page, "train", "dataset-why")


def test_a_recipe_brings_its_pictures_and_says_so(server, visit):
    page = visit(server.url())
    expect(why(opened(page))).to_be_hidden()
    run = press_train(page, "quick-colour")
    assert dataset(page).input_value() == "emoji"
    expect(why(page)).to_have_text(MADE_FOR)
    config = server.get(f"runs/{run}")["config"]
    assert [config[name] for name in ("dataset", "size", "channels")] == ["emoji", 32, 3]
    choose(page, "quick-monsters")
    expect(dataset(page)).to_have_value("monsters")
    expect(why(page)).to_be_hidden()


def test_a_link_to_a_recipe_brings_its_pictures(server, visit):
    page = opened(visit(server.url("?recipe=quick-colour")))
    expect(dataset(page)).to_have_value("emoji")
    expect(why(page)).to_have_text(MADE_FOR)
    fill(page, batch=8, total_steps=50)
    part(page, "train", "train").click()
    assert server.get(f"runs/{run_on_screen(page)}")["dataset"] == "emoji"


def test_what_the_person_chose_stays_and_what_does_not_fit_is_said(server, visit):
    page = opened(visit(server.url()))
    dataset(page).select_option("mnist")  # it was shown before, but now she has chosen it
    dataset(page).select_option("fashion-mnist")
    dataset(page).select_option("mnist")
    choose(page, "quick-colour")
    expect(dataset(page)).to_have_value("mnist")
    expect(why(page)).to_have_text(GREY)
    fill(page, seed=5)
    part(page, "train", "reset").click()  # the recipe's values, not its pictures
    expect(dataset(page)).to_have_value("mnist")
    page.reload()
    opened(page)
    expect(dataset(page)).to_have_value("mnist")
    expect(why(page)).to_have_text(GREY)
    dataset(page).select_option("emoji")
    expect(why(page)).to_be_hidden()
    run = press_train(page, "dense")
    assert server.get(f"runs/{run}")["config"]["channels"] == 3


def test_own_pictures_are_prepared_as_the_recipe_needs_them(server, visit):
    page = opened(visit(server.url()))
    form = [part(page, "train", name) for name in ("own-size", "own-channels")]

    def shows(*values: str) -> None:
        for field, value in zip(form, values, strict=True):
            expect(field).to_have_value(value)

    dataset(page).select_option("own")
    shows("64", "3")
    choose(page, "quick")
    shows("28", "1")
    choose(page, "quick-colour")
    expect(dataset(page)).to_have_value("own")
    shows("64", "3")
    part(page, "train", "own-files").set_input_files([upload(f"{i}.png", png(i)) for i in range(20)])
    expect(part(page, "train", "dataset-about")).to_contain_text("20 pictures")
    expect(why(page)).to_contain_text("so few pictures")  # and nothing of sizes or colours
    run = press_train(page, "quick-colour")
    config = server.get(f"runs/{run}")["config"]
    assert [config["size"], config["channels"]] == [64, 3]

    dataset(page).select_option("own")
    form[1].select_option("1")
    expect(why(page)).to_have_text(GREY)
    choose(page, "quick")
    choose(page, "quick-colour")
    shows("32", "1")  # touched, so they are left alone

    form[1].select_option("3")
    shows("64", "3")
    form[0].select_option("48")
    form[1].select_option("1")
    shows("48", "1")  # a size that was chosen stays


@pytest.mark.parametrize("name", ["nothing-like-it", "<b>mnist</b>"])
def test_a_link_to_pictures_that_are_not_there_says_so(server, visit, name):
    page = opened(visit(server.url(f"?recipe=quick-colour&dataset={name}")))
    expect(part(page, "train", "setup-error")).to_have_text(f"There is no data set named “{name}”.")
    expect(dataset(page)).to_have_value("emoji")


def test_routes_train_a_recipe_on_its_own_pictures(server):
    for recipe, pictures in (("quick-colour", "emoji"), ("dense", "mnist")):
        run = server.post("runs", {"recipe": recipe, "changes": {"batch": 8, "total_steps": 2}})["id"]
        assert server.get(f"runs/{run}")["dataset"] == pictures == ALL_RECIPES[recipe].config.dataset
        server.rest()
