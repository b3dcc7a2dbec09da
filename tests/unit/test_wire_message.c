/* Messages between nodes, the digest of a vector, and the hashes that the store uses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sodium.h>

#include "wire/digest.h"
#include "wire/form.h"
#include "wire/hash.h"
#include "wire/message.h"
#include "wire_samples.h"

static struct nv_arena arena_of_test(void)
{
    return (struct nv_arena){.limit = 64u << 20};
}

static void make_heads(struct nv_far_head *heads, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        heads[i] = (struct nv_far_head){.epoch = sample_random(1000), .seq = 1 + sample_random(1000)};
        heads[i].scope = i < count / 2 ? NV_SCOPE_AUTHORITY : NV_SCOPE_NETWORK;
        heads[i].site.bytes[0] = (uint8_t)(i >> 8);
        heads[i].site.bytes[1] = (uint8_t)i;
        sample_bytes(heads[i].pin.bytes, sizeof heads[i].pin.bytes);
    }
}

static void assert_same_heads(const struct nv_far_head *a, size_t count, const struct nv_far_head *b, size_t b_count)
{
    assert_int_equal(count, b_count);
    for (size_t i = 0; i < count; i++) {
        assert_memory_equal(&a[i].site, &b[i].site, 16);
        assert_memory_equal(&a[i].scope, &b[i].scope, 16);
        assert_memory_equal(&a[i].pin, &b[i].pin, 16);
        assert_true(a[i].epoch == b[i].epoch && a[i].seq == b[i].seq);
    }
}

/* Encodes, decodes, and holds every truncation to being refused or another message, never a crash. */
static struct nv_message round_trip(const struct nv_message *message, struct nv_arena *arena)
{
    struct nv_buffer bytes = {0};
    nv_message_encode(message, &bytes);
    assert_false(bytes.failed);
    struct nv_message read;
    struct nv_error error = {0};
    if (nv_message_decode(nv_buffer_slice(&bytes), arena, &read, &error) != NV_OK)
        fail_msg("%s", error.text);
    assert_int_equal(read.kind, message->kind);
    struct nv_arena other = arena_of_test();
    for (size_t size = 0; size < bytes.size; size++) {
        uint8_t *cut = malloc(size + 1);
        struct nv_message part;
        memcpy(cut + 1, bytes.data, size);
        nv_arena_reset(&other);
        assert_int_not_equal(nv_message_decode((struct nv_slice){cut + 1, size}, &other, &part, NULL), NV_OK);
        free(cut);
    }
    nv_arena_done(&other);
    nv_buffer_done(&bytes);
    return read;
}

static void test_small_messages(void **state)
{
    (void)state;
    struct nv_arena arena = arena_of_test();
    struct nv_message hello = {.kind = NV_MESSAGE_HELLO, .hello.protocol = NV_PROTOCOL};
    sample_bytes(hello.hello.network, sizeof hello.hello.network);
    sample_bytes(hello.hello.site.bytes, sizeof hello.hello.site.bytes);
    struct nv_message read = round_trip(&hello, &arena);
    assert_int_equal(read.hello.protocol, NV_PROTOCOL);
    assert_memory_equal(read.hello.network, hello.hello.network, 32);
    assert_memory_equal(&read.hello.site, &hello.hello.site, 16);

    struct nv_message credit = {.kind = NV_MESSAGE_CREDIT, .credit = {.pull = 7, .bytes = UINT64_MAX}};
    read = round_trip(&credit, &arena);
    assert_true(read.credit.pull == 7 && read.credit.bytes == UINT64_MAX);

    struct nv_message ping = {.kind = NV_MESSAGE_PING};
    assert_false(round_trip(&ping, &arena).ping.reply);
    ping.ping.reply = true;
    assert_true(round_trip(&ping, &arena).ping.reply);

    struct nv_message refusal = {.kind = NV_MESSAGE_REFUSAL, .refusal.reason = NV_REFUSAL_IDENTITY};
    memset(refusal.refusal.text, 'x', sizeof refusal.refusal.text - 1);
    read = round_trip(&refusal, &arena);
    assert_int_equal(read.refusal.reason, NV_REFUSAL_IDENTITY);
    assert_string_equal(read.refusal.text, refusal.refusal.text);
    nv_arena_done(&arena);
}

