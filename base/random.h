/* random.h -- random bytes: from the system for identities and seeds, from a seeded generator for
 * jitter and tests. */
#ifndef SLU_BASE_RANDOM_H
#define SLU_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Fill from the system (getrandom). Cannot fail on a booted Linux; falls back to clocks and
 * addresses rather than leave zeros. */
void slu_random_fill(void *bytes, size_t n);

/* xoshiro256** (Blackman and Vigna), for jitter, sampling and repeatable tests; not for secrets. A
 * zeroed one works as if seeded with 0. */
struct slu_random {
    uint64_t state[4];
};
void slu_random_seed(struct slu_random *random, uint64_t seed);
uint64_t slu_random_next(struct slu_random *random);
uint64_t slu_random_below(struct slu_random *random, uint64_t bound); /* 0 … bound-1; bound > 0 */

#endif
