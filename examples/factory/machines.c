/* machines.c -- see machines.h for who speaks and what about.
 *
 * A message is made in two steps: a machine is drawn, and with it a mishap or none; then the machine
 * writes its payload with that mishap in it. A mishap that a machine cannot have (a mixer has no lot
 * number) becomes the nearest one that it can.
 */
#include "examples/factory/machines.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *const factory_kind_names[FACTORY_KINDS] = {
    [FACTORY_RIGHT] = "right",
    [FACTORY_NOTE] = "free text, judged by nobody",
    [FACTORY_LIMIT] = "out of limits",
    [FACTORY_WARM] = "high, but within limits",
    [FACTORY_CUT] = "JSON cut off",
    [FACTORY_MISSING] = "property missing",
    [FACTORY_WRONG_TYPE] = "text instead of a number",
    [FACTORY_WRONG_LOT] = "lot number typed by hand",
    [FACTORY_TWICE] = "same key twice",
    [FACTORY_NO_NUMBER] = "\"n/a\" instead of a number",
    [FACTORY_GARBAGE] = "heartbeat garbled",
};

static const char *const recipes[] = {"butter", "oat", "cocoa", "ginger"};
static const char *const notes[] = {"shift change, all quiet", "cleaning belt 2",
                                    "flour delivery at gate 3"};

/* xorshift64*: small, and the same everywhere. */
static uint64_t roll(struct factory *factory)
{
    uint64_t x = factory->dice;

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    factory->dice = x;
    return x * 0x2545F4914F6CDD1DULL;
}

static unsigned pick(struct factory *factory, unsigned n)
{
    return (unsigned)((roll(factory) >> 33) % n);
}

/* A value around `middle`, at most `spread` away, mostly close to it. */
static double around(struct factory *factory, double middle, double spread)
{
    double unit = (double)(roll(factory) >> 11) / 9007199254740992.0;
    double other = (double)(roll(factory) >> 11) / 9007199254740992.0;

    return middle + (unit + other - 1.0) * spread;
}

