/* The records of a simulated network, as SQL sees them: a table with a field for each rule, and one that comes later.
 *
 * A value is looked at as a code: two values have one code where storage class and bits are the same.
 */
#pragma once

#include <sqlite3.h>

#include "core/rule.h"
#include "core/value.h"

enum { SIM_RECORDS = 6, SIM_FIELDS = 5 };
enum { SIM_FIELD_QUIET = 3, SIM_FIELD_LATE = 4 }; /* the one that asks nobody; the one that is published later */
enum { SIM_FIELD_RECORD = -1 };                   /* in the place of a field: the record as a whole */

extern const char *const sim_record_keys[SIM_RECORDS];
extern const char *const sim_field_names[SIM_FIELDS];
extern const enum nv_rule sim_field_rules[SIM_FIELDS];

/* What publishes the late field. */
extern const char sim_late_schema[];

/* The place of a record or field; -1 where there is none. */
int sim_record_named(const char *key, size_t size);
int sim_field_named(const char *name);

/* Never 0: that is no value at all. */
uint64_t sim_code_of(const struct nv_value *value);

struct sim_row {
    bool is_there;
    uint64_t codes[SIM_FIELDS]; /* 0 in all fields where it is not there; in the late one while it is not published */
};

/* SQLite's result code. */
int sim_rows_read(sqlite3 *db, struct sim_row ret_rows[SIM_RECORDS]);
