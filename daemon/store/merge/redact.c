#include "store/merge/redact.h"

#include <stdlib.h>

#include "base/planted.h"
#include "store/capture/pending.h"
#include "store/log/bodies.h"
#include "store/merge/derive.h"
#include "store/statements.h"

enum nv_status nv_redact_named(struct nv_store *store, nv_log_number log, const struct nv_header *header,
                               bool *ret_named, bool *ret_any, struct nv_error *error)
{
    memset(ret_named, 0, header->op_count * sizeof *ret_named);
    *ret_any = false;
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_REDACTIONS_OF, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, log);
    sqlite3_bind_int64(statement, 2, (int64_t)header->seq);
    bool row;
    enum nv_status status;
    while ((status = nv_db_step(statement, &row, error)) == NV_OK && row) {
        int64_t place = sqlite3_column_int64(statement, 0);
        if (place < 0 || place >= header->op_count || nv_is_control_place(header, (size_t)place))
            continue;
        ret_named[place] = true;
        *ret_any = true;
    }
    return status;
}

static enum nv_status note(struct nv_store *store, const struct nv_log *log, const struct nv_far_dot *name,
                           struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_REDACTION_ADD, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, log->number);
    sqlite3_bind_int64(statement, 2, (int64_t)name->seq);
    sqlite3_bind_int64(statement, 3, name->index);
    return nv_db_run(statement, error);
}

static enum nv_status owe_no_more(struct nv_store *store, int64_t changeset, uint32_t place, struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_OWED_DROP, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, changeset);
    sqlite3_bind_int64(statement, 2, place);
    return nv_db_run(statement, error);
}

/* Marks one body as to be dropped, and notes the record that it changed. */
static enum nv_status name_one(struct nv_merge *merge, const struct nv_opened *opened, uint32_t place, bool *named,
                               struct nv_touched_set *records, struct nv_error *error)
{
    struct nv_op *op = nv_arena_alloc(&merge->arena, sizeof *op);
    bool has_record;
    if (op == NULL)
        return nv_no_memory(error);
    named[place] = opened->body.entries[place].is_keyless; /* what is in boxes is of records; of which, is not known */
    if (named[place])
        return NV_OK;
    /* Control ops are never redacted; what cannot be read changed nothing. */
    enum nv_status status = nv_opened_record(opened, place, &merge->arena, op, &has_record, error);
    if (status != NV_OK || !has_record)
        return status;
    named[place] = true;
    return nv_touched_get(records, op->table, op->key, true) == NULL ? nv_no_memory(error) : NV_OK;
}

static int order_names(const void *a, const void *b)
{
    const struct nv_far_dot *x = a, *y = b;
    if (x->epoch != y->epoch)
        return x->epoch < y->epoch ? -1 : 1;
    return (x->seq > y->seq) - (x->seq < y->seq);
}

/* Drops the bodies that are named of one changeset: `names` are all of that log and seq. */
static enum nv_status drop_of_changeset(struct nv_merge *merge, const struct nv_log *log,
                                        const struct nv_far_dot *names, size_t count, struct nv_touched_set *records,
                                        struct nv_error *error)
{
    struct nv_store *store = merge->store;
    const struct nv_opened *opened;
    enum nv_status status = nv_opened_at(store, log->number, names[0].seq, &opened, error);
    if (status != NV_OK)
        return status;
    int64_t changeset = opened->changeset;
    bool *named = calloc(opened->body.count + 1, sizeof *named);
    if (named == NULL)
        return nv_no_memory(error);
    for (size_t i = 0; status == NV_OK && i < count; i++) {
        if (names[i].index >= opened->body.count || nv_is_control_place(&opened->header, names[i].index))
            continue; /* void: whoever lacks the body knows that as well */
        status = note(store, log, &names[i], error);
        if (status == NV_OK)
            status = owe_no_more(store, changeset, names[i].index, error);
        if (status == NV_OK)
            status = name_one(merge, opened, names[i].index, named, records, error);
    }
    bool any = memchr(named, true, opened->body.count) != NULL;
    if (status == NV_OK && any)
        status = nv_bodies_redact(store, changeset, named, error);
    free(named);
    return status;
}

enum nv_status nv_redact_take(struct nv_merge *merge, const struct nv_op *op, struct nv_error *error)
{
    struct nv_touched_set records = {0};
    const struct nv_log *own = nv_log_by_number(merge->store, merge->log);
    struct nv_cover cover = {.dot = {merge->log, 0, merge->seq}, .vector = merge->context};
    enum nv_status status = NV_OK;
    size_t count = 0; /* a site lets go of its own ops alone, and of what it has sealed before */
    for (size_t i = 0; i < op->name_count; i++)
        if (nv_site_id_compare(op->names[i].site, merge->writer) == 0)
            op->names[count++] = op->names[i];
    if (count > 1)
        qsort(op->names, count, sizeof *op->names, order_names);
    for (size_t first = 0, after; status == NV_OK && first < count; first = after) {
        const struct nv_far_dot *name = &op->names[first];
        for (after = first + 1; after < count && order_names(name, &op->names[after]) == 0;)
            after++;
        struct nv_log_id id = {merge->writer, name->epoch, own->id.scope};
        const struct nv_log *log = nv_log_find(merge->store, &id);
        if (log != NULL && nv_cover_includes(&cover, (struct nv_dot){log->number, 0, name->seq}))
            status = drop_of_changeset(merge, log, name, after - first, &records, error);
    }
    for (size_t i = 0; status == NV_OK && i < records.count && !NV_PLANTED(REDACTION_NOT_DERIVED); i++)
        status = nv_derive_again(merge, records.records[i]->table, records.records[i]->key, NULL, error);
    nv_touched_done(&records);
    return status;
}
