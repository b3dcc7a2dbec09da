#include "store/ingest.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/planted.h"
#include "store/capture/scan.h"
#include "store/capture/sealing.h"
#include "store/intake/admit.h"
#include "store/intake/apply.h"
#include "store/intake/counted.h"
#include "store/intake/keyless.h"
#include "store/intake/owed.h"
#include "store/intake/taken.h"
#include "store/log/beyond.h"
#include "store/scopes/leaving.h"
#include "store/scopes/reads.h"
#include "store/statements.h"
#include "store/trust/unbox.h"
#include "store/trust/vouch.h"

enum {
    SEAL_ALL_BELOW = 4000, /* so few pending rows are sealed whole; of more, just those of the records at hand */
    TRIES = 4,             /* a try ends early where rows turn out to have been written without triggers */
};

const char *nv_reason_name(enum nv_reason reason)
{
    switch (reason) {
    case NV_REASON_NONE:
        return "none";
    case NV_REASON_MALFORMED:
        return "malformed";
    case NV_REASON_SIGNATURE:
        return "signature";
    case NV_REASON_CHAIN:
        return "chain";
    case NV_REASON_FORK:
        return "fork";
    case NV_REASON_BODY:
        return "body";
    case NV_REASON_MEMBER:
        return "member";
    case NV_REASON_AUTHORITY:
        return "authority";
    case NV_REASON_MESSAGE:
        return "message";
    case NV_REASON_NETWORK:
        return "network";
    }
    return "unknown";
}

/* ---- what must be sealed first ---- */

/* The records that the changeset is about to change, into the set. */
static enum nv_status list_records(const struct nv_opened *opened, struct nv_touched_set *set, struct nv_error *error)
{
    struct nv_arena arena = {.limit = NV_LIMIT_BODY_BYTES};
    enum nv_status status = NV_OK;
    for (size_t i = 0; status == NV_OK && i < opened->body.count; i++) {
        struct nv_op op;
        bool has_record;
        nv_arena_reset(&arena);
        status = nv_opened_record(opened, (uint32_t)i, &arena, &op, &has_record, error);
        if (status == NV_OK && has_record && nv_touched_get(set, op.table, op.key, true) == NULL)
            status = nv_no_memory(error);
    }
    nv_arena_done(&arena);
    return status;
}

/* Seals what is pending on the records of the set, and the stale ones among them. */
static enum nv_status seal_known(struct nv_store *store, struct nv_touched_set *set, struct nv_wall_ms now,
                                 struct nv_error *error)
{
    struct nv_sealed sealed = {0};
    bool more;
    enum nv_status status = nv_seal_ready(store, error);
    if (status == NV_NOT_YET)
        return NV_OK; /* an observer without a key: nothing of its own to lose */
    if (status == NV_OK)
        status = nv_intents_take(store, set, error);
    for (size_t i = 0; status == NV_OK && i < store->table_count; i++)
        if (!store->tables[i]->missing)
            status = nv_pending_take(store, &store->access[i], set, true, 0, 0, &more, error);
    if (status == NV_OK)
        status = nv_seal_records(store, set, now, &sealed, error);
    return status;
}

static enum nv_status seal_everything(struct nv_store *store, struct nv_wall_ms now, struct nv_error *error)
{
    struct nv_sealed sealed = {0};
    enum nv_status status = nv_seal_ready(store, error);
    if (status == NV_NOT_YET)
        return NV_OK;
    do {
        if (status == NV_OK)
            status = nv_seal_slice(store, now, &sealed, error);
    } while (status == NV_OK && sealed.more);
    return status;
}

/* ---- one changeset ---- */

struct intake {
    struct nv_store *store;
    struct nv_merge merge;
    struct nv_stale stale;
    struct nv_vector applied; /* scratch */
    uint32_t *record_hashes;
    size_t joined;    /* changesets that were held beyond their logs, and count */
    bool has_more;    /* what is held and could be merged now is more than there was time for */
    bool has_backlog; /* many pending rows: seal by record */
    struct nv_wall_ms now;
};

