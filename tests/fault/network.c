#include "tests/fault/network.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/heads.h"
#include "store/authority.h"
#include "store/ingest.h"
#include "store/log.h"
#include "store/log/logs.h"
#include "store/schema.h"
#include "tests/fault/site.h"
#include "tests/sim/disk.h"
#include "tests/unit/dice.h"
#include "wire/changeset.h"

enum { HUB = 1, SCHOOL, OTHER, AUTHORITY, SUCCESSOR, NEWCOMER, KEYS, PARCEL = 64 };

const char nv_network_schema[] =
    "CREATE TABLE item(id TEXT NOT NULL PRIMARY KEY, name TEXT, size INTEGER NOT NULL DEFAULT 0 CHECK (size >= 0), "
    "mark DEFAULT 'new' CHECK (mark IS NULL OR mark <> 'never'), seen TEXT);"
    "CREATE TABLE pair(a TEXT NOT NULL, b INTEGER NOT NULL, note TEXT COLLATE NOCASE, weight REAL, "
    "PRIMARY KEY (a, b)) WITHOUT ROWID;"
    "CREATE INDEX item_name ON item(name);"
    "CREATE VIEW big AS SELECT id FROM item WHERE size > 10;"
    "CREATE TABLE counted(period TEXT NOT NULL, site TEXT NOT NULL, items INTEGER, PRIMARY KEY (period, site));"
    "CREATE TABLE kept(id TEXT NOT NULL PRIMARY KEY, of_item TEXT);"
    "CREATE VIEW counts AS SELECT (SELECT count(*) FROM item) + (SELECT count(*) FROM kept) AS items;"
    "CREATE VIEW publication(view_name, table_name, every) AS VALUES ('counts', 'counted', 'month');"
    "INSERT INTO navette_table(name, scope) VALUES ('item', 'network'), ('pair', 'network'), ('kept', 'site');"
    "INSERT INTO navette_table(name, scope, writers) VALUES ('counted', 'network', 'home');"
    "INSERT INTO navette_column(table_name, name, rule, quiet, label_fr, label_en) VALUES"
    " ('item', 'size', 'max', 0, 'taille', 'size'), ('item', 'seen', 'last', 1, NULL, NULL),"
    " ('item', 'mark', 'home', 0, NULL, 'mark')";

const char nv_network_more_schema[] =
    "ALTER TABLE item ADD COLUMN extra TEXT DEFAULT 'none' CHECK (length(extra) < 20);"
    "CREATE TABLE third(id TEXT NOT NULL PRIMARY KEY, what BLOB, CHECK (what IS NULL OR length(what) < 9)) STRICT;"
    "CREATE INDEX third_what ON third(what);"
    "INSERT INTO navette_table(name, scope) VALUES ('third', 'network');"
    "INSERT INTO navette_column(table_name, name, rule, label_fr) VALUES ('item', 'extra', 'min', 'reste'),"
    " ('item', 'name', NULL, 'nom')";

static struct {
    struct nv_sign_key keys[KEYS];
    struct nv_buffer images[NV_IMAGES];
    struct nv_buffer bytes[NV_PARCELS];
    struct nv_slice changesets[NV_PARCELS][PARCEL];
    size_t counts[NV_PARCELS];
} made;

void nv_network_must(enum nv_status status, const struct nv_error *error)
{
    if (status != NV_OK)
        fail_msg("%s: %s", nv_status_text(status), error->text);
}

/* ---- chance, and files that are none of the system's ---- */

static struct nv_dice source;

static const char *source_name(void)
{
    return "test";
}

static uint32_t source_word(void)
{
    return (uint32_t)nv_dice_bits(&source);
}

static void source_bytes(void *bytes, size_t size)
{
    nv_dice_bytes(&source, bytes, size);
}

void nv_network_reseed(void)
{
    source = nv_dice_of(5);
    nv_disks_set_randomness(5);
}

/* The linker's names, as in memory.c. A store on a simulated disk has no mode. */
int __real_chmod(const char *path, mode_t mode);
int __wrap_chmod(const char *path, mode_t mode);

