/* protobuf-c at arm's length: decoding into an arena with a bound of its own, encoding into a buffer. Internal to
 * wire/.
 *
 * protobuf-c allocates up to seventy times what it reads. The bound here follows from the size of the input alone, so
 * that all sites refuse alike, and leaves room enough for everything that keeps to the protocol's other limits.
 */
#pragma once

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "proto/navette.pb-c.h"

/* Decodes; the message lives in `arena`. `what` names it in errors. NV_REFUSED, NV_NO_MEMORY. */
enum nv_status nv_unpack(const ProtobufCMessageDescriptor *descriptor, struct nv_slice bytes, struct nv_arena *arena,
                         const char *what, const ProtobufCMessage **ret_message, struct nv_error *error);

/* The same for what a signature covers (it has no oneof): NV_NOT_YET where a field is not known here, at any depth, and
 * NV_REFUSED where the bytes are not the canonical form (PROTOCOL.md, "Canonical form"), so no two decoders can read
 * them differently. */
enum nv_status nv_unpack_signed(const ProtobufCMessageDescriptor *descriptor, struct nv_slice bytes,
                                struct nv_arena *arena, const char *what, const ProtobufCMessage **ret_message,
                                struct nv_error *error);

void nv_pack(const ProtobufCMessage *message, struct nv_buffer *buffer);

/* Bytes for a message that is packed before they go away. */
ProtobufCBinaryData nv_binary(const void *bytes, size_t size);

/* Copies exactly `size` bytes; false where there are more or fewer. */
bool nv_binary_take(ProtobufCBinaryData binary, void *ret_bytes, size_t size);
