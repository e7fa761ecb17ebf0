# SPDX-License-Identifier: GPL-2.0-or-later
"""Crashes that explain themselves: faults of every kind at some fifty places of the hypervisor.

Each must give one document that fits docs/crash-report.schema.json and names the function; it must outlive a reset,
and the next run must tell of it. A fault is code that goes wrong, written over a function's first bytes by QEMU's
debugger port while the machine stands still.
"""
import hashlib
import json
import os
import re
import socket
import struct

import jsonschema

from lab import BUILD, HOSPES, IMAGES, LINUX, VMLINUZ, Failure, Machine, bound, check, module, run, scratch

SCHEMA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "crash-report.schema.json")
GUEST = os.path.join(BUILD, "guest", "tiny")
LIFE = "restart tiny"       # a server is built, runs, ends and is taken down

NO_PAGE, NO_ADDRESS = 0xffff87fffffff000, 0x8000000000000000    # nothing is mapped there; not canonical
WORK, CONSOLE, LOG = range(1, 4)    # of the locks that a fault may want, places in the notes
NOTES = "desc_panic_block"          # memory that is not used before the panic: notes for the faults lie there
TEXT, FILE = 64, 128


def notes():
    """What the faults refer to: locks (next, owner, level) and text. The level of a lock is its place in the order."""
    with open(os.path.join(os.path.dirname(SCHEMA), "..", "src", "x86", "spinlock.h")) as f:
        order = [line.split(",")[0].strip() for line in f.read().split("enum lock_level {")[1].splitlines()]
    level = [word for word in order if word.startswith("LOCK_")].index
    locks = {WORK: (0, level("LOCK_WORK")), CONSOLE: (0, level("LOCK_CONSOLE")), LOG: (1, level("LOCK_LOG"))}
    memory = bytearray(192)
    for place, (taken, at) in locks.items():
        struct.pack_into("<HHB", memory, 8 * place, taken, 0, at)   # LOG's is taken, and nobody will release it
    memory[TEXT:FILE] = b'provoked, with "quotes", a \\ and a \t tab'.ljust(FILE - TEXT, b"\0")
    memory[FILE:FILE + 4] = b"here"
    return bytes(memory)


class Code:
    """Machine code for a fault at `at`; symbol(name) is an address."""

    def __init__(self, at, symbol):
        self.at, self.symbol, self.bytes = at, symbol, b""

    def plain(self, *code):
        self.bytes += bytes(code)
        return self

    def load(self, register, address):
        """movabs $address, %register"""
        return self.plain(0x48, {"rsp": 0xbc, "rsi": 0xbe, "rdi": 0xbf}[register], *struct.pack("<Q", address))

    def note(self, register, offset):
        return self.load(register, self.symbol(NOTES) + offset)

    def call(self, name):
        end = self.at + len(self.bytes) + 5
        return self.plain(0xe8, *struct.pack("<i", self.symbol(name) - end))


# What goes wrong, and what the document calls that.
KINDS = {
    "panic": ("panic", lambda c: c.note("rdi", TEXT).call("panic")),
    "assertion": ("assertion", lambda c: c.note("rdi", TEXT).note("rsi", FILE).call("assert_failed")),
    "lock-order": ("panic", lambda c: c.note("rdi", 8 * CONSOLE).call("spin_lock").note("rdi", 8 * WORK).call("spin_lock")),
    "deadlock": ("deadlock", lambda c: c.note("rdi", 8 * LOG).call("spin_lock")),
    "undefined": ("exception", lambda c: c.plain(0x0f, 0x0b)),                              # ud2
    "divide": ("exception", lambda c: c.plain(0x31, 0xc9, 0xf7, 0xf1)),                     # xor %ecx, %ecx; div %ecx
    "page-fault": ("exception", lambda c: c.plain(0xa2, *struct.pack("<Q", NO_PAGE))),      # movabs %al, ADDRESS
    "protection": ("exception", lambda c: c.plain(0xa2, *struct.pack("<Q", NO_ADDRESS))),
    "call": ("exception", lambda c: c.plain(0x31, 0xc0, 0xff, 0xd0)),                       # xor %eax, %eax; call *%rax
    "double-fault": ("double fault", lambda c: c.load("rsp", NO_PAGE).plain(0x50)),         # push %rax
    "stack-overflow": ("stack overflow", lambda c: c.plain(0xe8, 0xfb, 0xff, 0xff, 0xff)),  # call itself
    "hang": ("watchdog", lambda c: c.plain(0xfa, 0xeb, 0xfe)),                              # cli; jmp itself
    "halt": ("watchdog", lambda c: c.plain(0xfa, 0xf4, 0xeb, 0xfd)),                        # cli; hlt; jmp to hlt
    "machine-check": ("machine check", lambda c: c.plain(0xcd, 0x12)),                      # int $18
    "nmi": ("nmi", lambda c: c.plain(0xcd, 0x02)),                                          # int $2
}