static void test_vectors(void **state)
{
    (void)state;
    struct nv_arena arena = arena_of_test();
    struct nv_far_head heads[20];
    make_heads(heads, 20);
    struct nv_message has = {
        .kind = NV_MESSAGE_HAS,
        .has = {.digest = {{1, 2, 3}}, .whole = true, .please = true, .heads = heads, .head_count = 20}};
    struct nv_message read = round_trip(&has, &arena);
    assert_true(read.has.whole && read.has.please);
    assert_memory_equal(&read.has.digest, &has.has.digest, 16);
    assert_same_heads(read.has.heads, read.has.head_count, heads, 20);

    struct nv_message pull = {.kind = NV_MESSAGE_PULL,
                              .pull = {.pull = 3, .has = heads, .has_count = 20, .credit_bytes = 1 << 20}};
    read = round_trip(&pull, &arena);
    assert_true(read.pull.pull == 3 && read.pull.credit_bytes == 1 << 20);
    assert_same_heads(read.pull.has, read.pull.has_count, heads, 20);

    /* In another order, or a log twice. */
    struct nv_buffer bytes = {0};
    struct nv_far_head first = heads[0];
    heads[0] = heads[1];
    nv_message_encode(&has, &bytes);
    assert_int_equal(nv_message_decode(nv_buffer_slice(&bytes), &arena, &read, NULL), NV_REFUSED);
    heads[1] = first;
    nv_buffer_clear(&bytes);
    nv_message_encode(&has, &bytes);
    assert_int_equal(nv_message_decode(nv_buffer_slice(&bytes), &arena, &read, NULL), NV_REFUSED);
    nv_buffer_done(&bytes);
    nv_arena_done(&arena);
}

static struct nv_scopes_said say_scopes(struct nv_scope_id *scopes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        scopes[i] = (struct nv_scope_id){{9, (uint8_t)(i >> 8), (uint8_t)i}};
    return (struct nv_scopes_said){.is_said = true, .authority_seq = 77, .scopes = {.scopes = scopes, .count = count}};
}

static void test_scopes(void **state)
{
    (void)state;
    struct nv_arena arena = arena_of_test();
    static struct nv_scope_id scopes[NV_LIMIT_SCOPES + 1];
    struct nv_message has = {.kind = NV_MESSAGE_HAS, .has.scopes = say_scopes(scopes, 3)};
    struct nv_message hello = {.kind = NV_MESSAGE_HELLO, .hello.scopes = say_scopes(scopes, 3)}, read;
    read = round_trip(&has, &arena);
    assert_true(read.has.scopes.is_said && read.has.scopes.authority_seq == 77);
    assert_true(nv_scope_set_equal(&read.has.scopes.scopes, &has.has.scopes.scopes));
    read = round_trip(&hello, &arena);
    assert_true(nv_scope_set_equal(&read.hello.scopes.scopes, &hello.hello.scopes.scopes));
    has.has.scopes.scopes = (struct nv_scope_set){.has_all = true};
    assert_true(round_trip(&has, &arena).has.scopes.scopes.has_all);
    has.has.scopes.is_said = false;
    assert_false(round_trip(&has, &arena).has.scopes.is_said);
    nv_arena_done(&arena);
}

