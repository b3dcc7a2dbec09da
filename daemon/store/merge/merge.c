#include "store/merge/merge.h"

#include <stdlib.h>

#include "base/planted.h"
#include "store/merge/gather.h"
#include "store/merge/namesakes.h"
#include "store/schema/published.h"
#include "store/statements.h"

enum { ARENA_BYTES = 1 << 30 }; /* a row of 64 fields, each as long as an op may be */

void nv_merge_init(struct nv_merge *merge, struct nv_store *store, struct nv_wall_ms now, struct nv_stale *stale)
{
    memset(merge, 0, sizeof *merge);
    merge->store = store;
    merge->now = now;
    merge->stale = stale;
    merge->arena.limit = ARENA_BYTES;
}

void nv_merge_done(struct nv_merge *merge)
{
    nv_version_done(&merge->version);
    nv_version_done(&merge->in_row);
    nv_version_done(&merge->scratch);
    nv_row_done(&merge->row);
    nv_buffer_done(&merge->bytes);
    nv_arena_done(&merge->arena);
}

enum nv_status nv_stale_add(struct nv_stale *stale, uint32_t table, struct nv_slice key, struct nv_error *error)
{
    if (stale->count == stale->capacity) {
        size_t capacity = stale->capacity == 0 ? 16 : stale->capacity * 2;
        struct nv_place *places = realloc(stale->places, capacity * sizeof *places);
        if (places == NULL)
            return nv_no_memory(error);
        stale->places = places;
        stale->capacity = capacity;
    }
    stale->arena.limit = SIZE_MAX;
    uint8_t *copy = nv_arena_alloc(&stale->arena, key.size + 1);
    if (copy == NULL)
        return nv_no_memory(error);
    memcpy(copy, key.data, key.size);
    stale->places[stale->count++] = (struct nv_place){table, {copy, key.size}};
    return NV_OK;
}

void nv_stale_done(struct nv_stale *stale)
{
    free(stale->places);
    nv_arena_done(&stale->arena);
    *stale = (struct nv_stale){0};
}

/* Of the record that the row shows; where it shows none, of the one at hand. */
static struct nv_version *row_version(struct nv_merge *merge)
{
    return merge->row_scope == 0 || merge->row_scope == merge->scope ? &merge->version : &merge->in_row;
}

/* ---- what a remote change replaced ---- */

/* Which of the siblings of a contested field the row shows. */
static enum nv_status shown_of_several(struct nv_merge *merge, const struct nv_table *table,
                                       const struct nv_record *record, unsigned field, struct nv_dot *ret_dot,
                                       struct nv_error *error)
{
    struct nv_candidate *candidates;
    size_t count, place = 0;
    enum nv_status status = nv_gather(merge->store, record, field, &merge->arena, &candidates, &count, error);
    if (status != NV_OK)
        return status;
    size_t shown = nv_rule_choose(table->fields[field].rule, candidates, count, record->home);
    for (size_t i = 0; i < record->sibling_count; i++)
        if ((record->siblings[i].fields >> field & 1) && place++ == shown)
            *ret_dot = record->siblings[i].dot;
    return NV_OK;
}

/* The sibling of each field that the row shows before the op; log 0 where it shows the column's default. Of contested
 * fields only those that the op gives, or all where another record may come to the row. */
static enum nv_status list_shown_dots(struct nv_merge *merge, const struct nv_table *table, nv_fields given,
                                      struct nv_dot dots[NV_LIMIT_FIELDS], struct nv_error *error)
{
    const struct nv_record *record = &row_version(merge)->record;
    if (merge->namesakes.count > 0)
        given = nv_all_fields(table);
    nv_fields contested = nv_record_contested(record);
    enum nv_status status = NV_OK;
    for (size_t i = 0; i < record->sibling_count; i++)
        for (nv_fields rest = record->siblings[i].fields & ~contested; rest != 0; rest &= rest - 1)
            dots[__builtin_ctzll(rest)] = record->siblings[i].dot;
    for (nv_fields rest = contested & given; status == NV_OK && rest != 0; rest &= rest - 1) {
        unsigned field = (unsigned)__builtin_ctzll(rest);
        status = shown_of_several(merge, table, record, field, &dots[field], error);
    }
    return status;
}

