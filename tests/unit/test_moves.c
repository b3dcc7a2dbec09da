/* Records that move between scopes: made anew there, deleted here once another node has that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "groups.h"
#include "store/care.h"
#include "store/moves.h"

static const char schema[] =
    "CREATE TABLE learner(id TEXT NOT NULL PRIMARY KEY, name TEXT, phone TEXT, visible_to TEXT, seen TEXT DEFAULT "
    "'no');"
    "CREATE TABLE stay(id TEXT NOT NULL PRIMARY KEY, place TEXT, learner TEXT REFERENCES learner);"
    "CREATE TABLE mark(id TEXT NOT NULL PRIMARY KEY, note TEXT, stay TEXT REFERENCES stay(id));"
    "CREATE TABLE notice(id TEXT NOT NULL PRIMARY KEY, text TEXT);"
    "INSERT INTO navette_table(name, scope) VALUES ('learner', 'column:visible_to'), ('stay', 'parent:learner'), "
    "('mark', 'parent:stay'), ('notice', 'network');"
    "INSERT INTO navette_column(table_name, name, rule) VALUES ('learner', 'name', 'home')";

static int setup(void **state)
{
    if (nv_groups_setup(state) != 0)
        return -1;
    nv_groups_publish(*state, schema);
    return 0;
}

#define CHECK(site, sql, expected) nv_pair_check_text((site)->tool, sql, expected)

/* How many records of a group the site keeps, hidden ones too; how many that anybody has for it; its moves. */
static const char kept[] =
    "SELECT (SELECT count(*) FROM navette_version AS v JOIN navette_scope AS s ON s.number = v.scope "
    "JOIN navette_group AS g ON g.scope = s.id WHERE g.name = 'both'), "
    "(SELECT count(*) FROM navette_version AS v JOIN navette_scope AS s ON s.number = v.scope "
    "WHERE s.id = (SELECT value FROM navette_meta WHERE name = 'site')), (SELECT count(*) FROM navette_version "
    "WHERE scope = 1), (SELECT count(*) FROM navette_move), (SELECT count(*) FROM navette_moved)";
static const char learners[] = "SELECT id, name, phone, visible_to FROM learner ORDER BY id";

/* Says that another node has what the site's moves wait for, and lets it end them. */
static void confirm(struct nv_pair_site *site)
{
    struct nv_far_head heads[8];
    struct nv_error error;
    size_t count;
    nv_pair_must(nv_store_moves_awaited(site->store, heads, 8, &count, &error), &error);
    for (size_t i = 0; i < count; i++)
        nv_pair_must(nv_store_moves_held(site->store, &heads[i], &error), &error);
    nv_pair_seal(site);
}

/* Everything gets everywhere, and every move ends. */
static void settle(struct nv_groups *groups)
{
    for (int i = 0; i < 3; i++) {
        nv_groups_settle(groups);
        confirm(groups->hub);
        confirm(groups->north);
        confirm(groups->south);
    }
    nv_groups_settle(groups);
    nv_groups_check(groups);
}

static void check_ended(struct nv_groups *groups)
{
    static const char left[] = "SELECT (SELECT count(*) FROM navette_move) + (SELECT count(*) FROM navette_moved) + "
                               "(SELECT count(*) FROM navette_unplaced) + (SELECT count(*) FROM navette_conflict)";
    CHECK(groups->hub, left, "0\n");
    CHECK(groups->north, left, "0\n");
    CHECK(groups->south, left, "0\n");
}

static enum nv_status ask(struct nv_groups *groups, struct nv_pair_site *site, const char *table, const char *key,
                          const char *scope, struct nv_error *error)
{
    struct nv_buffer bytes = {0};
    nv_value_encode(&bytes, &(struct nv_value){.type = NV_TEXT, .bytes = {(const uint8_t *)key, strlen(key)}});
    enum nv_status status =
        nv_store_move(site->store, table, nv_buffer_slice(&bytes), nv_groups_scope(groups, scope), error);
    nv_buffer_done(&bytes);
    return status;
}

