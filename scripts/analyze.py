#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""All analysis of the sources: our own rules, and other people's tools.

usage: analyze.py --build DIR --cpp FLAGS --cflags FLAGS [--own FILE=FLAGS]... [--only WORD] FILE...

Each check is run on the sources, and before that on a few lines that break its rule
(SAMPLES): a check that finds nothing there is broken itself. The last line is
`N passed, N failed`. A check is a function of (tools, tree, files) that returns complaints.

What a tool found clean is not given to it again until the file, a header or a flag
changes: the stamps of clean files are in DIR/analyze.
"""
import argparse
import functools
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import abi_status
import check_layers
import check_locks
import check_style

# For each check: files that break its rule, and a word of the complaint that must come.
SAMPLES = {
    "layers": ({"src/lib/bad.c": '#include "mem/frame.h"\n'}, "mem/ is not above"),
    "style": ({"src/lib/bad.c": "int x; // TO" + "DO\n"}, "left to do"),
    "locks": ({"src/x86/spinlock.h": "enum lock_level { LOCK_A, LOCK_B, LOCK_LEVELS };\n",
               "src/mem/bad.c": "static spinlock_t a = SPINLOCK_INIT(LOCK_A);\nspinlock_t b = SPINLOCK_INIT(LOCK_B);\n"
                                "void f(void)\n{\n    spin_lock(&b);\n    spin_lock(&a);\n}\n"},
              "takes LOCK_A by spin_lock() while it holds LOCK_B"),
    "abi": ({"docs/abi-status.md": "| `XENVER_version`, `XENVER_nonsense` | whole |\n",
             "src/hypercall/bad.c": "case XENVER_version: case XENVER_nonsense: break;\n"},
            "XENVER_nonsense has a row already, or is nothing that the headers define"),
    "headers": ({"src/lib/bad.h": "uint64_t f(nobody_knows x);\n"}, "nobody_knows"),
    "threads": ({"src/lib/bad.c": '#include "x86/spinlock.h"\n'
                                  "void f(spinlock_t *l);\nvoid f(spinlock_t *l) { spin_lock(l); }\n"},
                "still held"),
    "sparse": ({"src/lib/bad.c": "int *f(void);\nint *f(void) { return 0; }\n"}, "NULL pointer"),
    "cppcheck": ({"src/lib/bad.c": "int f(void);\nint f(void) { int a[2]; a[2] = 1; return a[0]; }\n"},
                 "out of bounds"),
    "clang-tidy": ({"src/lib/bad.c": "int f(int a);\nint f(int a) { return a - 1 == a - 1; }\n"},
                   "misc-redundant-expression"),
}


class Tools:
    """How the sources are compiled, for tools that must know."""

    def __init__(self, args):
        self.cpp = args.cpp.split()
        self.cflags = args.cflags.split()
        # {"lib/xz": what the preprocessor must know for this file}; how code is generated is the compiler's alone
        self.own = {name: [f for f in flags.split() if not f.startswith(("-f", "-O"))]
                    for name, flags in (own.split("=", 1) for own in args.own)}
        self.objects = args.build
        self.stamps = os.path.join(args.build, "analyze")
        os.makedirs(self.stamps, exist_ok=True)

    def flags(self, tree, compiler, path="."):
        """The preprocessor's flags, with the compiler's own headers, the tree's folders and the file's flags."""
        own = own_headers(compiler)
        found = [os.path.join(tree, "src") if f == "src" else f for f in self.cpp]
        found = [f"-I{tree}/src" if f == "-Isrc" else f for f in found]
        at = found.index("-isystem") + 1
        found[at] = own
        name = os.path.splitext(os.path.relpath(path, "src"))[0]
        return found + self.own.get(name, []) + ([f"-I{os.getcwd()}/src"] if tree != "." else [])

    def stamp(self, command, path):
        """The name of what a tool sees: its command, and the file with all that it includes."""
        text = subprocess.run(["gcc", *self.flags(".", "gcc", path), "-E", "-C", path], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, check=False)
        with open(".clang-tidy", "rb") as config:
            seen = "\0".join(command).encode() + config.read() + text.stdout
        return os.path.join(self.stamps, hashlib.sha256(seen).hexdigest()) if text.returncode == 0 else None


@functools.lru_cache()
def own_headers(compiler):
    return subprocess.run([compiler, "-print-file-name=include"], stdout=subprocess.PIPE, text=True,
                          check=True).stdout.strip()


def each(tools, files, command):
    """Runs a command for every file that it has not seen, on all CPUs; what is said becomes complaints."""
    def one(path):
        stamp = tools.stamp(command(path), path)
        if stamp and os.path.exists(stamp):
            return []
        done = subprocess.run(command(path), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", check=False)
        if done.returncode == 0:
            if stamp:
                open(stamp, "w").close()
            return []
        return [line for line in done.stdout.splitlines() if line.strip()] or [f"{path}: code {done.returncode}"]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [line for lines in pool.map(one, files) for line in lines]


def layers(tools, tree, files):
    build = tools.objects if tree == "." else None
    return check_layers.complaints(tree, build)


def style(tools, tree, files):
    return check_style.complaints(tree)


def locks(tools, tree, files):
    return check_locks.complaints(tree)


def abi(tools, tree, files):
    return abi_status.complaints(tree)


def headers(tools, tree, files):
    """Every header compiles alone, with both compilers."""
    found = []
    paths = [p for p, n in check_layers.sources(tree) if n.endswith(".h") and not n.startswith("lib/config")]
    for compiler in ("gcc", "clang"):
        flags = tools.flags(tree, compiler)
        found += each(tools, paths, lambda p: [compiler, *flags, *tools.cflags, "-Wno-pragma-once-outside-header",
                                        "-Wno-unused-function", "-fsyntax-only", "-xc", p])
    return found


def threads(tools, tree, files):
    """clang's thread-safety analysis of the lock classes."""
    return each(tools, files, lambda p: ["clang", *tools.flags(tree, "clang", p), *tools.cflags, "-Wthread-safety",
                                         "-fsyntax-only", p])


