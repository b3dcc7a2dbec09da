#include "store/trust/boxing.h"

#include <assert.h>
#include <stdlib.h>

#include "base/planted.h"
#include "store/statements.h"
#include "wire/hash.h"

/* ---- grants ---- */

static void add_box(const struct nv_held_key *key, struct nv_site_id site, const struct nv_public_key *to,
                    bool recovery, struct nv_grant *grant)
{
    /* Who gets none for want of room asks for the key. */
    struct nv_grant_box *box = &grant->boxes[grant->box_count];
    if (grant->box_count == NV_LIMIT_BOXES || nv_public_key_is_zero(to) ||
        !nv_content_key_seal(&key->key, to, box->sealed))
        return;
    box->site = site;
    box->recovery = recovery;
    assert(grant->box_count == 0 || nv_grant_box_compare(box - 1, box) < 0);
    grant->box_count++;
}

enum nv_status nv_grant_append(const struct nv_held_key *key, const struct nv_key_name *name, bool is_elsewhere,
                               const struct nv_scope_readers *readers, struct nv_buffer *buffer, struct nv_error *error)
{
    struct nv_grant grant = {.is_elsewhere = is_elsewhere, .key_id = key->id};
    if (name != NULL)
        grant.key = *name;
    grant.boxes = calloc(NV_LIMIT_BOXES + 1, sizeof *grant.boxes);
    if (grant.boxes == NULL)
        return nv_no_memory(error);
    for (size_t i = 0; i < readers->count; i++) {
        const struct nv_scope_reader *reader = &readers->readers[i];
        add_box(key, reader->site, &reader->curve_key, false, &grant);
        add_box(key, reader->site, &reader->recovery_key, true, &grant);
    }
    if (grant.box_count > 0)
        nv_grant_encode(&grant, buffer);
    free(grant.boxes);
    return buffer->failed ? nv_no_memory(error) : NV_OK;
}

/* ---- whose key it is ---- */

/* Who came and went since may have been given the key meanwhile: the same readers as before are not the same then. */
static struct nv_hash hash_readers(const struct nv_store *store, struct nv_scope_id scope,
                                   const struct nv_scope_readers *readers)
{
    struct nv_hasher hasher;
    uint64_t left = nv_right_left(store, scope);
    nv_hasher_start(&hasher);
    nv_hasher_update(&hasher, &left, sizeof left);
    for (size_t i = 0; i < readers->count; i++) {
        const struct nv_scope_reader *reader = &readers->readers[i];
        nv_hasher_update(&hasher, reader->site.bytes, sizeof reader->site.bytes);
        nv_hasher_update(&hasher, reader->curve_key.bytes, sizeof reader->curve_key.bytes);
        nv_hasher_update(&hasher, reader->recovery_key.bytes, sizeof reader->recovery_key.bytes);
    }
    return nv_hasher_finish(&hasher);
}

/* The number of the key that the log's last grant introduced, if that was to the same readers; 0 where it was not. */
static enum nv_status find_current(struct nv_store *store, const struct nv_log *log, const struct nv_hash *readers,
                                   uint64_t *ret_number, struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_GRANT_NEWEST, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, log->number);
    bool row;
    enum nv_status status = nv_db_step(statement, &row, error);
    struct nv_slice given = status == NV_OK && row ? nv_db_blob(statement, 1) : (struct nv_slice){0};
    bool is_same = given.size == sizeof readers->bytes && memcmp(given.data, readers->bytes, given.size) == 0;
    *ret_number =
        is_same || (NV_PLANTED(KEY_KEPT) && given.size > 0) ? (uint64_t)sqlite3_column_int64(statement, 0) : 0;
    sqlite3_reset(statement);
    return status;
}

/* The key to seal with, and its number; 0 for a new one. */
static enum nv_status choose_key(struct nv_store *store, const struct nv_log *log, struct nv_boxed *boxed,
                                 uint64_t *ret_number, struct nv_error *error)
{
    enum nv_key_standing standing = NV_KEY_LACKING;
    enum nv_status status = find_current(store, log, &boxed->readers, ret_number, error);
    if (status == NV_OK && *ret_number != 0)
        status = nv_keyring_find(store, log, *ret_number, &standing, &boxed->key, error);
    if (status != NV_OK || standing == NV_KEY_HELD)
        return status;
    *ret_number = 0;
    boxed->introduces = true;
    nv_content_key_make(&boxed->key.key);
    boxed->key.id = nv_content_key_id(&boxed->key.key, &log->id);
    return NV_OK;
}

/* ---- boxes ---- */

static bool is_sealed(struct nv_slice op)
{
    uint32_t kind = nv_op_kind_of(op);
    return kind == NV_OP_PUT || (kind == NV_OP_DELETE && !NV_PLANTED(DELETE_IN_CLEAR));
}

