/* Numbers as people write them: `1 234,50`, `1.234,50`, `1,234.50`, `12 500 €`. */
#pragma once

#include "client/import/problems.h"

/* Each sets *value where it returns NV_NO_PROBLEM, and leaves it as it was where not. */
enum nv_problem nv_read_whole(struct nv_slice cell, struct nv_value *value);
enum nv_problem nv_read_decimal(struct nv_slice cell, struct nv_value *value);
enum nv_problem nv_read_cents(struct nv_slice euros, struct nv_value *value);

/* Whether a spreadsheet wrote it as 1,23457E+13: digits of it are gone. */
bool nv_is_shortened(struct nv_slice cell);
