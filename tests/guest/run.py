#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs tiny guests under QEMU, as the classic first module or as a server, on Hospes or on Debian's Xen.

One line for each guest, taken from its own end line, and the sum as the last:
`N passed, N failed`. Serial output is kept beside the guest as NAME.HYPERVISOR.log (NAME.server.log
for a server on Hospes).

A guest with a file expected.txt does not judge itself: its lines `ASK question: answers` (for
`abuse`, `ABUSE ...`) are compared here with that file, which is what Xen 4.17 printed (`--learn`
on Xen writes it anew). A line of allowed.txt, in the same form and with a reason behind `#`, is
right for Hospes too. Lines with the same question are the first, second... of their kind.
Servers (--server) have expected-server.txt, which plain domains of Xen's toolstack printed.
"""
import argparse
import os
import re
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
END = re.compile(r"GUEST (\S+): (\d+) passed, (\d+) failed")

# What a run needs beyond the default: arguments for the guest, vCPUs, a text that stands for the end line.
SPECIAL = {
    "events": {"vcpus": 2, "smp": 2},
    "race": {"vcpus": 4, "smp": 4},
    "clock": {"vcpus": 4, "smp": 2, "tries": 2}, # it compares clocks: a host that stalls spoils one run, not two
    "control": {"smp": 2},
    "answers": {"vcpus": 2, "xen": "spec-ctrl=eager-fpu"}, # by default QEMU's Xen mixes up FPU state
    "mca": {"monitor": "mce 0 3 0x9c00000000000150 0 0x12345678 0x55"}, # when it asks for it
    "pingpong": {"pair": True, "smp": 2}, # two servers, each told the other's number
    "crash": {"expect": re.compile("crashed", re.I)},
    "spin": {"expect": re.compile("GUEST spin: spinning")},
}


XEN_TRIES = 4       # on real Xen: it is not what is tested, panics now and then, and its clocks suffer from a busy host


def read_answers(path):
    """{question: [answers]} of the lines `ABUSE question: answers`."""
    lines = {}
    if os.path.exists(path):
        with open(path, encoding="latin-1") as f:
            for line in f:
                match = re.match(r"(?:\[[\w-]+\] )?(?:ABUSE|ASK) (.*): (.*?)\s*(#.*)?$", line)
                if match:
                    lines.setdefault(match.group(1), []).extend(match.group(2).split())
    return lines


def compare_answers(name, on, server, log_path):
    """Counts answers as expected and not; returns both and the differences in words."""
    kind = "-server" if server else ""
    expected = read_answers(f"{HERE}/{name}/expected{kind}.txt")
    allowed = read_answers(f"{HERE}/{name}/allowed{kind}.txt") if on == "hospes" else {}
    got = read_answers(log_path)
    passed = failed = 0
    differences = ""
    for question, answers in expected.items():
        found = got.get(question, [])
        wrong = sum(1 for i, a in enumerate(answers) if i >= len(found) or found[i] != a)
        if wrong and found == allowed.get(question):
            wrong = 0
        if wrong:
            differences += f"\n    {question}:\n        got  {' '.join(found)}\n        want {' '.join(answers)}"
        failed += wrong
        passed += len(answers) - wrong
    return passed, failed, differences


def log_of(args, name):
    return f"{args.build}/guest/{name}.{'server' if args.server else args.on}.log"


def parse():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("guests", nargs="*", help="NAME or 'NAME arguments'")
    p.add_argument("--on", choices=("hospes", "xen"), default="hospes")
    p.add_argument("--image", help="hypervisor image (default: BUILD/hospes, or build/images/xen.elf)")
    p.add_argument("--build", default="build")
    p.add_argument("--memory", default="512")
    p.add_argument("--cpu", default="max,-smap")
    p.add_argument("--smp", type=int, default=0)
    p.add_argument("--timeout", type=float, default=120)
    p.add_argument("--jobs", type=int, default=1, help="how many run at a time")
    p.add_argument("--hv-args", default="", help="more hypervisor arguments")
    p.add_argument("--module", help="a second module: the guest's ramdisk")
    p.add_argument("--server", action="store_true", help="as a boot-time server (on Hospes), not as dom0")
    p.add_argument("--learn", action="store_true", help="on Xen: write expected.txt")
    p.add_argument("--verbose", action="store_true", help="show the guest's output")
    return p.parse_args()


def command(args, name, guest_args, special):
    first = ""
    if special.get("pair"):
        return machine(args, special, ",".join(
            f"{args.build}/guest/{name} domain={name}-{i} memory=16M cpus={i - 1} -- peer={3 - i}" for i in (1, 2)))
    if args.server:
        if os.path.exists(f"{HERE}/{name}/expected-server.txt"):
            first = f"{args.build}/guest/spin," # on Xen there was a domain 0, too
        guest_args = f"domain={name} memory=64M vcpus={special.get('vcpus', 1)} -- {guest_args}"
    modules = first + f"{args.build}/guest/{name} {guest_args}".strip().replace(",", ",,")
    if args.module:
        modules += "," + args.module
    return machine(args, special, modules)


def machine(args, special, modules):
    image = args.image or (f"{args.build}/hospes" if args.on == "hospes" else "build/images/xen.elf")
    hv_args = ("console=com1 com1=115200,8n1 loglvl=all guest_loglvl=all noreboot dom0_mem=64M "
               f"dom0_max_vcpus={special.get('vcpus', 1)} {args.hv_args} {special.get(args.on, '')}")
    smp = args.smp or special.get("smp", 1)
    monitor = f"unix:{monitor_of(args)},server,nowait" if "monitor" in special else "none"
    return ["qemu-system-x86_64", "-accel", "tcg", "-cpu", args.cpu, "-m", args.memory, "-smp", str(smp),
            "-display", "none", "-monitor", monitor, "-serial", "stdio", "-no-reboot",
            "-kernel", image, "-append", hv_args.strip(), "-initrd", modules]


def monitor_of(args):
    return f"{args.build}/guest/monitor.{'server' if args.server else args.on}"


def tell_monitor(args, words):
    """One line to QEMU's monitor."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(monitor_of(args))
        s.sendall(words.encode() + b"\n")
        s.recv(4096)
        time.sleep(0.2) # until QEMU has read it: the connection ends with this


