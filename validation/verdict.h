/* verdict.h -- what was wrong with a message: the first eight violations in full, the rest counted.
 *
 * A violation is one broken expectation. Its texts are short-lived copies in the verdict's own
 * scratch (bounded), so a verdict outlives the payload it speaks of until it is reset.
 */
#ifndef SLU_VALIDATION_VERDICT_H
#define SLU_VALIDATION_VERDICT_H

#include "base/buf.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLU_VERDICT_MAX 8 /* violations told in full */

/* Bytes of one expected or actual text; a longer one is left out. */
#define SLU_VERDICT_TEXT_MAX    512
#define SLU_VERDICT_SCRATCH_MAX 65536

/* Offsets into the scratch, so that it may grow. */
struct slu_text_ref {
    uint32_t at, len;
};

struct slu_violation {
    const char *code;             /* "limits.max": static or owned by the compiled snapshot */
    struct slu_text_ref pointer;  /* JSON Pointer into the payload */
    struct slu_text_ref expected; /* JSON text; len 0: none */
    struct slu_text_ref actual;   /* JSON text; len 0: none */
    struct slu_text_ref message;  /* one sentence for people, UTF-8 */
    const char *schema; /* "oven:1", owned by the snapshot; NULL: no schema was involved */
};

struct slu_verdict {
    size_t n; /* kept, ≤ SLU_VERDICT_MAX */
    uint64_t total;
    struct slu_violation violations[SLU_VERDICT_MAX];
    struct slu_buf scratch;
};

void slu_verdict_init(struct slu_verdict *verdict);
void slu_verdict_fini(struct slu_verdict *verdict);
void slu_verdict_reset(struct slu_verdict *verdict); /* cheap; keeps memory */

static inline bool slu_verdict_holds(const struct slu_verdict *verdict)
{
    return verdict->total == 0;
}

/* Count a violation and, among the first eight, return it for filling; NULL: only counted. */
struct slu_violation *slu_verdict_add(struct slu_verdict *verdict, const char *code);

/* Fill a violation's texts: write to `verdict->scratch` between begin and end. A text over
 * SLU_VERDICT_TEXT_MAX bytes (message and pointer: cut at it; expected, actual: left out). */
uint32_t slu_verdict_begin(struct slu_verdict *verdict);
struct slu_text_ref slu_verdict_end_json(struct slu_verdict *verdict, uint32_t begin);
struct slu_text_ref slu_verdict_end_text(struct slu_verdict *verdict, uint32_t begin);

static inline struct slu_slice slu_verdict_text(const struct slu_verdict *verdict,
                                                struct slu_text_ref ref)
{
    return slu_slice(ref.len != 0 ? verdict->scratch.data + ref.at : "", ref.len);
}

#endif
