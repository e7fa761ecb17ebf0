#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes a ramdisk for dom0 with drivers: the servers' ramdisk, and behind it an archive with modules of
# the stock kernel and scripts/dom0_ramdisk/work in the place of /etc/work. Linux unpacks both.
#
# usage: dom0_ramdisk.sh RAMDISK MODULES FILE      (MODULES: .../lib/modules/VERSION)
set -euo pipefail

ramdisk=$1 modules=$2 out=$3
here=$(dirname "$0")/dom0_ramdisk
wanted="virtio_pci virtio_blk virtio_net ata_piix ahci sd_mod nvme e1000 e1000e"
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

declare -A path seen
while read -r file; do
    name=$(basename "$file" .ko)
    path[${name//-/_}]=$file
done < <(find "$modules/kernel" -name '*.ko')

# A module after what it depends on.
take() {
    local name=${1//-/_}
    [ -z "${seen[$name]:-}" ] || return 0
    seen[$name]=1
    [ -n "${path[$name]:-}" ] || return 0 # built in
    for dependence in $(modinfo -F depends "${path[$name]}" | tr ',' ' '); do
        take "$dependence"
    done
    cp "${path[$name]}" "$tree/lib/modules/$name.ko"
    echo "$name" >> "$tree/lib/modules/order"
}

chmod 755 "$tree"
mkdir -p "$tree/lib/modules" "$tree/etc"
for name in $wanted; do
    take "$name"
done
install -m 755 "$here/work" "$tree/etc/work"
find "$tree" -exec touch -h -d @0 {} +
{
    cat "$ramdisk"
    (cd "$tree" && find . | LC_ALL=C sort | cpio --quiet --reproducible -o -H newc -R 0:0) | gzip -1n
} > "$out.new"
mv "$out.new" "$out"
