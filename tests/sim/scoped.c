#include "scoped.h"

#include <stdio.h>
#include <string.h>

#include "authority.h"
#include "checks.h"
#include "clock.h"
#include "people.h"
#include "report.h"
#include "store/care.h"
#include "store/db.h"
#include "store/moves.h"
#include "store/trust/rights.h"
#include "trace.h"

enum { SQL_BYTES = 640, NAME_BYTES = 64, NOWHERE = SIM_BITS };

/* ---- who is to read it ---- */

/* As the column has it, quoted. */
static void name_of(size_t scope, char ret_text[NAME_BYTES])
{
    if (scope == NOWHERE)
        snprintf(ret_text, NAME_BYTES, "'group/nowhere'");
    else if (scope == SIM_BIT_NETWORK)
        snprintf(ret_text, NAME_BYTES, "'network'");
    else if (scope < SIM_BIT_OWN)
        snprintf(ret_text, NAME_BYTES, "'group/%s'", sim_group_names[scope - SIM_BIT_GROUP]);
    else
        snprintf(ret_text, NAME_BYTES, "'site/%s'", sim_place_name(scope - SIM_BIT_OWN));
}

static sim_scopes scope_named(const struct sim_world *world, const char *name)
{
    for (size_t group = 0; group < SIM_GROUPS; group++)
        if (strncmp(name, "group/", 6) == 0 && strcmp(name + 6, sim_group_names[group]) == 0)
            return (sim_scopes)1 << (SIM_BIT_GROUP + group);
    for (size_t place = 0; place < world->places; place++)
        if (strncmp(name, "site/", 5) == 0 && strcmp(name + 5, sim_place_name(place)) == 0)
            return (sim_scopes)1 << (SIM_BIT_OWN + place);
    return strcmp(name, "network") == 0 ? (sim_scopes)1 << SIM_BIT_NETWORK : 0;
}

/* Mostly a group. */
static size_t some_scope(const struct sim_world *world, struct nv_dice *dice, size_t place)
{
    size_t choice = nv_dice_below(dice, 100);
    if (choice < 70)
        return SIM_BIT_GROUP + nv_dice_below(dice, SIM_GROUPS);
    if (choice < 85)
        return SIM_BIT_OWN + place;
    if (choice < 90)
        return SIM_BIT_OWN + nv_dice_below(dice, world->profile.machines);
    return choice < 95 ? SIM_BIT_NETWORK : NOWHERE;
}

/* ---- a statement ---- */

struct statement {
    enum sim_table table;
    size_t key, place;
    char key_text[SIM_MARK_TEXT];
    sim_scopes meant;
    uint64_t position;
    unsigned marks[4];
    size_t mark_count;
    char sql[SQL_BYTES];
};

/* What the row shows, it was meant for as well. */
static void take_meant_of_row(const struct sim_world *world, sqlite3 *db, struct statement *statement)
{
    const struct sim_shape *shape = &sim_shapes[statement->table];
    char sql[128];
    sqlite3_stmt *row = NULL;
    snprintf(sql, sizeof sql, "SELECT * FROM %s WHERE id = ?1", shape->name);
    if (sqlite3_prepare_v2(db, sql, -1, &row, NULL) == SQLITE_OK) {
        sqlite3_bind_text(row, 1, statement->key_text, -1, SQLITE_STATIC);
        while (sqlite3_step(row) == SQLITE_ROW)
            for (int column = 1; column < sqlite3_column_count(row); column++) {
                struct nv_slice text = {sqlite3_column_text(row, column), (size_t)sqlite3_column_bytes(row, column)};
                size_t at = 0, key;
                unsigned mark;
                enum sim_table table;
                if (text.data != NULL && column == 1 + shape->reads_field)
                    statement->meant |= scope_named(world, (const char *)text.data);
                while (text.data != NULL && sim_marks_next(text, &at, &mark, &table, &key))
                    statement->meant |= mark == 0 ? 0 : sim_marks_meant(&world->marks, &world->rights, mark);
            }
    }
    sqlite3_finalize(row);
}

