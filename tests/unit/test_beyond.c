/* What counts, over real stores: a thief goes on writing over a direct line while others hold later changesets of it;
 * who merged them vouches, in whatever order the words come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/care.h"
#include "store/internal.h"
#include "store/log/logs.h"
#include "store/seal.h"
#include "stores.h"
#include "wire/changeset.h"

enum { HUB, NEAR, FAR, THIEF, LAST, SITES = 5, LONG_MS = 3600 * 1000 };

static struct nv_stores stores;
static struct nv_dice dice;
static const struct nv_stores_line line = {.budget_bytes = SIZE_MAX, .reads = 1000};

static int setup(void **state)
{
    (void)state;
    dice = nv_dice_of(1);
    nv_stores_open(&stores, &dice, SITES);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    nv_stores_close(&stores);
    return 0;
}

static void must(enum nv_status status, const struct nv_error *error)
{
    if (status != NV_OK)
        fail_msg("%s: %s", nv_status_text(status), error->text);
}

/* ---- what happens ---- */

static void write_at(size_t site, const char *key)
{
    char sql[80];
    snprintf(sql, sizeof sql, "INSERT INTO item(id, a) VALUES ('%s', '%zu')", key, site);
    nv_stores_sql(&stores, site, true, sql);
    nv_stores_seal(&stores, site);
}

/* Gives a site what another one has and it lacks, in that order or (-1) backwards; how many were taken. */
static size_t give_in_order(size_t from, size_t to, int order)
{
    static struct nv_stores_parcel parcel;
    struct nv_incoming incoming[256] = {0};
    struct nv_error error;
    size_t taken = 0;
    nv_stores_fetch(&stores, &dice, from, to, &line, &parcel);
    assert_true(parcel.count <= 256);
    for (size_t i = 0; i < parcel.count; i++)
        incoming[order > 0 ? i : parcel.count - 1 - i].bytes = parcel.changesets[i];
    must(nv_store_ingest(stores.sites[to].store, incoming, parcel.count, nv_stores_turn(&stores, to), LONG_MS, &error),
         &error);
    for (size_t i = 0; i < parcel.count; i++) {
        if (incoming[i].verdict == NV_VERDICT_REFUSED)
            fail_msg("refused (%s): %s", nv_reason_name(incoming[i].reason), incoming[i].text);
        taken += incoming[i].verdict == NV_VERDICT_TAKEN;
    }
    nv_buffer_done(&parcel.bytes);
    return taken;
}

static size_t give(size_t from, size_t to)
{
    return give_in_order(from, to, 1);
}

/* All that the sites have goes round among them. */
static void exchange(const size_t *sites, size_t count)
{
    size_t taken = 1;
    while (taken > 0) {
        taken = 0;
        for (size_t i = 0; i < count; i++)
            for (size_t j = 0; j < count; j++)
                taken += i == j ? 0 : give(sites[i], sites[j]);
    }
}

static void open_again(size_t site)
{
    struct nv_error error;
    char path[96];
    snprintf(path, sizeof path, "%s", sqlite3_db_filename(nv_store_db(stores.sites[site].store), "main"));
    nv_store_close(stores.sites[site].store);
    must(nv_store_open(path, &stores.sites[site].store, &error), &error);
    nv_store_set_signer(stores.sites[site].store, nv_stores_sign_key(site));
    must(nv_store_ingest(stores.sites[site].store, NULL, 0, nv_stores_turn(&stores, site), LONG_MS, &error), &error);
}

/* ---- what is seen ---- */

static void check(size_t site, const char *sql, const char *expected)
{
    char *text = nv_stores_text(&stores, site, sql);
    if (strcmp(text, expected) != 0)
        fail_msg("site %zu: %s gives\n%swhere this was expected:\n%s", site, sql, text, expected);
    free(text);
}

static void check_rows(size_t site, const char *expected)
{
    struct nv_error error;
    struct nv_rebuilt rebuilt;
    check(site, "SELECT group_concat(id, ' ') FROM (SELECT id FROM item ORDER BY id)", expected);
    must(nv_store_rebuild(stores.sites[site].store, nv_stores_turn(&stores, site), &rebuilt, NULL, &error), &error);
    assert_int_equal(rebuilt.versions_mended + rebuilt.rows_mended, 0);
}

static void check_alike(const size_t *sites, size_t count)
{
    static const char has[] = "SELECT hex(site), epoch, hex(scope), has_seq, applied_seq, hex(has_hash) "
                              "FROM navette_log WHERE has_seq > 0 ORDER BY 1, 2, 3";
    char *first = nv_stores_text(&stores, sites[0], has);
    for (size_t i = 1; i < count; i++)
        check(sites[i], has, first);
    free(first);
}

