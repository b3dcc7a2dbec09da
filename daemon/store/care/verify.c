/* Every log, walked from its first header: store/care.h. */
#include <stdio.h>
#include <string.h>

#include "base/catalogue.h"
#include "base/hex.h"
#include "store/care.h"
#include "store/log/logs.h"
#include "store/log/opened.h"
#include "store/trust/rights.h"

struct walk {
    struct nv_store *store;
    struct nv_verified *verified;
    struct nv_log *log;
    struct nv_hash previous;
    uint64_t seq, authority_seq;
    struct nv_vector context;
    struct nv_arena arena;
};

static void bad(struct walk *walk, uint64_t seq, const char *why)
{
    struct nv_verified *verified = walk->verified;
    if (verified->bad++ > 0)
        return;
    const char *name = nv_store_site_name(walk->store, walk->log->id.site);
    bool is_authority = nv_scope_id_equal(walk->log->id.scope, NV_SCOPE_AUTHORITY);
    unsigned long long number = seq;
    if (is_authority)
        snprintf(verified->first, sizeof verified->first, _("log of the authority, changeset %llu: %.150s"), number,
                 why);
    else if (name == NULL)
        snprintf(verified->first, sizeof verified->first, _("log of an unknown site, changeset %llu: %.150s"), number,
                 why);
    else
        snprintf(verified->first, sizeof verified->first, _("log of %s, changeset %llu: %.150s"), name, number, why);
}

/* These give NV_OK; or another status than NV_NO_MEMORY, with words for what is wrong with the changeset. */

/* The header's place in its log. */
static enum nv_status check_place(struct walk *walk, const struct nv_header *header, struct nv_slice stored_hash,
                                  const struct nv_hash *hash, struct nv_error *why)
{
    struct nv_vector context = {0};
    if (stored_hash.size != sizeof hash->bytes || memcmp(stored_hash.data, hash->bytes, sizeof hash->bytes) != 0)
        return nv_fail(why, NV_CORRUPT, "the header's bytes are not those that were stored");
    if (nv_log_id_compare(&header->log, &walk->log->id) != 0 || header->seq != walk->seq + 1)
        return nv_fail(why, NV_CORRUPT, "it is not the next of its log");
    if (memcmp(header->previous.bytes, walk->previous.bytes, sizeof walk->previous.bytes) != 0)
        return nv_fail(why, NV_CORRUPT, "the chain is broken: it names another header before it");
    if (header->authority_seq < walk->authority_seq)
        return nv_fail(why, NV_CORRUPT, "its authority position is behind that of the header before it");
    enum nv_status status = nv_context_take(walk->store, header, &walk->context, &context, why);
    if (status != NV_OK) {
        nv_vector_done(&context);
        return status;
    }
    bool covers = nv_vector_covers(&context, &walk->context);
    nv_vector_done(&walk->context);
    walk->context = context;
    return covers ? NV_OK : nv_fail(why, NV_CORRUPT, "its context is behind that of the header before it");
}

static enum nv_status check_signature(struct walk *walk, const struct nv_changeset_parts *parts,
                                      const struct nv_header *header, struct nv_error *why)
{
    const struct nv_log_id *log = &walk->log->id;
    bool is_authority = nv_scope_id_equal(log->scope, NV_SCOPE_AUTHORITY);
    const struct nv_public_key *key = is_authority ? &walk->store->identity.network
                                                   : nv_right_sign_key(walk->store, log->site, header->authority_seq);
    if (key == NULL)
        return nv_fail(why, NV_CORRUPT, "its site was no member at its authority position");
    if (!is_authority && !nv_right_reads(walk->store, log->scope, log->site, header->authority_seq))
        return nv_fail(why, NV_CORRUPT, "its site did not read its scope at its authority position");
    enum nv_status status = nv_changeset_verify(parts, key, &walk->store->identity.network, why);
    return status == NV_REFUSED ? nv_fail(why, status, "the signature does not hold") : status;
}

