/* metaschemas.h -- the metaschemas of schemas/json-schema/, which travel inside the program (made by
 * cmake/metaschemas.cmake). */
#ifndef SLU_JSON_SCHEMA_METASCHEMAS_H
#define SLU_JSON_SCHEMA_METASCHEMAS_H

#include <stddef.h>

struct slu_metaschema {
    const char *uri; /* its $id or id, without '#' */
    const char *text;
    size_t len;
};

extern const struct slu_metaschema slu_metaschemas[];
extern const size_t slu_n_metaschemas;

#endif
