/* core/ is asked what counts, and held to the model: with every header told, in any order, and with logs of which some
 * are told by their ends alone. */
#pragma once

#include "counting_model.h"
#include "dice.h"

/* Those of `held` that count where the authority log is known up to `known`; `held` has all that its headers build on.
 */
struct nv_model_set nv_counting_ask(const struct nv_counting_model *model, const struct nv_model_set *held,
                                    unsigned known, struct nv_dice *dice);
