#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the test suites and adds up: the last line is always `N passed, N failed`.

usage: check.py --build DIR [--images DIR] [--unit "NAMES"] [--fuzz "TARGETS"] [--guests "NAMES"]
                [--sanitised] [--only WORD] SUITE...

A suite is unit (host programs, cmocka), fuzz (libFuzzer, tests/fuzz/host.py), guest
(tests/guest/run.py) or system (tests/system/run.py). With --sanitised
the build is one with SANITIZE=1, and nothing is asked of real Xen. Each writes what it sees under DIR/log.
"""
import argparse
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
UNIT_SECONDS = 300
SUITE_SECONDS = 2400


def run_unit(args):
    """Every unit test is a program; cmocka's own lines say how many cases it holds."""
    env = dict(os.environ, ASAN_OPTIONS="detect_leaks=1", UBSAN_OPTIONS="print_stacktrace=1")

    def one(name):
        start = time.monotonic()
        code, text = run_logged(os.path.join(args.log, f"unit-{name}.log"),
                                [os.path.join(args.build, "unit", "test_" + name)], UNIT_SECONDS, env)
        good = sum(map(int, re.findall(r"\[  PASSED  \] (\d+) test", text)))
        bad = sum(map(int, re.findall(r"\[  FAILED  \] (\d+) test", text)))
        if (code != 0 or good == 0) and bad == 0:
            bad = 1     # it died, ran too long or held no case at all
        print(f"  {'FAIL' if bad else 'ok  '} unit {name}: {good} cases, {time.monotonic() - start:.1f} s"
              + ended(text, bad), flush=True)
        return good, bad
    return side_by_side(one, args.unit, args)


def run_fuzz(args):
    """Every target is tried a fixed number of times; it must not crash, hang or leak."""
    return run_suite([os.path.join(HERE, "fuzz", "host.py"), "--build", args.build, "--runs", "--only", args.only,
                      *args.fuzz.split()])


def side_by_side(one, names, args):
    """Runs one(name) for each chosen name, on all CPUs, and adds up what they return."""
    chosen = [n for n in names.split() if args.only in n]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        sums = list(pool.map(one, chosen))
    return sum(s[0] for s in sums), sum(s[1] for s in sums)


def run_logged(log, command, seconds, env):
    """Runs a program of limited time; returns its code and what it said, which is in the log too."""
    with open(log, "wb") as out:
        try:
            code = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                  timeout=seconds, env=env, check=False).returncode
        except (subprocess.TimeoutExpired, OSError) as e:
            out.write(f"\n{e}\n".encode())
            code = -1
    with open(log, errors="replace") as said:
        return code, said.read()


def ended(text, bad):
    """The end of what a test said, if it is bad."""
    return "".join("\n       | " + line for line in text.splitlines()[-25:]) if bad else ""


# Once more as on a processor that needs much against speculation: by the gate, on page tables without the hypervisor.
GUARDED = ("traps", "memory", "events", "race", "answers", "netbsd")
MEASURES = "xpti=on spec-ctrl=rsb,verw,bhb-entry,bti-thunk=retpoline"


def run_guest(args):
    """Our tiny kernels, on Hospes in both forms and on real Xen: the same answers are expected."""
    runner = os.path.join(HERE, "guest", "run.py")
    names = [n for n in args.guests.split() if args.only in n]
    if not names or not os.path.exists(runner):
        return 0, 0
    common = [runner, "--build", args.build, "--jobs", str(os.cpu_count())]
    xen = os.path.join(args.images, "xen.elf")
    # Answers to be compared are those that dom0 gets: a server has other rights, and a list of its own.
    there = lambda n, name: os.path.exists(os.path.join(HERE, "guest", n, name))
    as_server = [n for n in names if not there(n, "expected.txt") or there(n, "expected-server.txt")]
    sums = [run_suite([*common, "--on", "hospes", *names]),
            run_suite([*common, "--on", "hospes", "--server", *as_server])]
    if not args.sanitised:
        sums.append(run_suite([*common, "--on", "xen", "--image", xen, *names]))
        guarded = [n for n in names if n in GUARDED]
        sums += [run_suite([*common, "--on", "hospes", "--hv-args", MEASURES, *guarded])] if guarded else []
    return sum(s[0] for s in sums), sum(s[1] for s in sums)


def run_system(args):
    return run_suite([os.path.join(HERE, "system", "run.py"), "--build", args.build, "--images", args.images,
                      "--only", args.only, *(["--sanitised"] if args.sanitised else [])])


def run_suite(command):
    """A suite with its own runner: its lines are passed on, its sum is read."""
    cmd = ["timeout", "-k", "5", str(SUITE_SECONDS), "/usr/bin/python3", "-u", *command]
    suite = os.path.basename(os.path.dirname(command[0]))
    total = None
    with subprocess.Popen(cmd, stdout=subprocess.PIPE, text=True, errors="replace") as child:
        for line in child.stdout:
            found = re.fullmatch(r"(\d+) passed, (\d+) failed\s*", line)
            if found:
                total = int(found[1]), int(found[2])
            else:
                print(line, end="", flush=True)
    if total is None:
        print(f"  FAIL {suite}: ended with code {child.returncode} and no sum")
        return 0, 1
    if child.returncode != 0 and total[1] == 0:
        print(f"  FAIL {suite}: ended with code {child.returncode}")
        return total[0], 1
    return total


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--build", required=True)
    p.add_argument("--images", default="build/images")
    p.add_argument("--unit", default="")
    p.add_argument("--fuzz", default="")
    p.add_argument("--guests", default="")
    p.add_argument("--sanitised", action="store_true")
    p.add_argument("--only", default="")
    p.add_argument("suites", nargs="+", choices=["unit", "fuzz", "guest", "system"])
    args = p.parse_args()
    args.log = os.path.join(args.build, "log")
    os.makedirs(args.log, exist_ok=True)
    passed = failed = 0
    for suite in args.suites:
        print(f"== {suite} tests", flush=True)
        start = time.monotonic()
        good, bad = {"unit": run_unit, "fuzz": run_fuzz, "guest": run_guest, "system": run_system}[suite](args)
        print(f"== {suite} tests: {good} passed, {bad} failed in {time.monotonic() - start:.0f} s", flush=True)
        passed, failed = passed + good, failed + bad
    if passed == 0 and failed == 0:
        print("nothing was tested")
        failed = 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