static enum nv_status check_ops(const struct nv_slice *ops, size_t count, bool *ret_any, struct nv_error *error)
{
    *ret_any = false;
    for (size_t i = 0; i < count; i++) {
        if (!is_sealed(ops[i]))
            continue;
        *ret_any = true;
        if (ops[i].size > NV_LIMIT_BOXED_OP_BYTES)
            return nv_fail(error, NV_REFUSED,
                           "a change of %zu bytes is more than one sealed op holds (%u): it stays here and is not "
                           "sent: make the value smaller",
                           ops[i].size, NV_LIMIT_BOXED_OP_BYTES);
    }
    return *ret_any && count > NV_BOXED_OPS
               ? nv_fail(error, NV_BUG, "%zu ops are more than a sealed changeset holds: seal them in several", count)
               : NV_OK;
}

/* Encodes all of them into the one buffer; only then is it known where they stand. */
static enum nv_status fill_boxes(const struct nv_log *log, uint64_t seq, const struct nv_salt *salts,
                                 const struct nv_slice *ops, uint64_t key_number, struct nv_boxed *boxed,
                                 struct nv_error *error)
{
    struct nv_box_bound bound = nv_box_bound_of(&boxed->key.id, &log->id, seq);
    for (size_t i = 0; i < boxed->count; i++) {
        size_t start = boxed->bytes.size;
        if (!is_sealed(ops[i]))
            continue;
        nv_box_append(&boxed->key.key, key_number, &bound, (uint32_t)i, &salts[i], ops[i], &boxed->bytes);
        boxed->ops[i] = (struct nv_slice){.data = NULL, .size = boxed->bytes.size - start};
    }
    return boxed->bytes.failed ? nv_no_memory(error) : NV_OK;
}

static enum nv_status add_grant(const struct nv_scope_readers *readers, struct nv_boxed *boxed, struct nv_error *error)
{
    size_t start = boxed->bytes.size;
    enum nv_status status = nv_grant_append(&boxed->key, NULL, false, readers, &boxed->bytes, error);
    if (status == NV_OK)
        boxed->ops[boxed->count++] = (struct nv_slice){.data = NULL, .size = boxed->bytes.size - start};
    return status;
}

static void place_ops(struct nv_boxed *boxed)
{
    const uint8_t *at = boxed->bytes.data;
    for (size_t i = 0; i < boxed->count; i++) {
        if (boxed->ops[i].data != NULL)
            continue;
        boxed->ops[i].data = at;
        at += boxed->ops[i].size;
    }
}

static enum nv_status box_with(struct nv_store *store, const struct nv_log *log, uint64_t seq,
                               const struct nv_seed *seed, const struct nv_slice *ops,
                               const struct nv_scope_readers *readers, struct nv_boxed *boxed, struct nv_error *error)
{
    uint64_t number = 0;
    struct nv_salt *salts = calloc(boxed->count, sizeof *salts);
    if (salts == NULL)
        return nv_no_memory(error);
    nv_salts_of(seed->bytes, salts, boxed->count);
    enum nv_status status = choose_key(store, log, boxed, &number, error);
    if (status == NV_OK)
        status = fill_boxes(log, seq, salts, ops, number, boxed, error);
    if (status == NV_OK && boxed->introduces)
        status = add_grant(readers, boxed, error);
    if (status == NV_OK)
        place_ops(boxed);
    free(salts);
    return status;
}

enum nv_status nv_box_ops(struct nv_store *store, const struct nv_log *log, uint64_t seq, const struct nv_seed *seed,
                          const struct nv_slice *ops, size_t count, const struct nv_scope_readers *readers,
                          struct nv_boxed *ret_boxed, struct nv_error *error)
{
    bool any;
    *ret_boxed = (struct nv_boxed){.count = count, .readers = hash_readers(store, log->id.scope, readers)};
    enum nv_status status = check_ops(ops, count, &any, error);
    if (status != NV_OK)
        return status;
    if (any && store->opener == NULL)
        return nv_fail(error, NV_NOT_YET, "the site's X25519 key is not loaded");
    if (any && nv_readers_find(readers, store->identity.site) == NULL)
        return nv_fail(error, NV_REFUSED, "this site does not read the scope that it would write in");
    ret_boxed->ops = calloc(count + 1, sizeof *ret_boxed->ops);
    if (ret_boxed->ops == NULL)
        return nv_no_memory(error);
    for (size_t i = 0; i < count; i++)
        ret_boxed->ops[i] = ops[i];
    return any ? box_with(store, log, seq, seed, ops, readers, ret_boxed, error) : NV_OK;
}

void nv_boxed_done(struct nv_boxed *boxed)
{
    nv_wipe(&boxed->key, sizeof boxed->key);
    nv_buffer_done(&boxed->bytes);
    free(boxed->ops);
    *boxed = (struct nv_boxed){0};
}

enum nv_status nv_boxed_note(struct nv_store *store, const struct nv_log *log, const struct nv_boxed *boxed,
                             struct nv_error *error)
{
    if (!boxed->introduces)
        return NV_OK;
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_GRANT_READERS, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, log->number);
    sqlite3_bind_int64(statement, 2, (int64_t)log->has_seq);
    sqlite3_bind_blob(statement, 3, boxed->readers.bytes, sizeof boxed->readers.bytes, SQLITE_STATIC);
    return nv_db_run(statement, error);
}
