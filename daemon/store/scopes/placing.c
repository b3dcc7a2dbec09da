#include "store/scopes/placing.h"

#include "base/planted.h"
#include "store/scopes/reads.h"
#include "store/scopes/unplaced.h"

static struct nv_scope_id own_scope(const struct nv_store *store)
{
    struct nv_scope_id scope;
    memcpy(scope.bytes, store->identity.site.bytes, sizeof scope.bytes);
    return scope;
}

/* Whether it may write in the scope. What is leaving is gone first, whatever right there is anew. */
static bool reads(const struct nv_store *store, struct nv_scope_id scope)
{
    return nv_scope_is_read(store, scope) && nv_right_reads(store, scope, store->identity.site, NV_POSITION_NOW);
}

bool nv_scope_may_write(const struct nv_store *store, nv_scope_number number)
{
    const struct nv_numbered_scope *scope = nv_scope_numbered(store, number);
    return scope != NULL && reads(store, scope->id) &&
           (!scope->has_home || NV_PLANTED(SKIP_HOME) || nv_site_id_compare(scope->home, store->identity.site) == 0);
}

/* ---- by a column ---- */

/* `network`, `site/NAME` or `group/NAME`; NULL is the home's own. */
static bool scope_named(const struct nv_merge *merge, const struct nv_value *value, struct nv_scope_id *ret_scope)
{
    char name[NV_SCOPE_TEXT];
    if (value->type == NV_NULL) {
        memcpy(ret_scope->bytes,
               merge->version.record.has_home ? merge->version.record.home.bytes : merge->store->identity.site.bytes,
               sizeof ret_scope->bytes);
        return true;
    }
    if (value->type != NV_TEXT || value->bytes.size >= sizeof name ||
        memchr(value->bytes.data, 0, value->bytes.size) != NULL)
        return false;
    memcpy(name, value->bytes.data, value->bytes.size);
    name[value->bytes.size] = '\0';
    return nv_scope_from_name(merge->store, name, ret_scope, NULL) == NV_OK;
}

/* ---- by the parent ---- */

/* The value of the column that names the parent, as a key. */
static bool parent_key(const struct nv_merge *merge, const struct nv_table *table, struct nv_slice key,
                       struct nv_buffer *ret_key)
{
    struct nv_reader reader = nv_reader_of(key);
    struct nv_value value = {.type = NV_NULL};
    if (!table->scope_in_key)
        value = merge->row.values[table->scope_place];
    for (unsigned i = 0; table->scope_in_key && i <= table->scope_place; i++)
        if (!nv_value_decode(&reader, &value))
            return false;
    if (value.type == NV_NULL)
        return false;
    nv_value_encode(ret_key, &value);
    return true;
}

/* The scope of the record that stands under that key; that of a row which is not sealed yet is the one that it will
 * have.
 */
static enum nv_status scope_of_record(struct nv_merge *parent, uint32_t number, struct nv_slice key,
                                      struct nv_scope_id *ret_scope, bool *ret_known, struct nv_error *error)
{
    struct nv_table_access *access = nv_access(parent->store, number);
    *ret_known = false;
    if (access == NULL || access->table->missing)
        return NV_OK;
    enum nv_status status = nv_merge_find_shown(parent, access->table, key, error);
    if (status != NV_OK)
        return status;
    if (parent->scope != 0) {
        *ret_scope = nv_scope_numbered(parent->store, parent->scope)->id;
        *ret_known = true;
        return NV_OK;
    }
    status = nv_row_read(parent->store, access, key, &parent->row, error);
    if (status != NV_OK || !parent->row.there)
        return status;
    status = nv_scope_asked(parent, access->table, key, ret_scope, ret_known, error);
    if (status == NV_OK && !*ret_known) {
        *ret_scope = own_scope(parent->store);
        *ret_known = true;
    }
    return status;
}

static enum nv_status scope_of_parent(struct nv_merge *merge, const struct nv_table *table, struct nv_slice key,
                                      struct nv_scope_id *ret_scope, bool *ret_known, struct nv_error *error)
{
    struct nv_buffer of_parent = {0};
    struct nv_merge parent;
    enum nv_status status = NV_OK;
    *ret_known = parent_key(merge, table, key, &of_parent);
    nv_merge_init(&parent, merge->store, merge->now, NULL);
    if (of_parent.failed)
        status = nv_no_memory(error);
    else if (*ret_known)
        status = scope_of_record(&parent, table->parent, nv_buffer_slice(&of_parent), ret_scope, ret_known, error);
    nv_merge_done(&parent);
    nv_buffer_done(&of_parent);
    return status;
}

/* ---- all of them ---- */

enum nv_status nv_scope_asked(struct nv_merge *merge, const struct nv_table *table, struct nv_slice key,
                              struct nv_scope_id *ret_scope, bool *ret_known, struct nv_error *error)
{
    enum nv_status status = NV_OK;
    *ret_known = true;
    switch (table->declared) {
    case NV_DECLARED_NETWORK:
        *ret_scope = NV_SCOPE_NETWORK;
        return NV_OK;
    case NV_DECLARED_SITE:
        *ret_scope = own_scope(merge->store);
        return NV_OK;
    case NV_DECLARED_COLUMN:
        *ret_known = scope_named(merge, &merge->row.values[table->scope_place], ret_scope);
        break;
    case NV_DECLARED_PARENT:
        status = scope_of_parent(merge, table, key, ret_scope, ret_known, error);
        break;
    }
    *ret_known = status == NV_OK && *ret_known && reads(merge->store, *ret_scope);
    return status;
}

enum nv_status nv_scope_of_new(struct nv_merge *merge, const struct nv_table *table, struct nv_slice key,
                               struct nv_error *error)
{
    struct nv_store *store = merge->store;
    struct nv_scope_id scope;
    bool is_known;
    enum nv_status status = nv_scope_asked(merge, table, key, &scope, &is_known, error);
    if (status == NV_OK && !is_known) {
        scope = NV_PLANTED(PLACED_WIDE) ? NV_SCOPE_NETWORK : own_scope(store);
        status = nv_unplaced_list(store, table->number, key, merge->now, error);
    }
    if (status != NV_OK)
        return status;
    return nv_scope_intern(store, scope, table->of_home ? &store->identity.site : NULL, &merge->scope, error);
}
