#include "wire/unpack.h"

#include <string.h>

#include "base/catalogue.h"

enum { TIMES_MAX = 32, BEYOND_SIZE_MAX = 8 << 20, ALWAYS = 64 << 10 };

struct bound {
    struct nv_arena *arena;
    size_t left;
    bool is_over;      /* the input asked for more than its bound */
    bool is_exhausted; /* the arena had no more to give */
};

static void *allocate(void *data, size_t size)
{
    struct bound *bound = data;
    /* The arena rounds up; a flood of empty pieces must not come for free. */
    size_t cost = size + 16;
    if (cost > bound->left) {
        bound->is_over = true;
        return NULL;
    }
    bound->left -= cost;
    void *bytes = nv_arena_alloc(bound->arena, size);
    bound->is_exhausted = bound->is_exhausted || bytes == NULL;
    return bytes;
}

static void release(void *data, void *pointer)
{
    (void)data;
    (void)pointer; /* the arena gives everything back at once */
}

static size_t bound_of(size_t size)
{
    size_t most = size < BEYOND_SIZE_MAX / (TIMES_MAX - 1) ? size * TIMES_MAX : size + BEYOND_SIZE_MAX;
    return most + ALWAYS;
}

enum nv_status nv_unpack(const ProtobufCMessageDescriptor *descriptor, struct nv_slice bytes, struct nv_arena *arena,
                         const char *what, const ProtobufCMessage **ret_message, struct nv_error *error)
{
    struct bound bound = {.arena = arena, .left = bound_of(bytes.size)};
    ProtobufCAllocator allocator = {.alloc = allocate, .free = release, .allocator_data = &bound};
    const ProtobufCMessage *message = protobuf_c_message_unpack(descriptor, &allocator, bytes.size, bytes.data);
    if (message != NULL) {
        *ret_message = message;
        return NV_OK;
    }
    if (bound.is_over)
        return nv_fail(error, NV_REFUSED, "%s: it costs more memory than any honest one: not taken", _(what));
    if (bound.is_exhausted)
        return nv_fail(error, NV_NO_MEMORY, "%s: no memory left to read it", _(what));
    return nv_fail(error, NV_REFUSED, "%s: its bytes cannot be read: it was damaged or is not one: not taken", _(what));
}

static bool has_unknown(const ProtobufCMessage *message);

static bool field_has_unknown(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    const char *base = (const char *)message;
    if (field->label != PROTOBUF_C_LABEL_REPEATED) {
        const ProtobufCMessage *const *member = (const void *)(base + field->offset);
        return *member != NULL && has_unknown(*member);
    }
    const size_t *count = (const void *)(base + field->quantifier_offset);
    const ProtobufCMessage *const *const *members = (const void *)(base + field->offset);
    for (size_t i = 0; i < *count; i++)
        if (has_unknown((*members)[i]))
            return true;
    return false;
}

/* No message type holds itself, so this goes only a few levels down. */
static bool has_unknown(const ProtobufCMessage *message)
{
    if (message->n_unknown_fields > 0)
        return true;
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        if (field->type == PROTOBUF_C_TYPE_MESSAGE && field_has_unknown(message, field))
            return true;
    }
    return false;
}

enum nv_status nv_unpack_signed(const ProtobufCMessageDescriptor *descriptor, struct nv_slice bytes,
                                struct nv_arena *arena, const char *what, const ProtobufCMessage **ret_message,
                                struct nv_error *error)
{
    const ProtobufCMessage *message;
    enum nv_status status = nv_unpack(descriptor, bytes, arena, what, &message, error);
    if (status != NV_OK)
        return status;
    if (has_unknown(message))
        return nv_fail(error, NV_NOT_YET,
                       "%s: it has a part that is not known here: newer software wrote it: update "
                       "Navette here",
                       _(what));
    bool is_canonical = protobuf_c_message_get_packed_size(message) == bytes.size;
    if (is_canonical) {
        uint8_t *again = nv_arena_alloc(arena, bytes.size);
        if (again == NULL)
            return nv_fail(error, NV_NO_MEMORY, "%s: no memory left to read it", _(what));
        protobuf_c_message_pack(message, again);
        is_canonical = bytes.size == 0 || memcmp(again, bytes.data, bytes.size) == 0;
    }
    if (!is_canonical)
        return nv_fail(error, NV_REFUSED, "%s: its bytes are not in canonical form: not taken", _(what));
    *ret_message = message;
    return NV_OK;
}

void nv_pack(const ProtobufCMessage *message, struct nv_buffer *buffer)
{
    uint8_t *room = nv_buffer_extend(buffer, protobuf_c_message_get_packed_size(message));
    if (room != NULL)
        protobuf_c_message_pack(message, room);
}

ProtobufCBinaryData nv_binary(const void *bytes, size_t size)
{
    return (ProtobufCBinaryData){.len = size, .data = (uint8_t *)bytes};
}

bool nv_binary_take(ProtobufCBinaryData binary, void *ret_bytes, size_t size)
{
    if (binary.len != size)
        return false;
    if (size > 0)
        memcpy(ret_bytes, binary.data, size);
    return true;
}
