/* Several scopes with different readers, in real stores: random SQL at up to five sites, sealed, delivered in any order
 * and in part. At the end each reader of a scope keeps of it what the model says of that scope alone, a row shows its
 * key's narrowest record, and no value ever stood in a log of another scope than it was written for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/heads.h"
#include "scoped.h"
#include "store/care.h"
#include "store/internal.h"
#include "store/merge/merge.h"
#include "store/moves.h"
#include "store/seal.h"
#include "store/trust/rights.h"
#include "wire/changeset.h"

enum { SCHEDULES = 600, GROUPS = 3, VALUES = 900, KEYS = 2, CUTS = 256 };
enum { SCOPES = 1 + GROUPS + NV_STORES_ALL, NETWORK = 0, OWN = 1 + GROUPS /* and on, by site */, NOWHERE = SCOPES };
enum table { CARD, OFFER, TABLES };

/* Who reads a card a column says; an offer is written by its home alone. */
static const char schema[] =
    "CREATE TABLE card(id TEXT NOT NULL PRIMARY KEY, a TEXT, b TEXT, c TEXT, reach TEXT);"
    "CREATE TABLE offer(id TEXT NOT NULL PRIMARY KEY, a TEXT, b TEXT, c TEXT);"
    "INSERT INTO navette_table(name, scope, writers) VALUES ('card', 'column:reach', 'scope'), "
    "('offer', 'network', 'home')";
static const char *const table_names[] = {"card", "offer"};

struct cut {
    size_t scope;
    struct nv_hash vector, state;
};

struct world {
    struct nv_dice dice;
    struct nv_stores stores;
    struct nv_scope_id groups[GROUPS];
    bool reads[GROUPS][NV_STORES_ALL];
    uint32_t table[TABLES];
    size_t intended[VALUES]; /* for which scope each value was written; of an offer's, by whose home */
    size_t value_count;
    size_t key_of[VALUES];
    bool moved[KEYS][SCOPES][SCOPES];             /* from where to where a card was asked to move, ever */
    size_t unsealed[NV_STORES_ALL][TABLES][KEYS]; /* the scope of a row that was made since the last seal; NOWHERE */
    struct cut cuts[CUTS];
    size_t cut_count;
    struct nv_scoped scoped;
};

static void must(enum nv_status status, const struct nv_error *error)
{
    if (status != NV_OK)
        fail_msg("%s: %s", nv_status_text(status), error->text);
}

/* ---- scopes ---- */

static bool is_there(const struct world *world, size_t site)
{
    return world->stores.sites[site].store != NULL;
}

static struct nv_scope_id id_of(const struct world *world, size_t scope)
{
    struct nv_scope_id id = NV_SCOPE_NETWORK;
    if (scope >= OWN)
        memcpy(id.bytes, world->stores.sites[scope - OWN].id.bytes, sizeof id.bytes);
    else if (scope != NETWORK)
        id = world->groups[scope - 1];
    return id;
}

static bool reads(const struct world *world, size_t scope, size_t site)
{
    if (!is_there(world, site) || (scope >= OWN && !is_there(world, scope - OWN)))
        return false;
    return scope == NETWORK || (scope >= OWN ? scope - OWN == site : world->reads[scope - 1][site]);
}

/* As far as the site has heard. */
static bool knows_to_read(const struct world *world, size_t scope, size_t site)
{
    return nv_right_reads(world->stores.sites[site].store, id_of(world, scope), world->stores.sites[site].id,
                          NV_POSITION_NOW);
}

/* From the narrowest: the site's own, the groups by id, the network. */
static size_t rank_of(const struct world *world, size_t scope)
{
    size_t rank = 1;
    for (size_t group = 0; scope != NETWORK && scope < OWN && group < GROUPS; group++)
        rank += memcmp(&world->groups[group], &world->groups[scope - 1], sizeof(struct nv_scope_id)) < 0;
    return scope >= OWN ? 0 : scope == NETWORK ? SCOPES : rank;
}

