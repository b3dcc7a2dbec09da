#include "store/intake/admit.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/catalogue.h"
#include "base/planted.h"
#include "store/intake/counted.h"
#include "store/intake/owed.h"
#include "store/log/beyond.h"
#include "store/scopes/reads.h"
#include "store/statements.h"
#include "store/trust/rights.h"
#include "store/trust/unbox.h"

void nv_arrival_done(struct nv_arrival *arrival)
{
    nv_vector_done(&arrival->context);
    nv_vector_done(&arrival->before);
    nv_arena_done(&arrival->opened.arena);
}

static enum nv_status refuse(struct nv_incoming *incoming, enum nv_reason reason, const char *text)
{
    incoming->verdict = NV_VERDICT_REFUSED;
    incoming->reason = reason;
    snprintf(incoming->text, sizeof incoming->text, "%.190s", text);
    return NV_OK;
}

static enum nv_status wait_for(struct nv_incoming *incoming, const char *text)
{
    incoming->verdict = NV_VERDICT_WAITS;
    snprintf(incoming->text, sizeof incoming->text, "%.190s", text);
    return NV_OK;
}

/* ---- who signed ---- */

/* Whether the header's authority position is one of our authority log. */
static enum nv_status judge_position(struct nv_store *store, struct nv_incoming *incoming,
                                     const struct nv_header *header, struct nv_error *error)
{
    const struct nv_log *authority = nv_authority_log(store);
    if (NV_PLANTED(APPLY_BEFORE_AUTHORITY) && authority != NULL && header->authority_seq > authority->applied_seq)
        return NV_OK;
    if (authority == NULL || header->authority_seq > authority->applied_seq)
        return wait_for(incoming, "it names an authority position that has not arrived");
    assert(header->authority_seq > 0); /* nv_header_decode saw to it */
    struct nv_hash hash = authority->applied_hash;
    if (header->authority_seq != authority->applied_seq) {
        int64_t changeset;
        enum nv_status status =
            nv_changeset_at(store, authority->number, header->authority_seq, &changeset, &hash, error);
        if (status != NV_OK)
            return status;
    }
    struct nv_pin pin = nv_pin_of(&hash);
    if (memcmp(pin.bytes, header->authority_pin.bytes, sizeof pin.bytes) != 0)
        return refuse(incoming, NV_REASON_AUTHORITY, "it names an authority position that is not in our authority log");
    return NV_OK;
}

/* The verdict that a fault in the bytes means. What went wrong here for its own reasons is no verdict. */
static enum nv_status judge_fault(struct nv_incoming *incoming, enum nv_status status, enum nv_reason reason,
                                  const struct nv_error *why, struct nv_error *error)
{
    if (status == NV_NOT_YET)
        return wait_for(incoming, why->text);
    if (status == NV_REFUSED)
        return refuse(incoming, reason, why->text);
    return status == NV_OK ? NV_OK : nv_fail(error, status, "%s", why->text);
}

static enum nv_status judge_signature(struct nv_store *store, struct nv_incoming *incoming,
                                      const struct nv_arrival *arrival, const struct nv_public_key *key,
                                      struct nv_error *error)
{
    struct nv_error why;
    if (NV_PLANTED(SKIP_SIGNATURE))
        return NV_OK;
    enum nv_status status = nv_changeset_verify(&arrival->parts, key, &store->identity.network, &why);
    return judge_fault(incoming, status, NV_REASON_SIGNATURE, &why, error);
}

static enum nv_status judge_writer(struct nv_store *store, struct nv_incoming *incoming,
                                   const struct nv_arrival *arrival, struct nv_error *error)
{
    const struct nv_header *header = &arrival->opened.header;
    if (nv_scope_id_equal(header->log.scope, NV_SCOPE_AUTHORITY)) {
        struct nv_log_id id = nv_authority_log_id(store);
        if (nv_log_id_compare(&id, &header->log) != 0)
            return refuse(incoming, NV_REASON_SIGNATURE, "it is of another network's authority");
        return judge_signature(store, incoming, arrival, &store->identity.network, error);
    }
    enum nv_status status = judge_position(store, incoming, header, error);
    if (status != NV_OK || incoming->verdict != NV_VERDICT_PENDING)
        return status;
    uint64_t position = NV_PLANTED(RIGHTS_BY_ARRIVAL) ? NV_POSITION_NOW : header->authority_seq;
    const struct nv_public_key *key = nv_right_sign_key(store, header->log.site, position);
    if (key == NULL)
        return refuse(incoming, NV_REASON_MEMBER, "it is of a site that was no member at its authority position");
    if (nv_scope_find(store, header->log.scope) == NULL)
        return wait_for(incoming, "it is of a scope that this software does not know");
    if (!nv_right_carries(store, header->log.scope, store->identity.site, NV_POSITION_NOW))
        return wait_for(incoming, "it is of a scope that this site does not carry");
    if (!nv_right_reads(store, header->log.scope, header->log.site, position))
        return refuse(incoming, NV_REASON_MEMBER,
                      "its site did not read its scope at its authority position, and so had no right to write there");
    return judge_signature(store, incoming, arrival, key, error);
}

