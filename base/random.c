/* random.c -- see random.h for which randomness is for what. */
#include "base/random.h"

#include "base/clock.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/* Distinct from process to process and from call to call, though not unpredictable. */
static void fill_without_system(unsigned char *bytes, size_t n)
{
    struct slu_random random;
    slu_random_seed(&random, (uint64_t)slu_clock_wall_ns() ^ ((uint64_t)slu_clock_mono_ns() << 20) ^
                                 ((uint64_t)getpid() << 40) ^ (uint64_t)(uintptr_t)&random);
    for (size_t at = 0; at < n; at += sizeof(uint64_t)) {
        const uint64_t word = slu_random_next(&random);
        memcpy(bytes + at, &word, n - at < sizeof(word) ? n - at : sizeof(word));
    }
}

void slu_random_fill(void *bytes, size_t n)
{
    unsigned char *at = bytes;

    while (n > 0) {
        const ssize_t got = getrandom(at, n, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            fill_without_system(at, n);
            return;
        }
        at += got;
        n -= (size_t)got;
    }
}

/* splitmix64 (Steele, Lea and Flood): spreads a seed of few bits over the whole state. */
static uint64_t spread(uint64_t *seed)
{
    *seed += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t word = *seed;
    word = (word ^ (word >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    word = (word ^ (word >> 27)) * UINT64_C(0x94D049BB133111EB);
    return word ^ (word >> 31);
}

void slu_random_seed(struct slu_random *random, uint64_t seed)
{
    for (size_t i = 0; i < 4; i++)
        random->state[i] = spread(&seed);
}

static inline uint64_t rotate_left(uint64_t word, unsigned bits)
{
    return (word << bits) | (word >> (64 - bits));
}

uint64_t slu_random_next(struct slu_random *random)
{
    uint64_t *state = random->state;

    /* All zero is the one state it never leaves. */
    if ((state[0] | state[1] | state[2] | state[3]) == 0)
        slu_random_seed(random, 0);

    const uint64_t result = rotate_left(state[1] * 5, 7) * 9;
    const uint64_t shifted = state[1] << 17;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = rotate_left(state[3], 45);
    return result;
}

uint64_t slu_random_below(struct slu_random *random, uint64_t bound)
{
    if (bound == 0)
        return 0;

    /* 2^64 mod bound: the numbers below it come up once too often, so they are drawn again. */
    const uint64_t uneven = (0 - bound) % bound;
    uint64_t number = slu_random_next(random);
    while (number < uneven)
        number = slu_random_next(random);
    return number % bound;
}
