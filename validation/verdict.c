/* verdict.c -- see verdict.h.
 *
 * Texts lie one after the other in the scratch; a text that turns out too long, or that memory ran
 * out for, is cut back, and the next one finds the scratch in order again. Eight violations of four
 * texts of 512 bytes need 16 KiB; the rest of the ceiling is room for a text while it is written.
 *
 * Threads: a verdict belongs to one thread.
 */
#include "validation/verdict.h"

#include "base/utf8.h"

void slu_verdict_init(struct slu_verdict *verdict)
{
    verdict->n = 0;
    verdict->total = 0;
    slu_buf_init(&verdict->scratch, SLU_VERDICT_SCRATCH_MAX);
}

void slu_verdict_fini(struct slu_verdict *verdict)
{
    slu_buf_fini(&verdict->scratch);
}

void slu_verdict_reset(struct slu_verdict *verdict)
{
    if (verdict->total == 0 && verdict->scratch.len == 0)
        return;
    verdict->n = 0;
    verdict->total = 0;
    slu_buf_reset(&verdict->scratch);
}

struct slu_violation *slu_verdict_add(struct slu_verdict *verdict, const char *code)
{
    verdict->total++;
    if (verdict->n == SLU_VERDICT_MAX)
        return NULL;
    struct slu_violation *violation = &verdict->violations[verdict->n++];
    *violation = (struct slu_violation){.code = code};
    return violation;
}

uint32_t slu_verdict_begin(struct slu_verdict *verdict)
{
    return (uint32_t)verdict->scratch.len;
}

/* Keep the first `len` bytes that were written since `begin`. */
static struct slu_text_ref keep(struct slu_verdict *verdict, uint32_t begin, size_t len)
{
    slu_buf_cut(&verdict->scratch, begin + len);
    verdict->scratch.failed = false;
    return (struct slu_text_ref){begin, (uint32_t)len};
}

struct slu_text_ref slu_verdict_end_json(struct slu_verdict *verdict, uint32_t begin)
{
    const size_t len = verdict->scratch.len - begin;
    const bool whole = !verdict->scratch.failed && len <= SLU_VERDICT_TEXT_MAX;
    return keep(verdict, begin, whole ? len : 0);
}

struct slu_text_ref slu_verdict_end_text(struct slu_verdict *verdict, uint32_t begin)
{
    const size_t len = verdict->scratch.len - begin;
    if (len <= SLU_VERDICT_TEXT_MAX)
        return keep(verdict, begin, len);
    const char *text = verdict->scratch.data + begin;
    return keep(verdict, begin, slu_utf8_cut(text, len, SLU_VERDICT_TEXT_MAX));
}
