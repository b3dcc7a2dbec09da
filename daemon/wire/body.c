#include "wire/body.h"

#include <sodium.h>

#include "base/catalogue.h"
#include "base/planted.h"
#include "wire/compress.h"
#include "wire/form.h"

_Static_assert(crypto_stream_chacha20_ietf_KEYBYTES == NV_SEED_BYTES, "the seed is the stream's key");

/* What proves the entries of a body, one of each for every entry. */
struct proof {
    struct nv_salt *salts;
    struct nv_hash *digests;
    size_t count;
    bool has_seed;
};

void nv_seed_make(struct nv_seed *ret_seed)
{
    nv_random(ret_seed->bytes, sizeof ret_seed->bytes);
}

void nv_salts_of(const uint8_t seed[NV_SEED_BYTES], struct nv_salt *ret_salts, size_t count)
{
    static const uint8_t nonce[crypto_stream_chacha20_ietf_NONCEBYTES] = {0};
    crypto_stream_chacha20_ietf(ret_salts->bytes, count * sizeof *ret_salts, nonce, seed);
}

struct nv_hash nv_op_digest(const struct nv_salt *salt, struct nv_slice op)
{
    crypto_generichash_state state;
    struct nv_hash digest;
    crypto_generichash_init(&state, NULL, 0, sizeof digest.bytes);
    crypto_generichash_update(&state, salt->bytes, sizeof salt->bytes);
    crypto_generichash_update(&state, op.data, op.size);
    crypto_generichash_final(&state, digest.bytes, sizeof digest.bytes);
    return digest;
}

struct nv_hash nv_ops_root(const struct nv_hash *digests, size_t count)
{
    struct nv_hash root;
    const uint8_t *bytes = count == 0 ? NULL : digests->bytes;
    crypto_generichash(root.bytes, sizeof root.bytes, bytes, count * sizeof *digests, NULL, 0);
    return root;
}

/* ---- writing ---- */

void nv_body_encode(const uint8_t seed[NV_SEED_BYTES], const struct nv_slice *ops, size_t count,
                    struct nv_buffer *buffer)
{
    if (count == 0)
        return;
    nv_append_bytes_field(buffer, 1, (struct nv_slice){.data = seed, .size = NV_SEED_BYTES});
    for (size_t i = 0; i < count; i++) {
        nv_append_field_start(buffer, 2, 1 + nv_varint_size(ops[i].size) + ops[i].size);
        nv_append_bytes_field(buffer, 1, ops[i]);
    }
}

static void append_entry(const struct nv_entry *entry, const struct nv_salt *salt, const struct nv_hash *digest,
                         struct nv_buffer *buffer)
{
    size_t start = buffer->size;
    if (entry->is_redacted) {
        nv_append_bytes_field(buffer, 3, (struct nv_slice){.data = digest->bytes, .size = sizeof digest->bytes});
    } else {
        nv_append_bytes_field(buffer, 1, entry->op);
        nv_append_bytes_field(buffer, 2, (struct nv_slice){.data = salt->bytes, .size = sizeof salt->bytes});
    }
    nv_append_field_around(buffer, 2, start);
}

/* Returns whether as a zstd frame. */
static bool append_entries(const struct nv_body *body, const struct proof *proof, struct nv_buffer *buffer)
{
    size_t start = buffer->size;
    for (size_t i = 0; i < body->count; i++)
        append_entry(&body->entries[i], &proof->salts[i], &proof->digests[i], buffer);
    return nv_compress(buffer, start);
}

/* ---- reading ---- */

static enum nv_status refuse(struct nv_error *error, const char *what)
{
    return nv_fail(error, NV_REFUSED, "a changeset's body is not what was signed: %s: ask another peer for it",
                   _(what));
}

static bool take_exactly(struct nv_slice bytes, void *ret_bytes, size_t size)
{
    if (bytes.size != size)
        return false;
    memcpy(ret_bytes, bytes.data, size);
    return true;
}

