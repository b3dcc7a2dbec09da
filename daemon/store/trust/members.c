/* The members in memory, as the authority log has certified them. */
#include <stdlib.h>

#include "store/internal.h"

static int order_members(const void *a, const void *b)
{
    return nv_site_id_compare(((const struct nv_member *)a)->site, ((const struct nv_member *)b)->site);
}

static void copy_text(char *to, size_t size, sqlite3_stmt *row, int column)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    size_t length = text == NULL ? 0 : strcspn(text, "\n"); /* endpoints are one a line: the first one */
    if (length >= size)
        length = size - 1;
    if (length > 0)
        memcpy(to, text, length);
    to[length] = '\0';
}

static bool read_member(sqlite3_stmt *row, struct nv_member *member)
{
    struct nv_slice site = nv_db_blob(row, 0);
    *member = (struct nv_member){.role = (enum nv_role)sqlite3_column_int(row, 4),
                                 .reader = sqlite3_column_int(row, 9) != 0,
                                 .not_before = {sqlite3_column_int64(row, 6)},
                                 .not_after = {sqlite3_column_int64(row, 7)}};
    if (site.size != sizeof member->site.bytes)
        return false;
    memcpy(member->site.bytes, site.data, site.size);
    copy_text(member->name, sizeof member->name, row, 1);
    struct nv_slice sign_key = nv_db_blob(row, 2);
    if (sign_key.size != sizeof member->sign_key.bytes)
        return false;
    memcpy(member->sign_key.bytes, sign_key.data, sign_key.size);
    struct nv_slice curve_key = nv_db_blob(row, 3);
    if (curve_key.size != sizeof member->curve_key.bytes)
        return false;
    memcpy(member->curve_key.bytes, curve_key.data, curve_key.size);
    struct nv_slice recovery_key = nv_db_blob(row, 8);
    if (recovery_key.size != sizeof member->recovery_key.bytes)
        return false;
    memcpy(member->recovery_key.bytes, recovery_key.data, recovery_key.size);
    copy_text(member->endpoint, sizeof member->endpoint, row, 5);
    return true;
}

enum nv_status nv_members_load(struct nv_store *store, struct nv_error *error)
{
    int64_t count;
    enum nv_status status =
        nv_db_integer(store->db, "SELECT count(*) FROM navette_member WHERE ends IS NULL", 0, &count, error);
    if (status != NV_OK)
        return status;
    struct nv_member *members = calloc((size_t)count + 1, sizeof *members);
    if (members == NULL)
        return nv_no_memory(error);
    sqlite3_stmt *rows = nv_db_prepare(store->db,
                                       "SELECT site, name, sign_key, curve_key, role, endpoints, not_before_ms, "
                                       "not_after_ms, recovery_key, reader FROM navette_member WHERE ends IS NULL",
                                       error);
    status = rows == NULL ? error->status : NV_OK;
    size_t taken = 0;
    bool more;
    while (status == NV_OK && taken < (size_t)count && (status = nv_db_step(rows, &more, error)) == NV_OK && more)
        if (!read_member(rows, &members[taken++]))
            status = nv_fail(error, NV_CORRUPT, "store: the list of members is damaged; restore a backup");
    sqlite3_finalize(rows);
    if (status != NV_OK) {
        free(members);
        return status;
    }
    qsort(members, taken, sizeof *members, order_members);
    free(store->members);
    store->members = members;
    store->member_count = taken;
    return NV_OK;
}

void nv_store_members(const struct nv_store *store, const struct nv_member **ret_members, size_t *ret_count)
{
    *ret_members = store->members;
    *ret_count = store->member_count;
}

const struct nv_member *nv_store_member(const struct nv_store *store, struct nv_site_id site)
{
    struct nv_member wanted = {.site = site};
    if (store->member_count == 0)
        return NULL;
    return bsearch(&wanted, store->members, store->member_count, sizeof wanted, order_members);
}
