# Unit tests: `unit += NAME` and `unit-NAME := src/x/a.c ...`, the sources that
# tests/unit/test_NAME.c needs beside itself. Two lines for each test.
unit += builder_layout
unit-builder_layout := src/builder/layout.c
unit += servers_args
unit-servers_args := src/builder/args.c src/lib/parse.c src/lib/format.c