static void remember_one(struct nv_version *version, struct nv_dot old, struct nv_dot by, unsigned field,
                         struct nv_wall_ms now)
{
    nv_fields bit = (nv_fields)1 << field;
    for (size_t i = 0; i < version->replaced_count; i++) {
        struct nv_replaced *replaced = &version->replaced[i];
        if (nv_dot_compare(replaced->old, old) == 0 && nv_dot_compare(replaced->by, by) == 0) {
            replaced->fields |= bit;
            return;
        }
    }
    if (version->replaced_count == NV_REPLACED_MAX) {
        memmove(version->replaced, version->replaced + 1, (NV_REPLACED_MAX - 1) * sizeof *version->replaced);
        version->replaced_count--;
    }
    version->replaced[version->replaced_count++] = (struct nv_replaced){old, by, bit, now};
}

static void forget_old_replaced(struct nv_version *version, struct nv_wall_ms now)
{
    size_t kept = 0;
    for (size_t i = 0; i < version->replaced_count; i++)
        if (now.ms - version->replaced[i].at.ms <= NV_REPLACED_MS)
            version->replaced[kept++] = version->replaced[i];
    version->replaced_count = kept;
}

/* What the row of the record that it shows now showed before, in the fields that changed. */
static enum nv_status remember_replaced(struct nv_merge *merge, uint32_t table, struct nv_slice key,
                                        const struct nv_dot before[NV_LIMIT_FIELDS], struct nv_dot by,
                                        nv_fields changed, struct nv_error *error)
{
    struct nv_version *version = row_version(merge);
    struct nv_record_name name = {table, key, merge->row_scope};
    if (changed == 0 || !merge->row.there)
        return NV_OK;
    forget_old_replaced(version, merge->now);
    for (; changed != 0; changed &= changed - 1) {
        unsigned field = (unsigned)__builtin_ctzll(changed);
        if (nv_dot_compare(before[field], by) != 0)
            remember_one(version, before[field], by, field, merge->now);
    }
    return nv_version_write(merge->store, name, version, error);
}

/* ---- one op ---- */

/* A remote put of a record that has no version, nor a namesake: nothing to compare, nothing to choose. *ret_done false:
 * it has one. */
static enum nv_status create(struct nv_merge *merge, struct nv_table_access *access, const struct nv_cover *cover,
                             const struct nv_op *op, nv_fields fields, bool *ret_done, struct nv_error *error)
{
    struct nv_version *version = &merge->version;
    enum nv_status status = NV_OK;
    *ret_done = false;
    if (access->table->has_scopes) {
        bool any = false;
        status = nv_namesakes_any(merge->store, op->table, op->key, &any, error);
        if (status != NV_OK || any)
            return status;
    }
    nv_version_clear(version);
    if (nv_record_put(&version->record, cover, op, fields, merge->writer) != NV_OK)
        return nv_no_memory(error);
    version->has_row = true;
    version->row_fields = (unsigned)access->table->field_count;
    status = nv_row_digest(merge->store, op->values, version->row_fields, &merge->bytes, &version->row_digest, error);
    if (status == NV_OK)
        status = nv_version_create(merge->store, nv_merge_name(merge, op->table, op->key), version, ret_done, error);
    if (status != NV_OK || !*ret_done)
        return status;
    bool clash;
    status = nv_row_insert(merge->store, access, op->key, fields, op->values, &clash, error);
    return status == NV_OK && clash ? nv_stale_add(merge->stale, op->table, op->key, error) : status;
}

enum nv_status nv_merge_enter(struct nv_merge *merge, const struct nv_table *table, struct nv_error *error)
{
    const struct nv_log *log = nv_log_by_number(merge->store, merge->log);
    merge->scope = log->scope;
    return table->of_home ? nv_scope_intern(merge->store, log->id.scope, &log->id.site, &merge->scope, error) : NV_OK;
}

enum nv_status nv_merge_load(struct nv_merge *merge, struct nv_table_access *access, struct nv_slice key,
                             bool *ret_found, struct nv_error *error)
{
    enum nv_status status;
    if (access->table->has_scopes) {
        status = nv_namesakes_load(merge, access->table, key, ret_found, error);
    } else {
        struct nv_record_name name = nv_merge_name(merge, access->table->number, key);
        merge->namesakes.count = 0;
        status = nv_version_read(merge->store, name, &merge->version, ret_found, error);
        merge->row_scope = merge->version.has_row ? merge->scope : 0;
    }
    return status == NV_OK ? nv_row_read(merge->store, access, key, &merge->row, error) : status;
}

