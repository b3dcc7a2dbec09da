#include "client/records.h"

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "client/language.h"
#include "client/output.h"
#include "store/care.h"
#include "store/db.h"

enum nv_status nv_find_table(const struct nv_store *store, const char *name, const struct nv_table **ret_table,
                             struct nv_error *error)
{
    const struct nv_table *table = nv_store_table(store, name);
    if (table == NULL && !nv_store_identity(store)->has_network)
        return nv_fail(error, NV_NOT_FOUND, "no table is kept in step here yet: this site has joined no network");
    if (table == NULL)
        return nv_fail(error, NV_NOT_FOUND,
                       "no table %.*s is kept in step here: `navette schema show` lists those that are", NV_LIMIT_NAME,
                       name);
    if (table->missing)
        return nv_fail(error, NV_NOT_YET,
                       "the table %s is not in the store now (a tool may be rebuilding it): try again when it is back",
                       table->name);
    *ret_table = table;
    return NV_OK;
}

/* ---- FIELD=VALUE ---- */

static const char *find_column(const struct nv_table *table, const char *name, size_t size, bool *ret_is_key)
{
    for (size_t i = 0; i < table->key_count + table->field_count; i++) {
        *ret_is_key = i < table->key_count;
        const char *column = *ret_is_key ? table->keys[i] : table->fields[i - table->key_count].name;
        if (strlen(column) == size && sqlite3_strnicmp(column, name, (int)size) == 0)
            return column;
    }
    return NULL;
}

bool nv_is_assignment(const char *word)
{
    return word[0] != '\\' && strchr(word, '=') != NULL;
}

static enum nv_status take_blob(const char *digits, struct nv_assignment *assignment, struct nv_error *error)
{
    size_t size = strlen(digits) / 2;
    uint8_t *room = size == 0 ? NULL : nv_buffer_extend(&assignment->blob, size);
    if (assignment->blob.failed)
        return nv_fail(error, NV_NO_MEMORY, "out of memory");
    if (strlen(digits) % 2 != 0 || (size > 0 && !nv_unhex(digits, room, size)))
        return nv_fail(error, NV_USAGE, "%s: @hex: takes pairs of hexadecimal digits", assignment->column);
    assignment->type = NV_BLOB;
    assignment->bytes = nv_buffer_slice(&assignment->blob);
    return NV_OK;
}

static enum nv_status take_value(const char *text, struct nv_assignment *assignment, struct nv_error *error)
{
    if (strcmp(text, "@null") == 0) {
        assignment->type = NV_NULL;
        return NV_OK;
    }
    if (strncmp(text, "@hex:", 5) == 0)
        return take_blob(text + 5, assignment, error);
    if (text[0] == '@' && text[1] != '@')
        return nv_fail(error, NV_USAGE, "%s: a value that begins with @ is @null or @hex:…; write @@ for a plain @",
                       assignment->column);
    text += text[0] == '@' ? 1 : 0;
    assignment->type = NV_TEXT;
    assignment->bytes = (struct nv_slice){(const uint8_t *)text, strlen(text)};
    return NV_OK;
}

static enum nv_status take_word(const struct nv_table *table, const char *word, struct nv_assignments *assignments,
                                struct nv_error *error)
{
    struct nv_assignment *assignment = &assignments->items[assignments->count];
    const char *equals = strchr(word, '=');
    if (equals == NULL)
        return nv_fail(error, NV_USAGE,
                       "write FIELD=VALUE for each field; an empty VALUE is empty text, @null is NULL");
    assignment->column = find_column(table, word, (size_t)(equals - word), &assignment->is_key);
    if (assignment->column == NULL)
        return nv_fail(error, NV_NOT_FOUND, "%s has no field %.*s: `navette schema show` lists its fields", table->name,
                       (int)(equals - word < NV_LIMIT_NAME ? equals - word : NV_LIMIT_NAME), word);
    for (size_t i = 0; i < assignments->count; i++)
        if (strcmp(assignments->items[i].column, assignment->column) == 0)
            return nv_fail(error, NV_USAGE, "%s is given twice", assignment->column);
    assignments->count++;
    return take_value(equals + 1, assignment, error);
}

enum nv_status nv_assignments_read(const struct nv_table *table, const char *const *words, size_t count,
                                   struct nv_assignments *ret_assignments, struct nv_error *error)
{
    struct nv_assignments assignments = {.items = calloc(count + 1, sizeof *assignments.items)};
    enum nv_status status = NV_OK;
    if (assignments.items == NULL)
        return nv_fail(error, NV_NO_MEMORY, "out of memory");
    for (size_t i = 0; status == NV_OK && i < count; i++)
        status = take_word(table, words[i], &assignments, error);
    if (status != NV_OK)
        nv_assignments_done(&assignments);
    else
        *ret_assignments = assignments;
    return status;
}

void nv_assignments_done(struct nv_assignments *assignments)
{
    for (size_t i = 0; i < assignments->count; i++)
        nv_buffer_done(&assignments->items[i].blob);
    free(assignments->items);
    *assignments = (struct nv_assignments){0};
}

void nv_assignment_bind(sqlite3_stmt *statement, int place, const struct nv_assignment *assignment)
{
    struct nv_value value = {.type = assignment->type};
    if (value.type != NV_NULL)
        value.bytes = assignment->bytes;
    nv_db_bind_value(statement, place, &value);
}

/* ---- SQL ---- */

void nv_bind_key(sqlite3_stmt *statement, int place, struct nv_slice key)
{
    struct nv_reader reader = nv_reader_of(key);
    struct nv_value value;
    while (nv_value_decode(&reader, &value))
        nv_db_bind_value(statement, place++, &value);
}

void nv_sql_key_columns(sqlite3_str *sql, const struct nv_table *table)
{
    for (size_t i = 0; i < table->key_count; i++)
        sqlite3_str_appendf(sql, "%s\"%w\"", i == 0 ? "" : ", ", table->keys[i]);
}

void nv_sql_where_key(sqlite3_str *sql, const struct nv_table *table, int place)
{
    for (size_t i = 0; i < table->key_count; i++)
        sqlite3_str_appendf(sql, "%s\"%w\" = ?%d", i == 0 ? " WHERE " : " AND ", table->keys[i], place + (int)i);
}

sqlite3_stmt *nv_prepare_built(struct nv_store *store, sqlite3_str *sql, struct nv_error *error)
{
    char *text = sqlite3_str_finish(sql);
    if (text == NULL) {
        nv_fail(error, NV_NO_MEMORY, "out of memory");
        return NULL;
    }
    sqlite3_stmt *statement = nv_db_prepare(nv_store_db(store), text, error);
    sqlite3_free(text);
    return statement;
}

void nv_key_text_at(sqlite3_stmt *statement, int first, const struct nv_table *table, struct nv_buffer *ret_text)
{
    struct nv_buffer key = {0};
    for (size_t i = 0; i < table->key_count; i++) {
        struct nv_value value = nv_db_value(statement, first + (int)i);
        nv_value_encode(&key, &value);
    }
    nv_key_to_text(table, nv_buffer_slice(&key), ret_text);
    ret_text->failed |= key.failed;
    nv_buffer_done(&key);
}

const char *nv_label(const struct nv_column *column)
{
    const char *first = nv_is_french() ? column->label_fr : column->label_en;
    const char *second = nv_is_french() ? column->label_en : column->label_fr;
    return first != NULL ? first : second;
}
