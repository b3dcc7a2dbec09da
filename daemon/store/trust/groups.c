/* Groups and their readers, and what is taken away: removals and revocations. */
#include "store/trust/state.h"

/* ---- groups ---- */

static enum nv_status judge_group(const struct nv_store *store, struct nv_scope_id scope, const char *name,
                                  struct nv_error *error)
{
    const struct nv_scope *scopes;
    size_t count, groups = 0;
    nv_scopes(store, &scopes, &count);
    for (size_t i = 0; i < count; i++) {
        if (scopes[i].kind != NV_SCOPE_IS_GROUP)
            continue;
        groups++;
        if (sqlite3_stricmp(scopes[i].called, name) == 0)
            return nv_fail(error, NV_REFUSED, "there is a group named %s already", scopes[i].called);
    }
    if (groups >= NV_LIMIT_GROUPS)
        return nv_fail(error, NV_REFUSED, "this network has %d groups, which is as many as one may have",
                       NV_LIMIT_GROUPS);
    if (nv_scope_find(store, scope) != NULL)
        return nv_fail(error, NV_REFUSED, "the group's id means something else in this network: make it once more");
    return NV_OK;
}

enum nv_status nv_group_take(struct nv_store *store, uint64_t position, struct nv_slice op, struct nv_arena *arena,
                             struct nv_error *error)
{
    struct nv_group_op group;
    struct nv_scope_id scope = nv_group_scope(op);
    enum nv_status status = nv_group_decode(op, arena, &group, error);
    if (status == NV_OK)
        status = judge_group(store, scope, group.name, error);
    if (status == NV_OK)
        status = nv_group_add(store, position, &scope, group.name, error);
    return status == NV_OK ? nv_rights_load(store, error) : status;
}

/* ---- readers ---- */

static enum nv_status judge_reader(const struct nv_store *store, const struct nv_reader_op *reader,
                                   struct nv_error *error)
{
    const struct nv_scope *group = nv_scope_find(store, reader->scope);
    const struct nv_member *member = nv_store_member(store, reader->site);
    if (group == NULL || group->kind != NV_SCOPE_IS_GROUP)
        return nv_fail(error, NV_REFUSED, "a reader of something that is no group");
    if (member == NULL)
        return nv_fail(error, NV_REFUSED, "a reader of group %s that is no member of the network", group->called);
    if (nv_right_reads(store, reader->scope, reader->site, NV_POSITION_NOW))
        return nv_fail(error, NV_REFUSED, "%s is in group %s already", member->name, group->called);
    return NV_OK;
}

enum nv_status nv_reader_take(struct nv_store *store, uint64_t position, struct nv_slice op, struct nv_arena *arena,
                              struct nv_error *error)
{
    struct nv_reader_op reader;
    enum nv_status status = nv_reader_decode(op, arena, &reader, error);
    if (status == NV_OK)
        status = judge_reader(store, &reader, error);
    if (status == NV_OK)
        status = nv_readership_begin(store, position, &reader.scope, &reader.site, error);
    return status == NV_OK ? nv_rights_load(store, error) : status;
}

/* ---- what is taken away ---- */

enum nv_status nv_removal_take(struct nv_store *store, uint64_t position, struct nv_slice op, struct nv_arena *arena,
                               struct nv_error *error)
{
    struct nv_removal_op removal;
    enum nv_status status = nv_removal_decode(op, arena, &removal, error);
    if (status != NV_OK)
        return status;
    const struct nv_scope *group = nv_scope_find(store, removal.scope);
    if (group == NULL || group->kind != NV_SCOPE_IS_GROUP ||
        !nv_right_reads(store, removal.scope, removal.site, NV_POSITION_NOW))
        return nv_fail(error, NV_REFUSED, "a removal of a site from a group in which it is not");
    const struct nv_taking taking = {position, removal.site, removal.scope, removal.cut_count, removal.cuts};
    status = nv_taking_note(store, &taking, error);
    if (status == NV_OK)
        status = nv_readership_end(store, position, &removal.scope, &removal.site, error);
    return status == NV_OK ? nv_rights_load(store, error) : status;
}

static enum nv_status end_member(struct nv_store *store, uint64_t position, const struct nv_site_id *site,
                                 struct nv_error *error)
{
    sqlite3_stmt *statement = nv_db_prepare(store->db, "UPDATE navette_member SET ends = ?1 WHERE site = ?2", error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, (int64_t)position);
    sqlite3_bind_blob(statement, 2, site->bytes, sizeof site->bytes, SQLITE_STATIC);
    enum nv_status status = nv_db_run(statement, error);
    sqlite3_finalize(statement);
    return status;
}

enum nv_status nv_revocation_take(struct nv_store *store, uint64_t position, struct nv_slice op, struct nv_arena *arena,
                                  struct nv_error *error)
{
    struct nv_revocation_op revocation;
    enum nv_status status = nv_revocation_decode(op, arena, &revocation, error);
    if (status != NV_OK)
        return status;
    if (nv_store_member(store, revocation.site) == NULL)
        return nv_fail(error, NV_REFUSED, "a revocation of a site that is no member");
    const struct nv_taking taking = {position, revocation.site, NV_SCOPE_AUTHORITY, revocation.cut_count,
                                     revocation.cuts};
    status = nv_taking_note(store, &taking, error);
    if (status == NV_OK)
        status = nv_membership_end(store, position, &revocation.site, error);
    if (status == NV_OK)
        status = nv_readership_end(store, position, NULL, &revocation.site, error);
    if (status == NV_OK)
        status = end_member(store, position, &revocation.site, error);
    if (status == NV_OK)
        status = nv_rights_load(store, error);
    return status == NV_OK ? nv_members_load(store, error) : status;
}