def sparse(tools, tree, files):
    return each(tools, files, lambda p: ["sparse", "-m64", "-ffreestanding", '-D__VERSION__="sparse"',
                                         *tools.flags(tree, "gcc", p), "-std=gnu17", "-Wsparse-error", "-Wno-decl",
                                         "-Wno-cast-truncate", p])


def cppcheck(tools, tree, files):
    if not files:
        return []
    done = subprocess.run(
        ["cppcheck", "--quiet", "-j", str(os.cpu_count()), "--std=c11", "--enable=warning,portability,performance",
         "--inline-suppr", "--error-exitcode=1", "--template={file}:{line}: {id}: {message}", "--platform=unix64",
         f"-I{tree}/src", f"--include={os.getcwd()}/src/lib/config.h", "-D__XEN__", "-D__x86_64__", "-D__GNUC__=12",
         "-DHOSPES_DEBUG=1", "--suppress=missingInclude", "--suppress=missingIncludeSystem",
         "--suppress=unusedFunction", "--suppress=comparePointers", *files],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.stdout.splitlines() if done.returncode else []


def clang_tidy(tools, tree, files):
    cflags = [f for f in tools.cflags if f != "-Werror"]
    found = each(tools, files, lambda p: ["clang-tidy", "--quiet", "--config-file=.clang-tidy", p, "--",
                                          *tools.flags(tree, "clang", p), *cflags])
    return [f for f in found if not re.match(r"\d+ warnings? (treated as errors?|generated)|Suppressed|Use -", f)]


CHECKS = {"layers": layers, "style": style, "locks": locks, "abi": abi, "headers": headers, "threads": threads,
          "sparse": sparse, "cppcheck": cppcheck, "clang-tidy": clang_tidy}


def finds_sample(tools, name):
    """Does the check find the fault of its sample?"""
    sample, word = SAMPLES[name]
    tree = tempfile.mkdtemp(prefix="hospes-analyze-")
    try:
        for path, text in sample.items():
            os.makedirs(os.path.dirname(os.path.join(tree, path)), exist_ok=True)
            with open(os.path.join(tree, path), "w") as f:
                f.write(text)
        files = [os.path.join(tree, p) for p in sample if p.endswith(".c")]
        return any(word in complaint for complaint in CHECKS[name](tools, tree, files))
    finally:
        shutil.rmtree(tree)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--build", required=True)
    p.add_argument("--cpp", required=True)
    p.add_argument("--cflags", required=True)
    p.add_argument("--own", action="append", default=[])
    p.add_argument("--only", default="")
    p.add_argument("files", nargs="*")
    args = p.parse_args()
    tools = Tools(args)
    passed = failed = 0
    for name, check in CHECKS.items():
        if args.only not in name:
            continue
        start = time.monotonic()
        if not finds_sample(tools, name):
            complaints = ["the check does not find the fault of its own sample"]
        else:
            complaints = check(tools, ".", [f for f in args.files if f.endswith(".c")])
        print(f"  {'FAIL' if complaints else 'ok  '} analyze {name}: {time.monotonic() - start:.0f} s", flush=True)
        for line in complaints[:60]:
            print("       | " + line)
        failed, passed = failed + bool(complaints), passed + (not complaints)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
