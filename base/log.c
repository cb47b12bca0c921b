/* log.c -- see log.h for who may log and what a line may hold.
 *
 *   owner's thread ───────────────────────────────► outlet
 *   other threads ──► lines[256], first in first out ──(slu_log_drain, owner)──► outlet
 *
 * Threads: `lock` guards the queue and is held for one copy of at most 900 bytes, never while the
 * outlet runs. `waiting` repeats the queue's length outside the lock, so that an idle drain is one
 * read. The line at the front belongs to the owner until it is taken off: others only write behind
 * the last. The owner is known by the address of a variable of its thread.
 *
 * An outlet that logs would call itself; such a line waits in the queue for the next drain.
 */
#include "base/log.h"

#include "base/clock.h"
#include "base/utf8.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define LINE_BYTES  900u
#define QUEUE_LINES 256u
#define RAW_SIZE    1024u /* more than a line: what is cut in it never reaches the line's end */

struct line {
    enum slu_log_level level;
    char text[LINE_BYTES + 1];
};

static struct {
    _Atomic(const void *) owner; /* &in_outlet of the owner's thread; NULL: closed */
    slu_log_outlet *outlet;      /* owner only */
    atomic_uint waiting;         /* n_lines, for a look from outside the lock */
    pthread_mutex_t lock;        /* guards what follows */
    unsigned first, n_lines;
    uint64_t n_dropped; /* only while the queue is or just was full */
    struct line lines[QUEUE_LINES];
} queue = {.lock = PTHREAD_MUTEX_INITIALIZER};

static _Thread_local bool in_outlet;

static bool is_owner(void)
{
    return atomic_load_explicit(&queue.owner, memory_order_relaxed) == &in_outlet;
}

static bool is_open(void)
{
    return atomic_load_explicit(&queue.owner, memory_order_relaxed) != NULL;
}

/* Change the owner and forget all lines. Under the lock, so that no line of before comes after. */
static void set_owner(const void *owner)
{
    pthread_mutex_lock(&queue.lock);
    atomic_store_explicit(&queue.owner, owner, memory_order_relaxed);
    atomic_store_explicit(&queue.waiting, 0, memory_order_relaxed);
    queue.first = 0;
    queue.n_lines = 0;
    queue.n_dropped = 0;
    pthread_mutex_unlock(&queue.lock);
}

void slu_log_open(slu_log_outlet *outlet)
{
    set_owner(NULL);
    queue.outlet = outlet;
    if (outlet != NULL)
        set_owner(&in_outlet);
}

void slu_log_close(void)
{
    slu_log_drain();
    set_owner(NULL);
}

/* C0, DEL, C1 (U+0080 to U+009F) and the two separators U+2028 and U+2029: whatever a viewer may
 * take for a new line or for an order to the terminal. `bytes` holds a whole code point. */
static bool is_control(const char *bytes, size_t n)
{
    const unsigned char *at = (const unsigned char *)bytes;

    if (n == 1)
        return at[0] < 0x20 || at[0] == 0x7F;
    if (n == 2)
        return at[0] == 0xC2 && at[1] < 0xA0;
    return n == 3 && at[0] == 0xE2 && at[1] == 0x80 && (at[2] == 0xA8 || at[2] == 0xA9);
}

/* Make `raw` harmless in at most `max` bytes of `out`, ending between characters. Returns how many
 * bytes it took; terminates. */
static size_t sanitise(const char *raw, char *out, size_t max)
{
    static const char hex[] = "0123456789ABCDEF";
    const size_t n = strlen(raw);
    size_t used = 0;

    for (size_t at = 0; at < n;) {
        const size_t step = slu_utf8_step(raw + at, n - at);
        const bool plain = step > 0 && !is_control(raw + at, step);
        if (used + (plain ? step : 4) > max)
            break;
        if (plain) {
            memcpy(out + used, raw + at, step);
            used += step;
            at += step;
            continue;
        }
        const unsigned char byte = (unsigned char)raw[at++];
        memcpy(out + used, (const char[]){'\\', 'x', hex[byte >> 4], hex[byte & 15]}, 4);
        used += 4;
    }
    out[used] = '\0';
    return used;
}

static void write_out(enum slu_log_level level, const char *line)
{
    in_outlet = true;
    queue.outlet(level, line);
    in_outlet = false;
}

