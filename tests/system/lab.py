# SPDX-License-Identifier: GPL-2.0-or-later
"""The laboratory of the system tests: a machine in QEMU whose console is watched.

    with Machine("two", servers=[server("web"), server("db")]) as m:
        m.expect(r"\\[web\\] web: ready")

A test is a function test_NAME() in tests/system/test_*.py; it fails by raising.
Formats of the console: docs/console.md.
"""
import os
import re
import signal
import subprocess
import termios
import time

import pexpect

BUILD = os.environ.get("LAB_BUILD", "build")
IMAGES = os.environ.get("LAB_IMAGES", "build/images")
LOG = os.path.join(BUILD, "log")
HOSPES = os.path.join(BUILD, "hospes")
VMLINUZ = os.environ.get("LAB_KERNEL", os.path.join(IMAGES, "vmlinuz"))
RAMDISK = os.environ.get("LAB_RAMDISK", os.path.join(IMAGES, "ramdisk.gz"))
XEN = os.path.join(IMAGES, "xen.elf")

LINUX = 90              # seconds that a stock kernel may need to reach user space, on a busy machine
PATIENCE = float(os.environ.get("LAB_PATIENCE", "1"))   # a factor for slow machines


class Failure(Exception):
    """What a test says when it fails."""


def bound(seconds, alone=False, build="any"):
    """Marks a test: how long it may run, whether nothing else may run beside it, and of which build
    it is: any, plain or sanitised."""
    def mark(function):
        function.seconds, function.alone, function.build = seconds, alone, build
        return function
    return mark


def check(condition, text):
    if not condition:
        raise Failure(text)


def scratch(name):
    """A path for a file that a test makes."""
    os.makedirs(os.path.join(BUILD, "scratch"), exist_ok=True)
    return os.path.join(BUILD, "scratch", name)


def module(path, arguments=""):
    """One boot module as QEMU's -initrd wants it: a comma is written twice."""
    return (path + (" " + arguments if arguments else "")).replace(",", ",,")


def server(name, keys="memory=128M", words="", kernel=None, ramdisk=None):
    """The modules of one boot-time server: kernel and ramdisk ("" for none)."""
    arguments = f"domain={name} {keys} -- console=hvc0 quiet server={name} {words}".rstrip()
    modules = [module(kernel or VMLINUZ, arguments)]
    if ramdisk != "":
        modules.append(module(ramdisk or RAMDISK))
    return ",".join(modules)


def plain_output():
    """In the child: the terminal adds no carriage return of its own to what QEMU writes."""
    mode = termios.tcgetattr(1)
    mode[1] &= ~termios.ONLCR
    termios.tcsetattr(1, termios.TCSANOW, mode)


