#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the test suites and adds up: the last line is always `N passed, N failed`.

usage: check.py --build DIR [--images DIR] [--unit "NAMES"] [--guests "NAMES"] [--only WORD] SUITE...

A suite is unit (host programs, cmocka), guest (tests/guest/run.py) or system
(tests/system/run.py). Each writes what it sees under DIR/log.
"""
import argparse
import os
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
UNIT_SECONDS = 120
SUITE_SECONDS = 1200


def run_unit(args):
    """Every unit test is a program; cmocka's own lines say how many cases it holds."""
    passed = failed = 0
    env = dict(os.environ, ASAN_OPTIONS="detect_leaks=1", UBSAN_OPTIONS="print_stacktrace=1")
    for name in args.unit.split():
        if args.only and args.only not in name:
            continue
        log = os.path.join(args.log, f"unit-{name}.log")
        start = time.monotonic()
        with open(log, "wb") as out:
            try:
                code = subprocess.run([os.path.join(args.build, "unit", "test_" + name)], stdout=out,
                                      stderr=subprocess.STDOUT, timeout=UNIT_SECONDS, env=env).returncode
            except (subprocess.TimeoutExpired, OSError) as e:
                out.write(f"\n{e}\n".encode())
                code = -1
        text = open(log, errors="replace").read()
        good = sum(map(int, re.findall(r"\[  PASSED  \] (\d+) test", text)))
        bad = sum(map(int, re.findall(r"\[  FAILED  \] (\d+) test", text)))
        if (code != 0 or good == 0) and bad == 0:
            bad = 1     # it died, ran too long or held no case at all
        print(f"  {'FAIL' if bad else 'ok  '} unit {name}: {good} cases, {time.monotonic() - start:.1f} s")
        if bad:
            print("\n".join("       | " + line for line in text.splitlines()[-25:]))
        passed, failed = passed + good, failed + bad
    return passed, failed


def run_guest(args):
    """Our tiny kernels, on Hospes and, when it was fetched, on real Xen: the same answers are expected."""
    runner = os.path.join(HERE, "guest", "run.py")
    names = [n for n in args.guests.split() if args.only in n]
    if not names or not os.path.exists(runner):
        return 0, 0
    sums = [run_suite([runner, "--build", args.build, "--on", "hospes", *names])]
    xen = os.path.join(args.images, "xen.elf")
    if os.path.exists(xen):
        sums.append(run_suite([runner, "--build", args.build, "--on", "xen", "--image", xen, *names]))
    return sum(s[0] for s in sums), sum(s[1] for s in sums)


def run_system(args):
    return run_suite([os.path.join(HERE, "system", "run.py"), "--build", args.build, "--images", args.images,
                      "--only", args.only])


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
    p.add_argument("--guests", default="")
    p.add_argument("--only", default="")
    p.add_argument("suites", nargs="+", choices=["unit", "guest", "system"])
    args = p.parse_args()
    args.log = os.path.join(args.build, "log")
    os.makedirs(args.log, exist_ok=True)
    passed = failed = 0
    for suite in args.suites:
        print(f"== {suite} tests", flush=True)
        good, bad = {"unit": run_unit, "guest": run_guest, "system": run_system}[suite](args)
        passed, failed = passed + good, failed + bad
    if passed == 0 and failed == 0:
        print("nothing was tested")
        failed = 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