/* An entry is an op (and its salt where there is no seed), or a digest alone. */
static bool read_entry(struct nv_slice bytes, bool has_seed, struct nv_entry *ret_entry, struct nv_salt *ret_salt,
                       struct nv_hash *ret_digest)
{
    struct nv_reader reader = nv_reader_of(bytes);
    struct nv_field first, second;
    if (!nv_take_field(&reader, &first) || first.type != NV_FORM_BYTES)
        return false;
    if (first.number == 3) {
        *ret_entry = (struct nv_entry){.is_redacted = true};
        return !has_seed && nv_reader_left(&reader) == 0 &&
               take_exactly(first.bytes, ret_digest->bytes, sizeof ret_digest->bytes);
    }
    if (first.number != 1 || first.bytes.size == 0 || first.bytes.size > NV_LIMIT_OP_BYTES)
        return false;
    *ret_entry = (struct nv_entry){.op = first.bytes};
    if (!has_seed && (!nv_take_field(&reader, &second) || second.number != 2 || second.type != NV_FORM_BYTES ||
                      !take_exactly(second.bytes, ret_salt->bytes, sizeof ret_salt->bytes)))
        return false;
    return nv_reader_left(&reader) == 0;
}

static enum nv_status read_entries(struct nv_slice bytes, struct nv_body *body, struct proof *proof,
                                   struct nv_error *error)
{
    struct nv_reader reader = nv_reader_of(bytes), behind = reader;
    struct nv_field field;
    if (nv_take_field(&behind, &field) && field.number == 1) {
        if (field.type != NV_FORM_BYTES || field.bytes.size != NV_SEED_BYTES || body->count == 0)
            return refuse(error, "it has a seed that is none");
        if (bytes.size > NV_LIMIT_BODY_BYTES - body->count * NV_REDACTION_BYTES)
            return refuse(error, "it is too long to be redacted");
        proof->has_seed = true;
        nv_salts_of(field.bytes.data, proof->salts, body->count);
        reader = behind;
    }
    for (size_t i = 0; i < body->count; i++)
        if (!nv_take_field(&reader, &field) || field.number != 2 || field.type != NV_FORM_BYTES ||
            !read_entry(field.bytes, proof->has_seed, &body->entries[i], &proof->salts[i], &proof->digests[i]))
            return refuse(error, "it has fewer entries than the header says, or one that is none");
    if (nv_reader_left(&reader) > 0)
        return refuse(error, "it has more in it than the header says");
    return NV_OK;
}

static enum nv_status allocate(struct nv_arena *arena, size_t count, struct nv_body *body, struct proof *proof,
                               struct nv_error *error)
{
    body->count = proof->count = count;
    body->entries = nv_arena_alloc(arena, count * sizeof *body->entries);
    proof->salts = nv_arena_alloc(arena, count * sizeof *proof->salts);
    proof->digests = nv_arena_alloc(arena, count * sizeof *proof->digests);
    if (body->entries == NULL || proof->salts == NULL || proof->digests == NULL)
        return nv_fail(error, NV_NO_MEMORY, "no memory for a changeset of %zu ops", count);
    return NV_OK;
}

static enum nv_status open_body(const struct nv_changeset_parts *parts, const struct nv_header *header,
                                struct nv_arena *arena, struct nv_body *ret_body, struct proof *ret_proof,
                                struct nv_error *error)
{
    struct nv_slice bytes = parts->body;
    struct nv_body body = {0};
    struct proof proof = {0};
    if (header->op_count > NV_LIMIT_CHANGESET_OPS || bytes.size > NV_LIMIT_BODY_BYTES)
        return refuse(error, "it is over the protocol's limits");
    enum nv_status status = NV_OK;
    if (parts->compressed)
        status = nv_decompress(parts->body, NV_LIMIT_BODY_BYTES, arena, &bytes, error);
    if (status == NV_OK)
        status = allocate(arena, header->op_count, &body, &proof, error);
    if (status == NV_OK)
        status = read_entries(bytes, &body, &proof, error);
    if (status != NV_OK)
        return status;
    for (size_t i = 0; i < body.count; i++) {
        if (body.entries[i].is_redacted)
            continue;
        body.entries[i].salt = &proof.salts[i];
        proof.digests[i] = nv_op_digest(&proof.salts[i], body.entries[i].op);
    }
    struct nv_hash root = nv_ops_root(proof.digests, proof.count);
    if (memcmp(root.bytes, header->ops_root.bytes, sizeof root.bytes) != 0 && !NV_PLANTED(SKIP_OPS_ROOT))
        return refuse(error, "it does not fit the header's ops root");
    *ret_body = body;
    *ret_proof = proof;
    return NV_OK;
}

