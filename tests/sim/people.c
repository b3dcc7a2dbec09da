/* Plain SQL by programs that know nothing of Navette. */
#include "people.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "report.h"
#include "trace.h"

/* A store remembers what remote changes replaced for an hour, and of one record the last eight: one that changes
 * several fields may be as many. */
enum { SQL_BYTES = 1024, SURELY_REMEMBERED_S = 3000, REMEMBERED_CHANGES = 8 };

/* ---- transactions ---- */

/* A table that was just made anew has no triggers until the daemon looks: what is written then is found, with no time;
 * and what is deleted then is not taken for a person's word. */
static bool has_triggers(sqlite3 *db)
{
    sqlite3_stmt *statement = NULL;
    bool has = sqlite3_prepare_v2(db, "SELECT 1 FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'item'", -1,
                                  &statement, NULL) == SQLITE_OK &&
               sqlite3_step(statement) == SQLITE_ROW;
    sqlite3_finalize(statement);
    return has;
}

/* A tool's connection, with the rows that it sees; NULL where it cannot write now. */
static sqlite3 *begin(struct sim_world *world, size_t place, struct sim_write *ret_write)
{
    struct sim_machine *machine = &world->machines[place];
    if (machine->disk == NULL || !machine->is_member || world->is_in_doubt[place] || world->is_held[place])
        return NULL;
    sim_machine_turn_to(machine);
    sqlite3 *db = sim_machine_tool(machine);
    *ret_write = (struct sim_write){.site = place, .time_ms = sim_clock_wall_ms(), .answer_record = -1, .left_out = -1};
    if (db != NULL && sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK) {
        ret_write->has_no_time = !has_triggers(db);
        /* A disk error while it looked around ended the transaction. */
        if (sim_rows_read(db, ret_write->before) == SQLITE_OK && !sqlite3_get_autocommit(db))
            return db;
        if (!sqlite3_get_autocommit(db))
            sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    }
    sim_world_settle(world, place); /* the power may have gone */
    return NULL;
}

static bool run(struct sim_world *world, size_t place, sqlite3 *db, const char *sql)
{
    sim_trace("%s: SQL: %s", world->machines[place].name, sql);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
        return true;
    sim_trace("%s: SQL fails: %s", world->machines[place].name, sqlite3_errmsg(db));
    if (!sqlite3_get_autocommit(db))
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return false;
}

static void commit(struct sim_world *world, size_t place, sqlite3 *db, struct sim_write *write)
{
    bool is_read = sim_rows_read(db, write->after) == SQLITE_OK;
    for (size_t record = 0; record < SIM_RECORDS; record++)
        if (write->touched >> record & 1)
            world->written_at[place][record] = sim_clock_us();
    int result = is_read ? sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) : SQLITE_IOERR;
    if (result == SQLITE_OK) {
        world->may_revive[place] = false;
        sim_ledger_note(&world->ledger, write);
        return;
    }
    sim_trace("%s: the commit fails: %s", world->machines[place].name, sqlite3_errmsg(db));
    if (!sqlite3_get_autocommit(db))
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    if (!is_read)
        return;
    world->doubt[place] = *write;
    world->is_in_doubt[place] = true;
}

/* Where its sync failed, the frames of a commit stand in the WAL until others are written over them: the power may go
 * before that, and whoever opens the store then finds them. */
static void look_for_revived(struct sim_world *world, size_t place, const struct sim_row rows[SIM_RECORDS])
{
    const struct sim_write *write = &world->doubt[place];
    bool is_changed = memcmp(rows, write->before, sizeof write->before) != 0;
    if (world->machines[place].lost_power && memcmp(rows, write->after, sizeof write->after) == 0) {
        sim_trace("%s: a commit that failed is there now", sim_place_name(place));
        sim_ledger_note(&world->ledger, write);
    }
    world->may_revive[place] = !is_changed && !world->machines[place].lost_power;
}

