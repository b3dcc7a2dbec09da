/* Content keys that others ask of this site, or are to have by its operator's word: whom it grants them. Internal to
 * store/. */
#pragma once

#include "store/trust/tend.h"

/* Notes what a changeset of `log`, which stands there, asks of this site. */
enum nv_status nv_asked_note(struct nv_store *store, const struct nv_log *log, const struct nv_body *body,
                             struct nv_error *error);

/* Notes that hubs which were let read since the last look are to have the keys of this site's own logs; and this site
 * itself those that only its recovery key opened, once it has merged what introduces them. */
enum nv_status nv_asked_by_word(struct nv_store *store, struct nv_error *error);

/* Whether somebody waits for an answer, asked or by word. */
enum nv_status nv_asked_any(struct nv_store *store, bool *ret_any, struct nv_error *error);

/* Appends grants of keys of a scope that are asked for, to those who read it now; whoever does not, and who asks for
 * what this site lacks itself, gets no answer. *ret_more: there were more than one changeset takes. */
enum nv_status nv_answers_append(struct nv_tending *tending, bool *ret_more, struct nv_error *error);
