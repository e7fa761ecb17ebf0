#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs libFuzzer targets and says which lines of the sources under test they reached.

usage: host.py --build DIR (--seconds N | --runs) [--only NAME] NAME:RUNS=SOURCE,SOURCE...

--seconds: each target for so long, its findings kept in DIR/fuzz/corpus-NAME. --runs: each RUNS times from the
inputs in tests/fuzz/corpus alone and from one seed, so that the same is tried each time; side by side. A table of
the lines follows, and `N passed, N failed`.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import corpus

RUN_SECONDS = 300


class Target:
    def __init__(self, text, args):
        name, sources = text.split("=")
        self.name, _, runs = name.partition(":")
        self.runs, self.sources, self.args = runs, sources.split(","), args
        self.program = os.path.join(args.build, "fuzz", self.name)
        self.counted = os.path.join(args.build, "fuzz", self.name + ".profraw")
        self.log = os.path.join(args.build, "log", f"fuzz-{self.name}.log")

    def run(self):
        """True if nothing was found."""
        kept = os.path.join(self.args.build, "fuzz", "corpus-" + self.name)
        if self.args.runs:
            kept += "-same"
            shutil.rmtree(kept, ignore_errors=True)
            limit = [f"-runs={self.runs}", "-seed=1", "-reload=0"]
        else:
            limit = [f"-max_total_time={self.args.seconds}"]
        corpus.unpack(self.name, kept)
        start = time.monotonic()
        with open(self.log, "wb") as out:
            try:
                code = subprocess.run([self.program, *limit, "-max_len=4096", "-timeout=20", "-print_final_stats=1",
                                       f"-artifact_prefix={self.args.build}/fuzz/", kept], stdout=out, stderr=out,
                                      env=dict(os.environ, LLVM_PROFILE_FILE=self.counted), check=False,
                                      timeout=max(RUN_SECONDS, 2 * int(self.args.seconds or 0))).returncode
            except (subprocess.TimeoutExpired, OSError) as e:
                out.write(f"\n{e}\n".encode())
                code = -1
        with open(self.log, encoding="utf-8", errors="replace") as f:
            said = f.read()
        done = re.findall(r"^Done (\d+) runs", said, re.M)
        good = code == 0 and bool(done)
        print(f"  {'ok  ' if good else 'FAIL'} fuzz {self.name}: {done[-1] if done else 0} inputs, "
              f"{time.monotonic() - start:.0f} s", flush=True)
        if not good:
            print("".join("       | " + line + "\n" for line in said.splitlines()[-25:]), end="")
        return good

    def lines(self):
        """(source, lines that can run, lines that did) of each source."""
        data = self.counted.replace("raw", "data")
        subprocess.run(["llvm-profdata", "merge", "-sparse", "-o", data, self.counted], check=True)
        out = subprocess.run(["llvm-cov", "export", "-summary-only", f"-instr-profile={data}", self.program],
                             stdout=subprocess.PIPE, check=True).stdout
        for f in json.loads(out)["data"][0]["files"]:
            for source in self.sources:
                if f["filename"].endswith(source):
                    yield source, f["summary"]["lines"]["count"], f["summary"]["lines"]["covered"]


def report(targets):
    print("  lines reached:")
    for t in targets:
        sums = [0, 0]
        if not os.path.exists(t.counted):
            continue
        for source, lines, reached in sorted(t.lines()):
            print(f"    {t.name:10} {source:34} {reached:5} of {lines:5} {100 * reached / lines:6.1f} %")
            sums = [sums[0] + lines, sums[1] + reached]
        print(f"    {t.name:10} {'all':34} {sums[1]:5} of {sums[0]:5} {100 * sums[1] / max(sums[0], 1):6.1f} %")


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--build", required=True)
    p.add_argument("--seconds", type=int)
    p.add_argument("--runs", action="store_true")
    p.add_argument("--only", default="")
    p.add_argument("targets", nargs="+")
    args = p.parse_args()
    os.makedirs(os.path.join(args.build, "log"), exist_ok=True)
    targets = [t for t in (Target(text, args) for text in args.targets) if args.only in t.name]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        good = sum(pool.map(Target.run, targets))
    report(targets)
    print(f"{good} passed, {len(targets) - good} failed")
    return 0 if good == len(targets) else 1


if __name__ == "__main__":
    sys.exit(main())
