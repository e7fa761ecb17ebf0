#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes what `make run` shows, from demo/: dom0's ramdisk (Debian's toolstack, and behind it an archive with the
# servers' configuration files and ramdisk) and the disks of web and db. Disks that are there are kept, unless what
# they are made of has changed: they are the servers' own.
#
# usage: demo_images.sh RAMDISK MODULES FOLDER      (MODULES: .../lib/modules/VERSION)
# leaves FOLDER/dom0.gz, FOLDER/web.img, FOLDER/db.img
set -euo pipefail

ramdisk=$1 modules=$2 out=$3
scripts=$(dirname "$0")
demo=$scripts/../demo
. "$scripts/modules.sh"
busybox=$(command -v busybox)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$out"

pack() {
    (cd "$1" && find . | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0) | gzip -1n
}

# An ext4 file system of 32 MB with busybox and a server's own files.
disk() {
    local name=$1 root=$tree/$1 applet
    mkdir -p "$root"/{bin,sbin,data,dev,proc,root,sys,tmp}
    cp "$busybox" "$root/bin/busybox"
    for applet in $("$busybox" --list); do
        [ -e "$root/bin/$applet" ] || ln -s busybox "$root/bin/$applet"
    done
    install -m 755 "$demo/disk/init" "$root/init"
    install -m 755 "$demo/disk/stop" "$root/sbin/poweroff"
    install -m 755 "$demo/disk/stop" "$root/sbin/reboot"
    cp -r "$demo/$name/." "$root"
    rm -f "$out/$name.new"
    truncate -s 32M "$out/$name.new"
    mke2fs -q -t ext4 -L "$name" -E root_owner=0:0 -d "$root" "$out/$name.new"
    mv "$out/$name.new" "$out/$name.img"
}

for name in web db; do
    if [ -s "$out/$name.img" ] && [ -z "$(find "$demo/disk" "$demo/$name" -newer "$out/$name.img" -type f)" ]; then
        continue
    fi
    echo "run: making $name's disk, $out/$name.img"
    disk "$name"
done

echo "run: making dom0's ramdisk, $out/dom0.gz"
front=$tree/front
mkdir -p "$front"/{bin,dev,disk}
cp "$busybox" "$front/bin/busybox"
install -m 755 "$demo/front-init" "$front/init"
take_modules "$modules" "$front/lib/modules" xen-blkfront xen-netfront crc32c_generic ext4
dom0=$tree/dom0
mkdir -p "$dom0"/{etc/xen,guest}
cp "$demo/dom0/start" "$demo/dom0/profile" "$dom0/etc/"
cp "$demo/web.cfg" "$demo/db.cfg" "$dom0/etc/xen/"
pack "$front" > "$dom0/guest/front.gz"
{
    cat "$ramdisk"
    pack "$dom0"
} > "$out/dom0.new"
mv "$out/dom0.new" "$out/dom0.gz"