/* Whether this software knows every op of the changeset, which is taken up whole or not at all: NV_OK, NV_NOT_YET. */
static enum nv_status judge_understood(const struct nv_arrival *arrival, struct nv_error *error)
{
    struct nv_arena arena = {.limit = NV_LIMIT_BODY_BYTES};
    enum nv_status status = NV_OK;
    for (size_t i = 0; status == NV_OK && i < arrival->opened.body.count; i++) {
        struct nv_op op;
        nv_arena_reset(&arena);
        status = nv_op_decode(arrival->opened.body.entries[i].op, &arena, &op, error);
        if (status == NV_REFUSED)
            status = NV_OK; /* a no-op at every site */
    }
    nv_arena_done(&arena);
    return status;
}

static const struct nv_table *missing_table(const struct nv_store *store)
{
    for (size_t i = 0; i < store->table_count; i++)
        if (store->tables[i]->missing)
            return store->tables[i];
    return NULL;
}

/* Where something that was merged is cut off, its records are derived anew: that waits for a table that is missing. */
static enum nv_status judge_tables(const struct nv_store *store, const struct nv_arrival *arrival,
                                   struct nv_error *error)
{
    const struct nv_table *missing = missing_table(store);
    enum nv_status status = NV_OK;
    for (size_t i = 0; missing != NULL && status == NV_OK && i < arrival->opened.body.count; i++) {
        bool may;
        status = nv_may_uncount(store, arrival->opened.body.entries[i].op, &may, error);
        if (status == NV_OK && may)
            status = nv_fail(error, NV_NOT_YET, "table %s is not in the database", missing->name);
    }
    return status;
}

/* This site vouches for what it merged before any op of the changeset is taken up. */
static enum nv_status vouch(struct intake *intake, const struct nv_arrival *arrival, struct nv_error *error)
{
    enum nv_status status = NV_OK;
    for (size_t i = 0; status == NV_OK && i < arrival->opened.body.count; i++)
        status = nv_vouch_before(intake->store, arrival->opened.body.entries[i].op, intake->now, error);
    return status;
}

/* Takes up the ops of the authority log's next changeset, or none of them: NV_NOT_YET. */
static enum nv_status take_ops(struct intake *intake, const struct nv_arrival *arrival, struct nv_error *error)
{
    struct nv_error why;
    enum nv_status status = judge_understood(arrival, &why);
    if (status == NV_OK)
        status = judge_tables(intake->store, arrival, &why);
    if (status == NV_OK && !NV_PLANTED(VOUCH_AFTER))
        status = vouch(intake, arrival, &why);
    for (size_t i = 0; status == NV_OK && i < arrival->opened.body.count; i++) {
        status = nv_authority_take(intake->store, arrival->opened.header.seq, arrival->opened.body.entries[i].op, &why);
        if (status == NV_REFUSED)
            status = NV_OK; /* against the rules: a no-op at every site */
    }
    return status == NV_OK ? NV_OK : nv_fail(error, status, "%s", why.text);
}

static enum nv_status take_authority(struct intake *intake, struct nv_incoming *incoming, struct nv_arrival *arrival,
                                     struct nv_error *error)
{
    enum nv_status status = take_ops(intake, arrival, error);
    if (status == NV_NOT_YET) {
        incoming->verdict = NV_VERDICT_WAITS;
        snprintf(incoming->text, sizeof incoming->text, "%.190s", error->text);
        return NV_OK;
    }
    if (status == NV_OK)
        status = nv_taken_append(&intake->merge, arrival, true, NULL, error);
    if (status == NV_OK)
        status = nv_counted_cut(&intake->merge, arrival->opened.header.seq, error);
    if (status == NV_OK)
        status = nv_scopes_follow(intake->store, error);
    if (status == NV_OK && NV_PLANTED(VOUCH_AFTER) && nv_seal_ready(intake->store, NULL) == NV_OK)
        status = vouch(intake, arrival, error);
    return status;
}

