/* matcher.h -- from a concrete topic to the policies that own it: all filters in one trie, behind a
 * bounded cache of topics seen lately.
 *
 *   topic ──cache hit──────────────▶ match set       about 15 ns
 *         └─miss──▶ trie walk ─────▶ match set ──▶ cache
 *
 * A match set lists (policy, filter) pairs in policy order, each policy once: with the first of its
 * filters (in row order) that matches, and only if none of its excludes does. Sets are interned: as
 * many exist as there are different answers, in a pool of 1 MiB; when that is full, the cache starts
 * anew. Topics beyond 256 bytes and answers of more than 1,000 policies are found anew each time.
 *
 * Memory: everything is allocated with the cache (some 3.3 MiB, resident as it is used, and 40 bytes a
 * policy); matching allocates nothing, whatever topics come.
 *
 * Threads: the trie never changes after compile. A cache belongs to one thread.
 */
#ifndef SLU_VALIDATION_MATCHER_H
#define SLU_VALIDATION_MATCHER_H

#include "base/arena.h"
#include "base/topic.h"

#include <stddef.h>
#include <stdint.h>

struct slu_matcher;
struct slu_match_cache;

/* One filter of one policy. */
struct slu_matcher_row {
    struct slu_topic_filter filter; /* its levels must outlive the matcher */
    uint32_t policy;                /* index; rows may come in any order */
    bool exclude;
};

struct slu_match {
    uint32_t policy;
    const struct slu_topic_filter *filter; /* gives the named levels */
};

struct slu_match_set {
    size_t n;
    struct slu_match matches[];
};

/* Compile into `arena`. NULL: no memory. */
const struct slu_matcher *slu_matcher_compile(const struct slu_matcher_row *rows, size_t n_rows,
                                              struct slu_arena *arena);

/* A cache for one matcher and one thread. NULL: no memory. */
struct slu_match_cache *slu_match_cache_new(const struct slu_matcher *matcher);
void slu_match_cache_free(struct slu_match_cache *cache);

/* The policies that own `topic`. Never NULL; n == 0: none. Borrowed until the next call. */
const struct slu_match_set *slu_match(struct slu_match_cache *cache, struct slu_slice topic);

#endif
