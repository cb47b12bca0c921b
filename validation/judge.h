/* judge.h -- one message against its policies, in order.
 *
 *   slu_judge_begin(message) ──▶ match set (none: the message passes)
 *   slu_judge_next() × n      ──▶ a finding per policy: holds, or violation with its verdict
 *
 * Each format is decoded once a message. The verdict of a finding lives until the next call. Whoever
 * asks decides what a violation does: the gate acts at the first enforcing one and stops asking,
 * `sluice explain` goes on and calls the rest skipped.
 *
 * Threads: a judge belongs to one thread; the snapshot it looks at is immutable.
 */
#ifndef SLU_VALIDATION_JUDGE_H
#define SLU_VALIDATION_JUDGE_H

#include "validation/message.h"
#include "validation/policy.h"
#include "validation/verdict.h"

struct slu_judge;

struct slu_finding {
    const struct slu_policy *policy;
    const struct slu_topic_filter *filter; /* that matched: names the levels */
    const struct slu_payload *payload;     /* as the policy read it; payload->root may be NULL */
    const struct slu_schema *schema; /* that held (any_of: the first; all_of: the last); or NULL */
    struct slu_avro_origin avro;     /* of an Avro payload: schema and framing */
    int64_t event_ns; /* the first good timestamp of the policies asked so far; else the arrival */
    bool holds;
    const struct slu_verdict *verdict; /* empty when it holds */
};

struct slu_judge *slu_judge_new(const struct slu_snapshot *snapshot);
void slu_judge_free(struct slu_judge *judge);

/* Look at another snapshot from now on. The old one may be freed afterwards. False: no memory, and
 * the judge still looks at the old one. */
bool slu_judge_use(struct slu_judge *judge, const struct slu_snapshot *snapshot);

/* Start on `message` (borrowed until the next begin). Returns how many policies own its
 * topic (those that are off own none). */
size_t slu_judge_begin(struct slu_judge *judge, const struct slu_message *message);

/* The next policy's finding, in file order; NULL after the last. Borrowed until the next call. */
const struct slu_finding *slu_judge_next(struct slu_judge *judge);

/* Fill in what templates may ask for about this finding (all variables but tag and limit; code is
 * the first violation's). Borrowed like the finding. */
void slu_judge_template_values(struct slu_judge *judge, const struct slu_finding *finding,
                               struct slu_template_values *values);

#endif
