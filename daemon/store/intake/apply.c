#include "store/intake/apply.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/planted.h"
#include "store/ingest.h"
#include "store/intake/keyless.h"
#include "store/intake/owed.h"
#include "store/merge/redact.h"
#include "store/scopes/reads.h"
#include "store/statements.h"
#include "store/trust/grants.h"
#include "store/trust/unbox.h"

/* Bodies that are not there are owed until a redaction names them. */
static enum nv_status note_owed(struct nv_store *store, const struct nv_opened *opened, uint32_t place,
                                struct nv_error *error)
{
    return nv_owed_note(store, nv_opened_number(store, opened), place, error);
}

static enum nv_status table_is_ready(struct nv_store *store, uint32_t number, struct nv_error *error)
{
    const struct nv_table_access *access = nv_access(store, number);
    if (access != NULL && access->table->missing)
        return nv_fail(error, NV_NOT_YET, "table %s is not in the database", access->table->name);
    return NV_OK;
}

/* What it names is derived anew together with the row, so the row's table has to be there. */
static enum nv_status redact_is_ready(struct nv_store *store, const struct nv_header *header,
                                      const struct nv_op *redact, struct nv_error *error)
{
    struct nv_arena arena = {.limit = NV_LIMIT_BODY_BYTES};
    enum nv_status status = NV_OK;
    for (size_t i = 0; status == NV_OK && i < redact->name_count; i++) {
        const struct nv_far_dot *name = &redact->names[i];
        struct nv_log_id id = {name->site, name->epoch, header->log.scope};
        const struct nv_log *log = nv_log_find(store, &id);
        const struct nv_opened *opened;
        struct nv_op op;
        if (nv_site_id_compare(name->site, header->log.site) != 0 || log == NULL || name->seq > log->has_seq)
            continue; /* void */
        nv_arena_reset(&arena);
        status = nv_opened_at(store, log->number, name->seq, &opened, error);
        if (status == NV_OK && name->index < opened->body.count && !opened->body.entries[name->index].is_redacted &&
            nv_op_decode(opened->body.entries[name->index].op, &arena, &op, NULL) == NV_OK)
            status = table_is_ready(store, op.table, error);
    }
    nv_arena_done(&arena);
    return status;
}

static enum nv_status op_is_ready(struct nv_store *store, const struct nv_header *header, const struct nv_op *op,
                                  struct nv_error *error)
{
    if (op->kind == NV_OP_PUT || op->kind == NV_OP_DELETE)
        return table_is_ready(store, op->table, error);
    return op->kind == NV_OP_REDACT ? redact_is_ready(store, header, op, error) : NV_OK;
}

enum nv_status nv_apply_ready(struct nv_store *store, const struct nv_opened *opened, struct nv_error *error)
{
    struct nv_arena arena = {.limit = NV_LIMIT_BODY_BYTES};
    enum nv_status status = NV_OK;
    if (nv_opened_is_keyless(opened) && !nv_keyless_are_passed(store, opened->header.log.scope))
        return nv_fail(error, NV_NOT_YET, "a content key is lacking");
    for (size_t i = 0; status == NV_OK && i < opened->body.count; i++) {
        struct nv_op op;
        if (opened->body.entries[i].is_redacted)
            continue;
        nv_arena_reset(&arena);
        status = nv_op_decode(opened->body.entries[i].op, &arena, &op, error);
        if (status == NV_REFUSED)
            status = NV_OK; /* a no-op everywhere */
        else if (status == NV_OK)
            status = op_is_ready(store, &opened->header, &op, error);
    }
    nv_arena_done(&arena);
    return status;
}

enum nv_status nv_record_hashes(const struct nv_opened *opened, uint32_t *record_hashes, struct nv_error *error)
{
    struct nv_arena arena = {.limit = NV_LIMIT_BODY_BYTES};
    enum nv_status status = NV_OK;
    for (size_t i = 0; status == NV_OK && i < opened->body.count; i++) {
        struct nv_op op;
        bool has_record;
        nv_arena_reset(&arena);
        status = nv_opened_record(opened, (uint32_t)i, &arena, &op, &has_record, error);
        record_hashes[i] = status == NV_OK && has_record ? nv_record_hash(op.table, op.key) : 0;
    }
    nv_arena_done(&arena);
    return status;
}

bool nv_op_is_void(const struct nv_op *op, struct nv_scope_id scope)
{
    if (op->kind == NV_OP_PUT || op->kind == NV_OP_DELETE)
        return false; /* out of its box, where there are boxes */
    return op->kind == NV_OP_SEALED || !nv_op_belongs(op->kind, scope);
}