enum nv_status nv_merge_find_shown(struct nv_merge *merge, const struct nv_table *table, struct nv_slice key,
                                   struct nv_error *error)
{
    bool found;
    if (table->has_scopes)
        return nv_namesakes_find_shown(merge, table, key, error);
    merge->namesakes.count = 0;
    merge->scope = NV_SCOPE_NUMBER_NETWORK;
    enum nv_status status =
        nv_version_read(merge->store, nv_merge_name(merge, table->number, key), &merge->version, &found, error);
    merge->scope = merge->row_scope = merge->version.has_row ? merge->scope : 0;
    return status;
}

enum nv_status nv_merge_added_since(struct nv_merge *merge, const struct nv_table *table, const struct nv_row *row,
                                    nv_fields *ret_fields, struct nv_error *error)
{
    *ret_fields = 0;
    for (unsigned field = row_version(merge)->row_fields; field < row->count; field++) {
        struct nv_value value;
        enum nv_status status = nv_published_default(merge->store, table, field, &merge->arena, &value, error);
        if (status != NV_OK)
            return status;
        if (!nv_value_equal(&value, &row->values[field]))
            *ret_fields |= (nv_fields)1 << field;
    }
    return NV_OK;
}

enum nv_status nv_merge_digest_fits(struct nv_merge *merge, const struct nv_value *values, size_t count, bool *ret_fits,
                                    struct nv_error *error)
{
    const struct nv_version *version = row_version(merge);
    uint64_t digest;
    *ret_fits = false;
    if (!version->has_row || version->row_fields > count)
        return NV_OK;
    enum nv_status status = nv_row_digest(merge->store, values, version->row_fields, &merge->bytes, &digest, error);
    *ret_fits = status == NV_OK && digest == version->row_digest;
    return status;
}

/* Whether the row is not what we last wrote, though nothing pending says why. A row that is gone is not stale: it is
 * written anew. */
static enum nv_status is_stale(struct nv_merge *merge, const struct nv_table *table, bool *ret_stale,
                               struct nv_error *error)
{
    nv_fields added = 0;
    enum nv_status status = NV_OK;
    bool fits = true;
    if (merge->row.there)
        status = nv_merge_digest_fits(merge, merge->row.values, merge->row.count, &fits, error);
    if (status == NV_OK && fits && merge->row.there)
        status = nv_merge_added_since(merge, table, &merge->row, &added, error);
    *ret_stale = (!fits || added != 0) && !NV_PLANTED(APPLY_OVER_UNSEALED);
    return status;
}

enum nv_status nv_merge_forget_missing(struct nv_merge *merge, uint32_t table, struct nv_slice key,
                                       struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(merge->store, NV_SQL_MISSING_DROP, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, table);
    nv_db_bind_slice(statement, 2, key);
    return nv_db_run(statement, error);
}

/* What the row may show otherwise after the op: what it gives, and where it moves the home, what competes. */
static nv_fields may_show(const struct nv_merge *merge, const struct nv_op *op, nv_fields fields)
{
    const struct nv_record *record = &merge->version.record;
    if (op->kind != NV_OP_PUT)
        return fields;
    bool moves_home = nv_site_id_compare(op->has_home ? op->home : merge->writer, record->home) < 0;
    return moves_home ? fields | nv_record_contested(record) : fields;
}

static enum nv_status merge_into(struct nv_merge *merge, struct nv_table_access *access, const struct nv_cover *cover,
                                 const struct nv_op *op, nv_fields fields, struct nv_error *error)
{
    bool found;
    enum nv_status status = nv_merge_load(merge, access, op->key, &found, error);
    bool stale = false;
    if (status == NV_OK)
        status = is_stale(merge, access->table, &stale, error);
    if (status != NV_OK)
        return status;
    if (stale)
        return nv_stale_add(merge->stale, op->table, op->key, error);
    if (merge->version.has_row && !merge->row.there)
        status = nv_merge_forget_missing(merge, op->table, op->key, error);
    if (status != NV_OK)
        return status;
    if (NV_PLANTED(COLLAPSE_EQUAL) && merge->row.there && op->value_count == 1 && fields == op->fields &&
        nv_value_equal(&op->values[0], &merge->row.values[__builtin_ctzll(op->fields)]))
        return NV_OK;
    struct nv_record *record = &merge->version.record;
    struct nv_dot before[NV_LIMIT_FIELDS] = {{0}};
    /* A row that a delete took away has shown its values all the same: a form may be open that was filled from it. */
    nv_fields known = merge->row.there ? nv_all_fields(access->table) : nv_record_fields(record);
    nv_fields touched = may_show(merge, op, fields);
    status = list_shown_dots(merge, access->table, op->kind == NV_OP_PUT ? touched : 0, before, error);
    if (status != NV_OK)
        return status;
    enum nv_status merged = op->kind == NV_OP_PUT ? nv_record_put(record, cover, op, fields, merge->writer)
                                                  : nv_record_delete(record, cover, op);
    if (merged != NV_OK)
        return nv_no_memory(error);
    nv_fields changed;
    forget_old_replaced(&merge->version, merge->now);
    status = nv_merge_show(merge, access, op->key, touched, &changed, error);
    if (status != NV_OK)
        return status;
    return remember_replaced(merge, op->table, op->key, before, cover->dot, changed & known, error);
}

