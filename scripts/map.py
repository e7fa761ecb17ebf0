#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Keeps the list of files in docs/map.md: each file of src/ with the first sentence of its opening comment.

usage: map.py [--check] [--root DIR]
"""
import argparse
import os
import re
import sys

from check_layers import ROWS, sources

MARK = "<!-- The rest is made by `make map` from the files' opening comments. -->\n"
LENGTH = 140


def sentence(path):
    """The first sentence of the comment that opens the file."""
    text = open(path, errors="replace").read()
    for comment in re.findall(r"/\*(.*?)\*/", text, re.S)[:3]:
        words = " ".join(re.sub(r"^\s*\*", "", comment, flags=re.M).split())
        if words and not words.startswith("SPDX"):
            first = re.split(r"\.(?:\s+(?=[A-Z])|$)", words)[0].rstrip(".:;").replace("|", "\\|")
            return first if len(first) <= LENGTH else first[:LENGTH].rsplit(" ", 1)[0] + " ..."
    return ""


def listing(root):
    for folder in (f for row in ROWS for f in row):
        files = [(p, n) for p, n in sources(root) if n.startswith(folder + os.sep)]
        if files:
            yield f"\n## {folder}\n\n| file | what it is |\n|---|---|\n"
            yield from (f"| `{name}` | {sentence(path)} |\n" for path, name in files)


def text_and_wanted(root):
    with open(os.path.join(root, "docs/map.md")) as f:
        text = f.read()
    new = text.split(MARK)[0] + MARK + "".join(listing(root))
    return text, new


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--check", action="store_true")
    p.add_argument("--root", default=".")
    args = p.parse_args()
    old, wanted = text_and_wanted(args.root)
    if args.check and old != wanted:
        sys.exit("docs/map.md is out of date: run `make map`")
    if not args.check and old != wanted:
        with open(os.path.join(args.root, "docs/map.md"), "w") as out:
            out.write(wanted)
