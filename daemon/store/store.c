/* Opening and making a store, who we are, and transactions. */
#include "store/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/planted.h"
#include "store/log.h"
#include "store/log/beyond.h"
#include "store/log/logs.h"
#include "store/log/opened.h"
#include "store/merge/rows.h"
#include "store/scopes/leaving.h"
#include "store/statements.h"
#include "store/trust/keyring.h"

extern const char *const nv_migrations[];
extern const int nv_migration_count;

enum { BUSY_US = 300, BUSY_TRIES = 1000, CHECKPOINT_PAGES = 4000 };

/* ---- opening ---- */

/* Waits for the write lock in short steps: SQLite's own handler soon waits so long at a time that a program which
 * writes without a pause would never let us in. */
int nv_wait_a_little(void *context, int tries)
{
    (void)context;
    if (tries >= BUSY_TRIES)
        return 0;
    nv_pause_us(BUSY_US);
    return 1;
}

/* SQLite's URIs may name what the system has no file for. */
static bool is_plain(const char *path)
{
    return strncmp(path, "file:", 5) != 0;
}

static enum nv_status configure(sqlite3 *db, struct nv_error *error)
{
    sqlite3_extended_result_codes(db, 1);
    sqlite3_busy_handler(db, nv_wait_a_little, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    /* The site's own indexes and views may use any of SQLite's functions, json_extract among them: where the schema is
     * not trusted, one such index makes the whole store unreadable. None but SQLite's own are registered here. */
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 1, NULL);
    sqlite3_wal_autocheckpoint(db, CHECKPOINT_PAGES);
    enum nv_status status =
        nv_db_exec(db,
                   "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF; "
                   "PRAGMA recursive_triggers = OFF; PRAGMA temp_store = MEMORY; PRAGMA secure_delete = ON; "
                   "PRAGMA cache_size = -16000",
                   error);
    if (status == NV_OK && NV_PLANTED(SKIP_FSYNC))
        status = nv_db_exec(db, "PRAGMA synchronous = NORMAL", error);
    return status;
}

static enum nv_status open_database(const char *path, int flags, sqlite3 **ret_db, struct nv_error *error)
{
    sqlite3 *db = NULL;
    /* SQLite's memory statistics cost a lock at every allocation. Once SQLite runs in this process it is too late to
     * say so, and then nothing happens. */
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    int result = sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI, NULL);
    enum nv_status status = result == SQLITE_OK ? configure(db, error) : nv_db_fail(db, result, path, error);
    if (status != NV_OK) {
        sqlite3_close(db);
        return status;
    }
    *ret_db = db;
    return NV_OK;
}

/* Runs the migrations that the file has not seen, each in a transaction of its own. user_version counts them; the
 * application_id says that the file is ours. */
static enum nv_status migrate(sqlite3 *db, struct nv_error *error)
{
    int64_t done;
    enum nv_status status = nv_db_integer(db, "PRAGMA user_version", 0, &done, error);
    if (status == NV_OK && done > nv_migration_count)
        return nv_fail(error, NV_NOT_YET,
                       "this store was written by a newer navette (format %lld, this one knows %d): install the newer "
                       "one",
                       (long long)done, nv_migration_count);
    for (int i = (int)done; status == NV_OK && i < nv_migration_count; i++) {
        status = nv_db_exec(db, "BEGIN IMMEDIATE", error);
        if (status == NV_OK)
            status = nv_db_exec(db, nv_migrations[i], error);
        if (status == NV_OK)
            status =
                nv_db_execf(db, error, "PRAGMA application_id = 0x4e617674; PRAGMA user_version = %d; COMMIT", i + 1);
        if (status != NV_OK && !sqlite3_get_autocommit(db))
            sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    }
    return status;
}

static enum nv_status set_fresh_identity(struct nv_store *store, const char *name, struct nv_error *error)
{
    uint8_t site[16], digest_key[16];
    uint64_t epoch;
    nv_random(site, sizeof site);
    nv_random(digest_key, sizeof digest_key);
    nv_random(&epoch, sizeof epoch);
    enum nv_status status =
        nv_meta_set(store, "site", &(struct nv_value){.type = NV_BLOB, .bytes = {site, sizeof site}}, error);
    if (status == NV_OK)
        status = nv_meta_set(
            store, "name", &(struct nv_value){.type = NV_TEXT, .bytes = {(const uint8_t *)name, strlen(name)}}, error);
    if (status == NV_OK)
        status = nv_meta_set(store, "epoch", &(struct nv_value){.type = NV_INTEGER, .integer = (int64_t)epoch}, error);
    if (status == NV_OK)
        status = nv_meta_set(store, "row_digest_key",
                             &(struct nv_value){.type = NV_BLOB, .bytes = {digest_key, sizeof digest_key}}, error);
    return status;
}

