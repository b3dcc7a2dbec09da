/* navette duplicates: records that may be one, as the schema's view probable_duplicate tells them. Nothing is changed:
 * a person looks at both, and deletes one. */
#include <string.h>

#include "client/command.h"
#include "client/language.h"
#include "store/db.h"

/* The pairs: table, key, other. NULL and the error set on failure. */
static sqlite3_stmt *prepare_pairs(struct nv_store *store, const char *table, struct nv_error *error)
{
    int64_t exists = 0;
    enum nv_status status = nv_db_integer(
        nv_store_db(store), "SELECT 1 FROM main.sqlite_master WHERE type = 'view' AND name = 'probable_duplicate'", 0,
        &exists, error);
    if (status == NV_OK && exists == 0)
        status = nv_fail(error, NV_NOT_FOUND, "the schema of this network does not say which records may be one");
    if (status != NV_OK)
        return NULL;
    sqlite3_stmt *pairs = nv_db_prepare(nv_store_db(store),
                                        "SELECT table_name, key, other FROM main.probable_duplicate "
                                        "WHERE ?1 IS NULL OR table_name = ?1 ORDER BY table_name, key, other",
                                        error);
    if (pairs != NULL)
        sqlite3_bind_text(pairs, 1, table, -1, SQLITE_STATIC);
    return pairs;
}

static const char *text_at(sqlite3_stmt *row, int column)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    return text == NULL ? "" : text;
}

static enum nv_status print_pairs(sqlite3_stmt *pairs, size_t *ret_count, struct nv_error *error)
{
    struct nv_grid grid = {.columns = 3};
    bool row;
    enum nv_status status;
    while ((status = nv_db_step(pairs, &row, error)) == NV_OK && row) {
        for (int i = 0; i < 3; i++)
            nv_grid_cell(&grid, text_at(pairs, i));
        ++*ret_count;
    }
    if (status == NV_OK)
        status = nv_grid_print(&grid, 0, error);
    nv_grid_done(&grid);
    return status;
}

static enum nv_status print_pairs_json(sqlite3_stmt *pairs, struct nv_error *error)
{
    json_t *list = json_array();
    bool row;
    enum nv_status status;
    while ((status = nv_db_step(pairs, &row, error)) == NV_OK && row)
        json_array_append_new(list,
                              json_pack("{s:o, s:o, s:o}", "table", nv_json_text(text_at(pairs, 0)), "key",
                                        nv_json_text(text_at(pairs, 1)), "other", nv_json_text(text_at(pairs, 2))));
    if (status == NV_OK)
        return nv_print_json(list, error);
    json_decref(list);
    return status;
}

enum nv_status nv_command_duplicates(struct nv_call *call, struct nv_error *error)
{
    struct nv_store *store = NULL;
    sqlite3_stmt *pairs = NULL;
    size_t count = 0;
    enum nv_status status = nv_home_open(&call->home, &store, error);
    if (status == NV_OK && (pairs = prepare_pairs(store, call->word_count > 0 ? call->words[0] : NULL, error)) == NULL)
        status = error->status;
    if (status == NV_OK)
        status = call->json ? print_pairs_json(pairs, error) : print_pairs(pairs, &count, error);
    if (status == NV_OK && !call->json)
        puts(count == 0 ? _("No records look like one and the same.")
                        : _("Look at both with `navette get`, take over what is right, and delete the other with "
                            "`navette rm`."));
    sqlite3_finalize(pairs);
    nv_store_close(store);
    return status;
}
