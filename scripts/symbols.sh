#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# symbols.sh ELF: the functions of a linked hypervisor as assembly, for src/core/symbols.c: their number, then for
# each in ascending order its distance from text_start and that of its name from the first name, then the names.
set -euo pipefail
nm -n "$1" | awk '$3 == "text_end" { after = 1 } after { next } $3 == "text_start" { print $1, "a", $3 } $2 ~ /[tT]/ && $3 !~ /^\.L/ { print $1, "t", $3 }' |
    sort -u -k1,1 | awk '
    BEGIN { n = 0 }
    { at[n] = substr($1, 9); name[n++] = $3 }   # all in one 4 GB
    END {
        printf "\t.section .symbols, \"a\"\n\t.balign 4\n\t.long %d\n", n
        offset = 0
        for (i = 0; i < n; i++) {
            printf "\t.long 0x%s - 0x%s, %d\n", at[i], at[0], offset
            offset += length(name[i]) + 1
        }
        for (i = 0; i < n; i++)
            printf "\t.asciz \"%s\"\n", name[i]
        print "\t.section .note.GNU-stack, \"\", @progbits"
    }'
