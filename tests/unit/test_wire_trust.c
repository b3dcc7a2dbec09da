/* Ops of the authority log, invitations, enrolment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>

#include "wire/form.h"
#include "wire/hash.h"
#include "wire/recovery.h"
#include "wire/unpack.h"
#include "wire_samples.h"

static struct nv_arena arena_of_test(void)
{
    return (struct nv_arena){.limit = 64u << 20};
}

/* ---- the authority's ops ---- */

static const char *const endpoints[] = {"tcp://192.0.2.1:7411", "tcp://[2001:db8::1]:7411"};

static struct nv_certificate make_certificate(void)
{
    struct nv_certificate certificate = {
        .name = "Villeneuve-la-Garenne",
        .sign_key = sample_key(3).public_key,
        .curve_key = sample_key(4).public_key,
        .role = NV_ROLE_SITE,
        .endpoint_count = 2,
        .endpoints = endpoints,
        .not_before.ms = 1700000000000,
    };
    sample_bytes(certificate.site.bytes, sizeof certificate.site.bytes);
    return certificate;
}

static void assert_same_certificate(const struct nv_certificate *a, const struct nv_certificate *b)
{
    assert_memory_equal(&a->site, &b->site, 16);
    assert_string_equal(a->name, b->name);
    assert_memory_equal(&a->sign_key, &b->sign_key, 32);
    assert_memory_equal(&a->curve_key, &b->curve_key, 32);
    assert_memory_equal(&a->recovery_key, &b->recovery_key, 32);
    assert_int_equal(a->role, b->role);
    assert_int_equal(a->endpoint_count, b->endpoint_count);
    for (size_t i = 0; i < a->endpoint_count; i++)
        assert_string_equal(a->endpoints[i], b->endpoints[i]);
}

/* The op as everybody's op reader sees it. */
static void assert_control(struct nv_slice bytes, enum nv_op_kind kind, struct nv_wall_ms time)
{
    struct nv_arena arena = arena_of_test();
    struct nv_op *op = nv_arena_alloc(&arena, sizeof *op);
    assert_int_equal(nv_op_decode(bytes, &arena, op, NULL), NV_OK);
    assert_int_equal(op->kind, kind);
    assert_int_equal(op->time.ms, time.ms);
    assert_true(nv_slice_equal(op->control, bytes));
    assert_int_equal(op->key.size + op->value_count + op->except_count + op->name_count + op->table, 0);
    nv_arena_done(&arena);
}

static void test_genesis(void **state)
{
    (void)state;
    struct nv_arena arena = arena_of_test();
    struct nv_buffer bytes = {0};
    struct nv_genesis genesis = {"Réseau d'écoles", sample_key(5).public_key, sample_key(6).public_key}, read;
    nv_genesis_encode(&genesis, (struct nv_wall_ms){1700000000000}, &bytes);
    assert_control(nv_buffer_slice(&bytes), NV_OP_GENESIS, (struct nv_wall_ms){1700000000000});
    assert_int_equal(nv_genesis_decode(nv_buffer_slice(&bytes), &arena, &read, NULL), NV_OK);
    assert_string_equal(read.network, genesis.network);
    assert_memory_equal(&read.authority_key, &genesis.authority_key, 32);
    assert_memory_equal(&read.successor_key, &genesis.successor_key, 32);
    for (size_t size = 0; size < bytes.size; size++) {
        struct nv_slice cut = {bytes.data, size};
        assert_int_equal(nv_genesis_decode(cut, &arena, &read, NULL), NV_REFUSED);
    }
    struct nv_certificate certificate;
    assert_int_equal(nv_certificate_decode(nv_buffer_slice(&bytes), &arena, &certificate, NULL), NV_REFUSED);
    nv_append_number_field(&bytes, 30, 1);
    assert_int_equal(nv_genesis_decode(nv_buffer_slice(&bytes), &arena, &read, NULL), NV_NOT_YET);
    nv_buffer_done(&bytes);
    nv_arena_done(&arena);
}

