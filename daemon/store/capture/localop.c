#include "store/capture/localop.h"

#include "base/planted.h"
#include "store/merge/gather.h"
#include "store/schema/published.h"
#include "store/statements.h"

/* ---- which fields changed ---- */

static nv_fields differing(const struct nv_value *before, size_t before_count, const struct nv_row *row)
{
    nv_fields changed = 0;
    for (size_t i = 0; i < row->count && i < before_count; i++)
        if (!nv_value_equal(&before[i], &row->values[i]))
            changed |= (nv_fields)1 << i;
    return changed;
}

/* Compares with what the log says that the row showed: of a field without siblings, its default. */
static enum nv_status differing_from_log(struct nv_merge *merge, const struct nv_table *table, nv_fields *ret_changed,
                                         struct nv_error *error)
{
    const struct nv_record *record = &merge->version.record;
    nv_fields with_siblings = nv_record_fields(record);
    *ret_changed = 0;
    for (unsigned field = 0; field < merge->row.count; field++) {
        struct nv_value shown;
        enum nv_status status = with_siblings >> field & 1
                                    ? nv_gather_shown(merge->store, table, record, field, &merge->arena, &shown, error)
                                    : nv_published_default(merge->store, table, field, &merge->arena, &shown, error);
        if (status != NV_OK)
            return status;
        if (!nv_value_equal(&shown, &merge->row.values[field]))
            *ret_changed |= (nv_fields)1 << field;
    }
    return NV_OK;
}

/* Compares with the values before the first change, where they are what we knew of the row: they are not where a tool
 * made the table anew, and somebody changed the row before its table was looked through. */
static enum nv_status differing_from_old(struct nv_merge *merge, const struct nv_table *table,
                                         const struct nv_touched *touched, bool *ret_known, nv_fields *ret_changed,
                                         struct nv_error *error)
{
    nv_fields added = 0;
    const struct nv_change *first = touched->first;
    *ret_known = false;
    if (first == NULL || first->old == NULL)
        return NV_OK;
    enum nv_status status = nv_merge_digest_fits(merge, first->old, first->old_count, ret_known, error);
    if (status == NV_OK && *ret_known)
        status = nv_merge_added_since(merge, table, &merge->row, &added, error);
    if (status == NV_OK && *ret_known)
        *ret_changed = differing(first->old, first->old_count, &merge->row) | added;
    return status;
}

enum nv_status nv_local_fields(struct nv_merge *merge, const struct nv_table *table, const struct nv_touched *touched,
                               nv_fields *ret_changed, struct nv_error *error)
{
    const struct nv_version *version = &merge->version;
    *ret_changed = 0;
    if (!version->has_row) {
        *ret_changed = nv_all_fields(table); /* a create carries them all */
        return NV_OK;
    }
    bool fits, is_known;
    enum nv_status status = nv_merge_digest_fits(merge, merge->row.values, merge->row.count, &fits, error);
    if (status != NV_OK)
        return status;
    if (fits)
        return nv_merge_added_since(merge, table, &merge->row, ret_changed, error);
    status = differing_from_old(merge, table, touched, &is_known, ret_changed, error);
    if (status != NV_OK || is_known)
        return status;
    return differing_from_log(merge, table, ret_changed, error);
}

/* A clock that is out of its mind: the protocol's range is all that can be said. */
static struct nv_wall_ms within_range(struct nv_wall_ms time)
{
    if (time.ms > NV_LIMIT_TIME_MS)
        time.ms = NV_LIMIT_TIME_MS;
    if (time.ms < -NV_LIMIT_TIME_MS)
        time.ms = -NV_LIMIT_TIME_MS;
    return time;
}

/* When the field got the value that it has: at the last change that it was not the same before. */
static struct nv_wall_ms captured_at(const struct nv_touched *touched, const struct nv_row *row, unsigned field,
                                     struct nv_wall_ms otherwise)
{
    struct nv_wall_ms at = otherwise;
    if (NV_PLANTED(SEAL_TIME))
        return at;
    for (const struct nv_change *change = touched->first; change != NULL; change = change->next) {
        const struct nv_value *after = &row->values[field];
        if (change->next != NULL && change->next->old != NULL && field < change->next->old_count)
            after = &change->next->old[field];
        if (change->old == NULL || field >= change->old_count || !nv_value_equal(&change->old[field], after))
            at = change->at;
    }
    return at;
}

/* ---- what the writer cannot have seen ---- */