static void test_scopes_against_the_protocol(void **state)
{
    (void)state;
    struct nv_arena arena = arena_of_test();
    static struct nv_scope_id scopes[NV_LIMIT_SCOPES + 1];
    struct nv_message messages[5], read;
    struct nv_buffer bytes = {0};
    for (size_t i = 0; i < 5; i++)
        messages[i] = (struct nv_message){.kind = NV_MESSAGE_HAS, .has.scopes = say_scopes(scopes, 3)};
    struct nv_scope_id twice[2] = {{{1}}, {{1}}}, descending[2] = {{{2}}, {{1}}};
    messages[1].has.scopes.scopes = (struct nv_scope_set){.scopes = twice, .count = 2};
    messages[2].has.scopes.scopes = (struct nv_scope_set){.scopes = descending, .count = 2};
    messages[3].has.scopes.scopes.has_all = true; /* and some of them besides */
    messages[4].has.scopes = say_scopes(scopes, NV_LIMIT_SCOPES + 1);
    for (size_t i = 0; i < 5; i++) {
        nv_buffer_clear(&bytes);
        nv_message_encode(&messages[i], &bytes);
        enum nv_status status = nv_message_decode(nv_buffer_slice(&bytes), &arena, &read, NULL);
        assert_int_equal(status, i == 0 ? NV_OK : NV_REFUSED);
    }
    messages[4].has.scopes.scopes.count--;
    nv_buffer_clear(&bytes);
    nv_message_encode(&messages[4], &bytes);
    assert_int_equal(nv_message_decode(nv_buffer_slice(&bytes), &arena, &read, NULL), NV_OK);
    /* A Has with a scope of two bytes. */
    static const uint8_t short_scope[] = {0x12, 24, 0x0a, 16, 0, 0, 0,    0, 0,    0, 0, 0, 0,
                                          0,    0,  0,    0,  0, 0, 0x2a, 4, 0x1a, 2, 1, 2};
    assert_int_equal(nv_message_decode((struct nv_slice){short_scope, sizeof short_scope}, &arena, &read, NULL),
                     NV_REFUSED);
    nv_buffer_done(&bytes);
    nv_arena_done(&arena);
}

static void test_batches(void **state)
{
    (void)state;
    struct nv_arena arena = arena_of_test();
    struct sample sample;
    sample_seal(&sample, 2);
    struct nv_slice changesets[3] = {nv_buffer_slice(&sample.bytes), {(const uint8_t *)"x", 1}, changesets[0]};
    changesets[2] = changesets[0];
    struct nv_message batch = {.kind = NV_MESSAGE_BATCH,
                               .batch = {.pull = 9, .changesets = changesets, .changeset_count = 3, .last = true}};
    struct nv_message read = round_trip(&batch, &arena);
    assert_true(read.batch.pull == 9 && read.batch.last && read.batch.changeset_count == 3);
    for (size_t i = 0; i < 3; i++)
        assert_true(nv_slice_equal(read.batch.changesets[i], changesets[i]));
    changesets[1].size = 0;
    struct nv_buffer bytes = {0};
    nv_message_encode(&batch, &bytes);
    assert_int_equal(nv_message_decode(nv_buffer_slice(&bytes), &arena, &read, NULL), NV_REFUSED);
    nv_buffer_done(&bytes);
    sample_done(&sample);
    nv_arena_done(&arena);
}

static enum nv_status decode(const char *bytes, size_t size)
{
    struct nv_arena arena = arena_of_test();
    struct nv_message message;
    enum nv_status status = nv_message_decode((struct nv_slice){(const uint8_t *)bytes, size}, &arena, &message, NULL);
    nv_arena_done(&arena);
    return status;
}

static void test_newer_messages(void **state)
{
    (void)state;
    assert_int_equal(decode("\x32\x02\x08\x01", 4), NV_OK);
    assert_int_equal(decode("\x32\x04\x08\x01\x10\x05", 6), NV_OK); /* a field that a ping may get one day */
    assert_int_equal(decode("\x32\x02\x08\x01\x78\x05", 6), NV_OK); /* and one beside it */
    assert_int_equal(decode("\x42\x02\x08\x01", 4), NV_NOT_YET);    /* a kind of message that may come */
    assert_int_equal(decode("", 0), NV_REFUSED);
    assert_int_equal(decode("\x0a\x02\x08\x01", 4), NV_REFUSED);         /* a hello without ids */
    assert_int_equal(decode("\x3a\x03\x12\x01\x1b", 5), NV_REFUSED);     /* a refusal with a terminal's escape */
    assert_int_equal(decode("\x3a\x04\x12\x02\xc0\x80", 6), NV_REFUSED); /* and one that is no UTF-8 */
}

