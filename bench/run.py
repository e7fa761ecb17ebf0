#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the benchmark natively, on Debian's Xen and on Hospes, and writes what it found.

bench/RESULTS.md is the table, bench/results.svg the chart. Everything is counted in instructions
(QEMU's -icount: the guest's clock moves 1 ns with each), so figures repeat to four digits on any
machine. Logs and the plugin's counts stay in BUILD/bench.
"""
import argparse
import glob
import os
import re
import shutil
import subprocess
import sys
import time

import chart
import pair

HERE = os.path.dirname(os.path.abspath(__file__))
MACHINES = {
    "native": "native",
    "xen": "Xen 4.17, dom0",
    "dom0": "Hospes, dom0",
    "server": "Hospes, server",
}
# What is wanted of Hospes as dom0, as a share of Xen's figure.
TARGETS = {
    "null system call": 0.55, "sched_yield": 0.65, "read 1 byte of /dev/zero": 0.65, "page fault, anonymous": 0.80,
    "mprotect pair": 0.70, "SIGSEGV + mprotect": 0.75, "pipe round trip, two processes": 0.70, "fork+exit": 0.65,
    "fork+exec": 0.65, "signal delivery": 0.85, "mmap+munmap": 0.95, "event ping-pong, two processes": 0.70,
}
KERNEL_ARGUMENTS = "quiet nokaslr norandmaps panic=-1"
TIMEOUT = 900


def make_ramdisk(args, directory):
    """init, /true and the event device's module of the same kernel."""
    tree = f"{directory}/tree"
    shutil.rmtree(tree, ignore_errors=True)
    os.makedirs(f"{tree}/dev")
    for name in ("init", "true"):
        shutil.copy(f"{directory}/{name}", tree)
    modules = glob.glob(f"{args.images}/linux-image-*/lib/modules/*/kernel/drivers/xen/xen-evtchn.ko")
    if modules:
        shutil.copy(sorted(modules)[-1], tree)
    with open(f"{directory}/ramdisk.gz", "wb") as out:
        find = subprocess.Popen(["find", "."], cwd=tree, stdout=subprocess.PIPE)
        cpio = subprocess.Popen(["cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0"], cwd=tree,
                                stdin=find.stdout, stdout=subprocess.PIPE)
        subprocess.run(["gzip", "-6n"], stdin=cpio.stdout, stdout=out, check=True)


def command(args, machine, directory):
    ramdisk = f"{directory}/ramdisk.gz"
    plugin = f"file={os.path.abspath(directory)}/counts.so,out={directory}/{machine}.counts"
    if args.profile:
        plugin += f",profile={directory}/{machine}.profile"
    qemu = ["qemu-system-x86_64", "-accel", "tcg", "-icount", "shift=0,sleep=off",
            "-rtc", "base=2026-01-01T00:00:00,clock=vm", "-cpu", "max,-smap", "-display", "none",
            "-serial", "stdio", "-monitor", "none", "-nic", "none", "-no-reboot", "-plugin", plugin]
    if machine == "native":
        return qemu + ["-m", "512", "-kernel", args.kernel, "-initrd", ramdisk,
                       "-append", f"console=ttyS0 {KERNEL_ARGUMENTS}"]
    options = "console=com1 com1=115200,8n1 dom0_mem=512M dom0_max_vcpus=1"
    if machine == "xen":
        options += " spec-ctrl=eager-fpu" # by default QEMU's Xen mixes up FPU state
    who = "domain=bench memory=512M -- " if machine == "server" else ""
    return qemu + ["-m", "1024", "-kernel", args.xen if machine == "xen" else args.hospes, "-append", options,
                   "-initrd", f"{args.kernel} {who}console=hvc0 {KERNEL_ARGUMENTS},{ramdisk}"]


def run(args, machine, directory):
    """One machine, until the benchmark says that it has finished."""
    log_path = f"{directory}/{machine}.log"
    started = time.time()
    with open(log_path, "wb") as log:
        qemu = subprocess.Popen(command(args, machine, directory), stdin=subprocess.DEVNULL, stdout=log,
                                stderr=subprocess.STDOUT)
        while qemu.poll() is None and time.time() - started < TIMEOUT:
            time.sleep(0.5)
            with open(log_path, "rb") as f:
                if b"BENCH end" in f.read():
                    break
        qemu.terminate()
        qemu.wait()
    print(f"bench: {MACHINES[machine]}: {time.time() - started:.0f} s")


