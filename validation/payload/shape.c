/* shape.c -- see shape.h for what is refused.
 *
 * Keys of one object are entered into an open hash table that is never cleared. A slot holds a
 * stamp: a number that grows with every cell that was ever looked at, so a stamp from before this
 * object means "empty", and one from this object tells which key it was:
 *
 *     stamp = base + (address of the key's cell - address of the object)
 *
 *     slots  │ 8 │ 0 │ 916 │ 3 │ 948 │ …       base = 900: 916 and 948 are the object's first two
 *                                              keys, the rest is empty
 *
 * Keys that fall together are compared byte for byte (after unescaping: "a" equals "\u0061") and the
 * later one goes to the next free slot. The hash is cheap and anyone can make it collide, so the
 * steps to find free slots are rationed; an object that exceeds its ration has its keys sorted
 * instead (bottom-up merge sort in the table's own memory: no recursion, no allocation).
 *
 * What holds scalars only, the usual message, is passed over in one step once its keys were seen.
 */
#include "validation/payload/shape.h"

#include <stdlib.h>
#include <string.h>

/* Slots to begin with: enough for most objects, small enough to stay in the first-level cache. */
#define FIRST_BITS 10
#define FEW_KEYS   ((size_t)1 << (FIRST_BITS - 1))

/* Steps beyond the first slot that an object of `n` keys may take. */
#define PROBE_RATION(n) (4 * (n) + 64)

/* Stamps begin above any cell offset, so that the sort may keep offsets in the table. */
#define FIRST_STAMP (UINT64_C(1) << 44)

bool slu_shape_init(struct slu_shape *shape)
{
    shape->n_slots = (size_t)1 << FIRST_BITS;
    shape->stamp = FIRST_STAMP;
    shape->slots = calloc(shape->n_slots, sizeof(*shape->slots));
    return shape->slots != NULL;
}

void slu_shape_fini(struct slu_shape *shape)
{
    free(shape->slots);
    shape->slots = NULL;
}

/* At least two slots a key. Returns log2 of the slots to use, 0: no memory. */
static unsigned table_bits(struct slu_shape *shape, size_t n_keys)
{
    unsigned bits = FIRST_BITS;
    while (((size_t)1 << bits) < 2 * n_keys)
        bits++;
    const size_t n_slots = (size_t)1 << bits;
    if (n_slots <= shape->n_slots)
        return bits;
    uint64_t *slots = calloc(n_slots, sizeof(*slots));
    if (slots == NULL)
        return 0;
    free(shape->slots);
    shape->slots = slots;
    shape->n_slots = n_slots;
    return bits;
}

static inline uint64_t load8(const char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof(word));
    return word;
}

#define MIX_A UINT64_C(0x9E3779B97F4A7C15)
#define MIX_B UINT64_C(0xC2B2AE3D27D4EB4F)

static uint64_t hash_long(const char *text, size_t len)
{
    uint64_t hash = len;
    for (; len > 8; text += 8, len -= 8)
        hash = (hash ^ load8(text)) * MIX_B;
    return (hash ^ load8(text + len - 8)) * MIX_A;
}

/* The first `len` bytes at `text`, 1 to 7 of them, in whatever order this machine has them. Eight are
 * read: a key's text is followed by at least `":0}` and yyjson's padding of four. */
static inline uint64_t load_short(const char *text, size_t len)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return load8(text) << ((0 - 8 * len) & 63);
#else
    return load8(text) >> ((0 - 8 * len) & 63);
#endif
}

static inline uint64_t hash_key(const char *text, size_t len)
{
    if (len - 1 < 7)
        return load_short(text, len) * MIX_A;
    if (len - 8 <= 8)
        return (load8(text) ^ (load8(text + len - 8) * MIX_B)) * MIX_A;
    return len == 0 ? 0 : hash_long(text, len);
}

static bool same_key(const struct slu_value *a, const struct slu_value *b)
{
    const size_t len = slu_value_len(a);
    return len == slu_value_len(b) && memcmp(a->text, b->text, len) == 0;
}

static int compare_keys(const struct slu_value *a, const struct slu_value *b)
{
    if (slu_value_len(a) != slu_value_len(b))
        return slu_value_len(a) < slu_value_len(b) ? -1 : 1;
    return memcmp(a->text, b->text, slu_value_len(a));
}