/* However many epochs a member begins, it takes the place of no other site's log; and logs of which nothing counts take
 * none from those that do. */
static enum nv_status judge_room(struct nv_store *store, struct nv_incoming *incoming, const struct nv_arrival *arrival)
{
    const struct nv_header *header = &arrival->opened.header;
    size_t of_site = 0, of_scope = 0, count = 0;
    for (size_t i = 1; i <= nv_log_count(store); i++) {
        const struct nv_log *log = nv_log_by_number(store, (nv_log_number)i);
        if (log->has_seq == 0 && !arrival->is_cut)
            continue;
        count++;
        if (!nv_scope_id_equal(log->id.scope, header->log.scope))
            continue;
        of_scope++;
        of_site += nv_site_id_compare(log->id.site, header->log.site) == 0;
    }
    if (of_site >= NV_LIMIT_LOGS_OF_SITE)
        return wait_for(incoming, "its site has begun so many logs that a person has to look at it");
    if (of_scope > NV_LIMIT_CONTEXT_HEADS)
        return wait_for(incoming, "its scope has as many logs as a context may name");
    return count >= NV_LIMIT_LOGS ? wait_for(incoming, "this network has as many logs as it may have") : NV_OK;
}

/* ---- what it holds ---- */

static enum nv_status open_body(struct nv_store *store, struct nv_incoming *incoming, struct nv_arrival *arrival,
                                struct nv_error *error)
{
    struct nv_error why;
    enum nv_status status =
        nv_body_open(&arrival->parts, &arrival->opened.header, &arrival->opened.arena, &arrival->opened.body, &why);
    if (status != NV_OK)
        return judge_fault(incoming, status, NV_REASON_BODY, &why, error);
    incoming->verdict = NV_VERDICT_TAKEN;
    /* What is held beyond its log is opened where it joins it: before that its keys may stand nowhere. */
    bool is_read = !arrival->is_beyond && nv_scope_is_read(store, arrival->opened.header.log.scope);
    return is_read ? nv_unbox(store, &arrival->opened, error) : NV_OK;
}

/* ---- what it builds on ---- */

static enum nv_status keep_fork(struct nv_store *store, const struct nv_arrival *arrival, struct nv_wall_ms now,
                                struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(store, NV_SQL_FORK_ADD, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, arrival->log->number);
    sqlite3_bind_int64(statement, 2, (int64_t)arrival->opened.header.seq);
    sqlite3_bind_blob(statement, 3, arrival->opened.hash.bytes, sizeof arrival->opened.hash.bytes, SQLITE_STATIC);
    nv_db_bind_slice(statement, 4, arrival->parts.header);
    nv_db_bind_slice(statement, 5, arrival->parts.signature);
    sqlite3_bind_int64(statement, 6, now.ms);
    return nv_db_run(statement, error);
}

static const char fork_text[] =
    N_("another changeset stands at its place: this log has two histories (a copied or restored "
       "store?)");

/* The same changeset once more: it may have bodies that are missing in ours. */
static enum nv_status judge_copy(struct nv_store *store, struct nv_incoming *incoming, struct nv_arrival *arrival,
                                 int64_t changeset, struct nv_error *error)
{
    size_t count = arrival->opened.header.op_count;
    bool *owed = calloc(count + 1, sizeof *owed), any, has_any = false;
    if (owed == NULL)
        return nv_no_memory(error);
    incoming->verdict = NV_VERDICT_KNOWN;
    enum nv_status status = nv_owed_places(store, changeset, owed, count, &any, error);
    if (status == NV_OK && any)
        status = open_body(store, incoming, arrival, error);
    for (size_t i = 0; i < arrival->opened.body.count; i++)
        has_any = has_any || (owed[i] && !arrival->opened.body.entries[i].is_redacted);
    if (status == NV_OK && incoming->verdict == NV_VERDICT_TAKEN) {
        incoming->verdict = has_any ? NV_VERDICT_TAKEN : NV_VERDICT_KNOWN;
        arrival->opened.changeset = changeset;
    }
    free(owed);
    return status;
}

