/* machines.h -- a small biscuit factory: two lines, each with mixers, an oven and a packer.
 *
 *   factory/{line}/mixer/{n}/state           {"ts":…,"recipe":"butter","dough_c":24.1,…}
 *   factory/{line}/mixer/{n}/heartbeat       true
 *   factory/{line}/oven/{n}/temperature      {"ts":…,"zone":2,"celsius":218.4,"burner":true}
 *   factory/{line}/oven/{n}/humidity         41.7
 *   factory/{line}/packer/{n}/pack           {"ts":…,"lot":"L26-0412-B","gtin":"…","grams":201.2}
 *   factory/{line}/packer/{n}/weight         201.2
 *   factory/{line}/shift/{n}/note            free text; nobody judges it
 *
 * Most of what they say is right. Now and then a sensor breaks, a program is cut off, somebody types
 * a lot number by hand; each such message has its kind, so that one can count what became of them.
 *
 * Threads: none; a factory belongs to its caller.
 */
#ifndef FACTORY_MACHINES_H
#define FACTORY_MACHINES_H

#include <stddef.h>
#include <stdint.h>

enum factory_kind {
    FACTORY_RIGHT,      /* what it should be */
    FACTORY_NOTE,       /* free text on a topic without a policy */
    FACTORY_LIMIT,      /* a value out of its limits */
    FACTORY_WARM,       /* within its limits, but high: worth watching */
    FACTORY_CUT,        /* JSON that ends too early */
    FACTORY_MISSING,    /* a property that must be there is not */
    FACTORY_WRONG_TYPE, /* a number as text, with a comma */
    FACTORY_WRONG_LOT,  /* a lot number typed by hand */
    FACTORY_TWICE,      /* the same key twice */
    FACTORY_NO_NUMBER,  /* "n/a" where a number should be */
    FACTORY_GARBAGE,    /* a heartbeat that is no boolean */
    FACTORY_KINDS,
};

/* What a person calls each kind. */
extern const char *const factory_kind_names[FACTORY_KINDS];

struct factory {
    uint64_t dice;     /* state of the random numbers; from the seed */
    uint64_t spoken;   /* messages so far */
    unsigned mishaps;  /* of 1,000 messages, how many go wrong */
    double oven_drift; /* °C; ovens wander slowly */
};

struct factory_message {
    enum factory_kind kind;
    char topic[96];
    char payload[384];
    size_t payload_bytes;
};

/* The same seed gives the same messages, but for their time stamps. */
void factory_open(struct factory *factory, uint64_t seed);

/* The next thing a machine says at `now_ms` (milliseconds since 1970). */
void factory_speak(struct factory *factory, int64_t now_ms, struct factory_message *message);

#endif
