/* machines.h -- a small biscuit factory: two lines, each with mixers, an oven, a cooler, a packer and a
 * checkweigher.
 *
 *   factory/{line}/mixer/{n}/state           {"ts":…,"recipe":"butter","dough_c":24.1,…}
 *   factory/{line}/mixer/{n}/heartbeat       true
 *   factory/{line}/oven/{n}/temperature      {"ts":…,"zone":2,"celsius":218.4,"burner":true}
 *   factory/{line}/oven/{n}/humidity         41.7
 *   factory/{line}/cooler/{n}/temperature    38.2
 *   factory/{line}/packer/{n}/pack           {"ts":…,"lot":"L26-0412-B","gtin":"…","grams":201.2}
 *   factory/{line}/packer/{n}/weight         201.2
 *   factory/{line}/checkweigher/{n}/weighing  Avro, see weighing.h
 *   factory/{line}/shift/{n}/note            free text; nobody judges it
 *
 * Most of what they say is right. Now and then a sensor breaks, a program is cut off, somebody types
 * a lot number by hand (mishaps), and some things happen by the play of script.h; each such message
 * has its kind, so that one can count what became of them.
 *
 * Threads: none; a factory belongs to its caller.
 */
#ifndef FACTORY_MACHINES_H
#define FACTORY_MACHINES_H

#include "examples/factory/process.h"
#include "examples/factory/weighing.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FACTORY_LINES 2

enum factory_kind {
    FACTORY_RIGHT,      /* what it should be */
    FACTORY_AGAIN,      /* sent again by a gateway, byte by byte */
    FACTORY_NOTE,       /* free text on a topic without a policy */
    FACTORY_LIMIT,      /* a value out of its limits */
    FACTORY_WARM,       /* within its limits, but high: worth watching */
    FACTORY_CUT,        /* JSON that ends too early */
    FACTORY_MISSING,    /* a property that must be there is not */
    FACTORY_WRONG_TYPE, /* a number as text, with a comma */
    FACTORY_WRONG_LOT,  /* a lot number typed by hand */
    FACTORY_WRONG_TIME, /* a time stamp of 1970 */
    FACTORY_TWICE,      /* the same key twice */
    FACTORY_NO_NUMBER,  /* "n/a" where a number should be */
    FACTORY_GARBAGE,    /* a heartbeat that is no boolean */
    FACTORY_AVRO_CUT,   /* Avro that ends too early */
    FACTORY_NO_SYMBOL,  /* Avro with a symbol that its enum has not */
    FACTORY_UNKNOWN,    /* Avro of a schema that nobody has */
    FACTORY_KINDS,
};

/* What a person calls each kind. */
extern const char *const factory_kind_names[FACTORY_KINDS];

/* What kind of factory is wanted. */
struct factory_plan {
    uint64_t seed;     /* the same seed gives the same messages, but for their time stamps */
    bool trouble;      /* mishaps and the play; without them every message is right, or a note */
    const char *only;  /* "oven": of machines of this name alone; NULL: of all. Borrowed */
    int64_t schema_id; /* as in struct factory_head */
};

struct factory {
    struct factory_plan plan;
    struct factory_dice dice;
    struct factory_line lines[FACTORY_LINES];
    uint64_t spoken; /* messages so far */
};

struct factory_message {
    enum factory_kind kind;
    unsigned incidents; /* of script.h, under way at this message */
    unsigned source;    /* the same for all messages of one machine */
    char topic[96];
    char payload[384];
    size_t payload_bytes;
    bool binary; /* not text */
};

/* Whether there are machines of this name. */
bool factory_has_machine(const char *name);

/* `factory` must not move. */
void factory_open(struct factory *factory, const struct factory_plan *plan);

/* The next thing a machine says at `now_ms` (milliseconds since 1970). */
void factory_speak(struct factory *factory, int64_t now_ms, struct factory_message *message);

#endif