static uint64_t has_of_thief(size_t site)
{
    const struct nv_far_head *heads;
    size_t count;
    nv_store_has(stores.sites[site].store, &heads, &count);
    for (size_t i = 0; i < count; i++)
        if (nv_site_id_compare(heads[i].site, stores.sites[THIEF].id) == 0)
            return heads[i].seq;
    return 0;
}

static void check_beyond(size_t site, const char *expected)
{
    check(site, "SELECT count(*) FROM navette_beyond", expected);
}

/* ---- the situations ---- */

/* The hub has one changeset of the thief's and revokes it; a school has merged another one, which it was given over a
 * direct line. */
static void steal(void)
{
    write_at(THIEF, "t1");
    give(THIEF, HUB);
    write_at(THIEF, "t2");
    give(THIEF, NEAR);
    nv_stores_revoke(&stores, THIEF);
}

static void what_was_merged_before_counts_everywhere(void **state)
{
    (void)state;
    static const size_t honest[] = {HUB, NEAR, FAR};
    steal();
    exchange(honest, 3);
    check_alike(honest, 3);
    for (size_t i = 0; i < 3; i++) {
        check_rows(honest[i], "t1 t2\n");
        check_beyond(honest[i], "0\n");
    }
}

static void what_comes_after_all_know_counts_nowhere(void **state)
{
    (void)state;
    static const size_t honest[] = {HUB, NEAR, FAR};
    steal();
    exchange(honest, 3);
    write_at(THIEF, "t3");
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(give(THIEF, honest[i]), 1); /* held beyond its log */
    exchange(honest, 3);
    check_alike(honest, 3);
    for (size_t i = 0; i < 3; i++) {
        check_rows(honest[i], "t1 t2\n");
        check_beyond(honest[i], "1\n");
        assert_int_equal(has_of_thief(honest[i]), 2);
        assert_int_equal(give(THIEF, honest[i]), 0); /* known */
    }
}

/* The thief's later changesets come first; they wait for the word of the school, also while the program is not running,
 * and are served to nobody. */
static void who_holds_it_waits_for_the_word(void **state)
{
    (void)state;
    static const size_t honest[] = {HUB, NEAR, FAR};
    steal();
    assert_int_equal(give(THIEF, HUB), 1);
    check_beyond(HUB, "1\n");
    assert_int_equal(has_of_thief(HUB), 1);
    check_rows(HUB, "t1\n");
    assert_int_not_equal(give(HUB, FAR), 0);
    assert_int_equal(has_of_thief(FAR), 1);
    open_again(HUB);
    check_beyond(HUB, "1\n");
    exchange(honest, 3);
    check_alike(honest, 3);
    check_rows(HUB, "t1 t2\n");
    check_rows(FAR, "t1 t2\n");
}

/* The word comes before what it is about. */
static void the_word_may_come_first(void **state)
{
    (void)state;
    static const size_t honest[] = {HUB, NEAR, FAR};
    steal();
    give(HUB, NEAR);
    for (int i = 0; i < 4; i++)
        give_in_order(NEAR, HUB, -1);
    check_rows(HUB, "t1 t2\n");
    exchange(honest, 3);
    check_alike(honest, 3);
}

/* Two schools merged more and more of it; one of them is cut off from the other by another thief, who is revoked too.
 */
static void words_build_on_each_other(void **state)
{
    (void)state;
    static const size_t honest[] = {HUB, NEAR, FAR};
    steal();
    write_at(THIEF, "t3");
    give(THIEF, LAST);
    write_at(LAST, "l1");
    give(LAST, NEAR); /* before the school has heard of anything */
    write_at(THIEF, "t4");
    give(THIEF, LAST);
    write_at(LAST, "l2");
    nv_stores_revoke(&stores, LAST);
    give(LAST, FAR);
    check_rows(FAR, "l1 l2 t1 t2 t3 t4\n");
    exchange(honest, 3);
    check_alike(honest, 3);
    for (size_t i = 0; i < 3; i++)
        check_rows(honest[i], "l1 l2 t1 t2 t3 t4\n");
    check_beyond(HUB, "0\n");
}

/* Two thieves vouch for each other. */
static void thieves_vouch_for_nobody(void **state)
{
    (void)state;
    static const size_t honest[] = {HUB, NEAR, FAR};
    steal();
    nv_stores_revoke(&stores, LAST);
    exchange(honest, 3);
    write_at(THIEF, "t3");
    give(THIEF, LAST);
    write_at(LAST, "l1");
    give(LAST, THIEF);
    write_at(THIEF, "t4");
    for (size_t i = 0; i < 3; i++) {
        give(THIEF, honest[i]);
        give(LAST, honest[i]);
    }
    exchange(honest, 3);
    check_alike(honest, 3);
    for (size_t i = 0; i < 3; i++)
        check_rows(honest[i], "t1 t2\n");
}