struct unseen {
    struct nv_merge *merge;
    const struct nv_touched *touched;
    struct nv_op *op;
    size_t capacity;
};

static enum nv_status add_except(struct unseen *unseen, struct nv_dot dot, nv_fields fields, struct nv_error *error)
{
    const struct nv_log *log = nv_log_by_number(unseen->merge->store, dot.log);
    if (log == NULL)
        return NV_OK;
    struct nv_far_dot far = {log->id.site, log->id.epoch, dot.seq, dot.index};
    struct nv_op *op = unseen->op;
    for (size_t i = 0; i < op->except_count; i++) {
        const struct nv_far_dot *known = &op->excepts[i].dot;
        if (known->seq == far.seq && known->index == far.index && known->epoch == far.epoch &&
            nv_site_id_compare(known->site, far.site) == 0) {
            op->excepts[i].fields |= fields;
            return NV_OK;
        }
    }
    if (op->except_count == unseen->capacity) {
        size_t capacity = unseen->capacity == 0 ? 8 : unseen->capacity * 2;
        struct nv_except *excepts = nv_arena_alloc(&unseen->merge->arena, capacity * sizeof *excepts);
        if (excepts == NULL)
            return nv_no_memory(error);
        if (op->except_count > 0)
            memcpy(excepts, op->excepts, op->except_count * sizeof *excepts);
        op->excepts = excepts;
        unseen->capacity = capacity;
    }
    op->excepts[op->except_count++] = (struct nv_except){far, fields};
    return NV_OK;
}

/* Of an open conflict the row showed one value: its other values are not covered. */
static enum nv_status except_hidden_values(struct unseen *unseen, const struct nv_table *table, unsigned field,
                                           struct nv_error *error)
{
    struct nv_merge *merge = unseen->merge;
    const struct nv_record *record = &merge->version.record;
    struct nv_candidate *candidates;
    size_t count, place = 0;
    enum nv_status status = nv_gather(merge->store, record, field, &merge->arena, &candidates, &count, error);
    if (status != NV_OK)
        return status;
    size_t shown = nv_rule_choose(table->fields[field].rule, candidates, count, record->home);
    for (size_t i = 0; status == NV_OK && i < record->sibling_count; i++) {
        if ((record->siblings[i].fields >> field & 1) == 0)
            continue;
        if (!nv_value_equal(&candidates[place].value, &candidates[shown].value))
            status = add_except(unseen, record->siblings[i].dot, (nv_fields)1 << field, error);
        place++;
    }
    return status;
}

/* The value that a remote change replaced, as the row showed it. NV_NOT_FOUND: its body is gone. */
static enum nv_status value_before(struct nv_merge *merge, const struct nv_table *table, struct nv_dot old,
                                   unsigned field, struct nv_op *scratch, struct nv_value *ret_value,
                                   struct nv_error *error)
{
    if (old.log == 0)
        return nv_published_default(merge->store, table, field, &merge->arena, ret_value, error);
    enum nv_status status = nv_opened_op(merge->store, old, &merge->arena, scratch, NULL, error);
    if (status != NV_OK)
        return status;
    const struct nv_value *value = nv_op_value(scratch, field);
    if (value == NULL)
        return NV_NOT_FOUND;
    *ret_value = *value;
    return NV_OK;
}

/* Whether the field had that value after any of the changes: the last one may have come over a form that was saved. */
static bool was_written(const struct nv_touched *touched, const struct nv_row *row, unsigned field,
                        const struct nv_value *value)
{
    for (const struct nv_change *change = touched->first; change != NULL; change = change->next)
        if (change != touched->first && change->old != NULL && field < change->old_count &&
            nv_value_equal(&change->old[field], value))
            return true;
    return nv_value_equal(&row->values[field], value);
}

/* Whether what was written there is what a remote change replaced within the last hour; `ret_dot` had that value. */
static enum nv_status find_restored(const struct unseen *unseen, const struct nv_table *table, unsigned field,
                                    struct nv_dot *ret_dot, bool *ret_found, struct nv_error *error)
{
    struct nv_merge *merge = unseen->merge;
    const struct nv_version *version = &merge->version;
    struct nv_op *scratch = nv_arena_alloc(&merge->arena, sizeof *scratch);
    if (scratch == NULL)
        return nv_no_memory(error);
    *ret_found = false;
    for (size_t i = 0; i < version->replaced_count && !*ret_found; i++) {
        const struct nv_replaced *replaced = &version->replaced[i];
        if ((replaced->fields >> field & 1) == 0 || merge->now.ms - replaced->at.ms > NV_REPLACED_MS)
            continue;
        struct nv_value before;
        enum nv_status status = value_before(merge, table, replaced->old, field, scratch, &before, error);
        if (status == NV_NOT_FOUND)
            continue;
        if (status != NV_OK)
            return status;
        *ret_found = was_written(unseen->touched, &merge->row, field, &before);
        *ret_dot = replaced->old;
    }
    return NV_OK;
}