/* The same changeset once more, where it is held beyond its log. */
static enum nv_status is_held_beyond(struct nv_store *store, struct nv_incoming *incoming,
                                     const struct nv_arrival *arrival, struct nv_error *error)
{
    struct nv_pin pin = nv_pin_of(&arrival->opened.hash);
    bool is_held = false;
    enum nv_status status = NV_OK;
    if (arrival->log != NULL)
        status = nv_beyond_find(store, arrival->log, arrival->opened.header.seq, &pin, &is_held, error);
    if (is_held)
        incoming->verdict = NV_VERDICT_KNOWN;
    return status;
}

/* A place that is taken already: by the same changeset, or by another one. */
static enum nv_status judge_known(struct nv_store *store, struct nv_incoming *incoming, struct nv_arrival *arrival,
                                  struct nv_wall_ms now, struct nv_error *error)
{
    struct nv_hash held;
    int64_t changeset;
    enum nv_status status =
        nv_changeset_at(store, arrival->log->number, arrival->opened.header.seq, &changeset, &held, error);
    if (status != NV_OK)
        return status;
    if (memcmp(held.bytes, arrival->opened.hash.bytes, sizeof held.bytes) == 0)
        return judge_copy(store, incoming, arrival, changeset, error);
    status = judge_writer(store, incoming, arrival, error);
    if (status != NV_OK || incoming->verdict != NV_VERDICT_PENDING)
        return status;
    status = keep_fork(store, arrival, now, error);
    return status == NV_OK ? refuse(incoming, NV_REASON_FORK, fork_text) : status;
}

/* Whether it stands on the log's end, or on what is held beyond: sets what that says. */
static enum nv_status find_previous(struct nv_store *store, struct nv_arrival *arrival, uint64_t *ret_authority_seq,
                                    bool *ret_found, struct nv_error *error)
{
    const struct nv_header *header = &arrival->opened.header;
    struct nv_log *log = arrival->log;
    *ret_authority_seq = log == NULL ? 0 : log->authority_seq;
    *ret_found = header->seq == 1;
    if (log == NULL)
        return NV_OK;
    *ret_found = header->seq == log->has_seq + 1 &&
                 memcmp(header->previous.bytes, log->has_hash.bytes, sizeof log->has_hash.bytes) == 0;
    if (*ret_found)
        return NV_OK;
    enum nv_status status = nv_beyond_before(store, log, header->seq - 1, &header->previous, &arrival->before,
                                             ret_authority_seq, &arrival->follows_beyond, error);
    *ret_found = arrival->is_beyond = arrival->follows_beyond;
    return status;
}

static enum nv_status judge_chain(struct nv_store *store, struct nv_incoming *incoming, struct nv_arrival *arrival,
                                  struct nv_wall_ms now, struct nv_error *error)
{
    const struct nv_header *header = &arrival->opened.header;
    uint64_t head = arrival->log == NULL ? 0 : arrival->log->has_seq, authority_seq;
    bool found;
    enum nv_status status = find_previous(store, arrival, &authority_seq, &found, error);
    if (status != NV_OK)
        return status;
    if (!found && header->seq > head + 1)
        return wait_for(incoming, "the changesets before it have not arrived");
    if (!found) {
        status = judge_writer(store, incoming, arrival, error);
        if (status != NV_OK || incoming->verdict != NV_VERDICT_PENDING)
            return status;
        status = keep_fork(store, arrival, now, error);
        return status == NV_OK ? refuse(incoming, NV_REASON_CHAIN, "its previous header is not the one that we hold")
                               : status;
    }
    if (header->authority_seq < authority_seq)
        return refuse(incoming, NV_REASON_CHAIN, "its authority position is behind that of the header before it");
    return NV_OK;
}

/* A head that its context names: in the log, or held beyond it, by hash. */
static enum nv_status judge_head(struct nv_store *store, struct nv_incoming *incoming, struct nv_arrival *arrival,
                                 const struct nv_far_head *far, struct nv_error *error)
{
    struct nv_log_id id = {far->site, far->epoch, arrival->opened.header.log.scope};
    struct nv_log *log = nv_log_find(store, &id);
    bool is_held;
    enum nv_status status;
    if (far->seq <= log->has_seq) {
        status = nv_changeset_is(store, log, far->seq, &far->pin, &is_held, error);
        return status == NV_OK && !is_held
                   ? wait_for(incoming, "it builds on another history of a log than the one that we hold")
                   : status;
    }
    status = nv_beyond_find(store, log, far->seq, &far->pin, &is_held, error);
    arrival->is_beyond = arrival->is_beyond || is_held;
    if (status != NV_OK || is_held)
        return status;
    /* Once it can be taken it vouches for all of that: then there is room for it. */
    if (!arrival->is_cut && far->seq > log->beyond.awaited_seq)
        log->beyond.awaited_seq = far->seq;
    return wait_for(incoming, "it builds on changesets that have not arrived");
}

