/* Changesets: what is sealed opens, and nothing else does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sodium.h>
#include <zstd.h>

#include "proto/navette.pb-c.h"
#include "wire/body.h"
#include "wire/hash.h"
#include "wire_samples.h"

static struct nv_arena arena_of_test(void)
{
    return (struct nv_arena){.limit = 96u << 20};
}

static void assert_same_ops(const struct sample *sample, const struct nv_body *body)
{
    assert_int_equal(body->count, sample->op_count);
    for (size_t i = 0; i < body->count; i++)
        assert_true(!body->entries[i].is_redacted && nv_slice_equal(body->entries[i].op, sample->ops[i]));
}

static void test_round_trip(void **state)
{
    (void)state;
    static const size_t counts[] = {0, 1, 2, 5, 300, NV_LIMIT_CHANGESET_OPS};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct sample sample;
        sample_seal(&sample, counts[i]);
        struct nv_arena arena = arena_of_test();
        struct nv_body body;
        assert_int_equal(sample_open(&sample, nv_buffer_slice(&sample.bytes), &arena, &body), NV_OK);
        assert_same_ops(&sample, &body);
        assert_true(sample.parts.compressed || counts[i] < 300);
        assert_int_equal(sample.header.op_count, counts[i]);
        nv_arena_done(&arena);
        sample_done(&sample);
    }
}

static void test_header_round_trip(void **state)
{
    (void)state;
    struct sample sample;
    sample_seal(&sample, 2);
    struct nv_arena arena = arena_of_test();
    struct nv_header header;
    assert_int_equal(nv_header_decode(sample.parts.header, &arena, &header, NULL), NV_OK);
    assert_int_equal(nv_log_id_compare(&header.log, &sample.header.log), 0);
    assert_int_equal(header.seq, sample.header.seq);
    assert_int_equal(header.sealed.ms, sample.header.sealed.ms);
    assert_memory_equal(&header.previous, &sample.header.previous, sizeof header.previous);
    assert_memory_equal(&header.authority_pin, &sample.header.authority_pin, sizeof header.authority_pin);
    assert_memory_equal(&header.ops_root, &sample.header.ops_root, sizeof header.ops_root);
    assert_int_equal(header.context_count, 3);
    for (size_t i = 0; i < header.context_count; i++) {
        assert_memory_equal(&header.context[i].site, &sample.header.context[i].site, 16);
        assert_memory_equal(&header.context[i].scope, &sample.header.log.scope, 16);
        assert_memory_equal(&header.context[i].pin, &sample.header.context[i].pin, 16);
        assert_int_equal(header.context[i].seq, sample.header.context[i].seq);
    }
    struct nv_hash hash = nv_header_hash(sample.parts.header);
    assert_memory_equal(&hash, &sample.hash, sizeof hash);
    nv_arena_done(&arena);
    sample_done(&sample);
}

/* The words of PROTOCOL.md, followed once more with libsodium and protobuf-c alone. */
static void test_second_reading(void **state)
{
    (void)state;
    struct sample sample;
    sample_seal(&sample, 3);
    Navette__Changeset *changeset = navette__changeset__unpack(NULL, sample.bytes.size, sample.bytes.data);
    assert_non_null(changeset);
    struct nv_buffer said = {0};
    nv_buffer_append(&said, "navette changeset 1\n", 20);
    nv_buffer_append(&said, sample.network.bytes, 32);
    nv_buffer_append(&said, changeset->header.data, changeset->header.len);
    assert_int_equal(
        crypto_sign_verify_detached(changeset->signature.data, said.data, said.size, sample.key.public_key.bytes), 0);
    nv_buffer_done(&said);

    struct nv_slice plain = sample.parts.body;
    uint8_t *decompressed = NULL;
    if (changeset->body_case == NAVETTE__CHANGESET__BODY_ZSTD) {
        decompressed = malloc(NV_LIMIT_BODY_BYTES);
        size_t size = ZSTD_decompress(decompressed, NV_LIMIT_BODY_BYTES, plain.data, plain.size);
        plain = (struct nv_slice){.data = decompressed, .size = size};
    }
    Navette__Body *body = navette__body__unpack(NULL, plain.size, plain.data);
    assert_non_null(body);
    assert_int_equal(body->n_entries, 3);
    assert_int_equal(body->seed.len, 32);
    uint8_t stream[3 * 24], digests[3 * 32], root[32], nonce[12] = {0};
    crypto_stream_chacha20_ietf(stream, sizeof stream, nonce, body->seed.data);
    for (size_t i = 0; i < 3; i++) {
        struct nv_slice op = {.data = body->entries[i]->op.data, .size = body->entries[i]->op.len};
        assert_true(nv_slice_equal(op, sample.ops[i]));
        struct nv_buffer salted = {0};
        nv_buffer_append(&salted, stream + 24 * i, 24);
        nv_buffer_append(&salted, op.data, op.size);
        crypto_generichash(digests + 32 * i, 32, salted.data, salted.size, NULL, 0);
        nv_buffer_done(&salted);
    }
    crypto_generichash(root, sizeof root, digests, sizeof digests, NULL, 0);
    Navette__Header *header = navette__header__unpack(NULL, changeset->header.len, changeset->header.data);
    assert_non_null(header);
    assert_memory_equal(header->ops_root.data, root, 32);
    navette__header__free_unpacked(header, NULL);
    navette__body__free_unpacked(body, NULL);
    navette__changeset__free_unpacked(changeset, NULL);
    free(decompressed);
    sample_done(&sample);
}

