#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Starts QEMU with Hospes and Debian's toolstack in dom0, which creates two servers, web and db.
#
# environment: HOSPES, KERNEL (files), DEMO (the folder with dom0.gz, web.img, db.img), SMP, MEM (MB), PORT,
#              ACCEL (tcg or kvm)
set -euo pipefail

. "$(dirname "$0")/qemu.sh"

if (exec 3<> "/dev/tcp/127.0.0.1/$PORT") 2> /dev/null; then
    echo "run: port $PORT is in use: choose another with PORT="
    exit 1
fi

# QEMU parts modules by commas; a comma in a name is written twice.
kernel=${KERNEL//,/,,} demo=${DEMO//,/,,}
dom0="$kernel console=hvc0 quiet port=$PORT,$demo/dom0.gz"
disk() {
    echo "file=$demo/$1.img,format=raw,if=none,id=$1"
}

command=(qemu-system-x86_64 -accel "$ACCEL" -cpu "$(qemu_cpu)" -smp "$SMP" -m "$MEM"
    -nographic -echr 0x14 -no-reboot
    -drive "$(disk web)" -device virtio-blk-pci,drive=web,addr=4
    -drive "$(disk db)" -device virtio-blk-pci,drive=db,addr=5
    -netdev "user,id=net,hostfwd=tcp:127.0.0.1:$PORT-10.0.2.20:80"
    -device virtio-net-pci,netdev=net,addr=6,romfile=
    -kernel "$HOSPES" -append "console=com1 dom0_mem=512M dom0_max_vcpus=1"
    -initrd "$dom0")

echo "run: Hospes $HOSPES, dom0 with Debian's toolstack, servers by demo/web.cfg and demo/db.cfg"
echo "run: $SMP CPUs, $MEM MB, accelerator $ACCEL, port $PORT; choose with SMP= MEM= ACCEL= PORT= KERNEL="
print_command "${command[@]}"
echo "run: Ctrl-T x ends QEMU; Ctrl-O moves your input between dom0 and the prompt 'hospes>'"
exec "${command[@]}"
