/* The tables of a simulated network beside `item` (records.h): one for each way in which records get their scopes.
 *
 * All that is written to them is marked (marks.h): their values are texts, and no two are alike.
 */
#pragma once

#include "records.h"

/* By the numbers that the authority gave them. */
enum sim_table { SIM_ITEM = 1, SIM_LEARNER, SIM_LESSON, SIM_MEMO, SIM_NOTICE, SIM_VISIT, SIM_TABLES };

enum { SIM_NO_FIELD = -1, SIM_KEYS_MOST = 4 };

struct sim_shape {
    const char *name;
    size_t keys; /* so many records of it are written to */
    size_t field_count;
    const char *fields[SIM_FIELDS];
    int reads_field;    /* that says who reads the record; SIM_NO_FIELD */
    bool is_home_alone; /* who may write */
};

/* By enum sim_table; that of `item` is empty. */
extern const struct sim_shape sim_shapes[SIM_TABLES];
