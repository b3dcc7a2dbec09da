/* Scopes by number, under which the versions of records stand. Numbers are given in the order in which they are first
 * needed, and never leave the store. Internal to store/. */
#pragma once

#include "store/internal.h"

typedef uint32_t nv_scope_number; /* 0: none, and that of the authority log */

enum { NV_SCOPE_NUMBER_NETWORK = 1 };

/* A scope; of a table that the home alone writes, the records of one home in a scope. */
struct nv_numbered_scope {
    struct nv_scope_id id;
    bool has_home;
    struct nv_site_id home;
    bool was_due;    /* read by right at the last look */
    bool is_leaving; /* scopes/leaving.h */
};

enum nv_status nv_scope_numbers_load(struct nv_store *store, struct nv_error *error);
void nv_scope_numbers_done(struct nv_store *store);

/* Finds the scope's number or gives it one; `home` NULL: of every home. */
enum nv_status nv_scope_intern(struct nv_store *store, struct nv_scope_id id, const struct nv_site_id *home,
                               nv_scope_number *ret_number, struct nv_error *error);

/* The scope's number; 0 where it has none. */
nv_scope_number nv_scope_number_find(const struct nv_store *store, struct nv_scope_id id,
                                     const struct nv_site_id *home);

/* What the number was given to, NULL for one that was never given. Valid until the next one is given. */
const struct nv_numbered_scope *nv_scope_numbered(const struct nv_store *store, nv_scope_number number);
size_t nv_scope_number_count(const struct nv_store *store);

/* How far what is leaving was looked through; forgotten when the program ends. */
struct nv_scope_cursor {
    uint32_t table;
    struct nv_buffer key;
    nv_scope_number scope;
    bool is_behind_records;
    size_t missing; /* tables that were away meanwhile, with records of the scope */
};
struct nv_scope_cursor *nv_scope_cursor(const struct nv_store *store);
void nv_scope_cursor_rewind(struct nv_store *store);
void nv_scope_set_leaving(struct nv_store *store, nv_scope_number number, bool leaving);
void nv_scope_set_due(struct nv_store *store, nv_scope_number number, bool is_due);

/* Whether the records of that number are of the scope. */
bool nv_scope_number_is_of(const struct nv_store *store, nv_scope_number number, struct nv_scope_id id);
