#include "boxes.h"

#include <sodium.h>
#include <string.h>

enum { BOUND_MOST = 128 };

struct text {
    uint8_t bytes[BOUND_MOST];
    size_t size;
};

static void add(struct text *text, const void *bytes, size_t size)
{
    memcpy(text->bytes + text->size, bytes, size);
    text->size += size;
}

/* Least significant byte first. */
static void add_number(struct text *text, uint64_t number)
{
    for (int i = 0; i < 8; i++)
        text->bytes[text->size++] = (uint8_t)(number >> (8 * i));
}

static void add_key_id(struct text *text, const struct nv_content_key *key, const struct nv_log_id *log)
{
    struct text named = {.size = 0};
    uint8_t id[32];
    add(&named, "navette content key 1\n", 22);
    add(&named, key->bytes, sizeof key->bytes);
    add(&named, log->site.bytes, sizeof log->site.bytes);
    add_number(&named, log->epoch);
    add(&named, log->scope.bytes, sizeof log->scope.bytes);
    crypto_generichash(id, sizeof id, named.bytes, named.size, NULL, 0);
    add(text, id, sizeof id);
}

bool sim_box_open(const struct nv_content_key *key, const struct nv_log_id *log, uint64_t seq, uint64_t index,
                  const struct nv_salt *salt, struct nv_slice box, uint8_t *room, struct nv_slice *ret_op)
{
    struct text bound = {.size = 0};
    unsigned long long size = 0;
    add(&bound, "navette op 1\n", 13);
    add_key_id(&bound, key, log);
    add(&bound, log->site.bytes, sizeof log->site.bytes);
    add_number(&bound, log->epoch);
    add(&bound, log->scope.bytes, sizeof log->scope.bytes);
    add_number(&bound, seq);
    add_number(&bound, index);
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(room, &size, NULL, box.data, box.size, bound.bytes, bound.size,
                                                   salt->bytes, key->bytes) != 0)
        return false;
    while (size > 0 && room[size - 1] == 0)
        size--;
    if (size < 2 || room[size - 1] != 0x80)
        return false;
    *ret_op = (struct nv_slice){room, (size_t)size - 1};
    return true;
}
