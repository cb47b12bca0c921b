/* load.h -- what tests/bench/kafka and postgresql deliver, what flow publishes, and how long it took.
 *
 * A record: topic plant/a/oven/0 … 15, 253 bytes of JSON with 12 properties whose values differ from record
 * to record. The same number always gives the same record.
 *
 * Time is taken twice: as the clock on the wall tells it, and as what the processor did for this process.
 * The second says something on a busy machine as well.
 *
 * Threads: the main one.
 */
#ifndef SLU_BENCH_LOAD_H
#define SLU_BENCH_LOAD_H

#include "base/node.h"
#include "sinks/sink.h"

#include <stdint.h>

struct slu_arena;

/* "bench: what", and exit 2. */
_Noreturn void load_fail(const char *what);

/* First of all: payloads, log. */
void load_begin(void);

/* A sink's section, read from a file into `arena`. */
const struct slu_node *load_section(const char *path, struct slu_arena *arena);

/* Number `seq`, from 1 on. Borrowed for ever. */
struct slu_record load_record(uint64_t seq);

/* A sink's surroundings without a spool; it has a decoder. */
struct slu_sink_env load_env(const char *name);

struct load_time {
    double wall, cpu; /* seconds */
};

struct load_time load_now(void);

/* Seconds since then: "WALL CPU" and a line end on stdout. */
void load_print(struct load_time since, struct load_time until);

/* Spool the records 1 … n in `folder`, let delivery.c bring them to the sink, and stop. The clock starts when
 * the sink has met its far shore and stops when all are committed. */
void load_deliver(const char *folder, const char *name, const struct slu_sink_ops *ops,
                  const struct slu_node *section, uint64_t n);

#endif
