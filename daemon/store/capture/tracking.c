/* Capture: two pending tables and four triggers a tracked table, in plain SQL, so that any program may write.
 *
 * The pending tables only grow until they are sealed, and are taken apart then: looking a record up at every write
 * would cost a writer several times as much. Old values stand in a table of their own, so that an INSERT, of which
 * there are many, notes a narrow row. REPLACE and UPDATE OR REPLACE remove rows without a trigger where
 * recursive_triggers is off; the key that stands there afterwards is noted in any case, and sealing compares it with
 * what the record was. */
#include <string.h>

#include "store/schema/published.h"
#include "store/schema/trackable.h"

enum { TRIGGERS = 4, BEFORE_KEY = 3 /* n, what, at_ms */, BEFORE_OLD = 1 /* n */ };
static const char *const kinds[TRIGGERS] = {"insert", "update", "rekey", "delete"};

/* Milliseconds since 1970 by the writer's clock, in the words of the oldest SQLite that still writes. */
static const char wall_ms[] = "CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER)";
static const char unless_applying[] = "NOT EXISTS (SELECT 1 FROM navette_guard)";

static void append_list(sqlite3_str *sql, char letter, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sqlite3_str_appendf(sql, ", %c%d", letter, (int)i);
}

/* One row for the pending table; `row` is NEW or OLD. */
static void append_note(sqlite3_str *sql, const struct nv_table *table, char what, const char *row)
{
    sqlite3_str_appendf(sql, "\n  INSERT INTO navette_pending_%u(what, at_ms", table->number);
    append_list(sql, 'k', table->key_count);
    sqlite3_str_appendf(sql, ") VALUES ('%c', %s", what, wall_ms);
    for (size_t i = 0; i < table->key_count; i++)
        sqlite3_str_appendf(sql, ", %s.\"%w\"", row, table->keys[i]);
    sqlite3_str_appendall(sql, ");");
}

/* The old values that belong to the note before. A row of that number is there only where somebody deleted the notes by
 * hand: it must not make the program's own write fail. */
static void append_old(sqlite3_str *sql, const struct nv_table *table)
{
    sqlite3_str_appendf(sql, "\n  INSERT OR REPLACE INTO navette_old_%u(n", table->number);
    append_list(sql, 'o', table->field_count);
    sqlite3_str_appendall(sql, ") VALUES (last_insert_rowid()");
    for (size_t i = 0; i < table->field_count; i++)
        sqlite3_str_appendf(sql, ", OLD.\"%w\"", table->fields[i].name);
    sqlite3_str_appendall(sql, ");");
}

static void append_key_test(sqlite3_str *sql, const struct nv_table *table, const char *comparison, const char *between)
{
    for (size_t i = 0; i < table->key_count; i++)
        sqlite3_str_appendf(sql, "%sOLD.\"%w\" %s NEW.\"%w\"", i == 0 ? "" : between, table->keys[i], comparison,
                            table->keys[i]);
}

/* The trigger as it shall stand in sqlite_schema, byte by byte. The caller frees it with sqlite3_free. */
static char *trigger_sql(sqlite3 *db, const struct nv_table *table, const char *kind)
{
    sqlite3_str *sql = sqlite3_str_new(db);
    sqlite3_str_appendf(sql, "CREATE TRIGGER navette_%s_%u AFTER ", kind, table->number);
    switch (kind[0]) {
    case 'i':
        sqlite3_str_appendf(sql, "INSERT ON \"%w\"\n  WHEN %s BEGIN", table->name, unless_applying);
        append_note(sql, table, 'I', "NEW");
        break;
    case 'u':
        sqlite3_str_appendf(sql, "UPDATE ON \"%w\"\n  WHEN ", table->name);
        append_key_test(sql, table, "IS", " AND ");
        sqlite3_str_appendf(sql, " AND %s BEGIN", unless_applying);
        append_note(sql, table, 'U', "NEW");
        append_old(sql, table);
        break;
    case 'r':
        sqlite3_str_appendall(sql, "UPDATE OF ");
        for (size_t i = 0; i < table->key_count; i++)
            sqlite3_str_appendf(sql, "%s\"%w\"", i == 0 ? "" : ", ", table->keys[i]);
        sqlite3_str_appendf(sql, " ON \"%w\"\n  WHEN (", table->name);
        append_key_test(sql, table, "IS NOT", " OR ");
        sqlite3_str_appendf(sql, ") AND %s BEGIN", unless_applying);
        append_note(sql, table, 'D', "OLD");
        append_note(sql, table, 'I', "NEW");
        break;
    default:
        sqlite3_str_appendf(sql, "DELETE ON \"%w\"\n  WHEN %s BEGIN", table->name, unless_applying);
        append_note(sql, table, 'D', "OLD");
        break;
    }
    sqlite3_str_appendall(sql, "\nEND");
    return sqlite3_str_finish(sql);
}

