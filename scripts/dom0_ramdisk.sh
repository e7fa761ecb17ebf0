#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes a ramdisk for dom0 with drivers: the servers' ramdisk, and behind it an archive with modules of
# the stock kernel and scripts/dom0_ramdisk/work in the place of /etc/work. Linux unpacks both.
#
# usage: dom0_ramdisk.sh RAMDISK MODULES FILE      (MODULES: .../lib/modules/VERSION)
set -euo pipefail

ramdisk=$1 modules=$2 out=$3
scripts=$(dirname "$0")
. "$scripts/modules.sh"
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

chmod 755 "$tree"
mkdir -p "$tree/etc"
take_modules "$modules" "$tree/lib/modules" virtio_pci virtio_blk virtio_net ata_piix ahci sd_mod nvme e1000 e1000e ramoops
install -m 755 "$scripts/dom0_ramdisk/work" "$tree/etc/work"
find "$tree" -exec touch -h -d @0 {} +
{
    cat "$ramdisk"
    (cd "$tree" && find . | LC_ALL=C sort | cpio --quiet --reproducible -o -H newc -R 0:0) | gzip -1n
} > "$out.new"
mv "$out.new" "$out"