static void test_messages_cost_little(void **state)
{
    (void)state;
    struct nv_arena arena = arena_of_test();
    struct nv_message message;
    struct nv_buffer inner = {0}, bytes = {0};
    /* Has with as many empty heads as fit, then with more logs than there may be, then too long. */
    while (inner.size < 4u << 20)
        nv_buffer_append(&inner, "\x1a\x00", 2);
    nv_append_bytes_field(&bytes, 2, nv_buffer_slice(&inner));
    assert_int_equal(nv_message_decode(nv_buffer_slice(&bytes), &arena, &message, NULL), NV_REFUSED);
    assert_true(arena.used < 16u << 20);

    struct nv_far_head *heads = malloc((NV_LIMIT_LOGS + 1) * sizeof *heads);
    make_heads(heads, NV_LIMIT_LOGS + 1);
    struct nv_message pull = {.kind = NV_MESSAGE_PULL, .pull = {.has = heads, .has_count = NV_LIMIT_LOGS}};
    nv_buffer_clear(&bytes);
    nv_message_encode(&pull, &bytes);
    nv_arena_reset(&arena);
    assert_int_equal(nv_message_decode(nv_buffer_slice(&bytes), &arena, &message, NULL), NV_OK);
    assert_true(arena.used < 8u << 20);
    pull.pull.has_count++;
    nv_buffer_clear(&bytes);
    nv_message_encode(&pull, &bytes);
    assert_int_equal(nv_message_decode(nv_buffer_slice(&bytes), &arena, &message, NULL), NV_REFUSED);
    free(heads);

    nv_arena_reset(&arena);
    uint8_t *room = nv_buffer_extend(&bytes, NV_LIMIT_MESSAGE_BYTES);
    memset(room, 0, NV_LIMIT_MESSAGE_BYTES);
    assert_int_equal(nv_message_decode(nv_buffer_slice(&bytes), &arena, &message, NULL), NV_REFUSED);
    assert_int_equal(arena.used, 0);
    nv_buffer_done(&inner);
    nv_buffer_done(&bytes);
    nv_arena_done(&arena);
}

/* Whatever comes, the answer is a status. */
static void test_garbage(void **state)
{
    (void)state;
    struct nv_arena arena = arena_of_test();
    struct nv_far_head heads[4];
    make_heads(heads, 4);
    struct nv_message has = {.kind = NV_MESSAGE_HAS, .has = {.heads = heads, .head_count = 4}};
    struct nv_buffer bytes = {0};
    nv_message_encode(&has, &bytes);
    for (size_t round = 0; round < 20000; round++) {
        uint8_t *changed = malloc(bytes.size);
        memcpy(changed, bytes.data, bytes.size);
        for (uint64_t changes = 1 + sample_random(3); changes > 0; changes--)
            changed[sample_random(bytes.size)] = (uint8_t)sample_random(256);
        struct nv_message message;
        nv_arena_reset(&arena);
        enum nv_status status = nv_message_decode((struct nv_slice){changed, bytes.size}, &arena, &message, NULL);
        assert_true(status == NV_OK || status == NV_REFUSED || status == NV_NOT_YET);
        free(changed);
    }
    nv_buffer_done(&bytes);
    nv_arena_done(&arena);
}

