# The files of src/mem.
