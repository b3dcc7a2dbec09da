#include "wire/sealed.h"

#include <assert.h>
#include <sodium.h>

#include "base/planted.h"
#include "wire/form.h"

_Static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES == sizeof(struct nv_content_key) &&
                   crypto_aead_xchacha20poly1305_ietf_NPUBBYTES == sizeof(struct nv_salt) &&
                   crypto_aead_xchacha20poly1305_ietf_ABYTES == NV_BOX_EXTRA_BYTES,
               "a box is XChaCha20-Poly1305, its nonce the salt");
_Static_assert(sizeof(struct nv_content_key) + crypto_box_SEALBYTES == NV_SEALED_KEY_BYTES, "a sealed key's size");
_Static_assert(crypto_box_SECRETKEYBYTES == sizeof(((struct nv_curve_key *)0)->secret), "keys are X25519");

enum { LEAST_CLASS = 64, INDEX_AT = NV_BOX_BOUND_BYTES - 8, PADDING = 0x80 };

/* ---- content keys ---- */

static void put_number(uint8_t *to, uint64_t number)
{
    for (size_t i = 0; i < 8; i++)
        to[i] = (uint8_t)(number >> (8 * i));
}

void nv_content_key_make(struct nv_content_key *ret_key)
{
    nv_random(ret_key->bytes, sizeof ret_key->bytes);
}

struct nv_hash nv_content_key_id(const struct nv_content_key *key, const struct nv_log_id *log)
{
    static const char prefix[] = "navette content key 1\n";
    crypto_generichash_state state;
    struct nv_hash id;
    uint8_t epoch[8];
    put_number(epoch, log->epoch);
    crypto_generichash_init(&state, NULL, 0, sizeof id.bytes);
    crypto_generichash_update(&state, (const uint8_t *)prefix, sizeof prefix - 1);
    crypto_generichash_update(&state, key->bytes, sizeof key->bytes);
    crypto_generichash_update(&state, log->site.bytes, sizeof log->site.bytes);
    crypto_generichash_update(&state, epoch, sizeof epoch);
    crypto_generichash_update(&state, log->scope.bytes, sizeof log->scope.bytes);
    crypto_generichash_final(&state, id.bytes, sizeof id.bytes);
    nv_wipe(&state, sizeof state);
    return id;
}

bool nv_content_key_seal(const struct nv_content_key *key, const struct nv_public_key *to,
                         uint8_t ret_sealed[NV_SEALED_KEY_BYTES])
{
    return crypto_box_seal(ret_sealed, key->bytes, sizeof key->bytes, to->bytes) == 0;
}

bool nv_content_key_open(const uint8_t sealed[NV_SEALED_KEY_BYTES], const struct nv_curve_key *own,
                         struct nv_content_key *ret_key)
{
    return crypto_box_seal_open(ret_key->bytes, sealed, NV_SEALED_KEY_BYTES, own->public_key.bytes, own->secret) == 0;
}

/* ---- sizes ---- */

size_t nv_size_class(size_t size)
{
    if (size <= LEAST_CLASS)
        return LEAST_CLASS;
    unsigned doubling = 63u - (unsigned)__builtin_clzll((unsigned long long)size - 1);
    size_t step = (size_t)1 << (doubling - 2);
    return (size + step - 1) & ~(step - 1);
}

bool nv_box_size_is_good(size_t size)
{
    size_t padded = size - NV_BOX_EXTRA_BYTES;
    return size >= LEAST_CLASS + NV_BOX_EXTRA_BYTES && padded <= NV_LIMIT_BOXED_OP_BYTES + 1 &&
           nv_size_class(padded) == padded;
}

/* ---- boxes ---- */

struct nv_box_bound nv_box_bound_of(const struct nv_hash *key_id, const struct nv_log_id *log, uint64_t seq)
{
    static const char prefix[] = "navette op 1\n";
    struct nv_box_bound bound = {{0}};
    uint8_t *at = bound.bytes;
    memcpy(at, prefix, sizeof prefix - 1);
    memcpy(at += sizeof prefix - 1, key_id->bytes, sizeof key_id->bytes);
    memcpy(at += sizeof key_id->bytes, log->site.bytes, sizeof log->site.bytes);
    put_number(at += sizeof log->site.bytes, log->epoch);
    memcpy(at += 8, log->scope.bytes, sizeof log->scope.bytes);
    put_number(at += sizeof log->scope.bytes, NV_PLANTED(UNBOUND_BOX) ? 0 : seq);
    assert(at + 8 == bound.bytes + INDEX_AT);
    return bound;
}

/* The box's plain content in its place: the op, the padding's one byte, zeros. */
static uint8_t *lay_out(struct nv_slice op, size_t padded, struct nv_buffer *buffer)
{
    uint8_t *room = nv_buffer_extend(buffer, padded + NV_BOX_EXTRA_BYTES);
    if (room == NULL)
        return NULL;
    memcpy(room, op.data, op.size);
    room[op.size] = PADDING;
    memset(room + op.size + 1, 0, padded - op.size - 1);
    return room;
}

void nv_box_append(const struct nv_content_key *key, uint64_t key_number, struct nv_box_bound *bound, uint32_t index,
                   const struct nv_salt *salt, struct nv_slice op, struct nv_buffer *buffer)
{
    assert(op.size >= 1 && op.size <= NV_LIMIT_BOXED_OP_BYTES);
    size_t padded = nv_size_class(op.size + 1);
    nv_append_number_field(buffer, 1, NV_OP_SEALED);
    nv_append_number_field(buffer, 11, key_number);
    nv_append_field_start(buffer, 12, padded + NV_BOX_EXTRA_BYTES);
    uint8_t *room = lay_out(op, padded, buffer);
    if (room == NULL)
        return;
    put_number(bound->bytes + INDEX_AT, index);
    crypto_aead_xchacha20poly1305_ietf_encrypt(room, NULL, room, padded, bound->bytes, sizeof bound->bytes, NULL,
                                               salt->bytes, key->bytes);
}

/* The op before its padding. There is one padding for an op: else the writer could say one thing in many sizes. */
static bool strip(uint8_t *plain, size_t padded, struct nv_slice *ret_op)
{
    size_t size = padded;
    while (size > 0 && plain[size - 1] == 0)
        size--;
    if (size < 2 || plain[size - 1] != PADDING || nv_size_class(size) != padded)
        return false;
    *ret_op = (struct nv_slice){plain, size - 1};
    return true;
}

bool nv_box_open(const struct nv_content_key *key, struct nv_box_bound *bound, uint32_t index,
                 const struct nv_salt *salt, struct nv_slice box, uint8_t *room, struct nv_slice *ret_op)
{
    assert(nv_box_size_is_good(box.size));
    put_number(bound->bytes + INDEX_AT, index);
    return crypto_aead_xchacha20poly1305_ietf_decrypt(room, NULL, NULL, box.data, box.size, bound->bytes,
                                                      sizeof bound->bytes, salt->bytes, key->bytes) == 0 &&
           strip(room, box.size - NV_BOX_EXTRA_BYTES, ret_op);
}
