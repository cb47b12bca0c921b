/* limits.c -- see limits.h for what a limit is.
 *
 *   struct slu_limits
 *   ├ row 0: pointer "/value", required, bounds ─▶ min -50 │ max 400
 *   └ row 1: …
 *
 * Comparing without loss, at the price of comparing doubles: a double is the number rounded to its
 * nearest, and rounding never swaps two numbers. So if the doubles of value and bound differ, the
 * numbers differ the same way; only when they are equal are the integers, or the digits, compared.
 * A row knows the doubles nearest to its tightest bounds: strictly between them everything holds.
 *
 * A device writes its fields in one order, so a row looks first where its field stood last.
 *
 * Threads: compiled limits never change, but for that guess: any value of it is right for everybody.
 */
#include "validation/limits.h"

#include "base/bytes.h"
#include "validation/payload/payload.h"
#include "validation/verdict.h"

#include <math.h>
#include <stdatomic.h>

/* Longest text of a bound. */
#define BOUND_MAX_BYTES 4096

/* Digits of a number that a message shows. */
#define SHOWN_NUMBER 64

enum bound_kind { BOUND_MIN, BOUND_MAX, BOUND_EXCLUSIVE_MIN, BOUND_EXCLUSIVE_MAX, BOUNDS };

/* Results of a comparison as bits, for `holds` below. */
#define BELOW 0x1
#define EQUAL 0x2
#define ABOVE 0x4

static const struct {
    const char *name; /* of the configuration */
    const char *code;
    const char *broken; /* between value and bound, in a message */
    unsigned holds;
} kinds[BOUNDS] = {
    [BOUND_MIN] = {"min", "limits.min", "is below the minimum", EQUAL | ABOVE},
    [BOUND_MAX] = {"max", "limits.max", "is above the maximum", BELOW | EQUAL},
    [BOUND_EXCLUSIVE_MIN] = {"exclusive_min", "limits.exclusive_min",
                             "is not above the exclusive minimum", ABOVE},
    [BOUND_EXCLUSIVE_MAX] = {"exclusive_max", "limits.exclusive_max",
                             "is not below the exclusive maximum", BELOW},
};

struct bound {
    enum bound_kind kind;
    bool is_integer; /* fits 64 bits: `integer` holds it */
    struct slu_value integer;
    double nearest; /* the double nearest to it; infinite beyond their range */
    struct slu_decimal digits;
    struct slu_slice text; /* as it was written */
};

struct row {
    struct slu_pointer field;
    bool required;
    _Atomic uint32_t stood_at; /* which member of the root it was last: a guess */
    double low, high; /* nearest to the tightest bounds, infinite without; all holds in between */
    size_t n_bounds;
    struct bound bounds[BOUNDS];
};

struct slu_limits {
    size_t n_rows;
    struct row *rows;
};

/* ---- compile ---- */

static double nearest_to(const struct slu_value *number)
{
    switch (slu_value_variant(number)) {
    case SLU_VALUE_UINT:
        return (double)number->u64;
    case SLU_VALUE_SINT:
        return (double)number->i64;
    default:
        return number->f64;
    }
}

static int compile_bound(enum bound_kind kind, struct slu_slice text, struct slu_arena *arena,
                         struct slu_payload_reader *reader, struct bound *bound,
                         struct slu_err *err)
{
    struct slu_payload payload;
    if (text.len > BOUND_MAX_BYTES)
        return slu_err_set(err, SLU_EINVAL, "%s has more than %d digits", kinds[kind].name,
                           BOUND_MAX_BYTES);
    if (!slu_payload_read(reader, SLU_FORMAT_JSON, text, &payload) ||
        !slu_value_is_number(payload.root))
        return slu_err_set(err, SLU_EINVAL, "%s is not a number", kinds[kind].name);
    const char *kept = slu_arena_copy(arena, text);
    if (kept == NULL)
        return slu_err_set(err, SLU_ENOMEM, "no memory for a limit");

