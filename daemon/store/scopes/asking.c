/* A person's word on who reads a record: store/moves.h. It is an ordinary write of the column that says so. */
#include <string.h>

#include "store/merge/merge.h"
#include "store/moves.h"
#include "store/scopes/placing.h"
#include "store/scopes/reads.h"

static enum nv_status judge_table(const struct nv_table *table, struct nv_error *error)
{
    if (table == NULL || table->missing)
        return nv_fail(error, NV_NOT_FOUND, "no such table is kept in step here: `navette schema show` lists them");
    switch (table->declared) {
    case NV_DECLARED_COLUMN:
        return NV_OK;
    case NV_DECLARED_PARENT:
        return nv_fail(
            error, NV_REFUSED,
            "records of %s are read by whoever reads the record that %s references: move that, and they follow",
            table->name, table->scope + strlen("parent:"));
    case NV_DECLARED_NETWORK:
    case NV_DECLARED_SITE:
        break;
    }
    return nv_fail(error, NV_REFUSED, "all records of %s are of scope %s, and none of them moves", table->name,
                   table->scope);
}

static enum nv_status judge_scope(const struct nv_store *store, struct nv_scope_id scope, struct nv_error *error)
{
    char name[NV_SCOPE_TEXT];
    nv_scope_name(store, scope, name);
    if (nv_right_reads(store, scope, store->identity.site, NV_POSITION_NOW))
        return NV_OK;
    return nv_fail(error, NV_REFUSED,
                   "this site does not read %s, and could not look after the record there: move it to a scope that it "
                   "reads",
                   name);
}

/* Whether there is such a record, and it is this site's to say who reads it. */
static enum nv_status judge_record(struct nv_store *store, struct nv_table_access *access, struct nv_slice key,
                                   struct nv_error *error)
{
    struct nv_merge merge;
    nv_merge_init(&merge, store, (struct nv_wall_ms){0}, NULL);
    enum nv_status status = nv_merge_find_shown(&merge, access->table, key, error);
    if (status == NV_OK)
        status = nv_row_read(store, access, key, &merge.row, error);
    const struct nv_record *record = &merge.version.record;
    bool is_others =
        merge.scope != 0 && record->has_home && nv_site_id_compare(record->home, store->identity.site) != 0;
    if (status == NV_OK && !merge.row.there)
        status = nv_fail(error, NV_NOT_FOUND, "%s has no record with that key", access->table->name);
    else if (status == NV_OK && (is_others || (merge.scope != 0 && !nv_scope_may_write(store, merge.scope))))
        status = nv_fail(error, NV_REFUSED,
                         "this record belongs to another site, and only that one says who reads it: ask there");
    nv_merge_done(&merge);
    return status;
}

static enum nv_status write_scope(struct nv_store *store, struct nv_table_access *access, struct nv_slice key,
                                  struct nv_scope_id scope, struct nv_error *error)
{
    struct nv_value values[NV_LIMIT_FIELDS];
    char name[NV_SCOPE_TEXT];
    unsigned field = access->table->scope_place;
    bool is_own = memcmp(scope.bytes, store->identity.site.bytes, sizeof scope.bytes) == 0;
    nv_scope_name(store, scope, name);
    values[field] = is_own ? (struct nv_value){.type = NV_NULL}
                           : (struct nv_value){.type = NV_TEXT, .bytes = {(const uint8_t *)name, strlen(name)}};
    return nv_row_update(store, access, key, (nv_fields)1 << field, values, error);
}

enum nv_status nv_store_move(struct nv_store *store, const char *table_name, struct nv_slice key,
                             struct nv_scope_id scope, struct nv_error *error)
{
    enum nv_status status = nv_begin(store, error);
    if (status != NV_OK)
        return status;
    const struct nv_table *table = nv_store_table(store, table_name);
    status = judge_table(table, error);
    struct nv_table_access *access = status == NV_OK ? nv_access(store, table->number) : NULL;
    if (status == NV_OK)
        status = judge_scope(store, scope, error);
    if (status == NV_OK)
        status = judge_record(store, access, key, error);
    if (status == NV_OK)
        status = write_scope(store, access, key, scope, error);
    if (status == NV_OK)
        status = nv_commit(store, error);
    if (status != NV_OK)
        nv_rollback(store);
    return status;
}