static enum nv_status certify(const struct nv_certificate *certificate)
{
    struct nv_arena arena = arena_of_test();
    struct nv_buffer bytes = {0};
    struct nv_certificate read;
    nv_certificate_encode(certificate, (struct nv_wall_ms){0}, &bytes);
    enum nv_status status = nv_certificate_decode(nv_buffer_slice(&bytes), &arena, &read, NULL);
    if (status == NV_OK)
        assert_same_certificate(&read, certificate);
    nv_buffer_done(&bytes);
    nv_arena_done(&arena);
    return status;
}

static void test_certificates(void **state)
{
    (void)state;
    struct nv_certificate good = make_certificate(), bad = good;
    assert_int_equal(certify(&good), NV_OK);
    good.recovery_key = sample_key(8).public_key;
    good.endpoint_count = 0;
    good.role = NV_ROLE_HUB;
    assert_int_equal(certify(&good), NV_OK);
    static const char *const names[] = {"",
                                        "a\nb",
                                        "a\x7f",
                                        "\xc2\x85",
                                        "\xff",
                                        "\xc0\xaf",
                                        "\xed\xa0\x80",
                                        "\xe2\x82",
                                        "\xed\xbf\xbf",
                                        "\xe0\x9f\xbf",
                                        "\xf0\x8f\xbf\xbf",
                                        "\xf4\x90\x80\x80",
                                        "\xf8\x88\x80\x80\x80"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        bad.name = names[i];
        assert_int_equal(certify(&bad), NV_REFUSED);
        assert_false(nv_name_is_good(names[i]));
    }
    static const char *const good_names[] = {"Lycée", "\xed\x9f\xbf", "\xee\x80\x80", "\xf4\x8f\xbf\xbf", "\xc2\xa0",
                                             "𝄞"};
    for (size_t i = 0; i < sizeof good_names / sizeof good_names[0]; i++) {
        bad.name = good_names[i];
        assert_int_equal(certify(&bad), NV_OK);
    }
    char name[NV_LIMIT_NAME + 2] = {0};
    memset(name, 'n', NV_LIMIT_NAME);
    bad.name = name;
    assert_int_equal(certify(&bad), NV_OK);
    name[NV_LIMIT_NAME] = 'n';
    assert_int_equal(certify(&bad), NV_REFUSED);
    bad = good;
    bad.role = (enum nv_role)3;
    assert_int_equal(certify(&bad), NV_REFUSED);
    bad = good;
    bad.not_after.ms = NV_LIMIT_TIME_MS + 1;
    assert_int_equal(certify(&bad), NV_REFUSED);
    const char *many[NV_LIMIT_ENDPOINTS + 1];
    for (size_t i = 0; i <= NV_LIMIT_ENDPOINTS; i++)
        many[i] = endpoints[0];
    bad = good;
    bad.endpoints = many;
    bad.endpoint_count = NV_LIMIT_ENDPOINTS;
    assert_int_equal(certify(&bad), NV_OK);
    bad.endpoint_count++;
    assert_int_equal(certify(&bad), NV_REFUSED);
}

/* Without a recovery key there is none; a key of zeros would be a second way to say so. */
static void test_a_recovery_key_of_zeros(void **state)
{
    (void)state;
    struct nv_arena arena = arena_of_test();
    struct nv_buffer bytes = {0};
    struct nv_certificate certificate = make_certificate(), read;
    certificate.recovery_key = sample_key(8).public_key;
    nv_certificate_encode(&certificate, (struct nv_wall_ms){5}, &bytes);
    assert_int_equal(nv_certificate_decode(nv_buffer_slice(&bytes), &arena, &read, NULL), NV_OK);
    assert_false(nv_public_key_is_zero(&read.recovery_key));
    uint8_t *key = memmem(bytes.data, bytes.size, certificate.recovery_key.bytes, 32);
    assert_non_null(key);
    memset(key, 0, 32);
    assert_int_equal(nv_certificate_decode(nv_buffer_slice(&bytes), &arena, &read, NULL), NV_REFUSED);
    nv_buffer_done(&bytes);
    nv_arena_done(&arena);
}

