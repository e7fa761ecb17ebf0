#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Inputs for the fuzz targets, kept as text: tests/fuzz/corpus/TARGET.hex, an input a line, its bytes in hexadecimal;
zN stands for N zeroes.

usage: corpus.py --keep TARGET DIR [--max N]   # the smallest inputs of a directory become the target's file
(with `TARGET -merge=1 NEW OLD` first, which leaves in NEW only what reaches something new)
"""
import argparse
import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))


def text_of(target):
    return os.path.join(HERE, "corpus", target + ".hex")


def unpack(target, into):
    """Writes the target's inputs as files into a directory; how many there were."""
    os.makedirs(into, exist_ok=True)
    n = 0
    if os.path.exists(text_of(target)):
        with open(text_of(target), encoding="ascii") as lines:
            for n, line in enumerate(lines, 1):
                with open(os.path.join(into, f"kept-{n:03}"), "wb") as out:
                    out.write(b"".join(bytes(int(w[1:])) if w[0] == "z" else bytes.fromhex(w) for w in line.split()))
    return n


def line_of(data):
    long = lambda m: f" z{len(m[0]) // 2} "
    return re.sub("(?:00){8,}", lambda m: long(m) if m.start() % 2 == 0 else m[0], data.hex()).strip()


def keep(target, directory, most):
    inputs = set()
    for name in os.listdir(directory):
        with open(os.path.join(directory, name), "rb") as f:
            inputs.add(f.read())
    chosen = sorted(inputs, key=lambda b: (len(b), b))[:most]
    os.makedirs(os.path.dirname(text_of(target)), exist_ok=True)
    with open(text_of(target), "w", encoding="ascii") as out:
        out.writelines(line_of(b) + "\n" for b in chosen)
    print(f"{target}: {len(chosen)} of {len(inputs)} inputs, {sum(map(len, chosen))} bytes")


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--keep", required=True)
    p.add_argument("directory")
    p.add_argument("--max", type=int, default=1000)
    args = p.parse_args()
    keep(args.keep, args.directory, args.max)
