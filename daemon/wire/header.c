#include "wire/header.h"

#include <assert.h>

#include "base/catalogue.h"
#include "core/heads.h"
#include "wire/form.h"
#include "wire/hash.h"
#include "wire/heads.h"
#include "wire/unpack.h"

struct nv_hash nv_header_hash(struct nv_slice header_bytes)
{
    return nv_hash_of(header_bytes);
}

/* What is wrong with a header by itself; NULL where nothing is. */
static const char *context_fault(const struct nv_header *header)
{
    if (header->context_count > NV_LIMIT_CONTEXT_HEADS)
        return N_("its context names more heads than the protocol allows");
    for (size_t i = 0; i < header->context_count; i++) {
        const struct nv_far_head *head = &header->context[i];
        if (i > 0 && nv_far_head_order(&header->context[i - 1], head) >= 0)
            return N_("its context is not ascending, or names a log twice");
        if (!nv_scope_id_equal(head->scope, header->log.scope) || head->seq == 0)
            return N_("its context names a head that is none in its scope");
        if (nv_site_id_compare(head->site, header->log.site) == 0 && head->epoch == header->log.epoch)
            return N_("its context names its own log");
    }
    return NULL;
}

static const char *header_fault(const struct nv_header *header)
{
    bool is_authority = nv_scope_id_equal(header->log.scope, NV_SCOPE_AUTHORITY);
    if (header->seq == 0)
        return N_("its seq is 0");
    if (header->sealed.ms < 0 || header->sealed.ms > NV_LIMIT_TIME_MS)
        return N_("it was sealed at a time out of range");
    if (header->op_count > NV_LIMIT_CHANGESET_OPS)
        return N_("it has more ops than the protocol allows");
    if (header->control_count > header->op_count || (is_authority && header->control_count > 0))
        return N_("it has more control ops than ops, or some in the authority log");
    if (is_authority != (header->authority_seq == 0))
        return N_("it names no authority position where one is needed, or one where none may be");
    if (is_authority && header->context_count > 0)
        return N_("the authority log has no context");
    return context_fault(header);
}

static enum nv_status refuse(struct nv_error *error, const char *what)
{
    return nv_fail(error, NV_REFUSED, "a header is against the protocol: %s: its changeset is not taken", _(what));
}

/* A header's format comes first, so that software of any age can tell which one it is. */
static enum nv_status check_format(struct nv_slice bytes, struct nv_error *error)
{
    struct nv_reader reader = nv_reader_of(bytes);
    struct nv_field field;
    if (!nv_take_field(&reader, &field) || field.number != 1 || field.type != NV_FORM_VARINT || field.value == 0)
        return refuse(error, "it names no format");
    if (field.value != NV_FORMAT)
        return nv_fail(error, NV_NOT_YET,
                       "a header of a format that is not known here: newer software wrote it: "
                       "update Navette here");
    return NV_OK;
}

static bool take_ids(const Navette__Header *wire, struct nv_header *header)
{
    bool has_previous = wire->seq > 1, has_authority = wire->authority_seq > 0;
    header->previous = (struct nv_hash){0};
    header->authority_pin = (struct nv_pin){0};
    return nv_binary_take(wire->site, header->log.site.bytes, sizeof header->log.site.bytes) &&
           nv_binary_take(wire->scope, header->log.scope.bytes, sizeof header->log.scope.bytes) &&
           nv_binary_take(wire->ops_root, header->ops_root.bytes, sizeof header->ops_root.bytes) &&
           nv_binary_take(wire->previous, header->previous.bytes, has_previous ? sizeof header->previous.bytes : 0) &&
           nv_binary_take(wire->authority_pin, header->authority_pin.bytes,
                          has_authority ? sizeof header->authority_pin.bytes : 0);
}

enum nv_status nv_header_decode(struct nv_slice bytes, struct nv_arena *arena, struct nv_header *ret_header,
                                struct nv_error *error)
{
    if (bytes.size > NV_LIMIT_HEADER_BYTES)
        return refuse(error, "it is longer than the protocol allows");
    enum nv_status status = check_format(bytes, error);
    if (status != NV_OK)
        return status;
    const ProtobufCMessage *message;
    status = nv_unpack_signed(&navette__header__descriptor, bytes, arena, "a header", &message, error);
    if (status != NV_OK)
        return status;
    const Navette__Header *wire = (const Navette__Header *)message;
    struct nv_header header = {
        .format = wire->format,
        .log.epoch = wire->epoch,
        .seq = wire->seq,
        .absolute = wire->absolute,
        .context_count = wire->n_context,
        .authority_seq = wire->authority_seq,
        .op_count = wire->op_count,
        .control_count = wire->control_count,
    };
    if (wire->sealed_ms > NV_LIMIT_TIME_MS)
        return refuse(error, "it was sealed at a time out of range");
    header.sealed.ms = (int64_t)wire->sealed_ms;
    if (!take_ids(wire, &header))
        return refuse(error, "an id or a hash is missing, or is of another size");
    if (wire->n_context > NV_LIMIT_CONTEXT_HEADS)
        return refuse(error, "its context names more heads than the protocol allows");
    status = nv_heads_take(wire->context, wire->n_context, &header.log.scope, arena, &header.context, error);
    if (status != NV_OK)
        return status;
    const char *fault = header_fault(&header);
    if (fault != NULL)
        return refuse(error, fault);
    *ret_header = header;
    return NV_OK;
}

enum nv_status nv_header_encode(const struct nv_header *header, struct nv_buffer *buffer, struct nv_error *error)
{
    const char *fault = header->format != NV_FORMAT ? N_("its format is another") : header_fault(header);
    if (fault != NULL)
        return nv_fail(error, NV_BUG, "a header of ours that no site would take: %s", _(fault));
    struct nv_arena arena = {.limit = header->context_count * (sizeof(Navette__Head) + sizeof(void *)) + 1024};
    Navette__Header wire = NAVETTE__HEADER__INIT;
    wire.format = header->format;
    wire.site = nv_binary(header->log.site.bytes, sizeof header->log.site.bytes);
    wire.epoch = header->log.epoch;
    wire.scope = nv_binary(header->log.scope.bytes, sizeof header->log.scope.bytes);
    wire.seq = header->seq;
    if (header->seq > 1)
        wire.previous = nv_binary(header->previous.bytes, sizeof header->previous.bytes);
    wire.sealed_ms = (uint64_t)header->sealed.ms;
    wire.absolute = header->absolute;
    wire.n_context = header->context_count;
    wire.context = nv_heads_to_pack(header->context, header->context_count, false, &arena);
    wire.authority_seq = header->authority_seq;
    if (header->authority_seq > 0)
        wire.authority_pin = nv_binary(header->authority_pin.bytes, sizeof header->authority_pin.bytes);
    wire.op_count = header->op_count;
    wire.control_count = header->control_count;
    wire.ops_root = nv_binary(header->ops_root.bytes, sizeof header->ops_root.bytes);
    size_t start = buffer->size;
    if (wire.context == NULL)
        buffer->failed = true;
    else
        nv_pack(&wire.base, buffer);
    nv_arena_done(&arena);
    if (buffer->failed)
        return nv_fail(error, NV_NO_MEMORY, "no memory for a header");
    /* So many heads at their longest are shorter: 58 bytes each. */
    assert(buffer->size - start <= NV_LIMIT_HEADER_BYTES);
    return NV_OK;
}