/* A row that was deleted, and is made again before that was sealed, is the old record still. */
static void take_meant_of_unsealed(const struct sim_world *world, sqlite3 *db, struct statement *statement)
{
    const struct sim_marks *marks = &world->marks;
    char sql[64];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM navette_pending_%d", (int)statement->table);
    if (sim_check_number(db, sql) == 0)
        return;
    for (unsigned mark = 1; mark <= marks->count; mark++)
        if (marks->marks[mark].table == statement->table && marks->marks[mark].key == statement->key &&
            sim_marks_may_have(marks, &world->rights, mark, statement->place))
            statement->meant |= sim_marks_meant(marks, &world->rights, mark);
}

static uint64_t known_position(sqlite3 *db)
{
    sqlite3_stmt *row = NULL;
    uint64_t position = 0;
    if (sqlite3_prepare_v2(db, "SELECT max(has_seq) FROM navette_log WHERE scope = zeroblob(16)", -1, &row, NULL) ==
            SQLITE_OK &&
        sqlite3_step(row) == SQLITE_ROW)
        position = (uint64_t)sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    return position;
}

/* A new value for a field; "NULL" where there are no marks left. */
static void new_value(struct sim_world *world, struct statement *statement, int field, char ret_text[SIM_MARK_TEXT + 2])
{
    const struct sim_mark mark = {.table = statement->table,
                                  .key = statement->key,
                                  .field = field,
                                  .place = statement->place,
                                  .meant = statement->meant,
                                  .position = statement->position};
    unsigned number = sim_marks_add(&world->marks, &mark);
    char text[SIM_MARK_TEXT];
    snprintf(ret_text, SIM_MARK_TEXT + 2, "NULL");
    if (number == 0)
        return;
    statement->marks[statement->mark_count++] = number;
    sim_mark_text(number, text);
    snprintf(ret_text, SIM_MARK_TEXT + 2, "'%s'", text);
}

/* Which record, and what is known of it. */
static void begin_statement(struct sim_world *world, struct nv_dice *dice, size_t place, sqlite3 *db,
                            struct statement *statement)
{
    static const enum sim_table tables[] = {SIM_LEARNER, SIM_LEARNER, SIM_LEARNER, SIM_LEARNER, SIM_LESSON,
                                            SIM_LESSON,  SIM_MEMO,    SIM_NOTICE,  SIM_VISIT};
    *statement = (struct statement){.table = tables[nv_dice_below(dice, sizeof tables / sizeof *tables)],
                                    .place = place,
                                    .position = known_position(db)};
    statement->key = nv_dice_below(dice, sim_shapes[statement->table].keys);
    statement->meant = (sim_scopes)1 << (SIM_BIT_OWN + place);
    if (statement->table == SIM_NOTICE)
        statement->meant |= (sim_scopes)1 << SIM_BIT_NETWORK;
    sim_mark_key_text(statement->table, statement->key, statement->key_text);
    take_meant_of_row(world, db, statement);
    take_meant_of_unsealed(world, db, statement);
}

static void make_insert(struct sim_world *world, struct nv_dice *dice, struct statement *statement)
{
    const struct sim_shape *shape = &sim_shapes[statement->table];
    char columns[64] = "", values[160] = "", updates[160] = "";
    size_t scope = some_scope(world, dice, statement->place);
    bool names = nv_dice_percent(dice, 90);
    if (shape->reads_field >= 0 && names && scope != NOWHERE)
        statement->meant |= (sim_scopes)1 << scope;
    for (size_t field = 0; field < shape->field_count; field++) {
        char value[NAME_BYTES] = "NULL", text[SIM_MARK_TEXT];
        if ((int)field == shape->reads_field && names)
            name_of(scope, value);
        else if (statement->table == SIM_LESSON && field == 0) {
            sim_mark_key_text(SIM_LEARNER, statement->key, text);
            snprintf(value, sizeof value, "'%s'", text);
        } else if ((int)field != shape->reads_field)
            new_value(world, statement, (int)field, value);
        snprintf(columns + strlen(columns), sizeof columns - strlen(columns), ", %s", shape->fields[field]);
        snprintf(values + strlen(values), sizeof values - strlen(values), ", %s", value);
        if ((int)field != shape->reads_field)
            snprintf(updates + strlen(updates), sizeof updates - strlen(updates), "%s%s = excluded.%s",
                     updates[0] == '\0' ? "" : ", ", shape->fields[field], shape->fields[field]);
    }
    snprintf(statement->sql, SQL_BYTES, "INSERT INTO %s(id%s) VALUES ('%s'%s) ON CONFLICT (id) DO UPDATE SET %s",
             shape->name, columns, statement->key_text, values, updates);
}