# Kind, function, and the command that leads there (none: it comes by itself).
PLACES = [
    ("panic", "do_memory", "memory"), ("assertion", "do_list", "list"), ("lock-order", "do_help", "help"),
    ("hang", "do_memory", "memory"), ("deadlock", "do_help", "help"), ("nmi", "do_counters", "counters"),
    ("undefined", "timer_softirq", None), ("divide", "upcall_softirq", None), ("machine-check", "upcall_timer", None),
    ("stack-overflow", "work_softirq", "memory"), ("double-fault", "console_step", "memory"),
    ("page-fault", "prompt_key", "m"), ("protection", "server_find", "state tiny"), ("call", "do_state", "state tiny"),
    ("undefined", "server_restart", LIFE), ("page-fault", "life_step", LIFE), ("panic", "image_restore", LIFE),
    ("double-fault", "build_begin", LIFE), ("stack-overflow", "build_step", LIFE), ("divide", "build_end", LIFE),
    ("protection", "domain_create", LIFE), ("assertion", "vcpu_create", LIFE), ("call", "domain_alloc_frames", LIFE),
    ("undefined", "page_alloc", LIFE), ("page-fault", "heap_alloc", LIFE), ("machine-check", "pv_domain_create", LIFE),
    ("nmi", "pv_vcpu_create", LIFE), ("hang", "evtchn_create", LIFE), ("halt", "vtimer_init", LIFE),
    ("deadlock", "sched_unit_init", LIFE), ("stack-overflow", "pv_get_type", LIFE),
    ("double-fault", "guest_switch", LIFE), ("protection", "schedule", LIFE), ("panic", "sched_wake", LIFE),
    ("call", "upcall_hypercall_quick", LIFE), ("page-fault", "do_sched_op", LIFE), ("undefined", "domain_shutdown", LIFE),
    ("divide", "domain_kill", LIFE), ("assertion", "pv_relinquish", LIFE), ("lock-order", "evtchn_relinquish", LIFE),
    ("machine-check", "pv_put_type", LIFE), ("nmi", "page_free", LIFE), ("stack-overflow", "heap_free", LIFE),
    ("double-fault", "vcpu_destroy", LIFE), ("page-fault", "evtchn_destroy", LIFE), ("panic", "console_attach", LIFE),
    ("protection", "guest_unload_local", LIFE), ("call", "timer_kill", LIFE), ("undefined", "timer_set", None),
    ("page-fault", "log_at", LIFE), ("halt", "domain_unpause", LIFE), ("double-fault", "timer_kill", LIFE),
]


class Bench:
    """QEMU's own ports: its monitor and its debugger."""

    def __init__(self, name):
        self.qmp_path, self.gdb_path = scratch(f"qmp-{name}"), scratch(f"gdb-{name}")
        for path in (self.qmp_path, self.gdb_path):
            if os.path.exists(path):
                os.unlink(path)
        self.qmp = None
        self.symbols = {fields[2]: int(fields[0], 16) for fields in map(str.split, run("nm", HOSPES).splitlines())
                        if len(fields) == 3}

    def options(self):
        return ["-qmp", f"unix:{self.qmp_path},server=on,wait=off", "-gdb", f"unix:{self.gdb_path},server=on,wait=off"]

    def ask(self, command, **arguments):
        """A command of QEMU's monitor."""
        if self.qmp is None:
            self.qmp = socket.socket(socket.AF_UNIX)
            self.qmp.connect(self.qmp_path)
            self.qmp.sendall(b'{"execute": "qmp_capabilities"}')
        self.qmp.sendall(json.dumps({"execute": command, "arguments": arguments}).encode())
        self.qmp.recv(65536)

    def reset(self):
        """The reset button: memory stays as it is."""
        self.ask("system_reset")

    def write(self, pieces):
        """Bytes to memory at (address, bytes)... The machine stands still from the connection to the farewell."""
        with socket.socket(socket.AF_UNIX) as gdb:
            gdb.settimeout(20)
            gdb.connect(self.gdb_path)
            for text in [f"M{at:x},{len(code):x}:{code.hex()}" for at, code in pieces] + ["D"]:
                gdb.sendall(b"+$%s#%02x" % (text.encode(), sum(text.encode()) % 256))
                answer = b""
                while not re.search(rb"\$(OK|E..)#..", answer):    # it also tells that the machine has stopped
                    answer += gdb.recv(4096)
                check(b"$OK#" in answer, f"QEMU's debugger port refuses {text[:30]}: {answer}")

    def break_function(self, kind, function):
        at = self.symbols[function]
        code = KINDS[kind][1](Code(at, self.symbols.__getitem__)).bytes
        self.write([(self.symbols[NOTES], notes()), (at, code)])


def read_document(m, seconds):
    m.expect(r"-----BEGIN HOSPES CRASH REPORT-----\r?\n", seconds, panic=True)
    m.expect(r"-----END HOSPES CRASH REPORT-----", 20, panic=True)
    return json.loads(m.qemu.before)


def names(document):
    """The functions on the stack of the CPU that crashed; after it the one that the reason names."""
    first = document["cpus"][0]
    check(first["state"] == "crashed" and first["cpu"] == document["reason"]["cpu"], "the crashed CPU is not the first")
    return [place.get("function") for place in first["stack"]], document["reason"].get("function")