class Machine:
    """QEMU with a hypervisor, its serial console on a pseudo-terminal, all of it in a log file."""

    def __init__(self, name, servers=(), options="", smp=2, mem=768, cpu="max,-smap", hypervisor=None,
                 boot=None, extra=(), reboots=False, command=None, env=None):
        """boot: a list of QEMU arguments that replaces -kernel, -append and -initrd. reboots: a reset ends it not.
        command: another command that becomes QEMU, with variables of its environment."""
        os.makedirs(LOG, exist_ok=True)
        self.name = name
        self.log = os.path.join(LOG, f"system-{name}.log")
        if boot is None:
            boot = ["-kernel", hypervisor or HOSPES, "-append", f"console=com1 {options}".strip()]
            if servers:
                boot += ["-initrd", ",".join(servers)]
        self.command = command or [
            "qemu-system-x86_64", "-accel", "tcg", "-cpu", cpu, "-smp", str(smp), "-m", str(mem),
            "-display", "none", "-nic", "none", *([] if reboots else ["-no-reboot"]), "-monitor", "none",
            "-chardev", "stdio,id=tty,signal=off", "-serial", "chardev:tty", *extra, *boot]
        self.file = open(self.log, "w", errors="replace", newline="")
        self.file.write("$ " + " ".join(self.command) + "\n")
        self.start = time.monotonic()
        self.qemu = pexpect.spawn(self.command[0], self.command[1:], encoding="utf-8", codec_errors="replace",
                                  timeout=60, echo=False, maxread=65536, preexec_fn=plain_output,
                                  env=dict(os.environ, **(env or {})))
        self.qemu.logfile_read = self.file
        self.qemu.delaybeforesend = None

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.end()

    def end(self):
        """Ends QEMU, by its process alone."""
        if self.qemu.isalive():
            self.qemu.kill(signal.SIGKILL)
        self.qemu.close(force=True)
        self.file.close()

    def expect(self, pattern, seconds=60, panic=False):
        """Waits for a pattern (or the first of a list); a panic of the hypervisor fails at once."""
        patterns = [pattern] if isinstance(pattern, str) else list(pattern)
        watch = patterns + ([] if panic else [r"\(hv\) panic: [^\r\n]*"])
        try:
            index = self.qemu.expect(watch, timeout=seconds * PATIENCE)
        except pexpect.TIMEOUT:
            raise Failure(f"not seen within {seconds} s: {' or '.join(patterns)}") from None
        except pexpect.EOF:
            raise Failure(f"QEMU ended before this was seen: {' or '.join(patterns)}") from None
        if index >= len(patterns):
            raise Failure(self.qemu.match[0])
        return self.qemu.match if isinstance(pattern, str) else index

    def expect_all(self, patterns, seconds=60):
        """Waits for several patterns, in whatever order they come."""
        waiting = list(patterns)
        deadline = time.monotonic() + seconds
        while waiting:
            try:
                waiting.pop(self.expect(waiting, max(0.1, deadline - time.monotonic())))
            except Failure as e:
                raise Failure(f"{e}; still waiting for {len(waiting)} of {len(patterns)}") from None

    def send(self, text):
        self.qemu.send(text)

    def line(self, text):
        """Types a line, in pieces that a UART's FIFO of 16 bytes takes."""
        text += "\r"
        for i in range(0, len(text), 14):
            if i:
                time.sleep(0.02)
            self.qemu.send(text[i:i + 14])

    def settle(self, seconds=0.5):
        """Leaves aside what was said until now, for as long as this takes to come."""
        end = time.monotonic() + seconds * PATIENCE
        while time.monotonic() < end:
            self.qemu.expect([r".+", pexpect.TIMEOUT], timeout=max(0, end - time.monotonic()))

    def input_to(self, name):
        """Moves the input to a server or to the prompt `hospes`, by Ctrl-O."""
        self.settle()       # the input may have moved by itself, from a server that ended
        for _ in range(70):
            self.send("\x0f")
            if self.expect(r"\(hv\) input: (\S+) +\(", 10)[1] == name:
                return
        raise Failure(f"Ctrl-O never came to {name}")

    def ask(self, command, answer, seconds=20):
        """A command at the prompt, which must have the input; waits for its answer and the next prompt."""
        self.line(command)
        found = self.expect(answer, seconds)
        self.expect(r"hospes> ", seconds)
        return found

    def seen(self):
        """All the console has said so far."""
        self.file.flush()
        with open(self.log, errors="replace", newline="") as f:
            return f.read().replace("\r", "")

    def free_frames(self):
        """Every `free frames` figure so far."""
        return [int(n) for n in re.findall(r"^\(hv\) free frames: (\d+)", self.seen(), re.M)]

    def wait_end(self, seconds=30):
        """Waits until the machine has switched itself off or reset."""
        try:
            self.qemu.expect(pexpect.EOF, timeout=seconds * PATIENCE)
        except pexpect.TIMEOUT:
            raise Failure(f"the machine still runs after {seconds} s") from None


def run(*command):
    """A helper program; its failure is the test's failure."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    check(done.returncode == 0, f"{' '.join(command)}: {done.stdout}")
    return done.stdout
