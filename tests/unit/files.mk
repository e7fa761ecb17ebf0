# Unit tests: `unit += NAME` and `unit-NAME := src/x/a.c ...`, the sources that
# tests/unit/test_NAME.c needs beside itself. Two lines for each test.
unit += builder_layout
unit-builder_layout := src/builder/layout.c
unit += servers_args
unit-servers_args := src/builder/args.c src/lib/parse.c src/lib/format.c
unit += emul
unit-emul := src/emul/alu.c src/emul/decode.c src/emul/execute.c src/emul/operand.c src/emul/string.c src/emul/system.c
unit += console
unit-console := src/builder/console_line.c src/builder/console_ring.c
unit += emul_system
unit-emul_system := src/emul/alu.c src/emul/decode.c src/emul/execute.c src/emul/operand.c src/emul/string.c src/emul/system.c
