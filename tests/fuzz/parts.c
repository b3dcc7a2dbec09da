#include "parts.h"

#include <assert.h>
#include <sodium.h>

#include "core/heads.h"
#include "wire/grant.h"

enum { ARENA_BYTES = 64 << 20, BOXED_BYTES = 300, LIST_MAX = 4 };

/* ---- what is the same in every run ---- */

static struct nv_dice source;

static const char *source_name(void)
{
    return "the fuzzers' own";
}

static uint32_t source_word(void)
{
    return (uint32_t)nv_dice_bits(&source);
}

static void source_bytes(void *const bytes, const size_t size)
{
    nv_dice_bytes(&source, bytes, size);
}

void nv_fuzz_start(void)
{
    static struct randombytes_implementation implementation = {
        .implementation_name = source_name, .random = source_word, .buf = source_bytes};
    static bool is_started;
    source = nv_dice_of(1);
    if (is_started)
        return;
    is_started = true;
    randombytes_set_implementation(&implementation);
    enum nv_status status = nv_wire_start(NULL);
    assert(status == NV_OK);
}

struct nv_arena *nv_fuzz_arena(void)
{
    static struct nv_arena arena = {.limit = ARENA_BYTES};
    nv_arena_done(&arena); /* not kept: the sanitizer sees who reads what was there before */
    return &arena;
}

void *nv_fuzz_alloc(struct nv_arena *arena, size_t size)
{
    void *bytes = nv_arena_alloc(arena, size);
    assert(bytes != NULL);
    memset(bytes, 0, size);
    return bytes;
}

struct nv_sign_key nv_fuzz_key(uint8_t which)
{
    uint8_t seed[crypto_sign_SEEDBYTES] = {which};
    struct nv_sign_key key;
    crypto_sign_seed_keypair(key.public_key.bytes, key.secret, seed);
    return key;
}

/* ---- small parts ---- */

uint64_t nv_fuzz_number(struct nv_dice *dice)
{
    static const uint64_t edges[] = {0, 1, 2, 63, 64, 127, 128, 255, 16383, 16384, UINT32_MAX, UINT64_MAX, 4095};
    size_t which = nv_dice_below(dice, 16);
    if (which < sizeof edges / sizeof edges[0])
        return edges[which];
    return nv_dice_bits(dice) >> nv_dice_below(dice, 64);
}

const char *nv_fuzz_text(struct nv_dice *dice, struct nv_arena *arena, size_t most, bool is_good)
{
    static const char *const pieces[] = {"a", "Z",      "0",          "_", "-",    "'", "\"",
                                         "é", "\u20ac", "\U0001f600", " ", "\xc3", "\n"};
    size_t room = nv_dice_below(dice, most < 256 ? most + 1 : 256), size = 0;
    size_t known = sizeof pieces / sizeof pieces[0] - (is_good ? 2 : 0);
    char *text = nv_fuzz_alloc(arena, room + 1);
    for (;;) {
        const char *piece = pieces[nv_dice_below(dice, known)];
        if (size + strlen(piece) > room)
            return text;
        memcpy(text + size, piece, strlen(piece));
        size += strlen(piece);
    }
}

struct nv_slice nv_fuzz_bytes(struct nv_dice *dice, struct nv_arena *arena, size_t most)
{
    size_t size = nv_dice_below(dice, most + 1);
    uint8_t *bytes = nv_fuzz_alloc(arena, size + 1);
    nv_dice_bytes(dice, bytes, size);
    return (struct nv_slice){.data = bytes, .size = size};
}

void nv_fuzz_flip(struct nv_dice *dice, uint8_t *bytes, size_t size)
{
    size_t place = (size_t)(nv_dice_bits(dice) % size);
    bytes[place] ^= (uint8_t)(1u << nv_dice_below(dice, 8));
}

/* ---- ops ---- */

static struct nv_site_id some_site(struct nv_dice *dice)
{
    struct nv_site_id site = {{0}};
    nv_dice_bytes(dice, site.bytes, 2);
    return site;
}

struct nv_far_dot nv_fuzz_dot(struct nv_dice *dice)
{
    struct nv_far_dot dot = {.site = some_site(dice), .epoch = nv_fuzz_number(dice), .seq = nv_fuzz_number(dice)};
    dot.seq += dot.seq == 0;
    dot.index = (uint32_t)(nv_fuzz_number(dice) % NV_LIMIT_CHANGESET_OPS);
    return dot;
}

static struct nv_value some_value(struct nv_dice *dice, struct nv_arena *arena)
{
    return nv_dice_value(dice, nv_fuzz_alloc(arena, NV_DICE_VALUE_BYTES));
}

