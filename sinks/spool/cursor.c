/* cursor.c -- spool/<sink>.cursor: how far a sink is, and what the spool knows of it.
 *
 * A file of two slots (slots.h, magic "SLUCURS\0"); the content of a slot, 128 bytes:
 *
 *   0    u64 seq       every record of the sink up to here has its fate
 *   8    u64 segment   base of the segment where the last of them lies; 0: none yet
 *   16   u32 offset    behind it in that segment; 0: not known
 *   20   u32 passed    records of the sink in that segment up to there
 *   24   u32 bit       in the records' bitmap of sinks
 *   28   u32 flags     bits 0–3 when_full (spool.h), 4 orphaned, 5 forgotten
 *   32   name, 65 bytes, zero-terminated
 *   97   type, 16 bytes, zero-terminated
 *   113  zeros
 *
 * A segment's footer says how many records of the sink it holds; less `passed` is what is left of it,
 * so a backlog is known exactly from footers and cursors without reading records.
 *
 * A cursor that is behind the truth (not synced before a power cut) costs a repeat that the far side
 * or the record's id makes harmless; it is never ahead of the truth.
 */
#include "sinks/spool/cursor.h"

#include "sinks/spool/bytes.h"

#include <stdio.h>
#include <string.h>

static const char magic[8] = "SLUCURS";

#define NAME_AT        32u
#define TYPE_AT        97u
#define FLAG_ORPHANED  16u
#define FLAG_FORGOTTEN 32u

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool slu_cursor_name_is_sound(const char *name)
{
    const size_t n = strlen(name);
    if (n < 1 || n > SLU_SINK_NAME_MAX || !is_alnum(name[0]))
        return false;
    for (size_t i = 1; i < n; i++)
        if (!is_alnum(name[i]) && name[i] != '_' && name[i] != '.' && name[i] != '-')
            return false;
    return true;
}

bool slu_cursor_name_parse(const char *file, char name[SLU_SINK_NAME_MAX + 1])
{
    static const char ending[] = ".cursor";
    const size_t n = strlen(file), e = sizeof(ending) - 1;
    if (n <= e || n - e > SLU_SINK_NAME_MAX || strcmp(file + n - e, ending) != 0)
        return false;
    memcpy(name, file, n - e);
    name[n - e] = '\0';
    return slu_cursor_name_is_sound(name);
}

void slu_cursor_init(struct slu_cursor *cursor, const struct slu_disk *disk, int dir,
                     const char *name)
{
    char file[SLU_SINK_NAME_MAX + 16];
    *cursor = (struct slu_cursor){0};
    (void)snprintf(cursor->name, sizeof(cursor->name), "%s", name);
    (void)snprintf(file, sizeof(file), "%s.cursor", name);
    slu_slots_init(&cursor->slots, disk, dir, file, magic, SLU_CURSOR_BYTES);
}

enum slu_slots_found slu_cursor_load(struct slu_cursor *cursor, bool foreign, struct slu_err *err)
{
    uint8_t content[SLU_CURSOR_BYTES];
    const enum slu_slots_found found = slu_slots_load(&cursor->slots, content, foreign, err);
    if (found != SLU_SLOTS_GOOD)
        return found;

    const uint32_t flags = slu_get_u32(content + 28);
    cursor->position.seq = slu_get_u64(content);
    cursor->position.segment = slu_get_u64(content + 8);
    cursor->position.offset = slu_get_u32(content + 16);
    cursor->position.passed = slu_get_u32(content + 20);
    cursor->bit = slu_get_u32(content + 24);
    cursor->when_full = flags & 15u;
    cursor->orphaned = (flags & FLAG_ORPHANED) != 0;
    cursor->forgotten = (flags & FLAG_FORGOTTEN) != 0;
    content[TYPE_AT + sizeof(cursor->type) - 1] = 0;
    memcpy(cursor->type, content + TYPE_AT, sizeof(cursor->type));
    content[NAME_AT + SLU_SINK_NAME_MAX] = 0;
    if (strcmp((const char *)content + NAME_AT, cursor->name) != 0)
        return SLU_SLOTS_DAMAGED; /* somebody renamed the file */
    return found;
}

void slu_cursor_pack(const struct slu_cursor *cursor, uint8_t content[SLU_CURSOR_BYTES])
{
    memset(content, 0, SLU_CURSOR_BYTES);
    slu_put_u64(content, cursor->position.seq);
    slu_put_u64(content + 8, cursor->position.segment);
    slu_put_u32(content + 16, cursor->position.offset);
    slu_put_u32(content + 20, cursor->position.passed);
    slu_put_u32(content + 24, cursor->bit);
    slu_put_u32(content + 28, (uint32_t)cursor->when_full | (cursor->orphaned ? FLAG_ORPHANED : 0) |
                                  (cursor->forgotten ? FLAG_FORGOTTEN : 0));
    memcpy(content + NAME_AT, cursor->name, strlen(cursor->name));
    memcpy(content + TYPE_AT, cursor->type, strlen(cursor->type));
}

int slu_cursor_write(struct slu_cursor *cursor, const uint8_t content[SLU_CURSOR_BYTES], bool sync,
                     struct slu_err *err)
{
    return slu_slots_store(&cursor->slots, content, sync, err);
}

int slu_cursor_store(struct slu_cursor *cursor, bool sync, struct slu_err *err)
{
    uint8_t content[SLU_CURSOR_BYTES];
    slu_cursor_pack(cursor, content);
    return slu_cursor_write(cursor, content, sync, err);
}
