# SPDX-License-Identifier: GPL-2.0-or-later
"""Servers side by side: shares and latency hold, whatever a neighbour does; who has nothing to do does nothing.

On one CPU time is what has been executed (-icount), so that a figure is the same on any machine, however busy.
With several, QEMU then gives each its turn for as long as the others need none, which spoils latency: there, CPUs
are threads of the host, and what counts is each server's part of the time that it has seen itself.
"""
import os
import re
import time

from lab import BUILD, Machine, bound, check, module

COUNTED = ("-icount", "shift=3,sleep=off")
WAYS = 6    # of doing harm, in tests/guest/share, one after the other
HOSTILE = [("vcpus=2", "foe=3"), ("vcpus=2", "foe=3"), ("vcpus=2", "hostile=3")]


def start(name, keys, options="", smp=4, begin=1500, seconds=4, counted=True):
    """One server for each entry: its keys and its part (tests/guest/share)."""
    guest = os.path.join(BUILD, "guest", "share")
    servers = [module(guest, f"domain=s{n} memory=32M {key} -- {part} from={begin} to={begin + 1000 * seconds}")
               for n, (key, part) in enumerate(keys)]
    return Machine(name, servers, options=options, smp=smp, extra=COUNTED if counted else ())


def ran(m, count):
    """What each server ran, in each window, as a part of the time."""
    m.expect(r"\(hv\) all servers have ended", 120)
    found = [[] for _ in range(count)]
    for n, us, of in re.findall(r"\[s(\d)\] SHARE ran (\d+) us of (\d+)", m.seen()):
        if int(of) > 500000:  # a window that the host did not leave out
            found[int(n)].append(int(us) / int(of))
    check(all(found), f"not all have told what they ran: {found}")
    return found


def hostile(name, smp, least, **options):
    """Three servers of two vCPUs; one does harm in all ways, a second each. What its neighbours get."""
    keys = [(key, part + " window=1000") for key, part in HOSTILE]
    with start(name, keys, smp=smp, seconds=WAYS, **options) as m:
        shares = ran(m, 3)[:2]
        text = [[f"{part:.2f}" for part in server] for server in shares]
        check(min(map(min, shares)) > least, f"a neighbour of the hostile one got less than {least}: {text}")
        check(all(len(server) >= WAYS - 1 for server in shares), f"not all ways were seen: {text}")


@bound(120)
def test_hostile_neighbour():
    """One server spins, yields, floods IPIs, sets timers, sleeps for moments, storms events: on one CPU."""
    hostile("share-hostile", 1, 0.95 / 3)


@bound(120, alone=True)
def test_hostile_neighbour_on_4_cpus():
    """The same on four: the others keep nine tenths of their share."""
    hostile("share-hostile-4", 4, 0.9 * 4 / 3, begin=3000, counted=False)


@bound(120)
def test_weights_and_cap():
    """A server of twice the weight runs twice as much; one with a cap runs so much and no more: within 2 %."""
    with start("share-weights", [("weight=256", ""), ("weight=512", ""), ("cap=20", "")], smp=1) as m:
        light, heavy, capped = (parts[0] for parts in ran(m, 3))
        check(1.96 < heavy / light < 2.04, f"weights 256 and 512: {light}, {heavy}")
        check(0.196 < capped < 0.204, f"a cap of 20 %: {capped}")


@bound(120)
def test_latency():
    """A server that sleeps most of the time runs within a millisecond when it wakes, beside three that never do."""
    with start("share-latency", [("", ""), ("weight=1024", ""), ("", ""), ("", "sleeper")], smp=1) as m:
        ran(m, 3)
        worst = re.search(r"SHARE woken (\d+) times: late by \d+ us, worst (\d+) us", m.seen())
        check(worst and int(worst[1]) > 500, "it did not wake")
        check(int(worst[2]) < 1000, worst[0])


@bound(120)
def test_all_cpus():
    """No CPU is forgotten: four servers have one each, also those that were there before anybody could schedule."""
    with start("share-cpus", [("", "")] * 4) as m:
        shares = ran(m, 4)
        check(min(map(min, shares)) > 0.98, f"four servers on four CPUs ran {shares}")


@bound(120)
def test_static_policy():
    """sched=null: a vCPU has its CPU for itself, all of it."""
    with start("share-null", [("vcpus=2", ""), ("vcpus=2", "hostile=3")], options="sched=null") as m:
        shares = ran(m, 2)[0]
        check(min(shares) > 1.99, f"two vCPUs with a CPU each ran {shares} CPUs")


def counters(m):
    """What `counters` says at the prompt, after the input was elsewhere: the prompt itself is redrawn by a timer."""
    m.send("\x0f")
    m.expect(r"input: hospes")
    before = len(m.seen())
    m.line("counters")
    m.expect(r"interrupts +\d+")
    m.send("\x0f")
    m.expect(r"input: s0")
    return {name: int(n) for name, n in re.findall(r"(timer settings|interrupts) +(\d+)", m.seen()[before:])}


@bound(120)
def test_idle_machine():
    """A machine with nothing to do takes no periodic interrupt, on any of four CPUs."""
    with start("share-idle", [("vcpus=4", "")], begin=100000, counted=False) as m:
        m.expect(r"s0: started")
        m.send("\x0f")
        m.expect(r"input: hospes")
        m.line("pause s0")
        m.send("\x0f")
        m.expect(r"input: s0")
        asked = [counters(m) for _ in range(5)]
        time.sleep(10)  # nothing is to happen in it
        last = counters(m)
        for name in last:
            asking = max(b[name] - a[name] for a, b in zip(asked, asked[1:]))
            more = last[name] - asked[-1][name] - asking
            check(more < 8, f"{name}: {more} more in 10 s")
