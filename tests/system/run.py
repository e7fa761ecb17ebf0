#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the system tests, each in a process of its own with a limit of time, two at a time. One that fails is run once
more; it counts as failed if it fails again.

usage: run.py [--build DIR] [--images DIR] [--only WORD] [--jobs N] [--sanitised] [--list]
"""
import argparse
import glob
import importlib.util
import os
import subprocess
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
SECONDS = 180       # a test's limit, unless it is marked otherwise


def load(path):
    spec = importlib.util.spec_from_file_location(os.path.basename(path)[:-3], path)
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def tests():
    """Every test: its name, its file and the function."""
    for path in sorted(glob.glob(os.path.join(HERE, "test_*.py"))):
        suite = load(path)
        for name, function in vars(suite).items():
            if name.startswith("test_") and callable(function):
                yield f"{suite.__name__[5:]}.{name[5:]}", path, function


def run_one(name):
    """In the child: one test. A failure is a short text, anything else a traceback."""
    import lab
    for other, _, function in tests():
        if other == name:
            try:
                function()
                return 0
            except lab.Failure as e:
                where = traceback.extract_tb(e.__traceback__)[1]
                print(f"{e}\n(at {os.path.basename(where.filename)}:{where.lineno})")
                return 1
    print(f"no such test: {name}")
    return 2


class Running:
    def __init__(self, name, function, args):
        self.name, self.function = name, function
        self.seconds = getattr(function, "seconds", SECONDS) * float(os.environ.get("LAB_PATIENCE", "1"))
        self.start = time.monotonic()
        self.out = open(os.path.join(args.build, "log", f"test-{name}.log"), "w+", errors="replace")
        # timeout(1) makes a process group of the child, so that a QEMU of its own goes with it
        self.child = subprocess.Popen(
            ["timeout", "-k", "5", str(self.seconds), sys.executable, "-u", __file__, "--one", name],
            stdout=self.out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            env=dict(os.environ, LAB_BUILD=args.build, LAB_IMAGES=args.images))

    def finish(self):
        """True when it passed; says how it went."""
        took = time.monotonic() - self.start
        good = self.child.returncode == 0
        print(f"  {'ok  ' if good else 'FAIL'} system {self.name}: {took:.0f} s", flush=True)
        self.out.flush()
        self.out.seek(0)
        text = self.out.read().splitlines()
        if self.child.returncode in (124, 137):
            text.append(f"ended after its limit of {self.seconds:.0f} s")
        for line in text[-12:]:
            print("       | " + line, flush=True)
        self.out.close()
        return good


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--build", default="build")
    p.add_argument("--images", default="build/images")
    p.add_argument("--only", default="", help="tests whose name holds one of these words, parted by commas")
    p.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    p.add_argument("--one", help=argparse.SUPPRESS)
    p.add_argument("--sanitised", action="store_true", help="the build is one with SANITIZE=1")
    p.add_argument("--list", action="store_true")
    args = p.parse_args()
    sys.path.insert(0, HERE)
    if args.one:
        return run_one(args.one)

    os.makedirs(os.path.join(args.build, "log"), exist_ok=True)
    builds = "any", "sanitised" if args.sanitised else "plain"
    chosen = [(n, f) for n, _, f in tests()
              if any(word in n for word in args.only.split(",")) and getattr(f, "build", "any") in builds]
    if args.list:
        print("\n".join(n for n, _ in chosen))
        return 0
    # The longest first, so that none is left over at the end; tests that measure time last, with nothing beside them.
    chosen.sort(key=lambda t: (getattr(t[1], "alone", False), -getattr(t[1], "seconds", SECONDS)))
    # A busy host spoils a measurement, or makes a stock program give up, but not twice; a defect does.
    running, tried, passed, failed = [], set(), 0, 0
    while chosen or running:
        while chosen and len(running) < args.jobs:
            if getattr(chosen[0][1], "alone", False) and running:
                break
            running.append(Running(*chosen.pop(0), args))
        time.sleep(0.1)
        for r in [r for r in running if r.child.poll() is not None]:
            running.remove(r)
            if r.finish():
                passed += 1
            elif r.name not in tried:
                tried.add(r.name)
                chosen.append((r.name, r.function))
                print(f"  once more: {r.name}", flush=True)
            else:
                failed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
