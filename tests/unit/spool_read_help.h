/* spool_read_help.h -- what the tests of the spool as its users see it share: reading numbers. */
#ifndef SLU_TESTS_UNIT_SPOOL_READ_HELP_H
#define SLU_TESTS_UNIT_SPOOL_READ_HELP_H

#include "tests/unit/spool_help.h"

#include "base/crc32c.h"
#include "base/properties.h"
#include "sinks/spool/bytes.h"
#include "sinks/spool/files.h"
#include "sinks/spool/segment.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#define BATCH 512

/* Read until `n` numbers were seen or nothing more comes; returns how many. */
static inline size_t read_numbers(struct slu_spool_reader *reader, uint64_t *after,
                                  uint64_t *numbers, size_t n)
{
    static struct slu_record records[BATCH];
    size_t done = 0;
    while (done < n) {
        const size_t left = n - done;
        const int got =
            slu_spool_read(reader, *after, records, left < BATCH ? left : BATCH, 1 << 20, NULL);
        assert_true(got >= 0);
        for (int i = 0; i < got; i++) {
            assert_true(records[i].seq > *after);
            *after = records[i].seq;
            numbers[done++] = help_number(&records[i]);
        }
        if (got == 0 && !slu_spool_wait(reader, *after, help_in(300)))
            break;
    }
    return done;
}

#endif
