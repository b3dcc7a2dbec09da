/* What a member may sign and no site shows: values, keys, columns and tables that do not count are no-ops everywhere,
 * and listed where a person should know of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "forged.h"
#include "store/care.h"
#include "store/log/logs.h"

static int setup(void **state)
{
    if (nv_pair_setup(state) != 0)
        return -1;
    struct nv_pair *pair = *state;
    nv_pair_publish(pair,
                    "CREATE TABLE item(id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL DEFAULT '', size INTEGER,"
                    " grade REAL, any BLOB CHECK (length(any) < 5));"
                    "CREATE TABLE numbered(site INTEGER NOT NULL, n INTEGER NOT NULL, v TEXT, PRIMARY KEY(site, n))"
                    " WITHOUT ROWID;"
                    "INSERT INTO navette_table(name, scope) VALUES ('item', 'network'), ('numbered', 'network')");
    nv_pair_publish(pair, "ALTER TABLE item ADD COLUMN later TEXT DEFAULT 'unsaid'");
    nv_pair_deliver(&pair->hub, &pair->school);
    return 0;
}

/* A put of one field; `position` counts back from the newest authority position. */
struct put {
    const char *what;
    uint32_t table;
    const char *key;
    size_t key_size;
    unsigned field;
    struct nv_value value;
    uint64_t positions_back;
    const char *quarantine; /* what is listed of it */
};

#define TEXT(text)                                                                                                     \
    {                                                                                                                  \
        .type = NV_TEXT, .bytes = {(const uint8_t *)(text), sizeof(text) - 1 }                                         \
    }
#define INTEGER(n)                                                                                                     \
    {                                                                                                                  \
        .type = NV_INTEGER, .integer = (n)                                                                             \
    }
#define REAL(r)                                                                                                        \
    {                                                                                                                  \
        .type = NV_REAL, .real = (r)                                                                                   \
    }
#define A "\3\1a"
#define TWO_NUMBERS "\1\2\1\4"

static void sign_put(struct forged *forged, const struct put *put)
{
    static struct nv_op op;
    struct nv_buffer bytes = {0};
    memset(&op, 0, sizeof op);
    op.kind = NV_OP_PUT;
    op.table = put->table;
    op.key = (struct nv_slice){(const uint8_t *)put->key, put->key_size};
    op.time = nv_pair_now;
    op.fields = (nv_fields)1 << put->field;
    op.value_count = 1;
    op.values[0] = put->value;
    nv_op_encode(&op, &bytes);
    struct nv_slice slice = nv_buffer_slice(&bytes);
    int64_t changeset;
    struct nv_hash hash;
    struct nv_error error;
    forged->header.authority_seq -= put->positions_back;
    nv_pair_must(nv_changeset_at(forged->pair->hub.store, nv_authority_log(forged->pair->hub.store)->number,
                                 forged->header.authority_seq, &changeset, &hash, &error),
                 &error);
    forged->header.authority_pin = nv_pin_of(&hash);
    forged_sign_ops(forged, &slice, 1);
    nv_buffer_done(&bytes);
}

static void take(struct nv_pair_site *site, const struct forged *forged)
{
    struct nv_incoming incoming = {.bytes = nv_buffer_slice(&forged->bytes)};
    struct nv_error error;
    nv_pair_must(nv_store_ingest(site->store, &incoming, 1, nv_pair_now, 60000, &error), &error);
    if (incoming.verdict != NV_VERDICT_TAKEN)
        fail_msg("%s", incoming.text);
}

static const char rows[] = "SELECT id, name, size, grade, any, later FROM item UNION ALL "
                           "SELECT site, n, v, 0, 0, 0 FROM numbered";
static const char listed[] = "SELECT tbl, field, reason, value FROM navette_quarantine";