/* A NUL inside a name would show one name to us and another to whoever reads its length. */
static void test_hidden_bytes_are_refused(void **state)
{
    (void)state;
    struct nv_arena arena = arena_of_test();
    struct nv_buffer bytes = {0};
    struct nv_certificate certificate = make_certificate(), read;
    nv_certificate_encode(&certificate, (struct nv_wall_ms){0}, &bytes);
    uint8_t *at = memmem(bytes.data, bytes.size, "Villeneuve", 10);
    at[5] = '\0';
    assert_int_equal(nv_certificate_decode(nv_buffer_slice(&bytes), &arena, &read, NULL), NV_REFUSED);
    nv_buffer_done(&bytes);
    nv_arena_done(&arena);
}

static void test_schema(void **state)
{
    (void)state;
    static const char *const statements[] = {"CREATE TABLE learner(\n  id TEXT PRIMARY KEY,\n  name TEXT)",
                                             "CREATE INDEX by_name ON learner(name)"};
    const struct nv_schema_column columns[] = {
        {.field = 0, .name = "name", .label_fr = "Nom", .label_en = "Name"},
        {.field = 63, .name = "last_seen", .rule = NV_RULE_MAX, .quiet = true},
    };
    const struct nv_schema_table tables[] = {
        {.number = 1,
         .name = "learner",
         .scope = "column:visible_to",
         .writers = "scope",
         .column_count = 2,
         .columns = columns},
        {.number = 2, .name = "place", .scope = "network", .writers = "home"},
    };
    struct nv_schema_op schema = {2, statements, 2, tables}, read;
    struct nv_arena arena = arena_of_test();
    struct nv_buffer bytes = {0};
    nv_schema_encode(&schema, (struct nv_wall_ms){5}, &bytes);
    assert_control(nv_buffer_slice(&bytes), NV_OP_SCHEMA, (struct nv_wall_ms){5});
    assert_int_equal(nv_schema_decode(nv_buffer_slice(&bytes), &arena, &read, NULL), NV_OK);
    assert_int_equal(read.statement_count, 2);
    assert_string_equal(read.statements[0], statements[0]);
    assert_int_equal(read.table_count, 2);
    assert_string_equal(read.tables[0].scope, "column:visible_to");
    assert_int_equal(read.tables[1].number, 2);
    assert_int_equal(read.tables[1].column_count, 0);
    const struct nv_schema_column *column = &read.tables[0].columns[1];
    assert_true(column->field == 63 && column->quiet && column->rule == NV_RULE_MAX && column->label_fr == NULL);
    assert_string_equal(read.tables[0].columns[0].label_en, "Name");
    nv_buffer_done(&bytes);
    nv_arena_done(&arena);
}

static enum nv_status publish(struct nv_schema_column column, struct nv_schema_table table, const char *statement)
{
    struct nv_arena arena = arena_of_test();
    struct nv_buffer bytes = {0};
    struct nv_schema_op schema = {1, &statement, 1, &table}, read;
    table.column_count = 1;
    table.columns = &column;
    nv_schema_encode(&schema, (struct nv_wall_ms){0}, &bytes);
    enum nv_status status = nv_schema_decode(nv_buffer_slice(&bytes), &arena, &read, NULL);
    nv_buffer_done(&bytes);
    nv_arena_done(&arena);
    return status;
}

static void test_schema_refusals(void **state)
{
    (void)state;
    const struct nv_schema_column column = {.field = 1, .name = "name"};
    const struct nv_schema_table table = {.number = 1, .name = "learner", .scope = "site", .writers = "scope"};
    assert_int_equal(publish(column, table, "SELECT 1"), NV_OK);
    struct nv_schema_column c = column;
    struct nv_schema_table t = table;
    c.field = NV_LIMIT_FIELDS;
    assert_int_equal(publish(c, table, "SELECT 1"), NV_REFUSED);
    c = column;
    c.name = "";
    assert_int_equal(publish(c, table, "SELECT 1"), NV_REFUSED);
    c = column;
    c.rule = (enum nv_rule)4;
    assert_int_equal(publish(c, table, "SELECT 1"), NV_NOT_YET);
    t.number = 0;
    assert_int_equal(publish(column, t, "SELECT 1"), NV_REFUSED);
    t.number = NV_LIMIT_TABLES + 1;
    assert_int_equal(publish(column, t, "SELECT 1"), NV_REFUSED);
    t = table;
    t.name = NULL;
    assert_int_equal(publish(column, t, "SELECT 1"), NV_REFUSED);
    assert_int_equal(publish(column, table, "SELECT \x1b"), NV_REFUSED);
    char *sql = malloc(NV_LIMIT_SQL_BYTES + 2);
    memset(sql, 'x', NV_LIMIT_SQL_BYTES + 1);
    sql[NV_LIMIT_SQL_BYTES + 1] = '\0';
    assert_int_equal(publish(column, table, sql), NV_REFUSED);
    sql[NV_LIMIT_SQL_BYTES] = '\0';
    assert_int_equal(publish(column, table, sql), NV_OK);
    free(sql);
}