/* ---- by the home's word ---- */

static void a_record_moves_with_its_children(void **state)
{
    struct nv_groups *groups = *state;
    struct nv_error error;
    nv_pair_sql(groups->north, "INSERT INTO learner(id, name, phone) VALUES ('l', 'A', '1'), ('k', 'B', '2');"
                               "INSERT INTO stay VALUES ('s', 'X', 'l'), ('t', 'Y', 'k');"
                               "INSERT INTO mark VALUES ('m', 'good', 's'), ('n', 'fair', 't')");
    nv_groups_settle(groups);
    CHECK(groups->south, learners, "");
    nv_pair_must(ask(groups, groups->north, "learner", "l", "group/both", &error), &error);
    nv_pair_seal(groups->north);
    CHECK(groups->north, kept, "3|6|0|1|3\n");
    CHECK(groups->north, learners, "k|B|2|NULL\nl|A|1|group/both\n");
    nv_groups_settle(groups);
    CHECK(groups->south, learners, "l|A|1|group/both\n");
    CHECK(groups->south, "SELECT note, place FROM mark JOIN stay ON stay.id = stay", "good|X\n");
    CHECK(groups->north, kept, "3|6|0|1|3\n"); /* nobody has said that it has them */
    confirm(groups->north);
    CHECK(groups->north, kept, "3|6|0|0|0\n"); /* those of its own are hidden now */
    settle(groups);
    check_ended(groups);
    CHECK(groups->north, learners, "k|B|2|NULL\nl|A|1|group/both\n");
    nv_pair_sql(groups->south, "UPDATE learner SET phone = '11'; UPDATE mark SET note = 'better'");
    settle(groups);
    CHECK(groups->north,
          "SELECT phone, note FROM learner JOIN stay ON learner.id = learner JOIN mark ON stay.id = stay "
          "ORDER BY learner.id",
          "2|fair\n11|better\n");
    CHECK(groups->hub, learners, "");
}

/* The group is left before anybody has what was moved: it stays where it was, is listed, and goes once it can. */
static void a_move_to_a_group_that_is_left_waits_until_it_is_read_again(void **state)
{
    struct nv_groups *groups = *state;
    nv_pair_sql(groups->north, "INSERT INTO learner(id, name, phone) VALUES ('l', 'A', '1')");
    nv_groups_settle(groups);
    nv_pair_sql(groups->north, "UPDATE learner SET visible_to = 'group/both'");
    nv_pair_seal(groups->north);
    CHECK(groups->north, "SELECT count(*) FROM navette_moved", "1\n");
    nv_groups_list(groups, "group/both", groups->north, false);
    nv_pair_deliver(groups->hub, groups->north);
    nv_pair_seal(groups->north);
    CHECK(groups->north, learners, "l|A|1|group/both\n");
    CHECK(groups->north, "SELECT (SELECT count(*) FROM navette_moved), (SELECT count(*) FROM navette_unplaced)",
          "0|1\n");
    nv_groups_list(groups, "group/both", groups->north, true);
    settle(groups);
    settle(groups);
    check_ended(groups);
    CHECK(groups->south, learners, "l|A|1|group/both\n");
}

static void an_update_of_the_column_is_a_move(void **state)
{
    struct nv_groups *groups = *state;
    nv_pair_sql(groups->north, "INSERT INTO learner(id, name, phone, visible_to) VALUES ('l', 'A', '1', 'group/both')");
    settle(groups);
    nv_pair_sql(groups->north, "UPDATE learner SET visible_to = 'network', phone = '2'");
    settle(groups);
    check_ended(groups);
    CHECK(groups->hub, learners, "l|A|2|network\n");
    CHECK(groups->south, learners, "l|A|2|network\n");
    nv_pair_sql(groups->north, "UPDATE learner SET visible_to = NULL");
    settle(groups);
    check_ended(groups);
    CHECK(groups->hub, learners, "");
    CHECK(groups->south, learners, "");
    CHECK(groups->north, learners, "l|A|2|NULL\n");
    nv_pair_sql(groups->north, "UPDATE learner SET visible_to = 'group/both'");
    settle(groups);
    check_ended(groups);
    CHECK(groups->south, learners, "l|A|2|group/both\n");
}

