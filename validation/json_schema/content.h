/* content.h -- is it JSON? For contentMediaType: no tree, no memory, one pass. */
#ifndef SLU_JSON_SCHEMA_CONTENT_H
#define SLU_JSON_SCHEMA_CONTENT_H

#include <stdbool.h>
#include <stddef.h>

/* Nesting; a deeper text counts as no JSON. */
#define SLU_CONTENT_MAX_DEPTH 1024

/* One JSON text by RFC 8259, blanks around it allowed. `text` is well-formed UTF-8. */
bool slu_content_is_json(const char *text, size_t len);

#endif