static void make_groups(struct world *world)
{
    for (size_t group = 0; group < GROUPS; group++) {
        char name[8];
        snprintf(name, sizeof name, "g%zu", group);
        world->groups[group] = nv_stores_group(&world->stores, name);
        for (size_t site = 0; site < NV_STORES_ALL; site++) {
            world->reads[group][site] = is_there(world, site) && nv_dice_percent(&world->dice, 60);
            if (world->reads[group][site])
                nv_stores_list(&world->stores, world->groups[group], site, true);
        }
    }
}

/* ---- sealing and delivering ---- */

static void seal(struct world *world, size_t site)
{
    nv_stores_seal(&world->stores, site);
    for (size_t i = 0; i < TABLES * KEYS; i++)
        world->unsealed[site][i / KEYS][i % KEYS] = NOWHERE;
}

/* Leaves out what the other does not carry. */
static void keep_carried(struct world *world, size_t to, struct nv_stores_parcel *parcel)
{
    struct nv_arena arena = {.limit = 8 << 20};
    size_t kept = 0;
    for (size_t i = 0; i < parcel->count; i++) {
        struct nv_changeset_parts parts;
        struct nv_header header;
        struct nv_error error;
        must(nv_changeset_split(parcel->changesets[i], &parts, &error), &error);
        must(nv_header_decode(parts.header, &arena, &header, &error), &error);
        if (nv_right_carries(world->stores.sites[to].store, header.log.scope, world->stores.sites[to].id,
                             NV_POSITION_NOW))
            parcel->changesets[kept++] = parcel->changesets[i];
    }
    parcel->count = kept;
    nv_arena_done(&arena);
}

static size_t deliver(struct world *world, size_t from, size_t to, const struct nv_stores_line *line)
{
    static struct nv_stores_parcel parcel;
    nv_stores_fetch(&world->stores, &world->dice, from, to, line, &parcel);
    keep_carried(world, to, &parcel);
    if (parcel.count == 0) {
        nv_buffer_done(&parcel.bytes);
        return 0;
    }
    size_t taken = nv_stores_hand_over(&world->stores, &world->dice, to, &parcel);
    for (size_t i = 0; i < TABLES * KEYS; i++)
        world->unsealed[to][i / KEYS][i % KEYS] = NOWHERE;
    return taken;
}

static void deliver_some(struct world *world)
{
    struct nv_dice *dice = &world->dice;
    size_t from = nv_dice_below(dice, world->stores.count);
    size_t to = (from + 1 + nv_dice_below(dice, world->stores.count - 1)) % world->stores.count;
    struct nv_stores_line line = {.forgets = nv_dice_percent(dice, 15),
                                  .shuffles = nv_dice_percent(dice, 20),
                                  .lost_percent = nv_dice_percent(dice, 30) ? 30 : 0,
                                  .twice_percent = nv_dice_percent(dice, 30) ? 30 : 0,
                                  .budget_bytes = nv_dice_percent(dice, 50) ? 1 : 1 << 20,
                                  .reads = 1 + nv_dice_below(dice, 6)};
    deliver(world, from, to, &line);
}

/* ---- writing ---- */

/* The scope of the record that a site's row shows, or the home of it where homes write; NOWHERE: there is no row. */
static size_t shown_at(struct world *world, size_t site, enum table table, size_t key)
{
    struct nv_store *store = world->stores.sites[site].store;
    struct nv_merge merge;
    struct nv_buffer encoded = {0};
    struct nv_error error;
    size_t found = world->unsealed[site][table][key];
    nv_value_encode(&encoded, &(struct nv_value){.type = NV_TEXT, .bytes = {(const uint8_t *)nv_stores_keys[key], 2}});
    nv_merge_init(&merge, store, (struct nv_wall_ms){0}, NULL);
    must(nv_merge_find_shown(&merge, nv_store_table(store, table_names[table]), nv_buffer_slice(&encoded), &error),
         &error);
    const struct nv_numbered_scope *shown = nv_scope_numbered(store, merge.scope);
    for (size_t scope = 0; shown != NULL && table == CARD && scope < SCOPES; scope++)
        if ((scope < OWN || is_there(world, scope - OWN)) && nv_scope_id_equal(id_of(world, scope), shown->id))
            found = scope;
    for (size_t home = 0; shown != NULL && table == OFFER && home < NV_STORES_ALL; home++)
        if (is_there(world, home) && nv_site_id_compare(world->stores.sites[home].id, shown->home) == 0)
            found = home;
    nv_merge_done(&merge);
    nv_buffer_done(&encoded);
    return found;
}

