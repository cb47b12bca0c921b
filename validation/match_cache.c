/* match_cache.c -- walks the trie for a topic, and remembers the answers of the last topics.
 *
 * The walk goes level by level with the list of nodes reached so far (the frontier): each level's text
 * is hashed once, each node gives at most its literal and its `+` child. A trie is a tree, so no node
 * is reached twice: filters full of `+` cost at most one visit of every node, never 2^levels.
 *
 * The answer. Each row found marks its policy; `first_row` keeps the first row in row order, excludes
 * stamp the policy with the number of the call. The marks are bits below a summary of bits, so they
 * come out in policy order and are cleared by the walk that reads them.
 *
 * The cache. 2,048 sets of 4 entries of 16 bytes (one line of the processor's cache), and per entry
 * one place of 256 bytes for the topic:
 *
 *     hash of topic ─┬ low bits ─▶ set   │ tag len answer │ tag len answer │ …        │
 *                    └ high bits = tag   │ topic bytes    │ topic bytes    │ …        │
 *
 * A miss overwrites one of the four, in turn. Answers are interned in a pool of fixed size; when it is
 * full the cache starts anew, empty. So everything is allocated when the cache is made (2.2 MiB of
 * topics and 1 MiB of answers, of which only what was used is resident, and some bytes per policy),
 * a flood of different topics costs one walk each, and slu_match() never allocates.
 *
 * Threads: see matcher.h.
 */
#include "validation/matcher_inside.h"

#include "base/random.h"

#include <stdlib.h>

/* ---- the cache ---- */

#define WAYS        4u
#define CACHE_SETS  2048u
#define ENTRIES     (CACHE_SETS * WAYS)
#define TOPIC_BYTES 256u /* longer topics are walked each time */

#define POOL_BYTES   (1u << 20) /* of answers */
#define INTERN_SLOTS 8192u      /* of the table of answers; at most half are used */

struct entry {
    uint32_t tag; /* high half of the topic's hash */
    uint32_t len; /* of the topic; 0: the entry is free */
    const struct slu_match_set *answer;
};

/* What a call knows of a policy. Both members count only when they are of this call: `first_row`
 * when the policy is marked, `excluded_in` when it holds the call's number. */
struct finding {
    uint64_t excluded_in;
    uint32_t first_row;
};

struct slu_match_cache {
    const struct slu_matcher *matcher;
    uint64_t seed;
    struct entry *entries; /* ENTRIES */
    char *topics;          /* ENTRIES × TOPIC_BYTES */
    uint32_t next_victim;

    char *pool; /* POOL_BYTES of answers, one behind the other */
    size_t pool_used;
    const struct slu_match_set **interned; /* INTERN_SLOTS, open addressing */
    size_t n_interned;

    /* Scratch of one call. */
    uint64_t call;
    uint32_t *frontier, *next_frontier; /* matcher->width each */
    struct finding *findings;           /* by policy */
    uint64_t *marked;                   /* a bit a policy */
    uint64_t *marked_words;             /* a bit a word of `marked` */
    size_t n_words, n_summary;
    struct slu_match_set *answer; /* with room for every policy */
};

static const struct slu_match_set no_match = {.n = 0};

void slu_match_cache_free(struct slu_match_cache *cache)
{
    if (cache == NULL)
        return;
    free(cache->entries);
    free(cache->topics);
    free(cache->pool);
    free(cache->interned);
    free(cache->frontier);
    free(cache->next_frontier);
    free(cache->findings);
    free(cache->marked);
    free(cache->marked_words);
    free(cache->answer);
    free(cache);
}

static bool allocate_scratch(struct slu_match_cache *cache)
{
    const struct slu_matcher *matcher = cache->matcher;
    cache->n_words = matcher->n_policies / 64 + 1;
    cache->n_summary = cache->n_words / 64 + 1;
    cache->frontier = calloc(matcher->width, sizeof(cache->frontier[0]));
    cache->next_frontier = calloc(matcher->width, sizeof(cache->next_frontier[0]));
    cache->findings = calloc(matcher->n_policies + 1, sizeof(cache->findings[0]));
    cache->marked = calloc(cache->n_words, sizeof(cache->marked[0]));
    cache->marked_words = calloc(cache->n_summary, sizeof(cache->marked_words[0]));
    cache->answer =
        calloc(1, sizeof(*cache->answer) + matcher->n_policies * sizeof(struct slu_match));
    return cache->frontier != NULL && cache->next_frontier != NULL && cache->findings != NULL &&
           cache->marked != NULL && cache->marked_words != NULL && cache->answer != NULL;
}

