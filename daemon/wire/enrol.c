/* A site's request to be certified, and the answer. */
#include <sodium.h>

#include "base/catalogue.h"
#include "wire/recovery.h"
#include "wire/text.h"
#include "wire/unpack.h"

enum { REQUEST_BYTES_MAX = 4 << 10, REASON_BYTES_MAX = 1024, NUMBER_BYTES = 8 };

static const char prefix[] = "navette enrol 1\n";

static enum nv_status refuse(struct nv_error *error, const char *what)
{
    return nv_fail(error, NV_REFUSED, "a request to join is not good: %s: nothing was certified", _(what));
}

/* ---- requests ---- */

static void append_signed(struct nv_slice request, struct nv_buffer *buffer)
{
    nv_buffer_append(buffer, prefix, sizeof prefix - 1);
    nv_buffer_append(buffer, request.data, request.size);
}

static void prove(struct nv_slice request, const struct nv_hash *secret_hash, uint8_t ret_proof[32])
{
    crypto_generichash(ret_proof, 32, request.data, request.size, secret_hash->bytes, sizeof secret_hash->bytes);
}

static void append_enrol_body(const struct nv_certificate *wanted, uint64_t invitation_number, bool recovers,
                              struct nv_buffer *buffer)
{
    uint8_t number[NUMBER_BYTES];
    for (size_t i = 0; i < sizeof number; i++)
        number[i] = (uint8_t)(invitation_number >> (8 * i));
    Navette__EnrolBody body = NAVETTE__ENROL_BODY__INIT;
    body.recovers = recovers;
    if (!recovers)
        body.site = nv_binary(wanted->site.bytes, sizeof wanted->site.bytes);
    body.name = (char *)wanted->name;
    body.sign_key = nv_binary(wanted->sign_key.bytes, sizeof wanted->sign_key.bytes);
    body.curve_key = nv_binary(wanted->curve_key.bytes, sizeof wanted->curve_key.bytes);
    body.recovery_key = nv_binary(wanted->recovery_key.bytes, sizeof wanted->recovery_key.bytes);
    body.n_endpoints = wanted->endpoint_count;
    body.endpoints = (char **)wanted->endpoints;
    body.invitation = nv_binary(number, sizeof number);
    nv_pack(&body.base, buffer);
}

/* `recovery_proof` NULL: a site that joins. */
static void append_enrol_request(struct nv_slice request, const uint8_t secret[32], const uint8_t *recovery_proof,
                                 const struct nv_sign_key *key, struct nv_buffer *buffer)
{
    struct nv_buffer said = {0};
    append_signed(request, &said);
    if (said.failed) {
        buffer->failed = true;
    } else {
        struct nv_hash secret_hash = nv_invitation_secret_hash(secret);
        uint8_t proof[32], signature[crypto_sign_BYTES];
        prove(request, &secret_hash, proof);
        crypto_sign_detached(signature, NULL, said.data, said.size, key->secret);
        Navette__EnrolRequest wire = NAVETTE__ENROL_REQUEST__INIT;
        wire.request = nv_binary(request.data, request.size);
        wire.proof = nv_binary(proof, sizeof proof);
        wire.signature = nv_binary(signature, sizeof signature);
        if (recovery_proof != NULL)
            wire.recovery_proof = nv_binary(recovery_proof, NV_RECOVERY_PROOF_BYTES);
        nv_pack(&wire.base, buffer);
        nv_wipe(&secret_hash, sizeof secret_hash);
    }
    nv_buffer_done(&said);
}

void nv_enrol_request_encode(const struct nv_certificate *wanted, uint64_t invitation_number, const uint8_t secret[32],
                             const struct nv_sign_key *key, struct nv_buffer *buffer)
{
    struct nv_buffer request = {0};
    append_enrol_body(wanted, invitation_number, false, &request);
    if (request.failed)
        buffer->failed = true;
    else
        append_enrol_request(nv_buffer_slice(&request), secret, NULL, key, buffer);
    nv_buffer_done(&request);
}

enum nv_status nv_enrol_recovery_encode(const struct nv_certificate *wanted, const struct nv_invitation *invitation,
                                        const struct nv_sign_key *key, const struct nv_curve_key *recovery,
                                        struct nv_buffer *buffer, struct nv_error *error)
{
    struct nv_buffer request = {0};
    struct nv_certificate with_key = *wanted;
    uint8_t proof[NV_RECOVERY_PROOF_BYTES];
    enum nv_status status = NV_OK;
    with_key.recovery_key = recovery->public_key;
    append_enrol_body(&with_key, invitation->number, true, &request);
    if (request.failed)
        buffer->failed = true;
    else if (!nv_recovery_prove(recovery, &invitation->hub_curve_key, &invitation->authority_key,
                                nv_buffer_slice(&request), proof))
        status = nv_fail(error, NV_REFUSED, "the hub's key in the invitation is none: ask for a new one");
    else
        append_enrol_request(nv_buffer_slice(&request), invitation->secret, proof, key, buffer);
    nv_buffer_done(&request);
    return status == NV_OK && buffer->failed ? nv_fail(error, NV_NO_MEMORY, "no memory to ask the hub") : status;
}

