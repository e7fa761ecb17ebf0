# SPDX-License-Identifier: GPL-2.0-or-later
"""From the loader to the first instruction of a server, beside real Xen.

Wanted is at most 0.3 of what Xen needs. That is not reached yet (docs/decisions/0008): what was measured lies
between 0.35 and 0.46. The test prints the ratio and fails when what has been won is lost again.

Both start the same bzImage in the same QEMU, one after the other. The clock starts at the
hypervisor's first instruction and stops at the kernel's: breakpoints by QEMU's gdb server.
It is QEMU's processor time that counts, which what else the machine does hardly changes.
"""
import lzma
import os
import socket
import struct
import time

from lab import HOSPES, RAMDISK, VMLINUZ, XEN, Failure, Machine, bound, check, module

WANTED = 0.3
RATIO = 0.6


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
    times = [(measure("xen", XEN, modules, options), measure("hospes", HOSPES, modules, options)) for _ in range(3)]
    xen, hospes = map(min, zip(*times))
    text = f"loader to first instruction: Xen {xen:.2f} s, Hospes {hospes:.2f} s, ratio {hospes / xen:.2f} (wanted: {WANTED})"
    print(text)
    check(hospes <= RATIO * xen, f"{text}; it was better than {RATIO} before")
