/* weighing.c -- see weighing.h for the bytes. */
#include "examples/factory/weighing.h"

#include <string.h>

/* CRC-64-AVRO of the schema's canonical form. */
#define FINGERPRINT 0x645B0E228C904712ULL

struct pen {
    uint8_t *to;
    size_t n;
};

static void write_bytes(struct pen *pen, const void *bytes, size_t n)
{
    memcpy(pen->to + pen->n, bytes, n);
    pen->n += n;
}

/* Zigzag, then seven bits a byte, the lowest first. */
static void write_long(struct pen *pen, int64_t value)
{
    uint64_t rest = ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0);

    for (; rest > 0x7F; rest >>= 7)
        pen->to[pen->n++] = (uint8_t)(rest | 0x80);
    pen->to[pen->n++] = (uint8_t)rest;
}

/* The fewest bytes that hold it with its sign. */
static void write_decimal(struct pen *pen, int32_t unscaled)
{
    size_t n = 1;

    while (n < 4 && (unscaled < -(1 << (8 * n - 1)) || unscaled >= 1 << (8 * n - 1)))
        n++;
    write_long(pen, (int64_t)n);
    while (n-- > 0)
        pen->to[pen->n++] = (uint8_t)((uint32_t)unscaled >> (8 * n));
}

static void write_float(struct pen *pen, float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof(bits));
    for (unsigned i = 0; i < 4; i++)
        pen->to[pen->n++] = (uint8_t)(bits >> (8 * i));
}

static void write_head(struct pen *pen, const struct factory_head *head)
{
    if (head->schema_id >= 0) {
        uint32_t id = (uint32_t)head->schema_id ^ (head->unknown ? 0x40000000U : 0);
        pen->to[pen->n++] = 0x00;
        for (unsigned i = 4; i-- > 0;)
            pen->to[pen->n++] = (uint8_t)(id >> (8 * i));
        return;
    }
    uint64_t fingerprint = head->unknown ? ~FINGERPRINT : FINGERPRINT;
    write_bytes(pen, "\xC3\x01", 2);
    for (unsigned i = 0; i < 8; i++)
        pen->to[pen->n++] = (uint8_t)(fingerprint >> (8 * i));
}

size_t factory_weighing_write(const struct factory_weighing *weighing,
                              const struct factory_head *head, uint8_t to[FACTORY_WEIGHING_MAX])
{
    struct pen pen = {to, 0};
    size_t lot_bytes = strnlen(weighing->lot, sizeof(weighing->lot) - 1);

    write_head(&pen, head);
    write_long(&pen, weighing->at_ms);
    write_long(&pen, (int64_t)lot_bytes);
    write_bytes(&pen, weighing->lot, lot_bytes);
    write_decimal(&pen, weighing->centigrams);
    write_long(&pen, weighing->verdict);
    write_long(&pen, weighing->belt_mm_s);
    write_long(&pen, weighing->has_metal);
    if (weighing->has_metal)
        write_float(&pen, weighing->metal);
    return pen.n;
}
