#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How costs grow with the machine: one server of 1 to 64 vCPUs, and 1 to 256 servers.

Writes bench/SCALE.md and bench/scale.svg. Counted in instructions, as run.py does.
"""
import argparse
import os
import re
import subprocess
import time

import chart

HERE = os.path.dirname(os.path.abspath(__file__))
VCPUS = (1, 4, 16, 64)
TIMEOUT = 300


def run(args, vcpus, domains):
    """{operation: instructions} as the last of the servers measures it."""
    guest = f"{args.build}/bench/scale"
    modules = [f"{guest} domain=s{i} memory=4M -- idle" for i in range(1, domains)]
    modules.append(f"{guest} domain=m memory=8M vcpus={vcpus} -- measure started={vcpus}")
    log_path = f"{args.build}/bench/scale.{vcpus}.{domains}.log"
    with open(log_path, "wb") as log:
        qemu = subprocess.Popen(
            ["qemu-system-x86_64", "-accel", "tcg", "-icount", "shift=0,sleep=off", "-rtc",
             "base=2026-01-01T00:00:00,clock=vm", "-cpu", "max,-smap", "-m", "2048", "-display", "none", "-serial",
             "stdio", "-monitor", "none", "-nic", "none", "-no-reboot", "-kernel", f"{args.build}/hospes", "-append",
             "console=com1", "-initrd", ",".join(modules)], stdin=subprocess.DEVNULL, stdout=log,
            stderr=subprocess.STDOUT)
        end = time.time() + TIMEOUT
        found = []
        while qemu.poll() is None and time.time() < end:
            time.sleep(0.5)
            with open(log_path, encoding="latin-1") as f:
                text = f.read()
            if "SCALE end" in text:
                break
        qemu.terminate()
        qemu.wait()
    with open(log_path, encoding="latin-1") as f:
        found = re.findall(r"SCALE (.*): (\d+)", f.read())
    if not found:
        raise SystemExit(f"scale: no figures, see {log_path}")
    print(f"scale: {vcpus} vCPUs, {domains} servers: done")
    return {name: int(n) for name, n in found}


def table(f, head, results):
    f.write(f"| {head} | " + " | ".join(str(n) for n in results) + " |\n|---|" + "--:|" * len(results) + "\n")
    for name in next(iter(results.values())):
        f.write(f"| {name} | " + " | ".join(f"{r.get(name, 0):,}" for r in results.values()) + " |\n")


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--build", default="build")
    p.add_argument("--domains", default="1,32,256", help="numbers of servers")
    args = p.parse_args()
    by_vcpus = {n: run(args, n, 1) for n in VCPUS}
    by_domains = {n: run(args, 1, n) for n in map(int, args.domains.split(","))}
    with open(f"{HERE}/SCALE.md", "w", encoding="utf-8") as f:
        f.write("# How costs grow with the machine\n\n"
                "Written by `make bench-scale`: instructions for each operation of a tiny guest (`bench/scale`) on one CPU.\n"
                "All other vCPUs and servers have a timer of their own running, and sleep.\n\n![chart](scale.svg)\n\n")
        table(f, "vCPUs of one server", by_vcpus)
        f.write("\n")
        table(f, "servers", by_domains)
    chart.write_lines(f"{HERE}/scale.svg", {"vCPUs of one server": by_vcpus, "servers": by_domains})


if __name__ == "__main__":
    main()
