#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes a ramdisk for dom0 with Debian's toolstack (xl, xenstored, xenconsoled, /etc/xen/scripts) and the back
# halves of the split drivers from its own packages, and in it a kernel and a ramdisk for the servers that it creates.
#
# usage: xl_ramdisk.sh CACHE MODULES KERNEL FILE      (MODULES: .../lib/modules/VERSION)
set -euo pipefail

cache=$1 modules=$2 kernel=$3 out=$4
here=$(dirname "$0")/xl_ramdisk
. "$(dirname "$0")/modules.sh"
packages="xen-utils-4.17 xenstore-utils xen-utils-common libxencall1 libxendevicemodel1 libxenevtchn1
    libxenforeignmemory1 libxengnttab1 libxenhypfs1 libxenmisc4.17 libxenstore4 libxentoolcore1 libxentoollog1
    libc6 libgcc-s1 libargon2-1 libbz2-1.0 libcap2 libfdt1 libgcrypt20 libgpg-error0 liblz4-1 liblzma5 liblzo2-2
    libncurses6 libtinfo6 libnl-3-200 libnl-route-3-200 libsystemd0 libuuid1 libyajl2 libzstd1 zlib1g bash util-linux"
drivers="xen-privcmd xen-evtchn xen-gntdev xen-gntalloc xenfs xen-blkback xen-netback bridge loop virtio_pci virtio_net
    virtio_blk"
front_drivers="xen-blkfront xen-netfront"

mkdir -p "$cache"
cache=$(realpath "$cache")
missing=()
for package in $packages; do
    compgen -G "$cache/${package}_*.deb" > /dev/null || missing+=("$package")
done
for i in "${!missing[@]}"; do
    echo "images: fetching ${missing[i]} ($((i + 1)) of ${#missing[@]})"
    (cd "$cache" && apt-get -q -o APT::Sandbox::User=root download "${missing[i]}" > /dev/null)
done
echo "images: making dom0's ramdisk with Debian's toolstack, $out"

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
chmod 755 "$tree"
mkdir -p "$tree"/{bin,dev,etc,lib,proc,run,sys,tmp,root,var/log/xen/console,var/lib/xen,guest} "$tree/parts"
for package in $packages; do
    dpkg -x "$(compgen -G "$cache/${package}_*.deb" | head -n 1)" "$tree/parts"
done
lib=$tree/usr/lib/x86_64-linux-gnu
mkdir -p "$lib" "$tree/usr/lib/xen-4.17" "$tree/lib64"
cp -a "$tree"/parts/usr/lib/x86_64-linux-gnu/*.so* "$lib"
[ ! -d "$tree/parts/lib/x86_64-linux-gnu" ] || cp -a "$tree"/parts/lib/x86_64-linux-gnu/*.so* "$lib"
cp -a "$tree/parts/usr/lib/xen-4.17/bin" "$tree/usr/lib/xen-4.17/bin"
cp -a "$tree"/parts/usr/bin/xenstore* "$tree/parts/usr/sbin/xenhypfs" "$tree/parts/bin/bash" \
    "$tree/parts/usr/bin/flock" "$tree/bin"
cp -a "$tree/parts/etc/xen" "$tree/etc/xen"
ln -s ../usr/lib/x86_64-linux-gnu "$tree/lib/x86_64-linux-gnu"
ln -s ../usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 "$tree/lib64/ld-linux-x86-64.so.2"
rm -rf "$tree/parts"
cp "$(command -v busybox)" "$tree/bin/busybox"
take_modules "$modules" "$tree/lib/modules" $drivers
install -m 755 "$here/init" "$tree/init"

# The kernel unpacked and packed lightly: dom0 unpacks it for each server.
python3 - "$kernel" "$tree/guest/kernel.gz" << 'END'
import gzip, lzma, sys
image = open(sys.argv[1], "rb").read()
start = image.index(b"\xfd7zXZ\0")
with gzip.open(sys.argv[2], "wb", 1) as f:
    f.write(lzma.LZMADecompressor().decompress(image[start:]))
END

guest=$tree/tmp/guest
mkdir -p "$guest"/{bin,sbin,dev,proc,sys,tmp}
take_modules "$modules" "$guest/lib/modules" $front_drivers
cp "$(command -v busybox)" "$guest/bin/busybox"
install -m 755 "$here/guest-init" "$guest/init"
printf '#!/bin/busybox sh\n/bin/busybox poweroff -f\n' > "$guest/sbin/poweroff"
chmod 755 "$guest/sbin/poweroff"
(cd "$guest" && find . | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0) | gzip -1n > "$tree/guest/ramdisk.gz"
rm -rf "$guest"

(cd "$tree" && find . | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0) | gzip -1n > "$out.new"
mv "$out.new" "$out"
