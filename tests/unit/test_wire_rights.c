/* The ops of the authority log that give and take rights: what is written is read again, and what breaks one rule is
 * refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "wire/authority.h"
#include "wire/form.h"
#include "wire/hash.h"
#include "wire/unpack.h"
#include "wire_samples.h"

enum { CUTS = 3, TOO_MANY = NV_LIMIT_CUTS + 1 };

static const struct nv_wall_ms time_of_op = {1767600000000};
static const struct nv_site_id site = {{1, 2, 3}}, other_site = {{1, 2, 4}};
static const struct nv_scope_id scope = {{9}}, other_scope = {{8}};

static struct nv_arena arena_of_test(void)
{
    return (struct nv_arena){.limit = 16u << 20};
}

/* One log of the site after the other, in the scope. */
static struct nv_far_head cut(uint64_t epoch, struct nv_scope_id of_scope)
{
    struct nv_far_head head = {.site = site, .epoch = epoch, .scope = of_scope, .seq = epoch + 7};
    memset(head.pin.bytes, (int)epoch, sizeof head.pin.bytes);
    return head;
}

static void assert_same_cuts(const struct nv_far_head *a, size_t count, const struct nv_far_head *b, size_t expected)
{
    assert_int_equal(count, expected);
    for (size_t i = 0; i < count; i++) {
        assert_memory_equal(a[i].site.bytes, b[i].site.bytes, 16);
        assert_memory_equal(a[i].scope.bytes, b[i].scope.bytes, 16);
        assert_memory_equal(a[i].pin.bytes, b[i].pin.bytes, 16);
        assert_true(a[i].epoch == b[i].epoch && a[i].seq == b[i].seq);
    }
}

/* What every reader of ops makes of it. */
static void assert_control(struct nv_slice bytes, enum nv_op_kind kind)
{
    struct nv_arena arena = arena_of_test();
    struct nv_op *op = nv_arena_alloc(&arena, sizeof *op);
    assert_int_equal(nv_op_decode(bytes, &arena, op, NULL), NV_OK);
    assert_int_equal(op->kind, kind);
    assert_int_equal(op->time.ms, time_of_op.ms);
    assert_true(nv_slice_equal(op->control, bytes));
    nv_arena_done(&arena);
}

/* ---- what is written is read again ---- */

static void groups_and_their_readers(void **state)
{
    (void)state;
    struct nv_arena arena = arena_of_test();
    struct nv_buffer bytes = {0};
    struct nv_group_op group;
    struct nv_reader_op reader;
    nv_group_encode(&(struct nv_group_op){.name = "Écoles du nord"}, time_of_op, &bytes);
    assert_control(nv_buffer_slice(&bytes), NV_OP_GROUP);
    assert_int_equal(nv_group_decode(nv_buffer_slice(&bytes), &arena, &group, NULL), NV_OK);
    assert_string_equal(group.name, "Écoles du nord");
    assert_int_equal(nv_reader_decode(nv_buffer_slice(&bytes), &arena, &reader, NULL), NV_REFUSED);
    struct nv_hash hash = nv_hash_of(nv_buffer_slice(&bytes));
    struct nv_scope_id id = nv_group_scope(nv_buffer_slice(&bytes));
    assert_memory_equal(id.bytes, hash.bytes, sizeof id.bytes);

    nv_buffer_clear(&bytes);
    nv_reader_encode(&(struct nv_reader_op){scope, site}, time_of_op, &bytes);
    assert_control(nv_buffer_slice(&bytes), NV_OP_READER);
    assert_int_equal(nv_reader_decode(nv_buffer_slice(&bytes), &arena, &reader, NULL), NV_OK);
    assert_memory_equal(&reader.scope, &scope, sizeof scope);
    assert_memory_equal(&reader.site, &site, sizeof site);
    for (size_t size = 0; size < bytes.size; size++) {
        struct nv_slice part = {bytes.data, size};
        assert_int_equal(nv_reader_decode(part, &arena, &reader, NULL), NV_REFUSED);
    }
    nv_append_number_field(&bytes, 30, 1);
    assert_int_equal(nv_reader_decode(nv_buffer_slice(&bytes), &arena, &reader, NULL), NV_NOT_YET);
    nv_buffer_done(&bytes);
    nv_arena_done(&arena);
}