/* The columns have no declared type: values keep their storage class, bit by bit. */
static enum nv_status create_pending(struct nv_store *store, const struct nv_table *table, struct nv_error *error)
{
    sqlite3_str *sql = sqlite3_str_new(store->db);
    sqlite3_str_appendf(sql,
                        "CREATE TABLE IF NOT EXISTS main.navette_pending_%u(n INTEGER PRIMARY KEY, what TEXT, "
                        "at_ms INTEGER",
                        table->number);
    append_list(sql, 'k', table->key_count);
    sqlite3_str_appendf(sql, "); CREATE TABLE IF NOT EXISTS main.navette_old_%u(n INTEGER PRIMARY KEY", table->number);
    append_list(sql, 'o', table->field_count);
    sqlite3_str_appendall(sql, ")");
    char *text = sqlite3_str_finish(sql);
    enum nv_status status = text == NULL ? nv_no_memory(error) : nv_db_exec(store->db, text, error);
    sqlite3_free(text);
    return status;
}

static enum nv_status count_columns(struct nv_store *store, const struct nv_table *table, const char *which,
                                    int64_t *ret_columns, struct nv_error *error)
{
    char sql[128];
    sqlite3_snprintf(sizeof sql, sql, "SELECT count(*) FROM pragma_table_info('navette_%s_%u', 'main')", which,
                     table->number);
    return nv_db_integer(store->db, sql, 0, ret_columns, error);
}

/* Columns that were published since the table of old values was made. */
static enum nv_status add_old_columns(struct nv_store *store, const struct nv_table *table, struct nv_error *error)
{
    int64_t columns;
    enum nv_status status = count_columns(store, table, "old", &columns, error);
    if (status != NV_OK)
        return status;
    for (int64_t field = columns - BEFORE_OLD; status == NV_OK && field < (int64_t)table->field_count; field++)
        status =
            nv_db_execf(store->db, error, "ALTER TABLE main.navette_old_%u ADD COLUMN o%d", table->number, (int)field);
    return status;
}

static enum nv_status check_pending(struct nv_store *store, const struct nv_table *table, bool *ret_there,
                                    struct nv_error *error)
{
    int64_t pending, old;
    enum nv_status status = count_columns(store, table, "pending", &pending, error);
    if (status == NV_OK)
        status = count_columns(store, table, "old", &old, error);
    if (status == NV_OK)
        *ret_there =
            pending == BEFORE_KEY + (int64_t)table->key_count && old == BEFORE_OLD + (int64_t)table->field_count;
    return status;
}

enum nv_status nv_tracking_prepare(struct nv_store *store, const struct nv_table *table, struct nv_error *error)
{
    enum nv_status status = create_pending(store, table, error);
    return status == NV_OK ? add_old_columns(store, table, error) : status;
}

enum nv_status nv_tracking_install(struct nv_store *store, const struct nv_table *table, struct nv_error *error)
{
    enum nv_status status = nv_tracking_prepare(store, table, error);
    for (size_t i = 0; status == NV_OK && i < TRIGGERS; i++) {
        status = nv_db_execf(store->db, error, "DROP TRIGGER IF EXISTS main.navette_%s_%u", kinds[i], table->number);
        char *sql = status == NV_OK ? trigger_sql(store->db, table, kinds[i]) : NULL;
        if (status == NV_OK)
            status = sql == NULL ? nv_no_memory(error) : nv_db_exec(store->db, sql, error);
        sqlite3_free(sql);
    }
    return status;
}

static enum nv_status check_trigger(struct nv_store *store, sqlite3_stmt *find, const struct nv_table *table,
                                    const char *kind, bool *ret_there, struct nv_error *error)
{
    char name[64];
    bool row;
    char *wanted = trigger_sql(store->db, table, kind);
    if (wanted == NULL)
        return nv_no_memory(error);
    sqlite3_snprintf(sizeof name, name, "navette_%s_%u", kind, table->number);
    sqlite3_bind_text(find, 1, name, -1, SQLITE_STATIC);
    enum nv_status status = nv_db_step(find, &row, error);
    if (status == NV_OK)
        *ret_there = row && strcmp((const char *)sqlite3_column_text(find, 0), wanted) == 0;
    sqlite3_reset(find);
    sqlite3_free(wanted);
    return status;
}

enum nv_status nv_tracking_check(struct nv_store *store, const struct nv_table *table, bool *ret_table_there,
                                 bool *ret_triggers_there, struct nv_error *error)
{
    char trouble[NV_TROUBLE_TEXT];
    enum nv_status status = nv_store_table_trouble(store, table, trouble, error);
    if (status != NV_OK)
        return status;
    sqlite3_stmt *find =
        nv_db_prepare(store->db, "SELECT sql FROM main.sqlite_schema WHERE type = 'trigger' AND name = ?1", error);
    if (find == NULL)
        return error->status;
    bool are_there = false;
    status = check_pending(store, table, &are_there, error);
    for (size_t i = 0; status == NV_OK && are_there && i < TRIGGERS; i++)
        status = check_trigger(store, find, table, kinds[i], &are_there, error);
    sqlite3_finalize(find);
    if (status == NV_OK) {
        *ret_table_there = trouble[0] == '\0';
        *ret_triggers_there = are_there;
    }
    return status;
}
