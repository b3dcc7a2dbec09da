#include "store/merge/conflicts.h"

#include <stdlib.h>

#include "base/hex.h"
#include "store/care.h"
#include "store/merge/gather.h"
#include "store/merge/namesakes.h"
#include "store/statements.h"

struct listing {
    struct nv_store *store;
    const struct nv_table *table;
    struct nv_record_name name;
    struct nv_buffer key_text;
    bool any;
};

static enum nv_status add(struct listing *listing, const char *kind, const char *field, int choice,
                          const struct nv_candidate *candidate, bool shown, struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(listing->store, NV_SQL_CONFLICT_ADD, error);
    if (statement == NULL)
        return error->status;
    char site[2 * sizeof candidate->site.bytes + 1];
    nv_hex(candidate->site.bytes, sizeof candidate->site.bytes, site);
    sqlite3_bind_text(statement, 1, listing->table->name, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, (const char *)listing->key_text.data, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 3, kind, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 4, field, -1, SQLITE_STATIC);
    sqlite3_bind_int(statement, 5, choice);
    nv_db_bind_value(statement, 6, &candidate->value);
    sqlite3_bind_text(statement, 7, site, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 8, candidate->time.ms);
    sqlite3_bind_int(statement, 9, shown);
    sqlite3_bind_int64(statement, 10, listing->table->number);
    nv_db_bind_slice(statement, 11, listing->name.key);
    sqlite3_bind_int64(statement, 12, listing->name.scope);
    listing->any = true;
    return nv_db_run(statement, error);
}

static int order_by_value(const void *a, const void *b)
{
    return nv_value_compare(&((const struct nv_candidate *)a)->value, &((const struct nv_candidate *)b)->value);
}

/* One row for each distinct value, in the values' order; of several siblings with one value the latest is named. */
static enum nv_status add_field(struct listing *listing, const struct nv_record *record, unsigned field,
                                struct nv_arena *arena, struct nv_error *error)
{
    const struct nv_column *column = &listing->table->fields[field];
    struct nv_candidate *candidates;
    size_t count;
    enum nv_status status = nv_gather(listing->store, record, field, arena, &candidates, &count, error);
    if (status != NV_OK || nv_rule_distinct(candidates, count) < 2)
        return status;
    struct nv_value shown = candidates[nv_rule_choose(column->rule, candidates, count, record->home)].value;
    qsort(candidates, count, sizeof *candidates, order_by_value);
    int choice = 0;
    for (size_t first = 0, after; status == NV_OK && first < count; first = after) {
        for (after = first + 1; after < count && order_by_value(&candidates[first], &candidates[after]) == 0;)
            after++;
        size_t latest = first + nv_rule_choose(NV_RULE_LAST, candidates + first, after - first, record->home);
        bool is_shown = nv_value_equal(&candidates[latest].value, &shown);
        struct nv_arena whole = {.limit = 2 * (size_t)NV_LIMIT_BODY_BYTES};
        struct nv_candidate named = candidates[latest];
        status = nv_gather_whole(listing->store, record, &candidates[latest], field, &whole, &named.value, error);
        if (status == NV_OK)
            status = add(listing, "values", column->name, ++choice, &named, is_shown, error);
        nv_arena_done(&whole);
    }
    return status;
}

static enum nv_status add_deletes(struct listing *listing, const struct nv_record *record, struct nv_error *error)
{
    enum nv_status status = NV_OK;
    struct nv_candidate *deletes = calloc(record->delete_count + 1, sizeof *deletes);
    if (deletes == NULL)
        return nv_no_memory(error);
    for (size_t i = 0; i < record->delete_count; i++) {
        const struct nv_log *log = nv_log_by_number(listing->store, record->deletes[i].dot.log);
        if (log != NULL)
            deletes[i] = (struct nv_candidate){.time = record->deletes[i].time,
                                               .site = log->id.site,
                                               .epoch = log->id.epoch,
                                               .seq = record->deletes[i].dot.seq,
                                               .index = record->deletes[i].dot.index};
    }
    struct nv_site_id nobody = {{0}};
    size_t latest = nv_rule_choose(NV_RULE_LAST, deletes, record->delete_count, nobody);
    status = add(listing, "deleted", NULL, 1, &deletes[latest], false, error);
    free(deletes);
    return status;
}