/* What is held and was not merged goes out of the log, and comes back with the word of who merged it. */
static void what_is_only_held_goes_and_comes_back(void **state)
{
    (void)state;
    static const size_t honest[] = {HUB, NEAR, FAR};
    nv_stores_sql(&stores, FAR, true, "ALTER TABLE item RENAME TO away");
    steal();
    assert_int_equal(give(THIEF, FAR), 2);
    assert_int_equal(has_of_thief(FAR), 2);
    give(HUB, FAR);
    assert_int_equal(has_of_thief(FAR), 1);
    check_beyond(FAR, "1\n");
    exchange(honest, 3);
    assert_int_equal(has_of_thief(FAR), 2);
    check_beyond(FAR, "0\n");
    nv_stores_sql(&stores, FAR, true, "ALTER TABLE away RENAME TO item");
    nv_stores_seal(&stores, FAR);
    exchange(honest, 3);
    check_alike(honest, 3);
    check_rows(FAR, "t1 t2\n");
}

/* A changeset without ops at the first place of the thief's log, at the position before the revocation. */
static void forge_first(struct nv_buffer *bytes)
{
    struct nv_buffer scratch = {0};
    const struct nv_log *authority = nv_authority_log(stores.sites[THIEF].store);
    const struct nv_identity *identity = nv_store_identity(stores.sites[THIEF].store);
    struct nv_header header = {.format = NV_FORMAT,
                               .log = {identity->site, identity->epoch, NV_SCOPE_NETWORK},
                               .seq = 1,
                               .absolute = true,
                               .authority_seq = authority->applied_seq,
                               .authority_pin = nv_pin_of(&authority->applied_hash)};
    struct nv_changeset_parts parts;
    struct nv_hash hash;
    struct nv_error error;
    must(nv_changeset_seal(&header, NULL, 0, nv_stores_sign_key(THIEF), &identity->network, &scratch, &parts, &hash,
                           &error),
         &error);
    nv_changeset_join(&parts, bytes);
    nv_buffer_done(&scratch);
}

/* `of` in the lists of sites; fails the test where it is in none. */
static struct nv_vouched vouched_of(size_t site, size_t of)
{
    struct nv_vouched *list, found = {0};
    size_t count;
    struct nv_error error;
    must(nv_store_vouched(stores.sites[site].store, &list, &count, &error), &error);
    for (size_t i = 0; i < count; i++)
        if (nv_site_id_compare(list[i].site, stores.sites[of].id) == 0)
            found = list[i];
    free(list);
    return found;
}

/* Whoever asks sees what counts by somebody's word alone, and by whose; and what is held beside the logs. */
static void it_is_listed_by_whose_word_something_counts(void **state)
{
    (void)state;
    static const size_t honest[] = {HUB, NEAR, FAR};
    steal();
    assert_int_equal(vouched_of(HUB, THIEF).changesets + vouched_of(HUB, THIEF).held, 0);
    give(THIEF, HUB);
    assert_int_equal(vouched_of(HUB, THIEF).changesets, 0);
    assert_int_equal(vouched_of(HUB, THIEF).held, 1);
    exchange(honest, 3);
    write_at(FAR, "f1"); /* it builds on it, and so its word counts too */
    exchange(honest, 3);
    struct nv_vouched vouched = vouched_of(HUB, THIEF);
    assert_int_equal(vouched.changesets, 1);
    assert_int_equal(vouched.held, 0);
    assert_int_equal(vouched.by_count, 2);
    assert_true(nv_scope_id_equal(vouched.scope, NV_SCOPE_NETWORK));
    assert_memory_equal(&vouched.by[0], &stores.sites[NEAR].id, 16);
    assert_memory_equal(&vouched.by[1], &stores.sites[FAR].id, 16);
}

/* Another history of the thief's log comes first to a site that knows of the revocation and has nothing of the log: it
 * keeps nobody from the true one. */