static bool is_home(struct world *world, size_t site, size_t key)
{
    struct nv_store *store = world->stores.sites[site].store;
    struct nv_merge merge;
    struct nv_buffer encoded = {0};
    struct nv_error error;
    nv_value_encode(&encoded, &(struct nv_value){.type = NV_TEXT, .bytes = {(const uint8_t *)nv_stores_keys[key], 2}});
    nv_merge_init(&merge, store, (struct nv_wall_ms){0}, NULL);
    must(nv_merge_find_shown(&merge, nv_store_table(store, "card"), nv_buffer_slice(&encoded), &error), &error);
    bool is = nv_site_id_compare(merge.version.record.home, world->stores.sites[site].id) == 0;
    nv_merge_done(&merge);
    nv_buffer_done(&encoded);
    return is;
}

static size_t new_value(struct world *world, size_t key, size_t intended)
{
    assert_true(world->value_count < VALUES);
    world->key_of[world->value_count] = key;
    world->intended[world->value_count] = intended;
    return world->value_count++;
}

static bool row_there(struct world *world, size_t site, enum table table, size_t key)
{
    char sql[100];
    snprintf(sql, sizeof sql, "SELECT id FROM %s WHERE id = '%s'", table_names[table], nv_stores_keys[key]);
    char *text = nv_stores_text(&world->stores, site, sql);
    bool is = text[0] != '\0';
    free(text);
    return is;
}

static void insert(struct world *world, size_t site, enum table table, size_t key)
{
    struct nv_dice *dice = &world->dice;
    char sql[200], reach[40] = "NULL";
    size_t asked = nv_dice_below(dice, 2 + GROUPS), scope = OWN + site;
    seal(world, site); /* what was deleted before is no part of what is made now */
    if (row_there(world, site, table, key))
        return;
    if (asked <= GROUPS && !knows_to_read(world, asked, site))
        asked = OWN;
    if (asked == NETWORK)
        strcpy(reach, "'network'");
    else if (asked <= GROUPS)
        snprintf(reach, sizeof reach, "'group/g%zu'", asked - 1);
    if (asked <= GROUPS)
        scope = asked;
    if (table == OFFER)
        scope = site;
    world->unsealed[site][table][key] = scope;
    size_t a = new_value(world, key, scope), b = new_value(world, key, scope), c = new_value(world, key, scope);
    snprintf(sql, sizeof sql, "INSERT INTO %s VALUES ('%s', 'v%zu', 'v%zu', 'v%zu'%s%s)", table_names[table],
             nv_stores_keys[key], a, b, c, table == CARD ? ", " : "", table == CARD ? reach : "");
    nv_stores_sql(&world->stores, site, nv_dice_percent(dice, 50), sql);
}

static void update(struct world *world, size_t site, enum table table, size_t key)
{
    struct nv_dice *dice = &world->dice;
    char sql[200];
    size_t shown = shown_at(world, site, table, key);
    size_t intended = table == OFFER && shown != site ? NOWHERE : shown;
    if (shown == NOWHERE || !row_there(world, site, table, key))
        return;
    if (nv_dice_percent(dice, 20)) /* all at once, as a form does */
        snprintf(sql, sizeof sql, "UPDATE %s SET a = 'v%zu', b = 'v%zu', c = 'v%zu' WHERE id = '%s'",
                 table_names[table], new_value(world, key, intended), new_value(world, key, intended),
                 new_value(world, key, intended), nv_stores_keys[key]);
    else
        snprintf(sql, sizeof sql, "UPDATE %s SET %c = 'v%zu' WHERE id = '%s'", table_names[table],
                 "abc"[nv_dice_below(dice, 3)], new_value(world, key, intended), nv_stores_keys[key]);
    nv_stores_sql(&world->stores, site, nv_dice_percent(dice, 50), sql);
}

