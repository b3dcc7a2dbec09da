/* The merge in core/, step by step and derived anew, against the model: random writes at up to five sites, delivered in
 * any causal order, some twice, with excepts, refused fields and redactions. The dice say what happens. */
#pragma once

#include "dice.h"

/* One schedule; where the merge and the model do not agree, an assert fails. */
void nv_merge_schedule(struct nv_dice dice);
