# The files of src/emul.