/* Whether the card was ever asked to move from the one scope to the other, over any others. */
static bool may_have_moved(const struct world *world, size_t key, size_t from, size_t to)
{
    bool reached[SCOPES] = {0};
    if (from == NOWHERE)
        return false;
    reached[from] = true;
    for (size_t round = 0; round < SCOPES; round++)
        for (size_t scope = 0; scope < SCOPES; scope++)
            for (size_t next = 0; reached[scope] && next < SCOPES; next++)
                reached[next] = reached[next] || world->moved[key][scope][next];
    return reached[to];
}

/* The home says that others read the card. */
static void move_some(struct world *world, size_t site)
{
    struct nv_dice *dice = &world->dice;
    size_t key = nv_dice_below(dice, KEYS), asked = nv_dice_below(dice, 2 + GROUPS);
    char sql[200], reach[40] = "NULL";
    seal(world, site);
    size_t from = shown_at(world, site, CARD, key), to = asked <= GROUPS ? asked : OWN + site;
    if (from == NOWHERE || !knows_to_read(world, to, site) || !is_home(world, site, key))
        return;
    if (asked == NETWORK)
        strcpy(reach, "'network'");
    else if (asked <= GROUPS)
        snprintf(reach, sizeof reach, "'group/g%zu'", asked - 1);
    for (size_t on_the_way = 0; on_the_way < SCOPES; on_the_way++) /* it goes on from where it is to go first */
        if (may_have_moved(world, key, from, on_the_way))
            world->moved[key][on_the_way][to] = true;
    snprintf(sql, sizeof sql, "UPDATE card SET reach = %s WHERE id = '%s'", reach, nv_stores_keys[key]);
    nv_stores_sql(&world->stores, site, nv_dice_percent(dice, 50), sql);
}

/* Moves whose records another site has can end. */
static bool confirm_some(struct world *world, size_t site)
{
    struct nv_far_head awaited[64];
    struct nv_error error;
    size_t count;
    bool any = false;
    must(nv_store_moves_awaited(world->stores.sites[site].store, awaited, 64, &count, &error), &error);
    for (size_t i = 0; i < count; i++)
        for (size_t other = 0; other < NV_STORES_ALL; other++) {
            const struct nv_far_head *has;
            size_t has_count;
            if (other == site || !is_there(world, other))
                continue;
            nv_store_has(world->stores.sites[other].store, &has, &has_count);
            const struct nv_heads heads = {.heads = (struct nv_far_head *)has, .count = has_count};
            if (nv_heads_seq(&heads, &awaited[i]) < awaited[i].seq)
                continue;
            must(nv_store_moves_held(world->stores.sites[site].store, &awaited[i], &error), &error);
            any = true;
        }
    return any;
}

static void write_some(struct world *world, size_t site)
{
    struct nv_dice *dice = &world->dice;
    enum table table = nv_dice_percent(dice, 75) ? CARD : OFFER;
    size_t key = nv_dice_below(dice, KEYS), choice = nv_dice_below(dice, 100);
    char sql[100];
    if (choice < 35) {
        insert(world, site, table, key);
    } else if (choice < 80) {
        update(world, site, table, key);
    } else {
        snprintf(sql, sizeof sql, "DELETE FROM %s WHERE id = '%s'", table_names[table], nv_stores_keys[key]);
        nv_stores_sql(&world->stores, site, nv_dice_percent(dice, 50), sql);
    }
}

/* A site is listed in a group, or taken out of it. */
static void list_some(struct world *world)
{
    size_t group = nv_dice_below(&world->dice, GROUPS), site = nv_dice_below(&world->dice, world->stores.count);
    seal(world, 0); /* what was written there was for those who read it then */
    world->reads[group][site] = !world->reads[group][site];
    nv_stores_list(&world->stores, world->groups[group], site, world->reads[group][site]);
    nv_dice_trace("site %zu reads g%zu: %d", site, group, world->reads[group][site]);
}