/* ---- invitations ---- */

static struct nv_invitation make_invitation(void)
{
    struct nv_invitation invitation = {.number = sample_random(UINT64_MAX),
                                       .endpoint = "tcp://hub.example:7410",
                                       .hub_curve_key = sample_key(10).public_key,
                                       .authority_key = sample_key(11).public_key,
                                       .expires.ms = 1700000000000};
    sample_bytes(invitation.secret, sizeof invitation.secret);
    return invitation;
}

static void test_invitations(void **state)
{
    (void)state;
    struct nv_invitation invitation = make_invitation(), read;
    char text[1024], padded[1100];
    assert_int_equal(nv_invitation_write(&invitation, text, sizeof text), NV_OK);
    assert_int_equal(nv_invitation_write(&invitation, text, strlen(text)), NV_BUG);
    assert_int_equal(nv_invitation_write(&invitation, text, strlen(text) + 1), NV_OK);
    snprintf(padded, sizeof padded, "  %s \n", text);
    assert_int_equal(nv_invitation_read(padded, &read, NULL), NV_OK);
    assert_true(read.number == invitation.number && read.expires.ms == invitation.expires.ms);
    assert_string_equal(read.endpoint, invitation.endpoint);
    assert_memory_equal(&read.hub_curve_key, &invitation.hub_curve_key, 32);
    assert_memory_equal(&read.authority_key, &invitation.authority_key, 32);
    assert_memory_equal(read.secret, invitation.secret, 32);
    memset(invitation.endpoint, 'e', sizeof invitation.endpoint - 1);
    assert_int_equal(nv_invitation_write(&invitation, text, sizeof text), NV_OK);
    assert_int_equal(nv_invitation_read(text, &read, NULL), NV_OK);
    assert_string_equal(read.endpoint, invitation.endpoint);
}

static void test_damaged_invitations(void **state)
{
    (void)state;
    struct nv_invitation invitation = make_invitation(), read;
    char text[1024], changed[1024];
    assert_int_equal(nv_invitation_write(&invitation, text, sizeof text), NV_OK);
    size_t size = strlen(text);
    for (size_t at = 0; at < size; at++) {
        memcpy(changed, text, size + 1); /* lost */
        memmove(changed + at, changed + at + 1, size - at);
        if (strcmp(changed, text) != 0)
            assert_int_equal(nv_invitation_read(changed, &read, NULL), NV_REFUSED);
        memcpy(changed, text, size + 1); /* twice */
        memmove(changed + at + 1, changed + at, size - at + 1);
        assert_int_equal(nv_invitation_read(changed, &read, NULL), NV_REFUSED);
        memcpy(changed, text, size + 1); /* another */
        for (int character = 1; character < 256; character++) {
            changed[at] = (char)character;
            if (changed[at] != text[at])
                assert_int_equal(nv_invitation_read(changed, &read, NULL), NV_REFUSED);
        }
    }
    assert_int_equal(nv_invitation_read("", &read, NULL), NV_REFUSED);
    assert_int_equal(nv_invitation_read("navette1:", &read, NULL), NV_REFUSED);
}

static void append_part(struct nv_buffer *record, const void *bytes, size_t size)
{
    nv_buffer_append_varint(record, size);
    nv_buffer_append(record, bytes, size);
}

