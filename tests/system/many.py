#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Many small servers, created one after another by xl, each answering on the network; then all are destroyed, and
nothing of them is left. No test of every day: a hundred need 16 GB and, in the emulator, an hour (`make check-many`).

usage: many.py [SERVERS [MB of the machine]]
"""
import sys
import time

from lab import LINUX, Failure, check
from test_split import WORKS, Back


def run(servers, memory):
    with Back("many", "dom0_mem=1536M", memory) as m:
        m.prepare(())
        times = []
        before = None
        for i in range(1, servers + 1):
            m.do(f"server s{i} memory=96 \"vif=['bridge=xenbr0']\" "
                 f"\"extra='console=hvc0 quiet server=s{i} address=10.9.0.{i + 1} count=no'\"")
            start = time.monotonic()
            m.do(f"xl create -q /tmp/s{i}.cfg", WORKS)
            times.append(time.monotonic() - start)
            m.do(f"says s{i} 's{i}: up'; ping -q -c 1 -W 60 10.9.0.{i + 1}", LINUX)
            if before is None: # what dom0 itself takes for its first server it keeps
                m.do("xl destroy s1; rm /var/log/xen/console/guest-s1.log; kill -HUP $(cat /run/xenconsoled.pid)", WORKS)
                before = m.left()
                m.do("xl create -q /tmp/s1.cfg; says s1 's1: up'", LINUX)
            print(f"many: server {i}: created in {times[-1]:.1f} s, answers", flush=True)
        for i in range(1, servers + 1):
            m.do(f"ping -q -c 1 -W 20 10.9.0.{i + 1}", WORKS)
        print(f"many: {servers} servers answer; free frames and claimed: {m.free()}", flush=True)
        for i in range(1, servers + 1):
            m.do(f"xl destroy s{i}", WORKS)
        check(m.left() == before, f"what is left: {m.left()}, before: {before}")
        print(f"many: all destroyed, nothing is left; creating took {times[0]:.1f} s at first, {times[-1]:.1f} s at last")


if __name__ == "__main__":
    try:
        run(int(sys.argv[1]) if len(sys.argv) > 1 else 100, int(sys.argv[2]) if len(sys.argv) > 2 else 16384)
    except Failure as e:
        print(f"many: {e}")
        sys.exit(1)
