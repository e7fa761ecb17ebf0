# SPDX-License-Identifier: GPL-2.0-or-later
"""Crashes that explain themselves: faults of every kind at some fifty places of the hypervisor.

Each must give one document that fits docs/crash-report.schema.json and names the function; it must outlive a reset,
and the next run must tell of it. The prompt's `crash KIND FUNCTION` puts the fault at the function's beginning.
"""
import hashlib
import json
import os
import socket

import jsonschema

from lab import BUILD, IMAGES, LINUX, VMLINUZ, Failure, Machine, bound, check, module, scratch

SCHEMA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "crash-report.schema.json")
GUEST = os.path.join(BUILD, "guest", "tiny")
LIFE = "restart tiny"       # a server is built, runs, ends and is taken down

# What the document calls the kind, and the function that it names where that is one that the fault calls.
KINDS = {
    "panic": "panic", "assertion": "assertion", "lock-order": "panic", "deadlock": "deadlock", "undefined": "exception",
    "divide": "exception", "page-fault": "exception", "protection": "exception", "call": "exception",
    "double-fault": "double fault", "stack-overflow": "stack overflow", "hang": "watchdog", "halt": "watchdog",
    "machine-check": "machine check", "nmi": "nmi",
}
CALLED = {"assertion": "assert_wrong", "lock-order": "break_order"}     # unless they are called by a jump

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


def reset(qmp):
    """QEMU's reset button: memory stays as it is."""
    qmp.sendall(b'{"execute": "system_reset"}')
    qmp.recv(65536)


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
    check(document["reason"]["kind"] == KINDS[kind], f"it says {document['reason']['kind']}")
    stack, named = names(document)
    check(named in (function, CALLED.get(kind)), f"it names {named}")
    check(function in stack[:5], f"the stack is {stack}")
    check(not document["truncated"] and document["domains"] is not None, "something is missing")
    check({cpu["cpu"] for cpu in document["cpus"]} == {0, 1}, "a CPU is missing")


def crash(m, schema, kind, function, command):
    """From the boot to the document."""
    m.expect(r"\(hv\) tiny: powered off, all \d+ frames returned", 30, panic=True)
    m.expect(r"hospes> ", 10, panic=True)
    m.line(f"crash {kind} {function}")
    found = m.expect([r"it will", r"no such function", r"crash needs", r"\(hv\) panic: "], 10, panic=True)
    check(found in (0, 3), f"crash {kind} {function}: no such place")
    if command and found == 0:
        m.line(command)
    document = read_document(m, 30)
    jsonschema.validate(document, schema)
    judge(document, kind, function)
    return document


def run_places(name, places):
    with open(SCHEMA) as f:
        schema = json.load(f)
    path, wrong = scratch(f"qmp-{name}"), []
    if os.path.exists(path):
        os.unlink(path)
    server = module(GUEST, "domain=tiny memory=16M vcpus=1 --")
    with Machine(name, [server], mem=256, options="watchdog_timeout=1 nmi=fatal", reboots=True,
                 extra=["-qmp", f"unix:{path},server=on,wait=off"]) as m:
        m.expect(r"\(hv\) Hospes", 20)
        qmp = socket.socket(socket.AF_UNIX)
        qmp.connect(path)
        qmp.sendall(b'{"execute": "qmp_capabilities"}')
        for kind, function, command in places:
            document = None
            try:
                document = crash(m, schema, kind, function, command)
            except (Failure, ValueError, jsonschema.ValidationError) as e:
                wrong.append(f"{kind} in {function}: {str(e).splitlines()[0]}")
            reset(qmp)
            m.expect(r"\(hv\) Hospes \d", 20, panic=True)
            if document:
                m.expect(r"\(hv\) an earlier run crashed: ", 10, panic=True)
                check(read_document(m, 10) == document, f"{function}: another document after the reset")
        m.expect(r"hospes> ", 30)
        reset(qmp)
        m.expect(r"\(hv\) its report is still kept: \d+ bytes", 20)
    print(f"{len(places) - len(wrong)} of {len(places)} crashes explained")
    check(not wrong, "\n".join(wrong))


@bound(240)
def test_places_first():
    run_places("crash-first", PLACES[0::2])


@bound(240)
def test_places_second():
    run_places("crash-second", PLACES[1::2])


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
        found = m.expect(r"dom0: kept: dmesg-ramoops-1 (\d+) (\S+)", 10)
        check(int(found[1]) == len(text) and found[2] == hashlib.md5(text).hexdigest(), "the file is not the document")
