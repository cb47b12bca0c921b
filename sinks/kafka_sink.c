/* kafka_sink.c -- the kafka sink; see kafka.h for what it promises and kafka_inside.h for its stages. */
#include "sinks/kafka.h"

#include "base/clock.h"
#include "sinks/kafka_inside.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES   (4u << 20)
#define GRACE_NS      (3 * SLU_NS_PER_S)  /* a connection may be gone so long before it is told */
#define STALL_NS      (10 * SLU_NS_PER_S) /* without any answer */
#define REACH_IDLE_MS 100                 /* to look for a broker when nothing is under way */

/* ---- open ------------------------------------------------------------------------------------------------ */

static int make_client(struct slu_kafka *kafka, struct slu_err *err)
{
    const struct slu_kafka_events events = slu_kafka_events(kafka);
    struct slu_kafka_limits limits = kafka->limits;
    if (kafka->single_until != 0)
        limits.batch_records = 1;
    kafka->client = slu_kafka_client_new(&kafka->options, limits, &events, err);
    kafka->statistics = (struct slu_kafka_statistics){.producers = kafka->statistics.producers + 1};
    kafka->is_lost = kafka->is_troubled = kafka->trial_is_sent = false;
    kafka->failure = (struct slu_kafka_failure){0};
    kafka->trouble[0] = '\0';
    kafka->progress_ns = slu_clock_mono_ns();
    return kafka->client != NULL ? 0 : -1;
}

static void check(const struct slu_node *section, struct slu_problems *problems)
{
    struct slu_kafka_options options;
    struct slu_arena arena;
    slu_arena_init(&arena, ARENA_BYTES);
    slu_kafka_options_read(section, &arena, &options, problems);
    slu_kafka_client_check(&options, problems);
    if (options.value == SLU_KAFKA_AVRO)
        slu_typed_check(section, problems);
    slu_arena_fini(&arena);
}

/* A violation is no value of a topic's schema. */
static bool takes_messages_only(const struct slu_node *section)
{
    return strcmp(slu_node_text(slu_node_get(section, "value"), ""), "avro") == 0;
}

/* The warnings were told by check; the first error counts. */
static int read_options(struct slu_kafka *kafka, const struct slu_node *section,
                        struct slu_err *err)
{
    struct slu_problems problems;
    slu_problems_init(&problems);
    const int result = slu_kafka_options_read(section, &kafka->arena, &kafka->options, &problems);
    for (size_t i = 0; result != 0 && i < problems.n; i++) {
        if (!problems.items[i].is_warning)
            slu_err_set(err, SLU_EINVAL, "%s", problems.items[i].err.text);
    }
    if (result != 0)
        slu_err_set(err, SLU_ENOMEM, "no memory for the options of a kafka sink");
    slu_problems_fini(&problems);
    return result;
}

static void caution(const char *sink)
{
    static atomic_flag is_told = ATOMIC_FLAG_INIT;
    const char *text = slu_kafka_client_caution();
    if (text != NULL && !atomic_flag_test_and_set(&is_told))
        slu_log(SLU_LOG_WARNING, "sink %s: %s", sink, text);
}

static int open_sink(void *self, const struct slu_sink_env *env, const struct slu_node *section,
                     struct slu_err *err)
{
    struct slu_kafka *kafka = self;

    kafka->env = env;
    slu_arena_init(&kafka->arena, ARENA_BYTES);
    if (read_options(kafka, section, err) != 0)
        return -1;
    if (slu_sink_policies_read(section, &kafka->arena, &kafka->policies, err) != 0)
        return -1;
    struct slu_typed *typed = NULL;
    if (kafka->options.value == SLU_KAFKA_AVRO && (typed = slu_typed_new(section, err)) == NULL)
        return -1;
    slu_kafka_maker_init(&kafka->maker, &kafka->options, &kafka->policies, env, typed);
    if (slu_kafka_registry_open(section, typed, &kafka->ids, err) != 0)
        return -1;
    kafka->maker.ids = kafka->ids;
    if (!slu_kafka_queue_init(&kafka->queue))
        return slu_err_set(err, SLU_ENOMEM, "no memory for the queue of a kafka sink");
    if (make_client(kafka, err) != 0)
        return -1;
    caution(env->name);
    return 0;
}

/* ---- push ------------------------------------------------------------------------------------------------- */

