/* dead_letter.h -- the records a sink will never take, set aside with the reason.
 *
 *   <data_dir>/dead/<sink>/00000000000000000618.jsonl     named by its first record, appended to
 *                         /00000000000000912345.jsonl     a new one at 64 MiB
 *
 * One line a record: its envelope with "dead":{sink, code, message, time}. Folders are 0700, files
 * 0600. Lines are added in memory and become durable together with sync; only then may the cursor
 * pass them.
 *
 * A crash between the sync and the cursor leaves letters whose records the spool will hand out once
 * more. They have their fate already: slu_dead_letters_has() knows them, and nobody pushes or
 * writes them again.
 *
 * Threads: one at a time.
 */
#ifndef SLU_SINKS_DEAD_LETTER_H
#define SLU_SINKS_DEAD_LETTER_H

#include "base/err.h"
#include "sinks/sink.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLU_DEAD_LETTER_FILE_BYTES (64 << 20) /* a file that has reached this is full */

struct slu_dead_letters;

/* Look at the letters of `env`'s sink that are there: remember those beyond `committed`, cut a torn
 * last line. Makes no file and no folder. `env` must outlive it. NULL and err when the folder cannot
 * be read or there is no memory. */
struct slu_dead_letters *slu_dead_letters_open(const char *data_dir, const struct slu_sink_env *env,
                                               uint64_t committed, struct slu_err *err);
void slu_dead_letters_close(struct slu_dead_letters *letters);

/* Is there a letter for record `seq`, from before this start? Only for seq > `committed`. */
bool slu_dead_letters_has(const struct slu_dead_letters *letters, uint64_t seq);

/* How many of those have after < seq ≤ upto. NULL has none. */
size_t slu_dead_letters_between(const struct slu_dead_letters *letters, uint64_t after,
                                uint64_t upto);

/* Add one; seqs ascend. Returns 0; or -1 and err: then nothing since the last sync was added. */
int slu_dead_letters_add(struct slu_dead_letters *letters, const struct slu_record *record,
                         const struct slu_sink_reject *reject, int64_t time_ns,
                         struct slu_err *err);

/* Make all that was added durable. Returns 0; or -1 and err: then nothing since the last sync was
 * added, and all of it has to be added again. */
int slu_dead_letters_sync(struct slu_dead_letters *letters, struct slu_err *err);

#endif