static void another_history_is_in_nobodys_way(void **state)
{
    (void)state;
    static const size_t honest[] = {HUB, NEAR, FAR};
    static struct nv_stores_parcel parcel;
    struct nv_incoming incoming[3] = {0};
    struct nv_buffer bytes = {0};
    struct nv_error error;
    forge_first(&bytes);
    steal();
    nv_stores_fetch(&stores, &dice, HUB, FAR, &line, &parcel); /* t1, the hub's word for it, the revocation */
    assert_int_equal(parcel.count, 3);
    incoming[0].bytes = parcel.changesets[2];
    incoming[1].bytes = nv_buffer_slice(&bytes);
    incoming[2].bytes = parcel.changesets[0];
    must(nv_store_ingest(stores.sites[FAR].store, incoming, 3, nv_stores_turn(&stores, FAR), LONG_MS, &error), &error);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(incoming[i].verdict, NV_VERDICT_TAKEN);
    nv_buffer_done(&parcel.bytes);
    nv_buffer_done(&bytes);
    assert_int_equal(has_of_thief(FAR), 1);
    check_beyond(FAR, "0\n");
    check(FAR, "SELECT count(*) FROM navette_fork", "1\n");
    exchange(honest, 3);
    check_alike(honest, 3);
    check_rows(FAR, "t1 t2\n");
}

/* The site that lost its right has merged what nobody else took. It seals nothing for it; what counts no more leaves
 * its rows, and its own values are listed. */
static void who_loses_the_right_vouches_for_nothing(void **state)
{
    (void)state;
    steal();
    write_at(THIEF, "t3");
    nv_stores_sql(&stores, THIEF, true, "UPDATE item SET a = 'mine', b = 7 WHERE id = 't1'");
    nv_stores_seal(&stores, THIEF);
    assert_int_equal(has_of_thief(THIEF), 4);
    give(HUB, THIEF);
    assert_int_equal(has_of_thief(THIEF), 1);
    check(THIEF, "SELECT count(*) FROM navette_log WHERE applied_seq <> has_seq", "0\n");
    check_rows(THIEF, "t1\n");
    check(THIEF, "SELECT a, b FROM item", "3|0\n");
    check(THIEF, "SELECT reason, CAST(key AS TEXT) LIKE '%t1', field, value FROM navette_quarantine ORDER BY 2, 3, 1",
          "not counted|0|0|3\nnot counted|0|0|3\nnot counted|0|1|0\nnot counted|0|1|0\nnot counted|0|2|\nnot "
          "counted|0|2|\nnot counted|0|3|new\nnot counted|0|3|new\nnot counted|1|0|mine\nnot counted|1|1|7\n");
    check_beyond(THIEF, "0\n"); /* it carries nothing any more */
}

/* With new keys it goes on in a new log. What others vouched for stands in its old one. */
static void with_a_new_right_it_goes_on(void **state)
{
    (void)state;
    static const size_t honest[] = {HUB, NEAR, FAR, THIEF};
    write_at(THIEF, "t1");
    give(THIEF, HUB);
    write_at(THIEF, "t2");
    give(THIEF, NEAR);
    write_at(THIEF, "t3");
    nv_stores_certify_anew(&stores, THIEF, true);
    give(HUB, THIEF);
    check_rows(THIEF, "t1\n");
    write_at(THIEF, "t5");
    exchange(honest, 4);
    check_alike(honest, 4);
    for (size_t i = 0; i < 4; i++)
        check_rows(honest[i], "t1 t2 t5\n");
}

/* A machine that still has the old keys seals nothing that nobody would take: it keeps what is written. */
static void old_keys_seal_nothing(void **state)
{
    (void)state;
    struct nv_sealed sealed;
    struct nv_error error;
    nv_stores_certify_anew(&stores, NEAR, false);
    give(HUB, NEAR);
    nv_stores_sql(&stores, NEAR, true, "INSERT INTO item(id, a) VALUES ('n1', 1)");
    assert_int_equal(nv_store_seal(stores.sites[NEAR].store, nv_stores_turn(&stores, NEAR), LONG_MS, &sealed, &error),
                     NV_NOT_YET);
    nv_store_set_signer(stores.sites[NEAR].store, nv_stores_sign_key(NEAR));
    assert_int_equal(nv_stores_seal(&stores, NEAR), 1);
    give(NEAR, HUB);
    check_rows(HUB, "n1\n");
}

/* ---- how much is held ---- */

