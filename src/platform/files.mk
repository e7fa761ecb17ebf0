# The files of src/platform.