/* A form that was saved late writes back what a remote change replaced a moment ago: it saw neither that change nor
 * what came from other sites after it. */
static enum nv_status except_restored(struct unseen *unseen, const struct nv_table *table, unsigned field,
                                      struct nv_error *error)
{
    struct nv_merge *merge = unseen->merge;
    const struct nv_record *record = &merge->version.record;
    struct nv_dot restored = {0};
    bool found = false;
    enum nv_status status = find_restored(unseen, table, field, &restored, &found, error);
    if (status != NV_OK || !found)
        return status;
    for (size_t i = 0; status == NV_OK && i < record->sibling_count; i++) {
        const struct nv_sibling *sibling = &record->siblings[i];
        const struct nv_log *log = nv_log_by_number(merge->store, sibling->dot.log);
        bool is_own = log != NULL && nv_site_id_compare(log->id.site, merge->writer) == 0;
        if ((sibling->fields >> field & 1) && !is_own && nv_dot_compare(sibling->dot, restored) != 0)
            status = add_except(unseen, sibling->dot, (nv_fields)1 << field, error);
    }
    return status;
}

/* What a body says that is owed nobody here has seen, whatever record it is of. */
enum nv_status nv_except_owed(struct nv_merge *merge, nv_fields fields, struct nv_op *op, struct nv_error *error)
{
    struct unseen unseen = {.merge = merge, .op = op, .capacity = op->except_count};
    sqlite3_stmt *statement = nv_statement(merge->store, NV_SQL_OWED_DOTS, error);
    if (statement == NULL)
        return error->status;
    const struct nv_log *own = nv_log_by_number(merge->store, merge->log);
    sqlite3_bind_int64(statement, 1, NV_LIMIT_EXCEPTS - (int64_t)op->except_count);
    sqlite3_bind_blob(statement, 2, own->id.scope.bytes, sizeof own->id.scope.bytes, SQLITE_STATIC);
    bool row;
    enum nv_status status;
    while ((status = nv_db_step(statement, &row, error)) == NV_OK && row && fields != 0) {
        struct nv_dot dot = {(nv_log_number)sqlite3_column_int64(statement, 0),
                             (uint32_t)sqlite3_column_int64(statement, 2),
                             (uint64_t)sqlite3_column_int64(statement, 1)};
        status = add_except(&unseen, dot, fields, error);
        if (status != NV_OK)
            break;
    }
    sqlite3_reset(statement);
    return status;
}

static enum nv_status list_unseen(struct nv_merge *merge, const struct nv_table *table,
                                  const struct nv_touched *touched, nv_fields fields, nv_fields answered,
                                  struct nv_op *op, struct nv_error *error)
{
    struct unseen unseen = {.merge = merge, .touched = touched, .op = op};
    nv_fields contested = nv_record_contested(&merge->version.record);
    enum nv_status status = NV_OK;
    for (nv_fields rest = fields & ~answered; status == NV_OK && rest != 0; rest &= rest - 1) {
        unsigned field = (unsigned)__builtin_ctzll(rest);
        /* Of a quiet field nobody is asked, so nobody would ever answer: siblings that nothing covers would pile up. */
        if (table->fields[field].quiet)
            continue;
        if ((contested >> field & 1) && !NV_PLANTED(HIDDEN_COVERED))
            status = except_hidden_values(&unseen, table, field, error);
        if (status == NV_OK && op->kind == NV_OP_PUT && merge->version.replaced_count > 0 && !NV_PLANTED(STALE_FORM))
            status = except_restored(&unseen, table, field, error);
    }
    return status;
}

/* ---- the op ---- */

static void name_home(struct nv_merge *merge, struct nv_op *op)
{
    const struct nv_record *record = &merge->version.record;
    op->has_home = record->has_home && nv_site_id_compare(record->home, merge->writer) != 0;
    op->home = record->home;
}