/* Held beyond its log. Where it would count by itself, or is what an op names, others may count now. */
static enum nv_status hold_beyond(struct intake *intake, struct nv_incoming *incoming, struct nv_arrival *arrival,
                                  struct nv_error *error)
{
    struct nv_store *store = intake->store;
    const struct nv_header *header = &arrival->opened.header;
    struct nv_pin pin = nv_pin_of(&arrival->opened.hash);
    struct nv_log *log = arrival->log;
    bool kept, is_awaited = header->seq <= nv_named_seq(store, &log->id) || header->seq <= log->beyond.awaited_seq;
    enum nv_status status = nv_beyond_keep(store, log, header, &arrival->opened.hash, &arrival->parts,
                                           &arrival->context, is_awaited || !arrival->is_cut, &kept, error);
    if (status != NV_OK)
        return status;
    if (!kept) {
        incoming->verdict = NV_VERDICT_WAITS;
        return NV_OK;
    }
    store->owes_join = store->owes_join || !arrival->is_cut || nv_is_named(store, &log->id, header->seq, &pin);
    return nv_is_own_log(store, &log->id) ? nv_leave_epoch(store, error) : NV_OK;
}

/* What is pending on the records that the changeset changes comes first. */
static enum nv_status seal_at_hand(struct intake *intake, const struct nv_arrival *arrival, struct nv_error *error)
{
    if (!intake->has_backlog)
        return NV_OK; /* all of it was sealed */
    struct nv_touched_set set = {0};
    enum nv_status status = list_records(&arrival->opened, &set, error);
    if (status == NV_OK)
        status = seal_known(intake->store, &set, intake->now, error);
    nv_touched_done(&set);
    return status;
}

/* A copy of what we hold with bodies missing. One that has what cannot be merged here leaves them owed. */
static enum nv_status take_owed(struct intake *intake, struct nv_incoming *incoming, struct nv_arrival *arrival,
                                struct nv_error *error)
{
    struct nv_error why;
    enum nv_status status = seal_at_hand(intake, arrival, error);
    if (status != NV_OK)
        return status;
    /* What was not merged yet is none the worse for it; what is leaving stays as it is. */
    bool is_merged = arrival->opened.header.seq <= arrival->log->applied_seq;
    if (is_merged)
        status = nv_scope_is_read(intake->store, arrival->log->id.scope)
                     ? nv_apply_ready(intake->store, &arrival->opened, &why)
                     : NV_NOT_YET;
    if (status == NV_OK)
        return nv_owed_take(&intake->merge, arrival, error);
    incoming->verdict = NV_VERDICT_KNOWN;
    return status == NV_NOT_YET ? NV_OK : nv_fail(error, status, "%s", why.text);
}

static enum nv_status take_data(struct intake *intake, struct nv_arrival *arrival, struct nv_error *error)
{
    struct nv_store *store = intake->store;
    struct nv_error why;
    if (!nv_scope_is_read(store, arrival->log->id.scope))
        return nv_taken_append(&intake->merge, arrival, false, NULL, error); /* kept and passed on */
    enum nv_status status = seal_at_hand(intake, arrival, error);
    if (status != NV_OK)
        return status;
    if (nv_logs_applied(store, arrival->log->id.scope, &intake->applied) != NV_OK)
        return nv_no_memory(error);
    bool is_next = arrival->log->applied_seq + 1 == arrival->opened.header.seq;
    bool is_covered = nv_vector_covers(&intake->applied, &arrival->context) || NV_PLANTED(IGNORE_CONTEXT);
    status = is_next && is_covered ? nv_apply_ready(store, &arrival->opened, &why) : NV_NOT_YET;
    if (status == NV_NOT_YET && is_next && is_covered && nv_opened_is_keyless(&arrival->opened) &&
        nv_keyless_wait(store, arrival->log, &arrival->opened, error) != NV_OK)
        return error->status;
    if (status == NV_NOT_YET) {
        status = nv_record_hashes(&arrival->opened, intake->record_hashes, error);
        return status == NV_OK ? nv_taken_append(&intake->merge, arrival, false, intake->record_hashes, error) : status;
    }
    if (status != NV_OK)
        return nv_fail(error, status, "%s", why.text);
    status = nv_apply_changeset(&intake->merge, arrival->log, &arrival->opened, &arrival->context,
                                intake->record_hashes, error);
    if (status != NV_OK || intake->stale.count > 0)
        return status;
    return nv_taken_append(&intake->merge, arrival, true, intake->record_hashes, error);
}

