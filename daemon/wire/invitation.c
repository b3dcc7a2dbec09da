#include "wire/invitation.h"

#include <ctype.h>
#include <sodium.h>

#include "wire/hash.h"
#include "wire/text.h"

/* Each part and its length: number, endpoint, three keys or secrets, expiry; then the check. */
enum {
    CHECK_BYTES = 4,
    RECORD_BYTES_MAX = (1 + 8) + (2 + NV_LIMIT_ENDPOINT_BYTES) + 3 * (1 + 32) + (1 + 8) + CHECK_BYTES
};
enum { BASE64 = sodium_base64_VARIANT_URLSAFE_NO_PADDING };

static const char prefix[] = "navette1:";

/* ---- the record: each part stands behind its length, so a later one can be added ---- */

static void append_part(struct nv_buffer *record, const void *bytes, size_t size)
{
    nv_buffer_append_varint(record, size);
    nv_buffer_append(record, bytes, size);
}

static void append_number(struct nv_buffer *record, uint64_t number)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(number >> (8 * i));
    append_part(record, bytes, sizeof bytes);
}

static bool take_part(struct nv_reader *reader, void *ret_bytes, size_t size)
{
    uint64_t stated;
    struct nv_slice bytes;
    if (!nv_take_varint(reader, &stated) || stated != size || !nv_take_bytes(reader, size, &bytes))
        return false;
    memcpy(ret_bytes, bytes.data, size);
    return true;
}

static bool take_number(struct nv_reader *reader, uint64_t *ret_number)
{
    uint8_t bytes[8];
    if (!take_part(reader, bytes, sizeof bytes))
        return false;
    uint64_t number = 0;
    for (size_t i = 0; i < sizeof bytes; i++)
        number |= (uint64_t)bytes[i] << (8 * i);
    *ret_number = number;
    return true;
}

static bool take_endpoint(struct nv_reader *reader, char *ret_endpoint, size_t capacity)
{
    uint64_t size;
    struct nv_slice bytes;
    if (!nv_take_varint(reader, &size) || size >= capacity || !nv_take_bytes(reader, (size_t)size, &bytes))
        return false;
    memcpy(ret_endpoint, bytes.data, bytes.size);
    ret_endpoint[bytes.size] = '\0';
    return strlen(ret_endpoint) == bytes.size && nv_text_is_good(ret_endpoint, 1, NV_LIMIT_ENDPOINT_BYTES);
}

/* ---- the line ---- */

enum nv_status nv_invitation_write(const struct nv_invitation *invitation, char *ret_text, size_t capacity)
{
    struct nv_buffer record = {0};
    append_number(&record, invitation->number);
    append_part(&record, invitation->endpoint, strnlen(invitation->endpoint, sizeof invitation->endpoint));
    append_part(&record, invitation->hub_curve_key.bytes, sizeof invitation->hub_curve_key.bytes);
    append_part(&record, invitation->authority_key.bytes, sizeof invitation->authority_key.bytes);
    append_part(&record, invitation->secret, sizeof invitation->secret);
    append_number(&record, (uint64_t)invitation->expires.ms);
    struct nv_hash check = nv_hash_of(nv_buffer_slice(&record));
    nv_buffer_append(&record, check.bytes, CHECK_BYTES);
    enum nv_status status = record.failed ? NV_NO_MEMORY : NV_OK;
    size_t start = sizeof prefix - 1;
    if (status == NV_OK && capacity < start + sodium_base64_encoded_len(record.size, BASE64))
        status = NV_BUG;
    if (status == NV_OK) {
        memcpy(ret_text, prefix, start);
        sodium_bin2base64(ret_text + start, capacity - start, record.data, record.size, BASE64);
    }
    if (record.data != NULL)
        nv_wipe(record.data, record.capacity);
    nv_buffer_done(&record);
    return status;
}

static bool read_record(struct nv_slice record, struct nv_invitation *ret_invitation)
{
    if (record.size <= CHECK_BYTES)
        return false;
    struct nv_slice said = {.data = record.data, .size = record.size - CHECK_BYTES};
    struct nv_hash check = nv_hash_of(said);
    if (memcmp(check.bytes, record.data + said.size, CHECK_BYTES) != 0)
        return false;
    struct nv_reader reader = nv_reader_of(said);
    uint64_t expires;
    if (!take_number(&reader, &ret_invitation->number) ||
        !take_endpoint(&reader, ret_invitation->endpoint, sizeof ret_invitation->endpoint) ||
        !take_part(&reader, ret_invitation->hub_curve_key.bytes, sizeof ret_invitation->hub_curve_key.bytes) ||
        !take_part(&reader, ret_invitation->authority_key.bytes, sizeof ret_invitation->authority_key.bytes) ||
        !take_part(&reader, ret_invitation->secret, sizeof ret_invitation->secret) || !take_number(&reader, &expires) ||
        expires > NV_LIMIT_TIME_MS)
        return false;
    ret_invitation->expires.ms = (int64_t)expires;
    return nv_reader_left(&reader) == 0;
}

/* libsodium 1.0.18 takes bytes over 127 for the alphabet's last character, so the alphabet is checked here. */
static bool is_base64(const char *text, size_t size)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    return strspn(text, alphabet) >= size;
}

enum nv_status nv_invitation_read(const char *text, struct nv_invitation *ret_invitation, struct nv_error *error)
{
    /* People paste it with a line end or a blank around it. */
    while (isspace((unsigned char)*text))
        text++;
    size_t size = strlen(text);
    while (size > 0 && isspace((unsigned char)text[size - 1]))
        size--;
    if (size < sizeof prefix - 1 || memcmp(text, prefix, sizeof prefix - 1) != 0)
        return nv_fail(error, NV_REFUSED,
                       "this is no invitation: one begins with \"%s\": ask the hub's operator for "
                       "one (navette invite NAME)",
                       prefix);
    uint8_t record[RECORD_BYTES_MAX];
    size_t record_size = 0;
    struct nv_invitation invitation = {0};
    const char *encoded = text + sizeof prefix - 1;
    size -= sizeof prefix - 1;
    bool is_good = is_base64(encoded, size) &&
                   sodium_base642bin(record, sizeof record, encoded, size, NULL, &record_size, NULL, BASE64) == 0 &&
                   read_record((struct nv_slice){.data = record, .size = record_size}, &invitation);
    if (is_good)
        *ret_invitation = invitation;
    nv_wipe(record, sizeof record);
    nv_wipe(&invitation, sizeof invitation);
    if (!is_good)
        return nv_fail(error, NV_REFUSED,
                       "the invitation is damaged: a character was lost or changed on the way: copy "
                       "the whole line again");
    return NV_OK;
}

struct nv_hash nv_invitation_secret_hash(const uint8_t secret[32])
{
    return nv_hash_of((struct nv_slice){.data = secret, .size = 32});
}