static void resolve_doubt(struct sim_world *world, size_t place, const struct sim_row rows[SIM_RECORDS])
{
    const struct sim_write *write = &world->doubt[place];
    bool is_there = memcmp(rows, write->after, sizeof write->after) == 0;
    world->is_in_doubt[place] = false;
    world->may_revive[place] = !is_there;
    if (is_there)
        sim_ledger_note(&world->ledger, write);
    else if (memcmp(rows, write->before, sizeof write->before) != 0)
        sim_fail("lost", "half a transaction is left at %s", sim_place_name(place));
}

void sim_people_resolve_doubt(struct sim_world *world, size_t place)
{
    struct sim_row rows[SIM_RECORDS];
    struct sim_machine *machine = &world->machines[place];
    if (!world->is_in_doubt[place] && !world->may_revive[place]) {
        machine->lost_power = false;
        return;
    }
    sqlite3 *db = sim_machine_eyes(machine);
    bool is_read = db != NULL && sim_rows_read(db, rows) == SQLITE_OK;
    if (is_read && world->is_in_doubt[place])
        resolve_doubt(world, place, rows);
    else if (is_read)
        look_for_revived(world, place, rows);
    else if (world->is_in_doubt[place])
        sim_fail("lost", "the store of %s cannot be read: %s", sim_place_name(place), sqlite3_errmsg(db));
    machine->lost_power = false;
}

/* ---- writing ---- */

/* A value for each field, as SQL: each time another one, so that the ledger can tell them apart. */
struct values {
    char texts[SIM_FIELDS][80];
};

static void make_values(struct sim_world *world, struct nv_dice *dice, struct values *values)
{
    unsigned token = ++world->tokens;
    bool is_equal = world->profile.has_equal_values && nv_dice_percent(dice, 30);
    bool is_large = world->profile.has_large_values && nv_dice_percent(dice, 10);
    if (is_equal)
        token = 1000000; /* what everybody writes now and then */
    snprintf(values->texts[0], sizeof values->texts[0], nv_dice_percent(dice, 50) ? "%u" : "'a%u'", token);
    if (is_large && !is_equal)
        snprintf(values->texts[0], sizeof values->texts[0], "'%u' || hex(randomblob(%zu))", token,
                 10000 + nv_dice_below(dice, 40000));
    snprintf(values->texts[1], sizeof values->texts[1], "%u", token);
    snprintf(values->texts[2], sizeof values->texts[2], "'c%u'", token);
    snprintf(values->texts[3], sizeof values->texts[3], "'d%u'", token);
    snprintf(values->texts[4], sizeof values->texts[4], "'e%u'", token);
}

static bool has_late_field(sqlite3 *db, const char *table)
{
    return sqlite3_table_column_metadata(db, NULL, table, "e", NULL, NULL, NULL, NULL, NULL) == SQLITE_OK;
}

static void make_statement(struct sim_world *world, struct nv_dice *dice, const char *key, size_t fields,
                           bool may_delete, char sql[SQL_BYTES])
{
    struct values v;
    make_values(world, dice, &v);
    size_t one = nv_dice_below(dice, fields), other = nv_dice_below(dice, fields);
    size_t choice = nv_dice_below(dice, may_delete ? 100 : 65);
    if (choice < 20)
        snprintf(sql, SQL_BYTES,
                 "INSERT INTO item(id, a, b, c, d) VALUES ('%s', %s, %s, %s, %s) ON CONFLICT (id) DO UPDATE SET "
                 "a = excluded.a, b = excluded.b, c = excluded.c, d = excluded.d",
                 key, v.texts[0], v.texts[1], v.texts[2], v.texts[3]);
    else if (choice < 50)
        snprintf(sql, SQL_BYTES, "UPDATE item SET %s = %s WHERE id = '%s'", sim_field_names[one], v.texts[one], key);
    else if (choice < 65)
        snprintf(sql, SQL_BYTES, "UPDATE item SET %s = %s, %s = %s WHERE id = '%s'", sim_field_names[one], v.texts[one],
                 sim_field_names[(one + 1) % 4], v.texts[(one + 1) % 4], key);
    else if (choice < 77)
        snprintf(sql, SQL_BYTES, "DELETE FROM item WHERE id = '%s'", key);
    else if (choice < 86)
        snprintf(sql, SQL_BYTES, "REPLACE INTO item(id, a, b, c, d) VALUES ('%s', %s, %s, %s, %s)", key, v.texts[0],
                 v.texts[1], v.texts[2], v.texts[3]);
    else if (choice < 92)
        snprintf(sql, SQL_BYTES,
                 "DELETE FROM item WHERE id = '%s'; INSERT INTO item(id, a, b, c) VALUES ('%s', %s, %s, %s)", key, key,
                 v.texts[0], v.texts[1], v.texts[2]);
    else if (choice < 97)
        snprintf(sql, SQL_BYTES, "INSERT OR IGNORE INTO item(id, a, b) VALUES ('%s', %s, %s)", key, v.texts[0],
                 v.texts[1]);
    else
        snprintf(sql, SQL_BYTES, "UPDATE item SET %s = %s WHERE id = '%s'", sim_field_names[other],
                 sim_field_names[other], key);
}

