/* json.c -- see json.h. The only file that knows yyjson.
 *
 * yyjson leaves an array of cells in document order, 16 bytes each, exactly as struct slu_value
 * describes them; the assertions below prove it, so the array is used where it lies.
 *
 *      memory  ┌──────────────────┬──────────────────────────────┬───────────────┬──────┐
 *              │ copy of the text │ document header, cells …     │ never used    │ tail │
 *              └──▲───────────────┴──────────────────┬───────────┴───────────────┴──────┘
 *                 └──────── strings point here ◀─────┘
 *
 * yyjson allocates the copy, then the cells, which grow in place. So its allocator here is a mark
 * that moves through the block and starts afresh with the next text; in a block of
 * yyjson_read_max_memory_usage() bytes it suffices for every well-formed text. The tail is not handed
 * out: room for reads of whole words from where a key begins (shape.c).
 *
 * yyjson's strict reading refuses comments, NaN and infinities, a byte order mark, leading zeros,
 * control characters in strings, invalid UTF-8, lone surrogates and whatever follows the value. What
 * exactly it objects to is worded differently by its releases (0.8 to 0.12), so the two faults that
 * have a name of their own, UTF-8 and surrogates, are looked for in the text itself: on the way of a
 * message that failed, where time matters less.
 *
 * Threads: memory belongs to one thread.
 */
#include "validation/payload/json.h"

#include "base/utf8.h"
#include "validation/payload/place.h"

#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

#if YYJSON_VERSION_HEX < 0x000800
#error "Sluice needs yyjson 0.8 or newer"
#endif

#define CELL_IS(member, theirs)                                            \
    (offsetof(struct slu_value, member) == offsetof(yyjson_val, theirs) && \
     sizeof(((struct slu_value *)0)->member) == sizeof(((yyjson_val *)0)->theirs))

_Static_assert(sizeof(struct slu_value) == 16 && sizeof(yyjson_val) == 16, "a cell is 16 bytes");
_Static_assert(CELL_IS(tag, tag), "tag");
_Static_assert(CELL_IS(u64, uni.u64), "unsigned integer");
_Static_assert(CELL_IS(i64, uni.i64), "signed integer");
_Static_assert(CELL_IS(f64, uni.f64), "double");
_Static_assert(CELL_IS(text, uni.str), "text");
_Static_assert(CELL_IS(size, uni.ofs), "container size");
_Static_assert(YYJSON_TYPE_MASK == 0x07 && YYJSON_SUBTYPE_MASK == 0x18, "kind and variant");
_Static_assert(YYJSON_TAG_BIT == 8, "length above the low byte");
_Static_assert((int)YYJSON_TYPE_RAW == SLU_VALUE_BIG, "big");
_Static_assert((int)YYJSON_TYPE_NULL == SLU_VALUE_NULL, "null");
_Static_assert((int)YYJSON_TYPE_BOOL == SLU_VALUE_BOOL, "boolean");
_Static_assert((int)YYJSON_TYPE_NUM == SLU_VALUE_NUMBER, "number");
_Static_assert((int)YYJSON_TYPE_STR == SLU_VALUE_STRING, "string");
_Static_assert((int)YYJSON_TYPE_ARR == SLU_VALUE_ARRAY, "array");
_Static_assert((int)YYJSON_TYPE_OBJ == SLU_VALUE_OBJECT, "object");
_Static_assert((YYJSON_TYPE_BOOL | YYJSON_SUBTYPE_FALSE) == SLU_VALUE_FALSE, "false");
_Static_assert((YYJSON_TYPE_BOOL | YYJSON_SUBTYPE_TRUE) == SLU_VALUE_TRUE, "true");
_Static_assert((YYJSON_TYPE_NUM | YYJSON_SUBTYPE_UINT) == SLU_VALUE_UINT, "unsigned integer");
_Static_assert((YYJSON_TYPE_NUM | YYJSON_SUBTYPE_SINT) == SLU_VALUE_SINT, "signed integer");
_Static_assert((YYJSON_TYPE_NUM | YYJSON_SUBTYPE_REAL) == SLU_VALUE_REAL, "real");

/* Bytes at the end of the block that are not handed out. */
#define TAIL 16

/* The farthest that a reader may point away from the lone surrogate it complains about. */
#define SURROGATE_REACH 12

/* The mark, for the time of one reading. */
struct arena {
    char *next; /* free from here … */
    char *end;  /* … to here */
    char *last; /* what was handed out last */
};

static size_t aligned(size_t size)
{
    return (size + 15) & ~(size_t)15;
}

static void *arena_malloc(void *context, size_t size)
{
    struct arena *arena = context;
    if (size > SIZE_MAX - 15 || aligned(size) > (size_t)(arena->end - arena->next))
        return NULL;
    arena->last = arena->next;
    arena->next += aligned(size);
    return arena->last;
}

static void *arena_realloc(void *context, void *block, size_t old_size, size_t size)
{
    struct arena *arena = context;
    if (block == arena->last) {
        char *next = arena->next;
        arena->next = block;
        if (arena_malloc(arena, size) != NULL)
            return block;
        arena->next = next;
        return NULL;
    }
    void *moved = arena_malloc(arena, size);
    if (moved != NULL)
        memcpy(moved, block, old_size < size ? old_size : size);
    return moved;
}

static void arena_free(void *context, void *block)
{
    (void)context;
    (void)block;
}

