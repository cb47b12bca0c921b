/* cursor.h -- spool/<sink>.cursor: how far a sink is, and what the spool knows of it. Layout in
 * cursor.c. */
#ifndef SLU_SINKS_SPOOL_CURSOR_H
#define SLU_SINKS_SPOOL_CURSOR_H

#include "base/err.h"
#include "sinks/spool/slots.h"

#include <stdbool.h>
#include <stdint.h>

#define SLU_SINK_NAME_MAX 64u

/* A place in the spool: every record of the sink with seq ≤ `seq` has its fate. */
struct slu_position {
    uint64_t seq;
    uint64_t segment; /* base of the segment where the last passed record lies; 0: none yet */
    uint32_t offset;  /* behind that record; 0: not known */
    uint32_t passed;  /* records of the sink in that segment that are passed */
};

struct slu_cursor {
    struct slu_slots slots;
    char name[SLU_SINK_NAME_MAX + 1];
    char type[16];
    uint32_t bit;
    uint8_t when_full;
    bool orphaned;
    bool forgotten; /* claims nothing; kept until no segment uses its bit */
    struct slu_position position;
};

/* [A-Za-z0-9][A-Za-z0-9_.-]{0,63} */
bool slu_cursor_name_is_sound(const char *name);

/* "<sink>.cursor" -> "<sink>"; false for other files. */
bool slu_cursor_name_parse(const char *file, char name[SLU_SINK_NAME_MAX + 1]);

void slu_cursor_init(struct slu_cursor *cursor, const struct slu_disk *disk, int dir,
                     const char *name);
enum slu_slots_found slu_cursor_load(struct slu_cursor *cursor, bool foreign, struct slu_err *err);

#define SLU_CURSOR_BYTES 128u

/* Its content, to be written later, when no lock is held. */
void slu_cursor_pack(const struct slu_cursor *cursor, uint8_t content[SLU_CURSOR_BYTES]);

/* Write packed content; with `sync` it is on the disk when 0 is returned. */
int slu_cursor_write(struct slu_cursor *cursor, const uint8_t content[SLU_CURSOR_BYTES], bool sync,
                     struct slu_err *err);

/* Both. */
int slu_cursor_store(struct slu_cursor *cursor, bool sync, struct slu_err *err);

#endif
