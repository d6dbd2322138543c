"""A browser that translates wraps every text into <font>, also what scripts write later: the page goes on."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import (
    look,
    open_tab,
    opened,
    part,
    press_train,
    wait_for_change,
    wait_for_status,
    wait_for_step,
)
from tests.e2e.test_latent import PICTURE

pytestmark = pytest.mark.thorough  # beside the main journeys, which a plain run takes

# As Chrome's translation does it: two nested fonts around each text, except below translate="no" and inside SVG.
TRANSLATE = """
() => {
  const kept = 'script, style, svg, math, textarea, option, title, [translate="no"]';
  const translate = (root) => {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    const texts = [];
    while (walker.nextNode()) texts.push(walker.currentNode);
    if (root.nodeType === Node.TEXT_NODE) texts.push(root);
    for (const text of texts) {
      const parent = text.parentElement;
      if (!text.data.trim() || !parent || parent.closest(kept) || parent.closest('font')) continue;
      const [outer, inner] = [document.createElement('font'), document.createElement('font')];
      text.replaceWith(outer);
      outer.append(inner);
      inner.append(`«${text.data}»`);
    }
  };
  document.documentElement.classList.add('translated-ltr');
  translate(document.body);
  new MutationObserver((changes) => {
    for (const { addedNodes, target, type } of changes)
      if (type === 'childList') addedNodes.forEach((node) => node.isConnected && translate(node));
      else translate(target);
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}
"""


def test_a_translated_page_goes_on(server, visit):
    page = opened(visit(server.url()))
    for tab in ("compare", "latent", "interpolation", "how", "train"):
        open_tab(page, tab)
        expect(page.locator(f"#gf-tab-{tab} .gf").first).to_be_visible()
    page.wait_for_selector(PICTURE + "[data-shows]", state="attached")
    page.evaluate(TRANSLATE)
    assert page.locator("font").count() > 100
    run = press_train(page)
    wait_for_status(page, "running")
    wait_for_step(page, 5)
    pause = part(page, "train", "pause")
    for status, words in (("paused", "«Resume»"), ("running", "«Pause»"), ("paused", "«Resume»")):
        pause.click()
        wait_for_status(page, status)
        expect(pause).to_have_text(words)
        expect(part(page, "train", "status-text")).to_have_text(re.compile("training|paused"))
    shown = part(page, "train", "n-step").text_content()
    assert shown.replace(",", "").isdigit()

    part(page, "train", "sliders").click()
    page.wait_for_selector(PICTURE + f'[data-shows*="run-{run}"]')
    before = look(page, "print", PICTURE)
    part(page, "latent", "surprise").click()
    wait_for_change(page, PICTURE, before)
    open_tab(page, "how")
    words = page.locator("#gf-tab-how svg.gf-drawing-wide")
    expect(words).to_contain_text("Generator")
    expect(words.locator('[data-gf="dataset"]')).to_have_text("MNIST")
    open_tab(page, "train")
    pause.click()
    wait_for_status(page, "running")
    expect(pause).to_have_text("«Pause»")


TRANSLATED = "all => all.filter(e => !e.closest('[translate=\"no\"]')).map(e => e.outerHTML)"


def test_drawings_code_and_numbers_are_left_alone(server, visit, class_run):
    page = opened(visit(server.url()))
    for tab in ("compare", "latent", "interpolation", "how", "train"):
        open_tab(page, tab)
        expect(page.locator(f"#gf-tab-{tab} .gf").first).to_be_visible()
    page.wait_for_selector(PICTURE + "[data-shows]", state="attached")
    for what in ("canvas", "svg.gf-drawing", ".gf-num", "textarea", ".gf-class", "output"):
        found = page.locator(f"[id^=gf-tab-] {what}")
        assert found.count() > 0
        assert found.evaluate_all(TRANSLATED) == []
