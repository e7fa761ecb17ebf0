# SPDX-License-Identifier: GPL-2.0-or-later
"""Charts as SVG, made of nothing but text."""
from xml.sax.saxutils import escape

COLOURS = {"native": "#9e9e9e", "xen": "#c26e3c", "dom0": "#2a6f97", "server": "#61a5c2"}


def text(x, y, words, anchor="start", size=12):
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" font-size="{size}">{escape(words)}</text>\n'


def page(width, height, body):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'font-family="sans-serif">\n<rect width="100%" height="100%" fill="white"/>\n{body}</svg>\n')


def write_bars(path, rows, machines):
    """A group of bars for each row, as multiples of the native figure."""
    left, scale, bar, gap = 230, 100, 9, 12
    names = [n for n in rows.get("native", {}) if any(n in rows.get(m, {}) for m in machines if m != "native")]
    shown = [m for m in machines if m in rows]
    body, y = text(left, 20, "instructions per operation, native = 1.00", size=14), 34
    for i, m in enumerate(shown):
        body += f'<rect x="{left + i * 130}" y="{y}" width="10" height="10" fill="{COLOURS[m]}"/>\n'
        body += text(left + i * 130 + 15, y + 10, machines[m])
    y += 24
    top = y
    for n in names:
        body += text(left - 8, y + len(shown) * bar / 2 + 4, n, "end")
        for m in shown:
            times = rows[m].get(n, 0) / rows["native"][n]
            body += f'<rect x="{left}" y="{y}" width="{times * scale:.0f}" height="{bar - 1}" fill="{COLOURS[m]}"/>\n'
            if times and m != "native":
                body += text(left + times * scale + 4, y + bar - 1, f"{times:.2f}", size=9)
            y += bar
        y += gap
    body += f'<line x1="{left + scale}" y1="{top}" x2="{left + scale}" y2="{y}" stroke="#bbb"/>\n'
    with open(path, "w", encoding="utf-8") as f:
        f.write(page(left + 5 * scale, y + 10, body))
