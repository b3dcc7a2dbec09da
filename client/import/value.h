/* One cell of a file becomes a value of its column. */
#pragma once

#include "base/arena.h"
#include "client/import/problems.h"

struct nv_reading {
    enum nv_problem problem;
    struct nv_value value; /* NULL where the cell is empty, or its text where there is a problem */
    bool has_zeros_back;   /* zeros that a spreadsheet had dropped were put before it */
    bool has_wrong_key;    /* a SIRET or SIREN that is none by its own check: a mistyped digit, as a rule */
};

/* `cell` is without blanks around it and stays where it is as long as the reading. `is_stored_form`: money is in cents,
 * as it is stored. False where memory ran out. */
bool nv_value_read(const struct nv_sheet_column *column, struct nv_slice cell, bool is_stored_form,
                   struct nv_arena *arena, struct nv_reading *ret_reading);
