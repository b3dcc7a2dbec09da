/* Content keys that were given to sites which do not read by right: store/care.h. Grants stand in the clear in the
 * logs, so whoever carries those sees it. */
#include <stdlib.h>

#include "store/care.h"
#include "store/statements.h"
#include "store/trust/grants.h"
#include "store/trust/rights.h"

struct listing {
    struct nv_store *store;
    struct nv_granted *list;
    size_t count, capacity;
};

static bool is_listed(const struct listing *listing, const struct nv_granted *granted)
{
    for (size_t i = 0; i < listing->count; i++) {
        const struct nv_granted *other = &listing->list[i];
        if (nv_site_id_compare(other->to, granted->to) == 0 && nv_site_id_compare(other->by, granted->by) == 0 &&
            nv_scope_id_equal(other->scope, granted->scope))
            return true;
    }
    return false;
}

static enum nv_status add(struct listing *listing, const struct nv_granted *granted, struct nv_error *error)
{
    if (is_listed(listing, granted))
        return NV_OK;
    if (listing->count == listing->capacity) {
        size_t capacity = listing->capacity == 0 ? 16 : 2 * listing->capacity;
        struct nv_granted *list = realloc(listing->list, capacity * sizeof *list);
        if (list == NULL)
            return nv_no_memory(error);
        listing->list = list;
        listing->capacity = capacity;
    }
    listing->list[listing->count++] = *granted;
    return NV_OK;
}

/* What one grant gives to others than those who read the scope where its writer stood. */
static enum nv_status list_grant(struct listing *listing, const struct nv_opened *opened, uint32_t place,
                                 struct nv_error *error)
{
    struct nv_arena arena = {.limit = NV_LIMIT_BODY_BYTES};
    const struct nv_header *header = &opened->header;
    struct nv_grant grant = {0};
    enum nv_status status = NV_OK;
    if (place < opened->body.count && !opened->body.entries[place].is_redacted)
        status = nv_grant_decode(opened->body.entries[place].op, &arena, &grant, error);
    for (size_t i = 0; status == NV_OK && i < grant.box_count; i++) {
        struct nv_granted granted = {header->log.scope, grant.boxes[i].site, header->log.site};
        if (!nv_right_reads(listing->store, granted.scope, granted.to, header->authority_seq))
            status = add(listing, &granted, error);
    }
    nv_arena_done(&arena);
    return status;
}

static enum nv_status list_at(struct listing *listing, int64_t changeset, uint32_t place, struct nv_error *error)
{
    struct nv_opened opened;
    enum nv_status status = nv_opened_read_sealed(listing->store, changeset, &opened, error);
    if (status != NV_OK)
        return status;
    status = list_grant(listing, &opened, place, error);
    nv_arena_done(&opened.arena);
    return status;
}

enum nv_status nv_store_granted(struct nv_store *store, struct nv_granted **ret_list, size_t *ret_count,
                                struct nv_error *error)
{
    struct listing listing = {.store = store};
    sqlite3_stmt *rows = nv_ready(store, error) == NV_OK ? nv_statement(store, NV_SQL_GRANTS_ALL, error) : NULL;
    if (rows == NULL)
        return error->status;
    enum nv_status status;
    bool row;
    while ((status = nv_db_step(rows, &row, error)) == NV_OK && row)
        if ((status = list_at(&listing, sqlite3_column_int64(rows, 0), (uint32_t)sqlite3_column_int64(rows, 1),
                              error)) != NV_OK)
            break;
    sqlite3_reset(rows);
    *ret_list = listing.list;
    *ret_count = listing.count;
    if (status != NV_OK) {
        free(listing.list);
        *ret_list = NULL;
    }
    return status;
}