struct slu_match_cache *slu_match_cache_new(const struct slu_matcher *matcher)
{
    struct slu_match_cache *cache = calloc(1, sizeof(*cache));
    if (cache == NULL)
        return NULL;
    cache->matcher = matcher;
    slu_random_fill(&cache->seed, sizeof(cache->seed));
    /* Four entries on one line of 64 bytes. */
    cache->entries = aligned_alloc(64, ENTRIES * sizeof(cache->entries[0]));
    cache->topics = malloc((size_t)ENTRIES * TOPIC_BYTES);
    cache->pool = malloc(POOL_BYTES);
    cache->interned = calloc(INTERN_SLOTS, sizeof(cache->interned[0]));
    if (!allocate_scratch(cache) || cache->entries == NULL || cache->topics == NULL ||
        cache->pool == NULL || cache->interned == NULL) {
        slu_match_cache_free(cache);
        return NULL;
    }
    memset(cache->entries, 0, ENTRIES * sizeof(cache->entries[0]));
    return cache;
}

/* ---- the walk ---- */

/* Take in the rows of one list. */
static void find_rows(struct slu_match_cache *cache, uint32_t row)
{
    for (; row != SLU_MATCHER_NONE; row = cache->matcher->rows[row].next) {
        const struct slu_trie_row *found = &cache->matcher->rows[row];
        struct finding *finding = &cache->findings[found->policy];
        if (found->exclude) {
            finding->excluded_in = cache->call;
            continue;
        }
        const size_t word = found->policy / 64;
        const uint64_t bit = UINT64_C(1) << (found->policy % 64);
        if ((cache->marked[word] & bit) == 0 || row < finding->first_row)
            finding->first_row = row;
        cache->marked[word] |= bit;
        cache->marked_words[word / 64] |= UINT64_C(1) << (word % 64);
    }
}

/* From the nodes of the frontier over the level `text` to the next ones. Returns how many. */
static size_t advance(struct slu_match_cache *cache, size_t n, struct slu_slice text,
                      bool wildcards_match)
{
    const struct slu_matcher *matcher = cache->matcher;
    const uint64_t text_hash = slu_hash_bytes(matcher->seed, text.data, text.len);
    size_t n_next = 0;
    for (size_t i = 0; i < n; i++) {
        const uint32_t id = cache->frontier[i];
        const struct slu_trie_node *node = &matcher->nodes[id];
        if (wildcards_match) {
            find_rows(cache, node->deep);
            if (node->plus != SLU_MATCHER_NONE)
                cache->next_frontier[n_next++] = node->plus;
        }
        if (node->n_literals == 0)
            continue;
        const struct slu_trie_edge *edge = &matcher->edges[slu_edge_place(
            matcher->edges, matcher->edge_mask, slu_edge_hash(text_hash, id), id, text)];
        if (edge->child != 0)
            cache->next_frontier[n_next++] = edge->child;
    }
    return n_next;
}

static void swap_frontiers(struct slu_match_cache *cache)
{
    uint32_t *reached = cache->next_frontier;
    cache->next_frontier = cache->frontier;
    cache->frontier = reached;
}

static void walk(struct slu_match_cache *cache, struct slu_slice topic)
{
    /* MQTT 5.0 §4.7.2: a wildcard in the first place does not match "$…". */
    bool wildcards_match = topic.data[0] != '$';
    size_t at = 0, n = 1;
    cache->frontier[0] = 0;
    for (bool last = false; n > 0 && !last; wildcards_match = true) {
        const char *slash = memchr(topic.data + at, '/', topic.len - at);
        const size_t end = slash != NULL ? (size_t)(slash - topic.data) : topic.len;
        last = slash == NULL;
        n = advance(cache, n, slu_slice(topic.data + at, end - at), wildcards_match);
        swap_frontiers(cache);
        at = end + 1;
    }
    /* These nodes have used up the topic (there are none when the walk ended early). */
    for (size_t i = 0; i < n; i++) {
        find_rows(cache, cache->matcher->nodes[cache->frontier[i]].here);
        find_rows(cache, cache->matcher->nodes[cache->frontier[i]].deep);
    }
}

/* ---- the answer ---- */

/* Read the marks of one word into the answer, and clear them. */
static void collect_word(struct slu_match_cache *cache, size_t word)
{
    for (; cache->marked[word] != 0; cache->marked[word] &= cache->marked[word] - 1) {
        const size_t policy = word * 64 + (size_t)__builtin_ctzll(cache->marked[word]);
        const struct finding *finding = &cache->findings[policy];
        if (finding->excluded_in == cache->call)
            continue;
        const struct slu_trie_row *row = &cache->matcher->rows[finding->first_row];
        cache->answer->matches[cache->answer->n++] = (struct slu_match){row->policy, &row->filter};
    }
}