/* One to three statements in a transaction that is left open. */
static sqlite3 *write_some(struct sim_world *world, struct nv_dice *dice, size_t place, struct sim_write *write)
{
    sqlite3 *db = begin(world, place, write);
    if (db == NULL)
        return NULL;
    size_t fields = has_late_field(db, "item") ? SIM_FIELDS : SIM_FIELDS - 1;
    for (size_t left = nv_dice_percent(dice, 75) ? 1 : 2 + nv_dice_below(dice, 2); left > 0; left--) {
        char sql[SQL_BYTES];
        size_t record = nv_dice_below(dice, world->profile.records);
        if (world->is_left_out[place][record])
            continue;
        make_statement(world, dice, sim_record_keys[record], fields, !write->has_no_time, sql);
        write->touched |= 1u << record;
        if (!run(world, place, db, sql))
            return NULL;
    }
    return db;
}

void sim_people_write(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    struct sim_write write;
    sqlite3 *db = write_some(world, dice, place, &write);
    if (db != NULL)
        commit(world, place, db, &write);
    sim_world_settle(world, place);
}

void sim_people_sql(struct sim_world *world, size_t place, unsigned touched, const char *sql)
{
    struct sim_write write;
    sqlite3 *db = begin(world, place, &write);
    write.touched = touched;
    if (db != NULL && run(world, place, db, sql))
        commit(world, place, db, &write);
    sim_world_settle(world, place);
}

/* ---- a transaction that is left open for a while ---- */

static void let_go(struct sim_world *world, size_t place, size_t unused)
{
    (void)unused;
    sqlite3 *db = world->machines[place].tool;
    if (!world->is_held[place])
        return;
    world->is_held[place] = false;
    if (db != NULL && !sqlite3_get_autocommit(db)) {
        sim_machine_turn_to(&world->machines[place]);
        sim_machine_tool(&world->machines[place]);
        commit(world, place, db, &world->held[place]);
    }
    sim_world_settle(world, place);
}

void sim_people_hold_lock(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    sqlite3 *db = write_some(world, dice, place, &world->held[place]);
    if (db != NULL) {
        world->is_held[place] = true;
        sim_world_timer(world, (int64_t)nv_dice_below(dice, 3000000), let_go, place, 0);
    }
    sim_world_settle(world, place);
}

/* ---- forms ---- */

static size_t changes_of(const struct sim_world *world, int record)
{
    size_t count = 0;
    for (size_t i = 0; i < world->history.op_count; i++) {
        const struct sim_op *op = &world->history.ops[i];
        if (op->record == record)
            count += op->is_delete ? 1 : (size_t)__builtin_popcount(op->fields);
    }
    return count;
}

void sim_people_open_form(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    struct sim_form *form = &world->forms[place];
    struct sim_row rows[SIM_RECORDS];
    struct sim_machine *machine = &world->machines[place];
    size_t record = nv_dice_below(dice, world->profile.records);
    sqlite3 *db = machine->disk == NULL ? NULL : sim_machine_eyes(machine);
    if (db == NULL || world->is_held[place] || sim_rows_read(db, rows) != SQLITE_OK || !rows[record].is_there)
        return;
    sqlite3_free(form->update);
    *form = (struct sim_form){.record = (int)record, .opened_us = sim_clock_us(), .row = rows[record]};
    form->changes = changes_of(world, form->record);
    char sql[256];
    snprintf(sql, sizeof sql,
             "SELECT 'UPDATE item SET a = ' || quote(a) || ', b = ' || quote(b) || ', c = ' || quote(c) || ', d = ' || "
             "quote(d) || ' WHERE id = ''%s''' FROM item WHERE id = '%s'",
             sim_record_keys[record], sim_record_keys[record]);
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW)
        form->update = sqlite3_mprintf("%s", sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    form->is_open = form->update != NULL;
    sim_trace("%s: somebody opens a form on %s", machine->name, sim_record_keys[record]);
}