int __wrap_chmod(const char *path, mode_t mode)
{
    return strncmp(path, "file:", 5) == 0 ? 0 : __real_chmod(path, mode);
}

/* ---- making the network ---- */

static void keep_parcel(enum nv_parcel parcel, struct nv_store *from, const struct nv_far_head *has, size_t has_count)
{
    struct nv_far_head heads[PARCEL];
    size_t ends[PARCEL];
    int64_t cursor = 0;
    bool done;
    struct nv_error error;
    struct nv_buffer *bytes = &made.bytes[parcel];
    nv_buffer_clear(bytes);
    nv_network_must(nv_store_read_for(from, has, has_count, NULL, &cursor, SIZE_MAX, bytes, ends, heads, PARCEL,
                                      &made.counts[parcel], &done, &error),
                    &error);
    assert_true(done && made.counts[parcel] > 0);
    for (size_t i = 0, start = 0; i < made.counts[parcel]; start = ends[i++])
        made.changesets[parcel][i] = (struct nv_slice){bytes->data + start, ends[i] - start};
}

static void keep_news(enum nv_parcel parcel, struct nv_store *from, struct nv_store *to)
{
    const struct nv_far_head *has;
    size_t count;
    nv_store_has(to, &has, &count);
    keep_parcel(parcel, from, has, count);
}

static void deliver(struct site *from, struct site *to)
{
    struct nv_incoming incoming[PARCEL] = {0};
    struct nv_error error;
    keep_news(NV_PARCEL_WRITES, from->store, to->store); /* what is kept for good comes later */
    size_t count = made.counts[NV_PARCEL_WRITES];
    for (size_t i = 0; i < count; i++)
        incoming[i].bytes = made.changesets[NV_PARCEL_WRITES][i];
    nv_network_must(nv_store_ingest(to->store, incoming, count, nv_network_now, NV_NETWORK_LONG_MS, &error), &error);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(incoming[i].verdict, NV_VERDICT_TAKEN);
}

struct nv_certificate nv_network_certificate(struct nv_site_id site, const char *name, uint8_t which)
{
    static const char *const endpoints[] = {"tcp://127.0.0.1:7420", "tcp://127.0.0.1:7422"};
    struct nv_certificate certificate = {.site = site,
                                         .name = name,
                                         .curve_key = {{which}},
                                         .role = which == HUB ? NV_ROLE_HUB : NV_ROLE_SITE,
                                         .endpoint_count = 2,
                                         .endpoints = endpoints};
    if (which < KEYS)
        certificate.sign_key = made.keys[which].public_key;
    else
        certificate.sign_key.bytes[0] = which;
    return certificate;
}

static void certify(struct site *hub, const struct site *site, const char *name, uint8_t which)
{
    struct nv_error error;
    struct nv_certificate certificate = nv_network_certificate(nv_store_identity(site->store)->site, name, which);
    nv_network_must(nv_authority_certify(hub->store, &made.keys[AUTHORITY], &certificate, nv_network_now, &error),
                    &error);
}

static void make_network(struct site *hub, struct site *school, struct site *other)
{
    struct nv_error error;
    struct nv_certificate self = nv_network_certificate(nv_store_identity(hub->store)->site, "hub", HUB);
    nv_network_must(nv_authority_found(hub->store, "network", &made.keys[AUTHORITY], &made.keys[SUCCESSOR].public_key,
                                       &self, nv_network_now, &error),
                    &error);
    nv_network_must(
        nv_schema_apply(hub->store, &made.keys[AUTHORITY], nv_network_schema, false, nv_network_now, NULL, &error),
        &error);
    certify(hub, school, "school", SCHOOL);
    certify(hub, other, "other", OTHER);
    struct nv_invitation invitation = nv_network_invitation();
    nv_network_must(nv_invitation_keep(hub->store, &invitation, "newcomer", NV_ROLE_SITE, &error), &error);
    keep_parcel(NV_PARCEL_AUTHORITY, hub->store, NULL, 0);
    for (size_t i = 0; i < 2; i++)
        nv_network_must(nv_authority_adopt(i == 0 ? school->store : other->store, &made.keys[AUTHORITY].public_key,
                                           made.changesets[NV_PARCEL_AUTHORITY], made.counts[NV_PARCEL_AUTHORITY],
                                           nv_network_now, &error),
                        &error);
}

