/* Messages that are good protobuf and against one rule of the protocol, made by way of protobuf-c: our own encoders
 * cannot write them. Authority ops, requests to join, and what two nodes say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sodium.h>

#include "wire/invitation.h"
#include "wire/message.h"
#include "wire/unpack.h"
#include "wire_samples.h"

static char too_long[2000];

static struct nv_arena arena_of_test(void)
{
    return (struct nv_arena){.limit = 64u << 20};
}

static ProtobufCBinaryData binary_of(size_t size)
{
    static uint8_t bytes[64] = {7};
    return (ProtobufCBinaryData){.len = size, .data = bytes};
}

static struct nv_buffer pack(const ProtobufCMessage *message)
{
    struct nv_buffer bytes = {0};
    nv_pack(message, &bytes);
    assert_false(bytes.failed);
    return bytes;
}

static void check(const char *what, enum nv_status status, enum nv_status expected)
{
    if (status != expected)
        fail_msg("%s: %s, where this was expected: %s", what, nv_status_text(status), nv_status_text(expected));
}

/* ---- authority ops ------------------------------------------------------------------------------------------------
 */

/* One op of each kind, with everything that a change may want to spoil. */
struct authority_ops {
    Navette__Op genesis_op, certificate_op, schema_op;
    Navette__Genesis genesis;
    Navette__Certificate certificate;
    Navette__Schema schema;
    Navette__Table table, *tables[NV_LIMIT_TABLES + 1];
    Navette__Column column, *columns[NV_LIMIT_FIELDS + 1];
    char *endpoints[NV_LIMIT_ENDPOINTS + 1], *statements[NV_LIMIT_STATEMENTS + 1];
};

static void make_good(struct authority_ops *ops)
{
    *ops = (struct authority_ops){.genesis_op = NAVETTE__OP__INIT,
                                  .certificate_op = NAVETTE__OP__INIT,
                                  .schema_op = NAVETTE__OP__INIT,
                                  .genesis = NAVETTE__GENESIS__INIT,
                                  .certificate = NAVETTE__CERTIFICATE__INIT,
                                  .schema = NAVETTE__SCHEMA__INIT,
                                  .table = NAVETTE__TABLE__INIT,
                                  .column = NAVETTE__COLUMN__INIT};
    ops->genesis_op.kind = NV_OP_GENESIS;
    ops->genesis_op.genesis = &ops->genesis;
    ops->genesis.network = "a network";
    ops->genesis.authority_key = ops->genesis.successor_key = binary_of(32);

    ops->certificate_op.kind = NV_OP_CERTIFICATE;
    ops->certificate_op.certificate = &ops->certificate;
    ops->certificate.site = binary_of(16);
    ops->certificate.name = "a school";
    ops->certificate.sign_key = ops->certificate.curve_key = ops->certificate.recovery_key = binary_of(32);
    ops->certificate.role = NV_ROLE_SITE;
    ops->certificate.endpoints = ops->endpoints;
    for (size_t i = 0; i <= NV_LIMIT_ENDPOINTS; i++)
        ops->endpoints[i] = "tcp://192.0.2.1:7411";
    ops->certificate.n_endpoints = 1;

    ops->schema_op.kind = NV_OP_SCHEMA;
    ops->schema_op.schema = &ops->schema;
    for (size_t i = 0; i <= NV_LIMIT_STATEMENTS; i++)
        ops->statements[i] = "x";
    ops->schema.statements = ops->statements;
    ops->schema.n_statements = 1;
    for (size_t i = 0; i <= NV_LIMIT_TABLES; i++)
        ops->tables[i] = &ops->table;
    ops->schema.tables = ops->tables;
    ops->schema.n_tables = 1;
    ops->table.number = 1;
    ops->table.name = "learner";
    ops->table.scope = "network";
    ops->table.writers = "scope";
    for (size_t i = 0; i <= NV_LIMIT_FIELDS; i++)
        ops->columns[i] = &ops->column;
    ops->table.columns = ops->columns;
    ops->table.n_columns = 1;
    ops->column.name = "name";
    ops->column.label_fr = ops->column.label_en = "";
}

