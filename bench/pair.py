#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Two servers on Hospes and an event channel between them: what a round trip costs, and a server in memory.

The tiny guest tests/guest/pingpong, started from the boot loader as two servers of 96 MB, on one CPU and on two.
What the CPUs did for each round trip is the difference of the hypervisor's counters (the operator's command
`counters`) between a run of few and one of many.
"""
import re
import subprocess
import time

FEW, MANY = 1000, 5000
TIMEOUT = 300
# Xen 4.17's, in the same QEMU: the same two guests as domains of Debian's xl, pinned in the same way; of two
# measurements with SCHEDOP_block the lower (10,887 and 11,729; 13,861 and 13,617).
XEN = {1: 10887, 2: 13617}
SHOWN = {"CR3 loads (less system calls)": "CR3 loads", "TLB flushes": "TLB flushes", "page flushes": "INVLPG",
         "IPIs to wake": "IPIs to wake", "IPIs for cross-calls": "IPIs for cross-calls",
         "timer settings": "timer settings"}


def run(args, cpus, rounds):
    """({kind: instructions for a round trip}, {counter: since boot}, KB that the first server takes)"""
    guest, log_path = f"{args.build}/guest/pingpong", f"{args.build}/bench/pair.{cpus}.{rounds}.log"
    modules = ",".join(f"{guest} domain=p{i} memory=96M cpus={(i - 1) % cpus} -- peer={3 - i} rounds={rounds}"
                       for i in (1, 2))
    with open(log_path, "wb") as log:
        qemu = subprocess.Popen(
            ["qemu-system-x86_64", "-accel", "tcg", "-icount", "shift=0,sleep=off", "-rtc",
             "base=2026-01-01T00:00:00,clock=vm", "-cpu", "max,-smap", "-m", "512", "-smp", str(cpus), "-display", "none",
             "-serial", "stdio", "-monitor", "none", "-nic", "none", "-no-reboot", "-kernel", args.hospes,
             "-append", "console=com1", "-initrd", modules], stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT)
        try:
            wait(qemu, log_path, "input: hospes")
            qemu.stdin.write(b"counters\r")
            qemu.stdin.flush()
            text = wait(qemu, log_path, "interrupts  ")
        finally:
            qemu.kill()
            qemu.wait()
    costs = {kind: int(n) for kind, n in re.findall(r"PINGPONG (\w+): (\d+) ns", text)}
    counters = {name: int(n) for name, n in re.findall(r"^(\w[\w ,()-]*?) +(\d+)\r?$", text, re.M)}
    return costs, counters, int(re.search(r"p1: takes (\d+) KB", text).group(1))


def wait(qemu, log_path, what):
    end = time.time() + TIMEOUT
    while time.time() < end and qemu.poll() is None:
        with open(log_path, encoding="latin-1") as f:
            text = f.read()
        if what in text and text.endswith(("\n", "> ")):
            return text
        time.sleep(0.2)
    raise SystemExit(f"bench: two servers: no `{what}` in {log_path}")


def measure(args):
    """The section of RESULTS.md."""
    lines = ["\n## Two servers, an event channel between them\n\n"
             "A round trip: two events, two servers that wait and, on one CPU, two switches (`bench/pair.py`); Hospes's\n"
             "counters for each round trip with SCHEDOP_block.\n\n"
             "| | Xen 4.17 | Hospes | share | Hospes, SCHEDOP_poll | " + " | ".join(SHOWN.values()) + " |\n"
             "|---|--:|--:|--:|--:|" + "--:|" * len(SHOWN) + "\n"]
    for cpus, where in ((1, "one CPU"), (2, "two CPUs")):
        _, before, _ = run(args, cpus, FEW)
        costs, after, memory = run(args, cpus, MANY)
        each = [(after[name] - before[name]) / (MANY - FEW) for name in SHOWN]
        lines.append(f"| {where} | {XEN[cpus]:,} | {costs['block']:,} | {costs['block'] / XEN[cpus]:.2f} | {costs['poll']:,} | "
                     + " | ".join(f"{max(n, 0):.1f}" for n in each) + " |\n")
    lines.append(f"\nA server of 96 MB and one vCPU takes {memory} KB of the hypervisor's memory beside the frame table"
                 " (wanted: under 128).\n")
    print("bench: two servers: done")
    return "".join(lines)
