/* second_opinion.c -- the only file that knows Avro C. It reads schemas that our own compiler found
 * good, and nothing that came over a network: its reader of messages dereferences what a hostile byte
 * says. Its error text is one for the whole process, hence the rule in schema.h about threads.
 */
#include "validation/avro/compile.h"

#include <avro.h>
#include <stdio.h>

bool slu_avro_second_opinion(struct slu_slice text, char *why, size_t why_size)
{
    avro_schema_t schema = NULL;

    avro_set_error("%s", "");
    if (avro_schema_from_json_length(text.data, text.len, &schema) == 0) {
        avro_schema_decref(schema);
        return true;
    }
    (void)snprintf(why, why_size, "%s", avro_strerror());
    avro_set_error("%s", "");
    return false;
}
