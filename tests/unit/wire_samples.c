#include "wire_samples.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "wire/compress.h"
#include "wire/sealed.h"

static uint64_t state;
static bool is_seeded;

static void seed(void)
{
    const char *given = getenv("NAVETTE_TEST_SEED");
    if (given != NULL)
        state = strtoull(given, NULL, 0);
    else
        randombytes_buf(&state, sizeof state);
    printf("NAVETTE_TEST_SEED=%llu\n", (unsigned long long)state);
    fflush(stdout);
    is_seeded = true;
}

/* splitmix64: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators" (2014). */
uint64_t sample_random(uint64_t below)
{
    if (!is_seeded)
        seed();
    state += 0x9e3779b97f4a7c15;
    uint64_t z = state;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return (z ^ z >> 31) % below;
}

void sample_bytes(void *ret_bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((uint8_t *)ret_bytes)[i] = (uint8_t)sample_random(256);
}

struct nv_sign_key sample_key(uint8_t which)
{
    uint8_t secret[32] = {which};
    struct nv_sign_key key;
    crypto_sign_seed_keypair(key.public_key.bytes, key.secret, secret);
    return key;
}

static struct nv_slice bytes_in(struct nv_arena *arena, size_t size)
{
    uint8_t *bytes = nv_arena_alloc(arena, size);
    if (bytes == NULL)
        abort();
    sample_bytes(bytes, size);
    return (struct nv_slice){.data = bytes, .size = size};
}

/* Sizes and numbers around the places where a varint grows. */
static uint64_t edgy(void)
{
    static const uint64_t edges[] = {0, 1, 127, 128, 16383, 16384, UINT32_MAX, (uint64_t)1 << 56, UINT64_MAX};
    return sample_random(3) == 0 ? edges[sample_random(sizeof edges / sizeof edges[0])] : sample_random(1000);
}

static struct nv_value random_value(struct nv_arena *arena, bool may_be_null)
{
    struct nv_value value = {.type = (enum nv_value_type)(may_be_null ? sample_random(5) : 1 + sample_random(4))};
    if (value.type == NV_INTEGER)
        value.integer = (int64_t)edgy();
    else if (value.type == NV_REAL)
        value.real = (double)sample_random(1000) / 8 - 60;
    else if (value.type != NV_NULL)
        value.bytes = bytes_in(arena, sample_random(4) == 0 ? 120 + sample_random(20) : sample_random(20));
    return value;
}

static struct nv_slice random_key(struct nv_arena *arena)
{
    struct nv_buffer buffer = {0};
    for (size_t columns = 1 + sample_random(3); columns > 0; columns--) {
        struct nv_value value = random_value(arena, false);
        nv_value_encode(&buffer, &value);
    }
    uint8_t *bytes = nv_arena_alloc(arena, buffer.size);
    memcpy(bytes, buffer.data, buffer.size);
    struct nv_slice key = {.data = bytes, .size = buffer.size};
    nv_buffer_done(&buffer);
    return key;
}

static struct nv_far_dot random_dot(void)
{
    struct nv_far_dot dot = {.epoch = edgy(), .seq = edgy(), .index = (uint32_t)sample_random(NV_LIMIT_CHANGESET_OPS)};
    dot.seq += dot.seq == 0;
    sample_bytes(dot.site.bytes, sizeof dot.site.bytes);
    return dot;
}

static void add_excepts(struct nv_op *op, struct nv_arena *arena)
{
    op->except_count = sample_random(2) * sample_random(4);
    op->excepts = nv_arena_alloc(arena, op->except_count * sizeof *op->excepts);
    for (size_t i = 0; i < op->except_count; i++) {
        op->excepts[i] = (struct nv_except){.dot = random_dot(), .fields = edgy()};
        op->excepts[i].fields += op->excepts[i].fields == 0;
    }
}

