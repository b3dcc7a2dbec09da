#include "wire/changeset.h"

#include <sodium.h>

#include "base/catalogue.h"
#include "wire/body.h"
#include "wire/compress.h"
#include "wire/form.h"
#include "wire/header.h"

enum { HEADER = 1, SIGNATURE = 2, PLAIN = 3, ZSTD = 4 };

_Static_assert(crypto_sign_BYTES == 64, "a signature has 64 bytes");

static enum nv_status refuse(struct nv_error *error, const char *what)
{
    return nv_fail(error, NV_REFUSED, "a changeset is not taken: %s: ask another peer for it", _(what));
}

/* ---- splitting and joining ---- */

static bool take_part(const struct nv_field *field, struct nv_changeset_parts *parts, bool *has_body)
{
    switch (field->number) {
    case HEADER:
        parts->header = field->bytes;
        return field->bytes.size > 0 && field->bytes.size <= NV_LIMIT_HEADER_BYTES;
    case SIGNATURE:
        parts->signature = field->bytes;
        return field->bytes.size == crypto_sign_BYTES;
    case PLAIN:
    case ZSTD:
        if (*has_body)
            return false;
        *has_body = true;
        parts->body = field->bytes;
        parts->compressed = field->number == ZSTD;
        return field->bytes.size <= NV_LIMIT_BODY_BYTES;
    default:
        return true;
    }
}

enum nv_status nv_changeset_split(struct nv_slice bytes, struct nv_changeset_parts *ret_parts, struct nv_error *error)
{
    struct nv_changeset_parts parts = {0};
    struct nv_reader reader = nv_reader_of(bytes);
    bool has_body = false, is_newer = false;
    for (uint32_t last = 0; nv_reader_left(&reader) > 0;) {
        struct nv_field field;
        if (!nv_take_field(&reader, &field))
            return refuse(error, "it is cut short, or is none");
        if (field.number <= last)
            return refuse(error, "it has a part twice, or its parts in another order");
        last = field.number;
        is_newer = is_newer || last > ZSTD;
        if ((last <= ZSTD && field.type != NV_FORM_BYTES) || !take_part(&field, &parts, &has_body))
            return refuse(error, "it has a part of a wrong kind or size");
    }
    if (is_newer)
        return nv_fail(error, NV_NOT_YET,
                       "a changeset has a part that is not known here: newer software wrote it: "
                       "update Navette here");
    if (parts.header.size == 0 || parts.signature.size == 0 || !has_body)
        return refuse(error, "it lacks a part");
    *ret_parts = parts;
    return NV_OK;
}

void nv_changeset_join(const struct nv_changeset_parts *parts, struct nv_buffer *buffer)
{
    nv_append_bytes_field(buffer, HEADER, parts->header);
    nv_append_bytes_field(buffer, SIGNATURE, parts->signature);
    /* An empty body is said all the same: its absence would mean that a part is missing. */
    nv_append_field_start(buffer, parts->compressed ? ZSTD : PLAIN, parts->body.size);
    nv_buffer_append(buffer, parts->body.data, parts->body.size);
}

/* ---- signatures ---- */

static void append_signed(struct nv_slice header, const struct nv_public_key *network, struct nv_buffer *buffer)
{
    static const char prefix[] = "navette changeset 1\n";
    nv_buffer_append(buffer, prefix, sizeof prefix - 1);
    nv_buffer_append(buffer, network->bytes, sizeof network->bytes);
    nv_buffer_append(buffer, header.data, header.size);
}

enum nv_status nv_changeset_verify(const struct nv_changeset_parts *parts, const struct nv_public_key *key,
                                   const struct nv_public_key *network, struct nv_error *error)
{
    if (parts->signature.size != crypto_sign_BYTES)
        return refuse(error, "it has no signature");
    struct nv_buffer said = {0};
    append_signed(parts->header, network, &said);
    bool is_good =
        !said.failed && crypto_sign_verify_detached(parts->signature.data, said.data, said.size, key->bytes) == 0;
    bool failed = said.failed;
    nv_buffer_done(&said);
    if (failed)
        return nv_fail(error, NV_NO_MEMORY, "no memory to check a signature");
    if (!is_good)
        return refuse(error, "it is not signed with that site's key for this network");
    return NV_OK;
}

/* ---- sealing ---- */

static enum nv_status check_ops(const struct nv_slice *ops, size_t count, struct nv_error *error)
{
    if (count > NV_LIMIT_CHANGESET_OPS)
        return nv_fail(error, NV_BUG, "%zu ops are more than a changeset holds: seal them in several", count);
    size_t total = NV_SEED_BYTES + 2;
    for (size_t i = 0; i < count; i++) {
        if (ops[i].size == 0 || ops[i].size > NV_LIMIT_OP_BYTES)
            return nv_fail(error, NV_REFUSED,
                           "a change of %zu bytes is more than one op holds (%u): it stays here and "
                           "is not sent: make the value smaller",
                           ops[i].size, NV_LIMIT_OP_BYTES);
        total += ops[i].size + 2 + 2 * 4;
    }
    if (total > NV_LIMIT_BODY_BYTES - count * NV_REDACTION_BYTES)
        return nv_fail(error, NV_BUG, "ops of %zu bytes are more than a changeset holds: seal them in several", total);
    return NV_OK;
}