static const char long_text[] =
    "(SELECT group_concat(value, 'é') FROM (WITH RECURSIVE n(value) AS (VALUES(1) UNION ALL "
    "SELECT value + 1 FROM n WHERE value < 2000) SELECT value FROM n))";

static void live(struct site *school, struct site *other)
{
    char sql[512];
    site_write(school,
               "INSERT INTO item(id, name, size) VALUES ('r1', 'one', 1), ('r2', 'two', 2), ('r3', 'three', 3), "
               "('r4', 'four', 4), ('r5', 'five', 5), ('r6', 'six', 6);"
               "INSERT INTO pair VALUES ('x', 1, 'note', 1.5), ('y/z', 2, NULL, NULL)");
    deliver(school, other);
    site_write(other, "UPDATE item SET name = 'eins', seen = 'o' WHERE id = 'r1'; UPDATE item SET size = 20 WHERE id = "
                      "'r2'; DELETE FROM item WHERE id = 'r3'; INSERT INTO item(id, name) VALUES ('o1', 'theirs')");
    site_write(school, "UPDATE item SET name = 'un', seen = 's' WHERE id = 'r1'; DELETE FROM item WHERE id = 'r2';"
                       "UPDATE item SET mark = x'00ff' WHERE id = 'r3'; DELETE FROM item WHERE id = 'r6'");
    deliver(other, school);
    deliver(school, other);
    sqlite3_snprintf(sizeof sql, sql, "UPDATE item SET mark = 'o' || %s WHERE id = 'r4'", long_text);
    site_write(other, sql);
    sqlite3_snprintf(sizeof sql, sql, "UPDATE item SET mark = 's' || %s WHERE id = 'r4'", long_text);
    site_write(school, sql);
    deliver(other, school);
    deliver(school, other);
}

/* Each changeset without its first two bodies, which nobody let go. */
static void keep_stripped(enum nv_parcel parcel, enum nv_parcel whole)
{
    struct nv_arena arena = {.limit = SIZE_MAX};
    struct nv_buffer *bytes = &made.bytes[parcel];
    size_t ends[PARCEL];
    made.counts[parcel] = made.counts[whole];
    for (size_t i = 0; i < made.counts[whole]; i++) {
        struct nv_changeset_parts parts;
        struct nv_header header;
        struct nv_buffer body = {0};
        struct nv_error error;
        nv_network_must(nv_changeset_split(made.changesets[whole][i], &parts, &error), &error);
        nv_network_must(nv_header_decode(parts.header, &arena, &header, &error), &error);
        bool *places = calloc(header.op_count + 2, sizeof *places);
        places[0] = places[1] = true;
        nv_network_must(nv_body_redact(&parts, &header, places, &arena, &body, &parts.compressed, &error), &error);
        parts.body = nv_buffer_slice(&body);
        nv_changeset_join(&parts, bytes);
        ends[i] = bytes->size;
        nv_buffer_done(&body);
        free(places);
    }
    for (size_t i = 0, start = 0; i < made.counts[parcel]; start = ends[i++])
        made.changesets[parcel][i] = (struct nv_slice){bytes->data + start, ends[i] - start};
    nv_arena_done(&arena);
}

