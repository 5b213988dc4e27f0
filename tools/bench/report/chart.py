# SPDX-License-Identifier: BSD-3-Clause
"""Charts as SVG: lines over categories, and bars. Readable on light and on dark ground, without scripts or fonts of its own."""
import math
from xml.sax.saxutils import escape

WIDTH = 860
COLOURS = ("#3b82c4", "#d9672b", "#17997a", "#b565a7", "#c79a1b", "#7a7f87", "#5aa9e6", "#c8465a")
DASHES = ("", "6 3", "2 3", "8 3 2 3")
STYLE = """
 .ground{fill:#ffffff} text{fill:#24292f;font:13px system-ui,sans-serif} .title{font-size:16px;font-weight:600}
 .small{font-size:12px} .grid{stroke:#d5d9de} .axis{stroke:#57606a} .mark{stroke:#24292f}
 @media (prefers-color-scheme:dark){.ground{fill:#0d1117} text{fill:#e6edf3} .grid{stroke:#30363d} .axis{stroke:#9aa4af}
 .mark{stroke:#e6edf3}}
"""


def number(value):
    """Short: 12,300 or 0.45."""
    if value == 0:
        return "0"
    if abs(value) >= 10:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 1 else f"{value:.2g}"


def nice_step(most, about=6):
    """1, 2 or 5 times a power of ten, so that `most` takes about `about` steps."""
    raw = max(most, 1e-9) / about
    power = 10 ** math.floor(math.log10(raw))
    return next(power * m for m in (1, 2, 5, 10) if power * m >= raw)


class Scale:
    """Values to places between two pixels, from 0 or by powers of ten."""

    def __init__(self, values, low_px, high_px, log=False):
        self.log = log
        self.low_px, self.high_px = low_px, high_px
        most = max(values, default=1) or 1
        if log:
            least = min((v for v in values if v > 0), default=1)
            self.low, self.high = math.floor(math.log10(least)), math.ceil(math.log10(most) + 1e-9)
            self.high = max(self.high, self.low + 1)
            self.ticks = [10.0 ** p for p in range(self.low, self.high + 1)]
        else:
            step = nice_step(most * 1.02)
            self.low, self.high = 0, step * math.ceil(most * 1.02 / step)
            self.ticks = [i * step for i in range(int(round(self.high / step)) + 1)]

    def at(self, value):
        if self.log:
            value = math.log10(max(value, 10.0 ** self.low))
        return self.low_px + (value - self.low) / (self.high - self.low) * (self.high_px - self.low_px)


class Svg:
    """A drawing that grows by its parts; text() of it is the file."""

    def __init__(self, height, title, description):
        self.height = height
        self.parts = [f'<title>{escape(title)}</title><desc>{escape(description)}</desc>',
                      f'<rect class="ground" width="{WIDTH}" height="{height}" rx="6"/>']
        self.words(16, 28, title, "title")

    def words(self, x, y, text, kind="", anchor="start", turn=None):
        more = f' transform="rotate({turn} {x:.1f} {y:.1f})"' if turn is not None else ""
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}"{more}>{escape(text)}</text>')

    def line(self, x1, y1, x2, y2, kind, width=1.0):
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}" stroke-width="{width}"/>')

    def path(self, points, colour, dash):
        d = "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        self.parts.append(f'<path d="{d}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>')

    def dot(self, x, y, colour, tip):
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"><title>{escape(tip)}</title></circle>')

    def bar(self, x, y, width, height, colour, tip):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.5):.1f}" height="{height:.1f}" fill="{colour}">'
                          f'<title>{escape(tip)}</title></rect>')

    def whisker(self, x1, x2, y):
        """p10 to p90, across."""
        self.line(x1, y, x2, y, "mark")
        for x in (x1, x2):
            self.line(x, y - 3, x, y + 3, "mark")

    def upright_whisker(self, x, y1, y2, colour):
        self.parts.append(f'<line x1="{x:.1f}" y1="{y1:.1f}" x2="{x:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="1"/>')

    def text(self):
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self.height}" width="{WIDTH}" '
                f'height="{self.height}" role="img"><style>{STYLE}</style>' + "\n".join(self.parts) + "</svg>\n")


