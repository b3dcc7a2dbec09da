/* Changesets: the parts, the header, the signature, the body and its redaction, each op. */
#include <assert.h>
#include <sodium.h>

#include "parts.h"
#include "target.h"
#include "wire/body.h"
#include "wire/form.h"
#include "wire/header.h"

enum { OPS_MAX = 6, WRITER = 1, AUTHORITY = 2 };

/* ---- what must hold of all that was taken ---- */

static void check_header(struct nv_slice bytes, const struct nv_header *header)
{
    struct nv_buffer again = {0};
    enum nv_status status = nv_header_encode(header, &again, NULL);
    assert(status == NV_OK && nv_slice_equal(nv_buffer_slice(&again), bytes));
    nv_buffer_done(&again);
}

static void check_ops(const struct nv_body *body, struct nv_arena *arena)
{
    struct nv_op *op = nv_fuzz_alloc(arena, sizeof *op);
    for (size_t i = 0; i < body->count; i++)
        if (!body->entries[i].is_redacted && nv_op_decode(body->entries[i].op, arena, op, NULL) == NV_OK)
            nv_fuzz_op_again(op, body->entries[i].op);
}

/* Lets go of some bodies: the header holds as before, and the others are what they were. */
static void check_redaction(const struct nv_changeset_parts *parts, const struct nv_header *header,
                            const struct nv_body *body, uint64_t which, struct nv_arena *arena)
{
    bool *redact = nv_fuzz_alloc(arena, body->count + 1);
    for (size_t i = 0; i < body->count; i++)
        redact[i] = which >> i % 64 & 1;
    struct nv_buffer bytes = {0}, again = {0};
    struct nv_changeset_parts redacted = *parts;
    struct nv_body left;
    enum nv_status status = nv_body_redact(parts, header, redact, arena, &bytes, &redacted.compressed, NULL);
    assert(status == NV_OK);
    redacted.body = nv_buffer_slice(&bytes);
    status = nv_body_open(&redacted, header, arena, &left, NULL);
    assert(status == NV_OK && left.count == body->count);
    for (size_t i = 0; i < left.count; i++) {
        assert(left.entries[i].is_redacted == (redact[i] || body->entries[i].is_redacted));
        assert(left.entries[i].is_redacted || nv_slice_equal(left.entries[i].op, body->entries[i].op));
    }
    bool is_compressed;
    status = nv_body_redact(&redacted, header, redact, arena, &again, &is_compressed, NULL);
    assert(status == NV_OK && is_compressed == redacted.compressed &&
           nv_slice_equal(nv_buffer_slice(&again), redacted.body));
    nv_buffer_done(&bytes);
    nv_buffer_done(&again);
}

static bool open_body(const struct nv_changeset_parts *parts, const struct nv_header *header, struct nv_arena *arena,
                      struct nv_body *ret_body)
{
    if (nv_body_open(parts, header, arena, ret_body, NULL) != NV_OK)
        return false;
    check_ops(ret_body, arena);
    check_redaction(parts, header, ret_body, 0, arena);
    check_redaction(parts, header, ret_body, 0x5a5a5a5a5a5a5a5a >> header->seq % 8, arena);
    return true;
}

/* Whether all of it is taken, as by the site that it comes to. */
static bool take(struct nv_slice bytes, struct nv_arena *arena, struct nv_body *ret_body)
{
    struct nv_changeset_parts parts;
    struct nv_header header;
    struct nv_sign_key writer = nv_fuzz_key(WRITER), authority = nv_fuzz_key(AUTHORITY);
    if (nv_changeset_split(bytes, &parts, NULL) != NV_OK)
        return false;
    struct nv_buffer joined = {0};
    nv_changeset_join(&parts, &joined);
    assert(nv_slice_equal(nv_buffer_slice(&joined), bytes));
    nv_buffer_done(&joined);
    bool is_signed = nv_changeset_verify(&parts, &writer.public_key, &authority.public_key, NULL) == NV_OK;
    if (nv_header_decode(parts.header, arena, &header, NULL) != NV_OK)
        return false;
    check_header(parts.header, &header);
    return open_body(&parts, &header, arena, ret_body) && is_signed;
}

/* ---- bytes as they come ---- */

static void take_header(struct nv_slice bytes)
{
    struct nv_header header;
    if (nv_header_decode(bytes, nv_fuzz_arena(), &header, NULL) == NV_OK)
        check_header(bytes, &header);
}

