/* shape.h -- what no payload may be, however well-formed: nested too deep, or with a key twice.
 *
 * Inside this room only. One pass over the cells, linear whatever the keys are (n log n when
 * somebody chose them to collide).
 *
 * Threads: a shape checker belongs to one thread.
 */
#ifndef SLU_VALIDATION_PAYLOAD_SHAPE_H
#define SLU_VALIDATION_PAYLOAD_SHAPE_H

#include "validation/payload/payload.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Deepest nesting that can be asked for. */
#define SLU_SHAPE_MAX_DEPTH 1024

struct slu_shape {
    uint64_t *slots; /* keys seen, see shape.c; owned */
    size_t n_slots;  /* a power of two */
    uint64_t stamp;  /* slots below it are empty */
    struct {
        const struct slu_value *object;
        uint64_t base; /* stamps from here on are of this object */
        unsigned bits; /* of a slot's index */
        bool rationed; /* `ration` was set */
        size_t ration; /* steps that colliding keys may still take */
    } now;             /* the object under inspection */
    const struct slu_value *ends[SLU_SHAPE_MAX_DEPTH]; /* of the containers around a cell */
};

/* False: no memory. */
bool slu_shape_init(struct slu_shape *shape);
void slu_shape_fini(struct slu_shape *shape);

/* OK, DEPTH (`*culprit` is the container that is too deep), DUPLICATE_KEY (the later of the two
 * keys), or TOO_LARGE (no memory to compare so many keys; the object). Eight bytes must be readable
 * from where the text of any key begins, however short it is: slu_json_read() sees to it. */
enum slu_payload_fault slu_shape_check(struct slu_shape *shape, const struct slu_value *root,
                                       size_t max_depth, const struct slu_value **culprit);

/* The same, but whether the keys of `root` itself differ is left open: slu_shape_check_keys(), for an
 * object whose depth is in order, says that. */
enum slu_payload_fault slu_shape_check_below(struct slu_shape *shape, const struct slu_value *root,
                                             size_t max_depth, const struct slu_value **culprit);
enum slu_payload_fault slu_shape_check_keys(struct slu_shape *shape, const struct slu_value *object,
                                            const struct slu_value **culprit);

#endif