static struct nv_hash root_of(const uint8_t seed[NV_SEED_BYTES], const struct nv_slice *ops, size_t count,
                              struct nv_salt *salts, struct nv_hash *digests)
{
    if (count > 0)
        nv_salts_of(seed, salts, count);
    for (size_t i = 0; i < count; i++)
        digests[i] = nv_op_digest(&salts[i], ops[i]);
    return nv_ops_root(digests, count);
}

/* Of the last ops; the authority log has none. */
static uint32_t count_control(const struct nv_scope_id *scope, const struct nv_slice *ops, size_t count)
{
    uint32_t control = 0;
    if (nv_scope_id_equal(*scope, NV_SCOPE_AUTHORITY))
        return 0;
    while (control < count && nv_op_is_control(nv_op_kind_of(ops[count - 1 - control])))
        control++;
    return control;
}

/* The root into the header, the body into the buffer. The seed stands nowhere but in the body. */
static bool seal_body(const uint8_t seed[NV_SEED_BYTES], struct nv_header *header, const struct nv_slice *ops,
                      size_t op_count, struct nv_buffer *scratch)
{
    struct nv_arena arena = {.limit = op_count * (sizeof(struct nv_salt) + sizeof(struct nv_hash)) + 1024};
    struct nv_salt *salts = nv_arena_alloc(&arena, op_count * sizeof *salts);
    struct nv_hash *digests = nv_arena_alloc(&arena, op_count * sizeof *digests);
    if (salts == NULL || digests == NULL)
        scratch->failed = true;
    else
        header->ops_root = root_of(seed, ops, op_count, salts, digests);
    nv_arena_done(&arena);
    header->op_count = (uint32_t)op_count;
    header->control_count = count_control(&header->log.scope, ops, op_count);
    nv_body_encode(seed, ops, op_count, scratch);
    return nv_compress(scratch, 0);
}

static void sign(const struct nv_sign_key *key, const struct nv_public_key *network, struct nv_slice header,
                 struct nv_buffer *scratch)
{
    struct nv_buffer said = {0};
    append_signed(header, network, &said);
    uint8_t signature[crypto_sign_BYTES];
    if (said.failed)
        scratch->failed = true;
    else
        crypto_sign_detached(signature, NULL, said.data, said.size, key->secret);
    if (!scratch->failed)
        nv_buffer_append(scratch, signature, sizeof signature);
    nv_buffer_done(&said);
}

enum nv_status nv_changeset_seal(struct nv_header *header, const struct nv_slice *ops, size_t op_count,
                                 const struct nv_sign_key *key, const struct nv_public_key *network,
                                 struct nv_buffer *scratch, struct nv_changeset_parts *ret_parts,
                                 struct nv_hash *ret_hash, struct nv_error *error)
{
    struct nv_seed seed;
    nv_seed_make(&seed);
    return nv_changeset_seal_from(&seed, header, ops, op_count, key, network, scratch, ret_parts, ret_hash, error);
}

enum nv_status nv_changeset_seal_from(const struct nv_seed *seed, struct nv_header *header, const struct nv_slice *ops,
                                      size_t op_count, const struct nv_sign_key *key,
                                      const struct nv_public_key *network, struct nv_buffer *scratch,
                                      struct nv_changeset_parts *ret_parts, struct nv_hash *ret_hash,
                                      struct nv_error *error)
{
    enum nv_status status = check_ops(ops, op_count, error);
    if (status != NV_OK)
        return status;
    nv_buffer_clear(scratch);
    bool compressed = seal_body(seed->bytes, header, ops, op_count, scratch);
    size_t body_end = scratch->size;
    status = nv_header_encode(header, scratch, error);
    if (status != NV_OK)
        return status;
    size_t header_end = scratch->size;
    struct nv_slice header_bytes = {.data = scratch->data + body_end, .size = header_end - body_end};
    *ret_hash = nv_header_hash(header_bytes);
    sign(key, network, header_bytes, scratch);
    if (scratch->failed)
        return nv_fail(error, NV_NO_MEMORY, "no memory to seal a changeset");
    /* Only now: the buffer has moved while it grew. */
    *ret_parts = (struct nv_changeset_parts){
        .header = {.data = scratch->data + body_end, .size = header_end - body_end},
        .signature = {.data = scratch->data + header_end, .size = scratch->size - header_end},
        .body = {.data = scratch->data, .size = body_end},
        .compressed = compressed,
    };
    return NV_OK;
}
