#include "store/trust/keyring.h"

#include <stdlib.h>

#include "store/statements.h"

enum { KEYS = 256 };

struct known_key {
    nv_log_number log; /* 0: free */
    uint64_t number;
    enum nv_key_standing standing;
    struct nv_held_key held;
    uint64_t used_at;
};

struct nv_keyring {
    struct known_key keys[KEYS];
    uint64_t clock; /* counts uses, for the least recently used */
};

/* ---- in memory ---- */

static struct nv_keyring *keyring_of(struct nv_store *store)
{
    if (store->keyring == NULL)
        store->keyring = calloc(1, sizeof *store->keyring);
    return store->keyring;
}

static struct known_key *find_known(struct nv_keyring *keyring, nv_log_number log, uint64_t number)
{
    for (size_t i = 0; i < KEYS; i++)
        if (keyring->keys[i].log == log && keyring->keys[i].number == number)
            return &keyring->keys[i];
    return NULL;
}

static struct known_key *least_used(struct nv_keyring *keyring)
{
    struct known_key *least = &keyring->keys[0];
    for (size_t i = 1; i < KEYS; i++)
        if (keyring->keys[i].used_at < least->used_at)
            least = &keyring->keys[i];
    return least;
}

static void wipe(struct known_key *known)
{
    nv_wipe(known, sizeof *known);
}

void nv_keyring_drop(struct nv_store *store, nv_log_number log, uint64_t number)
{
    struct known_key *known = store->keyring == NULL ? NULL : find_known(store->keyring, log, number);
    if (known != NULL)
        wipe(known);
}

void nv_keyring_forget(struct nv_store *store)
{
    if (store->keyring != NULL)
        nv_wipe(store->keyring, sizeof *store->keyring);
}

void nv_keyring_done(struct nv_store *store)
{
    nv_keyring_forget(store);
    free(store->keyring);
    store->keyring = NULL;
}

/* ---- in the log ---- */

enum nv_status nv_keyring_id(struct nv_store *store, nv_log_number log, uint64_t number, struct nv_hash *ret_id,
                             struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_GRANT_INTRODUCED, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, log);
    sqlite3_bind_int64(statement, 2, (int64_t)number);
    bool row;
    enum nv_status status = nv_db_step(statement, &row, error);
    struct nv_slice id = status == NV_OK && row ? nv_db_blob(statement, 0) : (struct nv_slice){0};
    if (status == NV_OK && row && id.size != sizeof ret_id->bytes)
        status = nv_fail(error, NV_CORRUPT, "store: the id of a content key is damaged; restore a backup");
    else if (status == NV_OK && row)
        memcpy(ret_id->bytes, id.data, id.size);
    sqlite3_reset(statement);
    return status == NV_OK && !row ? NV_NOT_FOUND : status;
}

/* No grant is known that introduces the key: whether there is none, which the header may say, or its body is owed. */
static enum nv_status judge_unknown(struct nv_store *store, const struct nv_log *log, uint64_t number,
                                    enum nv_key_standing *ret_standing, struct nv_error *error)
{
    struct nv_opened opened = {.arena = {.limit = 4 * (size_t)NV_LIMIT_BODY_BYTES}};
    struct nv_grant grant;
    struct nv_error why;
    int64_t changeset;
    enum nv_status status = nv_header_at(store, log->number, number, &opened.arena, &opened.header, NULL, error);
    bool has_control = opened.header.control_count > 0;
    nv_arena_done(&opened.arena);
    *ret_standing = NV_KEY_VOID;
    if (status != NV_OK || !has_control)
        return status;
    status = nv_changeset_at(store, log->number, number, &changeset, NULL, error);
    if (status == NV_OK)
        status = nv_opened_read_sealed(store, changeset, &opened, error);
    if (status != NV_OK)
        return status;
    status = nv_grant_introduced(&opened, &grant, &why);
    nv_arena_done(&opened.arena);
    *ret_standing = status == NV_NOT_FOUND ? NV_KEY_VOID : NV_KEY_LACKING;
    return status == NV_NO_MEMORY ? nv_no_memory(error) : NV_OK;
}

/* What one grant has for this site, as it was noted: the changeset need not be opened again. */
struct noted_grant {
    int64_t changeset, place;
    bool has_box;
    uint8_t sealed[NV_SEALED_KEY_BYTES];
};