/* Equal vectors of a scope at closed cuts give equal digests, whatever else who digests reads. */
static void digest(struct world *world, size_t site, size_t scope)
{
    struct nv_scope_digest found;
    struct nv_error error;
    if (!is_there(world, site) || (scope >= OWN && !is_there(world, scope - OWN)) || !knows_to_read(world, scope, site))
        return;
    must(nv_store_digest(world->stores.sites[site].store, id_of(world, scope), &found, &error), &error);
    assert_true(world->cut_count < CUTS);
    for (size_t i = 0; found.closed && i < world->cut_count; i++)
        if (world->cuts[i].scope == scope && memcmp(&world->cuts[i].vector, &found.vector, sizeof found.vector) == 0)
            assert_memory_equal(&world->cuts[i].state, &found.state, sizeof found.state);
    if (found.closed)
        world->cuts[world->cut_count++] = (struct cut){scope, found.vector, found.state};
}

static void step(struct world *world)
{
    struct nv_dice *dice = &world->dice;
    size_t site = nv_dice_below(dice, world->stores.count), choice = nv_dice_below(dice, 100);
    world->stores.clock_ms += nv_dice_percent(dice, 3) ? 5400000 : (int64_t)nv_dice_below(dice, 3);
    if (choice < 4)
        list_some(world);
    else if (choice < 18)
        move_some(world, site);
    else if (choice < 24)
        confirm_some(world, site);
    else if (choice < 50)
        write_some(world, site);
    else if (choice < 60)
        seal(world, site);
    else if (choice < 95)
        deliver_some(world);
    else
        digest(world, site, nv_dice_below(dice, SCOPES));
}

/* ---- the end ---- */

static void drain(struct world *world)
{
    const struct nv_stores_line good = {.budget_bytes = 1 << 20, .reads = 1000};
    size_t count = world->stores.count, joiner = NV_STORES_ALL - 1, tries = 0;
    for (size_t taken = 1; taken > 0 || tries < NV_STORES_ALL;) {
        tries += taken == 0;
        world->stores.clock_ms += taken == 0 ? 60001 : 0; /* by then somebody else is asked for a key */
        taken = 0;
        for (size_t site = 0; site < count; site++) {
            taken += confirm_some(world, site);
            seal(world, site);
        }
        for (size_t from = 0; from < count; from++)
            for (size_t to = 0; to < count; to++)
                taken += from == to ? 0 : deliver(world, from, to, &good);
        if (taken == 0) { /* some moves wait for nobody else; it vouches for what it merged, and gives keys */
            taken = deliver(world, 0, joiner, &good);
            seal(world, joiner);
            taken += deliver(world, joiner, 0, &good);
        }
    }
}

static void check_values(struct world *world, size_t scope, enum table table)
{
    const struct nv_scoped *scoped = &world->scoped;
    for (size_t op = 0; op < scoped->model.count; op++)
        for (int field = 0; field < 3; field++) {
            if (!(scoped->model.ops[op].fields >> field & 1))
                continue;
            struct nv_value value = nv_code_value(scoped->ops[op].codes[field]);
            char text[16] = "";
            assert_true(value.type == NV_TEXT && value.bytes.size > 1 && value.bytes.size < sizeof text);
            memcpy(text, value.bytes.data, value.bytes.size);
            size_t number = strtoul(text + 1, NULL, 10), intended = world->intended[number];
            if (table == CARD && may_have_moved(world, world->key_of[number], intended, scope))
                continue;
            if (intended != (table == CARD ? scope : scoped->ops[op].site))
                fail_msg("%s of %s was written for scope or site %zu, and stands in a log of scope %zu, site %zu", text,
                         table_names[table], intended, scope, scoped->ops[op].site);
        }
}

/* What a site's row must show of a key, of all that it reads. */
struct shown {
    bool any;
    size_t rank, records;
    int codes[3];
};

