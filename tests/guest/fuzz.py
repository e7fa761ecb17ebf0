#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Differential fuzzing: the tiny guest `fuzz` does the same streams of operations on Hospes and on Debian's Xen.

The guest prints a digest for each block of streams. Where they differ, the first stream that differs is
looked up, cut down to the operations without which there is no difference, and shown as both ran it.

usage: fuzz.py --build DIR --xen ELF [--seconds N | --seeds N,N,... --streams N] [--corpus] [--server SEED]

--seconds: seeds one after the other, from the day's number on; --corpus: the streams of fuzz/corpus.txt, in
which something was found once; --server: that seed as a boot-time server, on Hospes alone: it must come to
its end and leak nothing. The last line is `N passed, N failed`; a seed, a stream of the corpus, or a server is one.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
OPS = 64            # of a stream
LINE_MAX = 900      # of the guest's command line
REPORTS_MAX = 3     # differences that are cut down, for each seed
ENDED = "no more: the guest has ended early"


class Machine:
    """Runs the guest on one hypervisor."""
    def __init__(self, args, name):
        self.args, self.name = args, name
        self.image = args.xen if name == "xen" else f"{args.build}/hospes"

    def lines(self, words, seconds, server=False):
        """What the guest printed, without its end line; None in the last place if that did not come."""
        module = f"{self.args.build}/guest/fuzz "
        module += (f"domain=fuzz memory=64M -- {words}" if server else words).replace(",", ",,")
        hv = "console=com1 com1=115200,8n1 loglvl=all guest_loglvl=none noreboot dom0_mem=64M dom0_max_vcpus=1"
        hv += " spec-ctrl=eager-fpu" if self.name == "xen" else ""
        # Two open files, for a shared one would have one place for reading and writing.
        with tempfile.NamedTemporaryFile() as out, open(out.name, "rb") as text_of:
            qemu = subprocess.Popen(
                ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max,-smap", "-m", "512", "-display", "none",
                 "-monitor", "none", "-serial", "stdio", "-no-reboot", "-kernel", self.image, "-append", hv,
                 "-initrd", module], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
            try:
                text = wait_for_end(qemu, text_of, seconds)
            finally:
                qemu.kill()
                qemu.wait()
        with open(f"{self.args.build}/guest/fuzz.{self.name}.log", "w", encoding="latin-1") as log:
            log.write(text)
        ours = re.findall(r"^(?:\[fuzz\] )?((?:FUZZ|TRY|OP|RESET|PANIC) .*?|RESET)\r?$", text, re.M)
        return ours + ([] if re.search("GUEST fuzz: 1 passed, 0 failed", text) else [None])


def wait_for_end(qemu, out, seconds):
    """Until the guest says that it has ended, the machine has stopped or printed nothing new for `seconds`."""
    size, since = 0, time.monotonic()
    while True:
        ended = qemu.poll() is not None
        out.seek(max(0, size - 400))
        news = out.read().decode("latin-1")
        if size != out.tell():
            size, since = out.tell(), time.monotonic()
        dead = re.search(r"Hardware Dom0 crashed|\(hv\) panic|\(hv\) .*crashed", news)
        if ended or dead or re.search("GUEST fuzz: .*failed", news) or time.monotonic() - since > seconds:
            time.sleep(0.2)
            out.seek(0)
            return out.read().decode("latin-1")
        time.sleep(0.1)


