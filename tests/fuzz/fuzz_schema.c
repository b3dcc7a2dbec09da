/* Schemas: the reader of SQL text, the authorizer, what may be tracked, and what a schema that was taken accepts; all
 * with SQLite itself, in memory, whose word is what ours is held against. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "parts.h"
#include "schema_store.h"
#include "store/schema/again.h"
#include "store/schema/authorizer.h"
#include "store/schema/draft.h"
#include "store/schema/trackable.h"
#include "target.h"

enum { SQL_BYTES_MAX = 8192, STATEMENTS_MAX = 8, TABLES_MAX = 3 };
enum { AUTHORIZED_STEPS = 1000, AUTHORIZED_BYTES = 100000 };

/* The bytes as a string, up to the first NUL. */
static const char *text_of(struct nv_slice bytes)
{
    static char text[SQL_BYTES_MAX + 1];
    size_t size = bytes.size < SQL_BYTES_MAX ? bytes.size : SQL_BYTES_MAX;
    memcpy(text, bytes.data, size);
    text[size] = '\0';
    return text;
}

/* ---- one statement after the other, in a database of their own ---- */

static sqlite3 *scratch(void)
{
    static sqlite3 *db;
    if (db != NULL)
        return db;
    int result = sqlite3_open(":memory:", &db);
    assert(result == SQLITE_OK);
    sqlite3_extended_result_codes(db, 1);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    return db;
}

/* What we take for one statement SQLite takes for one: else it would run the first part and drop the rest. */
static void check_is_one(sqlite3 *db, const char *text)
{
    sqlite3_stmt *statement = NULL;
    const char *tail = NULL;
    if (sqlite3_prepare_v2(db, text, -1, &statement, &tail) == SQLITE_OK)
        assert(statement != NULL && tail[strspn(tail, " \t\n\f\r")] == '\0');
    sqlite3_finalize(statement);
}

/* SQLite's column names, and ours. */
static void check_shape(sqlite3 *db, const char *name, struct nv_arena *arena)
{
    struct nv_shape shape;
    struct nv_error error = {0};
    enum nv_status status = nv_shape_read(db, name, arena, &shape, &error);
    assert(status == NV_OK && shape.kind == NV_SHAPE_TABLE);
    char *count = sqlite3_mprintf("SELECT count(*) FROM pragma_table_xinfo(%Q)", name);
    int64_t columns = 0;
    status = nv_db_integer(db, count, 0, &columns, &error);
    assert(status == NV_OK && (size_t)columns == shape.column_count && shape.column_count == shape.text.column_count);
    sqlite3_free(count);
    status = nv_trackable(&shape, name, &error);
    assert(status == NV_OK || (status == NV_REFUSED && error.text[0] != '\0'));
}

/* A statement that was run stands in the database by the name that we read, and is known when it comes again. */
static void check_run(sqlite3 *db, const struct nv_sql_statement *statement, struct nv_arena *arena)
{
    struct nv_error error = {0};
    bool is_known = false;
    enum nv_status status = nv_statement_again(db, statement, arena, &is_known, &error);
    assert(status == NV_OK && is_known);
    nv_fuzz_check_objects(db);
    if (statement->kind == NV_STATEMENT_CREATE_TABLE || statement->kind == NV_STATEMENT_ADD_COLUMN)
        check_shape(db, statement->name, arena);
}

static void read_statements(struct nv_slice bytes)
{
    struct nv_arena *arena = nv_fuzz_arena();
    struct nv_tokens tokens;
    struct nv_error error = {0};
    sqlite3 *db = scratch();
    if (nv_tokens_read(text_of(bytes), arena, &tokens, &error) != NV_OK)
        return;
    nv_db_exec(db, "BEGIN", NULL);
    bool found = true;
    for (size_t at = 0, count = 0; count < STATEMENTS_MAX; count++) {
        struct nv_sql_statement statement;
        bool is_known = false;
        if (nv_sql_statement_take(&tokens, &at, arena, &statement, &found, &error) != NV_OK || !found)
            break;
        if (statement.kind == NV_STATEMENT_INSERT)
            continue;
        check_is_one(db, statement.text);
        if (nv_statement_again(db, &statement, arena, &is_known, &error) != NV_OK || is_known)
            continue;
        if (nv_run_authorized(db, statement.text, &error) == NV_OK)
            check_run(db, &statement, arena);
    }
    nv_db_exec(db, "ROLLBACK", NULL);
}

/* ---- the authorizer alone, of any statement ---- */

static int is_long(void *steps)
{
    return ++*(int *)steps > AUTHORIZED_STEPS;
}

/* Statements that the reader would not let through: a query may run for long, and that is its part to see. */
static void authorize(struct nv_slice bytes)
{
    sqlite3 *db = scratch();
    int steps = 0;
    nv_db_exec(db, "BEGIN; CREATE TABLE learner(id TEXT NOT NULL PRIMARY KEY, phone); CREATE TABLE navette_own(a)",
               NULL);
    sqlite3_progress_handler(db, AUTHORIZED_STEPS, is_long, &steps);
    int length = sqlite3_limit(db, SQLITE_LIMIT_LENGTH, AUTHORIZED_BYTES);
    nv_run_authorized(db, text_of(bytes), NULL);
    sqlite3_limit(db, SQLITE_LIMIT_LENGTH, length);
    sqlite3_progress_handler(db, 0, NULL, NULL);
    assert(!sqlite3_get_autocommit(db));
    enum nv_status status = nv_db_exec(db, "DROP TABLE navette_own", NULL);
    assert(status == NV_OK);
    nv_fuzz_check_objects(db);
    nv_db_exec(db, "ROLLBACK", NULL);
}