static void test_every_truncation(void **state)
{
    (void)state;
    static const size_t counts[] = {0, 3, 3, 40};
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        struct sample sample;
        sample_seal(&sample, counts[c]);
        if (c % 2 == 0)
            sample_make_plain(&sample);
        struct nv_arena arena = arena_of_test();
        for (size_t size = 0; size < sample.bytes.size; size++) {
            uint8_t *cut = malloc(size + 1); /* its own allocation, so that a sanitizer sees the end */
            memcpy(cut + 1, sample.bytes.data, size);
            struct nv_body body;
            nv_arena_reset(&arena);
            assert_int_equal(sample_open(&sample, (struct nv_slice){cut + 1, size}, &arena, &body), NV_REFUSED);
            free(cut);
        }
        /* The parts by themselves, cut where the split would not let it happen. */
        for (size_t size = 0; size < sample.parts.header.size; size++) {
            struct nv_header header;
            struct nv_slice cut = {.data = sample.parts.header.data, .size = size};
            if (sample.header.control_count > 0 && size == sample.parts.header.size - 2)
                continue; /* the last field may be left out: the signature alone tells */
            assert_int_not_equal(nv_header_decode(cut, &arena, &header, NULL), NV_OK);
        }
        for (size_t size = 0; size < sample.parts.body.size; size++) {
            struct nv_changeset_parts cut = sample.parts;
            struct nv_body body;
            cut.body.size = size;
            nv_arena_reset(&arena);
            assert_int_equal(nv_body_open(&cut, &sample.header, &arena, &body, NULL), NV_REFUSED);
        }
        nv_arena_done(&arena);
        sample_done(&sample);
    }
}

/* Flips each bit in turn. A frame of zstd has bits that mean nothing (unused ones of its header, padding of its
 * streams; about one in a thousand): where such a one is changed, the content must still be what was signed. */
static void flip_all(struct sample *sample, struct nv_slice bytes, bool compressed)
{
    struct nv_arena arena = arena_of_test();
    uint8_t *copy = malloc(bytes.size);
    memcpy(copy, bytes.data, bytes.size);
    size_t passed = 0;
    for (size_t bit = 0; bit < bytes.size * 8; bit++) {
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct nv_body body;
        nv_arena_reset(&arena);
        enum nv_status status = sample_open(sample, (struct nv_slice){copy, bytes.size}, &arena, &body);
        if (status == NV_OK) {
            assert_true(compressed);
            assert_same_ops(sample, &body);
            passed++;
        } else {
            assert_true(status == NV_REFUSED || status == NV_NOT_YET);
        }
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(passed * 100 <= bytes.size * 8);
    free(copy);
    nv_arena_done(&arena);
}

static void test_every_bit_flip(void **state)
{
    (void)state;
    static const size_t counts[] = {0, 2, 4, 40};
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        struct sample sample;
        sample_seal(&sample, counts[c]);
        if (c % 2 == 0)
            sample_make_plain(&sample);
        flip_all(&sample, nv_buffer_slice(&sample.bytes), sample.parts.compressed);
        sample_done(&sample);
    }
}