static enum nv_status read_genesis(struct nv_slice bytes, struct nv_arena *arena)
{
    struct nv_genesis genesis;
    return nv_genesis_decode(bytes, arena, &genesis, NULL);
}

static enum nv_status read_certificate(struct nv_slice bytes, struct nv_arena *arena)
{
    struct nv_certificate certificate;
    return nv_certificate_decode(bytes, arena, &certificate, NULL);
}

static enum nv_status read_schema(struct nv_slice bytes, struct nv_arena *arena)
{
    struct nv_schema_op schema;
    return nv_schema_decode(bytes, arena, &schema, NULL);
}

static enum nv_status read_authority_op(const Navette__Op *op, const struct authority_ops *ops)
{
    struct nv_arena arena = arena_of_test();
    struct nv_buffer bytes = pack(&op->base);
    enum nv_status status = op == &ops->genesis_op       ? read_genesis(nv_buffer_slice(&bytes), &arena)
                            : op == &ops->certificate_op ? read_certificate(nv_buffer_slice(&bytes), &arena)
                                                         : read_schema(nv_buffer_slice(&bytes), &arena);
    nv_buffer_done(&bytes);
    nv_arena_done(&arena);
    return status;
}

#define REFUSED(op, ...)                                                                                               \
    do {                                                                                                               \
        struct authority_ops *ops = malloc(sizeof *ops);                                                               \
        make_good(ops);                                                                                                \
        check("the good one", read_authority_op(&ops->op, ops), NV_OK);                                                \
        __VA_ARGS__;                                                                                                   \
        check(#__VA_ARGS__, read_authority_op(&ops->op, ops), NV_REFUSED);                                             \
        free(ops);                                                                                                     \
    } while (0)

static void a_genesis_has_a_name_and_two_keys(void **state)
{
    (void)state;
    REFUSED(genesis_op, ops->genesis_op.genesis = NULL);
    REFUSED(genesis_op, ops->genesis_op.kind = NV_OP_SCHEMA);
    REFUSED(genesis_op, ops->genesis.network = "");
    REFUSED(genesis_op, ops->genesis.network = too_long);
    REFUSED(genesis_op, ops->genesis.network = "two\nlines");
    REFUSED(genesis_op, ops->genesis.authority_key = binary_of(31));
    REFUSED(genesis_op, ops->genesis.successor_key = binary_of(0));
}

static void a_certificate_has_whole_keys_a_role_and_dates(void **state)
{
    (void)state;
    REFUSED(certificate_op, ops->certificate_op.certificate = NULL);
    REFUSED(certificate_op, ops->certificate.site = binary_of(17));
    REFUSED(certificate_op, ops->certificate.sign_key = binary_of(33));
    REFUSED(certificate_op, ops->certificate.curve_key = binary_of(0));
    REFUSED(certificate_op, ops->certificate.recovery_key = binary_of(5));
    static uint8_t zeros[32]; /* said by leaving it out */
    REFUSED(certificate_op, ops->certificate.recovery_key.data = zeros);
    REFUSED(certificate_op, ops->certificate.role = 0);
    REFUSED(certificate_op, ops->certificate.role = 3);
    REFUSED(certificate_op, ops->certificate.endpoints[0] = "");
    REFUSED(certificate_op, ops->certificate.endpoints[0] = too_long);
    REFUSED(certificate_op, ops->certificate.n_endpoints = NV_LIMIT_ENDPOINTS + 1);
    REFUSED(certificate_op, ops->certificate.not_before_ms = (uint64_t)NV_LIMIT_TIME_MS + 1);
    REFUSED(certificate_op, ops->certificate.not_after_ms = UINT64_MAX);
}

static void a_schema_keeps_its_numbers_and_texts_within_bounds(void **state)
{
    (void)state;
    REFUSED(schema_op, ops->schema_op.schema = NULL);
    REFUSED(schema_op, ops->statements[0] = "");
    REFUSED(schema_op, ops->schema.n_statements = NV_LIMIT_STATEMENTS + 1);
    REFUSED(schema_op, ops->schema.n_tables = NV_LIMIT_TABLES + 1);
    REFUSED(schema_op, ops->table.n_columns = NV_LIMIT_FIELDS + 1);
    REFUSED(schema_op, ops->table.scope = "");
    REFUSED(schema_op, ops->table.scope = too_long);
    REFUSED(schema_op, ops->table.writers = "");
    REFUSED(schema_op, ops->table.writers = "everybody");
    REFUSED(schema_op, ops->column.label_fr = too_long);
    REFUSED(schema_op, ops->column.label_en = "\x07");
}

static void an_op_over_the_limit_is_not_even_read(void **state)
{
    (void)state;
    struct nv_slice bytes = {calloc(1, NV_LIMIT_OP_BYTES + 1), NV_LIMIT_OP_BYTES + 1};
    struct nv_arena arena = {.limit = 0};
    struct nv_op *op = malloc(sizeof *op);
    check("a genesis", read_genesis(bytes, &arena), NV_REFUSED);
    check("a schema", read_schema(bytes, &arena), NV_REFUSED);
    check("an op", nv_op_decode(bytes, &arena, op, NULL), NV_REFUSED);
    assert_int_equal(arena.used, 0);
    free(op);
    free((void *)bytes.data);
}

/* At any depth: a part of newer software, in the genesis itself and in a column of a table of a schema. */
static void what_newer_software_put_inside_an_op_waits(void **state)
{
    (void)state;
    struct authority_ops *ops = malloc(sizeof *ops);
    make_good(ops);
    ProtobufCMessageUnknownField newer = {.tag = 30, .wire_type = PROTOBUF_C_WIRE_TYPE_VARINT, .len = 1};
    newer.data = (uint8_t[1]){1};
    ProtobufCMessage *const inside[] = {&ops->genesis.base, &ops->certificate.base, &ops->column.base};
    const Navette__Op *const all[] = {&ops->genesis_op, &ops->certificate_op, &ops->schema_op};
    for (size_t i = 0; i < 3; i++) {
        check("as it is", read_authority_op(all[i], ops), NV_OK);
        inside[i]->n_unknown_fields = 1;
        inside[i]->unknown_fields = &newer;
        check("with a newer part", read_authority_op(all[i], ops), NV_NOT_YET);
    }
    free(ops);
}

/* ---- requests to join, and the answers ----------------------------------------------------------------------------
 */

/* A request whose signature is good: only the rule that the change breaks refuses it. */
static enum nv_status read_request_with(Navette__EnrolBody *body, const struct nv_sign_key *key, size_t proof,
                                        size_t signature_size, size_t recovery_proof)
{
    static const char prefix[] = "navette enrol 1\n";
    struct nv_buffer inner = pack(&body->base), said = {0};
    nv_buffer_append(&said, prefix, sizeof prefix - 1);
    nv_buffer_append(&said, inner.data, inner.size);
    uint8_t signature[crypto_sign_BYTES];
    crypto_sign_detached(signature, NULL, said.data, said.size, key->secret);
    Navette__EnrolRequest request = NAVETTE__ENROL_REQUEST__INIT;
    request.request = (ProtobufCBinaryData){.len = inner.size, .data = inner.data};
    request.proof = binary_of(proof);
    request.signature = (ProtobufCBinaryData){.len = signature_size, .data = signature};
    request.recovery_proof = binary_of(recovery_proof);
    struct nv_buffer bytes = pack(&request.base);
    struct nv_arena arena = arena_of_test();
    struct nv_enrol_request read;
    enum nv_status status = nv_enrol_request_decode(nv_buffer_slice(&bytes), &arena, &read, NULL);
    nv_arena_done(&arena);
    nv_buffer_done(&bytes);
    nv_buffer_done(&said);
    nv_buffer_done(&inner);
    return status;
}

static enum nv_status read_request(Navette__EnrolBody *body, const struct nv_sign_key *key, size_t proof,
                                   size_t signature_size)
{
    return read_request_with(body, key, proof, signature_size, 0);
}

static Navette__EnrolBody good_body(const struct nv_sign_key *key, char **endpoints)
{
    Navette__EnrolBody body = NAVETTE__ENROL_BODY__INIT;
    body.site = binary_of(16);
    body.name = "a school";
    body.sign_key = nv_binary(key->public_key.bytes, 32);
    body.curve_key = body.recovery_key = binary_of(32);
    body.endpoints = endpoints;
    body.invitation = binary_of(8);
    return body;
}

static void a_request_to_join_is_whole(void **state)
{
    (void)state;
    struct nv_sign_key key = sample_key(3);
    char *endpoints[NV_LIMIT_ENDPOINTS + 1];
    for (size_t i = 0; i <= NV_LIMIT_ENDPOINTS; i++)
        endpoints[i] = "tcp://192.0.2.1:7411";
    Navette__EnrolBody bodies[9];
    for (size_t i = 0; i < 9; i++)
        bodies[i] = good_body(&key, endpoints);
    bodies[1].site = binary_of(15);
    bodies[2].sign_key.len = 31;
    bodies[3].curve_key = binary_of(0);
    bodies[4].recovery_key = binary_of(33);
    bodies[5].invitation = binary_of(7);
    bodies[6].name = "";
    bodies[7].n_endpoints = NV_LIMIT_ENDPOINTS + 1;
    bodies[8].name = too_long;
    for (size_t i = 0; i < 9; i++)
        assert_int_equal(read_request(&bodies[i], &key, 32, 64), i == 0 ? NV_OK : NV_REFUSED);
    assert_int_equal(read_request(&bodies[0], &key, 31, 64), NV_REFUSED);
    assert_int_equal(read_request(&bodies[0], &key, 32, 63), NV_REFUSED);
    bodies[0].n_endpoints = 1;
    bodies[0].endpoints[0] = "tcp://\x01";
    assert_int_equal(read_request(&bodies[0], &key, 32, 64), NV_REFUSED);
    bodies[0].endpoints[0] = too_long; /* beyond what a request may have in all */
    bodies[0].name = too_long;
    bodies[0].n_endpoints = 2;
    bodies[0].endpoints[1] = too_long;
    assert_int_equal(read_request(&bodies[0], &key, 32, 64), NV_REFUSED);
}

/* It has no site id, for the hub says which site it is, and both proofs. */
static void a_request_to_recover_is_whole(void **state)
{
    (void)state;
    static uint8_t zeros[32];
    struct nv_sign_key key = sample_key(3);
    char *endpoints[] = {"tcp://192.0.2.1:7411"};
    Navette__EnrolBody body = good_body(&key, endpoints);
    assert_int_equal(read_request_with(&body, &key, 32, 64, 32), NV_REFUSED); /* it joins, and proves */
    body.recovers = true;
    assert_int_equal(read_request_with(&body, &key, 32, 64, 32), NV_REFUSED); /* it says who it is */
    body.site = binary_of(0);
    assert_int_equal(read_request_with(&body, &key, 32, 64, 32), NV_OK);
    assert_int_equal(read_request_with(&body, &key, 32, 64, 31), NV_REFUSED);
    assert_int_equal(read_request_with(&body, &key, 32, 64, 0), NV_REFUSED);
    body.recovery_key = nv_binary(zeros, sizeof zeros);
    assert_int_equal(read_request_with(&body, &key, 32, 64, 32), NV_REFUSED);
}

static void an_answer_to_a_request_has_no_empty_changeset_and_no_endless_text(void **state)
{
    (void)state;
    struct nv_arena arena = arena_of_test();
    struct nv_enrol_reply read;
    ProtobufCBinaryData authority[2] = {binary_of(5), binary_of(0)};
    Navette__EnrolReply reply = NAVETTE__ENROL_REPLY__INIT;
    reply.admitted = true;
    reply.text = "";
    reply.n_authority = 1;
    reply.authority = authority;
    const struct {
        size_t count;
        char *text;
        enum nv_status expected;
    } replies[] = {{1, "", NV_OK}, {2, "", NV_REFUSED}, {1, too_long, NV_REFUSED}};
    for (size_t i = 0; i < 3; i++) {
        reply.n_authority = replies[i].count;
        reply.text = replies[i].text;
        struct nv_buffer bytes = pack(&reply.base);
        assert_int_equal(nv_enrol_reply_decode(nv_buffer_slice(&bytes), &arena, &read, NULL), replies[i].expected);
        nv_buffer_done(&bytes);
    }
    struct nv_slice endless = {calloc(1, NV_LIMIT_MESSAGE_BYTES + 1), NV_LIMIT_MESSAGE_BYTES + 1};
    assert_int_equal(nv_enrol_reply_decode(endless, &arena, &read, NULL), NV_REFUSED);
    free((void *)endless.data);
    nv_arena_done(&arena);
}

/* ---- what two nodes say -------------------------------------------------------------------------------------------
 */

static enum nv_status read_message(const Navette__Message *wire, struct nv_message *ret_message)
{
    struct nv_arena arena = arena_of_test();
    struct nv_buffer bytes = pack(&wire->base);
    enum nv_status status = nv_message_decode(nv_buffer_slice(&bytes), &arena, ret_message, NULL);
    nv_buffer_done(&bytes);
    nv_arena_done(&arena);
    return status;
}

static void ids_and_digests_have_their_sizes(void **state)
{
    (void)state;
    struct nv_message message;
    Navette__Message wire = NAVETTE__MESSAGE__INIT;
    Navette__Hello hello = NAVETTE__HELLO__INIT;
    Navette__Has has = NAVETTE__HAS__INIT;
    wire.kind_case = NAVETTE__MESSAGE__KIND_HELLO;
    wire.hello = &hello;
    const size_t hellos[][3] = {{32, 16, NV_OK}, {31, 16, NV_REFUSED}, {32, 17, NV_REFUSED}};
    for (size_t i = 0; i < 3; i++) {
        hello.network = binary_of(hellos[i][0]);
        hello.site = binary_of(hellos[i][1]);
        assert_int_equal(read_message(&wire, &message), hellos[i][2]);
    }
    wire.kind_case = NAVETTE__MESSAGE__KIND_HAS;
    wire.has = &has;
    has.digest = binary_of(16);
    assert_int_equal(read_message(&wire, &message), NV_OK);
    has.digest = binary_of(15);
    assert_int_equal(read_message(&wire, &message), NV_REFUSED);
}

static void a_batch_has_so_many_changesets(void **state)
{
    (void)state;
    struct nv_message message;
    Navette__Message wire = NAVETTE__MESSAGE__INIT;
    Navette__Batch batch = NAVETTE__BATCH__INIT;
    wire.kind_case = NAVETTE__MESSAGE__KIND_BATCH;
    wire.batch = &batch;
    batch.changesets = malloc((NV_LIMIT_BATCH_CHANGESETS + 1) * sizeof *batch.changesets);
    for (size_t i = 0; i <= NV_LIMIT_BATCH_CHANGESETS; i++)
        batch.changesets[i] = binary_of(1);
    batch.n_changesets = NV_LIMIT_BATCH_CHANGESETS;
    assert_int_equal(read_message(&wire, &message), NV_OK);
    batch.n_changesets++;
    assert_int_equal(read_message(&wire, &message), NV_REFUSED);
    free(batch.changesets);
}

static void a_refusal_for_a_reason_that_is_not_known_is_one_of_the_protocol(void **state)
{
    (void)state;
    struct nv_message message;
    Navette__Message wire = NAVETTE__MESSAGE__INIT;
    Navette__Refusal refusal = NAVETTE__REFUSAL__INIT;
    wire.kind_case = NAVETTE__MESSAGE__KIND_REFUSAL;
    wire.refusal = &refusal;
    refusal.text = "";
    const uint32_t reasons[][2] = {
        {0, NV_REFUSAL_PROTOCOL}, {NV_REFUSAL_CHANGESET, NV_REFUSAL_CHANGESET}, {6, NV_REFUSAL_PROTOCOL}};
    for (size_t i = 0; i < 3; i++) {
        refusal.reason = reasons[i][0];
        assert_int_equal(read_message(&wire, &message), NV_OK);
        assert_int_equal(message.refusal.reason, reasons[i][1]);
    }
    refusal.text = too_long;
    assert_int_equal(read_message(&wire, &message), NV_REFUSED);
}

/* What may carry changesets may be long; nothing else needs to be. */
static void only_a_batch_may_be_long(void **state)
{
    (void)state;
    struct nv_message message;
    uint8_t *filler = calloc(1, NV_LIMIT_SHORT_MESSAGE_BYTES);
    ProtobufCMessageUnknownField newer = {.tag = 100, .wire_type = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED};
    struct nv_buffer bytes = {0};
    nv_buffer_append_varint(&bytes, NV_LIMIT_SHORT_MESSAGE_BYTES - 100);
    nv_buffer_append(&bytes, filler, NV_LIMIT_SHORT_MESSAGE_BYTES - 100);
    newer.len = bytes.size;
    newer.data = bytes.data;
    Navette__Message wire = NAVETTE__MESSAGE__INIT;
    Navette__Ping ping = NAVETTE__PING__INIT;
    Navette__Batch batch = NAVETTE__BATCH__INIT;
    ProtobufCBinaryData changeset = {.len = 200, .data = filler};
    batch.n_changesets = 1;
    batch.changesets = &changeset;
    wire.base.n_unknown_fields = 1;
    wire.base.unknown_fields = &newer;
    wire.kind_case = NAVETTE__MESSAGE__KIND_PING;
    wire.ping = &ping;
    assert_int_equal(read_message(&wire, &message), NV_OK);
    ping.base.n_unknown_fields = 1;
    ping.base.unknown_fields = &(ProtobufCMessageUnknownField){
        .tag = 100, .wire_type = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED, .len = 102, .data = filler};
    filler[0] = 101;
    assert_int_equal(read_message(&wire, &message), NV_REFUSED);
    wire.kind_case = NAVETTE__MESSAGE__KIND_BATCH;
    wire.batch = &batch;
    assert_int_equal(read_message(&wire, &message), NV_OK);
    nv_buffer_done(&bytes);
    free(filler);
}

int main(void)
{
    if (nv_wire_start(NULL) != NV_OK)
        return 1;
    memset(too_long, 'x', sizeof too_long - 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_genesis_has_a_name_and_two_keys),
        cmocka_unit_test(a_certificate_has_whole_keys_a_role_and_dates),
        cmocka_unit_test(a_schema_keeps_its_numbers_and_texts_within_bounds),
        cmocka_unit_test(an_op_over_the_limit_is_not_even_read),
        cmocka_unit_test(what_newer_software_put_inside_an_op_waits),
        cmocka_unit_test(a_request_to_join_is_whole),
        cmocka_unit_test(a_request_to_recover_is_whole),
        cmocka_unit_test(an_answer_to_a_request_has_no_empty_changeset_and_no_endless_text),
        cmocka_unit_test(ids_and_digests_have_their_sizes),
        cmocka_unit_test(a_batch_has_so_many_changesets),
        cmocka_unit_test(a_refusal_for_a_reason_that_is_not_known_is_one_of_the_protocol),
        cmocka_unit_test(only_a_batch_may_be_long),
    };
    return cmocka_run_group_tests_name("forged", tests, NULL, NULL);
}
