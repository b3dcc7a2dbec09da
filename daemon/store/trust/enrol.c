/* Requests to be certified, at the hub: store/authority.h. */
#include <stdlib.h>

#include "base/catalogue.h"
#include "store/log/logs.h"
#include "store/trust/invitations.h"
#include "store/trust/recovered.h"
#include "store/trust/state.h"
#include "wire/changeset.h"

/* A request, and what is found about it. */
struct asking {
    struct nv_enrol_request request;
    struct nv_kept_invitation kept;
    bool found;                 /* the invitation */
    bool has_lost, key_matches; /* for a request that recovers a site */
    struct nv_site_id site;     /* who is certified */
    bool was_member, is_member; /* ever; now */
    struct nv_membership last;  /* what it was certified as last */
    bool has_same_keys;         /* as then */
    struct nv_wall_ms now;
};

static enum nv_status look_up(struct nv_store *store, struct asking *asking, struct nv_error *error)
{
    const struct nv_certificate *wanted = &asking->request.wanted;
    asking->site = wanted->site;
    enum nv_status status =
        nv_invitation_find(store, asking->request.invitation_number, &asking->kept, &asking->found, error);
    if (status == NV_OK && asking->found && asking->request.recovers)
        status = nv_invitation_find_lost(store, &asking->kept, &wanted->recovery_key, &asking->site, &asking->has_lost,
                                         &asking->key_matches, error);
    const struct nv_membership *last = nv_membership_last(store->rights, asking->site);
    asking->was_member = last != NULL;
    if (last == NULL)
        return status;
    asking->last = *last;
    asking->is_member = last->span.ends == NV_POSITION_NOW;
    asking->has_same_keys = memcmp(&last->sign_key, &wanted->sign_key, sizeof last->sign_key) == 0 &&
                            memcmp(&last->curve_key, &wanted->curve_key, sizeof last->curve_key) == 0;
    return status;
}

/* ---- judging: NULL, or why the request is refused, in words for the person who runs `join` ---- */

static const char *judge_newcomer(const struct asking *asking)
{
    const struct nv_kept_invitation *kept = &asking->kept;
    if (kept->recovers)
        return N_(
            "this invitation is for a member that lost its keys, and for no new site: join with --recover and the "
            "recovery secret of that member, or ask for an invitation under another name");
    if (kept->is_used && nv_site_id_compare(kept->used_by, asking->site) != 0)
        return N_("this invitation was used by another site: ask for a new one");
    if (asking->was_member && !asking->has_same_keys)
        return N_("this site id is certified with other keys: make a new site");
    if (kept->is_used && !asking->is_member)
        return N_("this invitation was used, and the site was taken out of the network since: ask for a new one");
    if (!kept->is_used && asking->is_member)
        return N_("this site is a member of the network already: there is nothing to join");
    return NULL;
}

static const char *judge_recovering(const struct nv_store *store, const struct asking *asking)
{
    const struct nv_kept_invitation *kept = &asking->kept;
    if (!asking->has_lost)
        return N_(
            "this invitation is for a new site, and there is none of its name to recover: join without --recover");
    if (store->opener == NULL)
        return N_("this hub cannot read its own key, which a recovery is judged with: see to its folder of keys");
    if (!asking->key_matches || !nv_enrol_recovery_holds(&asking->request, store->opener, &store->identity.network))
        return N_(
            "this is not the recovery secret of the site that the invitation is for: nothing was changed; look at "
            "what `navette join` printed when that site joined");
    if (asking->is_member && asking->has_same_keys)
        return NULL; /* it asks again after a lost answer */
    if (kept->is_used)
        return N_("this invitation was used: ask for a new one");
    if (kept->recovers && !asking->is_member)
        return N_("the site was taken out of the network since this invitation was made: ask for a new one");
    return NULL;
}

/* Nothing is certified: an answer was lost, and the same one is given again. */
static bool asks_again(const struct asking *asking)
{
    return asking->is_member && asking->has_same_keys && (asking->kept.is_used || asking->request.recovers);
}

static const char *judge(const struct nv_store *store, const struct asking *asking)
{
    if (!asking->found || !nv_enrol_proof_holds(&asking->request, &asking->kept.secret_hash))
        return N_("this hub knows no such invitation: ask for a new one");
    const char *why = asking->request.recovers ? judge_recovering(store, asking) : judge_newcomer(asking);
    if (why == NULL && !asks_again(asking) && asking->now.ms > asking->kept.expires.ms)
        why = N_("this invitation has expired: ask for a new one");
    return why;
}

/* ---- certifying ---- */

static enum nv_status certify(struct nv_store *store, const struct nv_sign_key *authority, const struct asking *asking,
                              struct nv_error *error)
{
    enum nv_status status = nv_begin(store, error);
    if (status != NV_OK)
        return status;
    const struct nv_member *member = nv_store_member(store, asking->site);
    struct nv_certificate certificate = asking->request.wanted;
    certificate.site = asking->site;
    certificate.name = member != NULL ? member->name : asking->kept.name;
    certificate.role = asking->request.recovers ? asking->last.role : asking->kept.role;
    certificate.reader = asking->request.recovers && asking->last.reader;
    /* No beginning: others judge it by their own clocks, which may be years behind. */
    certificate.not_before = (struct nv_wall_ms){0};
    certificate.not_after = (struct nv_wall_ms){0};
    /* Who was taken out of the network, or lost its keys, begins anew. */
    certificate.anew = asking->was_member;
    status = nv_authority_certify_in(store, authority, &certificate, asking->now, error);
    if (status == NV_OK)
        status = nv_invitation_use(store, asking->request.invitation_number, asking->site, error);
    return nv_authority_finish(store, status, error);
}