    bound->kind = kind;
    bound->text = slu_slice(kept, text.len);
    bound->digits = slu_decimal_of(bound->text);
    bound->integer = *payload.root;
    bound->is_integer = slu_value_kind(payload.root) == SLU_VALUE_NUMBER &&
                        slu_value_variant(payload.root) != SLU_VALUE_REAL;
    bound->nearest = slu_value_kind(payload.root) == SLU_VALUE_BIG
                         ? slu_document_nearest(bound->text)
                         : nearest_to(payload.root);
    return 0;
}

static bool is_upper(const struct bound *bound)
{
    return (kinds[bound->kind].holds & BELOW) != 0;
}

/* Can no number satisfy both? */
static bool exclude_each_other(const struct bound *lower, const struct bound *upper)
{
    const int sign = slu_decimal_compare(&lower->digits, &upper->digits);
    const bool both_inclusive = (kinds[lower->kind].holds & kinds[upper->kind].holds & EQUAL) != 0;
    return sign > 0 || (sign == 0 && !both_inclusive);
}

static int check_order(const struct row *row, struct slu_err *err)
{
    for (size_t i = 0; i < row->n_bounds; i++) {
        const struct bound *lower = &row->bounds[i];
        for (size_t j = 0; j < row->n_bounds && !is_upper(lower); j++) {
            const struct bound *upper = &row->bounds[j];
            if (is_upper(upper) && exclude_each_other(lower, upper))
                return slu_err_set(err, SLU_EINVAL, "no number holds: %s %.*s and %s %.*s",
                                   kinds[lower->kind].name, SHOWN_NUMBER, lower->text.data,
                                   kinds[upper->kind].name, SHOWN_NUMBER, upper->text.data);
        }
    }
    return 0;
}

static int compile_row(const struct slu_limit *limit, struct slu_arena *arena,
                       struct slu_payload_reader *reader, struct row *row, struct slu_err *err)
{
    const struct slu_slice texts[BOUNDS] = {
        [BOUND_MIN] = limit->min,
        [BOUND_MAX] = limit->max,
        [BOUND_EXCLUSIVE_MIN] = limit->exclusive_min,
        [BOUND_EXCLUSIVE_MAX] = limit->exclusive_max,
    };
    row->required = limit->required;
    row->low = -HUGE_VAL;
    row->high = HUGE_VAL;
    if (slu_pointer_compile(limit->field, arena, &row->field, err) != 0)
        return -1;
    for (int kind = 0; kind < BOUNDS; kind++) {
        if (texts[kind].len == 0)
            continue;
        struct bound *bound = &row->bounds[row->n_bounds++];
        if (compile_bound((enum bound_kind)kind, texts[kind], arena, reader, bound, err) != 0)
            return -1;
        if (is_upper(bound) && bound->nearest < row->high)
            row->high = bound->nearest;
        if (!is_upper(bound) && bound->nearest > row->low)
            row->low = bound->nearest;
    }
    return check_order(row, err);
}

const struct slu_limits *slu_limits_compile(const struct slu_limit *rows, size_t n_rows,
                                            struct slu_arena *arena, size_t *bad_row,
                                            struct slu_err *err)
{
    struct slu_limits *limits = slu_arena_alloc(arena, sizeof(*limits));
    struct row *compiled = slu_arena_array(arena, n_rows != 0 ? n_rows : 1, sizeof(*compiled));
    struct slu_payload_reader *reader = slu_payload_reader_new(BOUND_MAX_BYTES + 2);
    size_t n = 0;
    if (limits == NULL || compiled == NULL || reader == NULL)
        slu_err_set(err, SLU_ENOMEM, "no memory for limits");
    else
        while (n < n_rows && compile_row(&rows[n], arena, reader, &compiled[n], err) == 0)
            n++;
    slu_payload_reader_free(reader);
    if (bad_row != NULL)
        *bad_row = n;
    if (limits == NULL || compiled == NULL || reader == NULL || n < n_rows)
        return NULL;
    *limits = (struct slu_limits){n_rows, compiled};
    return limits;
}

/* ---- judge ---- */

