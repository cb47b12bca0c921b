/* lines.h -- reads back the JSON Lines files that this room writes: which records are in them, and
 * where the last whole line ends.
 *
 *   {"v":1,"id":…,"seq":"7",…}⏎{"v":1,"id":…,"seq":"8",…}⏎{"v":1,"id":"0d3f…
 *   └──────── line 7 ─────────┘└──────── line 8 ─────────┘└── torn: nobody was told it is safe
 *
 * After a power cut a file may be as long as it was, with pages of NULs where data never reached the
 * disk; a line that holds one is not sound, whatever stands at its ends.
 */
#ifndef SLU_SINKS_LINES_H
#define SLU_SINKS_LINES_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct slu_line {
    off_t start, end; /* `end` is behind its newline */
    bool is_sound;    /* an envelope from `{` to `}` without NUL */
    uint64_t seq;     /* when sound */
    bool is_ours;     /* when sound: written from this spool */
};

/* Call `visit` for each line that has its newline, in order, until it returns false. `*whole_end`, if
 * not NULL, gets the end of the last line visited. Returns 0, or -1 and err (reading failed). */
int slu_lines_walk(int fd, const uint8_t spool_id[16],
                   bool (*visit)(void *context, const struct slu_line *line), void *context,
                   off_t *whole_end, struct slu_err *err);

/* The last line that has its newline. Returns 1; 0 when there is none; -1 and err. Looks only at
 * the line's head and end for `is_sound`. */
int slu_lines_last(int fd, const uint8_t spool_id[16], struct slu_line *line, struct slu_err *err);

#endif