static void test_signature_binds(void **state)
{
    (void)state;
    struct sample sample;
    sample_seal(&sample, 1);
    struct nv_public_key other = sample_key(9).public_key;
    struct nv_error error;
    assert_int_equal(nv_changeset_verify(&sample.parts, &sample.key.public_key, &sample.network, &error), NV_OK);
    assert_int_equal(nv_changeset_verify(&sample.parts, &other, &sample.network, &error), NV_REFUSED);
    assert_int_equal(nv_changeset_verify(&sample.parts, &sample.key.public_key, &other, &error), NV_REFUSED);
    sample_done(&sample);
}

/* ---- redaction ---- */

static bool contains(struct nv_slice whole, struct nv_slice part)
{
    return memmem(whole.data, whole.size, part.data, part.size) != NULL;
}

/* Redacts, and puts the new body in the place of the old one. */
static void redact(struct sample *sample, const bool *which)
{
    struct nv_arena arena = arena_of_test();
    struct nv_buffer body = {0};
    bool compressed;
    struct nv_error error;
    assert_int_equal(nv_body_redact(&sample->parts, &sample->header, which, &arena, &body, &compressed, &error), NV_OK);
    struct nv_changeset_parts parts = sample->parts;
    parts.body = nv_buffer_slice(&body);
    parts.compressed = compressed;
    nv_buffer_clear(&sample->bytes);
    nv_changeset_join(&parts, &sample->bytes);
    assert_int_equal(nv_changeset_split(nv_buffer_slice(&sample->bytes), &sample->parts, &error), NV_OK);
    nv_buffer_done(&body);
    nv_arena_done(&arena);
}

static void test_redaction(void **state)
{
    (void)state;
    struct sample sample;
    sample_seal(&sample, 6);
    bool is_gone[6] = {false}, now[6];
    static const size_t order[] = {1, 4, 0, 5, 2, 3};
    for (size_t step = 0; step < 6; step++) {
        memset(now, 0, sizeof now);
        now[order[step]] = is_gone[order[step]] = true;
        redact(&sample, now);
        struct nv_arena arena = arena_of_test();
        struct nv_body body;
        assert_int_equal(sample_open(&sample, nv_buffer_slice(&sample.bytes), &arena, &body), NV_OK);
        assert_int_equal(body.count, 6);
        for (size_t i = 0; i < 6; i++) {
            assert_int_equal(body.entries[i].is_redacted, is_gone[i]);
            if (!is_gone[i])
                assert_true(nv_slice_equal(body.entries[i].op, sample.ops[i]));
            else
                assert_true(sample.parts.compressed || !contains(sample.parts.body, sample.ops[i]));
        }
        nv_arena_done(&arena);
    }
    sample_done(&sample);
}

static void test_redaction_lets_the_seed_go(void **state)
{
    (void)state;
    struct sample sample;
    sample_seal(&sample, 1);
    sample_make_plain(&sample); /* the seed is looked for in plain bytes */
    struct nv_slice seed = {.data = sample.parts.body.data + 2, .size = 32};
    uint8_t kept[32];
    memcpy(kept, seed.data, sizeof kept);
    redact(&sample, (bool[]){false});
    assert_true(contains(sample.parts.body, (struct nv_slice){kept, 32}));
    redact(&sample, (bool[]){true});
    assert_false(contains(sample.parts.body, (struct nv_slice){kept, 32}));
    flip_all(&sample, nv_buffer_slice(&sample.bytes), sample.parts.compressed);
    sample_done(&sample);
}

/* ---- limits ---- */

static void test_seal_refuses_too_much(void **state)
{
    (void)state;
    struct nv_arena arena = arena_of_test();
    struct nv_header header = sample_header(&arena, 0);
    struct nv_sign_key key = sample_key(1);
    struct nv_buffer scratch = {0};
    struct nv_changeset_parts parts;
    struct nv_hash hash;
    struct nv_slice op = {.data = calloc(1, NV_LIMIT_OP_BYTES + 1), .size = NV_LIMIT_OP_BYTES + 1};
    struct nv_slice two[2] = {op, op};
    struct nv_slice nothing = {op.data, 0};
#define SEAL(ops, count) nv_changeset_seal(&header, ops, count, &key, &key.public_key, &scratch, &parts, &hash, NULL)
    assert_int_equal(SEAL(&op, 1), NV_REFUSED);
    assert_int_equal(SEAL(&nothing, 1), NV_REFUSED);
    two[0].size = two[1].size = NV_LIMIT_OP_BYTES;
    assert_int_equal(SEAL(two, 1), NV_OK);
    assert_int_equal(SEAL(two, 2), NV_BUG);
    assert_int_equal(SEAL(two, NV_LIMIT_CHANGESET_OPS + 1), NV_BUG);
    header.seq = 0;
    assert_int_equal(SEAL(two, 0), NV_BUG);
#undef SEAL
    free((void *)op.data);
    nv_buffer_done(&scratch);
    nv_arena_done(&arena);
}

