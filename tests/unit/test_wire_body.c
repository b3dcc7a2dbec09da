/* Bodies of changesets: their form, their sizes, and the frames that they are compressed into. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <zstd.h>

#include "proto/navette.pb-c.h"
#include "wire/body.h"
#include "wire_samples.h"

static struct nv_arena arena_of_test(void)
{
    return (struct nv_arena){.limit = 96u << 20};
}

static enum nv_status open_plain(struct nv_slice bytes, uint32_t op_count)
{
    struct nv_changeset_parts parts = {.body = bytes};
    struct nv_header header = {.op_count = op_count};
    struct nv_arena arena = arena_of_test();
    struct nv_body body;
    struct nv_error error;
    enum nv_status status = nv_body_open(&parts, &header, &arena, &body, &error);
    nv_arena_done(&arena);
    /* The root is of nothing: where the form is good, that is what is found to be wrong. */
    if (status == NV_REFUSED && strstr(error.text, "ops root") != NULL)
        return NV_OK;
    return status;
}

static void test_forms_of_bodies(void **state)
{
    (void)state;
#define SEED                                                                                                           \
    "\x0a\x20"                                                                                                         \
    "0123456789abcdef0123456789abcdef"
#define SALT                                                                                                           \
    "\x12\x18"                                                                                                         \
    "0123456789abcdef01234567"
#define DIGEST                                                                                                         \
    "\x1a\x20"                                                                                                         \
    "0123456789abcdef0123456789abcdef"
    static const struct {
        const char *what, *bytes;
        size_t size;
        uint32_t op_count;
        enum nv_status expected;
    } bodies[] = {
#define BODY(what, bytes, count, expected) {what, bytes, sizeof(bytes) - 1, count, expected}
        BODY("a seed and an op", SEED "\x12\x03\x0a\x01o", 1, NV_OK),
        BODY("an op and its salt", "\x12\x1d\x0a\x01o" SALT, 1, NV_OK),
        BODY("a digest", "\x12\x22" DIGEST, 1, NV_OK),
        BODY("a short seed", "\x0a\x01s\x12\x03\x0a\x01o", 1, NV_REFUSED),
        BODY("a seed that is a number", "\x08\x01\x12\x03\x0a\x01o", 1, NV_REFUSED),
        BODY("a seed of nothing", SEED, 0, NV_REFUSED),
        BODY("fewer ops than the header says", SEED "\x12\x03\x0a\x01o", 2, NV_REFUSED),
        BODY("more ops than the header says", SEED "\x12\x03\x0a\x01o\x12\x03\x0a\x01o", 1, NV_REFUSED),
        BODY("an entry of another number", SEED "\x1a\x03\x0a\x01o", 1, NV_REFUSED),
        BODY("an entry that is a number", SEED "\x10\x01", 1, NV_REFUSED),
        BODY("an empty entry", SEED "\x12\x00", 1, NV_REFUSED),
        BODY("an empty op", SEED "\x12\x02\x0a\x00", 1, NV_REFUSED),
        BODY("an op that is a number", SEED "\x12\x02\x08\x01", 1, NV_REFUSED),
        BODY("an op of another number", SEED "\x12\x03\x22\x01o", 1, NV_REFUSED),
        BODY("something behind the op", SEED "\x12\x06\x0a\x01o\x22\x01o", 1, NV_REFUSED),
        BODY("no salt", "\x12\x03\x0a\x01o", 1, NV_REFUSED),
        BODY("a short salt", "\x12\x06\x0a\x01o\x12\x01s", 1, NV_REFUSED),
        BODY("a salt that is a number", "\x12\x05\x0a\x01o\x10\x01", 1, NV_REFUSED),
        BODY("a digest in the salt's place", "\x12\x25\x0a\x01o" DIGEST, 1, NV_REFUSED),
        BODY("something behind the salt", "\x12\x20\x0a\x01o" SALT "\x22\x01o", 1, NV_REFUSED),
        BODY("a short digest", "\x12\x03\x1a\x01o", 1, NV_REFUSED),
        BODY("something behind the digest", "\x12\x25" DIGEST "\x22\x01o", 1, NV_REFUSED),
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        if (open_plain((struct nv_slice){(const uint8_t *)bodies[i].bytes, bodies[i].size}, bodies[i].op_count) !=
            bodies[i].expected)
            fail_msg("%s", bodies[i].what);
}

static void test_sizes_of_bodies(void **state)
{
    (void)state;
    struct nv_buffer bytes = {0};
    uint8_t *zeros = calloc(1, NV_LIMIT_BODY_BYTES + 1), seed[NV_SEED_BYTES] = {1};
    const struct {
        size_t first, second;
        enum nv_status expected;
    } sizes[] = {{NV_LIMIT_OP_BYTES, 0, NV_OK},
                 {NV_LIMIT_OP_BYTES + 1, 0, NV_REFUSED},
                 {NV_LIMIT_OP_BYTES, (4 << 20) - 200, NV_OK},
                 {NV_LIMIT_OP_BYTES, (4 << 20) - 60, NV_REFUSED}}; /* no room to be redacted */
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct nv_slice ops[2] = {{zeros, sizes[i].first}, {zeros, sizes[i].second}};
        size_t count = sizes[i].second == 0 ? 1 : 2;
        nv_buffer_clear(&bytes);
        nv_body_encode(seed, ops, count, &bytes);
        assert_true(bytes.size <= NV_LIMIT_BODY_BYTES);
        assert_int_equal(open_plain(nv_buffer_slice(&bytes), (uint32_t)count), sizes[i].expected);
    }
    assert_int_equal(open_plain((struct nv_slice){zeros, NV_LIMIT_BODY_BYTES + 1}, 1), NV_REFUSED);
    assert_int_equal(open_plain((struct nv_slice){zeros, 1}, NV_LIMIT_CHANGESET_OPS + 1), NV_REFUSED);
    nv_buffer_done(&bytes);
    free(zeros);
}

