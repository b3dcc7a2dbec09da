/* What counts by core/, against the model: networks of honest sites and carriers among thieves who collude, of which
 * some are sites and some have the keys of honest ones. Rights are taken away and given again while all write. The dice
 * say what happens.
 *
 * The thieves see every header that was ever made. They write with any authority position that their keys ever had,
 * after any header of their logs, in logs of new epochs, with contexts that name what they like, and hand to whom they
 * like what they like.
 */
#pragma once

#include "dice.h"

/* One schedule; where core and the model do not agree, or the rule does not do what it is for, an assert fails. */
void nv_counting_schedule(struct nv_dice dice);