def line_chart(title, x_title, y_title, categories, series, log=False):
    """series: [(name, [{p10, median, p90} or None per category], number of its colour, of its dashes)]. Returns SVG.
    Categories stand evenly."""
    legend_rows = (len(series) + 1) // 2
    top, bottom, left, right = 48, 380, 80, WIDTH - 24
    s = Svg(bottom + 62 + 20 * legend_rows, title, f"{y_title} over {x_title}: " + ", ".join(n for n, _, _, _ in series))
    every = [v for _, points, _, _ in series for p in points if p for v in (p.get("p10", p["median"]), p["median"], p.get("p90", p["median"]))]
    y = Scale(every, bottom, top, log)
    x = [left + (i + 0.5) * (right - left) / len(categories) for i in range(len(categories))]
    for tick in y.ticks:
        s.line(left, y.at(tick), right, y.at(tick), "grid")
        s.words(left - 8, y.at(tick) + 4, number(tick), "small", "end")
    for at, name in zip(x, categories):
        s.line(at, bottom, at, bottom + 5, "axis")
        s.words(at, bottom + 20, name, "small", "middle")
    s.line(left, bottom, right, bottom, "axis")
    s.line(left, top, left, bottom, "axis")
    s.words((left + right) / 2, bottom + 40, x_title, "", "middle")
    s.words(20, (top + bottom) / 2, y_title, "", "middle", -90)
    for i, (name, points, colour, dash) in enumerate(series):
        colour, dash = COLOURS[colour % len(COLOURS)], DASHES[dash % len(DASHES)]
        present = [(x[n], p, categories[n]) for n, p in enumerate(points) if p]
        if present:
            s.path([(at, y.at(p["median"])) for at, p, _ in present], colour, dash)
        for at, p, category in present:
            if "p10" in p:
                s.upright_whisker(at, y.at(p["p10"]), y.at(p["p90"]), colour)
            s.dot(at, y.at(p["median"]), colour, f"{name}, {category}: {number(p['median'])}")
        lx, ly = left + (i % 2) * 380, bottom + 62 + 20 * (i // 2)
        s.path([(lx, ly), (lx + 28, ly)], colour, dash)
        s.dot(lx + 14, ly, colour, name)
        s.words(lx + 36, ly + 4, name)
    return s.text()


def bar_chart(title, x_title, groups, note=""):
    """groups: [(name, [(bar's name, {p10, median, p90}, number of its colour)])]. Returns SVG; whiskers are p10 to p90."""
    left, right, row = 190, WIDTH - 90, 22
    height = 60 + sum(row * len(bars) + (30 if name else 8) for name, bars in groups) + 56 + (18 if note else 0)
    s = Svg(height, title, x_title + ": " + ", ".join(b for _, bars in groups for b, _, _ in bars))
    x = Scale([p.get("p90", p["median"]) for _, bars in groups for _, p, _ in bars], left, right)
    bottom = height - 50 - (18 if note else 0)
    for tick in x.ticks:
        s.line(x.at(tick), 48, x.at(tick), bottom, "grid")
        s.words(x.at(tick), bottom + 18, number(tick), "small", "middle")
    s.words((left + right) / 2, bottom + 38, x_title, "", "middle")
    at = 54
    for name, bars in groups:
        if name:
            s.words(16, at + 16, name)
            at += 24
        s.line(left, at, left, at + row * len(bars), "axis")
        for bar, p, colour in bars:
            s.words(left - 8, at + 15, bar, "small", "end")
            s.bar(left, at + 3, x.at(p["median"]) - left, row - 6, COLOURS[colour % len(COLOURS)], f"{bar}: {number(p['median'])}")
            end = p["median"]
            if p.get("p90", end) != p.get("p10", end):
                s.whisker(x.at(p["p10"]), x.at(p["p90"]), at + row / 2)
                end = max(end, p["p90"])
            s.words(x.at(end) + 6, at + 15, number(p["median"]), "small")
            at += row
        at += 6
    s.line(left, bottom, right, bottom, "axis")
    if note:
        s.words(16, height - 10, note, "small")
    return s.text()