static void removals_and_revocations(void **state)
{
    (void)state;
    struct nv_arena arena = arena_of_test();
    struct nv_buffer bytes = {0};
    struct nv_removal_op removal;
    struct nv_revocation_op revocation;
    const struct nv_far_head of_scope[CUTS] = {cut(0, scope), cut(1, scope), cut(UINT64_MAX, scope)};
    const struct nv_far_head of_all[CUTS] = {cut(5, NV_SCOPE_NETWORK), cut(2, other_scope), cut(1, scope)};
    for (size_t count = 0; count <= CUTS; count++) {
        nv_buffer_clear(&bytes);
        nv_removal_encode(&(struct nv_removal_op){scope, site, count, of_scope}, time_of_op, &bytes);
        assert_control(nv_buffer_slice(&bytes), NV_OP_REMOVAL);
        assert_int_equal(nv_removal_decode(nv_buffer_slice(&bytes), &arena, &removal, NULL), NV_OK);
        assert_memory_equal(&removal.scope, &scope, sizeof scope);
        assert_memory_equal(&removal.site, &site, sizeof site);
        assert_same_cuts(removal.cuts, removal.cut_count, of_scope, count);

        nv_buffer_clear(&bytes);
        nv_revocation_encode(&(struct nv_revocation_op){site, count, of_all}, time_of_op, &bytes);
        assert_control(nv_buffer_slice(&bytes), NV_OP_REVOCATION);
        assert_int_equal(nv_revocation_decode(nv_buffer_slice(&bytes), &arena, &revocation, NULL), NV_OK);
        assert_memory_equal(&revocation.site, &site, sizeof site);
        assert_same_cuts(revocation.cuts, revocation.cut_count, of_all, count);
        assert_int_equal(nv_removal_decode(nv_buffer_slice(&bytes), &arena, &removal, NULL), NV_REFUSED);
    }
    nv_buffer_done(&bytes);
    nv_arena_done(&arena);
}

static enum nv_status certify(const struct nv_certificate *certificate)
{
    struct nv_arena arena = arena_of_test();
    struct nv_buffer bytes = {0};
    struct nv_certificate read;
    nv_certificate_encode(certificate, time_of_op, &bytes);
    enum nv_status status = nv_certificate_decode(nv_buffer_slice(&bytes), &arena, &read, NULL);
    if (status == NV_OK) {
        assert_int_equal(read.reader, certificate->reader);
        assert_int_equal(read.anew, certificate->anew);
        assert_same_cuts(read.cuts, read.cut_count, certificate->cuts, certificate->cut_count);
    }
    nv_buffer_done(&bytes);
    nv_arena_done(&arena);
    return status;
}

static void certificates_begin_anew_and_make_hubs_readers(void **state)
{
    (void)state;
    const struct nv_far_head cuts[] = {cut(5, NV_SCOPE_NETWORK), cut(2, other_scope)};
    struct nv_certificate certificate = {.site = site,
                                         .name = "pantin",
                                         .sign_key = sample_key(1).public_key,
                                         .curve_key = sample_key(2).public_key,
                                         .role = NV_ROLE_SITE};
    assert_int_equal(certify(&certificate), NV_OK);
    certificate.reader = true;
    assert_int_equal(certify(&certificate), NV_REFUSED);
    certificate.role = NV_ROLE_HUB;
    assert_int_equal(certify(&certificate), NV_OK);
    certificate.cuts = cuts;
    certificate.cut_count = 2;
    assert_int_equal(certify(&certificate), NV_REFUSED);
    certificate.anew = true;
    assert_int_equal(certify(&certificate), NV_OK);
    certificate.cut_count = 0;
    assert_int_equal(certify(&certificate), NV_OK);
    certificate.cut_count = 2;
    certificate.site = other_site;
    assert_int_equal(certify(&certificate), NV_REFUSED);
}

/* ---- what is refused ---- */

/* Ops as any program could write them; a test takes one part of a good one away. */
struct made {
    uint8_t site[17], scope[17], pin[17];
    Navette__Group group;
    Navette__Reader reader;
    Navette__Removal removal;
    Navette__Revocation revocation;
    Navette__Head heads[CUTS];
    Navette__Head *cuts[TOO_MANY];
    Navette__Op op;
};

static ProtobufCBinaryData binary(uint8_t *bytes, size_t size)
{
    return (ProtobufCBinaryData){.len = size, .data = bytes};
}

static struct made *make(enum nv_op_kind kind)
{
    struct made *made = calloc(1, sizeof *made);
    memcpy(made->site, site.bytes, sizeof site.bytes);
    memcpy(made->scope, scope.bytes, sizeof scope.bytes);
    navette__group__init(&made->group);
    made->group.name = "nord";
    navette__reader__init(&made->reader);
    made->reader.site = binary(made->site, 16);
    made->reader.scope = binary(made->scope, 16);
    for (size_t i = 0; i < CUTS; i++) {
        navette__head__init(&made->heads[i]);
        made->heads[i].site = binary(made->site, 16);
        made->heads[i].scope = binary(made->scope, 16);
        made->heads[i].pin = binary(made->pin, 16);
        made->heads[i].seq = 4;
        made->heads[i].epoch = i;
        made->cuts[i] = &made->heads[i];
    }
    navette__removal__init(&made->removal);
    made->removal.site = binary(made->site, 16);
    made->removal.scope = binary(made->scope, 16);
    made->removal.cuts = made->cuts;
    made->removal.n_cuts = CUTS;
    navette__revocation__init(&made->revocation);
    made->revocation.site = binary(made->site, 16);
    made->revocation.cuts = made->cuts;
    made->revocation.n_cuts = CUTS;
    navette__op__init(&made->op);
    made->op.kind = (uint32_t)kind;
    made->op.group = kind == NV_OP_GROUP ? &made->group : NULL;
    made->op.reader = kind == NV_OP_READER ? &made->reader : NULL;
    made->op.removal = kind == NV_OP_REMOVAL ? &made->removal : NULL;
    made->op.revocation = kind == NV_OP_REVOCATION ? &made->revocation : NULL;
    return made;
}

