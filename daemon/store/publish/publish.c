/* Publications: what the schema asks for, whether it is time, and the rows. */
#include "store/publish.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "store/internal.h"
#include "store/scopes/numbers.h"

/* ---- what the schema asks for ---- */

static bool is_known_pace(const char *every)
{
    return strcmp(every, "month") == 0 || strcmp(every, "quarter") == 0 || strcmp(every, "year") == 0;
}

/* Whether the column has a text that fits. */
static bool copy_text(sqlite3_stmt *statement, int column, char *ret_text, size_t size)
{
    struct nv_value value = nv_db_value(statement, column);
    if (value.type != NV_TEXT || value.bytes.size >= size)
        return false;
    memcpy(ret_text, value.bytes.data, value.bytes.size);
    ret_text[value.bytes.size] = '\0';
    return true;
}

enum nv_status nv_store_publications(struct nv_store *store, struct nv_publication ret_list[NV_PUBLICATIONS_MOST],
                                     size_t *ret_count, struct nv_error *error)
{
    int64_t exists = 0;
    bool row;
    *ret_count = 0;
    enum nv_status status = nv_ready(store, error);
    if (status == NV_OK)
        status =
            nv_db_integer(store->db, "SELECT 1 FROM main.sqlite_master WHERE type = 'view' AND name = 'publication'", 0,
                          &exists, error);
    if (status != NV_OK || exists == 0)
        return status;
    sqlite3_stmt *views = nv_db_prepare(store->db, "SELECT view_name, table_name, every FROM main.publication", error);
    if (views == NULL)
        return error->status;
    while ((status = nv_db_step(views, &row, error)) == NV_OK && row && *ret_count < NV_PUBLICATIONS_MOST) {
        struct nv_publication *item = &ret_list[*ret_count];
        if (!copy_text(views, 0, item->view, sizeof item->view) ||
            !copy_text(views, 1, item->table, sizeof item->table) ||
            !copy_text(views, 2, item->every, sizeof item->every) || !is_known_pace(item->every))
            continue; /* newer software published it */
        ++*ret_count;
    }
    sqlite3_finalize(views);
    return status;
}

void nv_period_of(const char *every, struct nv_wall_ms time, char ret_period[NV_PERIOD_TEXT])
{
    time_t seconds = (time_t)(time.ms / 1000);
    struct tm parts = {0};
    gmtime_r(&seconds, &parts);
    unsigned year = (unsigned)(parts.tm_year + 1900) % 10000, month = (unsigned)parts.tm_mon % 12;
    if (strcmp(every, "month") == 0)
        snprintf(ret_period, NV_PERIOD_TEXT, "%04u-%02u", year, month + 1);
    else if (strcmp(every, "quarter") == 0)
        snprintf(ret_period, NV_PERIOD_TEXT, "%04u-Q%u", year, month / 3 + 1);
    else
        snprintf(ret_period, NV_PERIOD_TEXT, "%04u", year);
}

/* ---- the table that it goes into ---- */

enum { ABSENT = -1 };

static int key_place(const struct nv_table *table, const char *column)
{
    for (size_t i = 0; i < table->key_count; i++)
        if (sqlite3_stricmp(table->keys[i], column) == 0)
            return (int)i;
    return ABSENT;
}

static enum nv_status find_target(const struct nv_store *store, const char *name, const struct nv_table **ret_table,
                                  struct nv_error *error)
{
    const struct nv_table *table = nv_store_table(store, name);
    if (table == NULL || table->missing)
        return nv_fail(error, NV_NOT_YET, "the table %.64s, into which counts are published, is not here now", name);
    if (table->declared != NV_DECLARED_NETWORK || !table->of_home || key_place(table, "period") == ABSENT ||
        key_place(table, "site") == ABSENT)
        return nv_fail(error, NV_REFUSED,
                       "counts are published into a table of scope 'network' with writers 'home', whose key has the "
                       "columns period and site: %.64s is none",
                       name);
    *ret_table = table;
    return NV_OK;
}

/* ---- what was published already ---- */

/* The last period, of those up to now. */
struct last {
    char now[NV_PERIOD_TEXT], period[NV_PERIOD_TEXT];
};

static void take_later(struct last *last, const struct nv_value *value)
{
    if (value->type != NV_TEXT || value->bytes.size >= NV_PERIOD_TEXT)
        return;
    char text[NV_PERIOD_TEXT] = {0};
    memcpy(text, value->bytes.data, value->bytes.size);
    if (strcmp(text, last->period) > 0 && strcmp(text, last->now) <= 0)
        strcpy(last->period, text);
}

/* By the records themselves: they come back with a site that lost its machine. */
static enum nv_status last_sealed(struct nv_store *store, const struct nv_table *table, struct last *last,
                                  struct nv_error *error)
{
    int place = key_place(table, "period");
    bool row;
    nv_scope_number scope = nv_scope_number_find(store, NV_SCOPE_NETWORK, &store->identity.site);
    if (scope == 0)
        return NV_OK;
    sqlite3_stmt *keys =
        nv_db_prepare(store->db, "SELECT key FROM main.navette_version WHERE tbl = ?1 AND scope = ?2", error);
    if (keys == NULL)
        return error->status;
    sqlite3_bind_int64(keys, 1, table->number);
    sqlite3_bind_int64(keys, 2, scope);
    enum nv_status status;
    while ((status = nv_db_step(keys, &row, error)) == NV_OK && row) {
        struct nv_reader reader = nv_reader_of(nv_db_blob(keys, 0));
        struct nv_value value = {0};
        for (int i = 0; i <= place && nv_value_decode(&reader, &value); i++)
            if (i == place)
                take_later(last, &value);
    }
    sqlite3_finalize(keys);
    return status;
}