/* An answer that leaves the value as it stands is a write all the same, of the moment when it was given. */
static struct nv_wall_ms written_at(const struct nv_touched *touched, const struct nv_row *row, unsigned field,
                                    struct nv_wall_ms otherwise)
{
    bool is_answered = touched->answered >> field & 1;
    if (is_answered || touched->answers_deletes)
        otherwise = touched->answered_at;
    struct nv_wall_ms at = captured_at(touched, row, field, otherwise);
    return is_answered && at.ms < touched->answered_at.ms ? touched->answered_at : at;
}

static void fill_values(const struct nv_touched *touched, const struct nv_row *row, nv_fields fields,
                        struct nv_wall_ms otherwise, struct nv_op *op)
{
    struct nv_wall_ms times[NV_LIMIT_FIELDS];
    op->fields = fields;
    op->value_count = 0;
    op->time.ms = INT64_MIN;
    for (nv_fields rest = fields; rest != 0; rest &= rest - 1) {
        unsigned field = (unsigned)__builtin_ctzll(rest);
        struct nv_wall_ms at = within_range(written_at(touched, row, field, otherwise));
        if (at.ms > op->time.ms)
            op->time = at;
        op->values[op->value_count] = row->values[field];
        times[op->value_count++] = at;
    }
    for (size_t i = 0; i < op->value_count; i++)
        op->ages[i] = (uint64_t)(op->time.ms - times[i].ms);
}

static enum nv_status put_op(struct nv_merge *merge, struct nv_table_access *access, const struct nv_touched *touched,
                             struct nv_op *op, bool *ret_any, struct nv_error *error)
{
    nv_fields fields;
    bool is_create = !merge->version.has_row;
    enum nv_status status = nv_local_fields(merge, access->table, touched, &fields, error);
    if (status != NV_OK)
        return status;
    fields |= touched->answered & nv_all_fields(access->table);
    if (touched->answers_deletes)
        fields = nv_all_fields(access->table);
    *ret_any = fields != 0;
    if (!*ret_any)
        return NV_OK;
    op->kind = NV_OP_PUT;
    fill_values(touched, &merge->row, fields, merge->now, op);
    name_home(merge, op);
    /* The row was not there: a create answers what it could not show, as far as the writer's context goes. */
    if (!is_create)
        status = list_unseen(merge, access->table, touched, fields, touched->answered, op, error);
    return status == NV_OK ? nv_except_owed(merge, fields, op, error) : status;
}

/* Lists the row as missing, or strikes it off where it turns out that somebody deleted it. */
static enum nv_status note_missing(struct nv_merge *merge, uint32_t table, struct nv_slice key, bool is_missing,
                                   struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(merge->store, is_missing ? NV_SQL_MISSING_ADD : NV_SQL_MISSING_DROP, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, table);
    nv_db_bind_slice(statement, 2, key);
    if (is_missing)
        sqlite3_bind_int64(statement, 3, merge->now.ms);
    return nv_db_run(statement, error);
}

static enum nv_status delete_op(struct nv_merge *merge, struct nv_table_access *access,
                                const struct nv_touched *touched, struct nv_op *op, bool *ret_any,
                                struct nv_error *error)
{
    *ret_any = false;
    if (!merge->version.has_row)
        return NV_OK; /* never sealed, or hidden already */
    if ((touched->last == NULL || touched->last->what != 'D') && !NV_PLANTED(MISSING_AS_DELETED))
        return note_missing(merge, touched->table, touched->key, true, error);
    enum nv_status status = note_missing(merge, touched->table, touched->key, false, error);
    if (status != NV_OK)
        return status;
    *ret_any = true;
    op->kind = NV_OP_DELETE;
    op->fields = 0;
    op->value_count = 0;
    op->has_home = false;
    bool is_only_missing = NV_PLANTED(MISSING_AS_DELETED) && touched->last == NULL;
    op->time = is_only_missing ? merge->now : within_range(touched->last->at);
    nv_fields answered = touched->answers_deletes ? UINT64_MAX : 0;
    nv_fields all = nv_all_fields(access->table);
    status = list_unseen(merge, access->table, touched, all, answered, op, error);
    return status == NV_OK ? nv_except_owed(merge, all, op, error) : status;
}

enum nv_status nv_local_op(struct nv_merge *merge, struct nv_table_access *access, const struct nv_touched *touched,
                           struct nv_op *op, bool *ret_any, struct nv_error *error)
{
    op->table = touched->table;
    op->key = touched->key;
    op->except_count = op->name_count = 0;
    op->control = (struct nv_slice){0};
    return merge->row.there ? put_op(merge, access, touched, op, ret_any, error)
                            : delete_op(merge, access, touched, op, ret_any, error);
}
