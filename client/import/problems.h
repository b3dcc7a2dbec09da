/* What can be wrong in a file that is imported: the words that programs know it by, and the sentences for people. A
 * sentence says what is wrong and what to write instead, and never what stands in the cell. */
#pragma once

#include "client/tables/sheet.h"

enum nv_problem {
    NV_NO_PROBLEM,
    NV_UNKNOWN_HEADER,
    NV_HEADER_TWICE,
    NV_TOO_FEW_CELLS,
    NV_TOO_MANY_CELLS,
    NV_NO_HEADER,
    NV_BAD_DATE,
    NV_NO_SUCH_DAY,
    NV_SHORT_YEAR,
    NV_BAD_NUMBER,
    NV_NOT_WHOLE,
    NV_BAD_CODE,
    NV_SHORTENED,
    NV_UNKNOWN_CHOICE,
    NV_TOO_LONG,
    NV_NO_KEY,
    NV_NOT_TOLD,
    NV_SEVERAL,
    NV_NO_PARENT,
    NV_SEVERAL_PARENTS,
    NV_TOLD_TWICE,
    NV_TABLE_REFUSES,
    NV_PROBLEM_COUNT,
};

/* "bad_date". */
const char *nv_problem_word(enum nv_problem problem);

/* Appends the sentence on a cell of that column, for the problems that a single cell can have (those from NV_BAD_DATE
 * to NV_NO_KEY). */
void nv_problem_say(enum nv_problem problem, const struct nv_sheet_column *column, struct nv_buffer *text);
