#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes a Debian 12 system to run as dom0, from Debian's own packages: systemd, the stock kernel, Xen's tools.
# Nothing in it knows that the hypervisor will be Hospes.
#
# usage: dom0_image.sh FOLDER [PACKAGE...]
# leaves FOLDER/disk.img (an ext4 file system, sparse), FOLDER/vmlinuz and FOLDER/initrd.gz
# Log in as root without a password on hvc0; the network card gets its address by DHCP.
set -euo pipefail

out=$1
shift
size=${DOM0_DISK_SIZE:-3G}
packages="systemd-sysv,udev,dbus,kmod,login,e2fsprogs,iproute2,iputils-ping,bridge-utils,procps,less"
packages+=",linux-image-amd64,initramfs-tools,lz4,xen-utils-4.17,xenstore-utils,pciutils,busybox"
for package in "$@"; do
    packages+=",$package"
done

command -v mmdebstrap > /dev/null || { echo "dom0_image.sh: package mmdebstrap is missing" >&2; exit 1; }
mkdir -p "$out"
tree=$(mktemp -d "$out/tree.XXXXXX")
trap 'rm -rf --one-file-system "$tree"' EXIT

# Run inside the new system, before it is packed.
customize=$out/customize.sh
cat > "$customize" << 'END'
#!/bin/bash
set -eu
root=$1
echo dom0 > "$root/etc/hostname"
printf '127.0.0.1 localhost\n127.0.1.1 dom0\n' > "$root/etc/hosts"
echo '/dev/root / ext4 rw,noatime 0 1' > "$root/etc/fstab"
sed -i 's/^root:[^:]*:/root::/' "$root/etc/shadow"
printf '[Match]\nName=en* eth*\n[Network]\nDHCP=ipv4\n' > "$root/etc/systemd/network/80-card.network"
ln -sf /run/systemd/resolve/resolv.conf "$root/etc/resolv.conf"
printf 'COMPRESS=lz4\nMODULES=most\n' > "$root/etc/initramfs-tools/conf.d/dom0"
printf 'xen-evtchn\nxen-gntdev\nxen-gntalloc\n' > "$root/etc/modules-load.d/xen.conf"
chroot "$root" systemctl -q enable systemd-networkd
chroot "$root" systemctl -q disable apt-daily.timer apt-daily-upgrade.timer 2> /dev/null || true
chroot "$root" systemctl -q mask systemd-networkd-wait-online
chroot "$root" update-initramfs -u -k all > /dev/null
rm -rf "$root"/var/cache/apt/*.bin "$root"/usr/share/doc/* "$root"/usr/share/man/*
END
chmod 755 "$customize" "$tree"

# From where this machine has its own Debian packages.
mapfile -t sources < <(grep -lsE '^(URIs:|deb ).*/debian' /etc/apt/sources.list /etc/apt/sources.list.d/*.{list,sources})
[ ${#sources[@]} -gt 0 ] || { echo "no Debian archive among apt's sources: see /etc/apt/sources.list"; exit 1; }
mmdebstrap --quiet --variant=minbase --include="$packages" \
    --aptopt='Apt::Install-Recommends "false"' --customize-hook="$customize \"\$1\"" \
    bookworm "$tree" "${sources[@]}"
# mmdebstrap takes its identity away; without one the first start takes stock of all units.
tr -d - < /proc/sys/kernel/random/uuid > "$tree/etc/machine-id"
cp -L "$tree"/boot/vmlinuz-* "$out/vmlinuz"
cp -L "$tree"/boot/initrd.img-* "$out/initrd.gz"
rm -f "$out/disk.new"
truncate -s "$size" "$out/disk.new"
mke2fs -q -t ext4 -L dom0 -E lazy_itable_init=1 -d "$tree" "$out/disk.new"
mv "$out/disk.new" "$out/disk.img"
rm -f "$customize"
