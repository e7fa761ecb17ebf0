#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Starts QEMU with Hospes and two servers, web and db, and no dom0, on this terminal.
#
# environment: HOSPES, KERNEL, RAMDISK (files), SMP, MEM (MB), ACCEL (tcg or kvm)
set -euo pipefail

. "$(dirname "$0")/qemu.sh"

# QEMU writes a file's name in front of its arguments, and parts modules by commas;
# a comma in a name is written twice.
kernel=${KERNEL//,/,,}
ramdisk=${RAMDISK//,/,,}
server() {
    echo "$kernel domain=$1 memory=192M -- console=hvc0 server=$1 quiet,$ramdisk"
}

command=(qemu-system-x86_64 -accel "$ACCEL" -cpu "$(qemu_cpu)" -smp "$SMP" -m "$MEM"
    -nographic -echr 0x1d -nic none -no-reboot
    -kernel "$HOSPES" -append "console=com1"
    -initrd "$(server web),$(server db)")

echo "run: Hospes $HOSPES with two servers, web and db"
echo "run: each has the kernel $KERNEL"
echo "run:      and the ramdisk $RAMDISK"
echo "run: $SMP CPUs, $MEM MB, accelerator $ACCEL; choose with SMP= MEM= ACCEL= KERNEL= RAMDISK="
print_command "${command[@]}"
echo "run: Ctrl-O moves your input: web, db, the prompt 'hospes>' (say 'help' there)"
echo "run: Ctrl-] x ends QEMU"
exec "${command[@]}"