static enum nv_status take(struct intake *intake, struct nv_incoming *incoming, struct nv_error *error)
{
    struct nv_arrival arrival;
    enum nv_status status = nv_admit(intake->store, incoming, intake->now, &arrival, error);
    if (status == NV_OK && incoming->verdict == NV_VERDICT_TAKEN) {
        bool is_held = arrival.opened.changeset != 0;
        if (arrival.log == NULL)
            status = nv_log_intern(intake->store, &arrival.opened.header.log, &arrival.log, error);
        if (status == NV_OK)
            arrival.opened.log = arrival.log->number;
        if (status == NV_OK && is_held)
            status = take_owed(intake, incoming, &arrival, error);
        else if (status == NV_OK && nv_scope_id_equal(arrival.log->id.scope, NV_SCOPE_AUTHORITY))
            status = take_authority(intake, incoming, &arrival, error);
        else if (status == NV_OK && arrival.is_beyond)
            status = hold_beyond(intake, incoming, &arrival, error);
        else if (status == NV_OK)
            status = take_data(intake, &arrival, error);
    }
    nv_arrival_done(&arrival);
    return status;
}

/* Ops that were merged around, and whose content key has come since: some of them. */
static enum nv_status take_keyless(struct intake *intake, struct nv_error *error)
{
    struct nv_touched_set records = {0};
    struct nv_keyless keyless;
    bool any;
    enum nv_status status = nv_keyless_next(intake->store, &keyless, &any, error);
    if (status == NV_OK && any)
        status = nv_keyless_list(intake->store, &keyless, &records, error);
    if (status == NV_NOT_YET) {
        status = NV_OK;
        any = false;
    }
    if (status == NV_OK && any && intake->has_backlog)
        status = seal_known(intake->store, &records, intake->now, error);
    if (status == NV_OK && any)
        status = nv_keyless_take(&intake->merge, &keyless, &records, error);
    nv_touched_done(&records);
    intake->has_more = intake->has_more || any;
    return status;
}

/* ---- all of them ---- */

static enum nv_status prepare(struct intake *intake, struct nv_touched_set *stale, struct nv_error *error)
{
    struct nv_store *store = intake->store;
    struct nv_sealed sealed = {0};
    uint64_t pending;
    bool any = false;
    enum nv_status status = nv_guard(store, error);
    if (status == NV_OK)
        status = nv_scan_check(store, intake->now, &sealed, error);
    if (status == NV_NOT_YET)
        status = NV_OK;
    if (status == NV_OK)
        status = nv_store_pending(store, &pending, error);
    if (status == NV_OK)
        status = nv_seal_is_due(store, &any, error);
    if (status != NV_OK)
        return status;
    intake->has_backlog = pending > SEAL_ALL_BELOW;
    /* An answer to a conflict too: it is about the values that were listed. */
    if (!intake->has_backlog && any && !NV_PLANTED(APPLY_OVER_UNSEALED))
        status = seal_everything(store, intake->now, error);
    if (status == NV_OK && stale->count > 0)
        status = seal_known(store, stale, intake->now, error);
    return status;
}

