/* Whether a value is one that its column's CHECKs take: asked of SQLite itself. */
#include <string.h>

#include "store/schema/published.h"

/* The value's storage class and bytes; 0 where they are too long to be kept. */
static size_t key_of(const struct nv_value *value, uint8_t key[NV_CHECK_BYTES])
{
    key[0] = (uint8_t)value->type;
    switch (value->type) {
    case NV_NULL:
        return 1;
    case NV_INTEGER:
        memcpy(key + 1, &value->integer, sizeof value->integer);
        return 1 + sizeof value->integer;
    case NV_REAL:
        memcpy(key + 1, &value->real, sizeof value->real);
        return 1 + sizeof value->real;
    case NV_TEXT:
    case NV_BLOB:
        if (value->bytes.size > NV_CHECK_BYTES - 1)
            return 0;
        if (value->bytes.size > 0)
            memcpy(key + 1, value->bytes.data, value->bytes.size);
        return 1 + value->bytes.size;
    }
    return 0;
}

static size_t slot_of(const uint8_t *key, size_t size)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ key[i]) * 16777619u;
    return (hash ^ hash >> 16) % NV_CHECK_SLOTS;
}

static enum nv_status ask(sqlite3_stmt *statement, const struct nv_table *table, const struct nv_value *value,
                          bool *ret_accepts, struct nv_error *error)
{
    enum nv_status status = NV_OK;
    nv_db_bind_value(statement, 1, value);
    int result = sqlite3_step(statement);
    *ret_accepts = result == SQLITE_DONE;
    /* A CHECK may fail for the value's sake too: abs() of the least integer, a replace() that grows too long. */
    bool is_refused =
        (result & 0xff) == SQLITE_CONSTRAINT || (result & 0xff) == SQLITE_ERROR || (result & 0xff) == SQLITE_TOOBIG;
    if (result != SQLITE_DONE && !is_refused)
        status = nv_db_fail(sqlite3_db_handle(statement), result, table->name, error);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement); /* it must not go on pointing to the value */
    return status;
}

enum nv_status nv_check_accepts(struct nv_store *store, const struct nv_table *table, unsigned field,
                                const struct nv_value *value, bool *ret_accepts, struct nv_error *error)
{
    struct nv_field_check *check;
    uint8_t key[NV_CHECK_BYTES];
    enum nv_status status = nv_published_check(store, table, field, &check, error);
    if (status != NV_OK)
        return status;
    size_t size = key_of(value, key), slot = slot_of(key, size);
    if (size > 0 && check->slots[slot].size == size && memcmp(check->slots[slot].bytes, key, size) == 0) {
        *ret_accepts = check->slots[slot].accepts;
        return NV_OK;
    }
    status = ask(check->statement, table, value, ret_accepts, error);
    if (status != NV_OK)
        nv_published_forget_checks(store);
    if (status == NV_OK && size > 0) {
        check->slots[slot].size = (uint8_t)size;
        check->slots[slot].accepts = *ret_accepts;
        memcpy(check->slots[slot].bytes, key, size);
    }
    return status;
}
