/* The simulation's own record of every write that a program's commit was answered with success: what it wrote, over
 * what, and when by its machine's clock. At the end it is held against everything that was signed and what it means:
 *
 *   lost      a write that is in no op, and that its own site did not overwrite before it was sealed; or an op that no
 *             sibling holds any more, though nobody who had seen its value wrote over it
 *   invented  an op that nobody wrote
 *   time      an op with another capture time than its write
 */
#pragma once

#include "history.h"

enum { SIM_LISTED = 64 }; /* values of one conflict */

struct sim_entry {
    size_t transaction;
    size_t site;
    int record, field;    /* SIM_FIELD_RECORD: the end of the record */
    uint64_t base, value; /* of the field before and after; 0: the record was not there, or is no more */
    int64_t time_ms;
    bool is_stale;               /* written from a form that showed something older: what stood there was not seen */
    bool is_optional;            /* nothing that a person means: a row that is put back as it was */
    bool has_no_time;            /* nobody noted when: a table was rebuilt */
    uint64_t listed[SIM_LISTED]; /* what an answer to a conflict was shown */
    size_t listed_count;
    bool is_matched;
};

struct sim_touch { /* any statement on a record, whether it changed something or not */
    size_t transaction;
    size_t site;
    int record;
    int64_t time_ms;
};

/* What one transaction did. */
struct sim_write {
    size_t site;
    int64_t time_ms;
    unsigned touched; /* records, bit by bit */
    struct sim_row before[SIM_RECORDS], after[SIM_RECORDS];
    bool is_stale, is_optional, has_no_time;
    struct sim_row form; /* is_stale: what it showed, of the one record that was touched */
    int left_out;        /* a record that a tool left out of a table that it made anew: nobody's delete; -1: none */
    int answer_record, answer_field; /* of an answer; answer_record -1: none */
    uint64_t listed[SIM_FIELDS][SIM_LISTED];
    size_t listed_count[SIM_FIELDS];
};

struct sim_ledger {
    struct sim_entry *entries;
    size_t entry_count, entry_capacity;
    struct sim_touch *touches;
    size_t touch_count, touch_capacity;
    size_t transactions;
    uint64_t writes;
};

void sim_ledger_done(struct sim_ledger *ledger);
void sim_ledger_note(struct sim_ledger *ledger, const struct sim_write *write);

/* What the ledger is held against. */
struct sim_ledger_judges {
    const struct sim_history *history;
    const struct sim_cut *cut;      /* what counts in the end */
    const struct nv_site_id *sites; /* of each place */
    const bool *was_taken;          /* each place: what it wrote may be in no op, or in none that counts */
    size_t site_count;
};

/* Fails where something was lost, invented, or given another time. */
void sim_ledger_check(struct sim_ledger *ledger, const struct sim_ledger_judges *judges);
