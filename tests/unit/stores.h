/* A network of real stores, in files, without daemons: what the tests of the merge write to, seal and deliver between.
 *
 * All that is random or a clock comes from the test: keys and ids from libsodium's replaceable source, the time of
 * SQLite and of the store from `nv_stores_turn`. So a seed replays a schedule to the last byte.
 */
#pragma once

#include <sqlite3.h>

#include "dice.h"
#include "store/ingest.h"
#include "store/log.h"
#include "store/store.h"

enum { NV_STORES_WRITERS = 5, NV_STORES_ALL = 6 }; /* the last one joins when all has happened */
enum { NV_STORES_FIELDS = 4, NV_STORES_RECORDS = 3 };
enum { NV_STORES_QUIET = 3 }; /* the field that asks nobody */

extern const char *const nv_stores_keys[NV_STORES_RECORDS];
extern const char *const nv_stores_fields[NV_STORES_FIELDS];

struct nv_stores_site {
    struct nv_store *store;
    sqlite3 *tool; /* another program's connection to the same file */
    struct nv_site_id id;
    int64_t clock_ahead_ms;
};

struct nv_stores {
    size_t count; /* sites that write: sites[0 … count - 1] */
    int64_t clock_ms;
    struct nv_stores_site sites[NV_STORES_ALL];
};

/* Opens a network in which nothing was written yet, with a joiner that nobody has met. */
void nv_stores_open(struct nv_stores *stores, struct nv_dice *dice, size_t count);
void nv_stores_close(struct nv_stores *stores);

/* Makes it that site's turn: every clock shows its time, which is returned. */
struct nv_wall_ms nv_stores_turn(struct nv_stores *stores, size_t site);

/* Publishes a schema at the first site, which is the authority's. */
void nv_stores_publish(struct nv_stores *stores, const char *sql);

/* The authority, at the first site, takes a site's membership away; or has it begin anew with new keys, which the site
 * seals with from now on where it `has_them`. */
void nv_stores_revoke(struct nv_stores *stores, size_t site);
void nv_stores_certify_anew(struct nv_stores *stores, size_t site, bool has_them);

/* The key that the site was certified with last. */
const struct nv_sign_key *nv_stores_sign_key(size_t site);

/* Makes a group there, which nobody reads; lists a site in it, or takes it out. */
struct nv_scope_id nv_stores_group(struct nv_stores *stores, const char *name);
void nv_stores_list(struct nv_stores *stores, struct nv_scope_id group, size_t site, bool reads);

/* Runs SQL at a site as any program does; through the store's own connection or another one. */
void nv_stores_sql(struct nv_stores *stores, size_t site, bool as_tool, const char *sql);

/* Seals all that is pending; returns how many changesets it made. */
size_t nv_stores_seal(struct nv_stores *stores, size_t site);

/* How changesets get from one site to another. */
struct nv_stores_line {
    bool forgets;  /* gives the other everything, whatever it has */
    bool shuffles; /* in any order */
    unsigned lost_percent;
    unsigned twice_percent;
    size_t budget_bytes; /* read at once; the line is cut after `reads` of them */
    size_t reads;
};

/* What one site read for another, and what the line made of it. Zeroed: empty. */
struct nv_stores_parcel {
    struct nv_buffer bytes;
    struct nv_slice changesets[512];
    size_t count;
};
void nv_stores_fetch(struct nv_stores *stores, struct nv_dice *dice, size_t from, size_t to,
                     const struct nv_stores_line *line, struct nv_stores_parcel *ret_parcel);

/* Hands it over, in batches, and empties it; returns how many changesets were taken. A refusal fails the test. */
size_t nv_stores_hand_over(struct nv_stores *stores, struct nv_dice *dice, size_t to, struct nv_stores_parcel *parcel);

/* How far a site has merged the log of another (by their places). */
uint64_t nv_stores_applied(struct nv_stores *stores, size_t site, size_t of);

/* The rows of a query as one text, for comparing. Free it. */
char *nv_stores_text(struct nv_stores *stores, size_t site, const char *sql);

/* ---- values as small numbers: two values are one number where storage class and bits are the same ---- */
int nv_code_of(const struct nv_value *value);
struct nv_value nv_code_value(int code);

/* What a site's row shows; -1 in the first field where there is no row. */
struct nv_stores_row {
    bool there;
    int codes[NV_STORES_FIELDS];
};
void nv_stores_rows(struct nv_stores *stores, size_t site, struct nv_stores_row rows[NV_STORES_RECORDS]);