static void make_update(struct sim_world *world, struct nv_dice *dice, struct statement *statement)
{
    const struct sim_shape *shape = &sim_shapes[statement->table];
    char value[SIM_MARK_TEXT + 2];
    size_t field = shape->field_count - 1 - nv_dice_below(dice, statement->table == SIM_LEARNER ? 2 : 1);
    new_value(world, statement, (int)field, value);
    snprintf(statement->sql, SQL_BYTES, "UPDATE %s SET %s = %s WHERE id = '%s'", shape->name, shape->fields[field],
             value, statement->key_text);
}

static void note_move(struct sim_world *world, const struct statement *statement, size_t scope)
{
    const struct sim_mark_move move = {
        .table = statement->table, .key = statement->key, .place = statement->place, .to = scope};
    if (scope != NOWHERE)
        sim_marks_add_move(&world->marks, &move);
}

/* Another scope is written into the column. */
static void make_change_of_scope(struct sim_world *world, struct nv_dice *dice, struct statement *statement)
{
    const struct sim_shape *shape = &sim_shapes[statement->table];
    char value[NAME_BYTES] = "NULL";
    size_t scope =
        nv_dice_percent(dice, 90) ? some_scope(world, dice, statement->place) : SIM_BIT_OWN + statement->place;
    if (scope != SIM_BIT_OWN + statement->place || nv_dice_percent(dice, 50))
        name_of(scope, value);
    note_move(world, statement, scope);
    snprintf(statement->sql, SQL_BYTES, "UPDATE %s SET %s = %s WHERE id = '%s'", shape->name,
             shape->fields[shape->reads_field], value, statement->key_text);
}

static void make_statement(struct sim_world *world, struct nv_dice *dice, struct statement *statement)
{
    size_t choice = nv_dice_below(dice, 100);
    if (choice < 40)
        make_insert(world, dice, statement);
    else if (choice < 80)
        make_update(world, dice, statement);
    else if (choice < 92 && sim_shapes[statement->table].reads_field >= 0)
        make_change_of_scope(world, dice, statement);
    else
        snprintf(statement->sql, SQL_BYTES, "DELETE FROM %s WHERE id = '%s'", sim_shapes[statement->table].name,
                 statement->key_text);
}

/* ---- transactions ---- */

static sqlite3 *begin(struct sim_world *world, size_t place)
{
    struct sim_machine *machine = &world->machines[place];
    if (machine->disk == NULL || !machine->is_member || world->is_in_doubt[place] || world->is_held[place])
        return NULL;
    sim_machine_turn_to(machine);
    sqlite3 *db = sim_machine_tool(machine);
    if (db != NULL && sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK)
        return db;
    return NULL;
}

/* What the same site wrote before to those fields, or to the record, may have been written over unsealed. */
static void note_committed(struct sim_world *world, const struct statement *statement, bool is_sure)
{
    for (unsigned mark = 1; mark <= world->marks.count; mark++) {
        struct sim_mark *one = &world->marks.marks[mark];
        bool is_new = false;
        for (size_t i = 0; i < statement->mark_count; i++)
            is_new = is_new || statement->marks[i] == mark;
        if (is_new)
            one->is_committed = is_sure;
        else if (one->table == statement->table && one->key == statement->key && one->place == statement->place)
            one->is_over = true;
    }
}