static void add_values(struct nv_op *op, struct nv_arena *arena)
{
    op->fields = sample_random(8) == 0 ? edgy() : sample_random(64);
    op->value_count = (size_t)__builtin_popcountll(op->fields);
    bool has_ages = sample_random(2) == 0;
    for (size_t i = 0; i < op->value_count; i++) {
        op->values[i] = random_value(arena, true);
        op->ages[i] = has_ages ? sample_random(100000) : 0;
    }
    op->has_home = sample_random(3) == 0;
    if (op->has_home)
        sample_bytes(op->home.bytes, sizeof op->home.bytes);
}

void sample_op_of(enum nv_op_kind kind, struct nv_op *op, struct nv_arena *arena)
{
    memset(op, 0, sizeof *op);
    op->kind = kind;
    if (kind == NV_OP_SEALED) {
        op->key_number = edgy();
        op->box = bytes_in(arena, NV_BOX_EXTRA_BYTES + nv_size_class(1 + sample_random(600)));
        return;
    }
    op->time.ms = (int64_t)sample_random(2000000000000) - 1000;
    if (kind == NV_OP_REDACT) {
        op->name_count = 1 + sample_random(4);
        op->names = nv_arena_alloc(arena, op->name_count * sizeof *op->names);
        for (size_t i = 0; i < op->name_count; i++)
            op->names[i] = random_dot();
        return;
    }
    op->table = (uint32_t)(1 + sample_random(NV_LIMIT_TABLES));
    op->key = random_key(arena);
    if (kind == NV_OP_PUT)
        add_values(op, arena);
    add_excepts(op, arena);
}

void sample_op(struct nv_op *op, struct nv_arena *arena)
{
    static const enum nv_op_kind kinds[] = {NV_OP_PUT, NV_OP_PUT, NV_OP_DELETE, NV_OP_REDACT, NV_OP_SEALED};
    sample_op_of(kinds[sample_random(5)], op, arena);
}

void sample_row(struct nv_op *op, struct nv_arena *arena)
{
    static const char *const words[] = {"Amandine", "Baptiste", "Driss", "Elodie", "Gaelle", "soudure", "2024-09-02"};
    sample_op_of(NV_OP_DELETE, op, arena);
    op->kind = NV_OP_PUT;
    op->except_count = 0;
    op->fields = 0xfff;
    op->value_count = 12;
    for (size_t i = 0; i < op->value_count; i++) {
        const char *word = words[sample_random(sizeof words / sizeof words[0])];
        op->values[i] = (struct nv_value){.type = NV_TEXT, .bytes = {(const uint8_t *)word, strlen(word)}};
    }
}

void sample_change(struct nv_buffer *bytes)
{
    for (uint64_t changes = 1 + sample_random(2); changes > 0 && bytes->size > 0; changes--) {
        size_t at = sample_random(bytes->size);
        switch (sample_random(5)) {
        case 0:
            bytes->data[at] ^= (uint8_t)(1u << sample_random(8));
            break;
        case 1:
            bytes->data[at] = (uint8_t)sample_random(256);
            break;
        case 2: /* a byte less */
            memmove(bytes->data + at, bytes->data + at + 1, bytes->size - at - 1);
            bytes->size--;
            break;
        case 3: /* a byte more */
            nv_buffer_append_byte(bytes, 0);
            memmove(bytes->data + at + 1, bytes->data + at, bytes->size - at - 1);
            bytes->data[at] = (uint8_t)sample_random(256);
            break;
        default: /* cut */
            bytes->size = at;
            break;
        }
    }
}

