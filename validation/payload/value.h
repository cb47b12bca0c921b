/* value.h -- the value tree: what every payload becomes, whatever it was written in.
 *
 * One array of 16-byte cells in document order. A container is followed by its members and knows how
 * many bytes to step over to reach its next sibling; an object's members are key, value, key, value…
 *
 *   {"oven":7,"t":[20.5,21]}
 *
 *   cell  0          1        2     3      4          5     6
 *         OBJECT 2   "oven"   7     "t"    ARRAY 2    20.5  21
 *         size 7×16                        size 3×16
 *
 * The layout is the one that yyjson's reader leaves behind, so its result is used where it lies
 * (json.c proves that with static assertions); every other decoder fills the same cells. Nothing
 * here allocates, and all of it is inline: this is the hot path's alphabet.
 *
 * Numbers. Integers that fit 64 bits are exact. Anything else is a double when that can hold its
 * magnitude, else SLU_VALUE_BIG: its text. A double may have lost digits; who must know (a limit hit
 * exactly, `multipleOf`) asks for the digits by slu_payload_digits() (payload.h).
 *
 * Text. From where the text of an object's key begins at least 8 bytes may be read, however short the
 * key is: every decoder sees to it, so that keys are compared by words.
 *
 * Threads: a finished tree never changes.
 */
#ifndef SLU_VALIDATION_PAYLOAD_VALUE_H
#define SLU_VALIDATION_PAYLOAD_VALUE_H

#include "base/buf.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum slu_value_kind {
    SLU_VALUE_BIG = 1, /* a number kept as its text: beyond 64-bit integers or a double's range */
    SLU_VALUE_NULL = 2,
    SLU_VALUE_BOOL = 3,
    SLU_VALUE_NUMBER = 4,
    SLU_VALUE_STRING = 5,
    SLU_VALUE_ARRAY = 6,
    SLU_VALUE_OBJECT = 7,
};

/* The low byte of a tag: kind in bits 0–2, variant in bits 3–4. Above it: bytes of a string or big
 * number, members of an array, pairs of an object. */
#define SLU_VALUE_FALSE (SLU_VALUE_BOOL | 0x00)
#define SLU_VALUE_TRUE  (SLU_VALUE_BOOL | 0x08)
#define SLU_VALUE_UINT  (SLU_VALUE_NUMBER | 0x00) /* 0 … 2^64-1, in u64 */
#define SLU_VALUE_SINT  (SLU_VALUE_NUMBER | 0x08) /* negative, in i64 */
#define SLU_VALUE_REAL  (SLU_VALUE_NUMBER | 0x10) /* a double */

struct slu_value {
    uint64_t tag;
    union {
        uint64_t u64;
        int64_t i64;
        double f64;
        const char *text; /* string or big number */
        size_t size;      /* container: bytes from this cell to its next sibling */
    };
};

static inline enum slu_value_kind slu_value_kind(const struct slu_value *value)
{
    return (enum slu_value_kind)(value->tag & 0x07);
}

/* Kind and variant: SLU_VALUE_TRUE, SLU_VALUE_UINT, … (strings may carry a variant: use the kind). */
static inline uint8_t slu_value_variant(const struct slu_value *value)
{
    return (uint8_t)(value->tag & 0x1F);
}

static inline size_t slu_value_len(const struct slu_value *value)
{
    return (size_t)(value->tag >> 8);
}

static inline bool slu_value_is_number(const struct slu_value *value)
{
    return slu_value_kind(value) == SLU_VALUE_NUMBER || slu_value_kind(value) == SLU_VALUE_BIG;
}

static inline bool slu_value_is_container(const struct slu_value *value)
{
    return (value->tag & 0x06) == 0x06;
}

static inline struct slu_slice slu_value_text(const struct slu_value *value)
{
    return slu_slice(value->text, slu_value_len(value));
}

/* The cell after `value` and all its members. */
static inline const struct slu_value *slu_value_next(const struct slu_value *value)
{
    size_t bytes = slu_value_is_container(value) ? value->size : sizeof(*value);
    return (const struct slu_value *)((const char *)value + bytes);
}

/* First member of an array, first key of an object (meaningless when it is empty). */
static inline const struct slu_value *slu_value_first(const struct slu_value *container)
{
    return container + 1;
}

/* Member of an object by key, byte for byte; NULL when absent or no object. */
const struct slu_value *slu_value_get(const struct slu_value *object, struct slu_slice key);

/* A compiled JSON Pointer (RFC 6901). Lives in the arena it was compiled into. */
struct slu_pointer {
    struct slu_slice text;
    size_t n_steps;
    const struct slu_pointer_step *steps;
    struct slu_slice first; /* name of the first step, unescaped; empty without steps */
};
struct slu_arena;
struct slu_err;
int slu_pointer_compile(struct slu_slice text, struct slu_arena *arena, struct slu_pointer *pointer,
                        struct slu_err *err);

/* The value there, or NULL. Allocates nothing. */
const struct slu_value *slu_pointer_find(const struct slu_pointer *pointer,
                                         const struct slu_value *root);

/* The JSON Pointer that leads from `root` to `target`, a value or a key inside its tree; appended to
 * `out`. For a key the pointer of its member. Costs a walk: for messages that failed. */
void slu_value_pointer(const struct slu_value *root, const struct slu_value *target,
                       struct slu_buf *out);

/* `value` as JSON text appended to `out`. Doubles in their shortest form, big numbers as they came. */
bool slu_value_json(const struct slu_value *value, struct slu_buf *out);

/* "object", "number", …: JSON Schema's name of the kind (never "integer"). */
const char *slu_value_kind_name(const struct slu_value *value);

#endif
