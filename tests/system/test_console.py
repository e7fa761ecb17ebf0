# SPDX-License-Identifier: GPL-2.0-or-later
"""The hypervisor's console: the input moves by Ctrl-O, and the prompt's commands do what docs/console.md says."""
from lab import LINUX, Failure, Machine, bound, check, server


def test_input_moves():
    with Machine("input", [server("web"), server("db")]) as m:
        m.expect_all([r"\[web\] web: ready", r"\[db\] db: ready"], 2 * LINUX)
        m.send("\x0f")
        m.expect(r"\(hv\) input: db ", 10)
        m.line("hostname; tty")
        m.expect(r"\n\[db\] db\r?\n", 20)
        m.expect(r"\[db\] /dev/hvc0", 20)   # lines of the other server may stand between
        m.send("\x0f")
        m.expect(r"\(hv\) input: hospes", 10)
        m.expect(r"hospes> ", 10)
        m.send("\x0f")
        m.expect(r"\(hv\) input: web ", 10)
        m.line("hostname")
        m.expect(r"\n\[web\] web\r?\n", 20)
        # the shell has job control: Ctrl-C ends a program, not the shell
        # (while the shell itself reads, Ctrl-C is a key like others; before it prompts, it drops what was typed)
        m.line("echo began; sleep 1000")
        m.expect(r"\n\[web\] began\r?\n", 20)
        for tries in range(5):      # one that comes while the shell starts the program may be nobody's
            m.send("\x03")
            try:
                m.expect(r"web# ", 5)
                break
            except Failure:
                check(tries < 4, "Ctrl-C does not end a program")
        m.line("echo still $((40 + 2))")
        m.expect(r"still 42", 20)


def test_prompt():
    with Machine("prompt", [server("web"), server("db")]) as m:
        m.expect_all([r"\[web\] web: ready", r"\[db\] db: ready"], 2 * LINUX)
        m.input_to("hospes")
        m.expect(r"hospes> ", 10)
        m.line("help")
        for word in ("help", "list", "state", "pause", "resume", "stop", "restart", "memory", "input", "reset"):
            m.expect(rf"\n *{word}\b", 10)
        m.expect("hospes> ")
        m.ask("list", r"\nweb +1 +(running|blocked) +1 +128 ?MB[^\r\n]*\r\ndb +2 +(running|blocked) ")
        m.ask("state web", r"\nweb: (running|blocked)[\s\S]*rip")
        m.ask("nonsense", r"no such command: nonsense; try help")
        m.ask("pause mail", r"no such server: mail; try list")
        m.ask("pause", r"pause needs the name of a server")
        m.ask("memory", r"free frames: \d+")


@bound(240)
def test_pause_stop_restart():
    with Machine("pause", [server("web", words="work=1"), server("db", words="work=1")]) as m:
        m.expect_all([r"\[web\] web: ready", r"\[db\] db: ready"], 2 * LINUX)
        m.line("while :; do echo tick $((n = n + 1)); sleep 0.2; done")
        m.expect(r"\[web\] tick 5\b", 30)
        m.input_to("hospes")
        m.ask("pause web", r"web: paused")
        m.ask("list", r"\nweb +1 +paused")
        try:
            m.expect(r"\[web\] tick", 3)
            check(False, "a paused server went on")
        except Exception as e:      # noqa: it must time out
            check("not seen" in str(e), str(e))
        m.line("resume web")
        m.expect(r"web: resumed", 10)
        m.expect(r"\[web\] tick \d+", 20)
        before = int(m.ask("memory", r"free frames: (\d+)\r")[1])
        m.line("stop web")
        frames = int(m.expect(r"\(hv\) web: stopped, all (\d+) frames returned", 20)[1])
        after = int(m.expect(r"\(hv\) free frames: (\d+)\r", 10)[1])
        check(after - before == frames, f"{before} frames free, {frames} returned, then {after} free")
        m.ask("list", r"\nweb +1 +gone")
        m.line("restart web")
        m.expect(r"\(hv\) web: started", 20)
        m.expect(r"\[web\] web: ready", LINUX)
        m.line("input db")
        m.expect(r"\(hv\) input: db ", 10)
        m.line("hostname")
        m.expect(r"\[db\] db\r?\n", 20)