static enum nv_status take_wanted(const Navette__EnrolBody *wire, struct nv_enrol_request *request,
                                  struct nv_error *error)
{
    struct nv_certificate *wanted = &request->wanted;
    wanted->role = NV_ROLE_SITE;
    wanted->name = wire->name;
    wanted->endpoint_count = wire->n_endpoints;
    wanted->endpoints = (const char *const *)wire->endpoints;
    uint8_t number[NUMBER_BYTES];
    request->recovers = wire->recovers;
    bool has_site = wire->recovers ? wire->site.len == 0
                                   : nv_binary_take(wire->site, wanted->site.bytes, sizeof wanted->site.bytes);
    if (!has_site || !nv_binary_take(wire->sign_key, wanted->sign_key.bytes, sizeof wanted->sign_key.bytes) ||
        !nv_binary_take(wire->curve_key, wanted->curve_key.bytes, sizeof wanted->curve_key.bytes) ||
        !nv_binary_take(wire->recovery_key, wanted->recovery_key.bytes, sizeof wanted->recovery_key.bytes) ||
        !nv_binary_take(wire->invitation, number, sizeof number))
        return refuse(error, "an id or a key is missing, too many, or of another size");
    if (request->recovers && nv_public_key_is_zero(&wanted->recovery_key))
        return refuse(error, "it would recover a site without a recovery key");
    for (size_t i = 0; i < sizeof number; i++)
        request->invitation_number |= (uint64_t)number[i] << (8 * i);
    if (!nv_name_is_good(wanted->name))
        return refuse(error, "the site's name is empty, too long, or no text");
    if (!nv_endpoints_are_good(wire->endpoints, wire->n_endpoints))
        return refuse(error, "too many endpoints, or one that is no text");
    return NV_OK;
}

static enum nv_status check_signature(const Navette__EnrolRequest *wire, const struct nv_enrol_request *request,
                                      struct nv_error *error)
{
    struct nv_buffer said = {0};
    append_signed(request->signed_bytes, &said);
    bool failed = said.failed;
    bool is_good =
        !failed && wire->signature.len == crypto_sign_BYTES &&
        crypto_sign_verify_detached(wire->signature.data, said.data, said.size, request->wanted.sign_key.bytes) == 0;
    nv_buffer_done(&said);
    if (failed)
        return nv_fail(error, NV_NO_MEMORY, "no memory to check a signature");
    return is_good ? NV_OK : refuse(error, "it is not signed with the key that it wants certified");
}

enum nv_status nv_enrol_request_decode(struct nv_slice bytes, struct nv_arena *arena,
                                       struct nv_enrol_request *ret_request, struct nv_error *error)
{
    if (bytes.size > REQUEST_BYTES_MAX)
        return refuse(error, "it is longer than the protocol allows");
    const ProtobufCMessage *message;
    enum nv_status status =
        nv_unpack(&navette__enrol_request__descriptor, bytes, arena, "a request to join", &message, error);
    if (status != NV_OK)
        return status;
    const Navette__EnrolRequest *wire = (const Navette__EnrolRequest *)message;
    struct nv_enrol_request request = {0};
    request.signed_bytes = (struct nv_slice){.data = wire->request.data, .size = wire->request.len};
    if (!nv_binary_take(wire->proof, request.proof, sizeof request.proof))
        return refuse(error, "its proof is of another size");
    status = nv_unpack_signed(&navette__enrol_body__descriptor, request.signed_bytes, arena, "a request to join",
                              &message, error);
    if (status == NV_OK)
        status = take_wanted((const Navette__EnrolBody *)message, &request, error);
    size_t proof_bytes = request.recovers ? sizeof request.recovery_proof : 0;
    if (status == NV_OK && !nv_binary_take(wire->recovery_proof, request.recovery_proof, proof_bytes))
        status = refuse(error, "the proof that its sender has the recovery key is of another size");
    if (status == NV_OK)
        status = check_signature(wire, &request, error);
    if (status == NV_OK)
        *ret_request = request;
    return status;
}

bool nv_enrol_proof_holds(const struct nv_enrol_request *request, const struct nv_hash *secret_hash)
{
    uint8_t proof[32];
    prove(request->signed_bytes, secret_hash, proof);
    return sodium_memcmp(proof, request->proof, sizeof proof) == 0;
}

bool nv_enrol_recovery_holds(const struct nv_enrol_request *request, const struct nv_curve_key *hub,
                             const struct nv_public_key *authority)
{
    return request->recovers && nv_recovery_proof_holds(&request->wanted.recovery_key, hub, authority,
                                                        request->signed_bytes, request->recovery_proof);
}

/* ---- replies ---- */