static void collect(struct slu_match_cache *cache)
{
    cache->answer->n = 0;
    for (size_t i = 0; i < cache->n_summary; i++) {
        for (; cache->marked_words[i] != 0; cache->marked_words[i] &= cache->marked_words[i] - 1)
            collect_word(cache, i * 64 + (size_t)__builtin_ctzll(cache->marked_words[i]));
    }
}

static size_t set_bytes(const struct slu_match_set *set)
{
    return sizeof(*set) + set->n * sizeof(set->matches[0]);
}

static bool sets_equal(const struct slu_match_set *a, const struct slu_match_set *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++) {
        if (a->matches[i].filter != b->matches[i].filter) /* a filter belongs to one policy */
            return false;
    }
    return true;
}

static void forget_all(struct slu_match_cache *cache)
{
    memset(cache->entries, 0, ENTRIES * sizeof(cache->entries[0]));
    memset(cache->interned, 0, INTERN_SLOTS * sizeof(cache->interned[0]));
    cache->n_interned = 0;
    cache->pool_used = 0;
}

/* The interned set that equals `set`; NULL when it is too large to be worth it. */
static const struct slu_match_set *intern(struct slu_match_cache *cache,
                                          const struct slu_match_set *set)
{
    const size_t bytes = set_bytes(set);
    if (set->n == 0)
        return &no_match;
    if (bytes > POOL_BYTES / 64)
        return NULL;
    if (bytes > POOL_BYTES - cache->pool_used || cache->n_interned == INTERN_SLOTS / 2)
        forget_all(cache);

    uint64_t hash = cache->seed;
    for (size_t i = 0; i < set->n; i++)
        hash = slu_hash_mix(hash ^ SLU_HASH_A, (uintptr_t)set->matches[i].filter ^ SLU_HASH_B);
    size_t slot = (size_t)hash & (INTERN_SLOTS - 1);
    for (; cache->interned[slot] != NULL; slot = (slot + 1) & (INTERN_SLOTS - 1)) {
        if (sets_equal(cache->interned[slot], set))
            return cache->interned[slot];
    }
    /* Sets are multiples of 8 bytes, so the next one is aligned as well. */
    struct slu_match_set *own = (struct slu_match_set *)(void *)(cache->pool + cache->pool_used);
    memcpy(own, set, bytes);
    cache->pool_used += bytes;
    cache->interned[slot] = own;
    cache->n_interned++;
    return own;
}

static const struct slu_match_set *find(struct slu_match_cache *cache, struct slu_slice topic)
{
    cache->call++;
    walk(cache, topic);
    collect(cache);
    return cache->answer;
}

/* Walk, and remember the answer in place of an older one. */
static const struct slu_match_set *miss(struct slu_match_cache *cache, struct slu_slice topic,
                                        uint64_t hash)
{
    const struct slu_match_set *answer = find(cache, topic);
    const struct slu_match_set *interned = intern(cache, answer);
    if (interned == NULL)
        return answer;
    size_t place = ((size_t)hash & (CACHE_SETS - 1)) * WAYS;
    size_t way = 0;
    while (way < WAYS && cache->entries[place + way].len != 0)
        way++;
    place += way < WAYS ? way : cache->next_victim++ % WAYS;
    cache->entries[place] = (struct entry){(uint32_t)(hash >> 32), (uint32_t)topic.len, interned};
    memcpy(cache->topics + place * TOPIC_BYTES, topic.data, topic.len);
    return interned;
}

const struct slu_match_set *slu_match(struct slu_match_cache *cache, struct slu_slice topic)
{
    if (topic.len == 0) /* MQTT 5.0 §4.7.3: that is no topic */
        return &no_match;
    if (topic.len > TOPIC_BYTES)
        return find(cache, topic);

    const uint64_t hash = slu_hash_bytes(cache->seed, topic.data, topic.len);
    const uint32_t tag = (uint32_t)(hash >> 32);
    const size_t first = ((size_t)hash & (CACHE_SETS - 1)) * WAYS;
    for (size_t place = first; place < first + WAYS; place++) {
        const struct entry *entry = &cache->entries[place];
        if (entry->tag == tag && entry->len == topic.len &&
            memcmp(cache->topics + place * TOPIC_BYTES, topic.data, topic.len) == 0)
            return entry->answer;
    }
    return miss(cache, topic, hash);
}