static enum nv_status clear(struct nv_store *store, struct nv_record_name name, struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_CONFLICT_CLEAR, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, name.table);
    nv_db_bind_slice(statement, 2, name.key);
    sqlite3_bind_int64(statement, 3, name.scope);
    return nv_db_run(statement, error);
}

enum nv_status nv_conflicts_write(struct nv_store *store, const struct nv_table *table, struct nv_record_name name,
                                  struct nv_version *version, struct nv_arena *arena, struct nv_error *error)
{
    const struct nv_record *record = &version->record;
    nv_fields contested = nv_record_contested(record);
    bool is_shown = nv_record_shown(record);
    enum nv_status status = NV_OK;
    if (version->is_conflicted)
        status = clear(store, name, error);
    version->is_conflicted = false;
    if (status != NV_OK || !is_shown || (contested == 0 && record->delete_count == 0))
        return status;
    struct listing listing = {.store = store, .table = table, .name = name};
    nv_key_to_text(table, name.key, &listing.key_text);
    if (listing.key_text.failed)
        status = nv_no_memory(error);
    for (unsigned field = 0; status == NV_OK && field < table->field_count; field++)
        if ((contested >> field & 1) && !table->fields[field].quiet)
            status = add_field(&listing, record, field, arena, error);
    if (status == NV_OK && record->delete_count > 0)
        status = add_deletes(&listing, record, error);
    version->is_conflicted = listing.any;
    nv_buffer_done(&listing.key_text);
    return status;
}

/* ---- records of several scopes ---- */

static enum nv_status add_record(struct listing *listing, nv_scope_number scope, const struct nv_record *record,
                                 int choice, struct nv_error *error)
{
    const struct nv_numbered_scope *of = nv_scope_numbered(listing->store, scope);
    char id[2 * sizeof of->id.bytes + 1];
    nv_hex(of->id.bytes, sizeof of->id.bytes, id);
    struct nv_candidate named = {.value = {.type = NV_TEXT, .bytes = {(const uint8_t *)id, strlen(id)}},
                                 .site = record->home,
                                 .time.ms = INT64_MIN};
    for (size_t i = 0; i < record->sibling_count; i++)
        if (record->siblings[i].time.ms > named.time.ms)
            named.time = record->siblings[i].time;
    return add(listing, "scopes", NULL, choice, &named, choice == 1, error);
}

static enum nv_status add_records(struct nv_merge *merge, struct listing *listing, struct nv_error *error)
{
    enum nv_status status = NV_OK;
    int choice = 0;
    for (nv_scope_number scope = nv_namesakes_next_shown(merge, 0); status == NV_OK && scope != 0;
         scope = nv_namesakes_next_shown(merge, scope)) {
        struct nv_record_name name = {listing->name.table, listing->name.key, scope};
        struct nv_version *version = scope == merge->scope ? &merge->version : &merge->scratch;
        bool found;
        if (scope != merge->scope)
            status = nv_version_read(merge->store, name, version, &found, error);
        if (status == NV_OK)
            status = add_record(listing, scope, &version->record, ++choice, error);
    }
    return status;
}

enum nv_status nv_collisions_write(struct nv_merge *merge, const struct nv_table *table, struct nv_slice key,
                                   struct nv_error *error)
{
    struct listing listing = {.store = merge->store, .table = table, .name = {table->number, key, 0}};
    enum nv_status status = clear(merge->store, listing.name, error);
    nv_scope_number first = nv_namesakes_next_shown(merge, 0);
    if (status != NV_OK || first == 0 || nv_namesakes_next_shown(merge, first) == 0)
        return status;
    nv_key_to_text(table, key, &listing.key_text);
    status = listing.key_text.failed ? nv_no_memory(error) : add_records(merge, &listing, error);
    nv_buffer_done(&listing.key_text);
    return status;
}
