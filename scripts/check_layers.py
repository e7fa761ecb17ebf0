#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Folders are layers: a folder of src/ includes only folders above it in docs/map.md's table.

Folders of one row (evtchn, grant, emul; pv, hvm) do not include each other. With a
build folder the objects are checked too: no file may refer to a symbol that a lower
folder defines, unless it is one of the closed list in x86/upcalls.h. Objects built
by that folder's make are looked at, so an `extern` typed by hand is found as well.

usage: check_layers.py [--root DIR] [--build DIR]
"""
import argparse
import glob
import os
import re
import subprocess
import sys

ROWS = [["abi"], ["lib"], ["x86"], ["mem"], ["core"], ["platform"], ["sched"], ["domain"],
        ["evtchn", "grant", "emul"], ["pv", "hvm"], ["hypercall"], ["builder"], ["boot"]]
ROW = {folder: row for row, folders in enumerate(ROWS) for folder in folders}


def may_use(user, used):
    return user == used or ROW[used] < ROW[user]


def sources(root):
    for path in sorted(glob.glob(os.path.join(root, "src", "**", "*"), recursive=True)):
        if path.endswith((".c", ".h", ".S")):
            yield path, os.path.relpath(path, os.path.join(root, "src"))


def include_complaints(root):
    for path, name in sources(root):
        folder = name.split(os.sep)[0]
        if folder not in ROW:
            yield f"{name}: the folder {folder} is not in the table of layers"
            continue
        for number, line in enumerate(open(path, errors="replace"), 1):
            found = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if not found or found[1] == "offsets.h":    # generated for assembly, by x86
                continue
            used = found[1].split("/")[0]
            if "/" not in found[1] or used not in ROW:
                yield f"{name}:{number}: include \"{found[1]}\" names no folder of src/"
            elif found[1].endswith(".c"):
                yield f"{name}:{number}: a C file is included"
            elif not may_use(folder, used):
                yield f"{name}:{number}: {folder}/ includes {found[1]}, but {used}/ is not above it"


def symbols(obj):
    """The symbols an object defines for others, and those it wants."""
    defined, wanted = set(), set()
    for line in subprocess.run(["nm", "-g", obj], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines():
        kind, name = line.split()[-2:]
        (wanted if kind in "Uwv" else defined).add(name)
    return defined, wanted


def symbol_complaints(build, root):
    upcalls = open(os.path.join(root, "src/x86/upcalls.h")).read()
    allowed = set(re.findall(r"\b(upcall_\w+)\(", upcalls))
    home, wants = {}, []
    for path, name in sources(root):
        obj = os.path.join(build, "src", name + ".o")
        if name.endswith(".h") or not os.path.exists(obj):
            continue
        defined, wanted = symbols(obj)
        folder = name.split(os.sep)[0]
        home.update((s, folder) for s in defined)
        wants += [(name, folder, s) for s in sorted(wanted)]
    for name, folder, symbol in wants:
        used = home.get(symbol)
        # The compiler calls __x86_... thunks from everywhere.
        if used and not may_use(folder, used) and symbol not in allowed and not symbol.startswith("__x86_"):
            yield f"{name}: uses {symbol}, which {used}/ defines, but {used}/ is not above {folder}/"


def complaints(root=".", build=None):
    found = list(include_complaints(root))
    if build:
        found += symbol_complaints(build, root)
    return found


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--root", default=".")
    p.add_argument("--build")
    lines = complaints(**vars(p.parse_args()))
    print("\n".join(lines) if lines else "layers: clean")
    sys.exit(1 if lines else 0)
