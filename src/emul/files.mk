# SPDX-License-Identifier: GPL-2.0-or-later
hv-src += src/emul/alu.c
hv-src += src/emul/decode.c
hv-src += src/emul/execute.c
hv-src += src/emul/operand.c
hv-src += src/emul/string.c
hv-src += src/emul/system.c
