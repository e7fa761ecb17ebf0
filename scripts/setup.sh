#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Installs with apt-get what building, running and testing Hospes needs and this
# machine lacks. Says what it does; does nothing when nothing is missing.
set -euo pipefail

packages=(
    # build: two compilers, Xen's public headers, static decompressors
    gcc clang libclang-rt-14-dev llvm binutils libc6-dev libxen-dev zlib1g-dev liblzma-dev libzstd-dev liblz4-dev
    # run: the machine, and what the servers' ramdisk is made of
    qemu-system-x86 busybox-static cpio e2fsprogs xz-utils kmod mmdebstrap
    # test: unit tests, consoles, boot media
    libcmocka-dev python3 python3-pexpect python3-jsonschema grub-pc-bin grub-efi-amd64-bin grub-common xorriso mtools ovmf
    # analyse
    sparse cppcheck clang-tidy clang-format cloc git
)

missing=()
for p in "${packages[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing+=("$p")
done

as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo)
apt() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 "$@"
}

if [ ${#missing[@]} -gt 0 ]; then
    echo "setup: installing ${missing[*]}"
    apt update
    apt install --no-install-recommends "${missing[@]}"
fi

# The kernel of the servers is fetched, not installed: apt must know its name.
if ! apt-cache show linux-image-amd64 >/dev/null 2>&1; then
    echo "setup: reading apt's package lists"
    apt update
fi
echo "setup: everything is installed"