/* The sizes of an invitation's parts, in order, and whether something stands behind them. */
struct parts {
    const char *what;
    size_t number, hub_key, authority_key, secret, expiry;
    const char *endpoint;
    size_t endpoint_size;
    uint8_t last_of_expiry;
    size_t behind;
    enum nv_status expected;
};

static enum nv_status read_parts(const struct parts *parts)
{
    uint8_t bytes[64] = {0}, expiry[64] = {0};
    expiry[7] = parts->last_of_expiry;
    struct nv_buffer record = {0};
    append_part(&record, bytes, parts->number);
    append_part(&record, parts->endpoint, parts->endpoint_size);
    append_part(&record, bytes, parts->hub_key);
    append_part(&record, bytes, parts->authority_key);
    append_part(&record, bytes, parts->secret);
    append_part(&record, expiry, parts->expiry);
    nv_buffer_append(&record, bytes, parts->behind);
    struct nv_hash sum = nv_hash_of(nv_buffer_slice(&record));
    nv_buffer_append(&record, sum.bytes, 4);
    char text[1024] = "navette1:";
    sodium_bin2base64(text + 9, sizeof text - 9, record.data, record.size, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    nv_buffer_done(&record);
    struct nv_invitation invitation;
    return nv_invitation_read(text, &invitation, NULL);
}

/* The check at its end is good: somebody wrote it so. */
static void an_invitation_with_parts_of_other_sizes_is_none(void **state)
{
    (void)state;
    static char endless[300];
    memset(endless, 'e', sizeof endless);
    const char *const hub = "tcp://192.0.2.1:7411";
    const struct parts all[] = {
        {"as it is", 8, 32, 32, 32, 8, hub, 20, 0, 0, NV_OK},
        {"a short number", 7, 32, 32, 32, 8, hub, 20, 0, 0, NV_REFUSED},
        {"a short key of the hub", 8, 31, 32, 32, 8, hub, 20, 0, 0, NV_REFUSED},
        {"a long key of the authority", 8, 32, 33, 32, 8, hub, 20, 0, 0, NV_REFUSED},
        {"no secret", 8, 32, 32, 0, 8, hub, 20, 0, 0, NV_REFUSED},
        {"a short expiry", 8, 32, 32, 32, 7, hub, 20, 0, 0, NV_REFUSED},
        {"no endpoint", 8, 32, 32, 32, 8, "", 0, 0, 0, NV_REFUSED},
        {"an endless endpoint", 8, 32, 32, 32, 8, endless, 300, 0, 0, NV_REFUSED},
        {"an endpoint with a NUL", 8, 32, 32, 32, 8, "tcp\0evil", 8, 0, 0, NV_REFUSED},
        {"an endpoint with an escape", 8, 32, 32, 32, 8, "tcp\x1b[2J", 7, 0, 0, NV_REFUSED},
        {"an expiry out of range", 8, 32, 32, 32, 8, hub, 20, 1, 0, NV_REFUSED},
        {"something behind it", 8, 32, 32, 32, 8, hub, 20, 0, 1, NV_REFUSED},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (read_parts(&all[i]) != all[i].expected)
            fail_msg("%s", all[i].what);
}

/* Its parts end where the text does: each place of a cut lies in another part. */
static void an_invitation_cut_anywhere_is_none_although_its_check_is_good(void **state)
{
    (void)state;
    struct nv_buffer record = {0};
    uint8_t bytes[32] = {0};
    append_part(&record, bytes, 8);
    append_part(&record, "tcp://192.0.2.1:7411", 20);
    append_part(&record, bytes, 32);
    append_part(&record, bytes, 32);
    append_part(&record, bytes, 32);
    append_part(&record, bytes, 8);
    for (size_t size = 0; size <= record.size; size++) {
        struct nv_buffer cut = {0};
        struct nv_invitation invitation;
        char text[1024] = "navette1:";
        nv_buffer_append(&cut, record.data, size);
        struct nv_hash sum = nv_hash_of(nv_buffer_slice(&cut));
        nv_buffer_append(&cut, sum.bytes, 4);
        sodium_bin2base64(text + 9, sizeof text - 9, cut.data, cut.size, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
        assert_int_equal(nv_invitation_read(text, &invitation, NULL), size == record.size ? NV_OK : NV_REFUSED);
        nv_buffer_done(&cut);
    }
    nv_buffer_done(&record);
}

/* ---- enrolment ---- */

static void test_enrolment(void **state)
{
    (void)state;
    struct nv_arena arena = arena_of_test();
    struct nv_buffer bytes = {0};
    struct nv_sign_key key = sample_key(3);
    struct nv_certificate wanted = make_certificate();
    struct nv_invitation invitation = make_invitation(), other = make_invitation();
    struct nv_enrol_request read;
    nv_enrol_request_encode(&wanted, invitation.number, invitation.secret, &key, &bytes);
    assert_int_equal(nv_enrol_request_decode(nv_buffer_slice(&bytes), &arena, &read, NULL), NV_OK);
    assert_same_certificate(&read.wanted, &wanted);
    assert_true(read.invitation_number == invitation.number);
    struct nv_hash secret = nv_invitation_secret_hash(invitation.secret);
    struct nv_hash wrong = nv_invitation_secret_hash(other.secret);
    assert_true(nv_enrol_proof_holds(&read, &secret));
    assert_false(nv_enrol_proof_holds(&read, &wrong));

    /* Every bit counts: form, signature or proof. */
    for (size_t bit = 0; bit < bytes.size * 8; bit++) {
        bytes.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        nv_arena_reset(&arena);
        enum nv_status status = nv_enrol_request_decode(nv_buffer_slice(&bytes), &arena, &read, NULL);
        assert_true(status != NV_OK || !nv_enrol_proof_holds(&read, &secret));
        bytes.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t size = 0; size < bytes.size; size++) {
        struct nv_slice cut = {bytes.data, size};
        nv_arena_reset(&arena);
        assert_int_equal(nv_enrol_request_decode(cut, &arena, &read, NULL), NV_REFUSED);
    }
    /* Signed by a key that is not the one inside. */
    nv_buffer_clear(&bytes);
    key = sample_key(12);
    nv_enrol_request_encode(&wanted, invitation.number, invitation.secret, &key, &bytes);
    assert_int_equal(nv_enrol_request_decode(nv_buffer_slice(&bytes), &arena, &read, NULL), NV_REFUSED);
    nv_buffer_done(&bytes);
    nv_arena_done(&arena);
}

/* What a site that lost its keys asks: the proof is of the recovery key inside, for that hub, network and request. */
static void test_recovery(void **state)
{
    (void)state;
    struct nv_arena arena = arena_of_test();
    struct nv_buffer bytes = {0};
    struct nv_sign_key key = sample_key(3);
    struct nv_certificate wanted = make_certificate();
    struct nv_invitation invitation = make_invitation();
    struct nv_curve_key recovery, hub, other;
    struct nv_enrol_request read;
    assert_int_equal(nv_recovery_make(&recovery, NULL), NV_OK);
    assert_int_equal(nv_recovery_make(&hub, NULL), NV_OK);
    assert_int_equal(nv_recovery_make(&other, NULL), NV_OK);
    invitation.hub_curve_key = hub.public_key;
    const struct nv_public_key *network = &invitation.authority_key, *another = &other.public_key;
    assert_int_equal(nv_enrol_recovery_encode(&wanted, &invitation, &key, &recovery, &bytes, NULL), NV_OK);
    assert_int_equal(nv_enrol_request_decode(nv_buffer_slice(&bytes), &arena, &read, NULL), NV_OK);
    assert_true(read.recovers);
    assert_memory_equal(&read.wanted.recovery_key, &recovery.public_key, sizeof recovery.public_key);
    assert_true(nv_enrol_recovery_holds(&read, &hub, network));
    assert_false(nv_enrol_recovery_holds(&read, &other, network));
    assert_false(nv_enrol_recovery_holds(&read, &hub, another));
    struct nv_enrol_request changed = read;
    changed.wanted.recovery_key = *another;
    assert_false(nv_enrol_recovery_holds(&changed, &hub, network));
    changed = read;
    changed.signed_bytes.size--;
    assert_false(nv_enrol_recovery_holds(&changed, &hub, network));

    struct nv_hash secret = nv_invitation_secret_hash(invitation.secret);
    for (size_t bit = 0; bit < bytes.size * 8; bit++) {
        bytes.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        nv_arena_reset(&arena);
        enum nv_status status = nv_enrol_request_decode(nv_buffer_slice(&bytes), &arena, &read, NULL);
        assert_true(status != NV_OK || !nv_enrol_proof_holds(&read, &secret) ||
                    !nv_enrol_recovery_holds(&read, &hub, network));
        bytes.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    /* A hub whose key is none, and a recovery key that is none: what they have in common everybody knows. */
    nv_buffer_clear(&bytes);
    invitation.hub_curve_key = (struct nv_public_key){{0}};
    assert_int_equal(nv_enrol_recovery_encode(&wanted, &invitation, &key, &recovery, &bytes, NULL), NV_REFUSED);
    static const uint8_t proof[NV_RECOVERY_PROOF_BYTES];
    assert_false(nv_recovery_proof_holds(&invitation.hub_curve_key, &hub, network, nv_buffer_slice(&bytes), proof));
    nv_buffer_done(&bytes);
    nv_arena_done(&arena);
}

static void test_enrolment_replies(void **state)
{
    (void)state;
    struct nv_arena arena = arena_of_test();
    struct nv_buffer bytes = {0};
    struct nv_slice log[2] = {{(const uint8_t *)"first", 5}, {(const uint8_t *)"second", 6}};
    uint8_t key_bytes[NV_RECOVERED_KEY_BYTES];
    for (size_t i = 0; i < sizeof key_bytes; i++)
        key_bytes[i] = (uint8_t)i;
    struct nv_slice keys[2] = {{key_bytes, sizeof key_bytes}, {key_bytes, sizeof key_bytes}};
    struct nv_enrol_reply read, said = {true, "", log, 2, keys, 2};
    nv_enrol_reply_encode(&said, &bytes);
    assert_int_equal(nv_enrol_reply_decode(nv_buffer_slice(&bytes), &arena, &read, NULL), NV_OK);
    assert_true(read.admitted && read.authority_count == 2);
    assert_string_equal(read.text, "");
    assert_true(nv_slice_equal(read.authority[0], log[0]) && nv_slice_equal(read.authority[1], log[1]));
    assert_true(read.key_count == 2 && nv_slice_equal(read.keys[1], keys[1]));
    nv_buffer_clear(&bytes);
    said.keys[1].size--;
    nv_enrol_reply_encode(&said, &bytes);
    assert_int_equal(nv_enrol_reply_decode(nv_buffer_slice(&bytes), &arena, &read, NULL), NV_REFUSED);
    nv_buffer_clear(&bytes);
    said = (struct nv_enrol_reply){.text = "the invitation has expired"};
    nv_enrol_reply_encode(&said, &bytes);
    assert_int_equal(nv_enrol_reply_decode(nv_buffer_slice(&bytes), &arena, &read, NULL), NV_OK);
    assert_true(!read.admitted && read.authority_count == 0);
    assert_string_equal(read.text, "the invitation has expired");
    nv_buffer_clear(&bytes);
    said.text = "\x1b[2J";
    nv_enrol_reply_encode(&said, &bytes);
    assert_int_equal(nv_enrol_reply_decode(nv_buffer_slice(&bytes), &arena, &read, NULL), NV_REFUSED);
    nv_buffer_done(&bytes);
    nv_arena_done(&arena);
}

int main(void)
{
    if (nv_wire_start(NULL) != NV_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_genesis),
        cmocka_unit_test(test_certificates),
        cmocka_unit_test(test_a_recovery_key_of_zeros),
        cmocka_unit_test(test_hidden_bytes_are_refused),
        cmocka_unit_test(test_schema),
        cmocka_unit_test(test_schema_refusals),
        cmocka_unit_test(test_invitations),
        cmocka_unit_test(test_damaged_invitations),
        cmocka_unit_test(an_invitation_with_parts_of_other_sizes_is_none),
        cmocka_unit_test(an_invitation_cut_anywhere_is_none_although_its_check_is_good),
        cmocka_unit_test(test_enrolment),
        cmocka_unit_test(test_recovery),
        cmocka_unit_test(test_enrolment_replies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
