#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes a boot CD, for BIOS and EFI: GRUB loads Hospes by multiboot2, and servers.
#
# usage: iso.sh OUT HOSPES KERNEL RAMDISK NAME...
#
# environment: KEYS, the servers' keys (memory=192M); OPTIONS, the hypervisor's (console=com1)
set -euo pipefail

out=$1 hospes=$2 kernel=$3 ramdisk=$4
shift 4
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/boot/grub"
cp "$hospes" "$tree/boot/hospes"
cp "$kernel" "$tree/boot/vmlinuz"
cp "$ramdisk" "$tree/boot/ramdisk.gz"

{
    echo "serial --unit=0 --speed=115200"
    echo "terminal_input serial console"
    echo "terminal_output serial console"
    echo "set timeout=0"
    echo "insmod gzio"
    echo "menuentry Hospes {"
    echo "    multiboot2 /boot/hospes ${OPTIONS-console=com1}"
    for name; do
        echo "    module2 /boot/vmlinuz domain=$name ${KEYS-memory=192M} -- console=hvc0 quiet server=$name"
        echo "    module2 /boot/ramdisk.gz"
    done
    echo "}"
} > "$tree/boot/grub/grub.cfg"

mkdir -p "$(dirname "$out")"
grub-mkrescue --compress=no -o "$out" "$tree" -- -volid HOSPES > "$out.log" 2>&1 || { cat "$out.log"; exit 1; }
rm "$out.log"
echo "iso: $out starts $*"
