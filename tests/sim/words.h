/* What was signed, in words: for the trace, and for whoever reads it. */
#pragma once

#include "core/op.h"

/* Text that is appended to, and cut where it ends. */
struct sim_words {
    char *at;
    size_t left; /* with the NUL */
};
void sim_say(struct sim_words *words, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* " pantin:3": the changeset of pantin with that seq; " authority:9". */
void sim_say_head(struct sim_words *words, const struct nv_far_head *head);

/* The heads of changesets; those that follow each other in one log as one: " hub:3-7". */
void sim_say_heads_of(struct sim_words *words, const struct nv_slice *changesets, size_t count);

/* What a changeset holds: after what of the others' it was written (as its header says it: where that is a delta, what
 * came since the one before), and its ops. */
void sim_say_changeset(struct sim_words *words, struct nv_slice changeset);

/* 'text', 12, NULL. */
void sim_say_value(struct sim_words *words, const struct nv_value *value);
