/* Boxes and content keys: what is sealed opens with its key at its place, and nothing else does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sodium.h>

#include "base/hex.h"
#include "wire/sealed.h"
#include "wire_samples.h"

enum { LARGE = NV_LIMIT_BOXED_OP_BYTES };

/* A box and all that opens it. */
struct boxed {
    struct nv_content_key key;
    struct nv_log_id log;
    struct nv_hash key_id;
    struct nv_box_bound bound;
    uint32_t index;
    struct nv_salt salt;
    struct nv_buffer encoded; /* the op of kind sealed */
    struct nv_op read;        /* and what it says: its box is within `encoded` */
};

static void must_unhex(const char *text, void *bytes, size_t size)
{
    assert_true(nv_unhex(text, bytes, size));
}

static void seal(struct boxed *boxed, struct nv_slice op, uint64_t key_number, uint64_t seq)
{
    struct nv_arena arena = {.limit = 1024};
    boxed->key_id = nv_content_key_id(&boxed->key, &boxed->log);
    boxed->bound = nv_box_bound_of(&boxed->key_id, &boxed->log, seq);
    nv_box_append(&boxed->key, key_number, &boxed->bound, boxed->index, &boxed->salt, op, &boxed->encoded);
    assert_int_equal(nv_op_decode(nv_buffer_slice(&boxed->encoded), &arena, &boxed->read, NULL), NV_OK);
    assert_int_equal(boxed->read.kind, NV_OP_SEALED);
    assert_int_equal(boxed->read.key_number, key_number);
    nv_arena_done(&arena);
}

static struct boxed random_boxed(struct nv_slice op)
{
    struct boxed boxed = {.index = (uint32_t)sample_random(NV_LIMIT_CHANGESET_OPS)};
    sample_bytes(&boxed.key, sizeof boxed.key);
    sample_bytes(&boxed.log, sizeof boxed.log);
    sample_bytes(&boxed.salt, sizeof boxed.salt);
    seal(&boxed, op, 0, 1 + sample_random(1000));
    return boxed;
}

/* Whether it opens; then *ret_op is in `room`, which has as many bytes as the box. */
static bool opens(struct boxed *boxed, uint8_t *room, struct nv_slice *ret_op)
{
    return nv_box_open(&boxed->key, &boxed->bound, boxed->index, &boxed->salt, boxed->read.box, room, ret_op);
}

/* Computed with Python's hashlib and PyNaCl (tests/system/peer/sealed.py): the key is the bytes 00 … 1f, the site
 * a0 … af, the epoch 0x1122334455667788, the scope c0 … cf, the salt that of place 2 with the seed 20 … 3f; seq 7,
 * index 2; the op deletes the key 'a' of table 1. */
static void test_vectors(void **state)
{
    (void)state;
    static const char key_id[] = "459ceb6a9722034a5c63eeb96be8a351eaac484c062c44c8a1ebc4cd5483a516";
    static const char box[] = "e7e05e0991b68ffb368915e8f217ad47a4be3734b3c844c674de92f17b509fe766dfc396fb9c8ecc"
                              "b62f6e38c34c08b74e958222e8adfaf9d9c9e7c5a14551fde18cc2a0c1493e682e717b4d843d0230";
    static const uint8_t op[] = {0x08, 0x02, 0x10, 0x01, 0x1a, 0x03, 0x03, 0x01, 0x61};
    struct boxed boxed = {.log.epoch = 0x1122334455667788, .index = 2};
    uint8_t seed[NV_SEED_BYTES], expected_id[32], expected_box[80], room[80];
    struct nv_salt salts[3];
    struct nv_slice opened;
    for (uint8_t i = 0; i < 32; i++) {
        boxed.key.bytes[i] = i;
        seed[i] = (uint8_t)(0x20 + i);
        boxed.log.site.bytes[i % 16] = (uint8_t)(0xa0 + i % 16);
        boxed.log.scope.bytes[i % 16] = (uint8_t)(0xc0 + i % 16);
    }
    nv_salts_of(seed, salts, 3);
    boxed.salt = salts[2];
    seal(&boxed, (struct nv_slice){op, sizeof op}, 3, 7);
    must_unhex(key_id, expected_id, sizeof expected_id);
    must_unhex(box, expected_box, sizeof expected_box);
    assert_memory_equal(boxed.key_id.bytes, expected_id, sizeof expected_id);
    assert_int_equal(boxed.read.box.size, sizeof expected_box);
    assert_memory_equal(boxed.read.box.data, expected_box, sizeof expected_box);
    assert_true(opens(&boxed, room, &opened));
    assert_true(nv_slice_equal(opened, (struct nv_slice){op, sizeof op}));
    nv_buffer_done(&boxed.encoded);
}

