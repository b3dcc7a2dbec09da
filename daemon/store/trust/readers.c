#include "store/trust/readers.h"

#include <stdlib.h>

#include "base/planted.h"
#include "store/internal.h"
#include "store/log/logs.h"

/* Whether this site's operator lets the hub read. */
static bool is_let(const struct nv_store *store, const struct nv_member *hub)
{
    for (size_t i = 0; i < store->hub_reader_count; i++)
        if (sqlite3_stricmp(store->hub_readers[i], hub->name) == 0)
            return true;
    return false;
}

/* A hub reads by the word of operators alone: all that they let it where its certificate says that it may, and of the
 * groups that it is listed in. What it writes itself it can read. */
static bool reads(const struct nv_store *store, const struct nv_scope_id *scope, const struct nv_member *member,
                  uint64_t position)
{
    bool by_right = scope != NULL && nv_right_reads(store, *scope, member->site, position);
    if (member->role != NV_ROLE_HUB || nv_site_id_compare(member->site, store->identity.site) == 0)
        return by_right;
    return (by_right || member->reader) && is_let(store, member);
}

/* `scope` NULL: of none. */
static enum nv_status list(const struct nv_store *store, const struct nv_scope_id *scope,
                           struct nv_scope_readers *ret_readers, struct nv_error *error)
{
    struct nv_scope_readers readers = {.readers = calloc(store->member_count + 1, sizeof *readers.readers)};
    if (readers.readers == NULL)
        return nv_no_memory(error);
    for (size_t i = 0; i < store->member_count; i++) {
        const struct nv_member *member = &store->members[i];
        uint64_t position = NV_PLANTED(GRANT_TO_REMOVED) ? nv_authority_log(store)->applied_seq - 1 : NV_POSITION_NOW;
        if (reads(store, scope, member, position))
            readers.readers[readers.count++] =
                (struct nv_scope_reader){member->site, member->curve_key, member->recovery_key};
    }
    *ret_readers = readers;
    return NV_OK;
}

enum nv_status nv_readers_of(const struct nv_store *store, struct nv_scope_id scope,
                             struct nv_scope_readers *ret_readers, struct nv_error *error)
{
    return list(store, &scope, ret_readers, error);
}

enum nv_status nv_readers_let(const struct nv_store *store, struct nv_scope_readers *ret_readers,
                              struct nv_error *error)
{
    return list(store, NULL, ret_readers, error);
}

void nv_readers_done(struct nv_scope_readers *readers)
{
    free(readers->readers);
    *readers = (struct nv_scope_readers){0};
}

const struct nv_scope_reader *nv_readers_find(const struct nv_scope_readers *readers, struct nv_site_id site)
{
    for (size_t i = 0; i < readers->count; i++)
        if (nv_site_id_compare(readers->readers[i].site, site) == 0)
            return &readers->readers[i];
    return NULL;
}