static void note_shown(struct world *world, struct shown *shown, size_t rank, const struct nv_model_state *state)
{
    if (!state->is_shown)
        return;
    shown->records++;
    if (shown->any && shown->rank <= rank)
        return;
    shown->any = true;
    shown->rank = rank;
    for (int field = 0; field < 3; field++)
        shown->codes[field] = nv_scoped_shown(&world->scoped, &world->stores, state, field);
}

static struct shown expected[NV_STORES_ALL][TABLES][KEYS];

/* One scope, or one home in it: whoever reads it keeps what the model says. */
static void check_scope(struct world *world, size_t scope, enum table table, size_t home)
{
    static struct nv_model_state state;
    world->scoped.scope = id_of(world, scope);
    world->scoped.table = world->table[table];
    world->scoped.home = home;
    world->scoped.asked = table == CARD ? 1 << 3 : 0;
    size_t reader = 0;
    while (reader < NV_STORES_ALL && !reads(world, scope, reader))
        reader++;
    if (reader == NV_STORES_ALL)
        return; /* its records are shown to nobody */
    nv_scoped_read(&world->scoped, &world->stores, reader);
    check_values(world, scope, table);
    for (size_t key = 0; key < KEYS; key++) {
        nv_scoped_state(&world->scoped, key, &state);
        for (size_t site = 0; site < NV_STORES_ALL; site++) {
            if (!reads(world, scope, site))
                continue;
            nv_scoped_check_version(&world->scoped, &world->stores, site, key, &state);
            size_t rank = rank_of(world, scope);
            for (size_t other = 0; home != NV_STORES_ALL && other < NV_STORES_ALL; other++)
                rank += home != site && is_there(world, other) &&
                        (other == site ||
                         nv_site_id_compare(world->stores.sites[other].id, world->stores.sites[home].id) < 0);
            note_shown(world, &expected[site][table][key], rank, &state);
        }
    }
}

static void check_row(struct world *world, size_t site, enum table table, size_t key)
{
    const struct shown *shown = &expected[site][table][key];
    struct nv_error error;
    sqlite3_stmt *row =
        nv_db_preparef(nv_store_db(world->stores.sites[site].store), &error,
                       "SELECT a, b, c, (SELECT count(*) FROM navette_conflict WHERE kind = 'scopes' AND "
                       "key_text = id AND table_name = '%s') FROM %s WHERE id = '%s'",
                       table_names[table], table_names[table], nv_stores_keys[key]);
    assert_non_null(row);
    assert_int_equal(sqlite3_step(row), shown->any ? SQLITE_ROW : SQLITE_DONE);
    for (int field = 0; shown->any && field < 3; field++) {
        struct nv_value value = nv_db_value(row, field);
        assert_int_equal(nv_code_of(&value), shown->codes[field]);
    }
    if (shown->any)
        assert_int_equal(sqlite3_column_int(row, 3), shown->records > 1 ? shown->records : 0);
    sqlite3_finalize(row);
}

/* Nothing stands here of what the site does not read. */
static void check_held(struct world *world, size_t site)
{
    struct nv_store *store = world->stores.sites[site].store;
    for (size_t scope = 0; scope < SCOPES; scope++) {
        struct nv_error error;
        if ((scope >= OWN && !is_there(world, scope - OWN)) || reads(world, scope, site))
            continue;
        struct nv_scope_id id = id_of(world, scope);
        sqlite3_stmt *count = nv_db_prepare(
            nv_store_db(store),
            "SELECT (SELECT count(*) FROM navette_version AS v JOIN navette_scope AS s ON s.number = v.scope "
            "WHERE s.id = ?1) + (SELECT count(*) FROM navette_changeset AS c JOIN navette_log AS l ON l.number = c.log "
            "WHERE l.scope = ?1 AND ?2)",
            &error);
        assert_non_null(count);
        sqlite3_bind_blob(count, 1, id.bytes, sizeof id.bytes, SQLITE_STATIC);
        sqlite3_bind_int(count, 2, site != 0); /* a hub keeps them for others */
        assert_int_equal(sqlite3_step(count), SQLITE_ROW);
        assert_int_equal(sqlite3_column_int(count, 0), 0);
        sqlite3_finalize(count);
    }
}