/* Control ops stand at the end, where the header says, and nothing else does. */
static void leave_out_misplaced(const struct nv_header *header, struct nv_body *body)
{
    if (nv_scope_id_equal(header->log.scope, NV_SCOPE_AUTHORITY))
        return;
    for (size_t i = 0; i < body->count; i++) {
        struct nv_entry *entry = &body->entries[i];
        uint32_t kind = entry->is_redacted ? 0 : nv_op_kind_of(entry->op);
        bool is_control = nv_op_is_control(kind);
        bool is_known = is_control || kind == NV_OP_PUT || kind == NV_OP_DELETE || kind == NV_OP_SEALED;
        if (is_known && is_control != nv_is_control_place(header, i))
            entry->op = (struct nv_slice){0};
    }
}

enum nv_status nv_body_open(const struct nv_changeset_parts *parts, const struct nv_header *header,
                            struct nv_arena *arena, struct nv_body *ret_body, struct nv_error *error)
{
    struct proof proof;
    enum nv_status status = open_body(parts, header, arena, ret_body, &proof, error);
    if (status == NV_OK)
        leave_out_misplaced(header, ret_body);
    return status;
}

enum nv_status nv_body_redact(const struct nv_changeset_parts *parts, const struct nv_header *header,
                              const bool *redact, struct nv_arena *arena, struct nv_buffer *buffer,
                              bool *ret_compressed, struct nv_error *error)
{
    struct nv_body body;
    struct proof proof;
    enum nv_status status = open_body(parts, header, arena, &body, &proof, error);
    if (status != NV_OK)
        return status;
    bool any = false;
    for (size_t i = 0; i < body.count; i++)
        any = any || (redact[i] && !body.entries[i].is_redacted);
    if (!any) { /* the seed must not give way: the same bytes once more */
        nv_buffer_append(buffer, parts->body.data, parts->body.size);
        *ret_compressed = parts->compressed;
    } else {
        for (size_t i = 0; i < body.count; i++)
            body.entries[i].is_redacted = body.entries[i].is_redacted || redact[i];
        *ret_compressed = append_entries(&body, &proof, buffer);
    }
    return buffer->failed ? nv_fail(error, NV_NO_MEMORY, "no memory for a redacted body") : NV_OK;
}

enum nv_status nv_body_fill(const struct nv_changeset_parts *parts, const struct nv_changeset_parts *copy,
                            const struct nv_header *header, const bool *given, struct nv_arena *arena,
                            struct nv_buffer *buffer, bool *ret_compressed, struct nv_error *error)
{
    struct nv_body body, other;
    struct proof proof, other_proof;
    enum nv_status status = open_body(parts, header, arena, &body, &proof, error);
    if (status == NV_OK)
        status = open_body(copy, header, arena, &other, &other_proof, error);
    if (status != NV_OK)
        return status;
    bool is_whole = true; /* then the seed is enough, where the copy has it */
    for (size_t i = 0; i < body.count; i++) {
        if (body.entries[i].is_redacted && given[i] && !other.entries[i].is_redacted) {
            body.entries[i] = other.entries[i];
            proof.salts[i] = other_proof.salts[i];
        }
        is_whole = is_whole && !body.entries[i].is_redacted && !other.entries[i].is_redacted;
    }
    if (is_whole) {
        nv_buffer_append(buffer, copy->body.data, copy->body.size);
        *ret_compressed = copy->compressed;
    } else {
        *ret_compressed = append_entries(&body, &proof, buffer);
    }
    return buffer->failed ? nv_fail(error, NV_NO_MEMORY, "no memory for a body that came late") : NV_OK;
}
