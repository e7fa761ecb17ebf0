# SPDX-License-Identifier: GPL-2.0-or-later
# For other scripts: what starting QEMU takes.

# The processor model that goes with accelerator $ACCEL.
qemu_cpu() {
    case $ACCEL in
    kvm) echo host ;;
    *) echo max,-smap ;;        # QEMU 7.2's TCG does not honour STAC in time
    esac
}

# Prints a command so that it can be typed again.
print_command() {
    local word
    printf 'run:'
    for word in "$@"; do
        case $word in *\ *) word="'$word'" ;; esac
        printf ' %s' "$word"
    done
    echo
}
