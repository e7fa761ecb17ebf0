#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The lock order, as far as the text shows it.

x86/spinlock.h lists the levels. Debug builds check at run time that locks are taken
in that order; this script finds what no run has reached: a function that takes a
lock, and while it holds it takes one of the same or an earlier level, directly or
by calling a function (one call deep) that takes one.

A lock is known by the name of its field or variable, from `spin_init(&x->lock, LEVEL)`
or `lock = SPINLOCK_INIT(LEVEL)` in the same folder or one above it. It also complains about a lock
that is never given a level, and about a level that no lock has.

usage: check_locks.py [--root DIR]
"""
import argparse
import os
import re
import sys

from check_layers import may_use, sources

CALL = re.compile(r"\b(spin_lock|spin_unlock|spin_lock_two|spin_unlock_two|[a-z_][a-z0-9_]*)\s*\(([^();]*(?:\([^()]*\))?[^();]*)")
FUNCTION = re.compile(r"^[a-zA-Z_][^;{}=#]*?\b([a-z_][a-z0-9_]*)\([^;{}]*\)[^;{}()]*\n\{\n(.*?)\n\}", re.M | re.S)


def plain(text):
    """The text without comments, strings and character constants."""
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m[0].count("\n"), text, flags=re.S)
    return re.sub(r'"(\\.|[^"\\])*"', '""', text)


def lock_name(expression):
    """&d->grants->lock is known as `lock`."""
    return re.findall(r"\w+", re.sub(r"\[[^\]]*\]", "", expression))[-1]


def lock_order(root):
    header = plain(open(os.path.join(root, "src/x86/spinlock.h")).read())
    body = re.search(r"enum lock_level \{(.*?)\}", header, re.S)[1]
    return [n for n in re.findall(r"\bLOCK_\w+", body) if n != "LOCK_LEVELS"]


def read(root):
    """All folders' locks and all functions."""
    levels, functions = {}, []
    for path, name in sources(root):
        if name.endswith(".S") or name.startswith("x86/spinlock"):
            continue
        folder, text = name.split(os.sep)[0], plain(open(path, errors="replace").read())
        for expression, level in re.findall(r"spin_init\(([^,]+),\s*(LOCK_\w+)\)", text):
            levels.setdefault((folder, lock_name(expression)), set()).add(level)
        for variable, level in re.findall(r"(\w+)(?:\[[^\]]*\])?\s*=\s*SPINLOCK_INIT\((LOCK_\w+)\)", text):
            levels.setdefault((folder, variable), set()).add(level)
        functions += [(name, folder, f[1], f[2]) for f in FUNCTION.finditer(text)]
    return levels, functions


def complaints(root="."):
    order, found = lock_order(root), []
    levels, functions = read(root)
    rank = {level: n for n, level in enumerate(order)}

    def levels_of(folder, expression):
        """The levels of the folder's locks of that name; where it has none, of the locks of folders above it."""
        name = lock_name(expression)
        return levels.get((folder, name)) or set().union(
            *(known for (other, n), known in levels.items() if n == name and may_use(folder, other)))

    def level_of(folder, expression):
        """The lock's level where it is clear, else None."""
        known = levels_of(folder, expression)
        return next(iter(known)) if len(known) == 1 else None

    takes = {}      # function -> levels it takes itself
    for _, folder, function, body in functions:
        for call, arguments in CALL.findall(body):
            if call == "spin_lock" and level_of(folder, arguments) in rank:
                takes.setdefault(function, set()).add(level_of(folder, arguments))

    for name, folder, function, body in functions:
        held = []
        for call, arguments in CALL.findall(body):
            if call in ("spin_lock", "spin_lock_two"):
                if not levels_of(folder, arguments.split(",")[0]) and lock_name(arguments) != "l":
                    found.append(f"{name}: {function}() takes {arguments.strip()}, which has no level in {folder}/")
                wanted = {level_of(folder, arguments.split(",")[0])}
            elif call in ("spin_unlock", "spin_unlock_two"):
                level = level_of(folder, arguments.split(",")[0])
                if level in held and "return" not in body:
                    held.remove(level)
                elif level in held:
                    held = [h for h in held if h != level]
                continue
            else:
                wanted = takes.get(call, set()) if held and call != function else set()
            for level in wanted - {None}:
                for other in held:
                    if rank.get(level, 0) <= rank[other]:
                        found.append(f"{name}: {function}() takes {level} by {call}() while it holds {other}")
            if call in ("spin_lock", "spin_lock_two"):
                held += [level for level in wanted if level in rank]

    used = set().union(*levels.values()) if levels else set()
    found += [f"{level} is no level of x86/spinlock.h" for level in sorted(used - set(order))]
    return found


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--root", default=".")
    lines = complaints(p.parse_args().root)
    print("\n".join(lines) if lines else "locks: clean")
    sys.exit(1 if lines else 0)