/* One transaction. *ret_again: rows were stale; they are in `stale` now, and nothing was written. */
static enum nv_status try_once(struct intake *intake, struct nv_incoming *incoming, size_t count, struct nv_mono_us end,
                               struct nv_touched_set *stale, bool *ret_again, struct nv_error *error)
{
    *ret_again = false;
    intake->joined = 0;
    if (NV_PLANTED(SEND_EARLY))
        nv_db_exec(intake->store->db, "PRAGMA synchronous = FULL", error);
    enum nv_status status = nv_begin(intake->store, error);
    if (status != NV_OK)
        return status;
    status = prepare(intake, stale, error);
    for (size_t i = 0; status == NV_OK && i < count && intake->stale.count == 0; i++) {
        incoming[i].verdict = NV_VERDICT_PENDING;
        if (i == 0 || nv_mono_now().us < end.us)
            status = take(intake, &incoming[i], error);
    }
    if (status == NV_OK && intake->stale.count == 0 && intake->store->owes_join)
        status = nv_counted_join(&intake->merge, end.us, &intake->joined, &intake->store->owes_join, error);
    if (status == NV_OK && intake->stale.count == 0)
        status = nv_apply_lagging(&intake->merge, end, &intake->has_more, error);
    if (status == NV_OK && intake->stale.count == 0)
        status = take_keyless(intake, error);
    if (status == NV_OK && intake->stale.count == 0)
        return nv_commit(intake->store, error);
    for (size_t i = 0; status == NV_OK && i < intake->stale.count; i++)
        if (nv_touched_get(stale, intake->stale.places[i].table, intake->stale.places[i].key, true) == NULL)
            status = nv_no_memory(error);
    *ret_again = status == NV_OK;
    nv_stale_done(&intake->stale);
    return status;
}

enum nv_status nv_store_ingest(struct nv_store *store, struct nv_incoming *incoming, size_t count,
                               struct nv_wall_ms now, int budget_ms, struct nv_error *error)
{
    struct intake intake = {.store = store, .now = now};
    struct nv_touched_set stale = {0};
    enum nv_status status = NV_OK;
    bool again = true;
    nv_merge_init(&intake.merge, store, now, &intake.stale);
    intake.record_hashes = calloc(NV_LIMIT_CHANGESET_OPS, sizeof *intake.record_hashes);
    if (intake.record_hashes == NULL)
        status = nv_no_memory(error);
    for (int tries = 0; status == NV_OK && again && tries < TRIES; tries++) {
        struct nv_mono_us end = {nv_mono_now().us + (int64_t)budget_ms * 1000};
        status = try_once(&intake, incoming, count, end, &stale, &again, error);
        bool was_muted = status == NV_BUSY && store->is_muted;
        if (status != NV_OK || again)
            nv_rollback(store);
        if (was_muted) {
            status = NV_OK;
            again = true;
        } else if (status == NV_OK && !again && count == 0 && intake.joined > 0) {
            again = true; /* until nothing more of what is held counts */
            tries = -1;
        }
    }
    store->owes_merge = store->owes_merge || (status == NV_OK && (intake.joined > 0 || intake.has_more));
    store->owes_placing = store->owes_placing || count > 0;
    if (status == NV_OK && again)
        status = nv_fail(error, NV_BUSY,
                         "rows are being written without the triggers, again and again: look for a "
                         "program that disables triggers, or for a UNIQUE index of its own");
    if (status != NV_OK)
        for (size_t i = 0; i < count; i++)
            incoming[i].verdict = NV_VERDICT_PENDING;
    nv_merge_done(&intake.merge);
    nv_vector_done(&intake.applied);
    nv_stale_done(&intake.stale);
    nv_touched_done(&stale);
    free(intake.record_hashes);
    return status;
}

enum nv_status nv_store_note_refusal(struct nv_store *store, enum nv_reason reason, const struct nv_site_id *site,
                                     const char *text, struct nv_wall_ms now, struct nv_error *error)
{
    static const struct nv_site_id nobody;
    sqlite3_stmt *statement = nv_ready(store, error) == NV_OK ? nv_statement(store, NV_SQL_REFUSAL_ADD, error) : NULL;
    if (statement == NULL)
        return error->status;
    sqlite3_bind_text(statement, 1, nv_reason_name(reason), -1, SQLITE_STATIC);
    sqlite3_bind_blob(statement, 2, site == NULL ? nobody.bytes : site->bytes, sizeof nobody.bytes, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 3, now.ms);
    sqlite3_bind_text(statement, 4, text, -1, SQLITE_STATIC);
    return nv_db_run(statement, error);
}
