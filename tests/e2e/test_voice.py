"""The microphone turns a slider: here a tone as loud as the test says; no browser without windows hears anything."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

from tests.e2e.conftest import STRANGER, css, opened, part

TONE = """
navigator.mediaDevices.getUserMedia = async ({audio, video}) => {
  if (!audio || video) throw new Error('not what is needed');
  const context = new AudioContext(), tone = context.createOscillator(), out = context.createMediaStreamDestination();
  window.gain = context.createGain();
  gain.gain.value = 0;
  tone.connect(gain).connect(out);
  tone.start();
  return (window.stream = out.stream);
};
"""
REFUSED = "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('no', 'NotAllowedError') }"
LET_GO = "stream.getTracks().every(({readyState}) => readyState === 'ended')"
SLIDER = css("latent", "directions") + " input"


def sliders(visit: Any, server: Any, weights: str, does: str = "", host: str = "") -> Any:
    """The sliders of some weights, in a browser whose microphone does that."""
    page = visit(server.url(f"?tab=latent&w={weights}&seed=4", host=host))
    page.add_init_script(does)
    page.reload()
    opened(page)
    page.wait_for_selector(SLIDER + ":not([disabled])")
    return page


def amount_of(page: Any, key: str) -> str:
    return f"Number(document.querySelector('{css('latent', 'directions')} [data-key=\"{key}\"] input').value)"


def test_a_voice_turns_a_slider_and_leaves_it_where_it_stood(server, visit):
    page = sliders(visit, server, "mnist", TONE)
    part(page, "latent", "voice").click()
    chosen = part(page, "latent", "voice-slider")
    chosen.select_option("0")
    amount = amount_of(page, "0")
    page.evaluate("() => { gain.gain.value = 0.8 }")
    page.wait_for_function(f"{amount} > 2")
    page.evaluate("() => { gain.gain.value = 0 }")
    page.wait_for_function(f"{amount} < 0.2")
    page.evaluate("() => { gain.gain.value = 0.8 }")
    page.wait_for_function(f"{amount} > 1")
    part(page, "latent", "voice").click()
    page.wait_for_function(f"{amount} === 0")
    assert page.evaluate(LET_GO)
    expect(part(page, "latent", "voice-box")).to_be_hidden()


def test_monsters_open_their_mouths(server, visit):
    page = sliders(visit, server, "monsters", TONE)
    part(page, "latent", "voice").click()
    chosen = part(page, "latent", "voice-slider")
    expect(chosen.locator("option:checked")).to_have_text("Mouth: an open mouth")
    page.evaluate("() => { gain.gain.value = 0.8 }")
    key = chosen.input_value()
    page.wait_for_function(f"{amount_of(page, key)} > 2")


def test_without_a_microphone_the_page_says_so(server, visit):
    page = sliders(visit, server, "mnist", REFUSED)
    part(page, "latent", "voice").click()
    expect(part(page, "latent", "voice-note")).to_contain_text("not allowed")
    expect(part(page, "latent", "voice-box")).to_be_hidden()


def test_over_plain_http_the_page_says_why_there_is_none(server, visit):
    page = sliders(visit, server, "mnist", host=STRANGER)
    part(page, "latent", "voice").click()
    expect(part(page, "latent", "voice-note")).to_contain_text("https")
