# SPDX-License-Identifier: GPL-2.0-or-later
"""What is done about speculation: the report, stock kernels with it, and what guests' page tables show."""
import json
import os
import re
import socket
import tempfile

from lab import BUILD, LINUX, Failure, Machine, bound, check, module, server

DIRECT_MAP, FRAMES = 0xffff830000000000, 0xffff820000000000
MEASURES = "xpti=on spec-ctrl=rsb,verw,bhb-entry,bti-thunk=retpoline pv-l1tf=on loglvl=all"


class Monitor:
    """QEMU's monitor, by a socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.file = self.socket.makefile("rw")
        self.file.readline()
        self.command("qmp_capabilities")

    def command(self, name, **arguments):
        self.file.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self.file.flush()
        while True:
            answer = json.loads(self.file.readline())
            if "return" in answer:
                return answer["return"]
            check("error" not in answer, f"monitor: {answer}")

    def say(self, line):
        return self.command("human-monitor-command", **{"command-line": line})


def readable_in_guest(options):
    """Which of two addresses of the hypervisor's data the page tables of a guest that runs have."""
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "qmp")
        spin = module(f"{BUILD}/guest/spin", "domain=spin memory=16M --")
        with Machine("isolated", [spin], options, smp=1, mem=256,
                     extra=["-qmp", f"unix:{path},server=on,wait=off"]) as m:
            m.expect("GUEST spin: spinning", 30)
            monitor = Monitor(path)
            for _ in range(50):
                monitor.command("stop")
                if re.search(r"\bCPL=3\b", monitor.say("info registers")):
                    return ["Cannot access" not in monitor.say(f"x /1gx {at + 0x200000:#x}") for at in
                            (DIRECT_MAP, FRAMES)]
                monitor.command("cont")
            raise Failure("the guest was never found running")


def test_isolation():
    """With xpti=on the page tables in use while a guest runs do not have the hypervisor's memory; without, they do."""
    check(readable_in_guest("xpti=off") == [True, True], "without isolation: not even there can it be read")
    check(readable_in_guest("xpti=on") == [False, False], "it is in the guest's page tables")


@bound(300)
def test_measures():
    """A stock kernel with all that can be switched on by hand, on two CPUs."""
    with Machine("measures", [server("web", "memory=128M vcpus=2")], MEASURES) as m:
        m.expect(r"Support for PV VMs: RSB VERW BHB-entry\s", 20)
        m.expect(r"XPTI \(64-bit PV only\): Dom0 enabled, DomU enabled", 5)
        m.expect(r"\[web\] web: work 1 of 5", 2 * LINUX)


def test_defaults():
    """What is said of a processor that needs isolation, and of one that needs nothing."""
    for cpu, xpti, l1tf in (("Haswell", "enabled", "enabled"), ("EPYC,-smap", "disabled", "disabled")):
        with Machine("defaults", [], "loglvl=all", smp=1, mem=256, cpu=cpu) as m:
            m.expect(r"Speculative mitigation facilities:", 20)
            m.expect(r"Hardware hints: EMULATED", 5)
            m.expect(r"BTI-Thunk: JMP, SPEC_CTRL: No", 5)
            m.expect(rf"Dom0 {xpti}, DomU {xpti} \(without PCID\)", 5)
            m.expect(rf"PV L1TF shadowing: Dom0 disabled, DomU {l1tf}", 5)