/* What was published and waits to be sealed. */
static enum nv_status last_pending(struct nv_store *store, const struct nv_table *table, struct last *last,
                                   struct nv_error *error)
{
    bool row;
    int place = key_place(table, "period");
    sqlite3_stmt *latest = nv_db_preparef(
        store->db, error, "SELECT max(k%d) FROM main.navette_pending_%u WHERE k%d <= ?1", place, table->number, place);
    if (latest == NULL)
        return error->status;
    sqlite3_bind_text(latest, 1, last->now, -1, SQLITE_STATIC);
    enum nv_status status = nv_db_step(latest, &row, error);
    if (status == NV_OK && row) {
        struct nv_value value = nv_db_value(latest, 0);
        take_later(last, &value);
    }
    sqlite3_finalize(latest);
    return status;
}

enum nv_status nv_store_published_last(struct nv_store *store, const struct nv_publication *publication,
                                       char ret_period[NV_PERIOD_TEXT], struct nv_error *error)
{
    const struct nv_table *table;
    struct last last = {.period = ""};
    nv_period_of(publication->every, nv_wall_now(), last.now);
    enum nv_status status = nv_ready(store, error);
    if (status == NV_OK)
        status = find_target(store, publication->table, &table, error);
    if (status == NV_OK)
        status = last_sealed(store, table, &last, error);
    if (status == NV_OK)
        status = last_pending(store, table, &last, error);
    if (status == NV_OK)
        strcpy(ret_period, last.period);
    return status;
}

/* ---- publishing ---- */

/* INSERT INTO the table of the view's columns, and of period and site. */
static sqlite3_stmt *prepare_insert(struct nv_store *store, const struct nv_table *table, sqlite3_stmt *rows,
                                    struct nv_error *error)
{
    int count = sqlite3_column_count(rows);
    sqlite3_str *sql = sqlite3_str_new(store->db);
    sqlite3_str_appendf(sql, "INSERT INTO main.\"%w\"(period, site", table->name);
    for (int i = 0; i < count; i++)
        sqlite3_str_appendf(sql, ", \"%w\"", sqlite3_column_name(rows, i));
    sqlite3_str_appendall(sql, ") VALUES (?1, ?2");
    for (int i = 0; i < count; i++)
        sqlite3_str_appendf(sql, ", ?%d", i + 3);
    sqlite3_str_appendall(sql, ")");
    char *text = sqlite3_str_finish(sql);
    sqlite3_stmt *insert = text == NULL ? NULL : nv_db_prepare(store->db, text, error);
    if (text == NULL)
        nv_no_memory(error);
    sqlite3_free(text);
    return insert;
}

static enum nv_status insert_rows(sqlite3_stmt *rows, sqlite3_stmt *insert, size_t *ret_rows, struct nv_error *error)
{
    bool row;
    size_t count = 0;
    enum nv_status status;
    while ((status = nv_db_step(rows, &row, error)) == NV_OK && row) {
        for (int i = 0; i < sqlite3_column_count(rows); i++) {
            struct nv_value value = nv_db_value(rows, i);
            nv_db_bind_value(insert, i + 3, &value);
        }
        status = nv_db_run(insert, error);
        if (status != NV_OK)
            return status;
        count++;
    }
    *ret_rows = count;
    return status;
}

static enum nv_status check_new(struct nv_store *store, const struct nv_publication *publication, const char *period,
                                struct nv_error *error)
{
    char last[NV_PERIOD_TEXT];
    enum nv_status status = nv_store_published_last(store, publication, last, error);
    if (status == NV_OK && strcmp(last, period) >= 0)
        return nv_fail(error, NV_NOT_SO,
                       "this site published its counts for %s already: a second time would show what changed in "
                       "between, and with it persons; the next period takes up what is new",
                       last);
    return status;
}

/* Inside the store's transaction. */
static enum nv_status write_rows(struct nv_store *store, const struct nv_publication *publication, const char *period,
                                 struct nv_own *own, size_t *ret_rows, struct nv_error *error)
{
    const struct nv_table *table = NULL;
    sqlite3_stmt *rows = NULL, *insert = NULL;
    enum nv_status status = find_target(store, publication->table, &table, error);
    if (status == NV_OK)
        status = check_new(store, publication, period, error);
    if (status == NV_OK && (rows = nv_own_prepare(own, "SELECT * FROM navette_kept", error)) == NULL)
        status = error->status;
    if (status == NV_OK && (insert = prepare_insert(store, table, rows, error)) == NULL)
        status = error->status;
    if (status == NV_OK) {
        sqlite3_bind_text(insert, 1, period, -1, SQLITE_STATIC);
        sqlite3_bind_text(insert, 2, store->identity.name, -1, SQLITE_STATIC);
        status = insert_rows(rows, insert, ret_rows, error);
    }
    sqlite3_finalize(insert);
    sqlite3_finalize(rows);
    return status;
}

/* Counted first, so that nobody who writes waits for it. */
enum nv_status nv_store_publish(struct nv_store *store, const struct nv_publication *publication, const char *period,
                                size_t *ret_rows, struct nv_error *error)
{
    struct nv_own *own = NULL;
    size_t count = 0;
    enum nv_status status = check_new(store, publication, period, error);
    if (status == NV_OK)
        status = nv_own_open(store, &own, error);
    if (status == NV_OK)
        status = nv_own_keep(own, publication->view, error);
    if (status == NV_OK)
        status = nv_begin(store, error);
    if (status == NV_OK) {
        status = write_rows(store, publication, period, own, &count, error);
        if (status == NV_OK)
            status = nv_commit(store, error);
        if (status != NV_OK)
            nv_rollback(store);
    }
    nv_own_close(own);
    if (status == NV_OK)
        *ret_rows = count;
    return status;
}
