/* policy_inside.h -- what the files that compile a snapshot share; policy.h is for everyone else.
 *
 *   policy.c           the whole: policies, their topics and checks, the matcher
 *   policy_schemas.c   the schemas, and which of them a policy is judged and read with
 *   policy_answer.c    where a violation goes
 *   policy_topics.c    the laws over the topics of all policies
 *
 * The functions that return a bool return false for want of memory only; what is wrong with the
 * configuration is told.
 */
#ifndef SLU_VALIDATION_POLICY_INSIDE_H
#define SLU_VALIDATION_POLICY_INSIDE_H

#include "base/arena.h"
#include "base/problems.h"
#include "validation/policy.h"
#include "validation/policy_topics.h"

#include <stdbool.h>
#include <stddef.h>

struct slu_policy_compiler {
    const struct slu_snapshot_options *options;
    struct slu_problems *problems;
    struct slu_snapshot *snapshot;
    struct slu_policy *policies;                 /* snapshot->policies while they are made */
    struct slu_policy_topics *topics;            /* by policy */
    char **schema_names;                         /* "oven:1", by place in options->schemas */
    const struct slu_schema **schemas;           /* likewise; NULL: broken, or Avro */
    const struct slu_avro_schema **avro_schemas; /* likewise; NULL: broken, or JSON Schema */
    struct slu_avro_choice *readings;            /* snapshot->readings while they are made */
    bool has_broken;                             /* some schema's errors were told before */
    struct slu_arena scratch;                    /* gone when compile returns */
};

/* One policy while it is compiled. */
struct slu_policy_work {
    struct slu_policy_compiler *compiler;
    const struct slu_policy_options *options;
    struct slu_policy *policy;
    struct slu_policy_topics *topics;
    char pointer[128]; /* "/policies/3" */
};

/* An error, or a warning, at what stands `below` (a pointer, or "") `place`, which is at `pointer`. */
void slu_policy_tell_at(struct slu_problems *problems, bool is_warning,
                        const struct slu_node *place, const char *pointer, const char *below,
                        const char *text);

/* An error below the policy at hand. */
__attribute__((format(printf, 3, 4))) void
slu_policy_tell(struct slu_policy_work *work, const char *below, const char *format, ...);

/* qsort has no context: the names travel with the places. */
struct slu_policy_name {
    const char *name;
    size_t i;
};

/* Tells of each of `n` names that an earlier one has too. */
void slu_policy_check_unique(struct slu_policy_compiler *compiler, struct slu_policy_name *names,
                             size_t n,
                             void (*found)(struct slu_policy_compiler *compiler, size_t first,
                                           size_t again));

/* ---- policy_schemas.c */
bool slu_policy_compile_schemas(struct slu_policy_compiler *compiler);
bool slu_policy_compile_choice(struct slu_policy_work *work);

/* Is a payload of this policy taken as it is, not looked into? */
bool slu_policy_reads_bytes(const struct slu_policy_options *options);

/* ---- policy_answer.c */
bool slu_policy_compile_action(struct slu_policy_work *work);

/* Nothing is stored of a message that is taken away: that may be meant, but should be said. */
void slu_policy_warn_of_loss(const struct slu_policy_work *work);

#endif