def run(args, text):
    """Runs one guest; returns (passed, failed, remark)."""
    name, _, guest_args = text.partition(" ")
    special = SPECIAL.get(name, {})
    log_path = log_of(args, name)
    if special.get("pair") and not args.server:
        return 0, 0, "(only as two servers)"
    if "monitor" in special and (args.server or args.on == "xen"): # Xen does not find it on QEMU's processor
        return 0, 0, "(only as dom0 of Hospes)"
    for _ in range(XEN_TRIES if args.on == "xen" else special.get("tries", 1)):
        with open(log_path, "wb") as log:
            qemu = subprocess.Popen(command(args, name, guest_args, special), stdin=subprocess.DEVNULL,
                                    stdout=log, stderr=subprocess.STDOUT)
            try:
                result = wait(args, name, special, qemu, log_path)
            finally:
                qemu.kill()
                qemu.wait()
        if not result[1]:
            break
    return result


def wait(args, name, special, qemu, log_path):
    """Awaits the end of one machine; returns as run()."""
    deadline = time.monotonic() + args.timeout
    told = "monitor" not in special
    while True:
        ended = qemu.poll() is not None
        with open(log_path, "rb") as f:
            out = f.read().decode("latin-1")
        if not told and f"GUEST {name}: inject" in out:
            tell_monitor(args, special["monitor"])
            told = True
        ends = END.findall(out)
        end = len(ends) == (2 if special.get("pair") else 1)
        if end and args.learn:
            with open(f"{HERE}/{name}/expected.txt", "w", encoding="ascii") as f:
                f.writelines(line + "\n" for line in re.findall(r"^((?:ABUSE|ASK) .*?)\r*$", out, re.M))
        if end and os.path.exists(f"{HERE}/{name}/expected.txt"):
            return compare_answers(name, args.on, args.server, log_path)
        if end:
            return sum(int(e[1]) for e in ends), sum(int(e[2]) for e in ends), ""
        if "expect" in special and special["expect"].search(out):
            return 1, 0, ""
        if args.on == "xen" and "Xen BUG at " in out:
            return 0, 1, "Xen itself panicked" # `race` finds a BUG in its mm.c now and then
        if ended:
            return 0, 1, "the machine stopped without an end line"
        if time.monotonic() > deadline:
            return 0, 1, f"no end line within {args.timeout:.0f} s"
        time.sleep(0.1)


def main():
    args = parse()
    names = args.guests or os.environ.get("GUESTS", "").split()
    passed = failed = 0
    with ThreadPoolExecutor(args.jobs) as pool:
        for text, (p, f, remark) in zip(names, pool.map(lambda text: run(args, text), names)):
            passed += p
            failed += f
            form = (f"{args.on}, as a server" if args.server else args.on) + (args.hv_args and f" with {args.hv_args}")
            print(f"{text:12} on {form}: {p} passed, {f} failed {remark}".rstrip(), flush=True)
            if args.verbose or f:
                with open(log_of(args, text.partition(" ")[0]), "rb") as log:
                    lines = log.read().decode("latin-1").splitlines()
                if not args.verbose:
                    lines = [x for x in lines if "FAIL" in x or "PANIC" in x] or lines[-8:]
                print("\n".join("    " + x for x in lines))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