enum nv_status nv_store_create(const char *path, const char *name, struct nv_error *error)
{
    struct stat there;
    if (!nv_name_is_good(name))
        return nv_fail(error, NV_REFUSED, "a site's name has 1 to %d bytes and no control characters", NV_LIMIT_NAME);
    if (stat(path, &there) == 0)
        return nv_fail(error, NV_REFUSED, "%s is there already: a site is made once", path);
    struct nv_store store = {0};
    enum nv_status status = open_database(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &store.db, error);
    if (status == NV_OK)
        status = migrate(store.db, error);
    if (status == NV_OK)
        status = set_fresh_identity(&store, name, error);
    /* People's records: nobody but the owner and the group that the home is opened to. WAL and index follow the file.
     */
    if (status == NV_OK && is_plain(path) && chmod(path, 0660) != 0)
        status = nv_fail(error, NV_IO, "cannot set the mode of %s: %s", path, strerror(errno));
    nv_statements_done(&store);
    sqlite3_close(store.db);
    return status;
}

static enum nv_status read_identity(struct nv_store *store, struct nv_error *error)
{
    struct nv_identity found = {0}, *identity = &found;
    int64_t schema_version = 0; /* until the first look there is no row of it */
    sqlite3_stmt *statement = nv_db_prepare(store->db, "SELECT name, value FROM navette_meta", error);
    if (statement == NULL)
        return error->status;
    bool row;
    enum nv_status status;
    bool has_site = false;
    while ((status = nv_db_step(statement, &row, error)) == NV_OK && row) {
        const char *name = (const char *)sqlite3_column_text(statement, 0);
        struct nv_slice value = nv_db_blob(statement, 1);
        if (strcmp(name, "site") == 0 && value.size == sizeof identity->site.bytes) {
            memcpy(identity->site.bytes, value.data, value.size);
            has_site = true;
        } else if (strcmp(name, "name") == 0 && value.size < sizeof identity->name) {
            memcpy(identity->name, value.data, value.size);
        } else if (strcmp(name, "network") == 0 && value.size == sizeof identity->network.bytes) {
            memcpy(identity->network.bytes, value.data, value.size);
            identity->has_network = true;
        } else if (strcmp(name, "epoch") == 0) {
            identity->epoch = (uint64_t)sqlite3_column_int64(statement, 1);
        } else if (strcmp(name, "row_digest_key") == 0 && value.size == sizeof store->row_digest_key) {
            memcpy(store->row_digest_key, value.data, value.size);
        } else if (strcmp(name, "schema_version") == 0) {
            schema_version = sqlite3_column_int64(statement, 1);
        }
    }
    sqlite3_finalize(statement);
    if (status == NV_OK && has_site) {
        store->identity = found;
        store->schema_version = schema_version;
    }
    if (status == NV_OK && !has_site)
        return nv_fail(error, NV_CORRUPT,
                       "the store has no site id: its making was cut short; remove it and run "
                       "`navette init` again");
    return status;
}

/* What was opened with other keys, or is of another state. */
static void open_anew(struct nv_store *store)
{
    nv_keyring_forget(store);
    nv_opened_forget(store);
    store->keys_at.ms = INT64_MIN;
}

static enum nv_status load_all(struct nv_store *store, struct nv_error *error)
{
    store->is_loaded = false;
    store->unplaced_table = 0;
    nv_buffer_clear(&store->unplaced_key);
    open_anew(store);
    nv_opened_forget_current(store);
    enum nv_status status = read_identity(store, error);
    if (status == NV_OK)
        status = nv_scope_numbers_load(store, error);
    if (status == NV_OK)
        status = nv_logs_load(store, error);
    if (status == NV_OK)
        status = nv_members_load(store, error);
    if (status == NV_OK)
        status = nv_rights_load(store, error);
    if (status == NV_OK)
        nv_scopes_look(store);
    if (status == NV_OK)
        status = nv_tables_load(store, error);
    store->is_loaded = status == NV_OK;
    /* Which logs wait for a content key was known in memory alone. */
    store->owes_merge = store->owes_merge || (status == NV_OK && nv_logs_lag(store));
    return status;
}

