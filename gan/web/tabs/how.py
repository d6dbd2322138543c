"""The How-it-works tab: a drawing whose numbers are those of the run on the screen, and a few short texts."""

from __future__ import annotations

from html import escape

from gan.web.text import Text

PROGRAMS = ("dense", "dcgan-upsample", "dcgan-transposed", "mlp", "conv-small")
TILES = 3
_NUMBER = 60  # what a number beside its name takes

Words = dict[str, str]


def markup(text: Text) -> str:
    words = {key: escape(value) for key, value in text["how"].items()}
    return _page(words)


def _page(words: Words) -> str:
    return f"""<div class="gf gf-how gf-stack">
<div class="gf-card gf-how-drawing">
<div class="gf-row"><h2 class="gf-run-title">{words["title"]}</h2>
<p class="gf-hint gf-num" data-gf="source">{words["source_none"]}</p></div>
{_wide(words)}{_tall(words)}
</div>
<div class="gf-how-texts">
{_card(words["game"], _paragraphs(words, "game"))}
{_card(words["curves"], _list(words, "curves"))}
{_card(words["wrong"], _troubles(words))}
</div>
<div class="gf-card"><div class="gf-row"><h3 class="gf-how-title">{words["programs"]}</h3>
<p class="gf-hint">{words["programs_about"]}</p></div>
<ul class="gf-programs">{"".join(_program(words, name) for name in PROGRAMS)}</ul>
<p class="gf-hint">{words["programs_note"]}</p></div>
</div>"""


# ---- texts ----


def _card(title: str, body: str) -> str:
    return f'<section class="gf-card"><h3 class="gf-how-title">{title}</h3>{body}</section>'


def _numbered(words: Words, name: str) -> list[str]:
    return [words[key] for key in sorted(words) if key.rpartition("_")[0] == name and key[-1].isdigit()]


def _paragraphs(words: Words, name: str) -> str:
    return "".join(f"<p>{text}</p>" for text in _numbered(words, name))


def _list(words: Words, name: str) -> str:
    return "<ul>" + "".join(f"<li>{text}</li>" for text in _numbered(words, name)) + "</ul>"


def _troubles(words: Words) -> str:
    titles = [words[f"wrong_{i}_title"] for i in (1, 2, 3)]
    texts = [words[f"wrong_{i}"] for i in (1, 2, 3)]
    return "".join(f"<p><b>{title}</b> {text}</p>" for title, text in zip(titles, texts, strict=True))


def _program(words: Words, name: str) -> str:
    return f"""<li><div class="gf-row"><b data-gf="program-title" data-recipe="{name}">{name}</b>
<span class="gf-tag">{words[name + "_by"]}</span></div><p>{words[name]}</p>
<button type="button" class="gf-btn gf-small" data-gf="program" data-recipe="{name}">{words["open"]}</button></li>"""


# ---- the drawing, once for wide and once for narrow screens ----


def _wide(words: Words) -> str:
    parts = [
        _label(58, 74, 164, words["noise"]),
        _picture("noise", 26, 86, 64),
        _label(58, 170, 160, words["noise_plain"], "gf-d-small", "noise-about"),
        _arrow("M98 118 H146"),
        _network(152, 74, 186, words["generator"], "g", words),
        _arrow("M342 118 H388"),
        _label(486, 74, 220, words["fake"], "gf-d-fake"),
        _pictures("fake", 396, 86, 56, 6),
        _arrow("M584 118 C 630 118, 606 184, 650 184"),
        _data(152, 232, 186, words),
        _arrow("M342 276 H388"),
        _label(486, 232, 220, words["real"], "gf-d-real"),
        _pictures("real", 396, 244, 56, 6),
        _arrow("M584 276 C 630 276, 606 212, 650 212"),
        _network(658, 154, 186, words["discriminator"], "d", words),
        _arrow("M848 198 H894"),
        _verdict(904, 148, 196, words),
        _learning("M1002 140 V30 H245 V66", "fake"),
        _label(624, 20, 740, words["g_learns"], "gf-d-fake gf-d-small"),
        _learning("M1002 254 V306 H751 V252", "real"),
        _label(876, 328, 480, words["d_learns"], "gf-d-real gf-d-small"),
    ]
    return _svg("wide", -24, 1148, 344, words, parts)


def _tall(words: Words) -> str:
    parts = [
        _label(66, 22, 130, words["noise"]),
        _picture("noise", 40, 32, 52),
        _label(66, 102, 140, words["noise_plain"], "gf-d-small", "noise-about"),
        _arrow("M98 58 H132"),
        _network(138, 16, 186, words["generator"], "g", words),
        _arrow("M256 108 V138"),
        _label(92, 158, 156, words["real"], "gf-d-real"),
        _pictures("real", 18, 168, 46, 5),
        _label(256, 158, 156, words["fake"], "gf-d-fake"),
        _pictures("fake", 182, 168, 46, 5),
        _arrow("M92 220 C 92 246, 140 230, 140 252"),
        _arrow("M256 220 C 256 246, 208 230, 208 252"),
        _network(81, 260, 186, words["discriminator"], "d", words),
        _arrow("M174 352 V376"),
        _verdict(81, 386, 186, words),
        _learning("M276 430 H346 V60 H332", "fake"),
        _learning("M72 430 H24 V304 H73", "real"),
        _label(180, 514, 350, words["g_learns_short"], "gf-d-fake gf-d-small"),
        _label(180, 534, 350, words["d_learns_short"], "gf-d-real gf-d-small"),
    ]
    return _svg("tall", -14, 374, 544, words, parts)


