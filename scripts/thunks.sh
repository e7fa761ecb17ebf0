#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# thunks.sh ELF: the calls of and jumps to thunks in a linked hypervisor as assembly, for src/x86/patch.c: for each
# its distance from text_start.
set -euo pipefail
start=$(nm "$1" | awk '$3 == "text_start" { print substr($1, 9) }') # all in one 4 GB
echo '	.section .thunk_sites, "a"'
echo '	.balign 4'
objdump -d --no-show-raw-insn -j .text -j .init "$1" | awk -v start="$start" '
    $2 ~ /^(call|j[a-z]*)$/ && /<__x86_(indirect|return)_thunk[_a-z0-9]*>$/ {
        sub(":", "", $1)
        if ($2 != "call" && $2 != "jmp") { print "thunks.sh: cannot change: " $0 > "/dev/stderr"; exit 1 }
        printf "\t.long 0x%s - 0x%s\n", substr($1, 9), start
    }'
