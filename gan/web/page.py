"""The shell of the page: header, tabs, theme, and how the server is started."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from gan.core.messages import ENGLISH
from gan.web.back_pressure import ArrivingBodies, BusyLimit, watch_connections
from gan.web.languages import LANGUAGES
from gan.web.middleware import BodyLimit, FirstPage, OnlyUsed, OwnPages, SecurityHeaders, no_grants
from gan.web.page_files import with_imports
from gan.web.password import Password
from gan.web.settings import Settings
from gan.web.tabs import compare, game, how, interpolation, latent, train, wall
from gan.web.tabs.island import island, markup_of
from gan.web.text import EN, Text, text_in

_SYSTEM_FONTS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
_SYSTEM_MONO = ("ui-monospace", "SF Mono", "Consolas", "monospace")


@dataclass(frozen=True)
class Tab:
    """What a tab is made of. markup(text): its content; script, sheets: files in gan/web/static.

    Its title is the string tab_NAME of gan/words/en/common.json.
    """

    markup: Callable[[Text], str]
    script: str
    sheets: tuple[str, ...] = ()


TABS = {
    "train": Tab(train.markup, "train/train.js", ("css/train.css", "css/diagnosis.css")),
    "compare": Tab(compare.markup, "compare/compare.js", ("css/compare.css",)),
    "wall": Tab(wall.markup, "wall/wall.js", ("css/wall.css",)),
    "latent": Tab(latent.markup, "latent/latent.js", ("css/latent.css", "css/made_of.css")),
    "interpolation": Tab(interpolation.markup, "interpolation/interpolation.js", ("css/interpolation.css",)),
    "game": Tab(game.markup, "game/game.js", ("css/game.css",)),
    "how": Tab(how.markup, "how/how.js", ("css/how.css",)),
}
_FIRST = "train"
_SHEETS = (
    "css/tokens.css",
    "css/base.css",
    "css/components.css",
    "css/lesson.css",
)  # a later one may change an earlier
_STATIC = "gradio_api/gan/static"


_HEADER = """<header class="gf-header">
<h1 class="gf-brand"><span class="gf-brand-mark" aria-hidden="true"></span>{product}</h1>
<p class="gf-promise">{promise}</p>
<select class="gf-select gf-select-mini gf-language" data-gf="language" translate="no" autocomplete="off"
  aria-label="{language}" title="{language}">{languages}</select>
<button type="button" class="gf-btn gf-btn-quiet gf-small gf-help" data-gf="shortcuts" aria-haspopup="dialog"
  aria-label="{shortcuts_hint}" title="{shortcuts_hint}">?</button>
