/* names.c -- see names.h. A table of open addressing, at most half full. */
#include "validation/avro/names.h"

#include "base/hash.h"
#include "validation/avro/plan.h"

struct slu_avro_taken {
    struct slu_slice name;
    uint32_t owner;
    uint32_t index;
    bool used;
};

bool slu_avro_names_init(struct slu_avro_names *names, size_t max, struct slu_arena *arena)
{
    names->n = 0;
    names->n_slots = 16;
    while (names->n_slots < 2 * max)
        names->n_slots *= 2;
    names->slots = slu_arena_array(arena, names->n_slots, sizeof(names->slots[0]));
    return names->slots != NULL;
}

/* Where it is, or where it would go. */
static struct slu_avro_taken *slot_of(const struct slu_avro_names *names, uint32_t owner,
                                      struct slu_slice name)
{
    size_t at = (size_t)slu_hash_bytes(owner, name.data, name.len);

    for (;; at++) {
        struct slu_avro_taken *slot = &names->slots[at & (names->n_slots - 1)];
        if (!slot->used || (slot->owner == owner && slu_slice_equal(slot->name, name)))
            return slot;
    }
}

bool slu_avro_names_take(struct slu_avro_names *names, uint32_t owner, struct slu_slice name,
                         uint32_t index)
{
    struct slu_avro_taken *slot = slot_of(names, owner, name);

    if (slot->used || names->n == names->n_slots / 2)
        return false;
    *slot = (struct slu_avro_taken){name, owner, index, true};
    names->n++;
    return true;
}

int64_t slu_avro_names_find(const struct slu_avro_names *names, uint32_t owner,
                            struct slu_slice name)
{
    const struct slu_avro_taken *slot = slot_of(names, owner, name);
    return slot->used ? (int64_t)slot->index : -1;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool slu_avro_name_is_valid(struct slu_slice name)
{
    if (name.len == 0 || !is_letter(name.data[0]))
        return false;
    for (size_t i = 1; i < name.len; i++)
        if (!is_letter(name.data[i]) && !(name.data[i] >= '0' && name.data[i] <= '9'))
            return false;
    return true;
}

bool slu_avro_name_is_dotted(struct slu_slice name, bool or_empty)
{
    if (name.len == 0)
        return or_empty;
    for (size_t from = 0;;) {
        const char *dot = memchr(name.data + from, '.', name.len - from);
        const size_t to = dot != NULL ? (size_t)(dot - name.data) : name.len;
        if (!slu_avro_name_is_valid(slu_slice(name.data + from, to - from)))
            return false;
        if (dot == NULL)
            return true;
        from = to + 1;
    }
}

int slu_avro_name_primitive(struct slu_slice name)
{
    for (int type = 0; type < SLU_AVRO_PRIMITIVES; type++)
        if (slu_slice_equal(name, slu_slice_of(slu_avro_type_names[type])))
            return type;
    return -1;
}
