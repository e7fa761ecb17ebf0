# The files of src/abi.
hv-src += src/abi/check.c
