"""The page in German and Spanish: chosen by the browser, the address or the header, and no English left over.

In the language that nobody speaks every text of a catalogue has accents, so that any other is found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from gan.core.messages import areas, catalogue
from gan.web.languages import LANGUAGES
from gan.web.pseudo import KEPT, PSEUDO
from gan.web.text import words_in
from tests.e2e.conftest import fill, open_tab, opened, part, press_train, wait_for_status
from tests.e2e.test_screens import READY, wait_for_tab

OTHERS = sorted(set(LANGUAGES) - {"en"})
SEEN = """
() => {
  const found = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode())
    if (!walker.currentNode.parentElement.closest('script, style, math')) found.add(walker.currentNode.data);
  for (const element of document.querySelectorAll('.gradio-container *:not(.gf-language *)'))
    for (const name of ['aria-label', 'aria-valuetext', 'title', 'placeholder'])
      found.add(element.getAttribute(name) ?? '');
  return [...found].map((text) => text.trim()).filter(Boolean);
}
"""


NOT_MARKED = re.compile(r"[a-zA-Z]{3,}")  # units, and the letters of formulas, are shorter


def texts(entry: str | dict[str, str]) -> list[str]:
    return [entry] if isinstance(entry, str) else list(entry.values())


def only_english(language: str) -> Iterator[re.Pattern[str]]:
    """What English says and the language does not, with anything in its places."""
    for area in areas("en"):
        others = {text for entry in catalogue(language, area).values() for text in texts(entry)}
        for text in (text for entry in catalogue("en", area).values() for text in texts(entry)):
            if text not in others and len(re.findall(r"[a-z]", re.sub(r"\{.*?\}", "", text))) > 2:
                yield re.compile(re.sub(r"\\\{.*?\\\}", ".+", re.escape(text.strip())), re.DOTALL)


def left_over(page: Any, language: str) -> list[str]:
    """English in what is seen, and in what is said to those who do not see."""
    english = list(only_english(language))
    return [text for text in page.evaluate(SEEN) if any(pattern.fullmatch(text) for pattern in english)]


def unmarked(page: Any, _: str) -> list[str]:
    """What is seen or said and stands in no catalogue."""
    return [text for text in page.evaluate(SEEN) if NOT_MARKED.search(KEPT.sub("", text))]


@pytest.mark.parametrize(("language", "wrong"), [*((code, left_over) for code in OTHERS), (PSEUDO, unmarked)])
def test_nothing_in_any_tab_is_english(server, visit, language, wrong):
    page = opened(visit(server.url(f"?lang={language}")))
    run = press_train(page, "quick-conditional")
    wait_for_status(page, "running")
    part(page, "train", "pause").click()
    wait_for_status(page, "paused")
    expect(part(page, "train", "event-line")).to_contain_text(str(words_in(language)["events"]["paused"]))
    found = wrong(page, language)
    for tab in READY:
        open_tab(page, tab)
        wait_for_tab(page, tab)
        found += wrong(page, language)
    page.goto(server.url(f"?tab=compare&runs={run}&lang={language}"))
    expect(page.locator("#gf-tab-compare .gf-compare-run canvas")).to_have_count(1)
    assert found + wrong(page, language) == []
    assert page.evaluate("document.documentElement.lang") == language


@pytest.mark.thorough
def test_the_browser_says_which_and_the_header_another(server, visit):
    page = opened(visit(server.url("?tab=train&recipe=wgan"), locale="de-AT"))
    expect(part(page, "train", "train")).to_have_text("Trainieren")
    with page.expect_navigation():
        page.locator('[data-gf="language"]').select_option("es")
    expect(part(opened(page), "train", "train")).to_have_text("Entrenar")
    assert "lang=es" in page.url and "recipe=wgan" in page.url
    open_tab(page, "how")
    page.wait_for_url(re.compile(r"lang=es&tab=how"))


@pytest.mark.thorough
@pytest.mark.parametrize(("language", "words"), [("de", "muss zwischen"), ("es", "debe estar entre")])
def test_what_the_server_refuses_is_said_in_the_language_of_the_page(server, visit, language, words):
    visit.expect("400")
    page = opened(visit(server.url(f"?lang={language}")))
    fill(page, batch=10**6)
    part(page, "train", "train").click()
    expect(part(page, "train", "setup-error")).to_contain_text(words)


@pytest.mark.thorough
def test_a_link_for_others_does_not_choose_their_language(server, visit):
    page = opened(visit(server.url("?lang=de"), permissions=["clipboard-read", "clipboard-write"]))
    wait_for_status(page, "recording")
    part(page, "train", "copy-link").click()
    page.wait_for_function("navigator.clipboard.readText().then((text) => text.includes('tab=train'))")
    assert "lang" not in page.evaluate("navigator.clipboard.readText()")
