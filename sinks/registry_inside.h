/* registry_inside.h -- what registry.c and registry_references.c share; registry.h is for everyone else. */
#ifndef SLU_SINKS_REGISTRY_INSIDE_H
#define SLU_SINKS_REGISTRY_INSIDE_H

#include "sinks/registry.h"
#include "sinks/registry_http.h"
#include "sinks/registry_reply.h"

struct slu_registry {
    struct slu_registry_options options;
    struct slu_http *http;
    struct slu_http_reply reply;
};

/* Ask for "<head><subject, escaped><tail>"; the reply's body stays in registry->reply. A status that is not
 * 2xx is an error. */
int slu_registry_ask_subject(struct slu_registry *registry, const char *head, const char *subject,
                             const char *tail, const char *body, int64_t deadline_mono_ns,
                             struct slu_err *err);

/* The references of what was just read, and theirs, each behind what it refers to: into schema. */
int slu_registry_gather(struct slu_registry *registry, struct slu_registry_schema *schema,
                        const struct slu_registry_said *said, int64_t deadline_mono_ns,
                        struct slu_err *err);

#endif
