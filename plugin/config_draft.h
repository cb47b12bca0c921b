/* config_draft.h -- a configuration while it is read: what the files config_*.c share.
 *
 *   config.c          the order of things, the top level
 *   config_check.c    is it well formed? every section against the manual
 *   config_manual.c   what config.schema.json says about an option
 *   config_say.c      what is wrong with one, as a sentence
 *   config_unsupported.c  options that come with later versions
 *   config_schema.c   schemas, schema_documents: the documents
 *   config_sink.c     sinks
 *   config_policy.c   policies, and the compiled snapshot
 *   config_case.c     test cases
 *
 * Everything is told at once: a section that is not well formed is left out of what comes after it,
 * and the others are read to the end.
 */
#ifndef SLU_PLUGIN_CONFIG_DRAFT_H
#define SLU_PLUGIN_CONFIG_DRAFT_H

#include "plugin/config.h"

struct slu_draft {
    struct slu_config *config; /* its arena holds everything that is kept */
    const char *folder;        /* of the file as it was named: "." or "conf" */
    const char *absolute;      /* the same, absolute */
    struct slu_problems *problems;
    const struct slu_node **unsound; /* sections that are not well formed */
    size_t n_unsound, room_unsound;
    struct slu_schema_source *sources; /* one a section of `schemas` */
    struct slu_library *library; /* the same and `schema_documents`, while they are compiled */
};

/* Tell of a problem at `node` (the deepest that exists below `section` at `below`, a JSON Pointer);
 * `pointer` is the section's own. */
void slu_draft_tell(struct slu_draft *draft, bool is_warning, const struct slu_node *section,
                    const char *pointer, const char *below, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* The same at the member's key instead of its value. */
void slu_draft_tell_key(struct slu_draft *draft, const struct slu_node *section,
                        const char *pointer, const char *below, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

void slu_draft_no_memory(struct slu_draft *draft);

/* `/<name>` appended to a pointer, escaped (RFC 6901 §3); cut when it is longer than `size`. */
void slu_draft_pointer(char *out, size_t size, const char *pointer, struct slu_slice name);

/* A path of the configuration: relative ones start at its folder. NULL: no memory. */
const char *slu_draft_path(const struct slu_draft *draft, const char *folder, const char *path);

/* Check every section. False: nothing more can be said (the file is no map, or hopeless). */
bool slu_draft_check(struct slu_draft *draft);
void slu_draft_mark_unsound(struct slu_draft *draft, const struct slu_node *section);
bool slu_draft_is_sound(const struct slu_draft *draft, const struct slu_node *section);

/* A duration or size option of `section`, within min … max. Tells when it is not. */
long long slu_draft_duration(struct slu_draft *draft, const struct slu_node *section,
                             const char *pointer, const char *key, long long min, long long max,
                             long long fallback);
long long slu_draft_size(struct slu_draft *draft, const struct slu_node *section,
                         const char *pointer, const char *key, long long min, long long max,
                         long long fallback);

bool slu_draft_read_schemas(struct slu_draft *draft);
bool slu_draft_read_sinks(struct slu_draft *draft, slu_config_bit *bit, void *context);
bool slu_draft_read_policies(struct slu_draft *draft);
void slu_draft_check_tests(struct slu_draft *draft);

/* The sinks of a `to` list at `below` of `section`, as bits; unknown names are told. */
uint64_t slu_draft_sinks(struct slu_draft *draft, const struct slu_node *section,
                         const char *pointer, const char *below);

/* Tell of sinks under on_violation.to that take messages only. */
void slu_draft_check_violation_sinks(struct slu_draft *draft, const struct slu_node *policy,
                                     const char *pointer);

#endif