struct nv_header sample_header(struct nv_arena *arena, size_t context_count)
{
    struct nv_header header = {.format = NV_FORMAT,
                               .log.scope = NV_SCOPE_NETWORK,
                               .log.epoch = sample_random(UINT64_MAX),
                               .seq = 2,
                               .sealed.ms = 1700000000000,
                               .context_count = context_count,
                               .authority_seq = 3};
    sample_bytes(header.log.site.bytes, sizeof header.log.site.bytes);
    sample_bytes(header.previous.bytes, sizeof header.previous.bytes);
    sample_bytes(header.authority_pin.bytes, sizeof header.authority_pin.bytes);
    header.context = nv_arena_alloc(arena, context_count * sizeof *header.context);
    for (size_t i = 0; i < context_count; i++) {
        struct nv_far_head *head = &header.context[i];
        *head = (struct nv_far_head){.epoch = 1, .scope = NV_SCOPE_NETWORK, .seq = 1 + i};
        head->site.bytes[0] = (uint8_t)(i >> 8);
        head->site.bytes[1] = (uint8_t)i;
        sample_bytes(head->pin.bytes, sizeof head->pin.bytes);
    }
    return header;
}

static int order_control(const void *a, const void *b)
{
    const struct nv_slice *x = a, *y = b;
    return nv_op_is_control(nv_op_kind_of(*x)) - nv_op_is_control(nv_op_kind_of(*y));
}

static void put_control_last(struct nv_slice *ops, size_t count)
{
    if (count > 1)
        qsort(ops, count, sizeof *ops, order_control);
}

void sample_seal(struct sample *sample, size_t op_count)
{
    *sample = (struct sample){.arena.limit = 64u << 20, .key = sample_key(1), .op_count = op_count};
    sample->network = sample_key(2).public_key;
    sample->header = sample_header(&sample->arena, 3);
    sample->ops = nv_arena_alloc(&sample->arena, op_count * sizeof *sample->ops);
    struct nv_op *op = nv_arena_alloc(&sample->arena, sizeof *op);
    for (size_t i = 0; i < op_count; i++) {
        struct nv_buffer encoded = {0};
        if (i % 2 == 0)
            sample_op(op, &sample->arena);
        else
            sample_row(op, &sample->arena);
        nv_op_encode(op, &encoded);
        uint8_t *bytes = nv_arena_alloc(&sample->arena, encoded.size);
        memcpy(bytes, encoded.data, encoded.size);
        sample->ops[i] = (struct nv_slice){.data = bytes, .size = encoded.size};
        nv_buffer_done(&encoded);
    }
    put_control_last(sample->ops, op_count);
    struct nv_error error = {0};
    if (nv_changeset_seal(&sample->header, sample->ops, op_count, &sample->key, &sample->network, &sample->scratch,
                          &sample->parts, &sample->hash, &error) != NV_OK) {
        printf("sealing a sample: %s\n", error.text);
        abort();
    }
    nv_changeset_join(&sample->parts, &sample->bytes);
}

void sample_make_plain(struct sample *sample)
{
    if (sample->parts.compressed &&
        nv_decompress(sample->parts.body, NV_LIMIT_BODY_BYTES, &sample->arena, &sample->parts.body, NULL) != NV_OK)
        abort();
    sample->parts.compressed = false;
    nv_buffer_clear(&sample->bytes);
    nv_changeset_join(&sample->parts, &sample->bytes);
}

void sample_done(struct sample *sample)
{
    nv_arena_done(&sample->arena);
    nv_buffer_done(&sample->scratch);
    nv_buffer_done(&sample->bytes);
}

enum nv_status sample_open(const struct sample *sample, struct nv_slice bytes, struct nv_arena *arena,
                           struct nv_body *ret_body)
{
    struct nv_changeset_parts parts;
    struct nv_header header;
    struct nv_error error;
    enum nv_status status = nv_changeset_split(bytes, &parts, &error);
    if (status == NV_OK)
        status = nv_header_decode(parts.header, arena, &header, &error);
    if (status == NV_OK)
        status = nv_changeset_verify(&parts, &sample->key.public_key, &sample->network, &error);
    if (status == NV_OK)
        status = nv_body_open(&parts, &header, arena, ret_body, &error);
    struct nv_op *op = nv_arena_alloc(arena, sizeof *op);
    for (size_t i = 0; status == NV_OK && i < ret_body->count; i++)
        if (!ret_body->entries[i].is_redacted)
            status = nv_op_decode(ret_body->entries[i].op, arena, op, &error);
    return status;
}
