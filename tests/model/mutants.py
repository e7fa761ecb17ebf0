#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Do the tests find holes of the kinds that Xen once had? Each is planted in a copy, and its test must fail.

The page types and grants are searched exhaustively at small sizes by tests/unit/test_type_explore.c,
test_grant_explore.c, test_frame_type.c, test_grant_pin.c and test_pv_types.c; the rest of the kinds are in other
unit tests and tiny guests. Faults of other kinds are for what the sanitised build guards. A text to
be replaced that is not there exactly once is an error: the mutant has to follow the source.

usage: mutants.py --build DIR; the last line is `N passed, N failed`.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

PV_CREATE = "    d->pv = heap_alloc(sizeof(*d->pv));\n    return"

# (what, file, text, instead, unit test, "guest:NAME" or "sanitised:NAME", the guest on the sanitised build)
MUTANTS = [
    ("XSA-148: an entry becomes a superpage without a look", "src/pv/mmu.c",
     " && !((old ^ e) & (PTE_PS | PTE_G | PTE_PCD | PTE_PWT))", "", "pv_types"),
    ("XSA-148: an entry becomes a superpage without a look, searched", "src/pv/mmu.c",
     " && !((old ^ e) & (PTE_PS | PTE_G | PTE_PCD | PTE_PWT))", "", "type_explore"),
    ("XSA-182: an entry becomes writable without a look", "src/pv/mmu.c",
     "((a ^ b) & (PTE_ADDR | PTE_RW)) == 0", "((a ^ b) & PTE_ADDR) == 0", "pv_types"),
    ("XSA-182: an entry becomes writable without a look, searched", "src/pv/mmu.c",
     "((a ^ b) & (PTE_ADDR | PTE_RW)) == 0", "((a ^ b) & PTE_ADDR) == 0", "type_explore"),
    ("XSA-182: a table of the same level is mapped writable", "src/pv/entries.c",
     "        if (*e & PTE_RW)\n            return -EINVAL;\n", "", "type_explore"),
    ("XSA-212: answers go to any address", "src/x86/uaccess.c",
     "    if (!guest_range_ok(gva, size))\n        return -EFAULT;\n    return copy_with_fixup((void *)gva",
     "    return copy_with_fixup((void *)gva", "guest:abuse"),
    ("XSA-213: a multicall goes on after iret", "src/hypercall/multicall.c",
     "error != 0 || args->registers_loaded", "error != 0", "hypercall"),
    ("XSA-227: a grant is mapped by an entry that is not aligned", "src/pv/grant_map.c",
     "if ((addr & 7) || ", "if (", "guest:grants"),
    ("XSA-227: a grant is mapped by an entry that is not aligned, searched", "src/pv/grant_map.c",
     "if ((addr & 7) || ", "if (", "grant_explore"),
    ("XSA-255: a grant table changes its version in use", "src/grant/admin.c",
     "    if (in_use(t))", "    if (false && in_use(t))", "grant"),
    ("XSA-255: a grant table changes its version in use, searched", "src/grant/admin.c",
     "    if (in_use(t))", "    if (false && in_use(t))", "grant_explore"),
    ("a grant ends before the TLBs are flushed", "src/grant/map.c",
     "    if (n > 0)\n        tlb_flush(atomic_load(&d->dirty_cpus));\n", "", "grant_explore"),
    ("the granter's bits go before the holder", "src/grant/entry.c",
     "    pin_remove(&a->pin, use, readonly);\n    after = pin_status(a->pin);",
     "    after = 0;\n    pin_remove(&a->pin, use, readonly);", "grant_explore"),
    ("a mapping that failed keeps its grant", "src/grant/map.c",
     "    if (status != GNTST_okay)\n        release_uses(m, m->flags & BOTH_USES);\n    return status;",
     "    return status;", "grant_explore"),
    ("a granted frame is not held as writable", "src/grant/entry.c",
     "    if (!readonly && !grant_host->get_writable(f)) {", "    if (false) {", "grant_explore"),
    ("a frame has two types at once", "src/mem/frame_type.h",
     "if (ft_count(w) > 0 && !same)", "if (ft_count(w) > 2 && !same)", "frame_type"),
    ("old translations outlive a change of type", "src/mem/frame_type.h",
     "*flush = !same && frame_type_of(w) != FRAME_NONE;", "*flush = false;", "frame_type"),
    ("the stamp of a frame's last use is forgotten", "src/pv/pagetype.c",
     "    f->flush_stamp = tlb_stamp_now();\n    finish(f, ft_undone);", "    finish(f, ft_undone);", "type_explore"),
    ("a half-done validation does not keep its frame", "src/pv/pagetype.c",
     "        frame_get_known(f);\n    finish(f, ft_interrupted);", "        (void)f;\n    finish(f, ft_interrupted);",
     "type_explore"),
    ("a table that is locked can be undone", "src/mem/frame_type.h",
     "    if (w & FT_LOCKED)\n        return FT_WAIT;\n    *next = (w | FT_LOCKED) & ~FT_VALIDATED;",
     "    *next = (w | FT_LOCKED) & ~FT_VALIDATED;", "type_explore"),
    ("an entry is written before its reference is taken", "src/pv/mmu.c",
     "    rc = pv_get_l1(d, owner, &e);\n    if (rc)\n        return rc;\n    rc = write_entry(p, old, e, keep_ad, expect);",
     "    rc = write_entry(p, old, e, keep_ad, expect);\n    if (rc == 0 && (rc = pv_get_l1(d, owner, &e)) != 0)\n        return rc;",
     "type_explore"),
    ("the hypervisor's copy of a root keeps an entry that is gone", "src/pv/mmu.c",
     "    if (level == 4)\n        isolate_follow(frame_to_mfn(f), slot);\n", "", "pv_types"),
    ("an absent entry names memory on a processor with L1TF", "src/pv/mmu.c",
     "if (presence == PTE_IS_SUSPECT && !pv_absent_ok(d, e))", "if (false)", "pv_types"),
    ("a table becomes one with absent entries that name memory", "src/pv/pagetype.c",
     "    rc = check_absent(f, level_of(t));\n    if (rc == 0)", "    rc = check_absent(f, level_of(t));\n    if (true)",
     "pv_types"),
    ("an undone table keeps a count", "src/mem/frame_type.h",
     "FT_PARTIAL | FT_PINNED | FT_COUNT_MASK);", "FT_PARTIAL | FT_PINNED);", "frame_type"),
    ("two CPUs change a table at once", "src/mem/frame_type.h",
     "        return FT_WAIT;\n    *next = w | FT_LOCKED;", "        return FT_DONE;\n    *next = w | FT_LOCKED;",
     "frame_type"),
    ("a linear entry is writable", "src/pv/entries.c",
     "        if (*e & PTE_RW)\n            return -EINVAL;\n", "", "pv_types"),
    ("a read-only grant is mapped writable", "src/grant/pin.c",
     " || (!readonly && (flags & GTF_readonly))", "", "grant_pin"),
    ("a grant is used by another domain", "src/grant/pin.c", " || granted_to != who", "", "grant_pin"),
    ("the granter is not told of a writer", "src/grant/pin.c",
     "p.host_write != 0 || p.device_write != 0", "p.host_write != 0", "grant_pin"),
    ("sanitised: a shift by more than there are bits", "src/pv/domain.c", PV_CREATE,
     "    volatile int n = 40;\n\n    d->pv = heap_alloc(sizeof(*d->pv) + (size_t)(1 << n >> 31));\n    return",
     "sanitised:tiny"),
    ("sanitised: a byte behind a small object", "src/pv/domain.c", PV_CREATE,
     "    d->pv = heap_alloc(24);\n    ((volatile uint8_t *)d->pv)[24] = 1;\n    heap_free(d->pv);\n"
     "    d->pv = heap_alloc(sizeof(*d->pv));\n    return", "sanitised:tiny"),
    ("sanitised: a small object is written after it was freed", "src/pv/domain.c", PV_CREATE,
     "    volatile uint64_t *word = heap_alloc(24);\n\n    heap_free((void *)word);\n    word[2] = 1;\n"
     "    d->pv = heap_alloc(24);\n    d->pv = heap_alloc(sizeof(*d->pv));\n    return", "sanitised:tiny"),
    ("sanitised: a page is written after it was freed", "src/pv/domain.c", PV_CREATE,
     "    extern void *hv_page_alloc(void), hv_page_free(void *page);\n"
     "    volatile uint64_t *word = hv_page_alloc();\n\n    hv_page_free((void *)word);\n    word[2] = 1;\n"
     "    d->pv = hv_page_alloc();\n    d->pv = heap_alloc(sizeof(*d->pv));\n    return", "sanitised:tiny"),
    ("sanitised: an array on the stack overflows", "src/pv/domain.c", PV_CREATE,
     "    uint8_t words[16];\n    volatile size_t n = 40;\n\n    memset(words, 1, n);\n"
     "    d->pv = heap_alloc(sizeof(*d->pv) + (words[1] > 1));\n    return", "sanitised:tiny"),
    ("sanitised: two locks in the wrong order", "src/pv/domain.c", PV_CREATE,
     "    spin_lock(&d->page_lock);\n    spin_lock(&d->lock);\n    spin_unlock(&d->lock);\n"
     "    spin_unlock(&d->page_lock);\n    d->pv = heap_alloc(sizeof(*d->pv));\n    return", "sanitised:tiny"),
]