static enum nv_status read_data_version(struct nv_store *store, int64_t *ret_version, struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_DATA_VERSION, error);
    if (statement == NULL)
        return error->status;
    bool row;
    enum nv_status status = nv_db_step(statement, &row, error);
    if (status == NV_OK)
        *ret_version = sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    return status;
}

enum nv_status nv_store_open(const char *path, struct nv_store **ret_store, struct nv_error *error)
{
    struct stat file;
    if (is_plain(path) && stat(path, &file) != 0)
        return nv_fail(error, NV_NOT_FOUND, "there is no store at %s: run `navette init NAME` first", path);
    struct nv_store *store = calloc(1, sizeof *store);
    if (store == NULL || (store->path = strdup(path)) == NULL) {
        free(store);
        return nv_no_memory(error);
    }
    enum nv_status status = open_database(path, SQLITE_OPEN_READWRITE, &store->db, error);
    if (status == NV_OK)
        status = migrate(store->db, error);
    if (status == NV_OK)
        status = read_data_version(store, &store->data_version, error);
    if (status == NV_OK)
        status = load_all(store, error);
    if (status != NV_OK) {
        nv_store_close(store);
        return status;
    }
    /* What it waited for may have come just before this store was closed, or its program killed. */
    int64_t passed;
    status = nv_db_integer(store->db, "SELECT EXISTS (SELECT 1 FROM navette_keyless)", 0, &passed, error);
    if (status != NV_OK) {
        nv_store_close(store);
        return status;
    }
    store->owes_merge = nv_logs_lag(store) || store->owes_join || passed != 0;
    store->owes_placing = store->owes_trim = true;
    if (stat(path, &file) == 0) {
        store->file_device = file.st_dev;
        store->file_inode = file.st_ino;
    }
    *ret_store = store;
    return NV_OK;
}

void nv_store_close(struct nv_store *store)
{
    if (store == NULL)
        return;
    nv_tables_done(store);
    nv_logs_done(store);
    nv_scope_numbers_done(store);
    nv_buffer_done(&store->unplaced_key);
    nv_opened_done(store);
    nv_keyring_done(store);
    nv_statements_done(store);
    free(store->members);
    nv_rights_done(store);
    sqlite3_close(store->db);
    free(store->path);
    free(store);
}

sqlite3 *nv_store_db(struct nv_store *store)
{
    return store->db;
}

const struct nv_identity *nv_store_identity(const struct nv_store *store)
{
    return &store->identity;
}

void nv_store_set_signer(struct nv_store *store, const struct nv_sign_key *key)
{
    store->signer = key;
}

void nv_store_set_opener(struct nv_store *store, const struct nv_curve_key *key)
{
    store->opener = key;
    open_anew(store);
}

void nv_store_set_hub_readers(struct nv_store *store, const char *const *names, size_t count)
{
    store->hub_readers = names;
    store->hub_reader_count = count;
    store->keys_at.ms = INT64_MIN;
}

enum nv_status nv_store_check_file(struct nv_store *store, struct nv_error *error)
{
    struct stat file;
    if (store->file_inode == 0)
        return NV_OK;
    if (stat(store->path, &file) != 0)
        return nv_fail(error, NV_CORRUPT, "%s was removed while it was in use: put it back, or restore a backup",
                       store->path);
    if (file.st_ino != store->file_inode || file.st_dev != store->file_device)
        return nv_fail(error, NV_CORRUPT,
                       "%s was replaced by another file while it was in use: start navetted again to use the new one",
                       store->path);
    return NV_OK;
}

/* ---- transactions ---- */

enum nv_status nv_meta_set(struct nv_store *store, const char *name, const struct nv_value *value,
                           struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_META_SET, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    nv_db_bind_value(statement, 2, value);
    return nv_db_run(statement, error);
}

static bool end_transaction(struct nv_store *store)
{
    struct nv_error ignored;
    sqlite3_stmt *rollback = nv_statement(store, NV_SQL_ROLLBACK, &ignored);
    store->in_transaction = false;
    return sqlite3_get_autocommit(store->db) || (rollback != NULL && nv_db_run(rollback, &ignored) == NV_OK);
}

enum nv_status nv_ready(struct nv_store *store, struct nv_error *error)
{
    if (store->owes_rollback && !end_transaction(store))
        return nv_no_memory(error);
    store->owes_rollback = false;
    return store->is_loaded ? NV_OK : load_all(store, error);
}

