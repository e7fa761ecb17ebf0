# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory that runs out: each allocation on a server's way into life fails in turn, once.

Each time there is one line that says so, or the server lives all the same; nothing is lost, and the next
attempt works. The prompt's `fail`, which arms the failure, is in builds with SANITIZE=1 alone.
"""
import os

from lab import BUILD, Machine, bound, check, module

GUEST = os.path.join(BUILD, "guest", "tiny")


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
