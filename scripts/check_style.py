#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What a machine can say about style: sizes, conditionals, headers' guards, leftovers, the map of files.

usage: check_style.py [--root DIR]
"""
import argparse
import os
import re
import subprocess
import sys

import map as map_
from check_layers import sources

LONG, WRONG = 600, 1000             # lines of a file
LINE = 120                          # columns, hard; .clang-format aims at 110
FUNCTION = 60                       # lines of a function that needs a reason
CONDITIONALS = 1 / 1000             # preprocessor conditionals per line; not counted: include guards,
                                    # and the part of a header that is not for assembly
SPDX = "SPDX-License-Identifier: GPL-2.0-or-later"
TEXT = (".c", ".h", ".S", ".py", ".sh", ".md", ".mk", ".yml")


def tracked(root):
    """The text files of the repository, whether committed already or not."""
    listing = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard"], check=False,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout.split("\n")
    return [n for n in listing if n.endswith(TEXT) or os.path.basename(n) in ("Makefile", "init", "work", "run")]


def guard(name):
    return re.sub(r"[^A-Z0-9]", "_", name.upper())


def source_complaints(root):
    lines_all = conditionals = 0
    for path, name in sources(root):
        lines = open(path, errors="replace").read().split("\n")
        lines_all += len(lines)
        if SPDX not in lines[0]:
            yield f"{name}: the first line is no SPDX licence"
        if len(lines) > WRONG:
            yield f"{name}: {len(lines)} lines; {WRONG} is wrong"
        own = [n for n, line in enumerate(lines) if re.match(r"\s*#\s*(if|ifdef|ifndef)\b(?! __ASSEMBLY__)", line)]
        if name.endswith(".h"):
            if f"#ifndef {guard(name)}" not in lines:
                yield f"{name}: no include guard {guard(name)}"
            own = own[1:]
        conditionals += len(own)
        if name.endswith(".c") and not any(line.startswith("/*") for line in lines[1:4]):
            yield f"{name}: does not open with a comment that explains its idea"
        for number, line in enumerate(lines, 1):
            if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", line):
                yield f"{name}:{number}: a thing left to do"
            if len(line) > LINE:
                yield f"{name}:{number}: {len(line)} columns"
            if "\t" in line or line != line.rstrip():
                yield f"{name}:{number}: a tab, or blanks at the end"
            if re.match(r'\s*#\s*include\s*<(?!xen/|std(arg|bool|def|int)\.h|lzma|zlib|zstd|lz4)', line):
                yield f"{name}:{number}: a header of the C library"
    if conditionals > max(1, lines_all * CONDITIONALS):
        yield f"src: {conditionals} preprocessor conditionals in {lines_all} lines; the budget is 1 per 1000"


def text_complaints(root):
    for name in tracked(root):
        path = os.path.join(root, name)
        if not os.path.exists(path) or name.endswith("check_style.py"):
            continue
        for number, line in enumerate(open(path, errors="replace"), 1):
            if re.search(r"\.\./shared|\bwork/shared|\bshared/(design|field|hyper|hooks)|/tmp/w/", line):
                yield f"{name}:{number}: points outside the repository"


def map_complaints(root):
    """docs/map.md lists each file of src/, and none that is not there."""
    if os.path.exists(os.path.join(root, "docs/map.md")):
        text, wanted = map_.text_and_wanted(root)
        if text != wanted:
            yield "docs/map.md: is out of date; `make map` mends it"


def registered_complaints(root):
    """Every C and assembly file is in its folder's files.mk."""
    for _, name in sources(root):
        folder = os.path.join(root, "src", name.split(os.sep)[0], "files.mk")
        if name.endswith(".h") or name in ("x86/offsets.c", "boot/hospes.lds.S"):
            continue
        if not os.path.exists(folder) or f"src/{name}" not in open(folder).read():
            yield f"{name}: is in no files.mk"


def remarks(root):
    """Worth a look, no fault: long files and functions."""
    for path, name in sources(root):
        lines = open(path, errors="replace").read().split("\n")
        if len(lines) > LONG:
            yield f"{name}: {len(lines)} lines"
        start = None
        for number, line in enumerate(lines):
            if line == "{":
                start = number
            elif line == "}" and start is not None:
                if number - start > FUNCTION and name.endswith(".c"):
                    yield f"{name}:{start}: a function of {number - start} lines"
                start = None


def complaints(root="."):
    return [*source_complaints(root), *text_complaints(root), *map_complaints(root), *registered_complaints(root)]


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--root", default=".")
    args = p.parse_args()
    found = complaints(args.root)
    print("\n".join(found) if found else "style: clean")
    for remark in remarks(args.root):
        print("remark: " + remark)
    sys.exit(1 if found else 0)