static void check_site(struct world *world, size_t site)
{
    static const char all[] = "SELECT tbl, hex(key), scope, hex(version) FROM navette_version ORDER BY 1, 2, 3";
    static const char conflicts[] =
        "SELECT * FROM navette_conflict ORDER BY table_name, key_text, scope, kind, field, choice";
    char *versions = nv_stores_text(&world->stores, site, all),
         *listed = nv_stores_text(&world->stores, site, conflicts);
    struct nv_rebuilt rebuilt = {0};
    struct nv_error error;
    must(
        nv_store_rebuild(world->stores.sites[site].store, nv_stores_turn(&world->stores, site), &rebuilt, NULL, &error),
        &error);
    assert_int_equal(rebuilt.versions_mended, 0);
    assert_int_equal(rebuilt.rows_mended, 0);
    char *versions_after = nv_stores_text(&world->stores, site, all);
    char *listed_after = nv_stores_text(&world->stores, site, conflicts);
    assert_string_equal(versions, versions_after);
    assert_string_equal(listed, listed_after);
    free(versions);
    free(listed);
    free(versions_after);
    free(listed_after);
    char *moves = nv_stores_text(&world->stores, site, "SELECT count(*) FROM navette_move");
    assert_string_equal(moves, "0\n");
    free(moves);
}

static void check_end(struct world *world)
{
    memset(expected, 0, sizeof expected);
    for (size_t scope = 0; scope < SCOPES; scope++) {
        if (scope >= OWN && !is_there(world, scope - OWN))
            continue;
        check_scope(world, scope, CARD, NV_STORES_ALL);
        for (size_t home = 0; scope == NETWORK && home < NV_STORES_ALL; home++)
            if (is_there(world, home))
                check_scope(world, scope, OFFER, home);
        world->cut_count = 0;
        for (size_t site = 0; site < NV_STORES_ALL; site++)
            digest(world, site, scope);
        for (size_t i = 1; i < world->cut_count; i++)
            assert_memory_equal(&world->cuts[i].vector, &world->cuts[0].vector, sizeof world->cuts[0].vector);
    }
    for (size_t site = 0; site < NV_STORES_ALL; site++) {
        for (size_t i = 0; is_there(world, site) && i < TABLES * KEYS; i++)
            check_row(world, site, i / KEYS == 0 ? CARD : OFFER, i % KEYS);
        if (is_there(world, site)) {
            check_held(world, site);
            check_site(world, site);
        }
    }
}

static void run_schedule(uint64_t seed)
{
    static struct world world;
    world.dice = nv_dice_of(seed);
    world.value_count = world.cut_count = 0;
    memset(world.moved, 0, sizeof world.moved);
    nv_stores_open(&world.stores, &world.dice, 2 + nv_dice_below(&world.dice, NV_STORES_WRITERS - 1));
    nv_stores_publish(&world.stores, schema);
    make_groups(&world);
    for (size_t i = 0; i < TABLES; i++)
        world.table[i] = nv_store_table(world.stores.sites[0].store, table_names[i])->number;
    const struct nv_stores_line good = {.budget_bytes = 1 << 20, .reads = 1000};
    for (size_t site = 1; site < NV_STORES_ALL; site++)
        if (is_there(&world, site))
            deliver(&world, 0, site, &good);
    for (size_t site = 0; site < world.stores.count; site++)
        seal(&world, site);
    for (size_t steps = 20 + nv_dice_below(&world.dice, 60); steps > 0; steps--)
        step(&world);
    drain(&world);
    check_end(&world);
    nv_stores_close(&world.stores);
}

static void each_scope_is_what_its_own_ops_say(void **state)
{
    (void)state;
    nv_dice_run("merge of scopes", SCHEDULES, run_schedule);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_scope_is_what_its_own_ops_say)};
    return cmocka_run_group_tests_name("merge scopes", tests, NULL, NULL);
}