/* Most foreign commits are a program's writes to its own tables: then nothing that we keep in memory has changed. */
static enum nv_status is_outdated(struct nv_store *store, bool *ret_outdated, struct nv_error *error)
{
    int64_t newest, merged, members, beyond;
    enum nv_status status = nv_changeset_newest(store, &newest, error);
    if (status == NV_OK)
        status = nv_db_integer(store->db, "SELECT count(*) FROM navette_beyond", 0, &beyond, error);
    if (status == NV_OK)
        status = nv_db_integer(store->db, "SELECT sum(applied_seq) FROM navette_log", 0, &merged, error);
    if (status == NV_OK)
        status = nv_db_integer(store->db, "SELECT count(*) FROM navette_member WHERE ends IS NULL", 0, &members, error);
    *ret_outdated =
        status == NV_OK && (newest != nv_store_newest(store) || merged != nv_logs_merged(store) ||
                            (size_t)members != store->member_count || (size_t)beyond != nv_beyond_count(store));
    return status;
}

enum nv_status nv_store_refresh(struct nv_store *store, bool *ret_changed, struct nv_error *error)
{
    int64_t version = store->data_version;
    bool outdated = false, was_loaded = store->is_loaded;
    enum nv_status status = nv_ready(store, error);
    if (status == NV_OK)
        status = read_data_version(store, &version, error);
    *ret_changed = status == NV_OK && (version != store->data_version || !was_loaded);
    if (!*ret_changed)
        return status;
    status = is_outdated(store, &outdated, error);
    if (status == NV_OK && outdated) {
        status = load_all(store, error);
        store->owes_merge = store->owes_merge || (status == NV_OK && nv_logs_lag(store));
        store->owes_placing = true;
    }
    if (status == NV_OK)
        store->data_version = version;
    return status;
}

static enum nv_status begin(struct nv_store *store, enum nv_statement which, struct nv_error *error)
{
    bool changed;
    enum nv_status status = nv_ready(store, error);
    /* So that it takes no memory to give up. */
    sqlite3_stmt *rollback = status == NV_OK ? nv_statement(store, NV_SQL_ROLLBACK, error) : NULL;
    sqlite3_stmt *begins = rollback == NULL ? NULL : nv_statement(store, which, error);
    if (status == NV_OK)
        status = begins == NULL ? error->status : nv_db_run(begins, error);
    if (status != NV_OK)
        return status;
    store->in_transaction = true;
    status = nv_store_refresh(store, &changed, error);
    if (status != NV_OK)
        nv_rollback(store);
    return status;
}

enum nv_status nv_begin(struct nv_store *store, struct nv_error *error)
{
    return begin(store, NV_SQL_BEGIN, error);
}

enum nv_status nv_begin_reading(struct nv_store *store, struct nv_error *error)
{
    return begin(store, NV_SQL_BEGIN_READING, error);
}

void nv_end_reading(struct nv_store *store)
{
    store->owes_rollback = !end_transaction(store);
}

static void set_triggers(struct nv_store *store, int enabled)
{
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, enabled, NULL);
}

enum nv_status nv_guard(struct nv_store *store, struct nv_error *error)
{
    sqlite3_stmt *guard = nv_statement(store, NV_SQL_GUARD_ON, error);
    if (store->is_muted)
        set_triggers(store, 0);
    return guard == NULL ? error->status : nv_db_run(guard, error);
}

enum nv_status nv_commit(struct nv_store *store, struct nv_error *error)
{
    enum nv_status status = NV_PLANTED(REUSE_SEQ) ? NV_OK : nv_logs_save(store, error);
    sqlite3_stmt *guard = status == NV_OK ? nv_statement(store, NV_SQL_GUARD_OFF, error) : NULL;
    if (status == NV_OK)
        status = guard == NULL ? error->status : nv_db_run(guard, error);
    sqlite3_stmt *commit = status == NV_OK ? nv_statement(store, NV_SQL_COMMIT, error) : NULL;
    if (status == NV_OK)
        status = commit == NULL ? error->status : nv_db_run(commit, error);
    if (status == NV_OK && NV_PLANTED(REUSE_SEQ))
        status = nv_logs_save(store, error);
    if (status == NV_OK) {
        nv_logs_saved(store);
        store->in_transaction = store->is_muted = false;
        set_triggers(store, 1);
    }
    return status;
}

void nv_rollback(struct nv_store *store)
{
    struct nv_error ignored;
    set_triggers(store, 1);
    store->owes_rollback = !end_transaction(store);
    if (NV_PLANTED(ROLLBACK_KEEPS_HEADS))
        return;
    store->is_loaded = false;
    /* Where this fails, the next call that needs the state reads it, or fails with the reason. */
    if (!store->owes_rollback)
        load_all(store, &ignored);
}
