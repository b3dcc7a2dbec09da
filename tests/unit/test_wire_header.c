/* Headers: what each part must be, and what becomes of the parts of newer software. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "wire/header.h"
#include "wire/unpack.h"
#include "wire_samples.h"

static struct nv_arena arena_of_test(void)
{
    return (struct nv_arena){.limit = 16u << 20};
}

static enum nv_status read_header(const Navette__Header *wire, const char *behind, size_t size)
{
    struct nv_arena arena = arena_of_test();
    struct nv_buffer bytes = {0};
    navette__header__pack(wire, nv_buffer_extend(&bytes, navette__header__get_packed_size(wire)));
    nv_buffer_append(&bytes, behind, size);
    struct nv_header header;
    enum nv_status status = nv_header_decode(nv_buffer_slice(&bytes), &arena, &header, NULL);
    nv_buffer_done(&bytes);
    nv_arena_done(&arena);
    return status;
}

/* A good header, changed by way of protobuf-c: our own encoder refuses to write what no site would take. */
static void assert_header(void (*change)(Navette__Header *), enum nv_status expected)
{
    struct nv_arena arena = arena_of_test();
    struct nv_header header = sample_header(&arena, 3);
    struct nv_buffer bytes = {0};
    assert_int_equal(nv_header_encode(&header, &bytes, NULL), NV_OK);
    const ProtobufCMessage *message;
    assert_int_equal(
        nv_unpack(&navette__header__descriptor, nv_buffer_slice(&bytes), &arena, "a header", &message, NULL), NV_OK);
    Navette__Header copy = *(const Navette__Header *)message;
    change(&copy);
    assert_int_equal(read_header(&copy, NULL, 0), expected);
    nv_buffer_done(&bytes);
    nv_arena_done(&arena);
}

static void as_it_is(Navette__Header *header)
{
    (void)header;
}

static void format_2(Navette__Header *header)
{
    header->format = 2;
    header->site.len = 3; /* whatever the next format means by it */
}

static void no_format(Navette__Header *header)
{
    header->format = 0;
}

static void short_site(Navette__Header *header)
{
    header->site.len = 15;
}

static void no_seq(Navette__Header *header)
{
    header->seq = 0;
}

static void first_with_previous(Navette__Header *header)
{
    header->seq = 1;
}

static void first(Navette__Header *header)
{
    header->seq = 1;
    header->previous.len = 0;
}

static void second_without_previous(Navette__Header *header)
{
    header->previous.len = 0;
}

static void too_many_ops(Navette__Header *header)
{
    header->op_count = NV_LIMIT_CHANGESET_OPS + 1;
}

static void no_root(Navette__Header *header)
{
    header->ops_root.len = 0;
}

static void no_authority(Navette__Header *header)
{
    header->authority_seq = 0;
    header->authority_pin.len = 0;
}

static void late(Navette__Header *header)
{
    header->sealed_ms = (uint64_t)NV_LIMIT_TIME_MS + 1;
}

static void swapped_context(Navette__Header *header)
{
    Navette__Head *head = header->context[0];
    header->context[0] = header->context[1];
    header->context[1] = head;
}

static void doubled_context(Navette__Header *header)
{
    memcpy(header->context[1]->site.data, header->context[0]->site.data, 16);
}

static void own_context(Navette__Header *header)
{
    memcpy(header->context[2]->site.data, header->site.data, 16);
    header->context[2]->epoch = header->epoch;
}

static void scoped_context(Navette__Header *header)
{
    header->context[1]->scope = header->scope;
}

static void authority_scope(Navette__Header *header)
{
    memset(header->scope.data, 0, 16);
}

static void authority_header(Navette__Header *header)
{
    memset(header->scope.data, 0, 16);
    no_authority(header);
    header->n_context = 0;
}

static void authority_context(Navette__Header *header)
{
    memset(header->scope.data, 0, 16);
    no_authority(header);
}

