/* Every log, walked from its first header: store/care.h. */
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "store/care.h"
#include "store/log/logs.h"
#include "store/log/opened.h"

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
    const struct nv_member *member = nv_store_member(walk->store, walk->log->id.site);
    bool is_authority = nv_scope_id_equal(walk->log->id.scope, NV_SCOPE_AUTHORITY);
    snprintf(verified->first, sizeof verified->first, "log of %s, changeset %llu: %.150s",
             is_authority     ? "the authority"
             : member == NULL ? "an unknown site"
                              : member->name,
             (unsigned long long)seq, why);
}

static const struct nv_public_key *key_of(struct walk *walk)
{
    if (nv_scope_id_equal(walk->log->id.scope, NV_SCOPE_AUTHORITY))
        return &walk->store->identity.network;
    const struct nv_member *member = nv_store_member(walk->store, walk->log->id.site);
    return member == NULL ? NULL : &member->sign_key;
}

/* NULL, or what is wrong with the header's place in its log. */
static const char *check_place(struct walk *walk, const struct nv_header *header, struct nv_slice stored_hash,
                               const struct nv_hash *hash)
{
    static char why[200];
    struct nv_error error;
    struct nv_vector context = {0};
    if (stored_hash.size != sizeof hash->bytes || memcmp(stored_hash.data, hash->bytes, sizeof hash->bytes) != 0)
        return "the header's bytes are not those that were stored";
    if (nv_log_id_compare(&header->log, &walk->log->id) != 0 || header->seq != walk->seq + 1)
        return "it is not the next of its log";
    if (memcmp(header->previous.bytes, walk->previous.bytes, sizeof walk->previous.bytes) != 0)
        return "the chain is broken: it names another header before it";
    if (header->authority_seq < walk->authority_seq)
        return "its authority position is behind that of the header before it";
    if (nv_context_take(walk->store, header, &walk->context, &context, &error) != NV_OK) {
        snprintf(why, sizeof why, "%.190s", error.text);
        nv_vector_done(&context);
        return why;
    }
    bool covers = nv_vector_covers(&context, &walk->context);
    nv_vector_done(&walk->context);
    walk->context = context;
    return covers ? NULL : "its context is behind that of the header before it";
}

/* NULL, or what is wrong with its ops. */
static const char *check_ops(struct walk *walk, const struct nv_changeset_parts *parts, const struct nv_header *header)
{
    static char why[200];
    struct nv_error error;
    struct nv_body body;
    if (nv_body_open(parts, header, &walk->arena, &body, &error) != NV_OK) {
        snprintf(why, sizeof why, "%.190s", error.text);
        return why;
    }
    struct nv_arena arena = {.limit = NV_LIMIT_BODY_BYTES};
    for (size_t i = 0; i < body.count; i++) {
        struct nv_op op;
        nv_arena_reset(&arena);
        if (body.entries[i].is_redacted)
            walk->verified->redacted++;
        else if (nv_op_decode(body.entries[i].op, &arena, &op, &error) == NV_REFUSED)
            walk->verified->no_ops++;
        walk->verified->ops++;
    }
    nv_arena_done(&arena);
    return NULL;
}

static void check_changeset(struct walk *walk, sqlite3_stmt *row)
{
    struct nv_error error;
    struct nv_header header;
    struct nv_slice stored_hash = nv_db_blob(row, 1);
    struct nv_changeset_parts parts = {.header = nv_db_blob(row, 2),
                                       .signature = nv_db_blob(row, 3),
                                       .compressed = sqlite3_column_int(row, 4) != 0,
                                       .body = nv_db_blob(row, 5)};
    uint64_t seq = (uint64_t)sqlite3_column_int64(row, 0);
    const struct nv_public_key *key = key_of(walk);
    const char *wrong = NULL;
    nv_arena_reset(&walk->arena);
    struct nv_hash hash = nv_header_hash(parts.header);
    if (nv_header_decode(parts.header, &walk->arena, &header, &error) != NV_OK) {
        bad(walk, seq, "its header cannot be read");
    } else {
        wrong = check_place(walk, &header, stored_hash, &hash);
        if (wrong == NULL && key == NULL)
            wrong = "its site has no certificate";
        if (wrong == NULL && nv_changeset_verify(&parts, key, &walk->store->identity.network, &error) != NV_OK)
            wrong = "the signature does not hold";
        if (wrong == NULL)
            wrong = check_ops(walk, &parts, &header);
        if (wrong != NULL)
            bad(walk, seq, wrong);
        walk->authority_seq = header.authority_seq;
    }
    walk->previous = hash;
    walk->seq = seq;
    walk->verified->changesets++;
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
        check_changeset(walk, rows);
        if (progress != NULL)
            progress(walk->verified->changesets, total);
    }
    sqlite3_finalize(rows);
    if (status == NV_OK && (walk->seq != walk->log->has_seq ||
                            memcmp(walk->previous.bytes, walk->log->has_hash.bytes, sizeof walk->previous.bytes) != 0))
        bad(walk, walk->log->has_seq, "the log does not end where the store says");
    walk->verified->logs++;
    return status;
}

enum nv_status nv_store_verify(struct nv_store *store, struct nv_verified *ret_verified,
                               void (*progress)(uint64_t done, uint64_t total), struct nv_error *error)
{
    struct nv_verified verified = {0};
    struct walk walk = {.store = store, .verified = &verified, .arena = {.limit = 8 * (size_t)NV_LIMIT_BODY_BYTES}};
    int64_t total;
    bool changed;
    enum nv_status status = nv_db_exec(store->db, "BEGIN", error);
    if (status != NV_OK)
        return status;
    status = nv_db_integer(store->db, "SELECT count(*) FROM navette_changeset", 0, &total, error);
    if (status == NV_OK)
        status = nv_store_refresh(store, &changed, error);
    for (size_t i = 1; status == NV_OK && i <= nv_log_count(store); i++) {
        walk.log = nv_log_by_number(store, (nv_log_number)i);
        status = walk_log(&walk, (uint64_t)total, progress, error);
    }
    nv_vector_done(&walk.context);
    nv_arena_done(&walk.arena);
    sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    if (status == NV_OK)
        *ret_verified = verified;
    return status;
}