/* Sealed for the secret 40 … 5f with the ephemeral secret 80 … 9f, as PROTOCOL.md says it, by the same means. */
static void test_vector_of_a_sealed_key(void **state)
{
    (void)state;
    static const char text[] = "493e82fc74464a59268817623d2053c5eb8e2cc4a988b4fee179ec6b010d531dc05a522ef7950605"
                               "ffd0b4044a3198bad67620c9151518f3a5c18b4556615105120aa3f1faea7db4e1f18d9d9e386bc2";
    static const char public_key[] = "79a631eede1bf9c98f12032cdeadd0e7a079398fc786b88cc846ec89af85a51a";
    uint8_t sealed[NV_SEALED_KEY_BYTES];
    struct nv_curve_key own;
    struct nv_content_key key;
    for (uint8_t i = 0; i < 32; i++)
        own.secret[i] = (uint8_t)(0x40 + i);
    must_unhex(public_key, own.public_key.bytes, sizeof own.public_key.bytes);
    must_unhex(text, sealed, sizeof sealed);
    assert_true(nv_content_key_open(sealed, &own, &key));
    for (uint8_t i = 0; i < 32; i++)
        assert_int_equal(key.bytes[i], i);
}

static void test_size_classes(void **state)
{
    (void)state;
    static const size_t classes[] = {64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 640};
    size_t place = 0;
    for (size_t size = 1; size <= 640; size++) {
        place += size > classes[place];
        assert_int_equal(nv_size_class(size), classes[place]);
        assert_int_equal(nv_box_size_is_good(size + NV_BOX_EXTRA_BYTES), size == classes[place]);
    }
    for (size_t size = 0; size <= NV_BOX_EXTRA_BYTES; size++)
        assert_false(nv_box_size_is_good(size));
    /* The largest box fits into an op, the next would not. */
    assert_int_equal(nv_size_class(LARGE + 1), 14 << 20);
    assert_true(nv_box_size_is_good((14 << 20) + NV_BOX_EXTRA_BYTES));
    assert_false(nv_box_size_is_good((16 << 20) + NV_BOX_EXTRA_BYTES));
}

static void test_round_trip(void **state)
{
    (void)state;
    uint8_t *op = malloc(LARGE), *room = malloc(LARGE + 1 + NV_BOX_EXTRA_BYTES);
    sample_bytes(op, LARGE);
    for (size_t size = 1; size <= LARGE; size = size < 700 ? size + 1 : size < LARGE / 64 ? size * 3 : size + LARGE) {
        op[size - 1] = (uint8_t)(size % 3); /* zeros at the end are the op's own */
        struct nv_slice slice = {op, size}, opened;
        struct boxed boxed = random_boxed(slice);
        assert_int_equal(boxed.read.box.size, nv_size_class(size + 1) + NV_BOX_EXTRA_BYTES);
        assert_true(opens(&boxed, room, &opened));
        assert_true(nv_slice_equal(opened, slice));
        nv_buffer_done(&boxed.encoded);
    }
    struct nv_slice largest = {op, LARGE}, opened;
    struct boxed boxed = random_boxed(largest);
    assert_true(boxed.encoded.size <= NV_LIMIT_OP_BYTES);
    assert_true(opens(&boxed, room, &opened) && nv_slice_equal(opened, largest));
    nv_buffer_done(&boxed.encoded);
    free(op);
    free(room);
}