static void say(struct factory_message *message, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(struct factory_message *message, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int n = vsnprintf(message->payload, sizeof(message->payload), format, arguments);
    va_end(arguments);
    message->payload_bytes = n < 0 ? 0 : strlen(message->payload);
}

static void cut_off(struct factory_message *message)
{
    message->payload_bytes = message->payload_bytes * 2 / 3;
}

static void mixer_state(struct factory *factory, int64_t now_ms, struct factory_message *message)
{
    const char *recipe = recipes[pick(factory, sizeof(recipes) / sizeof(recipes[0]))];
    double dough = around(factory, 24.0, 3.0);
    double speed = around(factory, 42.0, 4.0);
    double torque = around(factory, 130.0, 25.0);

    switch (message->kind) {
    case FACTORY_LIMIT:
        torque += 400;
        break;
    case FACTORY_MISSING:
        say(message, "{\"ts\":%" PRId64 ",\"recipe\":\"%s\",\"speed_rpm\":%.1f}", now_ms, recipe,
            speed);
        return;
    case FACTORY_WRONG_TYPE:
        say(message,
            "{\"ts\":%" PRId64 ",\"recipe\":\"%s\",\"dough_c\":\"%d,%d\",\"speed_rpm\":%.1f,"
            "\"torque_nm\":%.1f,\"running\":true}",
            now_ms, recipe, (int)dough, (int)(dough * 10) % 10, speed, torque);
        return;
    case FACTORY_TWICE:
        say(message,
            "{\"ts\":%" PRId64 ",\"recipe\":\"%s\",\"dough_c\":%.1f,\"dough_c\":%.1f,"
            "\"speed_rpm\":%.1f,\"torque_nm\":%.1f,\"running\":true}",
            now_ms, recipe, dough, dough + 60, speed, torque);
        return;
    default:
        break;
    }
    say(message,
        "{\"ts\":%" PRId64 ",\"recipe\":\"%s\",\"dough_c\":%.1f,\"speed_rpm\":%.1f,"
        "\"torque_nm\":%.1f,\"running\":true}",
        now_ms, recipe, dough, speed, torque);
    if (message->kind == FACTORY_CUT)
        cut_off(message);
    else if (message->kind != FACTORY_LIMIT)
        message->kind = FACTORY_RIGHT;
}

static void oven_temperature(struct factory *factory, int64_t now_ms,
                             struct factory_message *message)
{
    double celsius = around(factory, 218.0, 12.0) + factory->oven_drift;

    if (message->kind == FACTORY_LIMIT)
        celsius = around(factory, 330.0, 40.0);
    else if (message->kind == FACTORY_WARM)
        celsius = around(factory, 252.0, 4.0);
    say(message, "{\"ts\":%" PRId64 ",\"zone\":%u,\"celsius\":%.2f,\"burner\":%s}", now_ms,
        1 + pick(factory, 4), celsius, celsius < 220 ? "true" : "false");
    if (message->kind == FACTORY_CUT)
        cut_off(message);
    else if (message->kind != FACTORY_LIMIT && message->kind != FACTORY_WARM)
        message->kind = FACTORY_RIGHT;
}

static void packer_pack(struct factory *factory, int64_t now_ms, struct factory_message *message)
{
    double grams = around(factory, 203.0, 5.0);
    unsigned lot = pick(factory, 10000);
    char shift = (char)('A' + pick(factory, 3));

    if (message->kind == FACTORY_WRONG_LOT) {
        say(message,
            "{\"ts\":%" PRId64 ",\"lot\":\"lot %u?\",\"gtin\":\"4006381333931\",\"grams\":%.1f}",
            now_ms, lot, grams);
        return;
    }
    say(message,
        "{\"ts\":%" PRId64 ",\"lot\":\"L26-%04u-%c\",\"gtin\":\"4006381333931\",\"grams\":%.1f}",
        now_ms, lot, shift, grams);
    if (message->kind == FACTORY_CUT)
        cut_off(message);
    else
        message->kind = FACTORY_RIGHT;
}

/* A bare number on a topic of its own, between what the scale or the probe can show. */
static void bare_number(struct factory *factory, double middle, double spread, double far_away,
                        struct factory_message *message)
{
    if (message->kind == FACTORY_NO_NUMBER) {
        say(message, "n/a");
        return;
    }
    double value = around(factory, middle, spread);
    if (message->kind == FACTORY_LIMIT)
        value += far_away;
    else
        message->kind = FACTORY_RIGHT;
    say(message, "%.1f", value);
}

static void heartbeat(struct factory_message *message)
{
    say(message, message->kind == FACTORY_GARBAGE ? "tru\x01" : "true");
    if (message->kind != FACTORY_GARBAGE)
        message->kind = FACTORY_RIGHT;
}

enum machine { MIXER, OVEN, OVEN_HUMIDITY, PACKER, PACKER_WEIGHT, HEARTBEAT, NOTE, MACHINES };

/* Where a machine speaks, and what can go wrong with what it says. */
static const struct {
    const char *machine, *what; /* factory/line1/<machine>/<number>/<what> */
    unsigned numbers;           /* machines of this kind on a line */
    enum factory_kind mishaps[5];
    unsigned n_mishaps;
} machines[MACHINES] = {
    [MIXER] = {"mixer",
               "state",
               2,
               {FACTORY_CUT, FACTORY_MISSING, FACTORY_WRONG_TYPE, FACTORY_TWICE, FACTORY_LIMIT},
               5},
    [OVEN] = {"oven", "temperature", 1, {FACTORY_LIMIT, FACTORY_WARM, FACTORY_CUT}, 3},
    [OVEN_HUMIDITY] = {"oven", "humidity", 1, {FACTORY_LIMIT, FACTORY_NO_NUMBER}, 2},
    [PACKER] = {"packer", "pack", 1, {FACTORY_WRONG_LOT, FACTORY_CUT}, 2},
    [PACKER_WEIGHT] = {"packer", "weight", 1, {FACTORY_LIMIT, FACTORY_NO_NUMBER}, 2},
    [HEARTBEAT] = {"mixer", "heartbeat", 2, {FACTORY_GARBAGE}, 1},
    [NOTE] = {"shift", "note", 1, {FACTORY_NOTE}, 1},
};

/* Of 20 messages, who sends them. */
static const enum machine turns[20] = {
    MIXER,         MIXER,         MIXER,         MIXER,     OVEN, OVEN,         OVEN,
    OVEN,          OVEN,          OVEN,          OVEN,      OVEN, PACKER,       PACKER,
    PACKER_WEIGHT, PACKER_WEIGHT, PACKER_WEIGHT, HEARTBEAT, NOTE, OVEN_HUMIDITY};

void factory_open(struct factory *factory, uint64_t seed)
{
    *factory = (struct factory){.dice = seed * 2654435761u + 88172645463325252ULL, .mishaps = 40};
    for (int i = 0; i < 8; i++)
        roll(factory);
}

void factory_speak(struct factory *factory, int64_t now_ms, struct factory_message *message)
{
    enum machine who = turns[pick(factory, 20)];
    unsigned line = 1 + pick(factory, 2);
    unsigned number = 1 + pick(factory, machines[who].numbers);

    factory->spoken++;
    factory->oven_drift = 8.0 * sin((double)factory->spoken / 400.0);
    message->kind = FACTORY_RIGHT;
    if (pick(factory, 1000) < factory->mishaps)
        message->kind = machines[who].mishaps[pick(factory, machines[who].n_mishaps)];
    snprintf(message->topic, sizeof(message->topic), "factory/line%u/%s/%u/%s", line,
             machines[who].machine, number, machines[who].what);

    switch (who) {
    case MIXER:
        mixer_state(factory, now_ms, message);
        break;
    case OVEN:
        oven_temperature(factory, now_ms, message);
        break;
    case OVEN_HUMIDITY:
        bare_number(factory, 41.0, 6.0, 70.0, message);
        break;
    case PACKER:
        packer_pack(factory, now_ms, message);
        break;
    case PACKER_WEIGHT:
        bare_number(factory, 203.0, 5.0, -60.0, message);
        break;
    case HEARTBEAT:
        heartbeat(message);
        break;
    default:
        message->kind = FACTORY_NOTE;
        say(message, "%s", notes[pick(factory, sizeof(notes) / sizeof(notes[0]))]);
        break;
    }
}
