#include "store/intake/taken.h"

#include <stdlib.h>

#include "store/intake/apply.h"
#include "store/intake/owed.h"
#include "store/log/bodies.h"
#include "store/merge/redact.h"
#include "store/scopes/reads.h"
#include "store/trust/answers.h"
#include "store/trust/grants.h"

enum nv_status nv_leave_epoch(struct nv_store *store, struct nv_error *error)
{
    uint64_t epoch;
    nv_random(&epoch, sizeof epoch);
    enum nv_status status =
        nv_meta_set(store, "epoch", &(struct nv_value){.type = NV_INTEGER, .integer = (int64_t)epoch}, error);
    if (status == NV_OK)
        store->identity.epoch = epoch;
    return status;
}

bool nv_is_own_log(const struct nv_store *store, const struct nv_log_id *log)
{
    return nv_site_id_compare(log->site, store->identity.site) == 0 && log->epoch == store->identity.epoch &&
           !nv_scope_id_equal(log->scope, NV_SCOPE_AUTHORITY);
}

/* Bodies that a redaction named before they came are not kept. */
static enum nv_status drop_named(struct nv_store *store, const struct nv_arrival *arrival, int64_t changeset,
                                 struct nv_error *error)
{
    size_t count = arrival->opened.body.count;
    bool *named = calloc(count + 1, sizeof *named), any;
    if (named == NULL)
        return nv_no_memory(error);
    enum nv_status status = nv_redact_named(store, arrival->log->number, &arrival->opened.header, named, &any, error);
    if (status == NV_OK && any)
        status = nv_bodies_redact(store, changeset, named, error);
    free(named);
    return status;
}

/* What is only carried is merged nowhere here. It is handed on all the same: so what is missing of it is owed, and what
 * its site lets go of is let go. */
static enum nv_status take_carried(struct nv_merge *merge, const struct nv_arrival *arrival, int64_t changeset,
                                   struct nv_error *error)
{
    const struct nv_opened *opened = &arrival->opened;
    enum nv_status status = nv_owed_note_missing(merge->store, opened, changeset, error);
    merge->log = arrival->log->number;
    merge->seq = opened->header.seq;
    merge->writer = arrival->log->id.site;
    return status == NV_OK ? nv_apply_redactions(merge, opened, &arrival->context, error) : status;
}

enum nv_status nv_taken_append(struct nv_merge *merge, struct nv_arrival *arrival, bool is_merged,
                               const uint32_t *record_hashes, struct nv_error *error)
{
    struct nv_store *store = merge->store;
    const struct nv_header *header = &arrival->opened.header;
    int64_t changeset;
    enum nv_status status = nv_log_append(store, arrival->log, header, &arrival->opened.hash, &arrival->parts,
                                          &arrival->context, record_hashes, &changeset, error);
    const struct nv_granting granting = {arrival->log->number, header->seq,           changeset,
                                         &arrival->context,    &arrival->opened.body, NULL};
    if (status == NV_OK && nv_scope_is_sealed(header->log.scope))
        status = nv_grants_note(store, &granting, merge->now, error);
    if (status == NV_OK && nv_scope_is_sealed(header->log.scope))
        status = nv_asked_note(store, arrival->log, &arrival->opened.body, error);
    if (status == NV_OK)
        status = drop_named(store, arrival, changeset, error);
    if (status == NV_OK && is_merged) {
        arrival->log->applied_seq = header->seq;
        arrival->log->applied_hash = arrival->opened.hash;
        if (!nv_scope_id_equal(header->log.scope, NV_SCOPE_AUTHORITY))
            status = nv_apply_redactions(merge, &arrival->opened, &arrival->context, error);
    } else if (status == NV_OK && !nv_scope_is_read(store, header->log.scope)) {
        status = take_carried(merge, arrival, changeset, error);
    }
    if (status == NV_OK && nv_is_own_log(store, &header->log))
        status = nv_leave_epoch(store, error);
    return status;
}
