/* fuzz_base.c -- the small readers of base/: whatever they accept must survive being written again.
 *
 * The first byte chooses the reader, the rest is its input. A law that does not hold is a trap.
 */
#include "base/base64.h"
#include "base/clock.h"
#include "base/crc32c.h"
#include "base/json_text.h"
#include "base/nearest.h"
#include "base/properties.h"
#include "base/units.h"
#include "base/utf8.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        __builtin_trap();
}

static void fuzz_utf8(struct slu_slice text)
{
    size_t points = 0;
    size_t at = 0;
    for (; at < text.len; points++) {
        const size_t step = slu_utf8_step(text.data + at, text.len - at);
        if (step == 0)
            break;
        at += step;
    }
    must(slu_utf8_valid(text.data, text.len) == (at == text.len));
    if (at == text.len) {
        must(slu_utf8_length(text.data, text.len) == points);
        const size_t cut = slu_utf8_cut(text.data, text.len, text.len / 2);
        must(cut <= text.len / 2 || text.len == 0);
        must(slu_utf8_valid(text.data, cut));
    }
}

static void fuzz_base64(struct slu_slice text)
{
    struct slu_buf bytes;
    struct slu_buf again;
    slu_buf_init(&bytes, 1u << 20);
    slu_buf_init(&again, 1u << 20);
    if (slu_base64_decode(&bytes, text) == 0) {
        must(slu_base64_encode(&again, slu_buf_slice(&bytes)));
        must(slu_slice_equal(slu_buf_slice(&again), text));
    }
    slu_buf_fini(&bytes);
    slu_buf_fini(&again);
}

static void fuzz_properties(struct slu_slice packed)
{
    struct slu_buf again;
    struct slu_property property;
    size_t at = 0;
    slu_buf_init(&again, 1u << 20);
    while (slu_properties_next(packed, &at, &property))
        must(slu_properties_add(&again, property.kind, property.name, property.value));
    must(slu_slice_equal(slu_buf_slice(&again), slu_slice(packed.data, at)));
    slu_buf_fini(&again);
}

static void fuzz_clock(struct slu_slice text)
{
    int64_t ns = 0;
    int64_t again = 0;
    char written[SLU_CLOCK_TEXT_SIZE];
    if (slu_clock_parse(text.data, text.len, &ns) != 0)
        return;
    /* Below a microsecond it is cut off; the very first moments then lie outside. */
    const size_t len = slu_clock_format(ns, written);
    if (slu_clock_parse(written, len, &again) == 0)
        must(ns >= again && (uint64_t)ns - (uint64_t)again < 1000);
    else
        must(ns < INT64_MIN + 1000);
}

static void fuzz_json_text(struct slu_slice text)
{
    struct slu_buf out;
    slu_buf_init(&out, 1u << 20);
    must(slu_json_text_string(&out, text) && slu_utf8_valid(out.data, out.len));
    for (size_t i = 0; i < out.len; i++)
        must((unsigned char)out.data[i] >= 0x20);
    slu_buf_fini(&out);
}

static void fuzz_units(struct slu_slice text)
{
    int64_t amount = 0;
    must(slu_units_duration_ns(text, &amount) != 0 || amount >= 0);
    must(slu_units_size_bytes(text, &amount) != 0 || amount >= 0);
}

static void fuzz_nearest(struct slu_slice text)
{
    static const char *const names[] = {"kafka", "file", "timescale", "policies"};
    (void)slu_nearest(text, names, sizeof(names) / sizeof(names[0]));
}

static void fuzz_crc32c(struct slu_slice text)
{
    must(slu_crc32c(7, text.data, text.len) == slu_crc32c_portable(7, text.data, text.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const readers[])(struct slu_slice) = {
        fuzz_utf8,      fuzz_base64, fuzz_properties, fuzz_clock,
        fuzz_json_text, fuzz_units,  fuzz_nearest,    fuzz_crc32c,
    };
    if (size == 0)
        return 0;
    readers[data[0] % (sizeof(readers) / sizeof(readers[0]))](
        slu_slice((const char *)data + 1, size - 1));
    return 0;
}
