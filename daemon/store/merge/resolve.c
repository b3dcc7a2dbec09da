/* A person's answer to a conflict: an ordinary write of the row, and an intent beside it which tells the sealing that
 * the answer covers all the values, not only the one that was shown. */
#include "store/care.h"
#include "store/merge/merge.h"

#include <string.h>

struct answer {
    struct nv_store *store;
    const struct nv_table *table;
    struct nv_slice key;
    nv_scope_number scope; /* of the record that the row shows */
    int field;             /* by number; -1: the record's deletes */
    struct nv_wall_ms now;
};

static enum nv_status write_intent(const struct answer *answer, struct nv_error *error)
{
    sqlite3_stmt *statement = nv_db_prepare(
        answer->store->db, "INSERT INTO navette_intent(tbl, key, field, at_ms) VALUES (?1, ?2, ?3, ?4)", error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, answer->table->number);
    nv_db_bind_slice(statement, 2, answer->key);
    if (answer->field >= 0)
        sqlite3_bind_int(statement, 3, answer->field);
    sqlite3_bind_int64(statement, 4, answer->now.ms);
    enum nv_status status = nv_db_run(statement, error);
    sqlite3_finalize(statement);
    return status;
}

/* The chosen value, appended to `bytes` in its encoding. NV_NOT_FOUND where there is no such conflict or no such value.
 */
static enum nv_status find_choice(const struct answer *answer, int choice, struct nv_buffer *bytes,
                                  struct nv_error *error)
{
    sqlite3_stmt *statement = nv_db_prepare(answer->store->db,
                                            "SELECT choice, value FROM navette_conflict WHERE tbl = ?1 AND key = ?2 "
                                            "AND field IS ?3 AND scope = ?4 ORDER BY choice",
                                            error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, answer->table->number);
    nv_db_bind_slice(statement, 2, answer->key);
    if (answer->field >= 0)
        sqlite3_bind_text(statement, 3, answer->table->fields[answer->field].name, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 4, answer->scope);
    bool row, is_open = false, found = false;
    enum nv_status status;
    while ((status = nv_db_step(statement, &row, error)) == NV_OK && row) {
        is_open = true;
        if (choice > 0 && sqlite3_column_int(statement, 0) == choice && !found) {
            struct nv_value value = nv_db_value(statement, 1);
            nv_value_encode(bytes, &value);
            found = true;
        }
    }
    sqlite3_finalize(statement);
    if (status == NV_OK && !is_open)
        status =
            nv_fail(error, NV_NOT_FOUND, "there is no such open conflict: `navette conflicts` lists those there are");
    else if (status == NV_OK && answer->field >= 0 && choice > 0 && !found)
        status = nv_fail(error, NV_NOT_FOUND, "this conflict has no choice %d: `navette conflicts` numbers its values",
                         choice);
    return status;
}

static enum nv_status refuse_absent_row(struct nv_error *error)
{
    return nv_fail(error, NV_NOT_SO,
                   "the record's row is not in its table now (it was deleted here, or a tool is "
                   "rebuilding the table): nothing was changed; look again in a moment");
}

/* `value` has the column's affinity applied by SQLite, as in any UPDATE. */
static enum nv_status answer_field(const struct answer *answer, const struct nv_value *value, struct nv_error *error)
{
    struct nv_value values[NV_LIMIT_FIELDS];
    struct nv_table_access *access = nv_access(answer->store, answer->table->number);
    values[answer->field] = *value;
    enum nv_status status =
        nv_row_update(answer->store, access, answer->key, (nv_fields)1 << answer->field, values, error);
    if (status == NV_OK && sqlite3_changes(answer->store->db) == 0)
        status = refuse_absent_row(error);
    return status;
}

/* Notes the end of the record as the trigger does, which may be gone: a tool that makes a table anew drops it, and a
 * row that is found gone without a note is never taken for a person's word. Two notes say what one does. */
