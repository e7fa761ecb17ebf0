# SPDX-License-Identifier: GPL-2.0-or-later
"""Bad input: each gives one line with the module or option, and the other servers start."""
import os
import re
import struct

from lab import BUILD, LINUX, RAMDISK, VMLINUZ, Failure, Machine, check, module, scratch, server


def write(name, data):
    path = scratch(name)
    with open(path, "wb") as f:
        f.write(data)
    return path


def read(path, size=-1):
    with open(path, "rb") as f:
        return f.read(size)


def tiny():
    return os.path.join(BUILD, "guest", "tiny")


def bad_modules(name, cases, mem=1024):
    """cases: (modules, words of the expected line). A good server comes last and must start."""
    servers = [modules for modules, _ in cases] + [server("good", words="work=1")]
    with Machine(name, servers, mem=mem) as m:
        m.expect(r"\[good\] good: ready", LINUX)
        lines = re.findall(r"^\(hv\) module .*$", m.seen(), re.M)
        wrong = []
        for _, words in cases:
            if not any(all(w in line for w in words) for line in lines):
                wrong.append(f"no line with {' + '.join(words)}")
        for line in lines:
            if "found" not in line or "expected" not in line:
                wrong.append("says not what was found and expected: " + line)
        if len(lines) != len(cases):
            wrong.append(f"{len(lines)} lines for {len(cases)} faults")
        if wrong:
            raise Failure("\n".join(wrong + lines))


def test_kernels():
    """Modules that are no kernel, or a damaged one."""
    image = read(VMLINUZ)
    elf = bytearray(read(tiny()))
    wrong_class = bytearray(elf)
    wrong_class[4] = 1                                      # ELFCLASS32
    no_notes = bytearray(elf)
    phoff, phnum = struct.unpack_from("<Q", elf, 32)[0], struct.unpack_from("<H", elf, 56)[0]
    for i in range(phnum):
        if struct.unpack_from("<I", elf, phoff + 56 * i)[0] == 4:       # PT_NOTE becomes PT_NULL
            struct.pack_into("<I", no_notes, phoff + 56 * i, 0)
    struct.pack_into("<QHH", no_notes, 40, 0, 64, 0)                    # and there are no sections
    no_notes[60:64] = bytes(4)
    hole = bytearray(image)
    hole[len(image) // 2:len(image) // 2 + 4096] = os.urandom(4096)
    far = bytearray(elf)
    for i in range(phnum):
        if struct.unpack_from("<I", elf, phoff + 56 * i)[0] == 1:       # a segment beyond all memory
            struct.pack_into("<Q", far, phoff + 56 * i + 40, 1 << 60)

    def case(name, data, *words):
        keys = f"domain={name} memory=64M --"
        return module(write(f"bad-{name}", bytes(data)), keys), [f"({name})", *words]

    bad_modules("kernels", [
        case("text", b"this is no kernel at all\n" * 100, "not a kernel"),
        case("noise", os.urandom(100000), "not a kernel"),
        case("short", image[:3000000], "truncated"),
        case("header", image[:600], "truncated"),
        case("hole", hole, "damaged"),
        case("class", wrong_class, "not a 64-bit x86 kernel"),
        case("cut", elf[:200], "truncated"),
        case("notes", no_notes, "not a PV kernel"),
        case("far", far, "damaged"),
    ])


def test_keys():
    """Keys that are unknown, contradictory or ask for too much."""
    def case(arguments, *words):
        return module(tiny(), arguments + " --"), words

    bad_modules("keys", [
        case("domain=k1 memory=32M colour=red", "(k1)", "unknown key", "colour"),
        case("domain=k2 memory=32M memory=64M", "(k2)", "contradictory", "memory"),
        case("domain=k3 memory=32M vcpus=many", "(k3)", "bad value", "vcpus"),
        case("domain=k4 memory=900G", "(k4)", "not enough memory"),
        case("domain=k5 memory=32M vcpus=1000", "(k5)", "too many vcpus"),
        case("domain=k6 memory=32M cpus=7-9", "(k6)", "bad value", "cpus"),
        case("domain=k7 memory=99999999999999999999", "(k7)", "bad value", "memory"),
        case("domain=k8 memory=32M weight=0", "(k8)", "bad value", "weight"),
        case("domain= memory=32M", "bad value", "domain"),
        case("domain=k9 memory=32M console=maybe", "(k9)", "bad value", "console"),
        case("domain=good2 memory", "(good2)", "bad value", "memory"),
        (module(RAMDISK, "domain=k10 memory=32M --"), ["(k10)", "not a kernel"]),
    ])


def test_duplicate_names():
    servers = [server("web", words="work=1"), module(tiny(), "domain=web memory=32M --")]
    with Machine("duplicate", servers) as m:
        m.expect(r"\(hv\) module 3 \(web\): duplicate name[^\r\n]*found[^\r\n]*expected", 20)
        m.expect(r"\[web\] web: ready", LINUX)


def test_options():
    """The hypervisor's own options."""
    with Machine("options", [server("web", words="work=1")], "flavour=plum loglvl=loud dom0_mem=lots") as m:
        m.expect_all([r"\(hv\) option flavour: [^\r\n]*unknown", r"\(hv\) option loglvl: [^\r\n]*bad value",
                      r"\(hv\) option dom0_mem: [^\r\n]*bad value"], 20)
        m.expect(r"\[web\] web: ready", LINUX)


def test_no_modules():
    with Machine("nomodules", mem=256) as m:
        m.expect(r"\(hv\) no modules: ", 20)
        m.expect(r"hospes> ", 10)
        m.ask("memory", r"free frames: \d+")


def refuses(name, word, **machine):
    with Machine(name, [module(tiny(), "domain=tiny memory=16M --")], **machine) as m:
        m.expect(rf"\(hv\) cannot start: [^\r\n]*{word}", 20)


def test_no_long_mode():
    refuses("qemu32", "long mode", cpu="qemu32")


def test_no_nx():
    refuses("nonx", "NX", cpu="qemu64,-nx")


def test_little_memory():
    refuses("little", "memory", mem=12)


def test_many_cpus():
    """More CPUs than 64: the first 64 are used."""
    with Machine("manycpus", [module(tiny(), "domain=tiny memory=16M --")], smp=70, mem=512,
                 extra=["-M", "q35"]) as m:
        m.expect(r"\(hv\) 70 CPUs found, 64 used", 60)
        m.expect(r"\(hv\) 64 CPUs, ", 60)
        m.expect(r"\(hv\) tiny: powered off, all \d+ frames returned", 60)


def test_acpi():
    """Tables whose lengths lie are named and left aside."""
    endless = write("srat", bytes(12) + bytes([0, 0]) * 8)           # entries of length 0
    beyond = write("mcfg", bytes(8) + b"\xff" * 9)                   # half an entry
    tables = ["-acpitable", f"sig=SRAT,rev=3,data={endless}", "-acpitable", f"sig=MCFG,rev=1,data={beyond}"]
    with Machine("acpi", [module(tiny(), "domain=tiny memory=16M --")], mem=256, extra=tables) as m:
        m.expect(r"\(hv\) ACPI (SRAT|MCFG): ", 20)
        m.expect(r"\(hv\) tiny: powered off", 30)
        check("(hv) ACPI SRAT: " in m.seen() and "(hv) ACPI MCFG: " in m.seen(), "one of the two was not named")
