/* pointer.c -- JSON Pointer (RFC 6901): compiled once, followed per message, and found backwards for
 * messages that failed.
 *
 *   "/a~1b/0"   ──compile──▶   step "a/b"           step "0", also array index 0
 *
 * Threads: a compiled pointer never changes.
 */
#include "validation/payload/value.h"

#include "base/arena.h"
#include "base/err.h"

#include <string.h>

/* Steps of one pointer; deeper than any tree that is read. */
#define POINTER_MAX_STEPS 1024

struct slu_pointer_step {
    struct slu_slice name; /* unescaped */
    size_t index;          /* of an array, when is_index */
    bool is_index;         /* "0" or digits without a leading zero (RFC 6901 §4) */
};

static void find_index(struct slu_pointer_step *step)
{
    const struct slu_slice name = step->name;
    if (name.len == 0 || name.len > 18 || (name.data[0] == '0' && name.len > 1))
        return;
    size_t index = 0;
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] < '0' || name.data[i] > '9')
            return;
        if (index > (SIZE_MAX - 9) / 10)
            return;
        index = index * 10 + (size_t)(name.data[i] - '0');
    }
    step->index = index;
    step->is_index = true;
}

/* Unescape ~0 and ~1 in place; `name` gets its new length. False: another character after '~'. */
static bool unescape(char *text, struct slu_slice *name)
{
    size_t n = 0;
    for (size_t i = 0; i < name->len; i++, n++) {
        text[n] = text[i];
        if (text[i] != '~')
            continue;
        if (++i == name->len || (text[i] != '0' && text[i] != '1'))
            return false;
        text[n] = text[i] == '0' ? '~' : '/';
    }
    *name = slu_slice(text, n);
    return true;
}

static size_t count_steps(struct slu_slice text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += text.data[i] == '/';
    return n;
}

/* `names` is a copy of the pointer's text that the steps are unescaped in. */
static bool split(char *names, size_t len, struct slu_pointer_step *steps, size_t n_steps)
{
    char *at = names;
    const char *end = names + len;
    for (size_t i = 0; i < n_steps; i++) {
        char *name = at + 1;
        char *slash = memchr(name, '/', (size_t)(end - name));
        at = slash != NULL ? slash : names + len;
        steps[i].name = slu_slice(name, (size_t)(at - name));
        if (!unescape(name, &steps[i].name))
            return false;
        find_index(&steps[i]);
    }
    return true;
}

int slu_pointer_compile(struct slu_slice text, struct slu_arena *arena, struct slu_pointer *pointer,
                        struct slu_err *err)
{
    *pointer = (struct slu_pointer){SLU_SLICE(""), 0, NULL, SLU_SLICE("")};
    if (text.len == 0)
        return 0;
    if (text.data[0] != '/')
        return slu_err_set(err, SLU_EINVAL, "a JSON Pointer is empty or begins with '/'");

    size_t n_steps = count_steps(text);
    if (n_steps > POINTER_MAX_STEPS)
        return slu_err_set(err, SLU_EINVAL, "a JSON Pointer of more than %d steps",
                           POINTER_MAX_STEPS);
    struct slu_pointer_step *steps = slu_arena_array(arena, n_steps, sizeof(*steps));
    char *kept = slu_arena_copy(arena, text);
    char *names = slu_arena_copy(arena, text);
    if (steps == NULL || kept == NULL || names == NULL)
        return slu_err_set(err, SLU_ENOMEM, "no memory for a JSON Pointer");
    if (!split(names, text.len, steps, n_steps))
        return slu_err_set(err, SLU_EINVAL,
                           "'~' in a JSON Pointer is followed by 0 (for '~') or 1 (for '/')");
    *pointer = (struct slu_pointer){slu_slice(kept, text.len), n_steps, steps, steps[0].name};
    return 0;
}

static const struct slu_value *item(const struct slu_value *array, size_t index)
{
    size_t n = slu_value_len(array);
    if (index >= n)
        return NULL;
    /* An array of scalars only has one cell an item: no need to walk. */
    if (array->size == (n + 1) * sizeof(*array))
        return slu_value_first(array) + index;
    const struct slu_value *at = slu_value_first(array);
    while (index-- != 0)
        at = slu_value_next(at);
    return at;
}

const struct slu_value *slu_pointer_find(const struct slu_pointer *pointer,
                                         const struct slu_value *root)
{
    /* The usual pointer names a member of the root. */
    if (pointer->n_steps == 1 && root != NULL && slu_value_kind(root) == SLU_VALUE_OBJECT)
        return slu_value_get(root, pointer->steps[0].name);
    const struct slu_value *at = root;
    for (size_t i = 0; i < pointer->n_steps && at != NULL; i++) {
        const struct slu_pointer_step *step = &pointer->steps[i];
        if (slu_value_kind(at) == SLU_VALUE_OBJECT)
            at = slu_value_get(at, step->name);
        else if (slu_value_kind(at) == SLU_VALUE_ARRAY && step->is_index)
            at = item(at, step->index);
        else
            at = NULL;
    }
    return at;
}

static void add_name(struct slu_buf *out, struct slu_slice name)
{
    size_t from = 0;
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] != '~' && name.data[i] != '/')
            continue;
        slu_buf_add(out, name.data + from, i - from);
        slu_buf_add_text(out, name.data[i] == '~' ? "~0" : "~1");
        from = i + 1;
    }
    if (from < name.len)
        slu_buf_add(out, name.data + from, name.len - from);
}

void slu_value_pointer(const struct slu_value *root, const struct slu_value *target,
                       struct slu_buf *out)
{
    const struct slu_value *at = root;
    while (at != target && slu_value_is_container(at)) {
        const bool object = slu_value_kind(at) == SLU_VALUE_OBJECT;
        const size_t n = slu_value_len(at);
        const struct slu_value *member = slu_value_first(at);
        size_t i = 0;
        /* Cells lie in document order: the member that holds the target ends beyond it. */
        while (i < n && slu_value_next(member + object) <= target) {
            member = slu_value_next(member + object);
            i++;
        }
        if (i == n)
            return;
        slu_buf_add_char(out, '/');
        if (object)
            add_name(out, slu_value_text(member));
        else
            slu_buf_printf(out, "%zu", i);
        if (member == target)
            return;
        at = member + object;
    }
}
