/* evaluate.h -- what becomes of a message under a configuration: the plugin's own judge, without
 * broker, spool and sinks. */
#ifndef SLU_PLUGIN_CLI_EVALUATE_H
#define SLU_PLUGIN_CLI_EVALUATE_H

#include "base/buf.h"
#include "base/err.h"
#include "plugin/config.h"
#include "validation/judge.h"

/* What one policy that owns the topic said. */
struct slu_opinion {
    const struct slu_policy *policy;
    const struct slu_topic_filter *filter; /* that matched */
    const char *word;                      /* "holds", "violation", "skipped" */
    struct slu_verdict verdict;            /* its violations */
};

struct slu_evaluation {
    struct slu_opinion *opinions; /* in file order */
    size_t n;
    const char *word;     /* of the whole: "violation" when there is one, else "holds", "skipped" */
    const char *outcome;  /* "pass", "accept", "reroute", "drop", "disconnect" */
    bool has_topic;       /* false: it goes nowhere */
    struct slu_buf topic; /* where it goes on to */
    uint64_t sinks;       /* bits of the sinks that get a record: the message, or the alert */
};

/* Judge. `payload_known` false: only the matching is shown, every opinion is "skipped", and the outcome
 * is that of a message that holds. 0, or -1 and err. Free with slu_evaluation_fini() either way. The
 * snapshot must outlive it. */
int slu_evaluate(const struct slu_snapshot *snapshot, const struct slu_message *message,
                 bool payload_known, struct slu_evaluation *evaluation, struct slu_err *err);
void slu_evaluation_fini(struct slu_evaluation *evaluation);

/* `name`: ["sink", …] of the bits. */
void slu_evaluation_sinks(struct slu_buf *out, const char *name, const struct slu_config *config,
                          uint64_t sinks);

#endif
