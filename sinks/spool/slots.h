/* slots.h -- a small file that is rewritten often and must never be half written: `id`, `*.cursor`.
 *
 *   0     prologue (files.h), zeros up to 512
 *   512   slot 0:  u64 turn, content (fixed size of its kind), u32 CRC-32C of turn and content
 *   1024  slot 1:  the same
 *
 * The valid slot with the higher turn counts. The slot that was synced last is never overwritten: a
 * store goes to the other one, again and again, until that one was synced; then they change places.
 * So one whole slot always stays, whatever a power cut does. After a failed sync the file is not
 * trusted again but replaced as a whole.
 */
#ifndef SLU_SINKS_SPOOL_SLOTS_H
#define SLU_SINKS_SPOOL_SLOTS_H

#include "base/err.h"
#include "sinks/spool/disk.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLU_SLOT_BYTES   512u
#define SLU_SLOT_CONTENT (SLU_SLOT_BYTES - 12u) /* most bytes of content */
#define SLU_SLOTS_BYTES  (3u * SLU_SLOT_BYTES)  /* of the whole file */

struct slu_slots {
    const struct slu_disk *disk;
    int dir;
    int fd; /* -1: none yet */
    char name[80];
    char magic[8];
    size_t bytes;    /* of the content */
    uint64_t turn;   /* of the newest slot */
    unsigned target; /* slot that the next store goes to */
    bool distrusted; /* a sync failed: replace the file */
};

void slu_slots_init(struct slu_slots *slots, const struct slu_disk *disk, int dir, const char *name,
                    const char magic[8], size_t bytes);

enum slu_slots_found {
    SLU_SLOTS_FAILED = -1, /* err is set: cannot be read, or newer than we are */
    SLU_SLOTS_GOOD = 0,
    SLU_SLOTS_MISSING = 1,
    SLU_SLOTS_DAMAGED = 2, /* neither slot is whole */
};

/* Open and read; `content` gets the newest whole slot. Read-only and any owner when `foreign`. */
enum slu_slots_found slu_slots_load(struct slu_slots *slots, void *content, bool foreign,
                                    struct slu_err *err);

/* Write the content; with `sync` it is on the disk when 0 is returned. Makes the file when there is
 * none (then always synced). */
int slu_slots_store(struct slu_slots *slots, const void *content, bool sync, struct slu_err *err);

void slu_slots_close(struct slu_slots *slots);

#endif
