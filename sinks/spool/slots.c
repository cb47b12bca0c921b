/* slots.c -- see slots.h. */
#include "sinks/spool/slots.h"

#include "base/crc32c.h"
#include "sinks/spool/bytes.h"
#include "sinks/spool/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

void slu_slots_init(struct slu_slots *slots, const struct slu_disk *disk, int dir, const char *name,
                    const char magic[8], size_t bytes)
{
    *slots = (struct slu_slots){.disk = disk, .dir = dir, .fd = -1, .bytes = bytes};
    (void)snprintf(slots->name, sizeof(slots->name), "%s", name);
    memcpy(slots->magic, magic, sizeof(slots->magic));
}

static void slot_write(uint8_t *slot, uint64_t turn, const void *content, size_t bytes)
{
    memset(slot, 0, SLU_SLOT_BYTES);
    slu_put_u64(slot, turn);
    memcpy(slot + 8, content, bytes);
    slu_put_u32(slot + 8 + bytes, slu_crc32c(0, slot, 8 + bytes));
}

static bool slot_is_whole(const uint8_t *slot, size_t bytes)
{
    return slu_get_u64(slot) != 0 &&
           slu_get_u32(slot + 8 + bytes) == slu_crc32c(0, slot, 8 + bytes);
}

static enum slu_slots_found choose(struct slu_slots *slots, const uint8_t *file, void *content,
                                   struct slu_err *err)
{
    const int prologue = slu_prologue_check(file, slots->magic, slots->name, err);
    if (prologue < 0)
        return SLU_SLOTS_FAILED;

    const uint8_t *best = NULL;
    for (size_t i = 1; i <= 2; i++) {
        const uint8_t *slot = file + i * SLU_SLOT_BYTES;
        if (slot_is_whole(slot, slots->bytes) &&
            (best == NULL || slu_get_u64(slot) > slu_get_u64(best))) {
            best = slot;
            slots->target = i == 1 ? 1 : 0;
        }
    }
    if (best == NULL)
        return SLU_SLOTS_DAMAGED;
    slots->turn = slu_get_u64(best);
    slots->distrusted = prologue != 0; /* the slots stand by themselves; heal the first bytes */
    memcpy(content, best + 8, slots->bytes);
    return SLU_SLOTS_GOOD;
}

enum slu_slots_found slu_slots_load(struct slu_slots *slots, void *content, bool foreign,
                                    struct slu_err *err)
{
    struct slu_err open_err = {0};
    slots->fd = foreign ? slu_files_open_foreign(slots->disk, slots->dir, slots->name, &open_err)
                        : slu_files_open(slots->disk, slots->dir, slots->name, O_RDWR, &open_err);
    if (slots->fd < 0 && open_err.kind == SLU_ENOENT)
        return SLU_SLOTS_MISSING;
    if (slots->fd < 0) {
        slu_err_set(err, open_err.kind, "%s", open_err.text);
        return SLU_SLOTS_FAILED;
    }

    uint8_t file[SLU_SLOTS_BYTES] = {0};
    if (slu_files_read(slots->disk, slots->fd, file, sizeof(file), 0) < 0) {
        slu_err_system(err, errno, "spool: cannot read %s", slots->name);
        slu_slots_close(slots);
        return SLU_SLOTS_FAILED;
    }
    const enum slu_slots_found found = choose(slots, file, content, err);
    if (found == SLU_SLOTS_DAMAGED)
        slots->distrusted = true;
    return found;
}

static int replace(struct slu_slots *slots, const void *content, struct slu_err *err)
{
    uint8_t file[SLU_SLOTS_BYTES] = {0};
    slu_prologue_write(file, slots->magic);
    slot_write(file + SLU_SLOT_BYTES, slots->turn + 1, content, slots->bytes);

    const int fd = slu_files_replace(slots->disk, slots->dir, slots->name, file, sizeof(file), err);
    if (fd < 0)
        return -1;
    slu_files_close(slots->disk, slots->fd);
    slots->fd = fd;
    slots->turn++;
    slots->target = 1;
    slots->distrusted = false;
    return 0;
}

static int sync_slot(struct slu_slots *slots, const void *content, struct slu_err *err)
{
    if (slu_files_sync(slots->disk, slots->fd) != 0) {
        slots->distrusted = true;
        return replace(slots, content, err);
    }
    slots->target ^= 1u;
    return 0;
}

int slu_slots_store(struct slu_slots *slots, const void *content, bool sync, struct slu_err *err)
{
    if (slots->fd < 0 || slots->distrusted)
        return replace(slots, content, err);

    uint8_t slot[SLU_SLOT_BYTES];
    slot_write(slot, slots->turn + 1, content, slots->bytes);
    if (slu_files_write(slots->disk, slots->fd, slot, sizeof(slot),
                        (uint64_t)SLU_SLOT_BYTES * (1 + slots->target)) != 0)
        return slu_err_system(err, errno, "spool: cannot write %s", slots->name);
    slots->turn++;
    return sync ? sync_slot(slots, content, err) : 0;
}

void slu_slots_close(struct slu_slots *slots)
{
    slu_files_close(slots->disk, slots->fd);
    slots->fd = -1;
}
