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


LINES = ["#2a6f97", "#c26e3c", "#6a994e", "#8d5a97", "#b5179e", "#555555"]


def write_lines(path, charts):
    """{title: {x: {name: y}}}: a panel each, both axes from 0 up: x by rank, y in proportion to its first value."""
    width, height, left, body = 300, 220, 50, ""
    names = list(next(iter(next(iter(charts.values())).values())))
    for panel, (title, points) in enumerate(charts.items()):
        x0, y0 = left + panel * (width + 60), 40 + height
        first = points[min(points)]
        step = width / max(1, len(points) - 1)
        top = max(2.0, max(p.get(n, 0) / first[n] for p in points.values() for n in names if first.get(n)))
        body += text(x0, 24, f"{title}: cost as a multiple of the first", size=13)
        for tick in range(int(top) + 1):
            y = y0 - tick / top * height
            body += f'<line x1="{x0}" y1="{y:.0f}" x2="{x0 + width}" y2="{y:.0f}" stroke="#ddd"/>\n'
            body += text(x0 - 6, y + 4, str(tick), "end", 10)
        for i, x in enumerate(points):
            body += text(x0 + i * step, y0 + 16, str(x), "middle", 10)
        for i, n in enumerate(names):
            if not first.get(n):
                continue
            line = " ".join(f"{x0 + k * step:.0f},{y0 - p.get(n, 0) / first[n] / top * height:.0f}"
                            for k, p in enumerate(points.values()))
            body += f'<polyline points="{line}" fill="none" stroke="{LINES[i % len(LINES)]}" stroke-width="2"/>\n'
    for i, n in enumerate(names):
        y = height + 84 + i * 16
        body += f'<rect x="{left}" y="{y - 9}" width="14" height="4" fill="{LINES[i % len(LINES)]}"/>\n'
        body += text(left + 20, y - 3, n)
    with open(path, "w", encoding="utf-8") as f:
        f.write(page(left + len(charts) * (width + 60), height + 84 + len(names) * 16 + 10, body))