static inline unsigned order(bool below, bool above)
{
    return below ? BELOW : above ? ABOVE : EQUAL;
}

/* Both integers of 64 bits with the same nearest double. A negative kind may hold zero, written
 * "-0": what differs in kind is zero on both sides. */
static unsigned compare_integers(const struct slu_value *a, const struct slu_value *b)
{
    if (slu_value_variant(a) != slu_value_variant(b))
        return EQUAL;
    if (slu_value_variant(a) == SLU_VALUE_SINT)
        return order(a->i64<b->i64, a->i64> b->i64);
    return order(a->u64<b->u64, a->u64> b->u64);
}

static unsigned compare_digits(const struct slu_payload *payload, const struct slu_value *value,
                               const struct bound *bound)
{
    char scratch[32];
    const struct slu_decimal digits = slu_payload_digits(payload, value, scratch);
    const int sign = slu_decimal_compare(&digits, &bound->digits);
    return order(sign<0, sign> 0);
}

/* Is `value`, a number, BELOW, EQUAL to or ABOVE the bound? */
static unsigned compare(const struct slu_payload *payload, const struct slu_value *value,
                        const struct bound *bound)
{
    if (slu_value_kind(value) == SLU_VALUE_BIG)
        return compare_digits(payload, value, bound);
    const double nearest = nearest_to(value);
    if (nearest != bound->nearest)
        return order(nearest < bound->nearest, true);
    if (bound->is_integer && slu_value_variant(value) != SLU_VALUE_REAL)
        return compare_integers(value, &bound->integer);
    return compare_digits(payload, value, bound);
}

static void add_shown(struct slu_buf *out, struct slu_slice number)
{
    const bool all = number.len <= SHOWN_NUMBER;
    slu_buf_add(out, number.data, all ? number.len : SHOWN_NUMBER);
    slu_buf_add_text(out, all ? "" : "…");
}

static struct slu_text_ref put(struct slu_verdict *verdict, struct slu_slice json)
{
    const uint32_t begin = slu_verdict_begin(verdict);
    slu_buf_add_slice(&verdict->scratch, json);
    return slu_verdict_end_json(verdict, begin);
}

/* A violation with its code and pointer; NULL: only counted, or nobody wants to know. */
static struct slu_violation *add(struct slu_verdict *verdict, const char *code,
                                 const struct row *row)
{
    struct slu_violation *violation = verdict != NULL ? slu_verdict_add(verdict, code) : NULL;
    if (violation == NULL)
        return NULL;
    const uint32_t begin = slu_verdict_begin(verdict);
    slu_buf_add_slice(&verdict->scratch, row->field.text);
    violation->pointer = slu_verdict_end_text(verdict, begin);
    return violation;
}

static bool report_missing(struct slu_verdict *verdict, const struct row *row)
{
    struct slu_violation *violation = add(verdict, "limits.required", row);
    if (violation == NULL)
        return false;
    const uint32_t begin = slu_verdict_begin(verdict);
    slu_buf_add_text(&verdict->scratch, "the required field ");
    slu_buf_add_slice(&verdict->scratch, row->field.text);
    slu_buf_add_text(&verdict->scratch, row->field.text.len != 0 ? " is missing" : "is missing");
    violation->message = slu_verdict_end_text(verdict, begin);
    return false;
}

static bool report_type(struct slu_verdict *verdict, const struct row *row,
                        const struct slu_value *value)
{
    struct slu_violation *violation = add(verdict, "limits.type", row);
    if (violation == NULL)
        return false;
    violation->expected = put(verdict, SLU_SLICE("\"number\""));
    uint32_t begin = slu_verdict_begin(verdict);
    slu_value_json(value, &verdict->scratch);
    violation->actual = slu_verdict_end_json(verdict, begin);
    begin = slu_verdict_begin(verdict);
    slu_buf_printf(&verdict->scratch, "expected a number, found: %s", slu_value_kind_name(value));
    violation->message = slu_verdict_end_text(verdict, begin);
    return false;
}

