/* template.h -- "alerts/quality/{site}/${policy}": a pattern with named levels and variables.
 *
 * `{level}` is a named level of the topic filter that matched; `${…}` is one of the variables below.
 * What is substituted is escaped for where it goes, so that a client's id can never add a level, a
 * wildcard or a folder; what stands in the pattern itself is fixed when it is compiled.
 *
 *   topic, name   `%`, `+`, `#`, `/`, `$`, bytes < 0x20 and 0x7F become %XX (upper case). `${topic}` and
 *                 a `{name#}` level keep their `/` and are escaped within levels. Absent or empty
 *                 becomes `_`.
 *   name          besides, for what becomes a path: a level that is nothing but dots has them written
 *                 as %2E (so no `..`), and an empty level within `${topic}` or `{name#}` becomes `_`
 *                 (so no leading `/`)
 *   kafka_topic   every byte outside [A-Za-z0-9._-] becomes `_`, in the pattern as well; absent or empty
 *                 becomes `_`
 *   text          as it is (values that go where nothing is parsed); absent is empty
 *
 * The `#` is part of how a level is used: `{rest#}` keeps the `/` of a level that the filter calls
 * `{rest#}`; `{rest}` writes the same level as one (`a%2Fb`).
 *
 * There is no escape: `{` and `}` only stand for substitutions, a `$` before anything but `{` is a `$`.
 * A `${payload:…}` pointer ends at the first `}`.
 */
#ifndef SLU_BASE_TEMPLATE_H
#define SLU_BASE_TEMPLATE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/topic.h"

#include <stdbool.h>

enum slu_template_use {
    SLU_TEMPLATE_TOPIC,
    SLU_TEMPLATE_NAME, /* a file name or any other name: as for topics */
    SLU_TEMPLATE_KAFKA_TOPIC,
    SLU_TEMPLATE_TEXT,
};

/* The variables; the order is the order of the bits in a template's `allowed`. */
enum slu_variable {
    SLU_VARIABLE_TOPIC,
    SLU_VARIABLE_CLIENT_ID,
    SLU_VARIABLE_USERNAME,
    SLU_VARIABLE_POLICY,
    SLU_VARIABLE_CODE,
    SLU_VARIABLE_INSTANCE,
    SLU_VARIABLE_TAG,
    SLU_VARIABLE_LIMIT,
    SLU_VARIABLE_PAYLOAD, /* ${payload:/json/pointer} */
    SLU_VARIABLES,
};
#define SLU_VARIABLE_BIT(variable) (1u << (variable))

/* What a template is filled from. Borrowed for the call. */
struct slu_template_values {
    struct slu_slice variables[SLU_VARIABLES]; /* [SLU_VARIABLE_PAYLOAD] is not used */
    const struct slu_topic_filter *filter;     /* that matched; NULL: no levels, all are absent */
    struct slu_slice topic;                    /* that it matched */
    /* Resolves ${payload:…}: the scalar's text at `pointer`, false when absent or no scalar. NULL:
     * always absent. `text` need only live until the next call. */
    bool (*payload)(void *context, struct slu_slice pointer, struct slu_slice *text);
    void *context;
};

struct slu_template;

/* Compile `text`. `allowed` holds the bits of the variables that have a value there; another one is
 * an error that lists the allowed ones. Lives in `arena`; never changes. NULL and `err` on error. */
const struct slu_template *slu_template_parse(struct slu_slice text, unsigned allowed,
                                              struct slu_arena *arena, struct slu_err *err);

/* Append the filled pattern to `out`. Returns 0; -1 when `out` failed; 1 when a `{level}` is not a
 * level of the filter (written as `_`; a sink makes it a dead letter template.unresolved). */
int slu_template_fill(const struct slu_template *pattern, enum slu_template_use use,
                      const struct slu_template_values *values, struct slu_buf *out);

/* The names of the `{level}`s used (without `#`), to check them against filters: the i-th, or false
 * past the end. */
bool slu_template_level(const struct slu_template *pattern, size_t i, struct slu_slice *name);

/* Is it all literal text, the same every time? */
bool slu_template_is_fixed(const struct slu_template *pattern);

/* The pattern as an MQTT filter that matches every topic it can produce, e.g. "alerts/quality/+/+";
 * `${topic}` and `{name#}` become `#` and end it. For the loop check. False when `out` failed, or when
 * no filter can say it: a first level that begins with `$` and has a substitution behind it. */
bool slu_template_filter(const struct slu_template *pattern, struct slu_buf *out);

/* The text as written. */
struct slu_slice slu_template_text(const struct slu_template *pattern);

#endif
