/* config_manual.h -- what schemas/config.schema.json says about one option: the names that exist in
 * its place, the values it takes, its title. The schema is the manual, for people and for messages.
 *
 * A configuration is judged section by section (the top, then each schema, sink, policy and test), so
 * that a verdict's eight violations are eight a section, not eight a file.
 *
 * Threads: a manual belongs to one thread.
 */
#ifndef SLU_PLUGIN_CONFIG_MANUAL_H
#define SLU_PLUGIN_CONFIG_MANUAL_H

#include "base/err.h"
#include "base/slice.h"
#include "validation/json_schema/schema.h"
#include "validation/payload/payload.h"

#include <stdbool.h>
#include <stddef.h>

enum slu_section {
    SLU_SECTION_TOP,
    SLU_SECTION_SCHEMA,
    SLU_SECTION_SINK, /* of a type that does not exist */
    SLU_SECTION_SINK_FILE,
    SLU_SECTION_SINK_POSTGRESQL,
    SLU_SECTION_SINK_KAFKA,
    SLU_SECTION_POLICY,
    SLU_SECTION_TEST,
    SLU_SECTIONS
};

struct slu_manual {
    struct slu_document *document;
    struct slu_schema *schemas[SLU_SECTIONS];
    struct slu_schema_scratch *scratch;
    struct slu_payload_reader *reader;
};

/* Zero-initialised by the caller. -1 and err: no memory, or the embedded schema is wrong. */
int slu_manual_init(struct slu_manual *manual, struct slu_err *err);
void slu_manual_fini(struct slu_manual *manual);

/* The section that a sink of this type is. */
enum slu_section slu_manual_sink(struct slu_slice type);

/* A page is the schema of one option, an object; NULL is a page that says nothing. Borrowed. */
const struct slu_value *slu_manual_section(const struct slu_manual *manual,
                                           enum slu_section section);

/* The page of member `key` of a map, or of a list's items. */
const struct slu_value *slu_manual_member(const struct slu_manual *manual,
                                          const struct slu_value *page, struct slu_slice key);
const struct slu_value *slu_manual_item(const struct slu_manual *manual,
                                        const struct slu_value *page);

/* The page at a JSON Pointer below `page`. */
const struct slu_value *slu_manual_find(const struct slu_manual *manual,
                                        const struct slu_value *page, const char *pointer);

/* A keyword of the page itself or of what it refers to; NULL when it has none. */
const struct slu_value *slu_manual_keyword(const struct slu_manual *manual,
                                           const struct slu_value *page, const char *keyword);

/* Does the page close its map: are other keys than its properties refused? */
bool slu_manual_is_closed(const struct slu_manual *manual, const struct slu_value *page);

/* Is the page a reference to `name` of $defs? */
bool slu_manual_refers(const struct slu_value *page, const char *name);

#endif