/* Returns whether the record was taken. */
static bool send(struct slu_kafka *kafka, uint64_t seq, const struct slu_kafka_message *message)
{
    const char *text = "";
    const size_t token = slu_kafka_queue_add(&kafka->queue, seq, slu_kafka_message_memory(message),
                                             slu_kafka_message_bytes(message));
    const char *error = slu_kafka_client_send(kafka->client, message, token, &text);

    if (error == NULL)
        return true;
    if (strcmp(error, "MSG_SIZE_TOO_LARGE") == 0) {
        struct slu_sink_reject reject = {.code = "record.too_large"};
        snprintf(reject.message, sizeof(reject.message),
                 "its %zu bytes are more than the property message.max.bytes allows",
                 message->value.len);
        if (slu_kafka_queue_reject(&kafka->queue, token, &reject))
            return true;
    } else if (strcmp(error, "_QUEUE_FULL") != 0) {
        slu_kafka_queue_undo(&kafka->queue);
        slu_kafka_fail_sending(kafka, message, seq, error, text);
        return false;
    }
    slu_kafka_queue_undo(&kafka->queue);
    return false;
}

static bool push_one(struct slu_kafka *kafka, const struct slu_record *record)
{
    struct slu_kafka_message message;
    struct slu_sink_reject reject;

    if (slu_kafka_queue_add_known(&kafka->queue, record->seq))
        return true;
    const enum slu_kafka_made made =
        slu_kafka_message_make(&kafka->maker, record, &message, &reject);
    if (made == SLU_KAFKA_MADE)
        return send(kafka, record->seq, &message);
    if (made == SLU_KAFKA_NO_ID)
        snprintf(kafka->id_topic, sizeof(kafka->id_topic), "%s", message.topic);
    if (made == SLU_KAFKA_NO_MEMORY || made == SLU_KAFKA_NO_ID)
        return false;
    const size_t token = slu_kafka_queue_add(&kafka->queue, record->seq, 0, 0);
    if (slu_kafka_queue_reject(&kafka->queue, token, &reject))
        return true;
    slu_kafka_queue_undo(&kafka->queue);
    return false;
}

/* Where access was refused, one record at a time finds out whether it still is. */
static bool takes_another(const struct slu_kafka *kafka)
{
    return kafka->stage == SLU_KAFKA_RUNNING && !kafka->needs_reset &&
           slu_kafka_queue_has_room(&kafka->queue) &&
           (!kafka->reason_is_access || kafka->queue.n_pending == 0);
}

static size_t push(void *self, const struct slu_record *records, size_t n, int64_t deadline_mono_ns)
{
    struct slu_kafka *kafka = self;
    size_t taken = 0;

    (void)deadline_mono_ns;
    if (kafka->stage == SLU_KAFKA_RUNNING) {
        slu_kafka_client_poll(kafka->client, 0); /* what has failed is not to be overtaken */
        if (kafka->queue.n_pending == 0)
            kafka->progress_ns = slu_clock_mono_ns();
    }
    while (taken < n && takes_another(kafka)) {
        if (kafka->single_until != 0 && records[taken].seq > kafka->single_until) {
            kafka->single_is_over = true;
            break;
        }
        if (!push_one(kafka, &records[taken]))
            break;
        kafka->last_pushed = records[taken++].seq;
    }
    return taken;
}

/* Does a broker answer? Waits a little even when the deadline is now. */
static int reach(struct slu_kafka *kafka, int64_t deadline_ns, struct slu_err *err)
{
    struct slu_kafka_sight sight;
    const int left_ms = slu_kafka_ms_until(deadline_ns);
    return slu_kafka_client_look(kafka->client, NULL,
                                 left_ms > REACH_IDLE_MS ? left_ms : REACH_IDLE_MS, &sight, err);
}

/* ---- settle: starting ---------------------------------------------------------------------------------------- */

static enum slu_sink_answer away(const struct slu_kafka *kafka, const char *text,
                                 struct slu_err *err)
{
    slu_err_set(err, SLU_EIO, "%s", kafka->trouble[0] != '\0' ? kafka->trouble : text);
    return kafka->is_troubled && kafka->is_act ? SLU_SINK_PAUSED : SLU_SINK_AWAY;
}

/* No broker has answered the new producer. While somebody has to act, that alone is no other cause: it
 * was made to try again, and has its time to connect. */
static enum slu_sink_answer unanswered(const struct slu_kafka *kafka, const char *text,
                                       struct slu_err *err)
{
    const bool waits_for_somebody = kafka->trial != NULL || kafka->reason_is_access;
    if (!waits_for_somebody || slu_clock_mono_ns() - kafka->progress_ns >= GRACE_NS)
        return away(kafka, text, err);
    slu_err_set(err, SLU_EDENIED, "%s", kafka->reason);
    return SLU_SINK_PAUSED;
}