/* A changeset without ops that the hub never made: it says that the hub had merged what the others wrote. */
static void sign_word(const struct site *hub, const struct site *school, const struct site *other, uint64_t last)
{
    const struct nv_log *authority = nv_authority_log(school->store);
    struct nv_far_head context[2];
    struct nv_buffer scratch = {0};
    struct nv_changeset_parts parts;
    struct nv_hash hash;
    struct nv_error error;
    for (size_t i = 0; i < 2; i++) {
        const struct nv_identity *self = nv_store_identity(i == 0 ? other->store : school->store);
        struct nv_log_id id = {self->site, self->epoch, NV_SCOPE_NETWORK};
        int64_t changeset;
        uint64_t seq = i == 0 ? last : 1;
        nv_network_must(
            nv_changeset_at(other->store, nv_log_find(other->store, &id)->number, seq, &changeset, &hash, &error),
            &error);
        context[i] = (struct nv_far_head){self->site, self->epoch, NV_SCOPE_NETWORK, seq, nv_pin_of(&hash)};
    }
    if (nv_far_head_order(&context[0], &context[1]) > 0) {
        struct nv_far_head first = context[1];
        context[1] = context[0];
        context[0] = first;
    }
    struct nv_header header = {.format = NV_FORMAT,
                               .log = {nv_store_identity(hub->store)->site, 77, NV_SCOPE_NETWORK},
                               .seq = 1,
                               .absolute = true,
                               .context = context,
                               .context_count = 2,
                               .authority_seq = authority->applied_seq,
                               .authority_pin = nv_pin_of(&authority->applied_hash)};
    nv_network_must(nv_changeset_seal(&header, NULL, 0, &made.keys[HUB], &made.keys[AUTHORITY].public_key, &scratch,
                                      &parts, &hash, &error),
                    &error);
    nv_changeset_join(&parts, &made.bytes[NV_PARCEL_WORD]);
    made.changesets[NV_PARCEL_WORD][0] = nv_buffer_slice(&made.bytes[NV_PARCEL_WORD]);
    made.counts[NV_PARCEL_WORD] = 1;
    nv_buffer_done(&scratch);
}

static void revoke(struct site *hub, const struct site *loser, enum nv_parcel parcel, const struct nv_far_head *known,
                   size_t known_count)
{
    struct nv_error error;
    nv_network_must(nv_authority_revoke(hub->store, &made.keys[AUTHORITY], nv_store_identity(loser->store)->site,
                                        nv_network_now, &error),
                    &error);
    keep_parcel(parcel, hub->store, known, known_count);
}

static void make_parcels(struct site *hub, struct site *school, struct site *other)
{
    struct nv_buffer before = {0};
    char sql[512];
    struct nv_error error;
    const struct nv_identity *self = nv_store_identity(other->store);
    struct nv_log_id id = {self->site, self->epoch, NV_SCOPE_NETWORK};
    site_keep(other, &made.keys[OTHER], &before);
    sqlite3_snprintf(sizeof sql, sql, "UPDATE item SET name = 'fork' || %s WHERE id = 'r5'", long_text);
    site_write(other, sql);
    site_write(other, "UPDATE item SET name = 'fork' WHERE id = 'r3'");
    keep_news(NV_PARCEL_FORK, other->store, school->store);
    site_restore(other, &made.keys[OTHER], &before);
    nv_buffer_done(&before);

    sqlite3_snprintf(sizeof sql, sql,
                     "UPDATE item SET name = 'cinq' WHERE id = 'r5'; INSERT INTO item(id, name, mark) VALUES ('o2', "
                     "'new', %s); DELETE FROM item WHERE id = 'r4'; UPDATE pair SET note = 'NOTE' WHERE a = 'x'",
                     long_text);
    site_write(other, sql);
    uint64_t first = nv_log_find(other->store, &id)->has_seq;
    site_write(other, "UPDATE item SET size = 50 WHERE id IN ('r1', 'r5', 'o2')");
    keep_news(NV_PARCEL_WRITES, other->store, school->store);
    size_t written = made.counts[NV_PARCEL_WRITES];
    site_sign_odd(other);
    keep_news(NV_PARCEL_ODD, other->store, school->store);
    site_sign_redact(other, first);
    keep_news(NV_PARCEL_REDACT, other->store, school->store);
    /* Each parcel has what comes after the one before. */
    size_t odd = made.counts[NV_PARCEL_ODD];
    memmove(made.changesets[NV_PARCEL_REDACT], made.changesets[NV_PARCEL_REDACT] + odd,
            (made.counts[NV_PARCEL_REDACT] -= odd) * sizeof(struct nv_slice));
    memmove(made.changesets[NV_PARCEL_ODD], made.changesets[NV_PARCEL_ODD] + written,
            (made.counts[NV_PARCEL_ODD] -= written) * sizeof(struct nv_slice));

    keep_stripped(NV_PARCEL_STRIPPED, NV_PARCEL_WRITES);
    keep_stripped(NV_PARCEL_NO_REDACT, NV_PARCEL_REDACT);

    const struct nv_far_head *has;
    size_t has_count;
    nv_store_has(hub->store, &has, &has_count);
    struct nv_far_head *known = calloc(has_count + 1, sizeof *known);
    memcpy(known, has, has_count * sizeof *known);
    nv_network_must(
        nv_schema_apply(hub->store, &made.keys[AUTHORITY], nv_network_more_schema, false, nv_network_now, NULL, &error),
        &error);
    keep_parcel(NV_PARCEL_SCHEMA, hub->store, known, has_count);
    sign_word(hub, school, other, first + 1);
    revoke(hub, other, NV_PARCEL_REVOKED, known, has_count);
    nv_store_has(hub->store, &has, &has_count);
    known = realloc(known, (has_count + 1) * sizeof *known);
    memcpy(known, has, has_count * sizeof *known);
    revoke(hub, school, NV_PARCEL_LOST, known, has_count);

    nv_store_has(school->store, &has, &has_count);
    known = realloc(known, (has_count + 1) * sizeof *known);
    memcpy(known, has, has_count * sizeof *known);
    site_write(school, "INSERT INTO item(id, name) VALUES ('lost', 'again')");
    keep_parcel(NV_PARCEL_OWN, school->store, known, has_count);
    free(known);
}

