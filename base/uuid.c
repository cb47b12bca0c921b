/* uuid.c -- see uuid.h for the two kinds.
 *
 * Threads: each has its own generator, seeded with 256 bits from the system at its first UUID. A
 * process that forks without exec would repeat its parent's; Sluice does not fork.
 */
#include "base/uuid.h"

#include "base/random.h"

#include <stdbool.h>
#include <string.h>

static void put_version(struct slu_uuid *uuid, unsigned version)
{
    uuid->bytes[6] = (uint8_t)((uuid->bytes[6] & 0x0Fu) | version << 4);
    uuid->bytes[8] = (uint8_t)((uuid->bytes[8] & 0x3Fu) | 0x80u);
}

struct slu_uuid slu_uuid_random(void)
{
    static _Thread_local struct slu_random random;
    static _Thread_local bool seeded;

    if (!seeded) {
        slu_random_fill(random.state, sizeof(random.state));
        seeded = true;
    }
    const uint64_t halves[2] = {slu_random_next(&random), slu_random_next(&random)};
    struct slu_uuid uuid;
    memcpy(uuid.bytes, halves, sizeof(uuid.bytes));
    put_version(&uuid, 4);
    return uuid;
}

struct slu_uuid slu_uuid_of_record(const uint8_t spool_id[16], uint64_t seq)
{
    struct slu_uuid uuid;
    memcpy(uuid.bytes, spool_id, 8);
    for (unsigned i = 0; i < 8; i++)
        uuid.bytes[8 + i] = (uint8_t)(seq >> (56 - 8 * i));
    put_version(&uuid, 8);
    return uuid;
}

const char *slu_uuid_format(struct slu_uuid uuid, char out[SLU_UUID_TEXT_SIZE])
{
    static const char hex[] = "0123456789abcdef";
    char *at = out;

    for (unsigned i = 0; i < sizeof(uuid.bytes); i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        *at++ = hex[uuid.bytes[i] >> 4];
        *at++ = hex[uuid.bytes[i] & 0x0F];
    }
    *at = '\0';
    return out;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool slu_uuid_parse(const char *text, size_t len, struct slu_uuid *uuid)
{
    if (len != SLU_UUID_TEXT_SIZE - 1)
        return false;
    for (unsigned i = 0; i < sizeof(uuid->bytes); i++) {
        if ((i == 4 || i == 6 || i == 8 || i == 10) && *text++ != '-')
            return false;
        const int high = hex_digit(text[0]), low = hex_digit(text[1]);
        if (high < 0 || low < 0)
            return false;
        uuid->bytes[i] = (uint8_t)(high << 4 | low);
        text += 2;
    }
    return true;
}
