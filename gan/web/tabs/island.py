"""One tab's content: a gr.HTML whose markup is ours and whose behaviour is one of our ES modules."""

from __future__ import annotations

import re

import gradio as gr

_MOUNT = """(async () => {
  const script = (name) => import(new URL('gradio_api/gan/static/' + name, document.baseURI));
  const [page, tab] = await Promise.all([script('page.js'), script('SCRIPT')]);
  page.open();
  tab.mount(element);
})()"""

# What the tabs that draw with weights show when there are none.
NO_WEIGHTS = """
<div class="gf-empty" data-gf="empty" hidden>
  <h2>{empty_title}</h2><p class="gf-hint">{empty_text}</p>
  <button type="button" class="gf-btn gf-btn-primary" data-gf="go-train">{empty_button}</button>
</div>"""


# Whether pictures are enlarged smoothly: one choice for all tabs.
SMOOTH = """<label class="gf-check gf-hint" title="{smooth_pictures_hint}"><input type="checkbox" data-gf="smooth"
  ><span>{smooth_pictures}</span></label>"""

# What a translating browser must leave alone: drawings, and the places of numbers that scripts write anew.
_NOT_TRANSLATED = re.compile(r'<(canvas|svg|output|textarea)\b|<\w+(?=[^<>]*\sclass="[^"]*\bgf-num\b)')


def markup_of(markup: str) -> str:
    """HTML in which a translating browser leaves alone what it must; everything that is not ours is already escaped."""
    return _NOT_TRANSLATED.sub(r'\g<0> translate="no"', markup)


def island(markup: str, script: str) -> gr.HTML:
    """The component for a tab: its script is loaded and mounted when the tab is first opened.

    Args:
        markup: see `markup_of`.
        script: file name below gan/web/static with `export function mount(element)`.
    """
    return gr.HTML(
        markup,
        js_on_load=_MOUNT.replace("SCRIPT", script),
        apply_default_css=False,
        container=False,
        padding=False,
    )
