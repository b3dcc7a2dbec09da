#include "pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/log.h"
#include "store/seal.h"

enum { BATCH = 256, LONG_MS = 3600 * 1000 };

void nv_pair_must(enum nv_status status, const struct nv_error *error)
{
    if (status != NV_OK)
        fail_msg("%s: %s", nv_status_text(status), error->text);
}

/* ---- sites ---- */

static void remove_file(const char *folder, const char *name, const char *end)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s%s", folder, name, end);
    unlink(path);
}

void nv_pair_site_make(struct nv_pair *pair, struct nv_pair_site *site, const char *name)
{
    static const char *const ends[] = {"", "-wal", "-shm", ".sign", ".curve"};
    char file[80];
    struct nv_error error;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        remove_file(pair->folder, name, ends[i]);
    snprintf(site->path, sizeof site->path, "%s/%s", pair->folder, name);
    nv_pair_must(nv_store_create(site->path, name, &error), &error);
    nv_pair_must(nv_store_open(site->path, &site->store, &error), &error);
    snprintf(file, sizeof file, "%s.sign", name);
    nv_pair_must(nv_sign_key_create(pair->folder, file, &site->sign, &error), &error);
    snprintf(file, sizeof file, "%s.curve", name);
    nv_pair_must(nv_curve_key_create(pair->folder, file, &site->curve, &error), &error);
    nv_store_set_signer(site->store, &site->sign);
    nv_store_set_opener(site->store, &site->curve);
    assert_int_equal(sqlite3_open(site->path, &site->tool), SQLITE_OK);
    sqlite3_busy_timeout(site->tool, 2000);
}

void nv_pair_site_close(struct nv_pair_site *site)
{
    sqlite3_close(site->tool);
    nv_store_close(site->store);
    *site = (struct nv_pair_site){0};
}

struct nv_certificate nv_pair_certificate(const struct nv_pair_site *site, const char *name)
{
    static const char *const endpoints[] = {"tcp://127.0.0.1:7420"};
    return (struct nv_certificate){.site = nv_store_identity(site->store)->site,
                                   .name = name,
                                   .sign_key = site->sign.public_key,
                                   .curve_key = site->curve.public_key,
                                   .role = NV_ROLE_SITE,
                                   .endpoint_count = 1,
                                   .endpoints = endpoints};
}

static void adopt(struct nv_pair *pair)
{
    struct nv_buffer bytes = {0};
    struct nv_slice changesets[BATCH];
    struct nv_far_head heads[BATCH];
    size_t ends[BATCH], count;
    int64_t cursor = 0;
    bool done;
    struct nv_error error;
    nv_pair_must(nv_store_read_for(pair->hub.store, NULL, 0, NULL, &cursor, SIZE_MAX, &bytes, ends, heads, BATCH,
                                   &count, &done, &error),
                 &error);
    for (size_t i = 0, start = 0; i < count; start = ends[i++])
        changesets[i] = (struct nv_slice){bytes.data + start, ends[i] - start};
    nv_pair_must(
        nv_authority_adopt(pair->school.store, &pair->authority.public_key, changesets, count, nv_pair_now, &error),
        &error);
    nv_buffer_done(&bytes);
}