static struct nv_slice some_key(struct nv_dice *dice, struct nv_arena *arena)
{
    struct nv_buffer key = {0};
    for (size_t columns = 1 + nv_dice_below(dice, NV_LIMIT_KEY_COLUMNS); columns > 0; columns--) {
        struct nv_value value = some_value(dice, arena);
        if (value.type == NV_NULL)
            value = (struct nv_value){.type = NV_INTEGER, .integer = (int64_t)columns};
        nv_value_encode(&key, &value);
    }
    uint8_t *bytes = nv_fuzz_alloc(arena, key.size);
    memcpy(bytes, key.data, key.size);
    struct nv_slice slice = {.data = bytes, .size = key.size};
    nv_buffer_done(&key);
    return slice;
}

static void fill_put(struct nv_dice *dice, struct nv_arena *arena, struct nv_op *op)
{
    op->fields = nv_dice_percent(dice, 80) ? nv_dice_below(dice, 32) : nv_fuzz_number(dice);
    op->value_count = (size_t)__builtin_popcountll(op->fields);
    bool has_ages = nv_dice_percent(dice, 50);
    for (size_t i = 0; i < op->value_count; i++) {
        op->values[i] = some_value(dice, arena);
        op->ages[i] = has_ages ? nv_dice_below(dice, 256) : 0;
    }
    op->has_home = nv_dice_percent(dice, 50);
    if (op->has_home)
        op->home = some_site(dice);
}

static void fill_names(struct nv_dice *dice, struct nv_arena *arena, struct nv_op *op)
{
    op->name_count = 1 + nv_dice_below(dice, 4);
    op->names = nv_fuzz_alloc(arena, op->name_count * sizeof *op->names);
    for (size_t i = 0; i < op->name_count; i++)
        op->names[i] = nv_fuzz_dot(dice);
}

static void fill_box(struct nv_dice *dice, struct nv_arena *arena, struct nv_op *op)
{
    size_t size = NV_BOX_EXTRA_BYTES + nv_size_class(nv_dice_below(dice, BOXED_BYTES));
    uint8_t *box = nv_fuzz_alloc(arena, size);
    nv_dice_bytes(dice, box, size);
    op->box = (struct nv_slice){.data = box, .size = size};
    op->key_number = nv_fuzz_number(dice);
}

void nv_fuzz_op(struct nv_dice *dice, struct nv_arena *arena, struct nv_op *op)
{
    static const enum nv_op_kind kinds[] = {NV_OP_PUT, NV_OP_PUT, NV_OP_DELETE, NV_OP_REDACT, NV_OP_SEALED};
    memset(op, 0, sizeof *op);
    op->kind = kinds[nv_dice_below(dice, 5)];
    if (op->kind == NV_OP_SEALED) {
        fill_box(dice, arena, op);
        return;
    }
    op->time.ms = (int64_t)(nv_fuzz_number(dice) % (2 * (uint64_t)NV_LIMIT_TIME_MS)) - NV_LIMIT_TIME_MS;
    op->time.ms += 256 * (op->time.ms + 256 < NV_LIMIT_TIME_MS); /* no age reaches beyond the earliest time */
    if (op->kind == NV_OP_REDACT) {
        fill_names(dice, arena, op);
        return;
    }
    op->table = 1 + (uint32_t)(nv_fuzz_number(dice) % NV_LIMIT_TABLES);
    op->key = some_key(dice, arena);
    if (op->kind == NV_OP_PUT)
        fill_put(dice, arena, op);
    op->except_count = nv_dice_below(dice, 4);
    op->excepts = nv_fuzz_alloc(arena, op->except_count * sizeof *op->excepts + 1);
    for (size_t i = 0; i < op->except_count; i++) {
        op->excepts[i] = (struct nv_except){.dot = nv_fuzz_dot(dice), .fields = nv_fuzz_number(dice)};
        op->excepts[i].fields += op->excepts[i].fields == 0;
    }
}

static void some_grant(struct nv_dice *dice, struct nv_buffer *buffer)
{
    struct nv_grant_box boxes[LIST_MAX];
    struct nv_grant grant = {.is_elsewhere = nv_dice_percent(dice, 50), .boxes = boxes};
    grant.box_count = 1 + nv_dice_below(dice, LIST_MAX);
    grant.key.number = nv_fuzz_number(dice);
    if (grant.is_elsewhere) {
        grant.key.number += grant.key.number == 0;
        grant.key.site = some_site(dice);
        grant.key.epoch = nv_fuzz_number(dice);
    }
    nv_dice_bytes(dice, grant.key_id.bytes, 2);
    memset(boxes, 0, sizeof boxes);
    for (size_t i = 0; i < grant.box_count; i++) {
        boxes[i].recovery = i % 2 == 1;
        boxes[i].site.bytes[0] = (uint8_t)(i / 2);
        nv_dice_bytes(dice, boxes[i].sealed, 4);
    }
    nv_grant_encode(&grant, buffer);
}

