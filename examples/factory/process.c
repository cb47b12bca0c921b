/* process.c -- see process.h for what moves and how far. */
#include "examples/factory/process.h"

#include <stddef.h>
#include <stdio.h>

#define BATCH_READINGS 150u

/* xorshift64*: small, and the same everywhere. */
static uint64_t next(struct factory_dice *dice)
{
    uint64_t x = dice->state;

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    dice->state = x;
    return x * 0x2545F4914F6CDD1DULL;
}

void factory_dice_open(struct factory_dice *dice, uint64_t seed)
{
    dice->state = seed * 2654435761u + 88172645463325252ULL;
    if (dice->state == 0)
        dice->state = 1;
    for (int i = 0; i < 8; i++)
        next(dice);
}

unsigned factory_roll(struct factory_dice *dice, unsigned n)
{
    return (unsigned)((next(dice) >> 33) % n);
}

double factory_around(struct factory_dice *dice, double middle, double spread)
{
    double unit = (double)(next(dice) >> 11) / 9007199254740992.0;
    double other = (double)(next(dice) >> 11) / 9007199254740992.0;

    return middle + (unit + other - 1.0) * spread;
}

void factory_line_open(struct factory_line *line, struct factory_dice *dice)
{
    *line = (struct factory_line){.dice = dice, .humidity = 41, .cooler_c = 38};
    for (unsigned zone = 0; zone < FACTORY_ZONES; zone++)
        line->zone_c[zone] = factory_around(dice, 218, 6);
    for (unsigned mixer = 0; mixer < FACTORY_MIXERS; mixer++) {
        line->batch[mixer] = factory_roll(dice, BATCH_READINGS);
        line->recipe[mixer] = factory_roll(dice, 4);
    }
    line->lot = factory_roll(dice, 10000);
}

/* Two-point control: on below 214, off above 222; the steel answers late. A stuck burner heats to 340. */
double factory_oven_zone(struct factory_line *line, unsigned zone)
{
    double *celsius = &line->zone_c[zone];

    if (*celsius < 214)
        line->burner[zone] = true;
    if (*celsius > 222)
        line->burner[zone] = false;
    if (line->burner_stuck)
        *celsius += (345 - *celsius) * 0.06;
    else if (*celsius > 230)
        *celsius += (216 - *celsius) * 0.15; /* the flaps open */
    else
        *celsius += line->burner[zone] ? 0.9 : -0.7;
    return factory_around(line->dice, *celsius, 1.2);
}

double factory_oven_humidity(struct factory_line *line)
{
    line->humidity += factory_around(line->dice, (41 - line->humidity) * 0.05, 0.8);
    return factory_around(line->dice, line->humidity, 0.5);
}

double factory_cooler(struct factory_line *line)
{
    double oven = line->zone_c[FACTORY_ZONES - 1];

    line->cooler_c += (38 + (oven - 218) * 0.1 - line->cooler_c) * 0.1;
    return factory_around(line->dice, line->cooler_c, 0.6);
}

double factory_pack_grams(struct factory_line *line)
{
    line->scale_drift += factory_around(line->dice, 0, 0.1);
    if (line->scale_drift > 2 || line->scale_drift < -2)
        line->scale_drift = 0; /* somebody put the weight on it */
    return factory_around(line->dice, 203 + line->scale_drift, 2.5);
}

static enum factory_verdict verdict_of(int32_t centigrams)
{
    if (centigrams < 20050)
        return FACTORY_LIGHT;
    return centigrams > 20550 ? FACTORY_HEAVY : FACTORY_GOOD;
}

struct factory_weighing factory_checkweigher(struct factory_line *line)
{
    struct factory_weighing weighing = {
        .centigrams = (int32_t)(factory_pack_grams(line) * 100),
        .belt_mm_s = (int32_t)factory_around(line->dice, 600, 8),
        .metal = (float)factory_around(line->dice, 0.4, 0.3),
    };

    weighing.verdict = verdict_of(weighing.centigrams);
    snprintf(weighing.lot, sizeof(weighing.lot), "L26-%04u-%c", line->lot,
             (char)('A' + line->lot % 3));
    return weighing;
}

struct factory_dough factory_mixer(struct factory_line *line, unsigned mixer)
{
    static const struct {
        const char *name;
        double speed_rpm, stiffness_nm;
    } recipes[] = {{"butter", 42, 60}, {"oat", 36, 90}, {"cocoa", 40, 70}, {"ginger", 44, 65}};

    if (++line->batch[mixer] > BATCH_READINGS) {
        line->batch[mixer] = 0;
        line->recipe[mixer] = factory_roll(line->dice, 4);
    }
    double done = (double)line->batch[mixer] / BATCH_READINGS;
    unsigned recipe = line->recipe[mixer];
    return (struct factory_dough){
        .recipe = recipes[recipe].name,
        .celsius = factory_around(line->dice, 21 + 6 * done, 0.5),
        .speed_rpm = factory_around(line->dice, recipes[recipe].speed_rpm, 1.5),
        .torque_nm = factory_around(line->dice, 90 + recipes[recipe].stiffness_nm * done, 6),
    };
}