void nv_network_start(void)
{
    static struct randombytes_implementation chance;
    chance = (struct randombytes_implementation){
        .implementation_name = source_name, .random = source_word, .buf = source_bytes};
    randombytes_set_implementation(&chance);
    struct nv_error error;
    nv_network_must(nv_wire_start(&error), &error);
    nv_disks_start();
    nv_disks_set_clock(nv_network_now.ms);
    nv_network_reseed();
    for (uint8_t i = 1; i < KEYS; i++) {
        uint8_t seed[32] = {i};
        crypto_sign_seed_keypair(made.keys[i].public_key.bytes, made.keys[i].secret, seed);
    }
    struct site hub = site_open("hub", &made.keys[HUB]);
    struct site other = site_open("other", &made.keys[OTHER]);
    struct site school = site_open("school", &made.keys[SCHOOL]);
    site_keep(&school, &made.keys[SCHOOL], &made.images[NV_IMAGE_FRESH]);
    make_network(&hub, &school, &other);
    site_keep(&hub, &made.keys[HUB], &made.images[NV_IMAGE_HUB]);
    site_keep(&school, &made.keys[SCHOOL], &made.images[NV_IMAGE_JOINED]);
    live(&school, &other);
    site_keep(&school, &made.keys[SCHOOL], &made.images[NV_IMAGE_LIVED]);
    make_parcels(&hub, &school, &other);
    site_done(&hub);
    site_done(&other);
    site_done(&school);
}

/* ---- what was made ---- */

struct nv_slice nv_network_image(enum nv_image image)
{
    return nv_buffer_slice(&made.images[image]);
}

const struct nv_slice *nv_network_parcel(enum nv_parcel parcel, size_t *ret_count)
{
    *ret_count = made.counts[parcel];
    return made.changesets[parcel];
}

const struct nv_sign_key *nv_network_authority(void)
{
    return &made.keys[AUTHORITY];
}

const struct nv_sign_key *nv_network_signer(enum nv_image image)
{
    return &made.keys[image == NV_IMAGE_HUB ? HUB : SCHOOL];
}

const struct nv_sign_key *nv_network_newcomer(void)
{
    return &made.keys[NEWCOMER];
}

struct nv_public_key nv_network_successor(void)
{
    return made.keys[SUCCESSOR].public_key;
}

struct nv_invitation nv_network_invitation(void)
{
    return (struct nv_invitation){.number = 7,
                                  .endpoint = "tcp://127.0.0.1:7421",
                                  .hub_curve_key = {{HUB}},
                                  .authority_key = made.keys[AUTHORITY].public_key,
                                  .secret = {9},
                                  .expires = {nv_network_now.ms + 1000}};
}