static void test_seed_beside_redacted_is_refused(void **state)
{
    (void)state;
    uint8_t seed[32] = {7};
    struct nv_salt salts[2];
    nv_salts_of(seed, salts, 2);
    struct nv_slice op = {(const uint8_t *)"op", 2};
    struct nv_hash digests[2] = {nv_op_digest(&salts[0], op), nv_op_digest(&salts[1], op)};
    Navette__Entry first = NAVETTE__ENTRY__INIT, second = NAVETTE__ENTRY__INIT;
    first.op = (ProtobufCBinaryData){.len = op.size, .data = (uint8_t *)op.data};
    second.digest = (ProtobufCBinaryData){.len = 32, .data = digests[1].bytes};
    Navette__Body body = NAVETTE__BODY__INIT;
    body.n_entries = 2;
    body.entries = (Navette__Entry *[]){&first, &second};
    struct nv_header header = {.op_count = 2, .ops_root = nv_ops_root(digests, 2)};
    for (int has_seed = 0; has_seed < 2; has_seed++) {
        if (has_seed)
            body.seed = (ProtobufCBinaryData){.len = 32, .data = seed};
        else
            first.salt = (ProtobufCBinaryData){.len = 24, .data = salts[0].bytes};
        uint8_t bytes[256];
        struct nv_changeset_parts parts = {.body = {bytes, navette__body__pack(&body, bytes)}};
        struct nv_arena arena = arena_of_test();
        struct nv_body opened;
        assert_int_equal(nv_body_open(&parts, &header, &arena, &opened, NULL), has_seed ? NV_REFUSED : NV_OK);
        first.salt = (ProtobufCBinaryData){0};
        nv_arena_done(&arena);
    }
}

static enum nv_status open_frame(const void *frame, size_t size, struct nv_arena *arena)
{
    struct nv_changeset_parts parts = {.body = {frame, size}, .compressed = true};
    struct nv_header header = {.op_count = 1};
    struct nv_body body;
    return nv_body_open(&parts, &header, arena, &body, NULL);
}

static void test_frames(void **state)
{
    (void)state;
    struct nv_arena arena = arena_of_test();
    size_t size = NV_LIMIT_BODY_BYTES + 1, bound = ZSTD_compressBound(size);
    uint8_t *zeros = calloc(1, size), *frame = malloc(2 * bound);
    size_t bomb = ZSTD_compress(frame, bound, zeros, size, 1);
    assert_int_equal(open_frame(frame, bomb, &arena), NV_REFUSED);
    assert_int_equal(arena.used, 0); /* it was judged by what it states */

    struct sample sample;
    sample_seal(&sample, 300);
    struct nv_slice good = sample.parts.body;
    struct nv_body body;
    struct nv_changeset_parts parts = sample.parts;
    assert_int_equal(nv_body_open(&parts, &sample.header, &arena, &body, NULL), NV_OK);
    /* Two frames, and one with something behind it. */
    memcpy(frame, good.data, good.size);
    memcpy(frame + good.size, good.data, good.size);
    parts.body = (struct nv_slice){frame, 2 * good.size};
    assert_int_equal(nv_body_open(&parts, &sample.header, &arena, &body, NULL), NV_REFUSED);
    parts.body.size = good.size + 1;
    assert_int_equal(nv_body_open(&parts, &sample.header, &arena, &body, NULL), NV_REFUSED);
    /* One that zstd passes over, behind it: bytes that nobody signed. */
    memcpy(frame + good.size, "\x50\x2a\x4d\x18\0\0\0\0", 8);
    parts.body.size = good.size + 8;
    assert_int_equal(nv_body_open(&parts, &sample.header, &arena, &body, NULL), NV_REFUSED);
    /* And before it. */
    memcpy(frame, "\x50\x2a\x4d\x18\0\0\0\0", 8);
    memcpy(frame + 8, good.data, good.size);
    parts.body = (struct nv_slice){frame, 8 + good.size};
    assert_int_equal(nv_body_open(&parts, &sample.header, &arena, &body, NULL), NV_REFUSED);
    /* The same content without its size. */
    ZSTD_CCtx *context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
    uint8_t *plain = malloc(NV_LIMIT_BODY_BYTES);
    size_t plain_size = ZSTD_decompress(plain, NV_LIMIT_BODY_BYTES, good.data, good.size);
    parts.body = (struct nv_slice){frame, ZSTD_compress2(context, frame, bound, plain, plain_size)};
    assert_int_equal(nv_body_open(&parts, &sample.header, &arena, &body, NULL), NV_REFUSED);
    ZSTD_freeCCtx(context);
    free(plain);
    sample_done(&sample);
    free(frame);
    free(zeros);
    nv_arena_done(&arena);
}

int main(void)
{
    if (nv_wire_start(NULL) != NV_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms_of_bodies),
        cmocka_unit_test(test_sizes_of_bodies),
        cmocka_unit_test(test_seed_beside_redacted_is_refused),
        cmocka_unit_test(test_frames),
    };
    return cmocka_run_group_tests_name("bodies", tests, NULL, NULL);
}
