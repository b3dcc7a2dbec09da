/* Values as they stand in a spreadsheet's cells. */
#pragma once

#include "client/tables/sheet.h"

/* Appends the value as the reader writes it: a date as 31/12/2001 in French, money in euros, what stands in a list by
 * its label. NULL is nothing. What no cell can hold (a blob, text that is not UTF-8) is in hexadecimal, as in keys. */
void nv_cell_show(const struct nv_sheet_column *column, const struct nv_value *value, struct nv_buffer *text);

/* The same as it is stored. */
void nv_cell_show_stored(const struct nv_value *value, struct nv_buffer *text);

/* A day of the calendar, as "2001-12-31" with a final NUL. False where there is none such. */
enum { NV_DAY_TEXT = 11 };
bool nv_day_write(unsigned year, unsigned month, unsigned day, char ret_text[NV_DAY_TEXT]);

/* Appends one cell of a line of CSV, with quotes where it needs them. */
void nv_csv_cell(struct nv_buffer *line, struct nv_slice cell, char separator);

/* Text that a spreadsheet would take for a formula is kept from it by an apostrophe before it. */
bool nv_is_guarded(struct nv_slice cell); /* it has such an apostrophe */
bool nv_needs_guard(struct nv_slice cell);
