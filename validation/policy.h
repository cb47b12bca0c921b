/* policy.h -- the policies of one configuration, compiled: an immutable snapshot.
 *
 *   struct slu_policy_options × n ──slu_snapshot_compile──▶ struct slu_snapshot
 *                                                             ├ matcher: topic → policies
 *                                                             ├ schemas
 *                                                             └ policies, in file order
 *
 * A snapshot is made beside the one in use (a loader's thread may do it), put in place by the gate,
 * and freed by the gate when nothing looks at it any more. It is never changed in between.
 */
#ifndef SLU_VALIDATION_POLICY_H
#define SLU_VALIDATION_POLICY_H

#include "base/node.h"
#include "base/problems.h"
#include "base/template.h"
#include "validation/avro/read.h"
#include "validation/json_schema/schema.h"
#include "validation/limits.h"
#include "validation/matcher.h"
#include "validation/payload/payload.h"
#include "validation/timestamp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum slu_mode {
    SLU_MODE_ENFORCE, /* a violation acts */
    SLU_MODE_MONITOR, /* a violation is told and counted; the message goes on with quality 64 */
    SLU_MODE_OFF,     /* as if the policy were not there */
};

enum slu_action {
    SLU_ACTION_REROUTE,    /* moved to the reroute topic */
    SLU_ACTION_DROP,       /* taken away; MQTT v5 publishers see 0x87 */
    SLU_ACTION_DISCONNECT, /* taken away and the connection closed; for a bridge: dropped */
    SLU_ACTION_PASS,       /* goes to the subscribers all the same, not to the policy's sinks */
};

/* The names of the configuration, the alert record and the command line. */
extern const char *const slu_mode_names[3];
extern const char *const slu_action_names[4];

#define SLU_QUALITY_GOOD      192
#define SLU_QUALITY_UNCERTAIN 64
#define SLU_QUALITY_BAD       0

/* Several schemas on one topic: all must hold, or any. */
struct slu_schema_choice {
    bool any; /* else all */
    size_t n; /* 0: no schema */
    const struct slu_schema *const *schemas;
};

struct slu_policy {
    const char *id;
    uint32_t index; /* in the snapshot */
    enum slu_mode mode;
    const enum slu_format *formats; /* first that reads wins */
    size_t n_formats;
    uint32_t reading;                      /* of the snapshot, when avro is among the formats */
    struct slu_schema_choice schema;       /* JSON Schemas only */
    const struct slu_limits *limits;       /* NULL: none */
    const struct slu_timestamp *timestamp; /* NULL: event time is arrival */
    uint64_t sinks;                        /* bits of `to` */

    enum slu_action action;
    bool payload_original;              /* reroute: payload stays, reasons as user properties */
    const struct slu_template *reroute; /* NULL unless action is reroute */
    const struct slu_template *publish; /* an alert besides; NULL: none */
    uint64_t violation_sinks;           /* bits of on_violation.to */
};

struct slu_snapshot {
    uint64_t generation; /* 1 for the first, then counting up; set by the gate */
    const char *instance;
    size_t max_payload;
    const struct slu_matcher *matcher;
    const struct slu_policy *policies;
    size_t n_policies;
    struct slu_schema **schemas; /* owned */
    size_t n_schemas;
    struct slu_avro_schema **avro_schemas; /* owned */
    size_t n_avro_schemas;
    const struct slu_avro_choice *readings; /* the ways Avro is read here; policies share them */
    size_t n_readings;
    struct slu_arena arena; /* owns everything else */
};

/* One schema to compile. */
struct slu_schema_source {
    struct slu_slice id;   /* "oven" */
    long long version;     /* 1 */
    bool is_avro;          /* else JSON Schema */
    int64_t registry_id;   /* avro: its id in a registry; -1: none */
    struct slu_slice text; /* the document */
    const char *file;      /* its name, for messages */
    const struct slu_node *place;
    const char *pointer; /* of `place`: "/schemas/0"; NULL: made from the place in the array */
    bool broken;         /* its errors were told already: it counts as known, nothing more */
    enum slu_schema_draft default_draft; /* of a document without $schema; 0: 2020-12 */
    enum slu_schema_formats formats;
};

/* One policy as the configuration says it; slices and nodes are borrowed during compile. */
struct slu_policy_options {
    const struct slu_node *place; /* the policy's map: places for every problem below it */
    const char *pointer; /* of `place`: "/policies/3"; NULL: made from the place in the array */
    struct slu_slice id;
    enum slu_mode mode;
    const struct slu_slice *topics;
    size_t n_topics;
    const struct slu_slice *excludes;
    size_t n_excludes;
    const enum slu_format *formats;
    size_t n_formats;
    enum slu_avro_framing framing;
    const struct slu_slice *schemas; /* "oven:1" */
    size_t n_schemas;
    bool any_schema;
    const struct slu_limit *limits;
    size_t n_limits;
    bool has_timestamp;
    struct slu_slice timestamp_field; /* JSON Pointer */
    enum slu_time_unit timestamp_unit;
    uint64_t sinks;
    enum slu_action action;
    bool payload_original;
    struct slu_slice reroute; /* empty: "sluice/violations/${policy}/${topic}" */
    struct slu_slice publish; /* empty: none */
    uint64_t violation_sinks;
    bool allow_alert_topics; /* do not refuse topics that overlap reroute or publish topics */
};

struct slu_snapshot_options {
    struct slu_slice instance;
    size_t max_payload;
    const struct slu_schema_source *schemas;
    size_t n_schemas;
    const struct slu_library *library; /* what the schemas may refer to; NULL: nothing else */
    const struct slu_policy_options *policies;
    size_t n_policies;
};

/* Compile. Everything that is wrong goes to `problems` (places from the nodes: the pointer
 * "/policies/3/topics/0" is found below options->policies[i].place as "topics/0"); with an error the
 * result is NULL. Warns of overlapping filters with different formats, of reroute or drop without
 * any `to`. Refuses a policy whose filter, less its excludes, overlaps a reroute or publish topic of
 * any policy. */
struct slu_snapshot *slu_snapshot_compile(const struct slu_snapshot_options *options,
                                          struct slu_problems *problems);
void slu_snapshot_free(struct slu_snapshot *snapshot);

#endif