/* The next grant after that one that may give the key. */
static enum nv_status next_grant(struct nv_store *store, const struct nv_log *log, uint64_t number,
                                 const struct nv_hash *id, struct noted_grant *grant, bool *ret_any,
                                 struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_GRANT_THAT_MAY_OPEN, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, log->number);
    sqlite3_bind_int64(statement, 2, (int64_t)number);
    sqlite3_bind_blob(statement, 3, id->bytes, sizeof id->bytes, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 4, grant->changeset);
    sqlite3_bind_int64(statement, 5, grant->place);
    enum nv_status status = nv_db_step(statement, ret_any, error);
    if (status == NV_OK && *ret_any) {
        struct nv_slice sealed = nv_db_blob(statement, 2);
        grant->changeset = sqlite3_column_int64(statement, 0);
        grant->place = sqlite3_column_int64(statement, 1);
        grant->has_box = sealed.size == sizeof grant->sealed;
        if (grant->has_box)
            memcpy(grant->sealed, sealed.data, sealed.size);
    }
    sqlite3_reset(statement);
    return status;
}

static enum nv_status try_grant(struct nv_store *store, const struct nv_log *log, const struct noted_grant *grant,
                                const struct nv_hash *id, bool *ret_held, struct nv_held_key *ret_key,
                                struct nv_error *error)
{
    enum nv_grant_gives gives;
    enum nv_status status =
        nv_grant_open(store, grant->has_box ? grant->sealed : NULL, id, &log->id, &gives, ret_key, error);
    *ret_held = status == NV_OK && (gives == NV_GIVES_BY_OWN_KEY || gives == NV_GIVES_BY_RECOVERY_KEY);
    return status;
}

static enum nv_status look_up(struct nv_store *store, const struct nv_log *log, uint64_t number,
                              struct known_key *ret_known, struct nv_error *error)
{
    struct nv_hash id;
    enum nv_status status = nv_keyring_id(store, log->number, number, &id, error);
    if (status == NV_NOT_FOUND)
        return judge_unknown(store, log, number, &ret_known->standing, error);
    struct noted_grant grant = {0};
    bool any = true, held = false;
    while (status == NV_OK && !held && (status = next_grant(store, log, number, &id, &grant, &any, error)) == NV_OK &&
           any)
        status = try_grant(store, log, &grant, &id, &held, &ret_known->held, error);
    ret_known->standing = held ? NV_KEY_HELD : NV_KEY_LACKING;
    return status;
}

enum nv_status nv_keyring_find(struct nv_store *store, const struct nv_log *log, uint64_t number,
                               enum nv_key_standing *ret_standing, struct nv_held_key *ret_key, struct nv_error *error)
{
    struct nv_keyring *keyring = keyring_of(store);
    if (keyring == NULL)
        return nv_no_memory(error);
    struct known_key *known = find_known(keyring, log->number, number);
    if (known == NULL) {
        struct known_key found = {.log = log->number, .number = number};
        enum nv_status status = look_up(store, log, number, &found, error);
        if (status == NV_OK) {
            known = least_used(keyring);
            *known = found;
        }
        wipe(&found);
        if (status != NV_OK)
            return status;
    }
    known->used_at = ++keyring->clock;
    *ret_standing = known->standing;
    if (known->standing == NV_KEY_HELD)
        *ret_key = known->held;
    return NV_OK;
}

/* ---- leaving ---- */

enum nv_status nv_keyring_leave(struct nv_store *store, const struct nv_log *log, bool grants, struct nv_error *error)
{
    static const enum nv_statement drops[] = {NV_SQL_KEYLESS_DROP_LOG, NV_SQL_ASK_DROP_LOG, NV_SQL_ASKED_DROP_LOG,
                                              NV_SQL_GRANTS_DROP_LOG};
    enum nv_status status = NV_OK;
    for (size_t i = 0; status == NV_OK && i < (grants ? 4 : 3); i++) {
        sqlite3_stmt *statement = nv_statement(store, drops[i], error);
        if (statement == NULL)
            return error->status;
        sqlite3_bind_int64(statement, 1, log->number);
        status = nv_db_run(statement, error);
    }
    nv_keyring_forget(store);
    return status;
}
