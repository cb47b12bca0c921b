/* record_schema.h -- schemas/record.avsc, carried inside the program. Made by cmake/embed.cmake. */
#ifndef SLU_SINKS_RECORD_SCHEMA_H
#define SLU_SINKS_RECORD_SCHEMA_H

#include <stddef.h>

extern const char slu_schema_of_record[]; /* terminated */
extern const size_t slu_schema_of_record_len;

#endif
