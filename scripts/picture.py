#!/usr/bin/env python3
"""Draws what a terminal shows (text with SGR colours, such as `tmux capture-pane -e -p` prints) as an SVG.

    tmux capture-pane -e -p | scripts/picture.py TITLE > picture.svg

A window of its own dark colour, so that it reads the same on a light page and on a dark one. No font is fetched.
"""
import html
import re
import sys
import unicodedata

FONT, CELL, LINE, PAD, BAR = 14, 8.43, 19, 16, 34
GROUND, TEXT, DIM = "#1f2430", "#d9dce3", "#8a92a3"
# The eight colours of a terminal, and their bright ones.
COLOURS = ["#414868", "#f7768e", "#9ece6a", "#e0af68", "#7aa2f7", "#bb9af7", "#7dcfff", "#c0caf5"]


def cells(line, style):
    """The line's runs of one style: (column, text, style). The style goes on in the next line."""
    runs, column = [], 0
    for part in re.split(r"(\x1b\[[0-9;]*m)", line):
        if part.startswith("\x1b["):
            style = changed(style, part[2:-1])
        elif part:
            runs.append((column, part, style))
            column += sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in part)
    return runs, column, style


def changed(style, codes):
    bold, dim, colour = style
    for code in (int(c or 0) for c in codes.split(";")):
        if code == 0:
            bold, dim, colour = False, False, None
        elif code == 1:
            bold = True
        elif code == 2:
            dim = True
        elif code == 22:
            bold, dim = False, False
        elif 30 <= code <= 37:
            colour = COLOURS[code - 30]
        elif 90 <= code <= 97:
            colour = COLOURS[code - 90]
        elif code == 39:
            colour = None
    return bold, dim, colour


def main():
    title = sys.argv[1]
    lines = sys.stdin.read().rstrip().split("\n")
    style, rows, widest = (False, False, None), [], 0
    for line in lines:
        runs, width, style = cells(line.rstrip("\r"), style)
        rows.append(runs)
        widest = max(widest, width)
    width = round(2 * PAD + max(widest, 80) * CELL)
    height = BAR + 2 * PAD + len(rows) * LINE
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">',
        f"<title>{html.escape(title)}</title>",
        f'<rect width="{width}" height="{height}" rx="8" fill="{GROUND}" stroke="#5b6275"/>',
        "".join(f'<circle cx="{20 + 18 * i}" cy="18" r="5.5" fill="{c}"/>' for i, c in enumerate(["#f7768e", "#e0af68", "#9ece6a"])),
        f'<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,DejaVu Sans Mono,monospace" font-size="{FONT}" fill="{TEXT}" xml:space="preserve">',
    ]
    for number, runs in enumerate(rows):
        y = BAR + PAD + number * LINE + FONT
        for column, text, (bold, dim, colour) in runs:
            if not text.strip():
                continue
            # Each run stands where its column is, whatever the width of the reader's font.
            start = len(text) - len(text.lstrip(" "))
            text = text.strip(" ")
            x = PAD + (column + start) * CELL
            attributes = f'x="{x:.1f}" y="{y}" textLength="{len(text) * CELL:.1f}" lengthAdjust="spacingAndGlyphs"'
            fill = colour or (DIM if dim else None)
            attributes += f' fill="{fill}"' if fill else ""
            attributes += ' font-weight="bold"' if bold else ""
            out.append(f"<text {attributes}>{html.escape(text)}</text>")
    print("\n".join(out + ["</g>", "</svg>"]))


main()