/* Both sites write while it moves: to the record that their rows show, wherever that is. */
static void what_changes_meanwhile_follows(void **state)
{
    struct nv_groups *groups = *state;
    static const char rows[] = "SELECT id, phone, visible_to, seen FROM learner ORDER BY id";
    nv_pair_sql(groups->north,
                "INSERT INTO learner(id, name, phone, visible_to) VALUES ('l', 'A', '1', 'group/both'), "
                "('k', 'B', '1', 'group/both'), ('j', 'C', '1', 'group/both'), ('i', 'D', '1', 'network'), "
                "('h', 'E', '1', 'group/both')");
    settle(groups);
    nv_pair_sql(groups->north, "UPDATE learner SET visible_to = 'network' WHERE id <> 'i';"
                               "UPDATE learner SET visible_to = 'group/both' WHERE id = 'i'");
    nv_pair_seal(groups->north);
    nv_pair_sql(groups->south,
                "UPDATE learner SET phone = 'south' WHERE id IN ('l', 'i'); DELETE FROM learner WHERE id = 'h'");
    nv_pair_sql(groups->north,
                "UPDATE learner SET seen = 'north' WHERE id <> 'k'; INSERT INTO stay VALUES ('s', 'X', 'l')");
    nv_groups_settle(groups);
    nv_pair_sql(groups->south, "DELETE FROM learner WHERE id = 'k'"); /* it has seen all of it */
    settle(groups);
    CHECK(groups->north, rows,
          "h|1|network|north\ni|south|group/both|north\nj|1|network|north\nl|south|network|north\n");
    CHECK(groups->south, rows,
          "h|1|network|north\ni|south|group/both|north\nj|1|network|north\nl|south|network|north\n");
    CHECK(groups->hub, rows, "h|1|network|north\nj|1|network|north\nl|south|network|north\n");
    CHECK(groups->hub, "SELECT place FROM stay", "X\n");
    CHECK(groups->hub, "SELECT key_text, kind, scope FROM navette_conflict", "h|deleted|1\n");
    nv_pair_sql(groups->hub, "DELETE FROM learner WHERE id = 'h'");
    settle(groups);
    check_ended(groups);
}

/* Somebody has to say first whether a record is to be at all. */
static void a_record_that_was_deleted_and_edited_waits_for_an_answer(void **state)
{
    struct nv_groups *groups = *state;
    nv_pair_sql(groups->north, "INSERT INTO learner(id, name, visible_to) VALUES ('l', 'A', 'group/both')");
    settle(groups);
    nv_pair_sql(groups->north, "UPDATE learner SET visible_to = 'group/hub'");
    nv_groups_list(groups, "group/hub", groups->north, false);
    nv_pair_sql(groups->south, "DELETE FROM learner");
    settle(groups);
    nv_groups_list(groups, "group/hub", groups->north, true);
    settle(groups);
    CHECK(groups->hub, learners, "");
    CHECK(groups->north, "SELECT (SELECT count(*) FROM navette_unplaced), (SELECT kind FROM navette_conflict)",
          "1|deleted\n");
    nv_pair_sql(groups->north, "UPDATE learner SET phone = 'kept'");
    settle(groups);
    check_ended(groups);
    CHECK(groups->hub, learners, "l|A|kept|group/hub\n");
    CHECK(groups->south, learners, "");
}

