#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the hypervisor's instructions of one row went, by function, for each operation, and who entered it.

usage: profile.py BUILD MACHINE ROW [blocks] [KERNEL]    after `bench/run.py --build BUILD --profile`
ROW is the beginning of a row's name; `blocks` shows basic blocks too; KERNEL is a copy of the guest's /proc/kallsyms (nokaslr).
"""
import bisect
import subprocess
import sys

from run import read_back


def symbols(image):
    """Sorted [(address, name)] of code."""
    lines = subprocess.run(["nm", "-n", image], capture_output=True, text=True, check=True).stdout.splitlines()
    return [(int(a, 16), n) for a, t, n in (w.split() for w in lines if len(w.split()) == 3)
            if t in "tT" and not n.startswith(".L")]


def kernel_symbols(path):
    with open(path, encoding="ascii") as f:
        return [(int(a, 16), n) for a, t, n in (w.split()[:3] for w in f) if t in "tT"]


def name_of(where, address):
    i = bisect.bisect_right(where, (address, "~")) - 1
    return f"{where[i][1]}+{address - where[i][0]:#x}" if i >= 0 else f"{address:#x}"


def main():
    build, machine, wanted = sys.argv[1:4]
    blocks_too = "blocks" in sys.argv[4:]
    kernel = [kernel_symbols(a) for a in sys.argv[4:] if a != "blocks"]
    entries = []
    _, events = read_back(machine, f"{build}/bench")
    names = list(events)
    row = next(i for i, n in enumerate(names) if n.startswith(wanted))
    where = symbols(f"{build}/hospes")
    starts = [a for a, _ in where]
    functions, blocks, total = {}, {}, 0
    with open(f"{build}/bench/{machine}.profile", encoding="ascii") as f:
        for line in f:
            number, *rest = line.split()
            if int(number) != row:
                continue
            if rest[0] == "from":
                entries.append((int(rest[3]), int(rest[1], 16), int(rest[2], 16)))
                continue
            address, count = rest
            address, count = int(address, 16), int(count)
            i = bisect.bisect_right(starts, address) - 1
            name = where[i][1] if i >= 0 else "?"
            functions[name] = functions.get(name, 0) + count
            blocks.setdefault(name, []).append((address - starts[i], count))
            total += count
    times = total / events[names[row]]["hypervisor"]
    print(f"{names[row]}: {total / times:,.0f} instructions in the hypervisor for each")
    for name, count in sorted(functions.items(), key=lambda x: -x[1]):
        if count / times < 0.5:
            break
        print(f"{count / times:12,.1f} {100 * count / total:5.1f}%  {name}")
        if blocks_too:
            for offset, part in sorted(blocks[name]):
                if part / times >= 0.5:
                    print(f"{'':24}+{offset:#x} {part / times:,.1f}")
    print("entered from:")
    for count, start, to in sorted(entries, reverse=True):
        if count / times >= 0.05:
            print(f"{count / times:12,.2f}  {name_of(kernel[0], start) if kernel else hex(start)} to {name_of(where, to)}")


if __name__ == "__main__":
    main()
