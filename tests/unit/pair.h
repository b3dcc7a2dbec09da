/* A hub and a school in one network, each with its store in a file: what the tests of the schema and of the authority
 * work on. No daemons; changesets are handed over. */
#pragma once

#include <sqlite3.h>

#include "store/authority.h"
#include "store/ingest.h"
#include "store/schema.h"

/* 2026-01-05: every call that needs the time is given this one. */
static const struct nv_wall_ms nv_pair_now = {1767600000000};

struct nv_pair_site {
    char path[96];
    struct nv_store *store;
    sqlite3 *tool; /* another program's connection to the same file */
    struct nv_sign_key sign;
    struct nv_curve_key curve;
};

struct nv_pair {
    char folder[64];
    struct nv_sign_key authority;
    struct nv_sign_key successor;
    struct nv_pair_site hub, school;
};

/* cmocka's setup and teardown: a fresh network, in which the school is certified and has the authority log. */
int nv_pair_setup(void **state);
int nv_pair_teardown(void **state);

/* A store of its own that is in no network yet, with its keys. */
void nv_pair_site_make(struct nv_pair *pair, struct nv_pair_site *site, const char *name);
void nv_pair_site_close(struct nv_pair_site *site);
struct nv_certificate nv_pair_certificate(const struct nv_pair_site *site, const char *name);

/* The test fails where this is not NV_OK. */
void nv_pair_must(enum nv_status status, const struct nv_error *error);

/* Publishes a schema at the hub; it must be taken. */
void nv_pair_publish(struct nv_pair *pair, const char *sql);

/* Runs SQL as another program does; it must succeed. */
void nv_pair_sql(struct nv_pair_site *site, const char *sql);

/* The rows of a query as text: a line a row, '|' between columns, NULL is "NULL". Free it. */
char *nv_pair_text(sqlite3 *db, const char *sql);
void nv_pair_check_text(sqlite3 *db, const char *sql, const char *expected);

/* Seals all that is pending. */
void nv_pair_seal(struct nv_pair_site *site);

/* Gives `to` all changesets that it lacks, in order; every verdict must be NV_VERDICT_TAKEN. Returns how many. */
size_t nv_pair_deliver(struct nv_pair_site *from, struct nv_pair_site *to);

/* A schema that must be refused, and words that the message must have. */
struct nv_pair_refused {
    const char *sql;
    const char *words[4];
};

/* All that a schema changes in a store, as a query. */
extern const char nv_pair_everything[];

/* The hub refuses it with those words, and nothing changed. */
void nv_pair_check_refused(struct nv_pair *pair, const struct nv_pair_refused *refusal);
