/* How a new site takes the authority log: all of it is verified from the invitation's key on before any of it is kept.
 */
#include <stdlib.h>

#include "base/catalogue.h"
#include "store/ingest.h"
#include "store/log/logs.h"
#include "store/trust/recovered.h"
#include "wire/changeset.h"

enum { OPEN_BYTES = 2 * NV_LIMIT_BODY_BYTES, TAKING_MS = 60000 };

/* What is found on the way along the log. */
struct walk {
    const struct nv_store *store;
    const struct nv_public_key *authority;
    struct nv_log_id log;
    uint64_t seq;
    struct nv_hash hash; /* of the header before */
    bool has_genesis, has_us;
    bool is_other;          /* our last certificate is for other keys than we have */
    bool recovers;          /* we are whoever is certified with the key that we have, */
    struct nv_site_id site; /* this one */
};

static enum nv_status refuse(struct nv_error *error, const char *what)
{
    return nv_fail(
        error, NV_REFUSED,
        "the hub's answer does not verify (%.300s): the invitation is of another network, or somebody stands "
        "between; ask for a new invitation",
        _(what));
}

/* ---- verifying ---- */

/* What is wrong with the bytes is the hub's; what went wrong here for its own reasons is not. */
static enum nv_status judge_fault(enum nv_status status, const struct nv_error *why, struct nv_error *error)
{
    if (status == NV_REFUSED)
        return refuse(error, why->text);
    return status == NV_OK ? NV_OK : nv_fail(error, status, "%.300s", why->text);
}

static enum nv_status judge_header(const struct walk *walk, const struct nv_changeset_parts *parts,
                                   const struct nv_header *header, struct nv_error *error)
{
    struct nv_error why;
    if (nv_log_id_compare(&header->log, &walk->log) != 0)
        return refuse(error, "it is of another authority");
    if (header->seq != walk->seq + 1 ||
        (header->seq > 1 && memcmp(header->previous.bytes, walk->hash.bytes, sizeof walk->hash.bytes) != 0))
        return refuse(error, "its changesets are no chain");
    return judge_fault(nv_changeset_verify(parts, walk->authority, walk->authority, &why), &why, error);
}

/* The last certificate of this site must be for its own keys: with others it could sign nothing that anybody takes. */
static enum nv_status judge_certificate(struct walk *walk, struct nv_slice op, struct nv_arena *arena,
                                        struct nv_error *error)
{
    struct nv_certificate certificate;
    struct nv_error why;
    enum nv_status status = nv_certificate_decode(op, arena, &certificate, &why);
    if (status == NV_NO_MEMORY)
        return nv_no_memory(error);
    const struct nv_sign_key *key = walk->store->signer;
    bool is_ours =
        status == NV_OK && key != NULL && memcmp(&certificate.sign_key, &key->public_key, sizeof key->public_key) == 0;
    if (walk->recovers && is_ours)
        walk->site = certificate.site;
    if (status != NV_OK || nv_site_id_compare(certificate.site, walk->site) != 0)
        return NV_OK;
    walk->has_us = !walk->recovers || walk->has_us || is_ours;
    walk->is_other = key != NULL && !is_ours;
    return NV_OK;
}

static enum nv_status judge_op(struct walk *walk, struct nv_slice bytes, struct nv_arena *arena, struct nv_error *error)
{
    struct nv_error why;
    struct nv_op op;
    enum nv_status status = nv_op_decode(bytes, arena, &op, &why);
    /* What newer software wrote is for the ingest to judge. */
    if (status != NV_OK)
        return status == NV_NO_MEMORY ? nv_fail(error, status, "%.300s", why.text) : NV_OK;
    if (op.kind == NV_OP_GENESIS && walk->seq == 0)
        walk->has_genesis = true;
    return op.kind == NV_OP_CERTIFICATE ? judge_certificate(walk, bytes, arena, error) : NV_OK;
}