static void enqueue(enum slu_log_level level, const char *text, size_t len)
{
    pthread_mutex_lock(&queue.lock);
    if (!is_open()) {
        /* Closed since we looked. */
    } else if (queue.n_lines == QUEUE_LINES) {
        queue.n_dropped++;
    } else {
        struct line *line = &queue.lines[(queue.first + queue.n_lines) % QUEUE_LINES];
        line->level = level;
        memcpy(line->text, text, len + 1);
        queue.n_lines++;
        atomic_store_explicit(&queue.waiting, queue.n_lines, memory_order_relaxed);
    }
    pthread_mutex_unlock(&queue.lock);
}

/* Format, make harmless, add our own `suffix` and send the line its way. */
static void log_line(enum slu_log_level level, const char *suffix, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

static void log_line(enum slu_log_level level, const char *suffix, const char *format, va_list args)
{
    char raw[RAW_SIZE];
    if (vsnprintf(raw, sizeof(raw), format, args) < 0)
        snprintf(raw, sizeof(raw), "%s", format);

    char text[LINE_BYTES + 1];
    const size_t suffix_len = strlen(suffix);
    const size_t len = sanitise(raw, text, LINE_BYTES - suffix_len);
    memcpy(text + len, suffix, suffix_len + 1);

    if (is_owner() && !in_outlet)
        write_out(level, text);
    else
        enqueue(level, text, len + suffix_len);
}

void slu_log(enum slu_log_level level, const char *format, ...)
{
    if (!is_open())
        return;

    va_list args;
    va_start(args, format);
    log_line(level, "", format, args);
    va_end(args);
}

static void take_off_first(void)
{
    pthread_mutex_lock(&queue.lock);
    if (queue.n_lines > 0) { /* none when the outlet closed the log */
        queue.first = (queue.first + 1) % QUEUE_LINES;
        queue.n_lines--;
        atomic_store_explicit(&queue.waiting, queue.n_lines, memory_order_relaxed);
    }
    pthread_mutex_unlock(&queue.lock);
}

static void tell_dropped(void)
{
    pthread_mutex_lock(&queue.lock);
    const uint64_t n_dropped = queue.n_dropped;
    queue.n_dropped = 0;
    pthread_mutex_unlock(&queue.lock);
    if (n_dropped == 0)
        return;

    char text[LINE_BYTES + 1];
    snprintf(text, sizeof(text),
             "log: %llu more line%s of other threads dropped, the queue was full",
             (unsigned long long)n_dropped, n_dropped == 1 ? "" : "s");
    write_out(SLU_LOG_WARNING, text);
}

void slu_log_drain(void)
{
    if (atomic_load_explicit(&queue.waiting, memory_order_relaxed) == 0)
        return;
    if (!is_owner() || in_outlet)
        return;

    pthread_mutex_lock(&queue.lock);
    const unsigned n_lines = queue.n_lines;
    const unsigned first = queue.first;
    pthread_mutex_unlock(&queue.lock);

    /* Only what waits now: threads that log without end must not hold the owner here. */
    for (unsigned i = 0; i < n_lines && is_owner(); i++) {
        const struct line *line = &queue.lines[(first + i) % QUEUE_LINES];
        write_out(line->level, line->text);
        take_off_first();
    }
    if (is_owner())
        tell_dropped();
}

/* The suffix that tells how many lines were held back; "" for none. */
static void held_back_text(uint64_t held_back, char *out, size_t size)
{
    out[0] = '\0';
    if (held_back > 0)
        snprintf(out, size, " (%llu more like this)", (unsigned long long)held_back);
}

void slu_log_sometimes(struct slu_log_rate *rate, int64_t interval_ns, enum slu_log_level level,
                       const char *format, ...)
{
    if (!is_open())
        return;
    const int64_t now_ns = slu_clock_mono_ns();
    if (now_ns < rate->next_mono_ns) {
        rate->held_back++;
        return;
    }

    char suffix[64];
    held_back_text(rate->held_back, suffix, sizeof(suffix));
    rate->held_back = 0;
    if (__builtin_add_overflow(now_ns, interval_ns, &rate->next_mono_ns))
        rate->next_mono_ns = INT64_MAX;

    va_list args;
    va_start(args, format);
    log_line(level, suffix, format, args);
    va_end(args);
}