static uint64_t stamp_of(const struct slu_shape *shape, const struct slu_value *key)
{
    return shape->now.base + ((uintptr_t)key - (uintptr_t)shape->now.object);
}

static const struct slu_value *key_of(const struct slu_shape *shape, uint64_t stamp)
{
    const uintptr_t offset = (uintptr_t)(stamp - shape->now.base);
    return (const struct slu_value *)((uintptr_t)shape->now.object + offset);
}

enum found { FREE_SLOT, SAME_KEY, RATION_SPENT };

/* The slot at `*at` is taken: find a free one, or the same key. */
static enum found probe(struct slu_shape *shape, const struct slu_value *key, uint64_t *at)
{
    const uint64_t mask = (UINT64_C(1) << shape->now.bits) - 1;
    while (shape->slots[*at] >= shape->now.base) {
        if (same_key(key_of(shape, shape->slots[*at]), key))
            return SAME_KEY;
        if (shape->now.ration-- == 0)
            return RATION_SPENT;
        *at = (*at + 1) & mask;
    }
    return FREE_SLOT;
}

/* Merge the sorted runs from[a…b) and from[b…c), cell offsets, into `to`. */
static void merge(const struct slu_value *object, const uint64_t *from, uint64_t *to, size_t a,
                  size_t b, size_t c)
{
    for (size_t left = a, right = b, out = a; out < c; out++) {
        if (left < b &&
            (right >= c || compare_keys(object + from[left], object + from[right]) <= 0))
            to[out] = from[left++];
        else
            to[out] = from[right++];
    }
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The first of two equal neighbours among sorted keys: of all duplicates the one that comes first in
 * the document; NULL: none. */
static const struct slu_value *first_repeat(const struct slu_value *object, const uint64_t *sorted,
                                            size_t n)
{
    const struct slu_value *found = NULL;
    for (size_t i = 1; i < n; i++) {
        const struct slu_value *key = object + sorted[i];
        if (same_key(object + sorted[i - 1], key) && (found == NULL || key < found))
            found = key;
    }
    return found;
}

/* The sort is stable, so of equal keys the later comes later. Overwrites the table with numbers
 * that are below every stamp: empty slots to whoever comes next. */
static const struct slu_value *repeat_by_sorting(const struct slu_value *object, uint64_t *slots)
{
    const size_t n = slu_value_len(object);
    uint64_t *from = slots;
    uint64_t *to = slots + n;
    const struct slu_value *key = slu_value_first(object);
    for (size_t i = 0; i < n; i++, key = slu_value_next(key + 1))
        from[i] = (uint64_t)(key - object);

    for (size_t run = 1; run < n; run *= 2) {
        for (size_t a = 0; a < n; a += 2 * run)
            merge(object, from, to, a, least(a + run, n), least(a + 2 * run, n));
        uint64_t *swap = from;
        from = to;
        to = swap;
    }
    return first_repeat(object, from, n);
}

enum outcome { GO_ON, ALL_DIFFER, REPEATED };

/* The slot at `at` is taken: enter `key` elsewhere, or find out that it, or another, is there twice.
 * ALL_DIFFER: the whole object was looked at. */
static __attribute__((noinline)) enum outcome collide(struct slu_shape *shape, uint64_t at,
                                                      const struct slu_value *key,
                                                      const struct slu_value **culprit)
{
    if (!shape->now.rationed) {
        shape->now.rationed = true;
        shape->now.ration = PROBE_RATION(slu_value_len(shape->now.object));
    }
    switch (probe(shape, key, &at)) {
    case FREE_SLOT:
        shape->slots[at] = stamp_of(shape, key);
        return GO_ON;
    case SAME_KEY:
        *culprit = key;
        return REPEATED;
    case RATION_SPENT:
        break;
    }
    const struct slu_value *repeat = repeat_by_sorting(shape->now.object, shape->slots);
    if (repeat == NULL)
        return ALL_DIFFER;
    *culprit = repeat;
    return REPEATED;
}

/* Enter all keys. Inlined twice, so that the usual object has its constants in the code: `flat`, two
 * cells a member, and the number of bits. */
static inline __attribute__((always_inline)) enum slu_payload_fault
enter_keys(struct slu_shape *shape, const struct slu_value *object, bool flat, unsigned bits,
           const struct slu_value **culprit)
{
    const uint64_t base = shape->stamp;
    const uint64_t delta = base - (uintptr_t)object;
    const struct slu_value *const end = slu_value_next(object);
    uint64_t *const slots = shape->slots;

    shape->stamp = base + object->size;
    shape->now.object = object;
    shape->now.base = base;
    shape->now.bits = bits;
    shape->now.rationed = false;
    for (const struct slu_value *key = slu_value_first(object); key != end;
         key = flat ? key + 2 : slu_value_next(key + 1)) {
        const uint64_t at = hash_key(key->text, slu_value_len(key)) >> (64 - bits);
        if (slots[at] < base) {
            slots[at] = (uintptr_t)key + delta;
            continue;
        }
        enum outcome outcome = collide(shape, at, key, culprit);
        if (outcome != GO_ON)
            return outcome == ALL_DIFFER ? SLU_PAYLOAD_OK : SLU_PAYLOAD_DUPLICATE_KEY;
    }
    return SLU_PAYLOAD_OK;
}

static __attribute__((noinline)) enum slu_payload_fault
enter_many_keys(struct slu_shape *shape, const struct slu_value *object,
                const struct slu_value **culprit)
{
    const unsigned bits = table_bits(shape, slu_value_len(object));
    *culprit = object;
    return bits != 0 ? enter_keys(shape, object, false, bits, culprit) : SLU_PAYLOAD_TOO_LARGE;
}

static __attribute__((noinline)) enum slu_payload_fault
enter_few_keys(struct slu_shape *shape, const struct slu_value *object,
               const struct slu_value **culprit)
{
    return enter_keys(shape, object, true, FIRST_BITS, culprit);
}

static enum slu_payload_fault check_keys(struct slu_shape *shape, const struct slu_value *object,
                                         bool flat, const struct slu_value **culprit)
{
    const size_t n = slu_value_len(object);
    if (n < 2)
        return SLU_PAYLOAD_OK;
    return flat && n <= FEW_KEYS ? enter_few_keys(shape, object, culprit)
                                 : enter_many_keys(shape, object, culprit);
}

/* Is there nothing inside but scalars and empty containers? Its size tells: a cell a member, two in an
 * object. */
static bool is_flat(const struct slu_value *container, bool object)
{
    const size_t members = slu_value_len(container) << object;
    return container->size == (members + 1) * sizeof(*container);
}

/* `unchecked`: an object whose keys are somebody else's business; NULL: none is. */
static inline __attribute__((always_inline)) enum slu_payload_fault
check(struct slu_shape *shape, const struct slu_value *root, const struct slu_value *unchecked,
      size_t max_depth, const struct slu_value **culprit)
{
    if (max_depth > SLU_SHAPE_MAX_DEPTH)
        max_depth = SLU_SHAPE_MAX_DEPTH;
    const struct slu_value **ends = shape->ends;
    size_t depth = 0;

    for (const struct slu_value *at = root;;) {
        if (!slu_value_is_container(at)) {
            at++;
        } else {
            if (depth == max_depth) {
                *culprit = at;
                return SLU_PAYLOAD_DEPTH;
            }
            const bool object = slu_value_kind(at) == SLU_VALUE_OBJECT;
            const bool flat = is_flat(at, object);
            if (object && at != unchecked) {
                enum slu_payload_fault fault = check_keys(shape, at, flat, culprit);
                if (fault != SLU_PAYLOAD_OK)
                    return fault;
            }
            /* Passed over in one step, unless an empty container inside might be too deep. */
            if (flat && depth + 2 <= max_depth) {
                at = slu_value_next(at);
            } else {
                ends[depth++] = slu_value_next(at);
                at++;
            }
        }
        while (depth > 0 && at == ends[depth - 1])
            depth--;
        if (depth == 0)
            return SLU_PAYLOAD_OK;
    }
}

enum slu_payload_fault slu_shape_check(struct slu_shape *shape, const struct slu_value *root,
                                       size_t max_depth, const struct slu_value **culprit)
{
    return check(shape, root, NULL, max_depth, culprit);
}

enum slu_payload_fault slu_shape_check_below(struct slu_shape *shape, const struct slu_value *root,
                                             size_t max_depth, const struct slu_value **culprit)
{
    return check(shape, root, root, max_depth, culprit);
}

enum slu_payload_fault slu_shape_check_keys(struct slu_shape *shape, const struct slu_value *object,
                                            const struct slu_value **culprit)
{
    return check_keys(shape, object, is_flat(object, true), culprit);
}
