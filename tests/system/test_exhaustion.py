# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory that runs out: allocations fail in turn, one at a time, wherever the hypervisor makes any.

Each time the operation is refused cleanly or does its work all the same; nothing is lost, and the next attempt
works. The prompt's `fail`, which arms the failure, is in builds with SANITIZE=1 alone. `make check` takes a
sample of a toolstack's allocations; LAB_EXHAUSTIVE=1 takes each one.
"""
import os
import subprocess

from lab import BUILD, LINUX, VMLINUZ, Machine, bound, check, module, scratch
from test_xl import OPTIONS, RAMDISK, Dom0

GUEST = os.path.join(BUILD, "guest", "tiny")
ALL = os.environ.get("LAB_EXHAUSTIVE") == "1"


def life(m):
    """Restarts the server; true if it lived, false if there was a clean refusal."""
    m.line("restart tiny")
    lived = m.expect([r"\(hv\) tiny: powered off, all \d+ frames returned",
                      r"\(hv\) module 1 \(tiny\): not enough memory: found \d+ MB free"], 20) == 0
    m.expect(r"hospes> ", 10)
    return lived


def free(m):
    return int(m.ask("memory", r"free frames: (\d+)\r")[1])


@bound(300, build="sanitised")
def test_each_allocation_of_a_start():
    server = module(GUEST, "domain=tiny memory=16M vcpus=2 --")
    with Machine("exhaustion", [server], mem=256) as m:
        m.expect(r"\(hv\) tiny: powered off, all \d+ frames returned", 30)
        m.expect(r"hospes> ", 10)
        m.ask("fail 0", r"\d+ allocations")
        check(life(m), "the server does not live with all its memory")
        allocations = int(m.ask("fail 0", r"(\d+) allocations")[1])
        check(allocations > 20, f"only {allocations} allocations in a life")
        before, refused = free(m), 0
        for n in range(1, allocations + 1):
            m.ask(f"fail {n}", r"\d+ allocations")
            refused += not life(m)
            m.ask("fail 0", r"\d+ allocations")
            check(free(m) == before, f"allocation {n} failed: {before} frames were free, now {free(m)}")
        check(refused > 10, f"only {refused} of {allocations} failures were noticed")
        check(life(m) and free(m) == before, "the server does not live after all that")


def with_tiny():
    """dom0's ramdisk, and in it the tiny guest as /guest/tiny: an archive behind another adds to it."""
    ramdisk = scratch("xl-tiny.gz")
    with open(ramdisk, "wb") as out:
        with open(RAMDISK, "rb") as first:
            out.write(first.read())
        out.write(bytes(-out.tell() % 4))
        more = subprocess.run(["cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0"], input=b"guest\nguest/tiny\n",
                              cwd=BUILD, stdout=subprocess.PIPE, check=True)
        out.write(more.stdout)
    return ramdisk


class Short(Dom0):
    """dom0, whose hypervisor is short of memory when it is told to be."""

    def __init__(self, name):
        modules = [module(VMLINUZ, "console=hvc0 quiet panic=-1"), module(with_tiny())]
        Machine.__init__(self, name, modules, OPTIONS, smp=1, mem=1536)

    def fail(self, n):
        """The nth allocation from now fails (0: none); how many there have been since the last time."""
        self.send("\x0f")
        self.expect(r"\(hv\) input: hospes.*hospes> ", 20)
        made = self.ask(f"fail {n}", r"(\d+) allocations")[1]
        self.send("\x0f")
        self.expect(r"\(hv\) input: ", 20)
        self.expect(r"\n", 20)
        self.line("")
        self.expect("dom0# ", 20)
        return int(made)

    def attach(self, operation):
        """
        What makes a new server, its kernel and dom0 allocate the first time alone: with one allocation failing, then the
        next, until there are no more, each time in another server. (Linux may lose a thread over it; its server goes.)
        """
        before = None
        for n in range(1, 100) if ALL else (2, 99):
            self.create("web")
            self.fail(n)
            done = "==0==" in self.do(f"{operation}; echo ==$?==", 120, code=None)
            made = self.fail(0)
            self.do("xl destroy web; rm /var/log/xen/console/guest-web.log; kill -HUP $(cat /run/xenconsoled.pid)", 120)
            check(done or made >= n, "no allocation failed, and it does not work")
            before = before or self.free()
            check(self.free() == before, f"allocation {n} failed: {before} free and claimed, now {self.free()}")
            if made < n:
                break
        print(f"network-attach: {made} allocations")

    def sample(self, most, operation, undo):
        """
        An operation of the toolstack with its allocations failing in turn; how many of the failures it noticed.
        `undo` leaves things as they were, whether it was done or not.
        """
        self.fail(0)
        self.do(operation, 120)
        allocations = self.fail(0)
        self.do(undo, 120, code=None)
        before, noticed = self.free(), 0
        step = 1 if ALL else max(1.0, (allocations / 2) ** (1 / most))
        n, tried = 1.0, 0
        while n <= allocations:
            self.fail(int(n))
            noticed += "==0==" not in self.do(f"{operation}; echo ==$?==", 120, code=None)
            self.fail(0)
            self.do(undo, 120, code=None)
            now = self.free()
            check(now == before, f"`{operation}`, allocation {int(n)} failed: {before} free and claimed, now {now}")
            tried, n = tried + 1, max(n + 1, n * step)
        self.do(operation, 120)
        self.do(undo, 120, code=None)
        check(self.free() == before, f"`{operation}`: {before} free and claimed, in the end {self.free()}")
        print(f"`{operation}`: {allocations} allocations, {tried} failed, of which {noticed} were noticed")
        return noticed


@bound(900, build="sanitised")
def test_a_toolstack_short_of_memory():
    """xl create, destroy: what fails says so, leaves nothing behind, and works the next time."""
    with Short("exhaustion-xl") as m:
        m.ready()
        m.do("server tiny \"kernel='/guest/tiny'\" \"ramdisk=''\" memory=16 vcpus=2")
        m.do("xl create -p /tmp/tiny.cfg && xl destroy tiny", 120)
        check(m.sample(12, "xl create -p /tmp/tiny.cfg", "xl destroy tiny") > 5, "failures pass unnoticed")


# One more network card, until its two halves are connected: event channels and mapped rings in dom0.
CONNECTED = "grep -l Connected /sys/bus/xen-backend/devices/vif-*/state 2> /dev/null | wc -l"
ATTACH = (f"n=$({CONNECTED}); xl network-attach web bridge=xenbr0; "
          f"for i in $(seq 25); do [ $({CONNECTED}) -gt $n ] && break; usleep 200000; done; [ $({CONNECTED}) -gt $n ]")


@bound(900, build="sanitised")
def test_devices_short_of_memory():
    """A network card is attached and a server saved, with allocations failing."""
    with Short("exhaustion-devices") as m:
        m.ready()
        m.attach(ATTACH)
        m.create("web")
        m.sample(1, "xl save -c web /tmp/save", "rm -f /tmp/save")
