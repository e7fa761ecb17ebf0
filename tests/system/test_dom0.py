# SPDX-License-Identifier: GPL-2.0-or-later
"""dom0 drives the hardware: disks, cards, interrupts by lines and messages, the end of the machine."""
import hashlib
import os
import random
import re

import pexpect

from lab import IMAGES, LINUX, VMLINUZ, Machine, bound, check, module, scratch

RAMDISK = os.path.join(IMAGES, "dom0.gz")
MIB = 1 << 20
OPTIONS = "com1=115200,8n1 loglvl=all guest_loglvl=all dom0_mem=512M"


def disk(name, seed):
    """A file of 16 MiB that no two seeds share; its path, and the sum of its first 4 MiB."""
    path = scratch(name + ".img")
    data = random.Random(seed).randbytes(4 * MIB)
    with open(path, "wb") as f:
        f.write(data)
        f.truncate(16 * MIB)
    return path, hashlib.md5(data).hexdigest()


def drive(path, name, device):
    return ["-drive", f"file={path},if=none,id={name},format=raw", "-device", f"{device},drive={name}"]


def dom0(name, disks, extra, smp):
    modules = [module(VMLINUZ, f"console=hvc0 earlyprintk=xen panic=-1 disks={disks}"), module(RAMDISK)]
    return Machine(name, modules, OPTIONS, smp=smp, mem=1024, extra=extra)


def gone(m, word, seconds=30):
    """The machine goes off, not only dom0."""
    m.expect(rf"\(hv\) dom0: {word}, and the machine with it", seconds)
    check(m.qemu.expect([pexpect.EOF, pexpect.TIMEOUT], timeout=seconds) == 0, "the machine has not gone off")


def interrupts(m):
    """{what: (kind, count)} of the lines that dom0 wrote; a card that is down has given its interrupt's name up."""
    found = {}
    line = r"dom0: interrupt (\d+): ([\d ]+) xen-pirq -(\S+) ?([^\r\n]*)"
    for number, counts, kind, what in re.findall(line, m.seen()):
        found[what or number] = (kind, sum(int(n) for n in counts.split()))
    return found


@bound(400)
def test_pc():
    """Lines of the I/O APIC, edge and level, shared by a card and a virtio device, and MSI-X; a disk is written."""
    virtio, first = disk("pc-virtio", 1)
    ide, second = disk("pc-ide", 2)
    extra = ["-M", "pc", *drive(virtio, "a", "virtio-blk-pci"), *drive(ide, "b", "ide-hd"),
             "-netdev", "user,id=n", "-device", "e1000,netdev=n"]
    with dom0("dom0-pc", 2, extra, 1) as m:
        m.expect_all([rf"dom0: disk vda: 16384 KiB, begins with {first}",
                      rf"dom0: disk sda: 16384 KiB, begins with {second}", r"dom0: card eth0: answered"], 2 * LINUX)
        m.expect(r"dom0: ready", 30)
        seen = interrupts(m)
        check(seen.get("ata_piix", ("", 0)) > ("ioapic-edge", 0), f"the IDE disk's interrupts: {seen}")
        check(any("ioapic-level" == kind and n > 0 for kind, n in seen.values()), f"no level interrupt: {seen}")
        check(seen.get("virtio0-req.0", ("", 0)) > ("msi-x", 0), f"the virtio disk's interrupts: {seen}")
        m.expect(r"# ", 20)
        m.line("dd if=/dev/vda of=/dev/sda bs=64k count=64 conv=fsync; echo written=$?")
        m.expect(r"written=0", 60)
        m.line("poweroff -f")
        gone(m, "powered off")
    with open(ide, "rb") as f:
        check(hashlib.md5(f.read(4 * MIB)).hexdigest() == first, "what dom0 wrote is not on the disk")


@bound(500)
def test_q35():
    """Messages on two CPUs: AHCI by MSI, NVMe and e1000e by MSI-X; interrupts follow to where they are wanted."""
    images = [disk("q35-" + kind, seed) for seed, kind in enumerate(("nvme", "sata", "virtio"), 3)]
    extra = ["-M", "q35", *drive(images[0][0], "a", "nvme,serial=1"), *drive(images[1][0], "b", "ide-hd,bus=ide.0"),
             *drive(images[2][0], "c", "virtio-blk-pci"), "-netdev", "user,id=n", "-device", "e1000e,netdev=n"]
    with dom0("dom0-q35", 3, extra, 2) as m:
        m.expect_all([rf"dom0: disk {name}: 16384 KiB, begins with {image[1]}" for name, image in
                      zip(("nvme0n1", "sda", "vda"), images)] + [r"dom0: card eth0: answered"], 3 * LINUX)
        m.expect(r"dom0: ready", 30)
        seen = interrupts(m)
        check(seen.get("ahci[0000:00:1f.2]", ("", 0)) > ("msi", 0), f"the SATA disk's interrupts: {seen}")
        check(seen.get("nvme0q0", ("", 0)) > ("msi-x", 0), f"the NVMe disk's interrupts: {seen}")
        m.expect(r"# ", 20)
        m.line("n=$(sed -n 's/^ *\\([0-9]*\\):.*ahci.*/\\1/p' /proc/interrupts)")
        for cpu in (1, 0, 1):
            m.line(f"echo {cpu} > /proc/irq/$n/smp_affinity_list; echo 3 > /proc/sys/vm/drop_caches")
            m.line("md5sum /dev/sda | cut -c 1-32; echo read=$?")
            m.expect(hashlib.md5(open(images[1][0], "rb").read()).hexdigest(), 60)
            m.expect(r"read=0", 20)
        m.line("reboot -f")
        gone(m, "rebooting")
