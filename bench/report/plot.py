"""docs/speed.svg: answers for their CPU time, as bars. Plain SVG that reads on light and on dark pages."""

from collections.abc import Sequence
from html import escape

from bench.report.results import ROOT

PLOT = ROOT / "docs" / "speed.svg"
WIDTH, LEFT, RIGHT = 860, 330, 70
BAR, GAP, TOP, BOTTOM = 16, 6, 46, 26
OURS, OTHERS = "#c2410c", "#64748b"
STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#1e293b}.title{font-size:14px;font-weight:600}.line{stroke:#94a3b8}"
    "@media(prefers-color-scheme:dark){text{fill:#e2e8f0}}"
)


def plot(bars: Sequence[tuple[str, float, bool]], made: str) -> str:
    """`bars`: a name, answers for a second of CPU of those of raw ASGI, whether it is ours; the most comes first."""
    drawn = sorted(bars, key=lambda bar: -bar[1])
    scale = (WIDTH - LEFT - RIGHT) / max(value for _, value, _ in drawn)
    height = TOP + len(drawn) * (BAR + GAP) + BOTTOM
    one = LEFT + scale
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        "<title>Answers for a second of CPU, of those of a raw ASGI application</title>",
        f"<style>{STYLE}</style>",
        '<text x="8" y="20" class="title">Answers for a second of CPU: 1 is a raw ASGI application</text>',
        f'<line class="line" x1="{one:.1f}" x2="{one:.1f}" y1="{TOP - 8}" y2="{height - BOTTOM}"/>',
    ]
    for number, (name, value, is_ours) in enumerate(drawn):
        top = TOP + number * (BAR + GAP)
        lines += [
            f'<text x="{LEFT - 8}" y="{top + 12}" text-anchor="end">{escape(name)}</text>',
            f'<rect x="{LEFT}" y="{top}" width="{max(1.0, value * scale):.1f}" height="{BAR}" rx="2"'
            f' fill="{OURS if is_ours else OTHERS}"/>',
            f'<text x="{LEFT + value * scale + 6:.1f}" y="{top + 12}">{value:.2f}</text>',
        ]
    lines += [f'<text x="8" y="{height - 8}">{escape(made)}. Ours in orange.</text>', "</svg>", ""]
    return "\n".join(lines)