/* Turns each bit of what a box depends on, one after the other: it opens with none of them turned. */
static void check_every_bit(struct boxed *boxed, void *bytes, size_t size, const char *what)
{
    uint8_t room[512];
    struct nv_slice opened;
    for (size_t bit = 0; bit < 8 * size; bit++) {
        uint8_t *byte = (uint8_t *)bytes + bit / 8;
        *byte ^= (uint8_t)(1u << bit % 8);
        if (opens(boxed, room, &opened))
            fail_msg("a box opens with bit %zu of its %s turned", bit, what);
        *byte ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(opens(boxed, room, &opened));
}

static void test_every_flipped_bit(void **state)
{
    (void)state;
    uint8_t op[200];
    sample_bytes(op, sizeof op);
    struct boxed boxed = random_boxed((struct nv_slice){op, sizeof op});
    check_every_bit(&boxed, boxed.encoded.data + boxed.encoded.size - boxed.read.box.size, boxed.read.box.size, "box");
    check_every_bit(&boxed, &boxed.salt, sizeof boxed.salt, "salt");
    check_every_bit(&boxed, &boxed.key, sizeof boxed.key, "key");
    check_every_bit(&boxed, &boxed.index, sizeof boxed.index, "index");
    /* The rest of what it is bound to, but for the index, which is put in when it is opened. */
    check_every_bit(&boxed, boxed.bound.bytes, sizeof boxed.bound - 8, "place");
    nv_buffer_done(&boxed.encoded);
}

/* The same key, the same salt: another log, another changeset, another place in it. */
static void test_transplanted(void **state)
{
    (void)state;
    static const uint8_t op[] = "an op";
    struct nv_slice slice = {op, sizeof op}, opened;
    struct boxed boxed = random_boxed(slice);
    uint8_t room[128];
    for (int i = 0; i < 5; i++) {
        struct boxed other = boxed;
        struct nv_log_id *log = &other.log;
        uint64_t seq = boxed.bound.bytes[NV_BOX_BOUND_BYTES - 16] + 256u * boxed.bound.bytes[NV_BOX_BOUND_BYTES - 15];
        log->site.bytes[3] ^= i == 1;
        log->epoch ^= i == 2;
        log->scope.bytes[15] ^= i == 3;
        seq += i == 4;
        struct nv_hash id = nv_content_key_id(&boxed.key, log);
        /* Also where it is said to be the key of the log that it comes from. */
        for (int keeps_id = 0; keeps_id < 2; keeps_id++) {
            other.bound = nv_box_bound_of(keeps_id ? &boxed.key_id : &id, log, seq);
            assert_int_equal(opens(&other, room, &opened), i == 0);
        }
    }
    boxed.index++;
    assert_false(opens(&boxed, room, &opened));
    nv_buffer_done(&boxed.encoded);
}

/* What opens with the right key, and is padded in another way than an honest writer pads. */
static void test_padding(void **state)
{
    (void)state;
    static const struct {
        const char *plain;
        size_t size, padded;
        bool is_good;
    } cases[] = {
        {"op\x80", 3, 64, true},  {"op\x80", 3, 80, false},      /* more than it takes */
        {"op", 2, 64, false},                                    /* no byte that ends it */
        {"op\x81", 3, 64, false}, {"\x80", 1, 64, false},        /* no op */
        {"", 0, 64, false},       {"op\x80\0\x80", 5, 64, true}, /* the last one ends it */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct boxed boxed = random_boxed((struct nv_slice){(const uint8_t *)"op", 2});
        uint8_t plain[80] = {0}, box[96], room[96];
        struct nv_slice opened;
        memcpy(plain, cases[i].plain, cases[i].size);
        crypto_aead_xchacha20poly1305_ietf_encrypt(box, NULL, plain, cases[i].padded, boxed.bound.bytes,
                                                   sizeof boxed.bound.bytes, NULL, boxed.salt.bytes, boxed.key.bytes);
        boxed.read.box = (struct nv_slice){box, cases[i].padded + NV_BOX_EXTRA_BYTES};
        if (opens(&boxed, room, &opened) != cases[i].is_good)
            fail_msg("padding %zu", i);
        nv_buffer_done(&boxed.encoded);
    }
}

static struct nv_curve_key curve_key(void)
{
    struct nv_curve_key key;
    sample_bytes(key.secret, sizeof key.secret);
    crypto_scalarmult_base(key.public_key.bytes, key.secret);
    return key;
}

static void test_sealed_keys(void **state)
{
    (void)state;
    struct nv_curve_key own = curve_key(), other = curve_key();
    struct nv_content_key key, opened;
    uint8_t sealed[NV_SEALED_KEY_BYTES];
    nv_content_key_make(&key);
    assert_true(nv_content_key_seal(&key, &own.public_key, sealed));
    assert_true(nv_content_key_open(sealed, &own, &opened));
    assert_memory_equal(&opened, &key, sizeof key);
    assert_false(nv_content_key_open(sealed, &other, &opened));
    for (size_t bit = 0; bit < 8 * sizeof sealed; bit++) {
        sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(nv_content_key_open(sealed, &own, &opened));
        sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(nv_content_key_open(sealed, &own, &opened));
}

/* A certificate may hold any 32 bytes. Nothing is sealed to a key whose secret everybody knows. */
static void test_keys_that_nothing_is_sealed_to(void **state)
{
    (void)state;
    static const uint8_t low_orders[][32] = {{0}, {1}};
    struct nv_content_key key;
    struct nv_public_key to;
    uint8_t sealed[NV_SEALED_KEY_BYTES];
    nv_content_key_make(&key);
    for (size_t i = 0; i < 2; i++) {
        memcpy(to.bytes, low_orders[i], sizeof to.bytes);
        assert_false(nv_content_key_seal(&key, &to, sealed));
    }
}

/* An id commits to the key and to each part of the log's name. */
static void test_key_ids(void **state)
{
    (void)state;
    struct {
        struct nv_content_key key;
        struct nv_log_id log;
    } named;
    sample_bytes(&named, sizeof named);
    struct nv_hash id = nv_content_key_id(&named.key, &named.log);
    for (size_t bit = 0; bit < 8 * sizeof named; bit++) {
        ((uint8_t *)&named)[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct nv_hash other = nv_content_key_id(&named.key, &named.log);
        assert_memory_not_equal(&id, &other, sizeof id);
        ((uint8_t *)&named)[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

int main(void)
{
    if (nv_wire_start(NULL) != NV_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_vector_of_a_sealed_key),
        cmocka_unit_test(test_size_classes),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_every_flipped_bit),
        cmocka_unit_test(test_transplanted),
        cmocka_unit_test(test_padding),
        cmocka_unit_test(test_sealed_keys),
        cmocka_unit_test(test_keys_that_nothing_is_sealed_to),
        cmocka_unit_test(test_key_ids),
    };
    return cmocka_run_group_tests_name("boxes", tests, NULL, NULL);
}