static enum nv_status judge_changeset(struct walk *walk, struct nv_slice bytes, struct nv_arena *arena,
                                      struct nv_error *error)
{
    struct nv_changeset_parts parts;
    struct nv_header header;
    struct nv_body body;
    struct nv_error why;
    enum nv_status status = nv_changeset_split(bytes, &parts, &why);
    if (status == NV_OK)
        status = nv_header_decode(parts.header, arena, &header, &why);
    if (status != NV_OK)
        return judge_fault(status, &why, error);
    status = judge_header(walk, &parts, &header, error);
    if (status == NV_OK)
        status = judge_fault(nv_body_open(&parts, &header, arena, &body, &why), &why, error);
    if (status != NV_OK)
        return status;
    for (size_t i = 0; status == NV_OK && i < body.count; i++)
        if (!body.entries[i].is_redacted)
            status = judge_op(walk, body.entries[i].op, arena, error);
    walk->seq = header.seq;
    walk->hash = nv_header_hash(parts.header);
    return status;
}

/* *site is who we are; where the site recovers, who we are found to be. */
static enum nv_status judge_log(const struct nv_store *store, const struct nv_public_key *authority,
                                const struct nv_slice *changesets, size_t count, bool recovers, struct nv_site_id *site,
                                struct nv_error *error)
{
    struct nv_arena arena = {.limit = OPEN_BYTES};
    struct walk walk = {.store = store,
                        .authority = authority,
                        .log = {.epoch = 1, .scope = NV_SCOPE_AUTHORITY},
                        .recovers = recovers,
                        .site = *site};
    memcpy(walk.log.site.bytes, authority->bytes, sizeof walk.log.site.bytes);
    enum nv_status status = NV_OK;
    for (size_t i = 0; status == NV_OK && i < count; i++) {
        nv_arena_reset(&arena);
        status = judge_changeset(&walk, changesets[i], &arena, error);
    }
    *site = walk.site;
    nv_arena_done(&arena);
    if (status == NV_OK && !walk.has_genesis)
        status = refuse(error, "it does not begin with the network's beginning");
    if (status == NV_OK && !walk.has_us)
        status = nv_fail(error, NV_REFUSED, "the hub's answer certifies no site of ours: ask for a new invitation");
    if (status == NV_OK && walk.is_other)
        status =
            nv_fail(error, NV_REFUSED,
                    "the hub certified this site with other keys than it has: was its home copied, or made anew? Make "
                    "a new site with `navette init` in a folder of its own");
    return status;
}

/* ---- keeping ---- */

static size_t count_pending(const struct nv_incoming *incoming, size_t count)
{
    size_t pending = 0;
    for (size_t i = 0; i < count; i++)
        pending += incoming[i].verdict == NV_VERDICT_PENDING;
    return pending;
}

static enum nv_status take_all(struct nv_store *store, const struct nv_slice *changesets, size_t count,
                               struct nv_wall_ms now, struct nv_error *error)
{
    struct nv_incoming *incoming = calloc(count + 1, sizeof *incoming);
    if (incoming == NULL)
        return nv_no_memory(error);
    for (size_t i = 0; i < count; i++)
        incoming[i].bytes = changesets[i];
    enum nv_status status = NV_OK;
    /* What had no time stands at the end. */
    for (size_t left = count; status == NV_OK && left > 0; left = count_pending(incoming, count))
        status = nv_store_ingest(store, incoming + (count - left), left, now, TAKING_MS, error);
    for (size_t i = 0; status == NV_OK && i < count; i++) {
        if (incoming[i].verdict == NV_VERDICT_WAITS)
            status = nv_fail(error, NV_NOT_YET, "the network's log cannot be taken here yet: %s", _(incoming[i].text));
        else if (incoming[i].verdict == NV_VERDICT_REFUSED)
            status = refuse(error, incoming[i].text);
    }
    free(incoming);
    return status;
}

/* What a store is before it is in a network. */
struct entering {
    struct nv_store *store;
    const struct nv_public_key *authority;
    bool was_in_network;
    struct nv_site_id before, site; /* who it was, and is */
    /* Where it recovers a site; else NULL. */
    const struct nv_enrol_reply *reply;
    const struct nv_curve_key *recovery;
    const struct nv_public_key *curve;
};

static enum nv_status set_site(struct nv_store *store, struct nv_site_id site, struct nv_error *error)
{
    enum nv_status status = nv_meta_set(
        store, "site", &(struct nv_value){.type = NV_BLOB, .bytes = {site.bytes, sizeof site.bytes}}, error);
    if (status == NV_OK)
        store->identity.site = site;
    return status;
}