void nv_recovered_key_append(const struct nv_recovered_key *key, struct nv_buffer *buffer)
{
    uint8_t epoch[8];
    for (size_t i = 0; i < sizeof epoch; i++)
        epoch[i] = (uint8_t)(key->log.epoch >> (8 * i));
    nv_buffer_append(buffer, key->log.site.bytes, sizeof key->log.site.bytes);
    nv_buffer_append(buffer, epoch, sizeof epoch);
    nv_buffer_append(buffer, key->log.scope.bytes, sizeof key->log.scope.bytes);
    nv_buffer_append(buffer, key->id.bytes, sizeof key->id.bytes);
    nv_buffer_append(buffer, key->sealed, sizeof key->sealed);
}

void nv_recovered_key_read(const uint8_t bytes[NV_RECOVERED_KEY_BYTES], struct nv_recovered_key *ret_key)
{
    const uint8_t *at = bytes;
    *ret_key = (struct nv_recovered_key){0};
    memcpy(ret_key->log.site.bytes, at, sizeof ret_key->log.site.bytes);
    at += sizeof ret_key->log.site.bytes;
    for (size_t i = 0; i < 8; i++)
        ret_key->log.epoch |= (uint64_t)*at++ << (8 * i);
    memcpy(ret_key->log.scope.bytes, at, sizeof ret_key->log.scope.bytes);
    at += sizeof ret_key->log.scope.bytes;
    memcpy(ret_key->id.bytes, at, sizeof ret_key->id.bytes);
    memcpy(ret_key->sealed, at + sizeof ret_key->id.bytes, sizeof ret_key->sealed);
}

static ProtobufCBinaryData *list_binaries(const struct nv_slice *slices, size_t count, struct nv_arena *arena)
{
    ProtobufCBinaryData *binaries = nv_arena_alloc(arena, count * sizeof *binaries);
    for (size_t i = 0; binaries != NULL && i < count; i++)
        binaries[i] = nv_binary(slices[i].data, slices[i].size);
    return binaries;
}

void nv_enrol_reply_encode(const struct nv_enrol_reply *reply, struct nv_buffer *buffer)
{
    size_t count = reply->authority_count + reply->key_count;
    struct nv_arena arena = {.limit = count * sizeof(ProtobufCBinaryData) + 1024};
    Navette__EnrolReply wire = NAVETTE__ENROL_REPLY__INIT;
    wire.admitted = reply->admitted;
    wire.text = (char *)reply->text;
    wire.n_authority = reply->authority_count;
    wire.authority = list_binaries(reply->authority, reply->authority_count, &arena);
    wire.n_keys = reply->key_count;
    wire.keys = list_binaries(reply->keys, reply->key_count, &arena);
    if (wire.authority == NULL || wire.keys == NULL)
        buffer->failed = true;
    else
        nv_pack(&wire.base, buffer);
    nv_arena_done(&arena);
}

static struct nv_slice *list_slices(const ProtobufCBinaryData *binaries, size_t count, struct nv_arena *arena)
{
    struct nv_slice *slices = nv_arena_alloc(arena, count * sizeof *slices);
    for (size_t i = 0; slices != NULL && i < count; i++)
        slices[i] = (struct nv_slice){.data = binaries[i].data, .size = binaries[i].len};
    return slices;
}

enum nv_status nv_enrol_reply_decode(struct nv_slice bytes, struct nv_arena *arena, struct nv_enrol_reply *ret_reply,
                                     struct nv_error *error)
{
    if (bytes.size > NV_LIMIT_MESSAGE_BYTES)
        return nv_fail(error, NV_REFUSED, "the hub's answer is longer than the protocol allows: not taken");
    const ProtobufCMessage *message;
    enum nv_status status =
        nv_unpack(&navette__enrol_reply__descriptor, bytes, arena, "the hub's answer", &message, error);
    if (status != NV_OK)
        return status;
    const Navette__EnrolReply *wire = (const Navette__EnrolReply *)message;
    if (!nv_long_text_is_good(wire->text, 0, REASON_BYTES_MAX))
        return nv_fail(error, NV_REFUSED, "the hub's answer gives a reason that is no text: not taken");
    if (wire->n_keys > NV_LIMIT_RECOVERED_KEYS)
        return nv_fail(error, NV_REFUSED, "the hub's answer has more content keys than the protocol allows: not taken");
    struct nv_slice *authority = list_slices(wire->authority, wire->n_authority, arena);
    struct nv_slice *keys = list_slices(wire->keys, wire->n_keys, arena);
    if (authority == NULL || keys == NULL)
        return nv_fail(error, NV_NO_MEMORY, "no memory for the hub's answer");
    for (size_t i = 0; i < wire->n_authority; i++)
        if (authority[i].size == 0)
            return nv_fail(error, NV_REFUSED, "the hub's answer has an empty changeset: not taken");
    for (size_t i = 0; i < wire->n_keys; i++)
        if (keys[i].size != NV_RECOVERED_KEY_BYTES)
            return nv_fail(error, NV_REFUSED, "the hub's answer has a content key of another size: not taken");
    *ret_reply = (struct nv_enrol_reply){.admitted = wire->admitted,
                                         .text = wire->text,
                                         .authority = authority,
                                         .authority_count = wire->n_authority,
                                         .keys = keys,
                                         .key_count = wire->n_keys};
    return NV_OK;
}
