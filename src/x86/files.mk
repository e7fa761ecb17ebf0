# The files of src/x86.