static void test_memory_that_ran_out_refuses_nothing(void **state)
{
    (void)state;
    struct nv_far_head heads[50];
    make_heads(heads, 50);
    struct nv_message has = {.kind = NV_MESSAGE_HAS, .has = {.heads = heads, .head_count = 50}}, read;
    struct nv_buffer bytes = {0};
    nv_message_encode(&has, &bytes);
    size_t limit = 0;
    enum nv_status status = NV_NO_MEMORY;
    for (; status != NV_OK; limit += 16) {
        struct nv_arena arena = {.limit = limit};
        status = nv_message_decode(nv_buffer_slice(&bytes), &arena, &read, NULL);
        nv_arena_done(&arena);
        assert_true(status == NV_OK || status == NV_NO_MEMORY);
    }
    assert_true(limit > sizeof heads);
    nv_buffer_done(&bytes);
}

/* One part a scope, each hashed by itself, then the whole over these. */
static void test_digest(void **state)
{
    (void)state;
    struct nv_far_head heads[5];
    make_heads(heads, 5); /* two of the authority's scope, three of `network` */
    struct nv_part_digest parts[2] = {{NV_SCOPE_AUTHORITY, nv_heads_digest(heads, 2)},
                                      {NV_SCOPE_NETWORK, nv_heads_digest(heads + 2, 3)}};
    uint8_t said[5][48], expected[16], whole[2][32];
    for (size_t i = 0; i < 5; i++) {
        memcpy(said[i], heads[i].site.bytes, 16);
        for (size_t n = 0; n < 8; n++) {
            said[i][16 + n] = (uint8_t)(heads[i].epoch >> 8 * n);
            said[i][24 + n] = (uint8_t)(heads[i].seq >> 8 * n);
        }
        memcpy(said[i] + 32, heads[i].pin.bytes, 16);
    }
    crypto_generichash(expected, 16, said[0], 2 * sizeof said[0], NULL, 0);
    assert_memory_equal(parts[0].digest.bytes, expected, 16);
    crypto_generichash(expected, 16, said[2], 3 * sizeof said[0], NULL, 0);
    assert_memory_equal(parts[1].digest.bytes, expected, 16);
    for (size_t i = 0; i < 2; i++) {
        memcpy(whole[i], parts[i].scope.bytes, 16);
        memcpy(whole[i] + 16, parts[i].digest.bytes, 16);
    }
    crypto_generichash(expected, 16, whole[0], sizeof whole, NULL, 0);
    struct nv_digest digest = nv_vector_digest(parts, 2), none = nv_vector_digest(NULL, 0);
    assert_memory_equal(digest.bytes, expected, 16);
    crypto_generichash(expected, 16, NULL, 0, NULL, 0);
    assert_memory_equal(none.bytes, expected, 16);
}

static void test_hashes(void **state)
{
    (void)state;
    uint8_t bytes[1000];
    sample_bytes(bytes, sizeof bytes);
    struct nv_hasher hasher;
    nv_hasher_start(&hasher);
    for (size_t at = 0; at < sizeof bytes;) {
        size_t step = sample_random(sizeof bytes - at + 1);
        nv_hasher_update(&hasher, bytes + at, step);
        at += step;
    }
    struct nv_hash pieces = nv_hasher_finish(&hasher), whole = nv_hash_of((struct nv_slice){bytes, sizeof bytes});
    assert_memory_equal(&pieces, &whole, sizeof whole);
    /* The vector of the SipHash paper: key 00..0f, input 00..0e. Aumasson, Bernstein (2012), appendix A. */
    uint8_t key[16];
    for (uint8_t i = 0; i < 16; i++)
        key[i] = bytes[i] = i;
    assert_true(nv_short_hash(key, (struct nv_slice){bytes, 15}) == 0xa129ca6149be45e5);
}

int main(void)
{
    if (nv_wire_start(NULL) != NV_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_messages),
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_scopes),
        cmocka_unit_test(test_scopes_against_the_protocol),
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_newer_messages),
        cmocka_unit_test(test_messages_cost_little),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_memory_that_ran_out_refuses_nothing),
        cmocka_unit_test(test_digest),
        cmocka_unit_test(test_hashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