def judge(document, kind, function):
    """Raises if the document does not say what happened."""
    check(document["reason"]["kind"] == KINDS[kind][0], f"it says {document['reason']['kind']}")
    stack, named = names(document)
    check(named == function, f"it names {named}")
    check(function in stack[:5], f"the stack is {stack}")
    check(not document["truncated"] and document["domains"] is not None, "something is missing")
    check({cpu["cpu"] for cpu in document["cpus"]} == {0, 1}, "a CPU is missing")


def crash(m, bench, schema, kind, function, command):
    """From the boot to the document."""
    m.expect(r"\(hv\) tiny: powered off, all \d+ frames returned", 30, panic=True)
    m.expect(r"hospes> ", 10, panic=True)
    bench.break_function(kind, function)
    if command:
        m.line(command)
    document = read_document(m, 30)
    jsonschema.validate(document, schema)
    judge(document, kind, function)
    return document


def run_places(name, places):
    with open(SCHEMA) as f:
        schema = json.load(f)
    bench, wrong = Bench(name), []
    server = module(GUEST, "domain=tiny memory=16M vcpus=1 --")
    with Machine(name, [server], mem=256, options="watchdog_timeout=1 nmi=fatal", reboots=True,
                 extra=bench.options()) as m:
        m.expect(r"\(hv\) Hospes", 20)
        for kind, function, command in places:
            document = None
            try:
                document = crash(m, bench, schema, kind, function, command)
            except (Failure, KeyError, ValueError, jsonschema.ValidationError) as e:
                wrong.append(f"{kind} in {function}: {str(e).splitlines()[0][:200]}")
            bench.reset()
            m.expect(r"\(hv\) Hospes \d", 20, panic=True)
            if document:
                m.expect(r"\(hv\) an earlier run crashed: ", 10, panic=True)
                check(read_document(m, 10) == document, f"{function}: another document after the reset")
        m.expect(r"hospes> ", 30, panic=True)
        bench.reset()
        m.expect(r"\(hv\) its report is still kept: \d+ bytes", 20, panic=True)
    print(f"{len(places) - len(wrong)} of {len(places)} crashes explained")
    check(not wrong, "\n".join(wrong))


@bound(240)
def test_places_first():
    run_places("crash-first", PLACES[0::2])


@bound(240)
def test_places_second():
    run_places("crash-second", PLACES[1::2])


def test_hardware():
    """What the board and the processor report, in a server and in the hypervisor."""
    with open(SCHEMA) as f:
        schema = json.load(f)
    bench = Bench("crash-hardware")
    server = module(os.path.join(BUILD, "guest", "spin"), "domain=spin memory=16M vcpus=1 --")
    with Machine("crash-hardware", [server], mem=256, options="nmi=fatal", reboots=True, extra=bench.options()) as m:
        for line, kind in (("nmi", "nmi"), ("mce 0 1 0xb200000000000134 4 0x1000 0", "machine check"),
                           ("mce 1 1 0xb200000000000134 4 0x1000 0", "machine check")):
            m.expect(r"\n\(hv\) spin: started", 30, panic=True)   # in no document, where lines do not begin so
            m.expect(r"\n\(hv\) TSC", 10, panic=True)
            bench.ask("human-monitor-command", **{"command-line": line})
            document = read_document(m, 20)
            jsonschema.validate(document, schema)
            check(document["reason"]["kind"] == kind, f"{line}: it says {document['reason']['kind']}")
            check({cpu["state"] for cpu in document["cpus"]} == {"crashed", "stopped"}, "a CPU did not tell where it was")
            bench.reset()


@bound(300)
def test_pstore():
    """dom0's crash is the machine's: the next dom0 finds the hypervisor's report and its own oops, each a file."""
    modules = [module(VMLINUZ, "console=hvc0 earlyprintk=xen panic=-1 disks=0"), module(os.path.join(IMAGES, "dom0.gz"))]
    with Machine("crash-pstore", modules, "dom0_mem=512M", mem=1024, reboots=True) as m:
        m.expect(r"dom0: ready", LINUX)
        check("dom0: kept:" not in m.seen(), "there is a record before anything happened")
        m.expect(r"# ", 20)
        m.line("echo c > /proc/sysrq-trigger")
        m.expect(r"\(hv\) dom0: crashed, and the machine with it", 30)
        document = read_document(m, 20)
        text = m.qemu.before.replace("\r", "").encode("latin-1")
        with open(SCHEMA) as f:
            jsonschema.validate(document, json.load(f))
        check(document["reason"]["kind"] == "dom0" and document["domains"][0]["state"] == "crashed", "it is not dom0's")
        m.expect(r"\(hv\) an earlier run crashed: dom0 crashed", 30)
        m.expect(r"dom0: kept: dmesg-ramoops-0 \d{4,}", LINUX)
        found = m.expect(r"dom0: kept: dmesg-ramoops-1 (\d+) ([0-9a-f]{32})\b", 10)
        check(int(found[1]) == len(text) and found[2] == hashlib.md5(text).hexdigest(), "the file is not the document")
