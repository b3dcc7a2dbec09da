#include "client/import/problems.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "client/language.h"

/* Sentences that need nothing of the column are here; for the others see below, or where they are found. */
static const struct {
    const char *word, *sentence;
} problems[NV_PROBLEM_COUNT] = {
    [NV_NO_PROBLEM] = {"", ""},
    [NV_UNKNOWN_HEADER] = {"unknown_header", NULL},
    [NV_HEADER_TWICE] = {"header_twice", NULL},
    [NV_TOO_FEW_CELLS] = {"too_few_cells", NULL},
    [NV_TOO_MANY_CELLS] = {"too_many_cells", NULL},
    [NV_NO_HEADER] = {"no_header", NULL},
    [NV_BAD_DATE] = {"bad_date", N_("this is not a date: write it as 31/12/2001")},
    [NV_NO_SUCH_DAY] = {"no_such_day", N_("the calendar has no such day")},
    [NV_SHORT_YEAR] = {"short_year", N_("the year has two digits: write all four, as in 31/12/2001")},
    [NV_BAD_NUMBER] = {"bad_number", NULL},
    [NV_NOT_WHOLE] = {"not_whole", N_("this is not a whole number: write digits alone, as in 210")},
    [NV_BAD_CODE] = {"bad_code", NULL},
    [NV_SHORTENED] = {"shortened",
                      N_("a spreadsheet has shortened this number (as in 1,23457E+13) and its last digits are lost: "
                         "make the column one of text there, and type it anew")},
    [NV_UNKNOWN_CHOICE] = {"unknown_choice", NULL},
    [NV_TOO_LONG] = {"too_long", N_("this is too long for a key")},
    [NV_NO_KEY] = {"no_key", N_("this must be filled in: it tells which record the line is about")},
    [NV_NOT_TOLD] = {"not_told", NULL},
    [NV_SEVERAL] = {"several_records", NULL},
    [NV_NO_PARENT] = {"no_parent", NULL},
    [NV_SEVERAL_PARENTS] = {"several_parents", NULL},
    [NV_TOLD_TWICE] = {"told_twice", NULL},
    [NV_TABLE_REFUSES] = {"table_refuses", NULL},
};

const char *nv_problem_word(enum nv_problem problem)
{
    return problems[problem].word;
}

static void append(struct nv_buffer *text, const char *string)
{
    nv_buffer_append(text, string, strlen(string));
}

static const char *code_sentence(enum nv_kind kind)
{
    switch (kind) {
    case NV_SIRET:
        return _("this is not a SIRET: it has 14 digits");
    case NV_SIREN:
        return _("this is not a SIREN: it has 9 digits");
    case NV_EPCI:
        return _("this is not the code of an EPCI: it has 9 digits");
    case NV_COMMUNE:
        return _("this is not the code of a commune: INSEE's has 5 characters, as in 41018 or 2A004, and is not the "
                 "postcode");
    case NV_PLAIN:
    case NV_DATE:
    case NV_CENTS:
        break;
    }
    assert(false); /* only codes are bad codes */
    return "";
}

static void say_choices(const struct nv_sheet_column *column, struct nv_buffer *text)
{
    append(text, _("this is not in the list; what is known: "));
    for (size_t i = 0; i < column->choice_count; i++) {
        append(text, i == 0 ? "" : ", ");
        append(text, nv_choice_title(&column->choices[i]));
    }
}

void nv_problem_say(enum nv_problem problem, const struct nv_sheet_column *column, struct nv_buffer *text)
{
    if (problem == NV_BAD_CODE)
        append(text, code_sentence(column->kind));
    else if (problem == NV_UNKNOWN_CHOICE)
        say_choices(column, text);
    else if (problem == NV_BAD_NUMBER && column->kind == NV_CENTS)
        append(text, _("this is not an amount in euros: write it as 12 500,50"));
    else if (problem == NV_BAD_NUMBER)
        append(text, _("this is not a number: write it as 1234,5"));
    else
        append(text, _(problems[problem].sentence));
}