static enum nv_status note_end(const struct answer *answer, struct nv_error *error)
{
    size_t count = answer->table->key_count;
    sqlite3_str *sql = sqlite3_str_new(answer->store->db);
    sqlite3_str_appendf(sql, "INSERT INTO navette_pending_%u(what, at_ms", answer->table->number);
    for (size_t i = 0; i < count; i++)
        sqlite3_str_appendf(sql, ", k%d", (int)i);
    sqlite3_str_appendall(sql, ") VALUES ('D', ?1");
    for (size_t i = 0; i < count; i++)
        sqlite3_str_appendf(sql, ", ?%d", (int)i + 2);
    sqlite3_str_appendall(sql, ")");
    char *text = sqlite3_str_finish(sql);
    sqlite3_stmt *statement = text == NULL ? NULL : nv_db_prepare(answer->store->db, text, error);
    sqlite3_free(text);
    if (statement == NULL)
        return text == NULL ? nv_no_memory(error) : error->status;
    struct nv_reader key = nv_reader_of(answer->key);
    struct nv_value value;
    sqlite3_bind_int64(statement, 1, answer->now.ms);
    for (int place = 2; nv_value_decode(&key, &value); place++)
        nv_db_bind_value(statement, place, &value);
    enum nv_status status = nv_db_run(statement, error);
    sqlite3_finalize(statement);
    return status;
}

static enum nv_status answer_deletes(const struct answer *answer, int choice, struct nv_error *error)
{
    if (choice == 1) /* keep it: the intent alone says so */
        return NV_OK;
    if (choice != 2)
        return nv_fail(error, NV_USAGE,
                       "a record that was deleted and edited is kept (choice 1) or deleted (choice 2)");
    struct nv_table_access *access = nv_access(answer->store, answer->table->number);
    enum nv_status status = nv_row_erase(answer->store, access, answer->key, error);
    if (status == NV_OK && sqlite3_changes(answer->store->db) == 0)
        status = refuse_absent_row(error);
    return status == NV_OK ? note_end(answer, error) : status;
}

static enum nv_status answer_it(const struct answer *answer, int choice, const char *value, struct nv_error *error)
{
    struct nv_buffer bytes = {0};
    struct nv_value chosen = {.type = NV_NULL};
    enum nv_status status = find_choice(answer, choice, &bytes, error);
    if (status == NV_OK && bytes.failed)
        status = nv_no_memory(error);
    if (status == NV_OK && answer->field < 0) {
        status = answer_deletes(answer, choice, error);
    } else if (status == NV_OK) {
        struct nv_reader reader = nv_reader_of(nv_buffer_slice(&bytes));
        if (choice > 0 && !nv_value_decode(&reader, &chosen))
            status = nv_fail(error, NV_BUG, "store: a conflict's value could not be read back");
        else if (choice == 0 && value != NULL)
            chosen = (struct nv_value){.type = NV_TEXT, .bytes = {(const uint8_t *)value, strlen(value)}};
        if (status == NV_OK)
            status = answer_field(answer, &chosen, error);
    }
    if (status == NV_OK)
        status = write_intent(answer, error);
    nv_buffer_done(&bytes);
    return status;
}

static int field_by_name(const struct nv_table *table, const char *name)
{
    for (size_t i = 0; i < table->field_count; i++)
        if (sqlite3_stricmp(table->fields[i].name, name) == 0)
            return (int)i;
    return -1;
}

static enum nv_status find_scope(struct answer *answer, struct nv_error *error)
{
    struct nv_merge merge;
    nv_merge_init(&merge, answer->store, answer->now, NULL);
    enum nv_status status = nv_merge_find_shown(&merge, answer->table, answer->key, error);
    answer->scope = merge.scope;
    nv_merge_done(&merge);
    return status;
}

/* Inside the transaction, where the tables cannot change. */
static enum nv_status find_answer(struct answer *answer, const char *table, const char *field, struct nv_error *error)
{
    answer->table = nv_store_table(answer->store, table);
    if (answer->table == NULL || answer->table->missing)
        return nv_fail(error, NV_NOT_FOUND, "no such table is kept in step here: `navette schema show` lists them");
    enum nv_status status = find_scope(answer, error);
    if (status != NV_OK)
        return status;
    answer->field = field == NULL ? -1 : field_by_name(answer->table, field);
    if (field != NULL && answer->field < 0)
        return nv_fail(error, NV_NOT_FOUND, "%s has no such field: `navette schema show` lists them",
                       answer->table->name);
    return NV_OK;
}

enum nv_status nv_conflict_resolve(struct nv_store *store, const char *table, struct nv_slice key, const char *field,
                                   int choice, const char *value, struct nv_wall_ms now, struct nv_error *error)
{
    struct answer answer = {.store = store, .key = key, .now = now};
    enum nv_status status = nv_begin(store, error);
    if (status != NV_OK)
        return status;
    status = find_answer(&answer, table, field, error);
    if (status == NV_OK)
        status = answer_it(&answer, choice, value, error);
    if (status == NV_OK)
        status = nv_commit(store, error);
    if (status != NV_OK)
        nv_rollback(store);
    return status;
}
