/* recovery_sinks.c -- the part of a recovery that finds out which sinks there are and how far each is.
 *
 * A sink is known by its cursor file. One whose cursor is lost is still known by the definitions in the
 * segments that hold records for it: it gets a new cursor before the oldest of them.
 */
#include "sinks/spool/recovery.h"

#include <stdio.h>
#include <string.h>

static void enter_cursor(struct slu_recovery *recovery, const struct slu_cursor *cursor)
{
    struct slu_spool_sink *sink = &recovery->spool->sinks[cursor->bit];
    sink->used = true;
    sink->cursor = *cursor;
    sink->cursor.orphaned = true; /* until the configuration names it */
    atomic_store(&sink->when_full, cursor->when_full);
}

int slu_recovery_cursors(struct slu_recovery *recovery, struct slu_err *err)
{
    struct slu_spool *spool = recovery->spool;

    for (size_t i = 0; i < recovery->files.n_cursors; i++) {
        struct slu_cursor cursor;
        slu_cursor_init(&cursor, spool->disk, spool->dir_fd, recovery->files.cursors[i]);
        const enum slu_slots_found found = slu_cursor_load(&cursor, false, err);
        if (found == SLU_SLOTS_FAILED)
            return -1;
        if (found == SLU_SLOTS_GOOD && cursor.bit < SLU_SINKS_MAX &&
            !spool->sinks[cursor.bit].used) {
            enter_cursor(recovery, &cursor);
            continue;
        }
        slu_slots_close(&cursor.slots);
        slu_log(
            SLU_LOG_WARNING,
            "spool: the cursor of sink %s is damaged; it starts again at the oldest record kept",
            cursor.name);
    }
    return 0;
}

/* A sink that segments speak of but that has no cursor: it has everything still to do. */
static int make_cursor(struct slu_recovery *recovery, size_t bit, struct slu_err *err)
{
    struct slu_spool *spool = recovery->spool;
    struct slu_cursor cursor;
    char name[SLU_SINK_NAME_MAX + 1];

    if (slu_cursor_name_is_sound(recovery->look.sink_names[bit]))
        memcpy(name, recovery->look.sink_names[bit], sizeof(name));
    else
        (void)snprintf(name, sizeof(name), "unknown-%zu", bit);
    slu_cursor_init(&cursor, spool->disk, spool->dir_fd, name);
    memcpy(cursor.type, recovery->look.sink_types[bit], sizeof(cursor.type));
    cursor.bit = (uint32_t)bit;
    cursor.orphaned = true;
    if (slu_cursor_store(&cursor, true, err) != 0)
        return -1;
    enter_cursor(recovery, &cursor);
    return 0;
}

static bool bit_is_in_use(const struct slu_spool *spool, size_t bit)
{
    for (size_t i = 0; i < spool->table.n; i++)
        if (spool->table.items[i].counts[bit] > 0)
            return true;
    return false;
}

int slu_recovery_sinks(struct slu_recovery *recovery, struct slu_err *err)
{
    struct slu_spool *spool = recovery->spool;

    for (size_t bit = 0; bit < SLU_SINKS_MAX; bit++) {
        struct slu_spool_sink *sink = &spool->sinks[bit];
        const bool in_use = bit_is_in_use(spool, bit);
        if (!sink->used && in_use && make_cursor(recovery, bit, err) != 0)
            return -1;
        if (sink->used && sink->cursor.forgotten && !in_use) {
            (void)spool->disk->unlinkat(spool->disk->context, spool->dir_fd,
                                        sink->cursor.slots.name);
            slu_slots_close(&sink->cursor.slots);
            sink->used = false;
        }
    }
    return 0;
}