</header>"""


def head(language: str) -> str:
    """What the page's <head> says, from the table of tabs. The style sheets are linked, not given as css=, because
    Gradio would rewrite every selector of ours.
    """
    sheets = (*_SHEETS, *(sheet for tab in TABS.values() for sheet in tab.sheets))
    scripts = with_imports("page.js", TABS[_FIRST].script)
    return "\n".join(
        (
            f'<meta name="description" content="{escape(text_in(language)["common"]["promise"])}">',
            f'<meta name="gf-tabs" content="{" ".join(TABS)}">',
            f'<meta name="gf-language" content="{language}">',  # Gradio has its own mind about the lang of <html>
            *(f'<link rel="stylesheet" href="{_STATIC}/{name}">' for name in sheets),
            *(f'<link rel="modulepreload" href="{_STATIC}/{name}">' for name in scripts),
            f'<script type="module">import {{ open }} from "./{_STATIC}/page.js"; open();</script>',
        )
    )


def build() -> gr.Blocks:
    """The whole page. Nothing in it asks Python again: the tabs talk to our own routes."""
    header, titles, markups = _parts(ENGLISH)
    with gr.Blocks(title=EN["common"]["product"], analytics_enabled=False, fill_width=True) as page:
        gr.HTML(header, apply_default_css=False, container=False, padding=False)
        with gr.Tabs(selected=_FIRST, elem_id="gf-tabs", overflow_behavior="wrap"):
            for title, markup, (name, tab) in zip(titles, markups, TABS.items(), strict=True):
                with gr.Tab(title, id=name, elem_id=f"gf-tab-{name}"):
                    island(markup, tab.script)
    return page


def _parts(language: str) -> tuple[str, list[str], list[str]]:
    """What stands in the page: its header, and title and markup of each tab."""
    text = text_in(language)
    common = text["common"]
    titles = [common[f"tab_{name}"] for name in TABS]
    words = {key: escape(words) for key, words in common.items()} | {"languages": "".join(_choices(language))}
    return _HEADER.format_map(words), titles, [markup_of(tab.markup(text)) for tab in TABS.values()]


def _choices(chosen: str) -> Iterator[str]:
    for code, name in LANGUAGES.items():
        selected = " selected" if code == chosen else ""
        yield f'<option value="{code}" title="{escape(name)}"{selected}>{code.upper()}</option>'


@cache
def texts_in(language: str) -> Mapping[str, str]:
    """What stands in the page -> the same in a language."""
    if language == ENGLISH:
        return {}
    (header, titles, markups), (others, other_titles, other_markups) = _parts(ENGLISH), _parts(language)
    exchanged = dict(zip((header, *titles, *markups), (others, *other_titles, *other_markups), strict=True))
    return exchanged | {head(ENGLISH): head(language)}


def launch_options(page: gr.Blocks, settings: Settings) -> dict[str, Any]:
    """What `page.launch` needs besides address and port."""
    return {
        "root_path": settings.root_path,
        "prevent_thread_lock": True,
        "ssr_mode": False,
        "run_history": False,
        "show_error": False,
        "quiet": True,
        "share": False,
        "pwa": False,
        "enable_monitoring": False,
        "max_file_size": "64kb",  # Gradio's own upload route is not used
        "footer_links": [],
        "theme": theme(),
        "head": head(ENGLISH),
        "app_kwargs": {"middleware": list(_in_front(page, settings))},
    }


def _in_front(page: gr.Blocks, settings: Settings) -> Iterator[Middleware]:
    """What every request passes, from the outside in."""
    yield Middleware(SecurityHeaders, frame_from=settings.frame_from)
    yield Middleware(BusyLimit)
    yield Middleware(ArrivingBodies)
    yield Middleware(OwnPages)
    yield Middleware(BodyLimit)
    if settings.password:
        framed = settings.on_space or bool(settings.frame_from)
        yield Middleware(Password, password=settings.password, framed=framed)
    yield Middleware(OnlyUsed, root_path=settings.root_path)
    # Gradio's own sheet of the theme is a file of its own, which not every proxy lets through.
    yield Middleware(FirstPage, root_path=settings.root_path, style=lambda: page.theme_css, texts=texts_in)


def guard(page: gr.Blocks) -> None:
    """What can only be done to a server that has started."""
    no_grants(page.app)
    watch_connections(page.server)


def theme() -> gr.themes.Base:
    """Calm: one accent, neutral greys, the system's own fonts, so that nothing is fetched from elsewhere."""
    return gr.themes.Base(
        primary_hue=gr.themes.colors.orange,
        secondary_hue=gr.themes.colors.slate,
        neutral_hue=gr.themes.colors.slate,
        radius_size=gr.themes.sizes.radius_lg,
        font=_SYSTEM_FONTS,
        font_mono=_SYSTEM_MONO,
    ).set(
        body_background_fill="#fbfbfa",
        body_background_fill_dark="#0e1013",
        body_text_color="#16191d",
        body_text_color_dark="#e7eaee",
        background_fill_primary_dark="#0e1013",
        background_fill_secondary_dark="#171a1f",
        block_background_fill="#ffffff",
        block_background_fill_dark="#171a1f",
        border_color_primary="#e3e5e8",
        border_color_primary_dark="#2b3038",
        input_background_fill="#ffffff",
        input_background_fill_dark="#101317",
        block_border_width="0px",
        block_shadow="none",
        block_shadow_dark="none",
    )