static void carry_out(struct sim_world *world, sqlite3 *db, const struct statement *statement)
{
    sim_trace("%s: SQL: %s", sim_place_name(statement->place), statement->sql);
    bool is_run = sqlite3_exec(db, statement->sql, NULL, NULL, NULL) == SQLITE_OK;
    bool has_changed = is_run && sqlite3_changes(db) > 0;
    bool is_done = is_run && sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK;
    if (has_changed) /* one that fails may be done all the same */
        note_committed(world, statement, is_done);
    if (is_done) {
        world->may_revive[statement->place] = false;
        return;
    }
    sim_trace("%s: SQL fails: %s", sim_place_name(statement->place), sqlite3_errmsg(db));
    if (!sqlite3_get_autocommit(db))
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
}

void sim_scoped_write(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    struct statement statement;
    sqlite3 *db = begin(world, place);
    if (db != NULL) {
        begin_statement(world, dice, place, db, &statement);
        make_statement(world, dice, &statement);
        carry_out(world, db, &statement);
    }
    sim_world_settle(world, place);
}

void sim_scoped_probe(struct sim_world *world, size_t place, size_t group)
{
    struct statement statement = {.table = SIM_LEARNER, .key = group, .place = place};
    char value[SIM_MARK_TEXT + 2], name[NAME_BYTES];
    sqlite3 *db = begin(world, place);
    if (db != NULL) {
        statement.position = known_position(db);
        statement.meant = (sim_scopes)1 << (SIM_BIT_OWN + place) | (sim_scopes)1 << (SIM_BIT_GROUP + group);
        sim_mark_key_text(SIM_LEARNER, group, statement.key_text);
        take_meant_of_row(world, db, &statement);
        new_value(world, &statement, 1, value);
        name_of(SIM_BIT_GROUP + group, name);
        snprintf(
            statement.sql, SQL_BYTES,
            "INSERT INTO learner(id, reads, a) VALUES ('%s', %s, %s) ON CONFLICT (id) DO UPDATE SET a = excluded.a",
            statement.key_text, name, value);
        carry_out(world, db, &statement);
    }
    sim_world_settle(world, place);
}

void sim_scoped_move(struct sim_world *world, struct nv_dice *dice, size_t place)
{
    struct statement statement = {.table = nv_dice_percent(dice, 75) ? SIM_LEARNER : SIM_VISIT, .place = place};
    struct nv_store *store = world->machines[place].is_member ? sim_people_client(world, place) : NULL;
    struct nv_buffer key = {0};
    struct nv_error error = {0};
    struct nv_scope_id scope;
    if (store == NULL)
        return;
    size_t to = some_scope(world, dice, place);
    statement.key = nv_dice_below(dice, sim_shapes[statement.table].keys);
    sim_mark_key_text(statement.table, statement.key, statement.key_text);
    char name[NAME_BYTES];
    name_of(to, name);
    name[strlen(name) - 1] = '\0';
    const char *table = sim_shapes[statement.table].name;
    enum nv_status status = nv_scope_from_name(store, name + 1, &scope, &error);
    if (status == NV_OK)
        status = nv_key_from_text(nv_store_table(store, table), statement.key_text, &key, &error);
    if (status == NV_OK) {
        note_move(world, &statement, to);
        status = nv_store_move(store, table, nv_buffer_slice(&key), scope, &error);
    }
    sim_trace("%s: somebody moves %s %s to %s: %s", sim_place_name(place), table, statement.key_text, name + 1,
              nv_status_text(status));
    if (status != NV_OK && status != NV_NOT_FOUND && status != NV_REFUSED && status != NV_BUSY && status != NV_FULL &&
        status != NV_NOT_SO)
        sim_fail("daemon", "a move at %s fails: %s", sim_place_name(place), error.text);
    nv_buffer_done(&key);
    nv_store_close(store);
    sim_world_settle(world, place);
}
