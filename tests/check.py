#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the test suites and adds up: the last line is always `N passed, N failed`.

usage: check.py --build DIR [--images DIR] [--unit "NAMES"] [--only WORD] SUITE...

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
SUITE_SECONDS = {"guest": 600, "system": 1200}


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


def run_suite(args, suite):
    """A suite with its own runner: its lines are passed on, its sum is read."""
    runner = os.path.join(HERE, suite, "run.py")
    if not os.path.exists(runner):
        print(f"  FAIL {suite}: {runner} is missing")
        return 0, 1
    cmd = ["timeout", "-k", "5", str(SUITE_SECONDS[suite]), "/usr/bin/python3", "-u", runner,
           "--build", args.build, "--images", args.images] + (["--only", args.only] if args.only else [])
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
    p.add_argument("--only", default="")
    p.add_argument("suites", nargs="+", choices=["unit", "guest", "system"])
    args = p.parse_args()
    args.log = os.path.join(args.build, "log")
    os.makedirs(args.log, exist_ok=True)
    passed = failed = 0
    for suite in args.suites:
        print(f"== {suite} tests", flush=True)
        good, bad = run_unit(args) if suite == "unit" else run_suite(args, suite)
        passed, failed = passed + good, failed + bad
    if passed == 0 and failed == 0:
        print("nothing was tested")
        failed = 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
