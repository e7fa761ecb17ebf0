#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Fetches what servers are started from, without installing it.
#
# usage: images.sh DIR kernel|xen...
#
#   kernel  DIR/vmlinuz, the kernel of Debian's linux-image-amd64 as packaged
#   xen     DIR/xen.elf, Debian's real Xen 4.17 unpacked, for comparison in tests
set -euo pipefail

dir=$1
shift
mkdir -p "$dir"

# fetch PACKAGE: leaves the package's files in $dir/PACKAGE.
fetch() {
    local package=$1 work=$dir/fetch-$1
    [ -d "$dir/$package" ] && return
    rm -rf "$work"
    mkdir -p "$work/files"
    echo "images: fetching $package"
    if ! (cd "$work" && apt-get -q -o APT::Sandbox::User=root download "$package"); then
        # The lists may be older than the archive.
        echo "images: reading apt's package lists anew"
        if [ "$(id -u)" = 0 ]; then apt-get -q update; else sudo apt-get -q update; fi
        (cd "$work" && apt-get -q -o APT::Sandbox::User=root download "$package")
    fi
    dpkg -x "$work"/*.deb "$work/files"
    mv "$work/files" "$dir/$package"
    rm -rf "$work"
}

for what; do
    case $what in
    kernel)
        [ -s "$dir/vmlinuz" ] && continue
        package=$(apt-cache depends linux-image-amd64 | sed -n 's/^ *Depends: *\(linux-image-.*\)/\1/p' | head -n 1)
        [ -n "$package" ] || { echo "images: apt knows no linux-image-amd64" >&2; exit 1; }
        fetch "$package"
        cp "$dir/$package"/boot/vmlinuz-* "$dir/vmlinuz"
        ;;
    xen)
        [ -s "$dir/xen.elf" ] && continue
        fetch xen-hypervisor-4.17-amd64
        gzip -dc "$dir"/xen-hypervisor-4.17-amd64/boot/xen-4.17-amd64.gz > "$dir/xen.elf.new"
        mv "$dir/xen.elf.new" "$dir/xen.elf"
        ;;
    *)
        echo "images: what is '$what'? expected kernel or xen" >&2
        exit 2
        ;;
    esac
done
