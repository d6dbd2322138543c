"""Curves below one another as an SVG file that can be read on light and on dark ground."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

WIDTH, HEIGHT, LEFT, RIGHT, TOP, GAP = 720, 110, 70, 20, 34, 34  # pixels; HEIGHT: of a panel
_STYLE = """
text { font: 12px system-ui, sans-serif; fill: #1f2328 } .frame { stroke: #8b949e; fill: none }
.c0 { stroke: #c2410c } .c1 { stroke: #1d4ed8 } polyline { fill: none; stroke-width: 1.5 }
text.c0 { fill: #c2410c; stroke: none } text.c1 { fill: #1d4ed8; stroke: none }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .c0 { stroke: #fb923c } .c1 { stroke: #60a5fa }
text.c0 { fill: #fb923c } text.c1 { fill: #60a5fa } }
"""


class Panel(NamedTuple):
    """Curves that share an axis from zero, by their names."""

    title: str
    curves: Mapping[str, Sequence[float]]


def svg_of(title: str, xs: Sequence[float], unit: str, panels: Sequence[Panel]) -> str:
    """xs: ascending, the same for all curves; unit: what they are in."""
    height = len(panels) * (HEIGHT + GAP) + TOP
    drawn = [_panel(panel, xs, i * (HEIGHT + GAP) + TOP - 6) for i, panel in enumerate(panels)]
    end = f'<text x="{WIDTH - RIGHT}" y="{height - 10}" text-anchor="end">{xs[-1]:,.1f} {escape(unit)}</text>'
    start = f'<text x="{LEFT}" y="{height - 10}">{xs[0]:,.0f}</text>'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">'
    return "\n".join([head, f"<title>{escape(title)}</title><style>{_STYLE}</style>", *drawn, start, end, "</svg>\n"])


def _panel(panel: Panel, xs: Sequence[float], top: float) -> str:
    most = max(max(curve) for curve in panel.curves.values()) or 1.0
    width = (xs[-1] - xs[0]) or 1.0
    parts = [
        f'<text x="{LEFT}" y="{top - 6}">{escape(panel.title)}</text>',
        f'<rect class="frame" x="{LEFT}" y="{top}" width="{WIDTH - LEFT - RIGHT}" height="{HEIGHT}"/>',
        f'<text x="{LEFT - 6}" y="{top + 10}" text-anchor="end">{most:,.0f}</text>',
        f'<text x="{LEFT - 6}" y="{top + HEIGHT}" text-anchor="end">0</text>',
    ]
    for i, (name, curve) in enumerate(panel.curves.items()):
        points = (
            f"{LEFT + (x - xs[0]) / width * (WIDTH - LEFT - RIGHT):.1f},{top + HEIGHT * (1 - y / most):.1f}"
            for x, y in zip(xs, curve, strict=True)
        )
        parts.append(f'<polyline class="c{i}" points="{" ".join(points)}"/>')
        place = f'x="{WIDTH - RIGHT - 90 * (len(panel.curves) - 1 - i)}" y="{top - 6}" text-anchor="end"'
        parts.append(f'<text class="c{i}" {place}>{escape(name)}</text>')
    return "\n".join(parts)
