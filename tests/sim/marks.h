/* Marks in all that is not for everybody: each value that people write, and each key, is a text of its own, so that a
 * search by bytes tells whose it is and who may have it.
 *
 * What people meant is kept with it: the scopes that a record's writer named or stood in when it wrote, and those to
 * which somebody who read it asked to move it since. That is more than one scope now and then, and never one that
 * nobody meant.
 */
#pragma once

#include <stdio.h>

#include "rights.h"
#include "shapes.h"

enum { SIM_MARK_TEXT = 16, SIM_MARKS = 4096, SIM_MARK_MOVES = 512 };

struct sim_mark {
    enum sim_table table;
    size_t key;
    int field;
    size_t place; /* who wrote it */
    sim_scopes meant;
    uint64_t position; /* of the authority log, as its writer knew it */
    bool is_committed; /* and nobody doubts it */
    bool is_over;      /* the same site wrote over it, maybe before it was sealed */
    bool is_sealed;    /* it turned up in an op */
};

struct sim_mark_move {
    enum sim_table table;
    size_t key, place, to;
};

struct sim_marks {
    struct sim_mark marks[SIM_MARKS];
    unsigned count; /* mark 0 is none */
    struct sim_mark_move moves[SIM_MARK_MOVES];
    size_t move_count;
};

/* How a value and a key look. */
void sim_mark_text(unsigned mark, char ret_text[SIM_MARK_TEXT]);
void sim_mark_key_text(enum sim_table table, size_t key, char ret_text[SIM_MARK_TEXT]);

/* The number of the new mark; 0 where there are too many. */
unsigned sim_marks_add(struct sim_marks *marks, const struct sim_mark *mark);
void sim_marks_add_move(struct sim_marks *marks, const struct sim_mark_move *move);

/* The next mark in the bytes from *at on, which moves behind it: a value's number in ret_mark, or 0 and whose key it
 * is. False where there is none. */
bool sim_marks_next(struct nv_slice bytes, size_t *at, unsigned *ret_mark, enum sim_table *ret_table, size_t *ret_key);

/* The scopes that it may stand in by now. */
sim_scopes sim_marks_meant(const struct sim_marks *marks, const struct sim_rights *rights, unsigned mark);

/* Whether somebody at that place may have it: its writer; who reads, or will read, a scope that it was meant for since
 * it was written. */
bool sim_marks_may_have(const struct sim_marks *marks, const struct sim_rights *rights, unsigned mark, size_t place);
bool sim_marks_may_have_key(const struct sim_marks *marks, const struct sim_rights *rights, enum sim_table table,
                            size_t key, size_t place);