class Copy:
    def __init__(self, build):
        self.at = os.path.join(os.path.abspath(build), "mutants")
        shutil.rmtree(self.at, ignore_errors=True)
        os.makedirs(self.at)
        for name in ("src", "tests", "scripts", "bench", "Makefile"):
            subprocess.run(["cp", "-a", os.path.join(ROOT, name), self.at], check=True)
        self.build = os.path.join(self.at, "build")
        os.makedirs(self.build)
        for part in ("include", "gen", "src", "guest", "hospes", "debug"):   # what is built need not be built again
            if os.path.exists(os.path.join(build, part)):
                subprocess.run(["cp", "-a", os.path.join(build, part), self.build], check=True)
        shutil.rmtree(os.path.join(self.build, "unit"), ignore_errors=True)

    def make(self, target, *more):
        run = subprocess.run(["make", "-s", f"-j{os.cpu_count()}", f"B={self.build}", *more, f"{self.build}/{target}"],
                             cwd=self.at, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        return run.returncode == 0, run.stdout.decode(errors="replace")

    def passes(self, test):
        """Builds and runs a test; (built, passed)."""
        kind, _, name = test.rpartition(":")
        image = {"": "", "guest": "hospes", "sanitised": "debug/hospes"}[kind]
        if kind == "sanitised":
            built, said = self.make(image, f"B={self.build}/debug", "SANITIZE=1")
        else:
            built, said = self.make(image or f"unit/test_{name}")
        if not built:
            print(said)
            return False, False
        command = [f"{self.build}/unit/test_{name}"]
        if image:
            command = ["tests/guest/run.py", "--build", self.build, "--timeout", "30", "--image",
                       f"{self.build}/{image}", *(["--server"] if kind == "sanitised" else []), name]
        try:
            return True, subprocess.run(command, cwd=self.at, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        timeout=400, check=False).returncode == 0
        except subprocess.TimeoutExpired:
            return True, False


def plant(copy, mutant):
    """True if the tests find it."""
    what, file, text, instead, test = mutant
    path = os.path.join(copy.at, file)
    with open(path, encoding="utf-8") as f:
        source = f.read()
    if source.count(text) != 1:
        print(f"  FAIL {what}: the text is {source.count(text)} times in {file}")
        return False
    with open(path, "w", encoding="utf-8") as f:
        f.write(source.replace(text, instead))
    built, passed = copy.passes(test)
    with open(path, "w", encoding="utf-8") as f:
        f.write(source)
    print(f"  {'ok  ' if built and not passed else 'FAIL'} {what}: {test} "
          f"{'does not build' if not built else 'passes' if passed else 'fails'}", flush=True)
    return built and not passed


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--build", default="build")
    p.add_argument("--only", default="")
    args = p.parse_args()
    copy = Copy(args.build)
    mutants = [m for m in MUTANTS if re.search(args.only, m[0] + m[4])]
    good = 0
    for test in sorted({m[4] for m in mutants}):
        built, passed = copy.passes(test)      # as it is, it must pass
        print(f"  {'ok  ' if built and passed else 'FAIL'} {test}, unchanged", flush=True)
        good += built and passed
        good += sum(plant(copy, m) for m in mutants if m[4] == test)
    total = len(mutants) + len({m[4] for m in mutants})
    print(f"{good} passed, {total - good} failed")
    return 0 if good == total else 1


if __name__ == "__main__":
    sys.exit(main())
