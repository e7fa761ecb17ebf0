# SPDX-License-Identifier: GPL-2.0-or-later
"""Servers side by side on four CPUs: shares hold, whatever a neighbour does."""
import os
import re

from lab import BUILD, Machine, bound, check, module


def start(name, keys, options="", smp=4, seconds=4):
    """One server for each entry: its keys and its part (tests/guest/share)."""
    guest = os.path.join(BUILD, "guest", "share")
    servers = [module(guest, f"domain=s{n} memory=32M {key} -- {part} from=3000 to={3000 + 1000 * seconds}")
               for n, (key, part) in enumerate(keys)]
    return Machine(name, servers, options=options, smp=smp)


def ran(m, count):
    """What each server ran, as a part of the time."""
    pattern = r"\[s(\d)\] SHARE ran (\d+) us of (\d+)"
    m.expect(r"\(hv\) all servers have ended", 90)
    found = {int(n): int(us) / int(of) for n, us, of in re.findall(pattern, m.seen())}
    check(len(found) == count, f"not all have told what they ran: {found}")
    return [found[n] for n in sorted(found)]


@bound(120, alone=True)
def test_hostile_neighbour():
    """Three servers of two vCPUs on four CPUs; one spins, yields, storms events, floods IPIs, sets timers."""
    with start("share-hostile", [("vcpus=2", ""), ("vcpus=2", ""), ("vcpus=2", "hostile")]) as m:
        shares = ran(m, 3)
        for share in shares[:2]:
            check(share > 0.9 * 4 / 3, f"a neighbour of the hostile one got less than nine tenths: {shares}")


@bound(120, alone=True)
def test_weights_and_cap():
    """A server of twice the weight runs twice as much; one with a cap runs no more than that."""
    with start("share-weights", [("weight=256", ""), ("weight=512", ""), ("cap=20", "")], smp=1) as m:
        light, heavy, capped = ran(m, 3)
        check(1.8 < heavy / light < 2.2, f"weights 256 and 512: {light}, {heavy}")
        check(0.12 < capped < 0.22, f"a cap of 20 %: {capped}")


@bound(120, alone=True)
def test_static_policy():
    """sched=null: a vCPU has its CPU for itself, all of it."""
    with start("share-null", [("vcpus=2", ""), ("vcpus=2", "hostile")], options="sched=null") as m:
        shares = ran(m, 2)
        check(shares[0] > 1.9, f"two vCPUs with a CPU each ran {shares[0]} CPUs")
