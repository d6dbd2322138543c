"""Controls that stand in several tabs and are one thing each: groups of which one is chosen, and play buttons."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import part

pytestmark = pytest.mark.thorough  # beside the main journeys, which a plain run takes

PATH = "tab=interpolation&w=mnist-conditional&a=1:0&b=2:1&c=3:2&frames=2"
GROUPS = [  # where it is, its part, and how many there are to choose from
    ("tab=latent&w=mnist-conditional&c=3", "latent", "classes", 10),
    (PATH, "interpolation", "keyframes", 3),
    (PATH, "interpolation", "shows", 4),
    (PATH, "interpolation", "modes", 3),
    ("tab=compare&runs={run}", "compare", "axis", 3),
]


@pytest.mark.parametrize(("query", "tab", "name", "count"), GROUPS, ids=[f"{tab}-{name}" for _, tab, name, _ in GROUPS])
def test_the_arrow_keys_choose_in_a_group(server, visit, plain_run, query, tab, name, count):
    """Tab reaches the chosen one only; the arrows go round, and what they reach is chosen and has the focus."""
    page = visit(server.url(f"?{query.format(run=plain_run)}"))
    radios = part(page, tab, name).get_by_role("radio")
    expect(radios).to_have_count(count)
    expect(part(page, tab, name).locator('[aria-checked="true"]')).to_have_count(1)
    at = chosen(radios)
    radios.nth(at).focus()
    for key, step in (("ArrowRight", 1), ("ArrowDown", 1), ("ArrowUp", -1), *[("ArrowLeft", -1)] * count):
        at = (at + step) % count
        page.keyboard.press(key)
        expect(radios.nth(at)).to_have_attribute("aria-checked", "true")
        expect(radios.nth(at)).to_be_focused()
        stops = radios.evaluate_all("all => all.map(({tabIndex}) => tabIndex)")
        assert stops == [0 if i == at else -1 for i in range(count)]
    radios.nth((at + 1) % count).click()
    expect(radios.nth((at + 1) % count)).to_have_attribute("aria-checked", "true")
    expect(part(page, tab, name).locator('[aria-checked="true"]')).to_have_count(1)


def chosen(radios: Any) -> int:
    return int(radios.evaluate_all("all => all.findIndex((one) => one.ariaChecked === 'true')"))


def test_a_play_button_says_what_a_press_does(server, visit):
    page = visit(server.url(f"?{PATH}"))
    button = part(page, "interpolation", "play")
    expect(button).to_have_attribute("data-playing", "true")
    looks = [look_of(button)]
    for playing in ("false", "true"):
        button.click()
        expect(button).to_have_attribute("data-playing", playing)
        looks.append(look_of(button))
    assert looks[0] == looks[2] != looks[1]
    assert all(name == title for name, title, _ in looks)


def look_of(button: Any) -> tuple[str, str, str]:
    """Its name, its hint, and its icon."""
    found = button.evaluate("it => [it.ariaLabel, it.title, it.querySelector('path').getAttribute('d')]")
    return found[0], found[1], found[2]