static void values_that_compete_go_on_competing(void **state)
{
    struct nv_groups *groups = *state;
    static const char open[] = "SELECT field, value FROM navette_conflict WHERE kind = 'values' ORDER BY choice";
    nv_pair_sql(groups->north, "INSERT INTO learner(id, name, phone, visible_to) VALUES ('l', 'A', '1', 'group/both')");
    settle(groups);
    nv_pair_sql(groups->north, "UPDATE learner SET phone = 'n', name = 'N'");
    nv_pair_sql(groups->south, "UPDATE learner SET phone = 's', name = 'S'");
    nv_groups_settle(groups);
    CHECK(groups->north, open, "name|N\nphone|n\nname|S\nphone|s\n");
    nv_pair_sql(groups->north, "UPDATE learner SET visible_to = 'network'");
    settle(groups);
    CHECK(groups->hub, open, "name|N\nphone|n\nname|S\nphone|s\n");
    CHECK(groups->hub, "SELECT count(*) FROM navette_conflict WHERE kind <> 'values'", "0\n");
    CHECK(groups->hub,
          "SELECT (SELECT name FROM navette_member WHERE hex(site) = upper(c.site)) FROM navette_conflict "
          "AS c WHERE value = 'S'",
          "school\n"); /* who put it there; who wrote it is told by the log of the group */
}

/* Where another record of that key is, they stay two: what differs is asked. */
static void a_record_that_is_there_is_not_written_over(void **state)
{
    struct nv_groups *groups = *state;
    nv_pair_sql(groups->hub, "INSERT INTO learner(id, name, phone, visible_to) VALUES ('l', 'hub', '1', 'network')");
    nv_pair_sql(groups->north,
                "INSERT INTO learner(id, name, phone, visible_to) VALUES ('l', 'north', '1', 'group/both')");
    settle(groups);
    nv_pair_sql(groups->north, "UPDATE learner SET visible_to = 'network'");
    settle(groups);
    CHECK(groups->hub, "SELECT field, value FROM navette_conflict ORDER BY choice", "name|hub\nname|north\n");
    CHECK(groups->north, "SELECT kind, field, value FROM navette_conflict ORDER BY choice",
          "values|name|hub\nvalues|name|north\n");
    CHECK(groups->north, "SELECT count(*) FROM navette_move", "0\n");
}

/* ---- what had to wait ---- */

static void records_go_once_their_scope_is_there(void **state)
{
    struct nv_groups *groups = *state;
    nv_pair_sql(groups->south, "INSERT INTO learner(id, name, visible_to) VALUES ('l', 'A', 'group/north'), "
                               "('k', 'B', 'group/later');"
                               "INSERT INTO stay VALUES ('s', 'X', 'l'), ('t', 'Y', 'from north')");
    settle(groups);
    CHECK(groups->south, "SELECT count(*) FROM navette_unplaced", "3\n");
    nv_groups_list(groups, "group/north", groups->south, true);
    nv_pair_sql(groups->north, "INSERT INTO learner(id, name, visible_to) VALUES ('from north', 'C', 'group/both')");
    settle(groups);
    CHECK(groups->south, "SELECT count(*) FROM navette_unplaced", "1\n");
    CHECK(groups->north, "SELECT id, name FROM learner ORDER BY id", "from north|C\nl|A\n");
    CHECK(groups->north, "SELECT id, place FROM stay ORDER BY id", "s|X\nt|Y\n");
    CHECK(groups->hub, "SELECT (SELECT count(*) FROM learner) + (SELECT count(*) FROM stay)", "0\n");
}

static void a_move_is_given_up_where_its_scope_is_no_longer_read(void **state)
{
    struct nv_groups *groups = *state;
    nv_pair_sql(groups->south, "INSERT INTO learner(id, name, visible_to) VALUES ('l', 'A', NULL)");
    settle(groups);
    nv_pair_sql(groups->south, "UPDATE learner SET visible_to = 'group/both'");
    nv_pair_seal(groups->south);
    CHECK(groups->south, kept, "1|1|0|1|1\n");
    nv_groups_list(groups, "group/both", groups->south, false);
    nv_pair_seal(groups->south);
    CHECK(groups->south, kept, "0|1|0|0|0\n");
    CHECK(groups->south, "SELECT id, name FROM learner", "l|A\n");
    settle(groups);
    nv_groups_list(groups, "group/both", groups->south, true);
    settle(groups);
}

