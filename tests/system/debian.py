#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A whole Debian 12 as dom0 (scripts/dom0_image.sh): from its disk to a login, a command, and off.

Minutes for each machine under emulation, so it is no part of `make check`: `make check-debian`.
usage: debian.py [pc] [q35]
"""
import os
import sys

from lab import IMAGES, Failure, Machine, module

DEBIAN = os.path.join(IMAGES, "debian")
OPTIONS = "com1=115200,8n1 loglvl=all guest_loglvl=all dom0_mem=1024M"
START = 900             # seconds to the login; on a quiet machine it is a tenth of that

DISKS = {               # machine: its disk, the name of that, its card
    "pc": ("virtio-blk-pci", "/dev/vda", "e1000"),
    "q35": ("nvme,serial=1", "/dev/nvme0n1", "virtio-net-pci"),
}


def boot(kind):
    device, root, card = DISKS[kind]
    modules = [module(f"{DEBIAN}/vmlinuz", f"console=hvc0 root={root} rw "
                      "systemd.default_device_timeout_sec=900"), module(f"{DEBIAN}/initrd.gz")]
    extra = ["-M", kind, "-vga", "none", "-netdev", "user,id=n", "-device", f"{card},netdev=n", "-drive",
             f"file={DEBIAN}/disk.img,if=none,id=a,format=raw,snapshot=on", "-device", f"{device},drive=a"]
    with Machine(f"debian-{kind}", modules, OPTIONS, smp=2, mem=2048, extra=extra) as m:
        m.expect(r"dom0 login: ", START)
        m.line("root")
        m.expect(r"root@dom0:~# ", 120)
        m.line("cat /sys/hypervisor/type; findmnt -no SOURCE /")
        m.expect(rf"\nxen\r\n{root}\r", 60)
        m.line("systemctl poweroff")
        m.expect(r"\(hv\) dom0: powered off, and the machine with it", 300)


def main():
    failed = 0
    for kind in sys.argv[1:] or DISKS:
        try:
            boot(kind)
            print(f"  ok   debian on {kind}", flush=True)
        except Failure as e:
            failed += 1
            print(f"  FAIL debian on {kind}: {e}", flush=True)
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