static void report_bound(struct slu_verdict *verdict, const struct row *row,
                         const struct bound *bound, const struct slu_payload *payload,
                         const struct slu_value *value)
{
    struct slu_violation *violation = add(verdict, kinds[bound->kind].code, row);
    if (violation == NULL)
        return;
    char scratch[32];
    const struct slu_slice number = slu_payload_number_text(payload, value, scratch);
    violation->expected = put(verdict, bound->text);
    violation->actual = put(verdict, number);
    const uint32_t begin = slu_verdict_begin(verdict);
    add_shown(&verdict->scratch, number);
    slu_buf_printf(&verdict->scratch, " %s ", kinds[bound->kind].broken);
    add_shown(&verdict->scratch, bound->text);
    violation->message = slu_verdict_end_text(verdict, begin);
}

static bool bounds_hold(const struct row *row, const struct slu_payload *payload,
                        const struct slu_value *value, struct slu_verdict *verdict)
{
    bool all_hold = true;
    for (size_t i = 0; i < row->n_bounds; i++) {
        const struct bound *bound = &row->bounds[i];
        if ((compare(payload, value, bound) & kinds[bound->kind].holds) != 0)
            continue;
        report_bound(verdict, row, bound, payload, value);
        all_hold = false;
    }
    return all_hold;
}

/* The members of a root object of scalars, two cells each; none: it is something else. */
struct members {
    const struct slu_value *first, *end;
};

static struct members members_of(const struct slu_value *root)
{
    if (root == NULL || slu_value_kind(root) != SLU_VALUE_OBJECT)
        return (struct members){NULL, NULL};
    const struct members members = {slu_value_first(root), slu_value_next(root)};
    const bool flat = members.end == members.first + 2 * slu_value_len(root);
    return flat ? members : (struct members){NULL, NULL};
}

static bool is_named(const struct slu_value *key, struct slu_slice name)
{
    return slu_value_len(key) == name.len && slu_bytes_equal(key->text, name.data, name.len);
}

static __attribute__((noinline)) const struct slu_value *
search(struct row *row, const struct slu_value *root, const struct members *members)
{
    if (members->first == NULL || row->field.n_steps != 1)
        return slu_pointer_find(&row->field, root);
    for (const struct slu_value *key = members->first; key != members->end; key += 2)
        if (is_named(key, row->field.first)) {
            atomic_store_explicit(&row->stood_at, (uint32_t)((key - members->first) / 2),
                                  memory_order_relaxed);
            return key + 1;
        }
    return NULL;
}

/* As slu_pointer_find(), without a call or a search for what limits mostly ask for. */
static inline const struct slu_value *find(struct row *row, const struct slu_value *root,
                                           const struct members *members)
{
    const size_t at = 2 * (size_t)atomic_load_explicit(&row->stood_at, memory_order_relaxed);
    if (at < (size_t)(members->end - members->first) && row->field.n_steps == 1 &&
        is_named(members->first + at, row->field.first))
        return members->first + at + 1;
    return search(row, root, members);
}

static bool row_holds(struct row *row, const struct slu_payload *payload,
                      const struct members *members, struct slu_verdict *verdict)
{
    const struct slu_value *value = find(row, payload->root, members);
    if (value == NULL)
        return !row->required || report_missing(verdict, row);
    if (!slu_value_is_number(value))
        return report_type(verdict, row, value);
    if (slu_value_kind(value) == SLU_VALUE_NUMBER) {
        const double nearest = nearest_to(value);
        if (nearest > row->low && nearest < row->high)
            return true;
    }
    return bounds_hold(row, payload, value, verdict);
}

bool slu_limits_judge(const struct slu_limits *limits, const struct slu_payload *payload,
                      struct slu_verdict *verdict)
{
    const struct members members = members_of(payload->root);
    bool all_hold = true;
    /* No early way out when somebody listens: the operator wants every broken row in one alert. */
    for (size_t i = 0; i < limits->n_rows && (all_hold || verdict != NULL); i++)
        all_hold = row_holds(&limits->rows[i], payload, &members, verdict) && all_hold;
    return all_hold;
}