static enum slu_sink_answer start_step(struct slu_kafka *kafka, int64_t deadline_ns,
                                       struct slu_err *err)
{
    struct slu_err problem = {0};
    if (kafka->client == NULL && make_client(kafka, err) != 0)
        return SLU_SINK_PAUSED;
    const int result = reach(kafka, deadline_ns, &problem);
    slu_kafka_client_poll(kafka->client, 0);
    if (kafka->is_lost) {
        slu_kafka_drop_client(kafka);
        return slu_kafka_conclude(kafka, err);
    }
    if (result != 0)
        return unanswered(kafka, problem.text, err);
    kafka->is_troubled = false;
    kafka->trouble[0] = '\0';
    if (kafka->trial != NULL) {
        kafka->stage = SLU_KAFKA_TRYING;
    } else {
        kafka->stage = SLU_KAFKA_RUNNING;
        kafka->needs_reset = true;
    }
    return SLU_SINK_LIVE;
}

/* Send the record that was refused once more, and wait for its fate. */
static enum slu_sink_answer try_step(struct slu_kafka *kafka, int64_t deadline_ns,
                                     struct slu_err *err)
{
    const char *text = "";

    if (!kafka->trial_is_sent) {
        const char *error =
            slu_kafka_client_send(kafka->client, kafka->trial, SLU_KAFKA_TRIAL_TOKEN, &text);
        if (error != NULL)
            slu_kafka_fail_sending(kafka, kafka->trial, kafka->trial_seq, error, text);
        kafka->trial_is_sent = error == NULL;
        kafka->trial_ns = slu_clock_mono_ns();
    }
    do /* it does not linger for others */
        slu_kafka_client_flush(kafka->client, slu_kafka_ms_until(deadline_ns));
    while (!kafka->trial_is_safe && !kafka->is_lost && slu_clock_mono_ns() < deadline_ns);
    if (kafka->trial_is_safe) {
        slu_kafka_queue_know(&kafka->queue, kafka->trial_seq);
        slu_kafka_keep_trial(kafka, NULL, 0);
        kafka->reason_is_access = false;
        kafka->stage = SLU_KAFKA_RUNNING;
        kafka->needs_reset = true;
        return SLU_SINK_LIVE;
    }
    if (!kafka->is_lost) {
        if (slu_clock_mono_ns() - kafka->trial_ns >= STALL_NS) {
            slu_kafka_drop_client(kafka); /* the next one may know better */
            kafka->stage = SLU_KAFKA_STARTING;
        }
        slu_err_set(err, SLU_EDENIED, "%s", kafka->reason);
        return SLU_SINK_PAUSED;
    }
    slu_kafka_drop_client(kafka);
    /* Refused for what it is: it comes again with all others, and then it is set aside. */
    if (!kafka->failure.is_known || kafka->failure.fate != SLU_KAFKA_ACT)
        slu_kafka_keep_trial(kafka, NULL, 0);
    return slu_kafka_conclude(kafka, err);
}

/* ---- settle: running ------------------------------------------------------------------------------------------- */

/* Is anybody there? Asked only when there is reason to doubt it. */
static enum slu_sink_answer look_around(struct slu_kafka *kafka, int64_t deadline_ns,
                                        struct slu_err *err)
{
    const int64_t now = slu_clock_mono_ns();
    const bool is_stalled = kafka->queue.n_pending > 0 && now - kafka->progress_ns >= STALL_NS;
    struct slu_err problem = {0};

    if (!is_stalled && (!kafka->is_troubled || now - kafka->trouble_ns < GRACE_NS))
        return SLU_SINK_LIVE;
    if (reach(kafka, deadline_ns, &problem) != 0)
        return away(kafka, problem.text, err);
    kafka->is_troubled = false;
    kafka->trouble[0] = '\0';
    if (!is_stalled)
        return SLU_SINK_LIVE;
    slu_err_set(err, SLU_EIO, "the brokers answer, but have confirmed no record for %lld s%s",
                (long long)((now - kafka->progress_ns) / SLU_NS_PER_S),
                kafka->statistics.throttle_ms > 0
                    ? ": a quota holds this client back, raise it"
                    : ": too few replicas in sync, or a full disk? See the brokers' logs");
    return SLU_SINK_AWAY;
}

/* Back to whole batches: nothing is under way, so nothing is lost with the old producer. */
static void change_client(struct slu_kafka *kafka)
{
    slu_kafka_end_singles(kafka);
    slu_kafka_drop_client(kafka);
    if (make_client(kafka, NULL) == 0)
        return;
    slu_kafka_queue_lose(&kafka->queue);
    kafka->stage = SLU_KAFKA_STARTING;
}