static const struct put no_ops[] = {
    {"a table that nobody published", 7, A, 3, 0, TEXT("x"), 0, "7|-1|table|NULL\n"},
    {"a table that was published later", 1, A, 3, 0, TEXT("x"), 2, "1|-1|table|NULL\n"},
    {"a column that was published later", 1, A, 3, 4, TEXT("x"), 1, "1|4|value|x\n"},
    {"a column that nobody published", 1, A, 3, 9, TEXT("x"), 0, "1|9|value|x\n"},
    {"NULL where a value must be", 1, A, 3, 0, {.type = NV_NULL}, 0, "1|0|value|NULL\n"},
    {"a text that an INTEGER column would store as a number", 1, A, 3, 1, TEXT("012"), 0, "1|1|value|012\n"},
    {"a whole real that an INTEGER column would store as an integer", 1, A, 3, 1, REAL(2), 0, "1|1|value|2.0\n"},
    {"an integer in a REAL column", 1, A, 3, 2, INTEGER(2), 0, "1|2|value|2\n"},
    {"a negative zero", 1, A, 3, 2, REAL(-0.0), 0, "1|2|value|0.0\n"},
    {"what a CHECK refuses", 1, A, 3, 3, TEXT("12345"), 0, "1|3|value|12345\n"},
    {"a key of two columns where there is one", 1, A A, 6, 0, TEXT("x"), 0, "1|-1|key|NULL\n"},
    {"a key of one column where there are two", 2, "\1\2", 2, 0, TEXT("x"), 0, "2|-1|key|NULL\n"},
    {"a key that is a real", 1, "\2\0\0\0\0\0\0\xf0\x3f", 9, 0, TEXT("x"), 0, "1|-1|key|NULL\n"},
    {"a key that its column would store differently", 1, "\1\2", 2, 0, TEXT("x"), 0, "1|-1|key|NULL\n"},
    {"a text that would be a number in a key", 2,
     "\3\1"
     "7\1\2",
     5, 0, TEXT("x"), 0, "2|-1|key|NULL\n"},
};

static void what_does_not_count_shows_nowhere_and_is_listed(void **state)
{
    struct nv_pair *pair = *state;
    for (size_t i = 0; i < sizeof no_ops / sizeof *no_ops; i++) {
        struct forged forged = forged_begin(pair);
        sign_put(&forged, &no_ops[i]);
        for (size_t site = 0; site < 2; site++) {
            struct nv_pair_site *at = site == 0 ? &pair->hub : &pair->school;
            take(at, &forged);
            char *found = nv_pair_text(at->tool, rows), *told = nv_pair_text(at->tool, listed);
            if (strcmp(found, "") != 0 || strcmp(told, no_ops[i].quarantine) != 0)
                fail_msg("%s: the rows are\n%sand this is listed:\n%s", no_ops[i].what, found, told);
            free(found);
            free(told);
            nv_pair_sql(at, "DELETE FROM navette_quarantine");
        }
        forged_done(&forged);
    }
    struct nv_rebuilt rebuilt;
    struct nv_error error;
    nv_pair_must(nv_store_rebuild(pair->hub.store, nv_pair_now, &rebuilt, NULL, &error), &error);
    assert_int_equal(rebuilt.versions_mended + rebuilt.rows_mended, 0);
    nv_pair_check_text(pair->hub.tool, rows, "");
}

static const struct put good_ones[] = {
    {"a text", 1, A, 3, 0, TEXT("x"), 0, ""},
    {"at the position of its table", 1, A, 3, 0, TEXT("y"), 1, ""},
    {"a text that is no number in an INTEGER column", 1, A, 3, 1, TEXT("two"), 0, ""},
    {"a real with a fraction in an INTEGER column", 1, A, 3, 1, REAL(2.5), 0, ""},
    {"a real", 1, A, 3, 2, REAL(2), 0, ""},
    {"a blob in any column", 1, A, 3, 0, {.type = NV_BLOB, .bytes = {(const uint8_t *)"b", 1}}, 0, ""},
    {"what a CHECK takes", 1, A, 3, 3, TEXT("1234"), 0, ""},
    {"NULL, which a CHECK takes too", 1, A, 3, 3, {.type = NV_NULL}, 0, ""},
    {"a key of two columns", 2, TWO_NUMBERS, 4, 0, TEXT("x"), 0, ""},
};

static void what_counts_shows_everywhere(void **state)
{
    struct nv_pair *pair = *state;
    for (size_t i = 0; i < sizeof good_ones / sizeof *good_ones; i++) {
        struct forged forged = forged_begin(pair);
        sign_put(&forged, &good_ones[i]);
        take(&pair->hub, &forged);
        take(&pair->school, &forged);
        char *here = nv_pair_text(pair->hub.tool, rows);
        if (strcmp(here, "") == 0)
            fail_msg("%s", good_ones[i].what);
        nv_pair_check_text(pair->school.tool, rows, here);
        nv_pair_check_text(pair->hub.tool, listed, "");
        free(here);
        forged_done(&forged);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, nv_pair_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_does_not_count_shows_nowhere_and_is_listed),
        TEST(what_counts_shows_everywhere),
    };
    return cmocka_run_group_tests_name("quarantine", tests, NULL, NULL);
}
