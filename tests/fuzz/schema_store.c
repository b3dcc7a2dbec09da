#include "schema_store.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/accept.h"
#include "store/log.h"

enum { FIELDS_MAX = 4, VALUES_MAX = 4, AUTHORITY = 3, URI_BYTES = 80 };

static const struct nv_wall_ms founded = {1767600000000};

static const char published[] =
    "CREATE TABLE learner(id TEXT NOT NULL PRIMARY KEY, phone TEXT, minutes INTEGER NOT NULL DEFAULT 0 CHECK (minutes "
    ">= "
    "0), note ANY COLLATE NOCASE) STRICT;"
    "CREATE TABLE visit(learner TEXT NOT NULL, day INTEGER NOT NULL, hours REAL DEFAULT 1.5, \"a b\" DECIMAL(5, 2), "
    "PRIMARY KEY (learner, day)) WITHOUT ROWID;"
    "CREATE INDEX visit_day ON visit(day); CREATE VIEW long_visit AS SELECT * FROM visit WHERE hours > 3;"
    "INSERT INTO navette_table(name, scope) VALUES ('learner', 'network'), ('visit', 'network');"
    "INSERT INTO navette_column(table_name, name, rule, quiet) VALUES ('learner', 'minutes', 'max', 1)";

static void must(enum nv_status status, const struct nv_error *error)
{
    if (status == NV_OK)
        return;
    fprintf(stderr, "%s: %s\n", nv_status_text(status), error->text);
    abort();
}

static void must_sqlite(int result)
{
    assert(result == SQLITE_OK);
}

/* ---- the stores ---- */

struct nv_sign_key nv_fuzz_schema_authority(void)
{
    return nv_fuzz_key(AUTHORITY);
}

/* A store is made in a file: it is copied from there into SQLite's own memory, which stays as long as somebody has it
 * open. */
static sqlite3 *make_in_memory(const char *uri)
{
    struct nv_error error = {0};
    char folder[] = "/tmp/navette-fuzz-XXXXXX", path[64];
    const char *made = mkdtemp(folder);
    assert(made != NULL);
    snprintf(path, sizeof path, "%s/store.db", folder);
    must(nv_store_create(path, "hub", &error), &error);
    sqlite3 *file = NULL, *memory = NULL;
    must_sqlite(sqlite3_open(path, &file));
    must_sqlite(sqlite3_exec(file, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL)); /* memory has no WAL */
    must_sqlite(sqlite3_open_v2(uri, &memory, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI, NULL));
    sqlite3_backup *backup = sqlite3_backup_init(memory, "main", file, "main");
    int copied = sqlite3_backup_step(backup, -1);
    assert(backup != NULL && copied == SQLITE_DONE);
    must_sqlite(sqlite3_backup_finish(backup));
    sqlite3_close(file);
    unlink(path);
    rmdir(folder);
    return memory;
}

static struct nv_store *make(const char *uri, bool has_schema)
{
    struct nv_error error = {0};
    struct nv_store *store = NULL;
    struct nv_sign_key authority = nv_fuzz_schema_authority(), successor = nv_fuzz_key(4), own = nv_fuzz_key(5);
    sqlite3 *memory = make_in_memory(uri);
    must(nv_store_open(uri, &store, &error), &error);
    sqlite3_close(memory);
    struct nv_certificate self = {.site = nv_store_identity(store)->site,
                                  .name = "hub",
                                  .sign_key = own.public_key,
                                  .curve_key = nv_fuzz_key(6).public_key,
                                  .role = NV_ROLE_HUB};
    must(nv_authority_found(store, "network", &authority, &successor.public_key, &self, founded, &error), &error);
    if (has_schema)
        must(nv_schema_apply(store, &authority, published, false, founded, NULL, &error), &error);
    return store;
}

static struct nv_store *stores[2];

static void close_stores(void)
{
    nv_store_close(stores[0]);
    nv_store_close(stores[1]);
}

struct nv_store *nv_fuzz_schema_store(bool has_schema)
{
    static bool is_registered;
    if (!is_registered)
        atexit(close_stores);
    is_registered = true;
    if (stores[has_schema] == NULL)
        stores[has_schema] =
            make(has_schema ? "file:/navette-fuzz-grown?vfs=memdb" : "file:/navette-fuzz?vfs=memdb", has_schema);
    return stores[has_schema];
}

static int64_t number_of(sqlite3 *db, const char *sql)
{
    struct nv_error error = {0};
    int64_t number = 0;
    must(nv_db_integer(db, sql, 0, &number, &error), &error);
    return number;
}

uint64_t nv_fuzz_schema_position(struct nv_store *store)
{
    return 1 + (uint64_t)number_of(store->db, "SELECT has_seq FROM navette_log WHERE scope = zeroblob(16)");
}

uint64_t nv_fuzz_schema_state(struct nv_store *store)
{
    static const char everything[] =
        "SELECT (SELECT count(*) * 1000000 + sum(length(sql)) FROM sqlite_schema) * 31"
        " + (SELECT count(*) FROM navette_statement) * 7 + (SELECT count(*) FROM navette_table) * 5"
        " + (SELECT count(*) FROM navette_column) * 3 + (SELECT count(*) FROM navette_changeset)";
    return (uint64_t)number_of(store->db, everything) * 1000 + store->table_count;
}

/* ---- what may be there ---- */