static __attribute__((noinline)) bool grow(struct slu_json_memory *memory, size_t bytes)
{
    size_t size = yyjson_read_max_memory_usage(bytes, YYJSON_READ_NOFLAG);
    if (size == 0 || size > SIZE_MAX - TAIL)
        return false;
    size += TAIL;
    /* Nothing in the old block is needed any more: free it first, so that the two never add up. */
    slu_json_memory_fini(memory);
    memory->data = malloc(size);
    if (memory->data == NULL)
        return false;
    memory->size = size;
    memory->fits = bytes;
    return true;
}

bool slu_json_memory_reserve(struct slu_json_memory *memory, size_t bytes)
{
    return (memory->data != NULL && bytes <= memory->fits) || grow(memory, bytes);
}

void slu_json_memory_fini(struct slu_json_memory *memory)
{
    free(memory->data);
    *memory = (struct slu_json_memory){NULL, 0, 0};
}

/* The value of four hexadecimal digits behind "\u" at `at`; -1: it is no such escape. */
static int escaped_unit(struct slu_slice text, size_t at)
{
    if (at + 6 > text.len || text.data[at] != '\\' || text.data[at + 1] != 'u')
        return -1;
    int unit = 0;
    for (size_t i = at + 2; i < at + 6; i++) {
        const char c = text.data[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
        if (digit < 0 || digit > 15 || (c > '9' && digit < 10))
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

/* Bytes of the escape at `at`; 0: it is a lone surrogate. */
static size_t escape_length(struct slu_slice text, size_t at)
{
    int unit = escaped_unit(text, at);
    if (unit < 0xD800 || unit > 0xDFFF)
        return 2;
    int low = unit < 0xDC00 ? escaped_unit(text, at + 6) : -1;
    return low >= 0xDC00 && low <= 0xDFFF ? 12 : 0;
}

/* Offset of the first lone surrogate before `end`, else text.len. All that comes before `end` was
 * found well-formed, so a quote outside of a string begins one. */
static size_t find_lone_surrogate(struct slu_slice text, size_t end)
{
    bool in_string = false;
    for (size_t at = 0; at < text.len && at < end; at++) {
        if (text.data[at] == '"')
            in_string = !in_string;
        if (text.data[at] != '\\' || !in_string)
            continue;
        size_t n = escape_length(text, at);
        if (n == 0)
            return at;
        at += n - 1;
    }
    return text.len;
}

static const char *malformed_text(struct slu_slice text, yyjson_read_code code)
{
    if (slu_slice_starts_with(text, SLU_SLICE("\xEF\xBB\xBF")))
        return "a byte order mark before the JSON text";
    const struct {
        yyjson_read_code code;
        const char *text;
    } texts[] = {
        {YYJSON_READ_ERROR_UNEXPECTED_END, "the JSON text ends too early"},
        /* The block suffices for all that is well-formed; only brackets that never close do not fit. */
        {YYJSON_READ_ERROR_MEMORY_ALLOCATION, "the JSON text ends too early"},
        {YYJSON_READ_ERROR_UNEXPECTED_CONTENT, "something follows the JSON value"},
        {YYJSON_READ_ERROR_JSON_STRUCTURE, "brackets, commas or colons do not fit"},
        {YYJSON_READ_ERROR_INVALID_NUMBER, "not a JSON number"},
        {YYJSON_READ_ERROR_INVALID_STRING, "not a JSON string"},
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (texts[i].code == code)
            return texts[i].text;
    }
    return "unexpected character";
}

/* What is wrong with a text that yyjson does not take. */
static struct slu_json_fault diagnose(struct slu_slice text, const yyjson_read_err *err)
{
    if (slu_slice_trim(text).len == 0)
        return (struct slu_json_fault){SLU_PAYLOAD_EMPTY, 0, "there is no JSON value"};
    if (!slu_utf8_valid(text.data, text.len))
        return (struct slu_json_fault){SLU_PAYLOAD_UTF8, slu_place_of_bad_utf8(text),
                                       "a byte that is not UTF-8"};
    const size_t at = err->pos < text.len ? err->pos : text.len;
    const size_t surrogate = find_lone_surrogate(text, at + 1);
    if (surrogate < text.len && at - surrogate <= SURROGATE_REACH)
        return (struct slu_json_fault){SLU_PAYLOAD_SURROGATE, surrogate,
                                       "half of a surrogate pair in a string"};
    return (struct slu_json_fault){SLU_PAYLOAD_MALFORMED, at, malformed_text(text, err->code)};
}

const struct slu_value *slu_json_read(struct slu_json_memory *memory, struct slu_slice text,
                                      enum slu_json_numbers numbers, struct slu_json_fault *fault)
{
    yyjson_read_err err = {0, NULL, 0};
    if (text.len == 0) {
        *fault = diagnose(text, &err);
        return NULL;
    }
    if (!slu_json_memory_reserve(memory, text.len)) {
        *fault = (struct slu_json_fault){SLU_PAYLOAD_TOO_LARGE, 0, "no memory for the JSON text"};
        return NULL;
    }
    struct arena arena = {memory->data, memory->data + memory->size - TAIL, NULL};
    const yyjson_alc alc = {arena_malloc, arena_realloc, arena_free, &arena};
    /* Without YYJSON_READ_INSITU the text is only read, for all that the parameter is not const. */
    char *bytes = (char *)(uintptr_t)text.data;
    const yyjson_read_flag flags =
        numbers == SLU_JSON_TEXTS ? YYJSON_READ_NUMBER_AS_RAW : YYJSON_READ_BIGNUM_AS_RAW;
    yyjson_doc *doc = yyjson_read_opts(bytes, text.len, flags, &alc, &err);
    if (doc == NULL) {
        *fault = diagnose(text, &err);
        return NULL;
    }
    return (const struct slu_value *)(const void *)yyjson_doc_get_root(doc);
}