/* Reads the digests that a body stands for, as far as it has any, so that its header can be made to fit. */
static size_t digests_of(struct nv_slice body, struct nv_hash *ret_digests)
{
    struct nv_salt salts[OPS_MAX] = {0};
    struct nv_reader reader = nv_reader_of(body);
    struct nv_field field;
    size_t count = 0;
    while (count < OPS_MAX && nv_take_field(&reader, &field)) {
        if (field.number == 1 && count == 0 && field.bytes.size == NV_SEED_BYTES)
            nv_salts_of(field.bytes.data, salts, OPS_MAX);
        if (field.number != 2)
            continue;
        struct nv_reader entry = nv_reader_of(field.bytes);
        struct nv_field part;
        struct nv_slice op = {0};
        struct nv_hash digest = {{0}};
        while (nv_take_field(&entry, &part)) {
            if (part.number == 1)
                op = part.bytes;
            if (part.number == 2 && part.bytes.size == NV_SALT_BYTES)
                memcpy(salts[count].bytes, part.bytes.data, NV_SALT_BYTES);
            if (part.number == 3 && part.bytes.size == sizeof digest.bytes)
                memcpy(digest.bytes, part.bytes.data, sizeof digest.bytes);
        }
        ret_digests[count] = op.size > 0 ? nv_op_digest(&salts[count], op) : digest;
        count++;
    }
    return count;
}

static void take_body(struct nv_slice bytes)
{
    struct nv_arena *arena = nv_fuzz_arena();
    struct nv_hash digests[OPS_MAX];
    struct nv_body body;
    size_t count = digests_of(bytes, digests);
    struct nv_header header = {.seq = bytes.size, .op_count = (uint32_t)count, .ops_root = nv_ops_root(digests, count)};
    struct nv_changeset_parts parts = {.body = bytes};
    open_body(&parts, &header, arena, &body);
}

/* ---- what was sealed, then a bit of it turned ---- */

static void some_ops(struct nv_dice *dice, struct nv_arena *arena, struct nv_slice *ret_ops, size_t count)
{
    struct nv_op *op = nv_fuzz_alloc(arena, sizeof *op);
    for (size_t i = 0; i < count; i++) {
        struct nv_buffer bytes = {0};
        if (nv_dice_percent(dice, 20))
            nv_buffer_append(&bytes, "\x08\x63", 2); /* of a kind that is not known yet */
        else
            nv_fuzz_op(dice, arena, op), nv_op_encode(op, &bytes);
        uint8_t *copy = nv_fuzz_alloc(arena, bytes.size);
        memcpy(copy, bytes.data, bytes.size);
        ret_ops[i] = (struct nv_slice){.data = copy, .size = bytes.size};
        nv_buffer_done(&bytes);
    }
}

/* Control ops stand at the end, and nothing else among them; what the protocol does not know stands anywhere. */
static bool belongs(const struct nv_header *header, struct nv_slice op, size_t place)
{
    uint32_t kind = nv_op_kind_of(op);
    bool is_control = kind == NV_OP_REDACT || kind == NV_OP_GRANT || kind == NV_OP_ASK;
    bool is_of_records = kind == NV_OP_PUT || kind == NV_OP_DELETE || kind == NV_OP_SEALED;
    bool at_the_end = place + header->control_count >= header->op_count;
    return nv_scope_id_equal(header->log.scope, NV_SCOPE_AUTHORITY) || !(is_control || is_of_records) ||
           is_control == at_the_end;
}

static bool has_ops(const struct nv_header *header, const struct nv_body *body, const struct nv_slice *ops,
                    size_t count)
{
    bool are_there = body->count == count;
    for (size_t i = 0; are_there && i < count; i++) {
        struct nv_slice op = belongs(header, ops[i], i) ? ops[i] : (struct nv_slice){0};
        are_there = !body->entries[i].is_redacted && nv_slice_equal(body->entries[i].op, op);
    }
    return are_there;
}

static void seal(struct nv_dice *dice)
{
    struct nv_arena *arena = nv_fuzz_arena();
    struct nv_sign_key writer = nv_fuzz_key(WRITER), authority = nv_fuzz_key(AUTHORITY);
    struct nv_header header = nv_fuzz_header(dice, arena);
    struct nv_slice ops[OPS_MAX];
    size_t count = nv_dice_below(dice, OPS_MAX + 1);
    some_ops(dice, arena, ops, count);
    struct nv_buffer scratch = {0}, bytes = {0};
    struct nv_changeset_parts parts;
    struct nv_hash hash;
    struct nv_body body;
    enum nv_status status =
        nv_changeset_seal(&header, ops, count, &writer, &authority.public_key, &scratch, &parts, &hash, NULL);
    assert(status == NV_OK);
    nv_changeset_join(&parts, &bytes);
    bool is_taken = take(nv_buffer_slice(&bytes), arena, &body);
    assert(is_taken && has_ops(&header, &body, ops, count));
    nv_fuzz_flip(dice, bytes.data, bytes.size);
    /* A zstd frame may have several forms, and is not signed; what is in it is. */
    if (take(nv_buffer_slice(&bytes), arena, &body))
        assert(has_ops(&header, &body, ops, count));
    nv_buffer_done(&scratch);
    nv_buffer_done(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct nv_slice rest = {.data = data + 1, .size = size - 1};
    struct nv_dice dice = nv_dice_scripted(rest);
    struct nv_body body;
    nv_fuzz_start();
    switch (data[0] % 4) {
    case 0:
        take(rest, nv_fuzz_arena(), &body);
        break;
    case 1:
        take_header(rest);
        break;
    case 2:
        take_body(rest);
        break;
    default:
        seal(&dice);
        break;
    }
    return 0;
}