/* ---- answering ---- */

/* The whole authority log, as encoded changesets one after the other, with where each ends. */
static enum nv_status read_log(struct nv_store *store, struct nv_buffer *bytes, size_t *ends, size_t capacity,
                               struct nv_error *error)
{
    const struct nv_log *log = nv_authority_log(store);
    sqlite3_stmt *rows = nv_db_preparef(store->db, error,
                                        "SELECT header, signature, compressed, body FROM navette_changeset "
                                        "WHERE log = %u ORDER BY seq",
                                        log->number);
    enum nv_status status = rows == NULL ? error->status : NV_OK;
    bool more;
    size_t count = 0;
    while (status == NV_OK && count < capacity && (status = nv_db_step(rows, &more, error)) == NV_OK && more) {
        struct nv_changeset_parts parts = {.header = nv_db_blob(rows, 0),
                                           .signature = nv_db_blob(rows, 1),
                                           .compressed = sqlite3_column_int(rows, 2) != 0,
                                           .body = nv_db_blob(rows, 3)};
        nv_changeset_join(&parts, bytes);
        ends[count++] = bytes->size;
    }
    sqlite3_finalize(rows);
    return status == NV_OK && bytes->failed ? nv_no_memory(error) : status;
}

static enum nv_status answer(const struct nv_slice *changesets, size_t count, const struct nv_buffer *keys,
                             struct nv_buffer *reply, struct nv_error *error)
{
    struct nv_enrol_reply admitted = {.admitted = true,
                                      .text = "",
                                      .authority = (struct nv_slice *)changesets,
                                      .authority_count = count,
                                      .key_count = keys->size / NV_RECOVERED_KEY_BYTES};
    admitted.keys = calloc(admitted.key_count + 1, sizeof *admitted.keys);
    if (admitted.keys == NULL)
        return nv_no_memory(error);
    for (size_t i = 0; i < admitted.key_count; i++)
        admitted.keys[i] = (struct nv_slice){keys->data + i * NV_RECOVERED_KEY_BYTES, NV_RECOVERED_KEY_BYTES};
    nv_enrol_reply_encode(&admitted, reply);
    free(admitted.keys);
    return NV_OK;
}

static enum nv_status admit(struct nv_store *store, const struct asking *asking, struct nv_buffer *reply,
                            struct nv_error *error)
{
    size_t count = (size_t)nv_authority_log(store)->has_seq;
    struct nv_buffer bytes = {0}, keys = {0};
    size_t *ends = calloc(count + 1, sizeof *ends);
    struct nv_slice *changesets = calloc(count + 1, sizeof *changesets);
    enum nv_status status =
        ends == NULL || changesets == NULL ? nv_no_memory(error) : read_log(store, &bytes, ends, count, error);
    if (status == NV_OK && asking->request.recovers)
        status = nv_recovered_list(store, asking->site, &keys, error);
    for (size_t i = 0; status == NV_OK && i < count; i++) {
        size_t begin = i == 0 ? 0 : ends[i - 1];
        changesets[i] = (struct nv_slice){bytes.data + begin, ends[i] - begin};
    }
    if (status == NV_OK)
        status = answer(changesets, count, &keys, reply, error);
    free(ends);
    free(changesets);
    nv_buffer_done(&bytes);
    nv_buffer_done(&keys);
    return status;
}

/* In English: who asks looks the words up in its own catalogue. */
static void decline(const char *why, struct nv_buffer *reply)
{
    nv_enrol_reply_encode(&(struct nv_enrol_reply){.text = why}, reply);
}

static enum nv_status treat(struct nv_store *store, const struct nv_sign_key *authority, struct asking *asking,
                            struct nv_buffer *reply, struct nv_error *error)
{
    bool changed;
    enum nv_status status = nv_store_refresh(store, &changed, error);
    if (status == NV_OK)
        status = look_up(store, asking, error);
    if (status != NV_OK)
        return status;
    const char *why = judge(store, asking);
    if (why == NULL && !asks_again(asking)) {
        status = certify(store, authority, asking, error);
        if (status == NV_REFUSED) {
            why = error->text;
            status = NV_OK;
        }
    }
    if (why != NULL)
        decline(why, reply);
    return status == NV_OK && why == NULL ? admit(store, asking, reply, error) : status;
}

enum nv_status nv_authority_enrol(struct nv_store *store, const struct nv_sign_key *authority, struct nv_slice request,
                                  struct nv_wall_ms now, struct nv_buffer *reply, struct nv_error *error)
{
    struct nv_arena arena = {.limit = 1u << 20};
    struct asking asking = {.now = now};
    enum nv_status status = nv_enrol_request_decode(request, &arena, &asking.request, error);
    if (status == NV_OK) {
        status = treat(store, authority, &asking, reply, error);
    } else if (status == NV_REFUSED) {
        decline(error->text, reply);
        status = NV_OK;
    }
    nv_arena_done(&arena);
    return status;
}