int nv_pair_setup(void **state)
{
    struct nv_pair *pair = calloc(1, sizeof *pair);
    struct nv_error error;
    assert_non_null(pair);
    nv_pair_must(nv_wire_start(&error), &error);
    snprintf(pair->folder, sizeof pair->folder, "%s/navette-test-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(pair->folder));
    nv_pair_must(nv_sign_key_create(pair->folder, "authority", &pair->authority, &error), &error);
    nv_pair_must(nv_sign_key_create(pair->folder, "successor", &pair->successor, &error), &error);
    nv_pair_site_make(pair, &pair->hub, "hub");
    nv_pair_site_make(pair, &pair->school, "school");
    struct nv_certificate certificate = nv_pair_certificate(&pair->hub, "hub");
    certificate.role = NV_ROLE_HUB;
    nv_pair_must(nv_authority_found(pair->hub.store, "the network", &pair->authority, &pair->successor.public_key,
                                    &certificate, nv_pair_now, &error),
                 &error);
    certificate = nv_pair_certificate(&pair->school, "school");
    nv_pair_must(nv_authority_certify(pair->hub.store, &pair->authority, &certificate, nv_pair_now, &error), &error);
    adopt(pair);
    *state = pair;
    return 0;
}

int nv_pair_teardown(void **state)
{
    struct nv_pair *pair = *state;
    char command[128];
    nv_pair_site_close(&pair->hub);
    nv_pair_site_close(&pair->school);
    snprintf(command, sizeof command, "rm -r -- '%s'", pair->folder);
    assert_int_equal(system(command), 0);
    free(pair);
    return 0;
}

/* ---- work ---- */

void nv_pair_publish(struct nv_pair *pair, const char *sql)
{
    struct nv_error error;
    nv_pair_must(nv_schema_apply(pair->hub.store, &pair->authority, sql, false, nv_pair_now, NULL, &error), &error);
}

void nv_pair_sql(struct nv_pair_site *site, const char *sql)
{
    if (sqlite3_exec(site->tool, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(site->tool));
}

char *nv_pair_text(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    sqlite3_str *text = sqlite3_str_new(db);
    sqlite3_str_appendall(text, "");
    while (sqlite3_step(statement) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(statement); i++) {
            const char *value = (const char *)sqlite3_column_text(statement, i);
            sqlite3_str_appendf(text, "%s%s", i == 0 ? "" : "|", value == NULL ? "NULL" : value);
        }
        sqlite3_str_appendchar(text, 1, '\n');
    }
    assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
    char *sqlite_text = sqlite3_str_finish(text);
    char *copy = strdup(sqlite_text == NULL ? "" : sqlite_text);
    sqlite3_free(sqlite_text);
    return copy;
}

void nv_pair_check_text(sqlite3 *db, const char *sql, const char *expected)
{
    char *text = nv_pair_text(db, sql);
    if (strcmp(text, expected) != 0)
        fail_msg("%s gives\n%swhere this was expected:\n%s", sql, text, expected);
    free(text);
}

void nv_pair_seal(struct nv_pair_site *site)
{
    struct nv_sealed sealed;
    struct nv_error error;
    do
        nv_pair_must(nv_store_seal(site->store, nv_pair_now, LONG_MS, &sealed, &error), &error);
    while (sealed.more);
}

size_t nv_pair_deliver(struct nv_pair_site *from, struct nv_pair_site *to)
{
    struct nv_buffer bytes = {0};
    struct nv_incoming incoming[BATCH] = {0};
    struct nv_far_head heads[BATCH];
    const struct nv_far_head *has;
    size_t ends[BATCH], count, has_count;
    int64_t cursor = 0;
    bool done;
    struct nv_error error;
    nv_store_has(to->store, &has, &has_count);
    nv_pair_must(nv_store_read_for(from->store, has, has_count, NULL, &cursor, SIZE_MAX, &bytes, ends, heads, BATCH,
                                   &count, &done, &error),
                 &error);
    assert_true(done);
    for (size_t i = 0, start = 0; i < count; start = ends[i++])
        incoming[i].bytes = (struct nv_slice){bytes.data + start, ends[i] - start};
    nv_pair_must(nv_store_ingest(to->store, incoming, count, nv_pair_now, LONG_MS, &error), &error);
    for (size_t i = 0; i < count; i++)
        if (incoming[i].verdict != NV_VERDICT_TAKEN)
            fail_msg("changeset %zu was not taken: %s", i, incoming[i].text);
    nv_buffer_done(&bytes);
    return count;
}

/* ---- refusals ---- */

const char nv_pair_everything[] =
    "SELECT type, name FROM sqlite_schema UNION ALL SELECT name, scope FROM navette_table "
    "UNION ALL SELECT name, table_name FROM navette_column "
    "UNION ALL SELECT 'statements', count(*) FROM navette_statement "
    "UNION ALL SELECT 'changesets', count(*) FROM navette_changeset ORDER BY 1, 2";

void nv_pair_check_refused(struct nv_pair *pair, const struct nv_pair_refused *refusal)
{
    struct nv_error error = {0};
    char *before = nv_pair_text(pair->hub.tool, nv_pair_everything);
    enum nv_status status =
        nv_schema_apply(pair->hub.store, &pair->authority, refusal->sql, false, nv_pair_now, NULL, &error);
    if (status != NV_REFUSED)
        fail_msg("%s: %s where it had to be refused: %s", refusal->sql, nv_status_text(status), error.text);
    for (size_t i = 0; i < 4 && refusal->words[i] != NULL; i++)
        if (strstr(error.text, refusal->words[i]) == NULL)
            fail_msg("%s: the message has no \"%s\": %s", refusal->sql, refusal->words[i], error.text);
    nv_pair_check_text(pair->hub.tool, nv_pair_everything, before);
    free(before);
}