static enum nv_status check_ops(struct walk *walk, const struct nv_changeset_parts *parts,
                                const struct nv_header *header, struct nv_error *why)
{
    struct nv_body body = {0};
    struct nv_error ignored;
    struct nv_arena arena = {.limit = NV_LIMIT_BODY_BYTES};
    enum nv_status status = nv_body_open(parts, header, &walk->arena, &body, why);
    for (size_t i = 0; status == NV_OK && i < body.count; i++) {
        struct nv_op op;
        nv_arena_reset(&arena);
        enum nv_status of_op =
            body.entries[i].is_redacted ? NV_OK : nv_op_decode(body.entries[i].op, &arena, &op, &ignored);
        walk->verified->redacted += body.entries[i].is_redacted;
        bool is_misplaced =
            !body.entries[i].is_redacted && of_op == NV_OK && !nv_op_belongs(op.kind, header->log.scope);
        walk->verified->no_ops += of_op == NV_REFUSED || is_misplaced;
        walk->verified->ops++;
        if (of_op == NV_NO_MEMORY)
            status = nv_no_memory(why);
    }
    nv_arena_done(&arena);
    return status;
}

/* Fails only where the check itself could not be made. */
static enum nv_status check_changeset(struct walk *walk, sqlite3_stmt *row, struct nv_error *error)
{
    struct nv_error why;
    struct nv_header header;
    struct nv_slice stored_hash = nv_db_blob(row, 1);
    struct nv_changeset_parts parts = {.header = nv_db_blob(row, 2),
                                       .signature = nv_db_blob(row, 3),
                                       .compressed = sqlite3_column_int(row, 4) != 0,
                                       .body = nv_db_blob(row, 5)};
    uint64_t seq = (uint64_t)sqlite3_column_int64(row, 0);
    nv_arena_reset(&walk->arena);
    struct nv_hash hash = nv_header_hash(parts.header);
    enum nv_status status = nv_header_decode(parts.header, &walk->arena, &header, &why);
    if (status == NV_OK) {
        status = check_place(walk, &header, stored_hash, &hash, &why);
        if (status == NV_OK)
            status = check_signature(walk, &parts, &header, &why);
        if (status == NV_OK)
            status = check_ops(walk, &parts, &header, &why);
        walk->authority_seq = header.authority_seq;
    } else if (status != NV_NO_MEMORY) {
        nv_fail(&why, status, "its header cannot be read");
    }
    if (status == NV_NO_MEMORY)
        return nv_no_memory(error);
    if (status != NV_OK)
        bad(walk, seq, why.text);
    walk->previous = hash;
    walk->seq = seq;
    walk->verified->changesets++;
    return NV_OK;
}

static enum nv_status walk_log(struct walk *walk, uint64_t total, void (*progress)(uint64_t, uint64_t),
                               struct nv_error *error)
{
    sqlite3_stmt *rows = nv_db_preparef(walk->store->db, error,
                                        "SELECT seq, hash, header, signature, compressed, body FROM navette_changeset "
                                        "WHERE log = %u ORDER BY seq",
                                        walk->log->number);
    enum nv_status status = rows == NULL ? error->status : NV_OK;
    bool more;
    walk->seq = walk->authority_seq = 0;
    walk->previous = (struct nv_hash){{0}};
    nv_vector_clear(&walk->context);
    while (status == NV_OK && (status = nv_db_step(rows, &more, error)) == NV_OK && more) {
        status = check_changeset(walk, rows, error);
        if (status != NV_OK)
            break;
        if (progress != NULL)
            progress(walk->verified->changesets, total);
    }
    sqlite3_finalize(rows);
    if (status == NV_OK && (walk->seq != walk->log->has_seq ||
                            memcmp(walk->previous.bytes, walk->log->has_hash.bytes, sizeof walk->previous.bytes) != 0))
        bad(walk, walk->log->has_seq, _("the log does not end where the store says"));
    walk->verified->logs++;
    return status;
}

enum nv_status nv_store_verify(struct nv_store *store, struct nv_verified *ret_verified,
                               void (*progress)(uint64_t done, uint64_t total), struct nv_error *error)
{
    struct nv_verified verified = {0};
    struct walk walk = {.store = store, .verified = &verified, .arena = {.limit = 8 * (size_t)NV_LIMIT_BODY_BYTES}};
    int64_t total;
    enum nv_status status = nv_begin_reading(store, error);
    if (status != NV_OK)
        return status;
    status = nv_db_integer(store->db, "SELECT count(*) FROM navette_changeset", 0, &total, error);
    for (size_t i = 1; status == NV_OK && i <= nv_log_count(store); i++) {
        walk.log = nv_log_by_number(store, (nv_log_number)i);
        status = walk_log(&walk, (uint64_t)total, progress, error);
    }
    nv_vector_done(&walk.context);
    nv_arena_done(&walk.arena);
    nv_end_reading(store);
    if (status == NV_OK)
        *ret_verified = verified;
    return status;
}