/* ---- a schema file, tried at the authority ---- */

static void apply_file(struct nv_store *store, struct nv_slice bytes)
{
    struct nv_sign_key authority = nv_fuzz_schema_authority();
    struct nv_buffer summary = {0};
    struct nv_error error = {0};
    uint64_t before = nv_fuzz_schema_state(store);
    enum nv_status status =
        nv_schema_apply(store, &authority, text_of(bytes), true, (struct nv_wall_ms){1}, &summary, &error);
    assert(status == NV_OK || error.text[0] != '\0');
    assert(status == NV_OK || status == NV_REFUSED || status == NV_NOT_YET);
    assert(nv_fuzz_schema_state(store) == before);
    nv_buffer_done(&summary);
}

/* ---- an op that somebody with the authority's key made ---- */

static uint32_t other_number(struct nv_dice *dice, uint32_t number)
{
    return nv_dice_percent(dice, 50) ? number + 1 : (uint32_t)nv_dice_below(dice, 70);
}

static void change_table(struct nv_dice *dice, struct nv_arena *arena, struct nv_schema_table *table)
{
    struct nv_schema_column *columns = nv_fuzz_alloc(arena, (table->column_count + 1) * sizeof *columns);
    memcpy(columns, table->columns, table->column_count * sizeof *columns);
    table->columns = columns;
    struct nv_schema_column *column =
        table->column_count == 0 ? NULL : &columns[nv_dice_below(dice, table->column_count)];
    switch (nv_dice_below(dice, 7)) {
    case 0:
        table->number = other_number(dice, table->number);
        break;
    case 1:
        table->name = "learner";
        break;
    case 2:
        table->scope = nv_dice_percent(dice, 50) ? "site" : "anything";
        break;
    case 3:
        table->column_count -= table->column_count > 0;
        break;
    case 4:
        if (column != NULL)
            column->field = other_number(dice, column->field);
        break;
    case 5:
        if (column != NULL)
            column->name = nv_dice_percent(dice, 50) ? columns[0].name : "rowid";
        break;
    default:
        if (column != NULL)
            column->rule = (enum nv_rule)nv_dice_below(dice, 4);
        break;
    }
}

static void change_op(struct nv_dice *dice, struct nv_arena *arena, struct nv_schema_op *op)
{
    const char **statements = nv_fuzz_alloc(arena, (op->statement_count + 1) * sizeof *statements);
    struct nv_schema_table *tables = nv_fuzz_alloc(arena, (op->table_count + 1) * sizeof *tables);
    memcpy(statements, op->statements, op->statement_count * sizeof *statements);
    memcpy(tables, op->tables, op->table_count * sizeof *tables);
    op->statements = statements;
    op->tables = tables;
    switch (nv_dice_below(dice, 6)) {
    case 0: /* as it is */
        break;
    case 1:
        op->statement_count -= op->statement_count > 0;
        break;
    case 2:
        op->table_count -= op->table_count > 0;
        break;
    case 3:
        if (op->table_count > 0)
            tables[op->table_count] = tables[0], op->table_count++;
        break;
    default:
        if (op->table_count > 0)
            change_table(dice, arena, &tables[nv_dice_below(dice, op->table_count)]);
        break;
    }
}

static void take_op(struct nv_store *store, struct nv_dice *dice)
{
    struct nv_arena *arena = nv_fuzz_arena();
    struct nv_schema_op op;
    struct nv_buffer bytes = {0};
    struct nv_error error = {0};
    struct nv_dice changes = nv_dice_of(nv_dice_below(dice, 256));
    struct nv_slice rest = {.data = dice->script.at, .size = nv_reader_left(&dice->script)};
    if (rest.size == 0 || nv_draft_read(store, text_of(rest), arena, &op, NULL, &error) != NV_OK)
        return;
    change_op(&changes, arena, &op);
    nv_schema_encode(&op, (struct nv_wall_ms){1}, &bytes);
    uint64_t before = nv_fuzz_schema_state(store);
    enum nv_status status = nv_begin(store, &error);
    assert(status == NV_OK);
    status = nv_schema_take(store, nv_fuzz_schema_position(store), nv_buffer_slice(&bytes), &error);
    assert(status == NV_OK || status == NV_REFUSED || status == NV_NOT_YET);
    if (status == NV_OK) {
        nv_fuzz_check_objects(nv_published_db(store));
        for (size_t i = 0; i < store->table_count && i < TABLES_MAX; i++)
            nv_fuzz_check_accepts(store, store->tables[store->table_count - 1 - i], &changes);
    }
    nv_rollback(store);
    assert(nv_fuzz_schema_state(store) == before);
    nv_buffer_done(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct nv_slice rest = {.data = data + 1, .size = size - 1};
    struct nv_dice dice = nv_dice_scripted(rest);
    nv_fuzz_start();
    switch (data[0] % 6) {
    case 0:
        read_statements(rest);
        break;
    case 1:
        apply_file(nv_fuzz_schema_store(false), rest);
        break;
    case 2:
        apply_file(nv_fuzz_schema_store(true), rest);
        break;
    case 3:
        take_op(nv_fuzz_schema_store(false), &dice);
        break;
    case 4:
        authorize(rest);
        break;
    default:
        take_op(nv_fuzz_schema_store(true), &dice);
        break;
    }
    return 0;
}
