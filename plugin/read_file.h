/* read_file.h -- a whole file into a buffer, with a ceiling. */
#ifndef SLU_PLUGIN_READ_FILE_H
#define SLU_PLUGIN_READ_FILE_H

#include "base/buf.h"
#include "base/err.h"

/* Append the file to `out`, whose ceiling is the file's. `regular`: refuse devices and pipes, which
 * could keep the reader waiting. "-" is a file of that name; see slu_read_fd() for standard input. */
int slu_read_file(const char *path, bool regular, struct slu_buf *out, struct slu_err *err);

/* The same from an open descriptor, called `name` in errors. */
int slu_read_fd(int fd, const char *name, struct slu_buf *out, struct slu_err *err);

#endif
