/* file.h -- a whole small file into memory: configurations, schemas, secrets. */
#ifndef SLU_BASE_FILE_H
#define SLU_BASE_FILE_H

#include "base/buf.h"
#include "base/err.h"

/* Append the regular file `path` to `out`. Returns 0, or -1 with `err` set (which names the path):
 * cannot be opened or read, is no regular file (a pipe could keep the caller waiting), does not fit
 * below out->max, no memory. */
int slu_file_read(const char *path, struct slu_buf *out, struct slu_err *err);

#endif