static void test_split_refuses(void **state)
{
    (void)state;
    struct sample sample;
    sample_seal(&sample, 1);
    struct nv_changeset_parts parts;
    struct nv_buffer bytes = {0};
    /* A second body, which the oneof of protobuf-c would let win. */
    nv_changeset_join(&sample.parts, &bytes);
    nv_buffer_append(&bytes, sample.parts.compressed ? "\x1a\x00" : "\x22\x00", 2);
    assert_int_equal(nv_changeset_split(nv_buffer_slice(&bytes), &parts, NULL), NV_REFUSED);
    /* A part that only newer software knows. */
    nv_buffer_clear(&bytes);
    nv_changeset_join(&sample.parts, &bytes);
    nv_buffer_append(&bytes, "\x2a\x00", 2);
    assert_int_equal(nv_changeset_split(nv_buffer_slice(&bytes), &parts, NULL), NV_NOT_YET);
    /* The header twice. */
    nv_buffer_clear(&bytes);
    nv_buffer_append(&bytes, "\x0a\x01\x08", 3);
    nv_changeset_join(&sample.parts, &bytes);
    assert_int_equal(nv_changeset_split(nv_buffer_slice(&bytes), &parts, NULL), NV_REFUSED);
    nv_buffer_done(&bytes);
    sample_done(&sample);
}

static void test_redacting_again_changes_nothing(void **state)
{
    (void)state;
    struct sample sample;
    sample_seal(&sample, 2);
    redact(&sample, (bool[]){true, false});
    struct nv_buffer before = {0};
    nv_buffer_append(&before, sample.parts.body.data, sample.parts.body.size);
    redact(&sample, (bool[]){true, false});
    assert_true(nv_slice_equal(sample.parts.body, nv_buffer_slice(&before)));
    nv_buffer_done(&before);
    sample_done(&sample);
}

static void test_parts_have_sizes(void **state)
{
    (void)state;
    struct sample sample;
    sample_seal(&sample, 1);
    static uint8_t zeros[NV_LIMIT_HEADER_BYTES + 1];
    const struct {
        size_t header, signature;
        enum nv_status expected;
    } sizes[] = {{1, 64, NV_OK},
                 {NV_LIMIT_HEADER_BYTES, 64, NV_OK},
                 {NV_LIMIT_HEADER_BYTES + 1, 64, NV_REFUSED},
                 {0, 64, NV_REFUSED},
                 {1, 63, NV_REFUSED},
                 {1, 65, NV_REFUSED},
                 {1, 0, NV_REFUSED}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct nv_changeset_parts parts = {.header = {zeros, sizes[i].header},
                                           .signature = {zeros, sizes[i].signature},
                                           .body = sample.parts.body,
                                           .compressed = sample.parts.compressed},
                                  read;
        struct nv_buffer bytes = {0};
        nv_changeset_join(&parts, &bytes);
        assert_int_equal(nv_changeset_split(nv_buffer_slice(&bytes), &read, NULL), sizes[i].expected);
        nv_buffer_done(&bytes);
    }
    struct nv_changeset_parts parts = sample.parts, read;
    assert_int_equal(nv_changeset_split((struct nv_slice){(const uint8_t *)"\x0a\x00", 2}, &read, NULL), NV_REFUSED);
    assert_int_equal(nv_changeset_split((struct nv_slice){(const uint8_t *)"\x08\x01", 2}, &read, NULL), NV_REFUSED);
    parts.signature.size--;
    assert_int_equal(nv_changeset_verify(&parts, &sample.key.public_key, &sample.network, NULL), NV_REFUSED);
    sample_done(&sample);
}

int main(void)
{
    if (nv_wire_start(NULL) != NV_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_header_round_trip),
        cmocka_unit_test(test_second_reading),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_every_bit_flip),
        cmocka_unit_test(test_signature_binds),
        cmocka_unit_test(test_redaction),
        cmocka_unit_test(test_redaction_lets_the_seed_go),
        cmocka_unit_test(test_seal_refuses_too_much),
        cmocka_unit_test(test_split_refuses),
        cmocka_unit_test(test_redacting_again_changes_nothing),
        cmocka_unit_test(test_parts_have_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