enum nv_status nv_note_void(struct nv_merge *merge, struct nv_error *error)
{
    return nv_store_note_refusal(merge->store, NV_REASON_MALFORMED, &merge->writer,
                                 "an op that it signed is against the protocol: it is a no-op at every site",
                                 merge->now, error);
}

enum nv_status nv_record_hashes_write(struct nv_store *store, const struct nv_opened *opened, struct nv_error *error)
{
    uint32_t *hashes = calloc(opened->body.count + 1, sizeof *hashes);
    if (hashes == NULL)
        return nv_no_memory(error);
    enum nv_status status = nv_record_hashes(opened, hashes, error);
    sqlite3_stmt *statement = status == NV_OK ? nv_statement(store, NV_SQL_CHANGESET_FOUND_BY, error) : NULL;
    if (status == NV_OK && statement == NULL)
        status = error->status;
    if (status == NV_OK) {
        sqlite3_bind_int64(statement, 1, opened->changeset);
        sqlite3_bind_blob(statement, 2, hashes, (int)(opened->body.count * sizeof *hashes), SQLITE_STATIC);
        status = nv_db_run(statement, error);
    }
    free(hashes);
    return status;
}

/* One op; `is_named` by a redaction that was applied before it came. */
static enum nv_status apply_op(struct nv_merge *merge, const struct nv_opened *opened, uint32_t place, bool is_named,
                               uint32_t *ret_record_hash, struct nv_error *error)
{
    const struct nv_entry *entry = &opened->body.entries[place];
    nv_arena_reset(&merge->arena);
    struct nv_op *op = nv_arena_alloc(&merge->arena, sizeof *op);
    *ret_record_hash = 0;
    if (op == NULL)
        return nv_no_memory(error);
    if (is_named)
        return NV_OK;
    if (entry->is_redacted)
        return NV_PLANTED(ADMIT_MISSING_BODY) ? NV_OK : note_owed(merge->store, opened, place, error);
    if (entry->is_keyless)
        return nv_keyless_note(merge->store, opened, place, error);
    enum nv_status status = nv_op_decode(entry->op, &merge->arena, op, error);
    if (status == NV_REFUSED || (status == NV_OK && nv_op_is_void(op, opened->header.log.scope)))
        return nv_note_void(merge, error);
    if (status != NV_OK)
        return status;
    if (op->kind != NV_OP_PUT && op->kind != NV_OP_DELETE)
        return NV_OK; /* nv_apply_redactions; grants and asks change no record */
    *ret_record_hash = nv_record_hash(op->table, op->key);
    return nv_merge_op(merge, place, op, error);
}

enum nv_status nv_apply_changeset(struct nv_merge *merge, struct nv_log *log, const struct nv_opened *opened,
                                  const struct nv_vector *context, uint32_t *record_hashes, struct nv_error *error)
{
    size_t count = opened->body.count;
    bool *named = calloc(count + 1, sizeof *named), any_named;
    if (named == NULL)
        return nv_no_memory(error);
    merge->log = log->number;
    merge->seq = opened->header.seq;
    merge->writer = log->id.site;
    merge->authority_seq = opened->header.authority_seq;
    merge->context = context;
    enum nv_status status = nv_redact_named(merge->store, log->number, &opened->header, named, &any_named, error);
    if (status == NV_OK)
        status = nv_opened_set_current(merge->store, opened, error);
    for (uint32_t i = 0; status == NV_OK && i < count; i++) {
        uint32_t ignored;
        status = apply_op(merge, opened, i, named[i], record_hashes == NULL ? &ignored : &record_hashes[i], error);
    }
    nv_opened_forget_current(merge->store);
    free(named);
    return status;
}

enum nv_status nv_apply_redactions(struct nv_merge *merge, const struct nv_opened *opened,
                                   const struct nv_vector *context, struct nv_error *error)
{
    enum nv_status status = NV_OK;
    merge->context = context;
    for (size_t i = 0; status == NV_OK && i < opened->body.count; i++) {
        nv_arena_reset(&merge->arena);
        struct nv_op *op = nv_arena_alloc(&merge->arena, sizeof *op);
        if (op == NULL)
            return nv_no_memory(error);
        if (opened->body.entries[i].is_redacted)
            continue;
        status = nv_op_decode(opened->body.entries[i].op, &merge->arena, op, error);
        if (status == NV_OK && op->kind == NV_OP_REDACT)
            status = nv_redact_take(merge, op, error);
        else if (status == NV_REFUSED)
            status = NV_OK; /* a no-op everywhere; of newer software there is none in what was applied */
    }
    return status;
}

