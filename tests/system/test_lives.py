# SPDX-License-Identifier: GPL-2.0-or-later
"""Lives and deaths: what a server does to itself stays its own affair, and every frame comes back."""
import os
import re

from lab import BUILD, LINUX, Machine, bound, check, module, server


def guest(name):
    """One of our tiny kernels (tests/guest)."""
    return os.path.join(BUILD, "guest", name)


def neighbour(m):
    """The server db answers its shell: it never noticed."""
    m.input_to("db")
    m.line("echo alive $((40 + 2))")
    m.expect(r"\[db\] alive 42", 30)


def start(name, words, kernel=None, ramdisk=None):
    servers = [server("web", words=words, kernel=kernel, ramdisk=ramdisk), server("db", words="work=1")]
    return Machine(name, servers)


def test_poweroff():
    with start("poweroff", "work=1 do=poweroff") as m:
        m.expect_all([r"\(hv\) web: powered off, all \d+ frames returned", r"\[db\] db: ready"], 2 * LINUX)
        neighbour(m)
        m.line("poweroff -f")
        m.expect(r"\(hv\) db: powered off, all \d+ frames returned", 20)
        m.expect(r"\(hv\) all servers have ended", 10)
        started = [int(n) for n in re.findall(r"\(hv\) \w+: powered off, all (\d+) frames", m.seen())]
        check(len(started) == 2 and started[0] >= 32768, f"frames returned: {started}")


def test_reboot():
    with start("reboot", "work=1 do=reboot") as m:
        for _ in range(2):
            m.expect(r"\(hv\) web: rebooting, all \d+ frames returned", 2 * LINUX)
            m.expect(r"\(hv\) web: started", 20)
        m.expect(r"\[web\] web: ready", LINUX)
        neighbour(m)


def test_reboot_alone():
    """The only server gets the unpacked kernel's own pages, and has it unpacked anew for each life."""
    with Machine("reboot-alone", [server("web", words="work=1 do=reboot")]) as m:
        for _ in range(3):
            m.expect(r"\(hv\) web: rebooting, all \d+ frames returned", 2 * LINUX)
            m.expect(r"\(hv\) free frames: \d+", 10)
            m.expect(r"\(hv\) web: started", 20)
        m.expect(r"\[web\] web: ready", LINUX)
        figures = m.free_frames()
        check(len(set(figures)) == 1, f"free frames changed: {figures}")


def test_crash():
    with start("crash", "work=1 do=crash") as m:
        m.expect(r"\(hv\) web: crashed: \S+", 2 * LINUX)
        m.expect(r"\(hv\) web: rip [0-9a-f]{4}:[0-9a-f]{16} rsp [0-9a-f]{4}:[0-9a-f]{16}", 10)
        m.expect(r"\(hv\) web: code( [0-9a-f]{2})+ <[0-9a-f]{2}>", 10)
        m.expect(r"\(hv\) web: stack [0-9a-f]{16}:( [0-9a-f]{16}){4}", 10)
        m.expect(r"\(hv\) web: crashed, all \d+ frames returned", 20)
        if "[db] db: ready" not in m.seen():
            m.expect(r"\[db\] db: ready", LINUX)
        neighbour(m)
        m.input_to("hospes")
        m.line("restart web")
        m.expect(r"\(hv\) web: started", 20)


def test_hang():
    """A kernel that spins with its events masked, on the only CPU: the other still runs."""
    servers = [server("web", "memory=32M", kernel=guest("spin"), ramdisk=""), server("db", words="work=1")]
    with Machine("hang", servers, smp=1) as m:
        m.expect(r"\[web\] [^\r\n]*spinning", 30)
        m.expect(r"\[db\] db: ready", 3 * LINUX)
        neighbour(m)
        m.input_to("hospes")
        m.ask("list", r"\nweb +1 +running")
        m.line("stop web")
        m.expect(r"\(hv\) web: stopped, all \d+ frames returned", 20)


def test_busy():
    """A user program that never ends shares one CPU with the neighbour."""
    servers = [server("web", words="work=1 do=spin"), server("db", words="work=1")]
    with Machine("busy", servers, smp=1) as m:
        m.expect_all([r"\[web\] web: ready", r"\[db\] db: ready"], 3 * LINUX)
        neighbour(m)


@bound(600)
def test_32_servers():
    names = [f"s{n}" for n in range(1, 33)]
    servers = [server(n, "memory=96M", "work=1 do=none") for n in names]
    with Machine("32", servers, smp=2, mem=3600) as m:
        m.expect_all([rf"\[{n}\] {n}: ready" for n in names], 540)


@bound(400)
def test_1000_lives():
    """A tiny kernel lives a thousand times; free frames before and after are the same figure each time."""
    lives = 1000
    alone = module(guest("tiny"), "domain=tiny memory=16M --")
    with Machine("lives", [alone], mem=256) as m:
        m.expect(r"\(hv\) tiny: powered off, all \d+ frames returned", 30)
        m.expect(r"hospes> ", 10)
        for _ in range(lives - 1):
            m.line("restart tiny")
            m.expect(r"\(hv\) tiny: powered off, all \d+ frames returned", 30)
            m.expect(r"\(hv\) free frames: \d+", 10)
        m.ask("memory", r"free frames: \d+")
        figures = m.free_frames()
        check(len(figures) >= lives, f"{len(figures)} figures of free frames")
        check(len(set(figures)) == 1, f"free frames changed: {sorted(set(figures))[:10]}")