static void short_scope(Navette__Header *header)
{
    header->scope.len = 15;
}

static void short_previous(Navette__Header *header)
{
    header->previous.len = 31;
}

static void short_pin(Navette__Header *header)
{
    header->authority_pin.len = 15;
}

static void pin_of_nothing(Navette__Header *header)
{
    header->authority_seq = 0;
}

static void context_of_seq_0(Navette__Header *header)
{
    header->context[1]->seq = 0;
}

static void short_site_in_context(Navette__Header *header)
{
    header->context[1]->site.len = 15;
}

static void short_pin_in_context(Navette__Header *header)
{
    header->context[1]->pin.len = 15;
}

static void test_header_rules(void **state)
{
    (void)state;
    assert_header(as_it_is, NV_OK);
    assert_header(first, NV_OK);
    assert_header(authority_header, NV_OK);
    assert_header(format_2, NV_NOT_YET);
    void (*const refused[])(Navette__Header *) = {no_format,
                                                  short_site,
                                                  no_seq,
                                                  first_with_previous,
                                                  second_without_previous,
                                                  too_many_ops,
                                                  no_root,
                                                  no_authority,
                                                  late,
                                                  swapped_context,
                                                  own_context,
                                                  doubled_context,
                                                  scoped_context,
                                                  authority_scope,
                                                  authority_context,
                                                  short_scope,
                                                  short_previous,
                                                  short_pin,
                                                  pin_of_nothing,
                                                  context_of_seq_0,
                                                  short_site_in_context,
                                                  short_pin_in_context};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        assert_header(refused[i], NV_REFUSED);
}

static void test_header_form(void **state)
{
    (void)state;
    struct nv_arena arena = arena_of_test();
    struct nv_header header = sample_header(&arena, NV_LIMIT_CONTEXT_HEADS), read;
    struct nv_buffer bytes = {0};
    assert_int_equal(nv_header_encode(&header, &bytes, NULL), NV_OK);
    assert_int_equal(nv_header_decode(nv_buffer_slice(&bytes), &arena, &read, NULL), NV_OK);
    assert_int_equal(read.context_count, NV_LIMIT_CONTEXT_HEADS);
    header.context_count = 0;
    nv_buffer_clear(&bytes);
    assert_int_equal(nv_header_encode(&header, &bytes, NULL), NV_OK);
    Navette__Header *wire = navette__header__unpack(NULL, bytes.size, bytes.data);
    assert_int_equal(read_header(wire, "", 0), NV_OK);
    assert_int_equal(read_header(wire, "\x78\x01", 2), NV_NOT_YET);     /* field 15 */
    assert_int_equal(read_header(wire, "\x40\x00", 2), NV_REFUSED);     /* a default that is said */
    assert_int_equal(read_header(wire, "\x28\x05", 2), NV_REFUSED);     /* seq once more: the last one would win */
    assert_int_equal(read_header(wire, "\x0b\x0c", 2), NV_REFUSED);     /* a group */
    assert_int_equal(read_header(wire, "\x4a\x02\x1a", 3), NV_REFUSED); /* cut short */
    navette__header__free_unpacked(wire, NULL);

    /* Empty heads cost protobuf-c most for their bytes: the bound holds. */
    nv_buffer_clear(&bytes);
    nv_buffer_append(&bytes, "\x08\x01", 2);
    while (bytes.size + 2 <= NV_LIMIT_HEADER_BYTES)
        nv_buffer_append(&bytes, "\x4a\x00", 2);
    nv_arena_reset(&arena);
    assert_int_equal(nv_header_decode(nv_buffer_slice(&bytes), &arena, &read, NULL), NV_REFUSED);
    assert_true(arena.used < 6u << 20);
    nv_buffer_append(&bytes, "\x4a\x00", 2);
    nv_arena_reset(&arena);
    assert_int_equal(nv_header_decode(nv_buffer_slice(&bytes), &arena, &read, NULL), NV_REFUSED);
    assert_int_equal(arena.used, 0);
    nv_buffer_done(&bytes);
    nv_arena_done(&arena);
}