/* Every head that its context raised must be one that we hold, by hash; and no head may sink. */
static enum nv_status judge_context(struct nv_store *store, struct nv_incoming *incoming, struct nv_arrival *arrival,
                                    struct nv_error *error)
{
    static const struct nv_vector nothing;
    const struct nv_header *header = &arrival->opened.header;
    const struct nv_vector *before = arrival->follows_beyond ? &arrival->before
                                     : arrival->log == NULL  ? &nothing
                                                             : &arrival->log->context;
    struct nv_error why;
    if ((header->seq - 1) % NV_LIMIT_ABSOLUTE_CONTEXT_EVERY == 0 && !header->absolute)
        return refuse(incoming, NV_REASON_CHAIN, "its context does not stand whole where it must");
    enum nv_status status = nv_context_take(store, header, before, &arrival->context, &why);
    if (status == NV_NOT_YET)
        return wait_for(incoming, why.text);
    if (status != NV_OK)
        return nv_fail(error, status, "%s", why.text);
    if (!nv_vector_covers(&arrival->context, before))
        return refuse(incoming, NV_REASON_CHAIN, "its context is behind that of the header before it");
    if (NV_PLANTED(HAS_UNCLOSED) || NV_PLANTED(IGNORE_CONTEXT))
        return NV_OK;
    for (size_t i = 0; status == NV_OK && i < header->context_count; i++)
        status = judge_head(store, incoming, arrival, &header->context[i], error);
    return status;
}

/* ---- all of it ---- */

static enum nv_status open_header(struct nv_incoming *incoming, struct nv_arrival *arrival, struct nv_error *error)
{
    struct nv_error why;
    arrival->opened.arena.limit = 4 * (size_t)NV_LIMIT_BODY_BYTES;
    enum nv_status status = nv_changeset_split(incoming->bytes, &arrival->parts, &why);
    if (status == NV_OK)
        status = nv_header_decode(arrival->parts.header, &arrival->opened.arena, &arrival->opened.header, &why);
    if (status != NV_OK)
        return judge_fault(incoming, status, NV_REASON_MALFORMED, &why, error);
    arrival->opened.hash = nv_header_hash(arrival->parts.header);
    return NV_OK;
}

enum nv_status nv_admit(struct nv_store *store, struct nv_incoming *incoming, struct nv_wall_ms now,
                        struct nv_arrival *arrival, struct nv_error *error)
{
    *arrival = (struct nv_arrival){0};
    enum nv_status status = open_header(incoming, arrival, error);
    if (status != NV_OK || incoming->verdict != NV_VERDICT_PENDING)
        return status;
    if (!store->identity.has_network)
        return wait_for(incoming, "this site is in no network yet");
    arrival->log = nv_log_find(store, &arrival->opened.header.log);
    arrival->opened.log = arrival->log == NULL ? 0 : arrival->log->number;
    if (arrival->log != NULL && arrival->opened.header.seq <= arrival->log->has_seq)
        return judge_known(store, incoming, arrival, now, error);
    status = is_held_beyond(store, incoming, arrival, error);
    if (status != NV_OK || incoming->verdict != NV_VERDICT_PENDING)
        return status;
    if (NV_PLANTED(REFUSE_BY_CLOCK) && arrival->opened.header.sealed.ms > now.ms + 3600000)
        return refuse(incoming, NV_REASON_CHAIN, "it was sealed in the future");
    status = judge_chain(store, incoming, arrival, now, error);
    if (status == NV_OK && incoming->verdict == NV_VERDICT_PENDING)
        status = judge_writer(store, incoming, arrival, error);
    if (status == NV_OK && incoming->verdict == NV_VERDICT_PENDING)
        arrival->is_cut = arrival->is_beyond = nv_is_cut(store, &arrival->opened.header);
    arrival->is_beyond = arrival->is_beyond || arrival->follows_beyond;
    if (status == NV_OK && incoming->verdict == NV_VERDICT_PENDING && arrival->log == NULL)
        status = judge_room(store, incoming, arrival);
    if (status == NV_OK && incoming->verdict == NV_VERDICT_PENDING)
        status = judge_context(store, incoming, arrival, error);
    if (status == NV_OK && incoming->verdict == NV_VERDICT_PENDING)
        status = open_body(store, incoming, arrival, error);
    return status;
}
