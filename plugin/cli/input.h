/* input.h -- what an operand of the command line names: a file (pipes too), or `-`, standard input. */
#ifndef SLU_PLUGIN_CLI_INPUT_H
#define SLU_PLUGIN_CLI_INPUT_H

#include "base/buf.h"
#include "base/err.h"

/* Append all of it to `out`, whose ceiling is the input's. Returns 0, or -1 with `err` set. */
int slu_input_read(const char *operand, struct slu_buf *out, struct slu_err *err);

#endif