/* What no site would take is not written either: it would be signed, and stand in the log for ever. */
static void test_what_is_not_written(void **state)
{
    (void)state;
    struct nv_arena arena = arena_of_test();
    struct nv_buffer bytes = {0};
    struct nv_error error;
    struct nv_header headers[13];
    for (size_t i = 0; i < 13; i++)
        headers[i] = sample_header(&arena, 3);
    headers[1].format = NV_FORMAT + 1;
    headers[2].seq = 0;
    headers[3].sealed.ms = -1;
    headers[4].sealed.ms = NV_LIMIT_TIME_MS + 1;
    headers[5].op_count = NV_LIMIT_CHANGESET_OPS + 1;
    headers[6].authority_seq = 0;
    headers[7].log.scope = NV_SCOPE_AUTHORITY;
    headers[8].log.scope = NV_SCOPE_AUTHORITY;
    headers[8].authority_seq = 0;
    headers[9].context[1] = headers[9].context[0];
    headers[10].context[1].scope = NV_SCOPE_AUTHORITY;
    headers[11].context[1].seq = 0;
    headers[12] = sample_header(&arena, NV_LIMIT_CONTEXT_HEADS + 1);
    for (size_t i = 0; i < 13; i++)
        if (nv_header_encode(&headers[i], &bytes, &error) != (i == 0 ? NV_OK : NV_BUG))
            fail_msg("the header number %zu", i);
    nv_buffer_done(&bytes);
    nv_arena_done(&arena);
}

static void test_too_many_heads_are_refused(void **state)
{
    (void)state;
    struct nv_arena arena = arena_of_test();
    struct nv_header header = sample_header(&arena, 1);
    struct nv_buffer bytes = {0};
    assert_int_equal(nv_header_encode(&header, &bytes, NULL), NV_OK);
    Navette__Header *wire = navette__header__unpack(NULL, bytes.size, bytes.data);
    Navette__Head *heads[NV_LIMIT_CONTEXT_HEADS + 1], *head = wire->context[0];
    for (size_t i = 0; i <= NV_LIMIT_CONTEXT_HEADS; i++)
        heads[i] = head;
    Navette__Header many = *wire;
    many.context = heads;
    many.n_context = NV_LIMIT_CONTEXT_HEADS + 1;
    head->pin.len = 0; /* so that the header is not too long */
    assert_int_equal(read_header(&many, NULL, 0), NV_REFUSED);
    navette__header__free_unpacked(wire, NULL);
    nv_buffer_done(&bytes);
    nv_arena_done(&arena);
}

/* Its format is the first thing that is said, and not by a field of another kind. */
static void test_a_format_stands_first(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        enum nv_status expected;
    } starts[] = {{"", 0, NV_REFUSED},         {"\x0a\x01\x01", 3, NV_REFUSED},
                  {"\x08\x00", 2, NV_REFUSED}, {"\x10\x01", 2, NV_REFUSED},
                  {"\x08\x05", 2, NV_NOT_YET}, {"\x08\x05 and whatever else it may be", 30, NV_NOT_YET}};
    struct nv_arena arena = arena_of_test();
    struct nv_header header;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        struct nv_slice bytes = {(const uint8_t *)starts[i].bytes, starts[i].size};
        assert_int_equal(nv_header_decode(bytes, &arena, &header, NULL), starts[i].expected);
    }
    nv_arena_done(&arena);
}

int main(void)
{
    if (nv_wire_start(NULL) != NV_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_header_rules),          cmocka_unit_test(test_header_form),
        cmocka_unit_test(test_what_is_not_written),   cmocka_unit_test(test_too_many_heads_are_refused),
        cmocka_unit_test(test_a_format_stands_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