static void a_move_that_nobody_else_could_have_ends(void **state)
{
    struct nv_groups *groups = *state;
    nv_pair_sql(groups->hub, "INSERT INTO learner(id, name, visible_to) VALUES ('l', 'A', 'network')");
    settle(groups);
    nv_pair_sql(groups->hub, "UPDATE learner SET visible_to = 'group/hub'");
    nv_pair_seal(groups->hub);
    nv_pair_seal(groups->hub);
    CHECK(groups->hub, "SELECT held FROM navette_move", "0\n"); /* the north reads it, too */
    nv_groups_list(groups, "group/hub", groups->north, false);
    nv_pair_seal(groups->hub);
    CHECK(groups->hub, kept, "0|0|1|0|0\n");
    nv_pair_sql(groups->hub, "UPDATE learner SET visible_to = 'network'");
    settle(groups);
    nv_pair_sql(groups->hub, "UPDATE learner SET visible_to = 'group/hub'"); /* and now only the hub does */
    nv_pair_seal(groups->hub);
    nv_pair_seal(groups->hub);
    check_ended(groups);
    settle(groups);
    CHECK(groups->hub, learners, "l|A|NULL|group/hub\n");
    CHECK(groups->north, learners, "");
}

/* ---- what is refused ---- */

static void a_move_is_for_the_home_and_between_scopes_that_it_reads(void **state)
{
    struct nv_groups *groups = *state;
    struct nv_error error;
    nv_pair_sql(groups->north, "INSERT INTO learner(id, name, visible_to) VALUES ('l', 'A', 'group/both'); "
                               "INSERT INTO stay VALUES ('s', 'X', 'l'); INSERT INTO notice VALUES ('n', 'x')");
    settle(groups);
    const struct {
        struct nv_pair_site *site;
        const char *table, *key, *scope, *word;
        enum nv_status status;
    } asked[] = {{groups->south, "learner", "l", "network", "another site", NV_REFUSED},
                 {groups->north, "learner", "l", "site/south", "does not read", NV_REFUSED},
                 {groups->north, "learner", "none", "network", "no record", NV_NOT_FOUND},
                 {groups->north, "stay", "s", "network", "learner references", NV_REFUSED},
                 {groups->north, "notice", "n", "group/both", "scope network", NV_REFUSED},
                 {groups->north, "nothing", "n", "group/both", "no such table", NV_NOT_FOUND}};
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        assert_int_equal(ask(groups, asked[i].site, asked[i].table, asked[i].key, asked[i].scope, &error),
                         asked[i].status);
        if (strstr(error.text, asked[i].word) == NULL)
            fail_msg("the message has no \"%s\": %s", asked[i].word, error.text);
    }
    settle(groups);
    check_ended(groups);
    CHECK(groups->south, learners, "l|A|NULL|group/both\n");
    nv_pair_must(ask(groups, groups->north, "learner", "l", "site/school", &error), &error);
    settle(groups);
    CHECK(groups->north, learners, "l|A|NULL|NULL\n");
    CHECK(groups->south, learners, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, nv_groups_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_record_moves_with_its_children),
        TEST(a_move_to_a_group_that_is_left_waits_until_it_is_read_again),
        TEST(an_update_of_the_column_is_a_move),
        TEST(what_changes_meanwhile_follows),
        TEST(a_record_that_was_deleted_and_edited_waits_for_an_answer),
        TEST(values_that_compete_go_on_competing),
        TEST(a_record_that_is_there_is_not_written_over),
        TEST(records_go_once_their_scope_is_there),
        TEST(a_move_that_nobody_else_could_have_ends),
        TEST(a_move_is_given_up_where_its_scope_is_no_longer_read),
        TEST(a_move_is_for_the_home_and_between_scopes_that_it_reads),
    };
    return cmocka_run_group_tests_name("moves", tests, NULL, NULL);
}