/* Gives a site all that another one has and it lacks, as a pull does; how many were taken. */
static size_t stream(size_t from, size_t to)
{
    enum { MOST = 64 };
    const struct nv_far_head *has;
    struct nv_far_head heads[MOST], copy[64];
    struct nv_incoming incoming[MOST];
    size_t ends[MOST], has_count, count, taken = 0;
    struct nv_buffer bytes = {0};
    struct nv_error error;
    int64_t cursor = 0;
    bool done = false;
    nv_store_has(stores.sites[to].store, &has, &has_count);
    memcpy(copy, has, has_count * sizeof *has);
    while (!done) {
        nv_buffer_clear(&bytes);
        must(nv_store_read_for(stores.sites[from].store, copy, has_count, NULL, &cursor, SIZE_MAX, &bytes, ends, heads,
                               MOST, &count, &done, &error),
             &error);
        for (size_t i = 0, start = 0; i < count; start = ends[i++])
            incoming[i] = (struct nv_incoming){.bytes = {bytes.data + start, ends[i] - start}};
        must(nv_store_ingest(stores.sites[to].store, incoming, count, nv_stores_turn(&stores, to), LONG_MS, &error),
             &error);
        for (size_t i = 0; i < count; i++)
            taken += incoming[i].verdict == NV_VERDICT_TAKEN;
    }
    nv_buffer_done(&bytes);
    return taken;
}

/* A thief fills nobody's disk; and whoever's word comes, there is room for what it is about. */
static void so_much_is_held_of_a_log_unless_somebody_vouches(void **state)
{
    (void)state;
    char sql[64];
    write_at(THIEF, "t1");
    give(THIEF, HUB);
    for (int i = 0; i < NV_LIMIT_BEYOND_OF_LOG + 76; i++) {
        snprintf(sql, sizeof sql, "UPDATE item SET b = %d", i + 1);
        nv_stores_sql(&stores, THIEF, false, sql);
        nv_stores_seal(&stores, THIEF);
    }
    stream(THIEF, NEAR);
    nv_stores_revoke(&stores, THIEF);
    stream(HUB, FAR);
    assert_int_equal(stream(THIEF, FAR), NV_LIMIT_BEYOND_OF_LOG);
    assert_int_equal(stream(THIEF, FAR), 0);
    stream(HUB, NEAR); /* it vouches for all of them */
    stream(NEAR, FAR);
    assert_int_equal(has_of_thief(FAR), 1);
    stream(NEAR, FAR);
    assert_int_equal(has_of_thief(FAR), NV_LIMIT_BEYOND_OF_LOG + 77);
    check_beyond(FAR, "0\n");
    stream(FAR, HUB);
    stream(FAR, HUB);
    nv_stores_seal(&stores, HUB); /* merges what was too much at once */
    check(HUB, "SELECT b FROM item", "1100\n");
}

/* ---- failing on the way ---- */

static int refuse_commit(void *refusals)
{
    int *left = refusals;
    return (*left)-- > 0;
}

static void a_commit_that_fails_changes_nothing(void **state)
{
    (void)state;
    static const char everything[] = "SELECT number, seq, hex(hash) FROM navette_changeset UNION ALL "
                                     "SELECT number, has_seq, hex(has_hash) FROM navette_log UNION ALL "
                                     "SELECT number, seq, hex(hash) FROM navette_beyond ORDER BY 1, 2, 3";
    static const size_t honest[] = {HUB, NEAR, FAR};
    int refusals = 1;
    steal();
    char *before = nv_stores_text(&stores, NEAR, everything);
    sqlite3_commit_hook(nv_store_db(stores.sites[NEAR].store), refuse_commit, &refusals);
    static struct nv_stores_parcel parcel;
    struct nv_incoming incoming[64] = {0};
    struct nv_error error;
    nv_stores_fetch(&stores, &dice, HUB, NEAR, &line, &parcel);
    for (size_t i = 0; i < parcel.count; i++)
        incoming[i].bytes = parcel.changesets[i];
    assert_int_not_equal(nv_store_ingest(stores.sites[NEAR].store, incoming, parcel.count,
                                         nv_stores_turn(&stores, NEAR), LONG_MS, &error),
                         NV_OK);
    nv_buffer_done(&parcel.bytes);
    check(NEAR, everything, before);
    free(before);
    exchange(honest, 3);
    check_alike(honest, 3);
    check_rows(HUB, "t1 t2\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_merged_before_counts_everywhere),
        TEST(what_comes_after_all_know_counts_nowhere),
        TEST(who_holds_it_waits_for_the_word),
        TEST(the_word_may_come_first),
        TEST(words_build_on_each_other),
        TEST(thieves_vouch_for_nobody),
        TEST(what_is_only_held_goes_and_comes_back),
        TEST(it_is_listed_by_whose_word_something_counts),
        TEST(another_history_is_in_nobodys_way),
        TEST(who_loses_the_right_vouches_for_nothing),
        TEST(with_a_new_right_it_goes_on),
        TEST(old_keys_seal_nothing),
        TEST(so_much_is_held_of_a_log_unless_somebody_vouches),
        TEST(a_commit_that_fails_changes_nothing),
    };
    return cmocka_run_group_tests_name("beyond", tests, NULL, NULL);
}