def read_back(machine, directory):
    """{row: ns} and {row: {event: for each operation}} of the last run."""
    log_path = f"{directory}/{machine}.log"
    found = []
    if os.path.exists(log_path):
        with open(log_path, encoding="latin-1") as f:
            found = re.findall(r"BENCH (.*): (\d+) ns, (\d+) times", f.read())
    if not found:
        sys.exit(f"bench: {MACHINES[machine]}: no figures, see {log_path}")
    rows = {name: int(ns) for name, ns, _ in found if int(ns)}
    events = {}
    with open(f"{directory}/{machine}.counts", encoding="ascii") as f:
        for (name, _, times), line in zip([r for r in found if int(r[1])], f):
            words = line.split()[1:]
            events[name] = {k: int(v) / int(times) for k, v in zip(words[::2], words[1::2])}
    return rows, events


def share(value, base):
    return f"{value / base:.2f}" if value and base else ""


def write_results(path, rows, events, more):
    native, xen, dom0, server = (rows.get(m, {}) for m in MACHINES)
    names = [n for m in ("xen", "dom0", "native", "server") for n in rows.get(m, {})]
    names = list(dict.fromkeys(names))
    with open(path, "w", encoding="utf-8") as f:
        f.write("# Instructions per operation\n\n"
                "Written by `make bench`: the same Debian kernel and the same static program as init, in QEMU with\n"
                "`-icount shift=0,sleep=off`, where the guest's clock counts instructions. One virtual CPU, 512 MB.\n"
                "*Share* is Hospes as dom0 over Xen as dom0.\n\n![chart](results.svg)\n\n"
                "| | " + " | ".join(MACHINES.values()) + " | share | wanted |\n|---|--:|--:|--:|--:|--:|--:|\n")
        for n in names:
            cells = [f"{r[n]:,}" if n in r else "" for r in (native, xen, dom0, server)]
            wanted = TARGETS.get(n, 1.00)
            f.write(f"| {n} | " + " | ".join(cells) +
                    f" | {share(dom0.get(n), xen.get(n))} | {wanted:.2f} |\n")
        f.write("\nThe same, native = 1.00:\n\n| | " + " | ".join(MACHINES.values()) + " |\n|---|--:|--:|--:|--:|\n")
        for n in names:
            if n in native:
                f.write(f"| {n} | " + " | ".join(share(r.get(n), native[n]) for r in (native, xen, dom0, server)) +
                        " |\n")
        f.write("\nWhat instructions do not show, for each operation, Xen and Hospes as dom0 (`bench/counts.c`):\n\n"
                "| | instructions in the hypervisor | entries to it | CR3 loads | CR4 loads | INVLPG |\n"
                "|---|--:|--:|--:|--:|--:|\n")
        for n in names:
            both = [events.get(m, {}).get(n) for m in ("xen", "dom0")]
            if all(both):
                f.write(f"| {n} | " + " | ".join(
                    f"{both[0][k]:,.{digits}f}, {both[1][k]:,.{digits}f}"
                    for k, digits in (("hypervisor", 0), ("entries", 1), ("cr3", 1), ("cr4", 1), ("invlpg", 1))) +
                        " |\n")
        f.write(more)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--build", default="build")
    p.add_argument("--images", default="build/images")
    p.add_argument("--hospes")
    p.add_argument("--xen")
    p.add_argument("--kernel")
    p.add_argument("--only", default="", help="native,xen,dom0,server,pair: run only these, the others stand as they were")
    p.add_argument("--profile", action="store_true", help="BUILD/bench/MACHINE.profile: blocks of the hypervisor")
    args = p.parse_args()
    args.hospes = args.hospes or f"{args.build}/hospes"
    args.xen = args.xen or f"{args.images}/xen.elf"
    args.kernel = args.kernel or f"{args.images}/vmlinuz"
    directory = f"{args.build}/bench"
    make_ramdisk(args, directory)
    only = [w for w in args.only.split(",") if w]
    rows, events = {}, {}
    for machine in MACHINES:
        if not only or machine in only:
            run(args, machine, directory)
        rows[machine], events[machine] = read_back(machine, directory)
    write_results(f"{HERE}/RESULTS.md", rows, events, pair.measure(args) if not only or "pair" in only else "")
    chart.write_bars(f"{HERE}/results.svg", rows, MACHINES)
    missed = [n for n, ns in rows.get("dom0", {}).items()
              if n in rows.get("xen", {}) and ns / rows["xen"][n] > TARGETS.get(n, 1.00) + 0.005]
    print(f"bench: above what is wanted: {', '.join(missed) or 'none'}")


if __name__ == "__main__":
    main()