def _svg(shape: str, left: int, width: int, height: int, words: Words, parts: list[str]) -> str:
    """A drawing with its own arrow tips: those of a drawing that is not shown would not be drawn."""
    tips = "".join(
        f'<marker id="gf-tip-{shape}{kind}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
        f'orient="auto" markerUnits="userSpaceOnUse"><path d="M0 0 L8 4 L0 8 z" class="gf-d-tip{kind}"/></marker>'
        for kind in ("", "-fake", "-real")
    )
    return (
        f'<svg class="gf-drawing gf-drawing-{shape}" viewBox="{left} 0 {width} {height}" role="img" '
        f'aria-label="{words["drawing"]}"><defs>{tips}</defs>{"".join(parts).replace("SHAPE", shape)}</svg>'
    )


def _label(x: int, y: int, room: int, words: str, classes: str = "", fill: str = "") -> str:
    """Words in the middle of their room, in which the script makes them fit."""
    slot = f' data-gf="{fill}"' if fill else ""
    place = f'x="{x}" y="{y}" text-anchor="middle" data-room="{room}"'
    return f'<text {place} class="gf-d-label {classes}"{slot}>{words}</text>'


def _arrow(path: str) -> str:
    return f'<path d="{path}" class="gf-d-arrow" marker-end="url(#gf-tip-SHAPE)"/>'


def _learning(path: str, kind: str) -> str:
    return f'<path d="{path}" class="gf-d-arrow gf-d-learn gf-d-{kind}" marker-end="url(#gf-tip-SHAPE-{kind})"/>'


def _picture(slot: str, x: int, y: int, size: int) -> str:
    return (
        f'<rect x="{x}" y="{y}" width="{size}" height="{size}" class="gf-d-empty"/>'
        f'<image x="{x}" y="{y}" width="{size}" height="{size}" data-gf="{slot}" preserveAspectRatio="none"/>'
    )


def _pictures(kind: str, x: int, y: int, size: int, gap: int) -> str:
    return "".join(_picture(f"{kind}-{i}", x + i * (size + gap), y, size) for i in range(TILES))


def _network(x: int, y: int, width: int, name: str, player: str, words: Words) -> str:
    left, right = x + 16, x + width - 16
    return (
        f'<rect x="{x}" y="{y}" width="{width}" height="90" rx="12" class="gf-d-box gf-d-{player}"/>'
        f'<text x="{left}" y="{y + 30}" class="gf-d-name" data-room="{width - 32}">{name}</text>'
        + _number(left, right, y + 54, words["loss"], f"{player}-loss")
        + _number(left, right, y + 74, words["rate"], f"{player}-rate")
    )


def _data(x: int, y: int, width: int, words: Words) -> str:
    return (
        f'<rect x="{x}" y="{y}" width="{width}" height="90" rx="12" class="gf-d-box"/>'
        f'<text x="{x + 16}" y="{y + 30}" class="gf-d-name" data-room="{width - 32}">{words["data"]}</text>'
        f'<text x="{x + 16}" y="{y + 56}" class="gf-d-small" data-room="{width - 32}" data-gf="dataset">–</text>'
    )


def _verdict(x: int, y: int, width: int, words: Words) -> str:
    rows = (("real", words["on_real"]), ("fake", words["on_fake"]))
    bars = "".join(_bar(x, y + 40 + 32 * i, width, kind, name) for i, (kind, name) in enumerate(rows))
    return f'<text x="{x}" y="{y + 16}" class="gf-d-name" data-room="{width}">{words["verdict"]}</text>{bars}'


def _bar(x: int, y: int, width: int, kind: str, name: str) -> str:
    return (
        _number(x, x + width, y, name, f"verdict-{kind}")
        + f'<rect x="{x}" y="{y + 8}" width="{width}" height="6" rx="3" class="gf-d-track"/>'
        + f'<rect x="{x}" y="{y + 8}" width="{width}" height="6" rx="3" class="gf-d-fill-{kind}" '
        + f'data-gf="bar-{kind}" style="transform-origin:{x}px 0;transform:scaleX(0)"/>'
    )


def _number(left: int, right: int, y: int, name: str, slot: str) -> str:
    return (
        f'<text x="{left}" y="{y}" class="gf-d-small" data-room="{right - left - _NUMBER}">{name}</text>'
        f'<text x="{right}" y="{y}" text-anchor="end" class="gf-d-number" data-gf="{slot}">–</text>'
    )