enum nv_status nv_merge_anew(struct nv_merge *merge, struct nv_table_access *access, struct nv_slice key,
                             struct nv_record *derived, const struct nv_dot *by, struct nv_error *error)
{
    bool found, stale = false;
    nv_fields changed, all = nv_all_fields(access->table);
    struct nv_dot before[NV_LIMIT_FIELDS] = {{0}};
    struct nv_version *version = &merge->version;
    enum nv_status status = nv_merge_load(merge, access, key, &found, error);
    if (status == NV_OK && merge->stale != NULL)
        status = is_stale(merge, access->table, &stale, error);
    if (status == NV_OK && stale)
        status = nv_stale_add(merge->stale, access->table->number, key, error);
    if (status != NV_OK || stale)
        return status;
    if (version->has_row && !merge->row.there)
        status = nv_merge_forget_missing(merge, access->table->number, key, error);
    if (status == NV_OK && by != NULL && merge->row.there)
        status = list_shown_dots(merge, access->table, all, before, error);
    if (status != NV_OK)
        return status;
    struct nv_record old = version->record;
    version->record = *derived;
    *derived = old;
    status = nv_merge_show(merge, access, key, all, &changed, error);
    if (status != NV_OK || by == NULL)
        return status;
    return remember_replaced(merge, access->table->number, key, before, *by, changed, error);
}

enum nv_status nv_merge_own(struct nv_merge *merge, struct nv_table_access *access, uint32_t index,
                            const struct nv_op *op, nv_fields put_back, struct nv_error *error)
{
    struct nv_cover cover = {.dot = {merge->log, index, merge->seq}, .vector = merge->context};
    struct nv_record *record = &merge->version.record;
    bool is_taken;
    nv_fields fields, changed;
    merge->op = op;
    merge->dot = cover.dot;
    enum nv_status status = nv_merge_excepts(merge, op, &cover, error);
    if (status == NV_OK)
        status = nv_merge_accepted(merge, access->table, op, &is_taken, &fields, error);
    if (status != NV_OK)
        return status;
    enum nv_status merged = op->kind == NV_OP_PUT ? nv_record_put(record, &cover, op, fields, merge->writer)
                                                  : nv_record_delete(record, &cover, op);
    if (merged != NV_OK)
        return nv_no_memory(error);
    nv_fields touched = nv_record_contested(record) | (op->fields & ~fields) | put_back;
    return nv_merge_show(merge, access, op->key, touched, &changed, error);
}

enum nv_status nv_merge_op(struct nv_merge *merge, uint32_t index, const struct nv_op *op, struct nv_error *error)
{
    struct nv_table_access *access = nv_access(merge->store, op->table);
    if (access == NULL || access->table->published > merge->authority_seq)
        return nv_merge_quarantine(merge, op, -1, "table", NULL, error);
    if (access->table->missing)
        return nv_fail(error, NV_NOT_YET, "table %s is not in the database", access->table->name);
    struct nv_cover cover = {.dot = {merge->log, index, merge->seq}, .vector = merge->context};
    merge->op = op;
    merge->dot = cover.dot;
    enum nv_status status = nv_merge_enter(merge, access->table, error);
    if (status == NV_OK)
        status = nv_merge_excepts(merge, op, &cover, error);
    if (status != NV_OK)
        return status;
    bool is_taken;
    nv_fields fields;
    status = nv_merge_accepted(merge, access->table, op, &is_taken, &fields, error);
    if (status != NV_OK || !is_taken)
        return status;
    if (op->kind == NV_OP_PUT && fields == op->fields && fields == nv_all_fields(access->table)) {
        bool done;
        status = create(merge, access, &cover, op, fields, &done, error);
        if (status != NV_OK || done)
            return status;
    }
    return merge_into(merge, access, &cover, op, fields, error);
}
