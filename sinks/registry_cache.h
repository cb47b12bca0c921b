/* registry_cache.h -- what a registry said, on disk: a start without the registry works.
 *
 *   <folder>/<16 hex of the registry's url and the key>.json, mode 0600
 *
 *   sluice-registry 1 <CRC-32C of the rest, 8 hex> <bytes of the rest, 7 digits>⏎
 *   {"key":"http://registry:8081 id 7","id":7,"schemaType":"AVRO","schema":"…","references":[…]}
 *
 * Keys: `URL id 7`, `URL version 3 of press-value`, `URL latest of press-value`, and for the id of a text
 * `URL AVRO text of press-value <16 hex of it>`. The name of a file is only where to look; the whole key
 * stands in it (and the text too, where it matters) and is compared. Of another registry, cut short,
 * changed or no regular file: as if it were not there.
 *
 * A file is written aside, synced, renamed. At most SLU_REGISTRY_CACHE_FILES; beyond that nothing new is
 * kept. No part of it is a secret.
 *
 * Threads: any, several processes too.
 */
#ifndef SLU_SINKS_REGISTRY_CACHE_H
#define SLU_SINKS_REGISTRY_CACHE_H

#include "sinks/registry_reply.h"

#define SLU_REGISTRY_CACHE_FILES 4096

/* The entry of `key` in `folder`, read into `arena`. False: none that can be trusted. */
bool slu_registry_cache_read(const char *folder, const char *key, struct slu_arena *arena,
                             struct slu_registry_said *said);

/* Is there a file for `key`? It may not be one that can be trusted. */
bool slu_registry_cache_has(const char *folder, const char *key);

/* Keep it. The folder is made (0700) when it is missing, its parent is not. Files belong to whom the
 * folder belongs, as far as the system lets us. 0, or -1 and err: it is not kept. */
int slu_registry_cache_write(const char *folder, const char *key,
                             const struct slu_registry_schema *schema, struct slu_err *err);

#endif