/* Takes back what was kept, where not all could be. Nothing else is in a store that was in no network. */
static void leave_network(const struct entering *entering)
{
    struct nv_store *store = entering->store;
    struct nv_error ignored;
    if (nv_begin(store, &ignored) != NV_OK)
        return;
    if (set_site(store, entering->before, &ignored) == NV_OK &&
        nv_db_exec(store->db,
                   "DELETE FROM navette_meta WHERE name IN ('network', 'network_name', 'successor_key'); "
                   "DELETE FROM navette_member; DELETE FROM navette_membership; DELETE FROM navette_group; "
                   "DELETE FROM navette_readership; DELETE FROM navette_cut; DELETE FROM navette_changeset; "
                   "DELETE FROM navette_log; DELETE FROM navette_table; DELETE FROM navette_column; DELETE FROM "
                   "navette_statement; DELETE FROM navette_recovered",
                   &ignored) == NV_OK)
        sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL);
    nv_rollback(store); /* reads the state anew, whether that was committed or not */
}

static enum nv_status enter_network(const struct entering *entering, struct nv_error *error)
{
    struct nv_store *store = entering->store;
    enum nv_status status = nv_begin(store, error);
    if (status != NV_OK)
        return status;
    if (!entering->was_in_network)
        status = nv_network_set(store, entering->authority, error);
    if (status == NV_OK && !entering->was_in_network)
        status = set_site(store, entering->site, error);
    if (status == NV_OK && entering->reply != NULL)
        status = nv_recovered_keep(store, entering->reply->keys, entering->reply->key_count, entering->recovery,
                                   entering->curve, error);
    if (status == NV_OK)
        status = nv_commit(store, error);
    if (status != NV_OK)
        nv_rollback(store);
    return status;
}

static enum nv_status enter(struct entering *entering, const struct nv_slice *changesets, size_t count,
                            struct nv_wall_ms now, struct nv_error *error)
{
    struct nv_store *store = entering->store;
    enum nv_status status = nv_ready(store, error);
    if (status != NV_OK)
        return status;
    entering->was_in_network = store->identity.has_network;
    entering->before = entering->site = store->identity.site;
    if (entering->was_in_network &&
        memcmp(&store->identity.network, entering->authority, sizeof *entering->authority) != 0)
        return nv_fail(error, NV_REFUSED,
                       "this site is in another network already: a new site is made with `navette init` in a folder of "
                       "its own");
    status = judge_log(store, entering->authority, changesets, count, entering->reply != NULL, &entering->site, error);
    if (status == NV_OK && entering->was_in_network && nv_site_id_compare(entering->site, entering->before) != 0)
        return nv_fail(error, NV_REFUSED,
                       "this home holds another site of the network already: recover the lost one in a folder of its "
                       "own, made with `navette init`");
    if (status == NV_OK && (!entering->was_in_network || entering->reply != NULL))
        status = enter_network(entering, error);
    if (status != NV_OK)
        return status;
    status = take_all(store, changesets, count, now, error);
    if (status == NV_OK && nv_store_member(store, store->identity.site) == NULL)
        status = refuse(error, "its certificate for this site is against the rules");
    if (status != NV_OK && !entering->was_in_network)
        leave_network(entering);
    return status;
}

enum nv_status nv_authority_adopt(struct nv_store *store, const struct nv_public_key *authority,
                                  const struct nv_slice *changesets, size_t count, struct nv_wall_ms now,
                                  struct nv_error *error)
{
    struct entering entering = {.store = store, .authority = authority};
    return enter(&entering, changesets, count, now, error);
}

enum nv_status nv_authority_recover(struct nv_store *store, const struct nv_public_key *authority,
                                    const struct nv_enrol_reply *reply, const struct nv_curve_key *recovery,
                                    const struct nv_public_key *curve, struct nv_wall_ms now, struct nv_error *error)
{
    struct entering entering = {
        .store = store, .authority = authority, .reply = reply, .recovery = recovery, .curve = curve};
    return enter(&entering, reply->authority, reply->authority_count, now, error);
}
