"""The page in several languages: which one somebody meets, and that nothing of it stays in English."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from gan.core.messages import areas, catalogue
from gan.core.paths import WORDS
from gan.runs.registry import Runs
from gan.web.access import Access
from gan.web.languages import LANGUAGES, language_of
from gan.web.middleware import FirstPage
from gan.web.page import TABS, texts_in
from gan.web.routes.answers import BASE, routes_of
from gan.web.routes.start import StartRoutes
from gan.web.text import EN


def scope(query: str = "", accepted: str | None = None) -> dict:
    headers = [] if accepted is None else [(b"accept-language", accepted.encode("latin-1"))]
    return {"query_string": query.encode("latin-1"), "headers": headers}


@pytest.mark.parametrize(
    ("query", "accepted", "language"),
    [
        ("", None, "en"),
        ("", "de", "de"),
        ("", "de-AT,de;q=0.9,en;q=0.5", "de"),
        ("", "fr,es-MX;q=0.8,en;q=0.9", "en"),
        ("", "fr;q=1.0, es-MX;q=0.8", "es"),
        ("", "de;q=0, es;q=0.1", "es"),
        ("", "fr", "en"),
        ("tab=train&lang=es", "de", "es"),
        ("lang=ES-AR", None, "es"),
        ("lang=fr", "de", "de"),
        ("lang=", "de", "de"),
    ],
)
def test_the_address_decides_then_the_browser(query, accepted, language):
    assert language_of(scope(query, accepted)) == language


@given(st.text(st.characters(max_codepoint=255)), st.text(st.characters(max_codepoint=255)))
def test_any_header_and_any_address_give_a_language(query, accepted):
    assert language_of(scope(query, accepted)) in LANGUAGES


def test_every_folder_of_words_is_a_language():
    assert {path.name for path in WORDS.iterdir()} == set(LANGUAGES)
    assert {frozenset(areas(language)) for language in LANGUAGES} == {frozenset(areas("en"))}


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - {"en"}))
def test_every_part_of_the_page_is_exchanged(language):
    """Header, head, the tabs and their titles; a title may be the same word."""
    texts = texts_in(language)
    assert len(texts) == 2 + 2 * len(TABS) and all(text for text in texts.values())
    same = {english for english, other in texts.items() if english == other}
    assert same <= {"Interpolation"}
    for english in ("train", "latent", "compare", "interpolation", "how"):
        for key, sentence in EN[english].items():
            if len(sentence) > 40 and "{" not in sentence:
                assert not any(sentence in other for other in texts.values()), key


def first_page(settings: str, language: str) -> str:
    """What is sent where Gradio makes a page with these settings in it."""
    page = f'<html lang="en"><script>{settings};</script></html>'
    app = FirstPage(Starlette(routes=[Route("/", lambda _: HTMLResponse(page))]), texts=texts_in)
    return TestClient(app).get(f"/?lang={language}").text


def test_what_gradio_is_to_show_is_exchanged_wherever_it_stands():
    settings = 'window.gradio_config = {"a": [{"label": "Train"}, "Train</b>"], "b": 1}'
    assert first_page(settings, "en").count("Train") == 2
    page = first_page(settings, "de")
    assert '<html lang="de"' in page and r'{"a": [{"label": "Trainieren"}, "Train\u003c/b>"], "b": 1};</script>' in page


def test_a_page_that_cannot_be_translated_does_not_say_that_it_was(caplog):
    page = first_page('window.other_settings = {"label": "Train"}', "de")
    assert '<html lang="en"' in page and "Train" in page and "stays in English" in caplog.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_is_sent_what_it_says_itself_and_in_other_languages_also_what_the_server_says(language, tmp_path):
    client = TestClient(Starlette(routes=routes_of(StartRoutes(Access(Runs(tmp_path))).table())))
    boot = client.get(f"{BASE}/boot?lang={language}").json()
    said = {area: catalogue(language, area) for area in areas(language)}
    assert boot["language"] == language
    assert boot["words"] == ({area: said[area] for area in EN} if language == "en" else said)