class Fuzzer:
    def __init__(self, args):
        self.args = args
        self.both = (Machine(args, "xen"), Machine(args, "hospes"))
        self.pool = ThreadPoolExecutor(2)

    def run(self, words, seconds=60):
        """The guest's lines on both, side by side."""
        return list(self.pool.map(lambda m: m.lines(words, seconds), self.both))

    def tries(self, seed, stream, masks):
        """Which masks show a difference: {mask: bool}."""
        result, rest = {}, list(masks)
        while rest:
            words = ""
            batch = []
            while rest and len(words) < LINE_MAX:
                batch.append(rest.pop(0))
                words += f"{',' if words else 'try='}{seed}:{stream}:{batch[-1]:x}"
            xen, ours = self.run(words)
            for i, mask in enumerate(batch):
                line = [side[i] if i < len(side) else None for side in (xen, ours)]
                result[mask] = line[0] != line[1] or line[0] is None
        return result

    def cut(self, seed, stream, mask):
        """The fewest operations that still show a difference (no single one can be spared)."""
        while True:
            bits = [b for b in range(OPS) if mask >> b & 1]
            single = self.tries(seed, stream, [mask & ~(1 << b) for b in bits])
            spare = [b for b in bits if single[mask & ~(1 << b)]]
            if not spare:
                return mask
            fewer, masks = mask, []
            for b in spare:
                fewer &= ~(1 << b)
                masks.append(fewer)
            shown = self.tries(seed, stream, masks)
            mask = [m for m in masks if shown[m]][-1]

    def explain(self, seed, stream, mask):
        """Cuts the stream down and prints what both did in it."""
        if not self.tries(seed, stream, [mask])[mask]:
            print(f"difference: {seed}:{stream}: only after the streams before it")
            return
        xen, ours = self.run(f"show=1 try={seed}:{stream}:{mask:x}")
        for x, o in zip(xen, ours):
            if x != o:
                op = re.match(r"OP (\d+)", str(x))
                if op:
                    mask &= (2 << int(op.group(1))) - 1
                break
        mask = self.cut(seed, stream, mask)
        xen, ours = self.run(f"show=1 try={seed}:{stream}:{mask:x}")
        print(f"difference: {seed}:{stream}:{mask:x}")
        for i in range(max(len(xen), len(ours))):
            x, o = (side[i] if i < len(side) else None for side in (xen, ours))
            if x == o:
                print(f"      {x}")
            else:
                print(f"  xen {x or ENDED}\n   hv {o or ENDED}")
        sys.stdout.flush()

    def seed(self, seed, streams, block=16):
        """Runs a seed on both; true if there is no difference."""
        xen, ours = self.run(f"seed={seed} count={streams} block={block}")
        different = [i for i in range(max(len(xen), len(ours)))
                     if i >= len(xen) or i >= len(ours) or xen[i] != ours[i] or xen[i] is None]
        for i in different[:REPORTS_MAX]:
            first = i * block
            one = self.run(f"seed={seed} from={first} count={block} block=1")
            found = [k for k in range(block) if one[0][k:k + 1] != one[1][k:k + 1]]
            if found:
                self.explain(seed, first + found[0], (1 << OPS) - 1)
            else:
                print(f"seed {seed}, from stream {first}: differs only after what was before it: "
                      f"{xen[i:i + 1]} {ours[i:i + 1]}")
            if xen[i:i + 1] == [None] or ours[i:i + 1] == [None]:
                break
        print(f"{'FAIL' if different else 'ok  '} seed {seed}: {streams} streams, {streams * OPS} operations, "
              f"{len(different)} of {len(xen)} blocks differ", flush=True)
        return not different

    def corpus(self):
        with open(f"{HERE}/fuzz/corpus.txt", encoding="ascii") as f:
            lines = [line.split()[0] for line in f if line.strip() and line[0] != "#"]
        good = 0
        for line in lines:
            seed, stream, mask = line.split(":")
            if self.tries(int(seed), int(stream), [int(mask, 16)])[int(mask, 16)]:
                self.explain(int(seed), int(stream), int(mask, 16))
            else:
                good += 1
        print(f"corpus: {good} of {len(lines)} without difference", flush=True)
        return good, len(lines) - good

    def server(self, seed, streams):
        """As a server of Hospes' own: no comparison, but it must end well."""
        lines = self.both[1].lines(f"seed={seed} count={streams}", 60, server=True)
        good = lines[-1:] != [None] and len(lines) == (streams + 15) // 16
        print(f"{'ok  ' if good else 'FAIL'} seed {seed} as a server: {len(lines)} blocks", flush=True)
        return good


def parse():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--build", default="build")
    p.add_argument("--xen", default="build/images/xen.elf")
    p.add_argument("--seconds", type=float, default=0)
    p.add_argument("--seeds", default="")
    p.add_argument("--streams", type=int, default=4000)
    p.add_argument("--corpus", action="store_true")
    p.add_argument("--server", type=int)
    return p.parse_args()


def main():
    args = parse()
    fuzzer = Fuzzer(args)
    passed = failed = 0
    results = [fuzzer.seed(int(s), args.streams) for s in args.seeds.split(",") if s]
    if args.server is not None:
        results.append(fuzzer.server(args.server, args.streams))
    if args.corpus:
        passed, failed = fuzzer.corpus()
    end, seed = time.monotonic() + args.seconds, int(time.time()) // 86400 * 1000
    while args.seconds and time.monotonic() < end:
        results.append(fuzzer.seed(seed, args.streams))
        seed += 1
    passed, failed = passed + sum(results), failed + len(results) - sum(results)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
