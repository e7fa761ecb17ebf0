#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes the servers' ramdisk: busybox, and scripts/ramdisk/* beside it.
#
# usage: ramdisk.sh FILE
set -euo pipefail

out=$1
here=$(dirname "$0")/ramdisk
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

chmod 755 "$tree"
mkdir -p "$tree"/{bin,dev,etc,proc,root,sys,tmp}
busybox=$(command -v busybox)
cp "$busybox" "$tree/bin/busybox"
for applet in $("$busybox" --list); do
    [ -e "$tree/bin/$applet" ] || ln -s busybox "$tree/bin/$applet"
done
ln -s bin "$tree/sbin"
install -m 755 "$here/init" "$tree/init"
install -m 755 "$here/work" "$tree/etc/work"
install -m 644 "$here/inittab" "$here/profile" "$tree/etc/"

mkdir -p "$(dirname "$out")"
find "$tree" -exec touch -h -d @0 {} +
(cd "$tree" && find . | LC_ALL=C sort | cpio --quiet --reproducible -o -H newc -R 0:0) | gzip -6n > "$out.new"
mv "$out.new" "$out"
