# SPDX-License-Identifier: GPL-2.0-or-later
"""Stock kernels unplug and plug their vCPUs, and the machine's CPUs, under load; PLUGS=N for a longer storm."""
import os
import re

from lab import LINUX, RAMDISK, VMLINUZ, Machine, bound, check, module, server

PLUGS = int(os.environ.get("PLUGS", "6"))

# Bodies of shell lines: processes that spin and one that sleeps; $i goes round; all must be as it was.
LOAD = "(while :; do :; done) & (while :; do sleep 0.2; done) &"
STORM = ("storm() {{ bad=0 i=1; for n in $(seq {n}); do f={path}",
         "echo 0 >$f || bad=1$bad; until [ $(cat $f) = 0 ]; do sleep 0.1; done",
         "echo 1 >$f || bad=2$bad; until [ $(cat $f) = 1 ]; do sleep 0.1; done",
         "i=$((i % {last} + 1)); done; echo storm-over=$bad; }}; echo known-$((1 + 1))")


def storm(m, path, last):
    before = len(m.seen())
    for text in STORM:  # a line at a time: a busy dom0's console takes no more
        m.settle()
        m.line(text.format(n=PLUGS, path=path, last=last))
    m.expect(r"known-2", 30)
    m.line(LOAD + " storm")
    m.expect(r"storm-over=0\b", 100 + 10 * PLUGS)
    m.line("killall sh sleep; echo calm-$((1 + 1))")
    m.expect(r"calm-2", 30)
    said = m.seen()[before:]
    wrong = re.findall(r"BUG[^\r\n]*|soft lockup[^\r\n]*|stalls? on[^\r\n]*|WARNING: CPU[^\r\n]*|crashed[^\r\n]*", said)
    check(not wrong, f"the kernel complains: {wrong[:3]}")


@bound(400)
def test_vcpus():
    """Three of a server's four vCPUs, on two CPUs."""
    with Machine("plug-vcpus", [server("web", "memory=192M vcpus=4", "work=1")]) as m:
        m.expect(r"\[web\] web: ready", 2 * LINUX)
        m.settle()
        storm(m, "/sys/devices/system/cpu/cpu$i/online", 3)
        m.line("grep -c processor /proc/cpuinfo | sed s/^/cpus=/")
        m.expect(r"cpus=4", 20)


@bound(400)
def test_cpus():
    """dom0 takes CPUs of the machine away, which its own vCPUs run on."""
    modules = [module(VMLINUZ, "console=hvc0 quiet server=dom0 work=1"), module(RAMDISK)]
    with Machine("plug-cpus", modules, "dom0_mem=256M dom0_max_vcpus=3", smp=3) as m:
        m.expect(r"dom0: ready", 2 * LINUX)
        m.settle()
        storm(m, "/sys/devices/system/xen_cpu/xen_cpu$i/online", 2)
        check(len(re.findall(r"\(hv\) CPU [12]: offline", m.seen())) == PLUGS, "CPUs did not go offline")