static enum nv_status judge(const struct made *made, enum nv_op_kind kind)
{
    struct nv_arena arena = arena_of_test();
    struct nv_buffer bytes = {0};
    struct nv_error error = {0};
    struct nv_group_op group;
    struct nv_reader_op reader;
    struct nv_removal_op removal;
    struct nv_revocation_op revocation;
    nv_pack(&made->op.base, &bytes);
    struct nv_slice op = nv_buffer_slice(&bytes);
    enum nv_status status = kind == NV_OP_GROUP     ? nv_group_decode(op, &arena, &group, &error)
                            : kind == NV_OP_READER  ? nv_reader_decode(op, &arena, &reader, &error)
                            : kind == NV_OP_REMOVAL ? nv_removal_decode(op, &arena, &removal, &error)
                                                    : nv_revocation_decode(op, &arena, &revocation, &error);
    nv_buffer_done(&bytes);
    nv_arena_done(&arena);
    return status;
}

#define REFUSED(kind, ...)                                                                                             \
    do {                                                                                                               \
        struct made *made = make(kind);                                                                                \
        assert_int_equal(judge(made, kind), NV_OK);                                                                    \
        __VA_ARGS__;                                                                                                   \
        if (judge(made, kind) != NV_REFUSED)                                                                           \
            fail_msg("%s is not refused", #__VA_ARGS__);                                                               \
        free(made);                                                                                                    \
    } while (0)

static void what_is_missing_or_of_another_size(void **state)
{
    (void)state;
    REFUSED(NV_OP_GROUP, made->op.group = NULL);
    REFUSED(NV_OP_GROUP, made->group.name = "");
    REFUSED(NV_OP_GROUP, made->group.name = "two\nlines");
    REFUSED(NV_OP_READER, made->op.reader = NULL);
    REFUSED(NV_OP_READER, made->reader.scope.len = 0);
    REFUSED(NV_OP_READER, made->reader.scope.len = 17);
    REFUSED(NV_OP_READER, made->reader.site.len = 15);
    REFUSED(NV_OP_REMOVAL, made->op.removal = NULL);
    REFUSED(NV_OP_REMOVAL, made->removal.scope.len = 0);
    REFUSED(NV_OP_REMOVAL, made->removal.site.len = 17);
    REFUSED(NV_OP_REVOCATION, made->op.revocation = NULL);
    REFUSED(NV_OP_REVOCATION, made->revocation.site.len = 0);
}

static void what_is_no_cut(void **state)
{
    (void)state;
    uint8_t other[16] = {8}, zeros[16] = {0};
    static const enum nv_op_kind kinds[] = {NV_OP_REMOVAL, NV_OP_REVOCATION};
    for (size_t i = 0; i < 2; i++) {
        REFUSED(kinds[i], made->heads[1].site = binary(other, 16));
        REFUSED(kinds[i], made->heads[1].site.len = 15);
        REFUSED(kinds[i], made->heads[1].scope.len = 0);
        REFUSED(kinds[i], made->heads[1].pin.len = 15);
        REFUSED(kinds[i], made->heads[1].seq = 0);
        REFUSED(kinds[i], made->heads[1].epoch = 0);
        REFUSED(kinds[i], made->heads[1].epoch = 2);
        REFUSED(kinds[i], made->heads[0].epoch = 7);
        REFUSED(kinds[i], made->heads[0].scope = binary(zeros, 16));
    }
    REFUSED(NV_OP_REMOVAL, made->heads[0].scope = binary(other, 16));
    REFUSED(NV_OP_REMOVAL, made->removal.scope = binary(zeros, 16);
            for (size_t i = 0; i < CUTS; i++) made->heads[i].scope = binary(zeros, 16););
}

static void as_many_cuts_as_the_protocol_allows(void **state)
{
    (void)state;
    static Navette__Head heads[TOO_MANY];
    struct made *made = make(NV_OP_REVOCATION);
    for (size_t i = 0; i < TOO_MANY; i++) {
        heads[i] = made->heads[0];
        heads[i].epoch = i;
        made->cuts[i] = &heads[i];
    }
    made->revocation.n_cuts = NV_LIMIT_CUTS;
    assert_int_equal(judge(made, NV_OP_REVOCATION), NV_OK);
    made->revocation.n_cuts = TOO_MANY;
    assert_int_equal(judge(made, NV_OP_REVOCATION), NV_REFUSED);
    free(made);
}

int main(void)
{
    if (nv_wire_start(NULL) != NV_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_and_their_readers),
        cmocka_unit_test(removals_and_revocations),
        cmocka_unit_test(certificates_begin_anew_and_make_hubs_readers),
        cmocka_unit_test(what_is_missing_or_of_another_size),
        cmocka_unit_test(what_is_no_cut),
        cmocka_unit_test(as_many_cuts_as_the_protocol_allows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