static enum slu_sink_answer run_step(struct slu_kafka *kafka, int64_t deadline_ns,
                                     struct slu_settlement *settlement, struct slu_err *err)
{
    int wait_ms = 0;
    bool is_new = false;

    do {
        slu_kafka_client_poll(kafka->client, wait_ms);
        if (slu_kafka_queue_settle(&kafka->queue, settlement))
            is_new = true;
        wait_ms = slu_kafka_ms_until(deadline_ns);
    } while (!is_new && !kafka->is_lost && kafka->queue.n_pending > 0 && wait_ms > 0);
    if (kafka->is_lost)
        return is_new ? SLU_SINK_LIVE : slu_kafka_lose_step(kafka, deadline_ns, settlement, err);
    if (kafka->single_until != 0 && kafka->queue.n == 0 &&
        (kafka->single_is_over || kafka->last_pushed == kafka->single_until))
        change_client(kafka);
    else if (!is_new && kafka->id_topic[0] != '\0')
        return slu_kafka_registry_ask(kafka, err);
    else if (!is_new)
        return look_around(kafka, deadline_ns, err);
    return SLU_SINK_LIVE;
}

/* LIVE with nothing new goes on to the next stage while there is time. */
static enum slu_sink_answer settle(void *self, int64_t deadline_mono_ns,
                                   struct slu_settlement *settlement, struct slu_err *err)
{
    struct slu_kafka *kafka = self;
    enum slu_sink_answer answer = SLU_SINK_LIVE;

    if (kafka->stage == SLU_KAFKA_LOSING)
        answer = slu_kafka_lose_step(kafka, deadline_mono_ns, settlement, err);
    else if (kafka->stage == SLU_KAFKA_RUNNING && !kafka->needs_reset)
        return run_step(kafka, deadline_mono_ns, settlement, err);
    if (answer != SLU_SINK_LIVE || settlement->safe_seq != 0)
        return answer;
    if (kafka->stage == SLU_KAFKA_STARTING)
        answer = start_step(kafka, deadline_mono_ns, err);
    if (answer == SLU_SINK_LIVE && kafka->stage == SLU_KAFKA_TRYING)
        answer = try_step(kafka, deadline_mono_ns, err);
    if (answer == SLU_SINK_LIVE && kafka->needs_reset && kafka->stage == SLU_KAFKA_RUNNING) {
        kafka->needs_reset = false;
        return SLU_SINK_RESET;
    }
    return answer;
}

/* ---- the end ----------------------------------------------------------------------------------------------------- */

static void reset(void *self)
{
    struct slu_kafka *kafka = self;
    if (kafka->client != NULL && slu_kafka_client_waiting(kafka->client) > 0)
        slu_kafka_drop_client(
            kafka); /* what was under way may not come after what is pushed again */
    slu_kafka_queue_lose(&kafka->queue);
    slu_kafka_queue_pardon(&kafka->queue);
    slu_kafka_keep_trial(kafka, NULL, 0);
    kafka->single_until = 0;
    kafka->single_is_over = kafka->needs_reset = kafka->is_lost = false;
    kafka->failure = (struct slu_kafka_failure){0};
    kafka->stage = SLU_KAFKA_STARTING;
}

static void finish(void *self, int64_t deadline_mono_ns)
{
    const struct slu_kafka *kafka = self;
    if (kafka->client != NULL && kafka->stage == SLU_KAFKA_RUNNING)
        slu_kafka_client_flush(kafka->client, slu_kafka_ms_until(deadline_mono_ns));
}

static void close_sink(void *self)
{
    struct slu_kafka *kafka = self;
    if (kafka->env == NULL)
        return;
    slu_kafka_drop_client(kafka);
    free(kafka->trial);
    kafka->trial = NULL;
    slu_kafka_queue_fini(&kafka->queue);
    slu_kafka_maker_fini(&kafka->maker);
    slu_registry_ids_free(kafka->ids);
    slu_arena_fini(&kafka->arena);
}

static size_t numbers(const void *self, struct slu_sink_number numbers[SLU_SINK_NUMBERS_MAX])
{
    const struct slu_kafka *kafka = self;
    return slu_kafka_statistics_show(&kafka->statistics, numbers);
}

const struct slu_sink_ops slu_sink_kafka = {
    .type = "kafka",
    .self_bytes = sizeof(struct slu_kafka),
    .wants_policies = true,
    .wants_schema = true,
    .is_pipelined = true,
    .takes_messages_only = takes_messages_only,
    .check = check,
    .open = open_sink,
    .push = push,
    .settle = settle,
    .reset = reset,
    .finish = finish,
    .close = close_sink,
    .numbers = numbers,
    .probe = slu_kafka_probe,
};