void nv_fuzz_check_objects(sqlite3 *db)
{
    assert(number_of(db, "SELECT count(*) FROM main.sqlite_schema WHERE type NOT IN ('table', 'index', 'view') OR "
                         "name LIKE 'navette\\_%' ESCAPE '\\' OR sql LIKE 'CREATE VIRTUAL%' OR "
                         "(type = 'table' AND rootpage = 0)") == 0);
    assert(number_of(db, "SELECT count(*) FROM temp.sqlite_schema") == 0);
    assert(number_of(db, "SELECT count(*) FROM pragma_database_list WHERE name NOT IN ('main', 'temp')") == 0);
}

/* ---- what is accepted ---- */

static sqlite3_stmt *prepare(sqlite3 *db, char *sql)
{
    struct nv_error error = {0};
    sqlite3_stmt *statement = nv_db_prepare(db, sql, &error);
    must(statement == NULL ? error.status : NV_OK, &error);
    sqlite3_free(sql);
    return statement;
}

/* A value that the key's column takes. */
static struct nv_value key_value(const struct nv_column_type *type)
{
    static const uint8_t bytes[] = {'k'};
    const struct nv_value values[] = {{.type = NV_TEXT, .bytes = {bytes, 1}},
                                      {.type = NV_INTEGER, .integer = 1},
                                      {.type = NV_BLOB, .bytes = {bytes, 1}}};
    size_t i = 0;
    while (!nv_column_accepts(type, &values[i]))
        i++;
    assert(i < sizeof values / sizeof values[0]);
    return values[i];
}

/* "All fields without a sibling show their defaults" has to be a row that the table takes. */
static void insert_defaults(sqlite3 *db, const struct nv_table *table)
{
    sqlite3_str *sql = sqlite3_str_new(db);
    sqlite3_str_appendf(sql, "INSERT INTO main.\"%w\"(", table->name);
    for (size_t i = 0; i < table->key_count; i++)
        sqlite3_str_appendf(sql, "%s\"%w\"", i == 0 ? "" : ", ", table->keys[i]);
    sqlite3_str_appendall(sql, ") VALUES (");
    for (size_t i = 0; i < table->key_count; i++)
        sqlite3_str_appendf(sql, "%s?%d", i == 0 ? "" : ", ", (int)i + 1);
    sqlite3_str_appendall(sql, ")");
    sqlite3_stmt *statement = prepare(db, sqlite3_str_finish(sql));
    struct nv_value values[NV_LIMIT_KEY_COLUMNS];
    for (size_t i = 0; i < table->key_count; i++) {
        values[i] = key_value(&table->key_types[i]);
        nv_db_bind_value(statement, (int)i + 1, &values[i]);
    }
    int result = sqlite3_step(statement);
    assert(result == SQLITE_DONE);
    sqlite3_finalize(statement);
}

static void check_default(struct nv_store *store, const struct nv_table *table, unsigned field, sqlite3_stmt *read)
{
    struct nv_arena arena = {.limit = 1 << 20};
    struct nv_error error = {0};
    struct nv_value told;
    must(nv_published_default(store, table, field, &arena, &told, &error), &error);
    int result = sqlite3_step(read);
    assert(result == SQLITE_ROW);
    struct nv_value shown = nv_db_value(read, 0);
    assert(nv_value_equal(&told, &shown));
    sqlite3_reset(read);
    nv_arena_done(&arena);
}

/* Whether SQLite stores the value as it is. */
static bool is_stored(sqlite3_stmt *write, sqlite3_stmt *read, const struct nv_value *value)
{
    nv_db_bind_value(write, 1, value);
    bool is_written = sqlite3_step(write) == SQLITE_DONE;
    sqlite3_reset(write);
    sqlite3_clear_bindings(write);
    if (!is_written)
        return false;
    int result = sqlite3_step(read);
    assert(result == SQLITE_ROW);
    struct nv_value stored = nv_db_value(read, 0);
    bool is_same = nv_value_equal(&stored, value);
    sqlite3_reset(read);
    return is_same;
}

static bool is_accepted(struct nv_store *store, const struct nv_table *table, unsigned field,
                        const struct nv_value *value)
{
    bool accepts = nv_column_accepts(&table->fields[field].type, value);
    struct nv_error error = {0};
    if (accepts && table->fields[field].has_check)
        must(nv_check_accepts(store, table, field, value, &accepts, &error), &error);
    return accepts;
}

void nv_fuzz_check_accepts(struct nv_store *store, const struct nv_table *table, struct nv_dice *dice)
{
    assert(!table->missing);
    insert_defaults(store->db, table);
    for (unsigned field = 0; field < table->field_count && field < FIELDS_MAX; field++) {
        const char *name = table->fields[field].name;
        sqlite3_stmt *read = prepare(store->db, sqlite3_mprintf("SELECT \"%w\" FROM main.\"%w\"", name, table->name));
        sqlite3_stmt *write =
            prepare(store->db, sqlite3_mprintf("UPDATE main.\"%w\" SET \"%w\" = ?1", table->name, name));
        check_default(store, table, field, read);
        for (size_t i = 0; i < VALUES_MAX; i++) {
            uint8_t bytes[NV_DICE_VALUE_BYTES];
            struct nv_value value = nv_dice_value(dice, bytes);
            assert(is_accepted(store, table, field, &value) == is_stored(write, read, &value));
        }
        sqlite3_finalize(read);
        sqlite3_finalize(write);
    }
}
