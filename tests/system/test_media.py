# SPDX-License-Identifier: GPL-2.0-or-later
"""A CD with GRUB loads Hospes by multiboot2, with a BIOS and with EFI."""
import shutil

from lab import BUILD, LINUX, RAMDISK, VMLINUZ, Machine, bound, run, scratch

OVMF_CODE, OVMF_VARS = "/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"


def boot_cd(name, firmware=()):
    cd = scratch(name + ".iso")
    run("scripts/iso.sh", cd, BUILD + "/hospes.gz", VMLINUZ, RAMDISK, "web", "db")
    with Machine(name, boot=["-cdrom", cd], extra=firmware, mem=1024) as m:
        m.expect(r"\(hv\) Hospes \S+ \(xen 4\.17\)", LINUX)
        m.expect(r"\(hv\) 2 CPUs, \d+ MB", 20)
        m.expect_all([r"\[web\] web: ready", r"\[db\] db: ready"], 2 * LINUX)


@bound(300)
def test_bios():
    boot_cd("bios")


@bound(300)
def test_efi():
    # the firmware writes into its variables, so they are a copy
    variables = scratch("efi-vars.fd")
    shutil.copyfile(OVMF_VARS, variables)
    boot_cd("efi", ["-drive", f"if=pflash,format=raw,readonly=on,file={OVMF_CODE}",
                    "-drive", f"if=pflash,format=raw,file={variables}"])
