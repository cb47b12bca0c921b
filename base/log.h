/* log.h -- one sentence for the operator: the noun, the place, and what happens next.
 *
 * Only the thread that opened the log may reach the outlet (inside the broker that is the broker's
 * own thread, the only one that may call it). Lines of other threads wait in a bounded queue until
 * the owner drains it; a line that finds the queue full is dropped and counted, and the next drain
 * says how many. A worker never waits for the log.
 *
 * Control bytes and bytes that are not UTF-8 leave as \xNN (also C1 controls, U+2028 and U+2029),
 * and a line ends at 900 bytes, so nothing from the network can forge a line. Payloads are never
 * logged.
 */
#ifndef SLU_BASE_LOG_H
#define SLU_BASE_LOG_H

#include <stdint.h>

enum slu_log_level { SLU_LOG_DEBUG, SLU_LOG_INFO, SLU_LOG_NOTICE, SLU_LOG_WARNING, SLU_LOG_ERROR };

/* Gets one finished line without newline, borrowed for the call. */
typedef void slu_log_outlet(enum slu_log_level level, const char *line);

/* The calling thread becomes the owner. Before the first open, and after close, lines are dropped;
 * close (by the owner) first hands over the lines that wait. */
void slu_log_open(slu_log_outlet *outlet);
void slu_log_close(void);

/* Any thread. */
void slu_log(enum slu_log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Owner's thread: hand the lines that wait to the outlet. Costs one atomic read when none do. */
void slu_log_drain(void);

/* A line that may repeat: at most one each `interval` of `struct slu_log_rate`; the next one that
 * passes ends in "(N more like this)". One struct a place; zero-initialised, one thread. */
struct slu_log_rate {
    int64_t next_mono_ns; /* not before this */
    uint64_t held_back;   /* since the last line that passed */
};

/* As slu_log(), rate-limited to one line each `interval_ns`. */
void slu_log_sometimes(struct slu_log_rate *rate, int64_t interval_ns, enum slu_log_level level,
                       const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
