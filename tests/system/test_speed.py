# SPDX-License-Identifier: GPL-2.0-or-later
"""From the loader to the first instruction of a server, beside real Xen; and what a server costs in memory.

Wanted is at most 0.3 of what Xen needs (docs/decisions/0008). Both start the same bzImage in the same QEMU, in
turn. The clock starts at the hypervisor's first instruction and stops at the kernel's: breakpoints by QEMU's gdb
server. It is QEMU's processor time that counts. But caches that others use too cost Hospes more than Xen: with
a dozen busy processes on two processors the ratio is a tenth higher. So the best of each counts, pairs are
run until what is wanted is seen, and what fails the test is a ratio that no load explains.
"""
import lzma
import os
import socket
import struct
import time

from lab import HOSPES, RAMDISK, VMLINUZ, XEN, Failure, Machine, bound, check, module, server

WANTED = 0.3
RATIO = 0.35
PAIRS = 4
HV_KB = 128  # of the hypervisor's memory for a server of 96 MB with one vCPU, beside the frame table


class Gdb:
    """As much of gdb's protocol as it takes to run to an address."""

    def __init__(self, path, pid):
        self.pid = pid
        for _ in range(100):
            try:
                self.socket = socket.socket(socket.AF_UNIX)
                self.socket.connect(path)
                break
            except OSError:
                time.sleep(0.05)
        self.socket.settimeout(60)

    def ask(self, text):
        self.socket.sendall(b"$%s#%02x" % (text.encode(), sum(text.encode()) % 256))
        answer = b""
        while True:
            answer += self.socket.recv(4096)
            start = answer.find(b"$")
            end = answer.find(b"#", start)
            if start >= 0 and 0 <= end <= len(answer) - 3:
                self.socket.sendall(b"+")
                return answer[start + 1:end].decode()

    def processor_time(self):
        """Seconds that QEMU has used so far."""
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as f:
            user, system = f.read().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def run_to(self, address):
        """Seconds that it takes the machine to come to the address."""
        check(self.ask(f"Z1,{address:x},1") == "OK", "QEMU takes no breakpoint")
        start = self.processor_time()
        stop = self.ask("c")
        took = self.processor_time() - start
        check(stop.startswith("T05"), f"QEMU stopped with {stop}")
        self.ask(f"z1,{address:x},1")
        return took


def entry_of_hypervisor(path):
    """Where multiboot1 jumps to: the header's own field, or the ELF's."""
    with open(path, "rb") as f:
        image = f.read(65536)
    for at in range(0, 8192, 4):
        magic, flags = struct.unpack_from("<II", image, at)
        if magic == 0x1BADB002 and (magic + flags + struct.unpack_from("<I", image, at + 8)[0]) % 2**32 == 0:
            if flags & 0x10000:
                return struct.unpack_from("<I", image, at + 28)[0]
            return struct.unpack_from("<I" if image[4] == 1 else "<Q", image, 24)[0]
    raise Failure(f"{path}: no multiboot header")


def entry_of_kernel(path):
    """The kernel's first instruction as a PV guest: the note XEN_ELFNOTE_ENTRY of the ELF in the bzImage."""
    with open(path, "rb") as f:
        image = f.read()
    offset, length = struct.unpack_from("<II", image, 0x248)
    start = ((image[0x1F1] or 4) + 1) * 512 + offset
    elf = lzma.LZMADecompressor().decompress(image[start:start + length])
    phoff, phnum = struct.unpack_from("<Q", elf, 32)[0], struct.unpack_from("<H", elf, 56)[0]
    for i in range(phnum):
        kind, _, at, _, _, size = struct.unpack_from("<IIQQQQ", elf, phoff + 56 * i)
        end = at + size
        while kind == 4 and at < end:
            namesz, descsz, note = struct.unpack_from("<III", elf, at)
            desc = at + 12 + (namesz + 3) // 4 * 4
            if elf[at + 12:at + 16] == b"Xen\0" and note == 1:
                return struct.unpack_from("<Q", elf, desc)[0]
            at = desc + (descsz + 3) // 4 * 4
    raise Failure(f"{path}: no entry note")


def measure(name, hypervisor, modules, options):
    path = os.path.join("/tmp", f"hospes-gdb-{os.getpid()}-{name}")
    with Machine("speed-" + name, modules, options, smp=1, hypervisor=hypervisor,
                 extra=["-gdb", f"unix:{path},server=on,wait=off", "-S"]) as m:
        try:
            gdb = Gdb(path, m.qemu.pid)
            gdb.run_to(entry_of_hypervisor(hypervisor))
            return gdb.run_to(entry_of_kernel(VMLINUZ))
        finally:
            if os.path.exists(path):
                os.unlink(path)


@bound(240, alone=True, build="plain")
def test_loader_to_guest():
    modules = [module(VMLINUZ, "console=hvc0 panic=-1"), module(RAMDISK)]
    options = "com1=115200,8n1 dom0_mem=256M dom0_max_vcpus=1 noreboot"
    times = []
    for _ in range(PAIRS):
        times.append((measure("xen", XEN, modules, options), measure("hospes", HOSPES, modules, options)))
        xen, hospes = map(min, zip(*times))
        if hospes <= WANTED * xen:
            break
    text = f"loader to first instruction: Xen {xen:.2f} s, Hospes {hospes:.2f} s, ratio {hospes / xen:.2f} (wanted: {WANTED})"
    print(text)
    check(hospes <= RATIO * xen, f"{text}; it was better than {RATIO} before")


@bound(60)
def test_memory_of_a_server():
    with Machine("cost", [server("web", "memory=96M")], "loglvl=info", smp=1) as m:
        m.expect(r"\(hv\) web: takes (\d+) KB")
        kilobytes = int(m.qemu.match.group(1))
        check(0 < kilobytes < HV_KB, f"a server takes {kilobytes} KB of the hypervisor's memory")
        m.expect(r"\(hv\) start: +\d+ us unpacking")
        m.expect(r"\(hv\) start: +\d+ us from entry to the first server")