void nv_fuzz_key_op(struct nv_dice *dice, struct nv_buffer *buffer)
{
    if (nv_dice_percent(dice, 50)) {
        some_grant(dice, buffer);
        return;
    }
    struct nv_key_name keys[LIST_MAX];
    struct nv_ask ask = {.of = some_site(dice), .key_count = 1 + nv_dice_below(dice, LIST_MAX), .keys = keys};
    for (size_t i = 0; i < ask.key_count; i++) {
        keys[i] = (struct nv_key_name){.epoch = nv_fuzz_number(dice), .number = 1 + nv_dice_below(dice, 1000)};
        keys[i].site.bytes[0] = (uint8_t)i;
    }
    nv_ask_encode(&ask, buffer);
}

static void key_op_again(const struct nv_op *op, struct nv_buffer *buffer)
{
    struct nv_arena arena = {.limit = ARENA_BYTES};
    struct nv_grant grant;
    struct nv_ask ask;
    enum nv_status status = op->kind == NV_OP_GRANT ? nv_grant_decode(op->control, &arena, &grant, NULL)
                                                    : nv_ask_decode(op->control, &arena, &ask, NULL);
    assert(status == NV_OK);
    if (op->kind == NV_OP_GRANT)
        nv_grant_encode(&grant, buffer);
    else
        nv_ask_encode(&ask, buffer);
    nv_arena_done(&arena);
}

void nv_fuzz_op_again(const struct nv_op *op, struct nv_slice bytes)
{
    if (op->kind >= NV_OP_GENESIS) {
        assert(op->control.data == bytes.data && op->control.size == bytes.size);
        return;
    }
    struct nv_buffer again = {0};
    if (op->kind == NV_OP_GRANT || op->kind == NV_OP_ASK)
        key_op_again(op, &again);
    else
        nv_op_encode(op, &again);
    assert(nv_slice_equal(nv_buffer_slice(&again), bytes));
    nv_buffer_done(&again);
}

/* ---- heads and headers ---- */

struct nv_far_head *nv_fuzz_heads(struct nv_dice *dice, struct nv_arena *arena, const struct nv_scope_id *scope,
                                  size_t most, size_t *ret_count)
{
    size_t wanted = nv_dice_below(dice, most + 1), count = 0;
    struct nv_far_head *heads = nv_fuzz_alloc(arena, wanted * sizeof *heads + 1);
    for (size_t i = 0; i < wanted; i++) {
        struct nv_far_head head = {.epoch = nv_dice_below(dice, 3), .seq = nv_fuzz_number(dice)};
        head.scope = scope != NULL ? *scope : nv_dice_percent(dice, 20) ? NV_SCOPE_AUTHORITY : NV_SCOPE_NETWORK;
        head.site.bytes[0] = (uint8_t)(1 + nv_dice_below(dice, 8));
        head.seq += head.seq == 0;
        nv_dice_bytes(dice, head.pin.bytes, 1);
        size_t place = count;
        while (place > 0 && nv_far_head_order(&heads[place - 1], &head) > 0)
            place--;
        if (place > 0 && nv_far_head_order(&heads[place - 1], &head) == 0)
            continue;
        memmove(&heads[place + 1], &heads[place], (count - place) * sizeof *heads);
        heads[place] = head;
        count++;
    }
    *ret_count = count;
    return heads;
}

struct nv_header nv_fuzz_header(struct nv_dice *dice, struct nv_arena *arena)
{
    struct nv_header header = {.format = NV_FORMAT, .seq = nv_fuzz_number(dice), .log.epoch = nv_fuzz_number(dice)};
    bool is_authority = nv_dice_percent(dice, 20);
    header.log.scope = is_authority ? NV_SCOPE_AUTHORITY : NV_SCOPE_NETWORK;
    header.log.site.bytes[15] = 1; /* no head of nv_fuzz_heads is of this site */
    header.seq += header.seq == 0;
    if (header.seq > 1)
        nv_dice_bytes(dice, header.previous.bytes, 1);
    header.sealed.ms = (int64_t)(nv_fuzz_number(dice) % ((uint64_t)NV_LIMIT_TIME_MS + 1));
    header.absolute = nv_dice_percent(dice, 50);
    if (is_authority)
        return header;
    header.context = nv_fuzz_heads(dice, arena, &NV_SCOPE_NETWORK, 6, &header.context_count);
    header.authority_seq = nv_fuzz_number(dice);
    header.authority_seq += header.authority_seq == 0;
    nv_dice_bytes(dice, header.authority_pin.bytes, 2);
    return header;
}
