#include "store/trust/readers.h"

#include <stdlib.h>

#include "base/planted.h"
#include "store/internal.h"
#include "store/log/logs.h"

/* A hub reads what is not of the whole network only where its certificate says so and somebody here did too. */
static bool is_let(const struct nv_store *store, const struct nv_member *member)
{
    if (member->role != NV_ROLE_HUB || !member->reader)
        return false;
    for (size_t i = 0; i < store->hub_reader_count; i++)
        if (sqlite3_stricmp(store->hub_readers[i], member->name) == 0)
            return true;
    return false;
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
        bool reads = scope != NULL && nv_right_reads(store, *scope, member->site, NV_POSITION_NOW);
        if (NV_PLANTED(GRANT_TO_REMOVED) && scope != NULL)
            reads = nv_right_reads(store, *scope, member->site, nv_authority_log(store)->applied_seq - 1);
        if (reads || is_let(store, member))
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