/* The site remembers for an hour, by its own clock, what remote changes replaced in a row that its people left alone.
 */
static bool is_remembered(const struct sim_world *world, size_t place)
{
    const struct sim_form *form = &world->forms[place];
    return sim_clock_us() - form->opened_us < SURELY_REMEMBERED_S * 1000000ll &&
           world->machines[place].jumped_at <= form->opened_us &&
           world->written_at[place][form->record] < form->opened_us &&
           changes_of(world, form->record) - form->changes <= REMEMBERED_CHANGES;
}

void sim_people_save_form(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    (void)dice;
    struct sim_form *form = &world->forms[place];
    struct sim_write write;
    if (!form->is_open || world->is_left_out[place][form->record])
        return;
    sqlite3 *db = begin(world, place, &write);
    if (db == NULL)
        return;
    form->is_open = false;
    write.touched = 1u << form->record;
    write.is_stale = is_remembered(world, place);
    write.form = form->row;
    sim_trace("%s: the form is saved", world->machines[place].name);
    if (run(world, place, db, form->update))
        commit(world, place, db, &write);
    sim_world_settle(world, place);
}

/* ---- tools that make a table anew ---- */

static char *new_table_sql(sqlite3 *db)
{
    sqlite3_stmt *statement = NULL;
    char *sql = NULL;
    if (sqlite3_prepare_v2(db,
                           "SELECT 'CREATE TABLE item_new' || substr(sql, instr(sql, '(')) FROM sqlite_schema "
                           "WHERE name = 'item'",
                           -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        sql = sqlite3_mprintf("%s", sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    return sql;
}

static void put_back_timer(struct sim_world *world, size_t place, size_t unused)
{
    (void)unused;
    sim_people_put_back(world, place);
}

void sim_people_rebuild_table(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    struct sim_write write;
    sqlite3 *db = begin(world, place, &write);
    if (db == NULL)
        return;
    size_t record = nv_dice_below(dice, world->profile.records), variant = nv_dice_below(dice, 3);
    bool leaves_out = variant == 2 && write.before[record].is_there;
    const char *key = sim_record_keys[record];
    char change[SQL_BYTES] = "";
    char *create = new_table_sql(db);
    if (variant == 1 && !world->is_left_out[place][record])
        snprintf(change, sizeof change, "UPDATE item_new SET a = %u WHERE id = '%s';", ++world->tokens, key);
    if (leaves_out)
        snprintf(change, sizeof change,
                 "DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT * FROM item WHERE id = '%s'; "
                 "DELETE FROM item_new WHERE id = '%s';",
                 key, key);
    char *sql = sqlite3_mprintf("%s; INSERT INTO item_new SELECT * FROM item; %s DROP TABLE item; "
                                "ALTER TABLE item_new RENAME TO item",
                                create, change);
    for (size_t other = 0; leaves_out && other < SIM_RECORDS; other++)
        leaves_out = !world->is_left_out[place][other]; /* one at a time */
    write.touched = 1u << record;
    write.has_no_time = true;
    bool is_done = (variant != 2 || leaves_out) && run(world, place, db, sql);
    if (is_done && leaves_out)
        write.left_out = (int)record;
    if (is_done)
        commit(world, place, db, &write);
    else if (!sqlite3_get_autocommit(db))
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    world->is_left_out[place][record] |= is_done && leaves_out;
    if (is_done && leaves_out) {
        sim_world_timer(world, 500000 + (int64_t)nv_dice_below(dice, 15000000), put_back_timer, place, 0);
    }
    sqlite3_free(create);
    sqlite3_free(sql);
    sim_world_settle(world, place);
}

void sim_people_put_back(struct sim_world *world, size_t place)
{
    struct sim_write write;
    for (int record = 0; record < SIM_RECORDS; record++) {
        if (!world->is_left_out[place][record])
            continue;
        sqlite3 *db = begin(world, place, &write);
        if (db == NULL) { /* somebody has the lock, or the machine is down */
            sim_world_timer(world, 1000000, put_back_timer, place, 0);
            return;
        }
        char sql[SQL_BYTES];
        const char *late = has_late_field(db, "kept") && has_late_field(db, "item") ? ", e" : "";
        snprintf(sql, sizeof sql, "INSERT OR IGNORE INTO item(id, a, b, c, d%s) SELECT id, a, b, c, d%s FROM kept",
                 late, late);
        write.touched = 1u << record;
        write.is_optional = true;
        bool is_run = run(world, place, db, sql);
        bool has_none = !is_run && sqlite3_errcode(db) == SQLITE_ERROR; /* what should have left it out failed */
        if (is_run)
            commit(world, place, db, &write);
        bool is_back = has_none || (is_run && !world->is_in_doubt[place]);
        world->is_left_out[place][record] = !is_back;
        if (!is_back)
            sim_world_timer(world, 1000000, put_back_timer, place, 0);
        sim_world_settle(world, place);
    }
}

/* ---- a table that is not there for a while ---- */

static bool has_table(struct sim_world *world, size_t place)
{
    sqlite3_stmt *statement = NULL;
    bool has = sqlite3_prepare_v2(sim_machine_eyes(&world->machines[place]),
                                  "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'item'", -1, &statement,
                                  NULL) == SQLITE_OK &&
               sqlite3_step(statement) == SQLITE_ROW;
    sqlite3_finalize(statement);
    return has;
}

/* What came of it is seen afterwards: the commit may have been answered with an error. */
static void alter(struct sim_world *world, size_t place, sqlite3 *db, const char *sql)
{
    if (run(world, place, db, sql) && sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK &&
        !sqlite3_get_autocommit(db))
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    sim_world_settle(world, place);
    world->is_away[place] = !has_table(world, place);
}

static void bring_back_timer(struct sim_world *world, size_t place, size_t unused)
{
    (void)unused;
    sim_people_bring_table_back(world, place);
}

void sim_people_take_table_away(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    struct sim_write write;
    for (size_t record = 0; record < SIM_RECORDS; record++)
        if (world->is_left_out[place][record])
            return; /* one thing at a time */
    sqlite3 *db = begin(world, place, &write);
    if (db == NULL)
        return;
    alter(world, place, db, "ALTER TABLE item RENAME TO item_away");
    if (world->is_away[place])
        sim_world_timer(world, (int64_t)nv_dice_below(dice, 10000000), bring_back_timer, place, 0);
}

/* A column that was published meanwhile is missing then, and `status` says so: whoever brings the table back adds it.
 */
static bool lacks_late_field(sqlite3 *db)
{
    sqlite3_stmt *statement = NULL;
    bool lacks = sqlite3_prepare_v2(db,
                                    "SELECT 1 FROM navette_column WHERE name = 'e' AND NOT EXISTS "
                                    "(SELECT 1 FROM pragma_table_info('item_away') WHERE name = 'e')",
                                    -1, &statement, NULL) == SQLITE_OK &&
                 sqlite3_step(statement) == SQLITE_ROW;
    sqlite3_finalize(statement);
    return lacks;
}

void sim_people_bring_table_back(struct sim_world *world, size_t place)
{
    if (!world->is_away[place])
        return;
    sim_machine_turn_to(&world->machines[place]);
    sqlite3 *db = sim_machine_tool(&world->machines[place]);
    if (db != NULL && sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK)
        alter(world, place, db,
              lacks_late_field(db) ? "ALTER TABLE item_away ADD COLUMN e TEXT; ALTER TABLE item_away RENAME TO item"
                                   : "ALTER TABLE item_away RENAME TO item");
    else
        sim_world_settle(world, place);
    if (world->is_away[place]) /* somebody has the lock, or the machine is down */
        sim_world_timer(world, 1000000, bring_back_timer, place, 0);
}