/* What waited for a content key was not readable when it came. What waited for newer software may have grants in it;
 * what was wrong with those that could be read is listed already. */
static enum nv_status look_again(struct nv_merge *merge, const struct nv_opened *opened,
                                 const struct nv_vector *context, struct nv_error *error)
{
    static const bool seen[NV_LIMIT_CHANGESET_OPS];
    const struct nv_granting granting = {opened->log, opened->header.seq, opened->changeset,
                                         context,     &opened->body,      seen};
    if (!nv_scope_is_sealed(opened->header.log.scope))
        return NV_OK;
    enum nv_status status = nv_record_hashes_write(merge->store, opened, error);
    return status == NV_OK ? nv_grants_note(merge->store, &granting, merge->now, error) : status;
}

/* Merges the changeset whose turn it is in its log, and that builds on what was merged. */
static enum nv_status apply_opened(struct nv_merge *merge, struct nv_log *log, const struct nv_opened *opened,
                                   const struct nv_vector *context, bool *ret_applied, struct nv_error *error)
{
    enum nv_status status = nv_apply_ready(merge->store, opened, error);
    *ret_applied = status == NV_OK || (status == NV_NOT_YET && NV_PLANTED(DROP_WAITING));
    if (status == NV_OK)
        status = nv_apply_changeset(merge, log, opened, context, NULL, error);
    else if (status == NV_NOT_YET)
        status = nv_opened_is_keyless(opened) ? nv_keyless_wait(merge->store, log, opened, error) : NV_OK;
    if (status == NV_OK && *ret_applied && (merge->stale == NULL || merge->stale->count == 0)) {
        log->applied_seq = opened->header.seq;
        log->applied_hash = opened->hash;
        log->is_dirty = true;
        status = look_again(merge, opened, context, error);
        if (status == NV_OK)
            status = nv_apply_redactions(merge, opened, context, error);
    }
    return status;
}

/* Opened is only what builds on what was merged: however much waits, it costs no more than its headers. */
static enum nv_status apply_covered(struct nv_merge *merge, struct nv_log *log, int64_t changeset,
                                    const struct nv_vector *context, bool *ret_applied, struct nv_error *error)
{
    struct nv_vector applied = {0};
    struct nv_opened opened;
    enum nv_status status = NV_OK;
    if (nv_logs_applied(merge->store, log->id.scope, &applied) != NV_OK)
        status = nv_no_memory(error);
    bool is_covered = status == NV_OK && nv_vector_covers(&applied, context);
    nv_vector_done(&applied);
    if (!is_covered)
        return status;
    status = nv_opened_read(merge->store, changeset, &opened, error);
    if (status != NV_OK)
        return status;
    status = apply_opened(merge, log, &opened, context, ret_applied, error);
    nv_arena_done(&opened.arena);
    return status;
}

static enum nv_status apply_next(struct nv_merge *merge, struct nv_log *log, bool *ret_applied, struct nv_error *error)
{
    const struct nv_vector *cached;
    struct nv_vector context = {0};
    int64_t changeset;
    *ret_applied = false;
    enum nv_status status = nv_changeset_at(merge->store, log->number, log->applied_seq + 1, &changeset, NULL, error);
    if (status == NV_OK)
        status = nv_context_of(merge->store, changeset, &cached, error);
    if (status == NV_OK && nv_vector_copy(&context, cached) != NV_OK)
        status = nv_no_memory(error);
    if (status == NV_OK)
        status = apply_covered(merge, log, changeset, &context, ret_applied, error);
    nv_vector_done(&context);
    return status;
}

enum nv_status nv_apply_lagging(struct nv_merge *merge, struct nv_mono_us end, bool *ret_more, struct nv_error *error)
{
    bool any = true;
    *ret_more = false;
    while (any && !*ret_more && (merge->stale == NULL || merge->stale->count == 0)) {
        any = false;
        for (size_t i = 1; !*ret_more && i <= nv_log_count(merge->store); i++) {
            struct nv_log *log = nv_log_by_number(merge->store, (nv_log_number)i);
            bool applied = false;
            if (log->lacks_key || log->applied_seq >= log->has_seq || !nv_scope_is_read(merge->store, log->id.scope))
                continue;
            enum nv_status status = apply_next(merge, log, &applied, error);
            if (status != NV_OK)
                return status;
            any = any || applied;
            *ret_more = applied && nv_mono_now().us >= end.us;
        }
    }
    return NV_OK;
}
