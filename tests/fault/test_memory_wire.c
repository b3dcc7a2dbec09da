/* Reading and writing what travels, and the settings, where memory runs out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "tests/fault/probe.h"
#include "tests/unit/wire_samples.h"
#include "wire/body.h"
#include "wire/invitation.h"
#include "wire/message.h"

enum { OPS = 40, ARENA = 64 << 20 };

static struct sample packed, plain, redacted; /* sealed changesets; of the last one some ops are let go */
static struct nv_slice redacted_body;
static struct nv_changeset_parts redacted_copy; /* with all of its ops */

/* ---- changesets ---- */

static enum nv_status read_header(struct nv_buffer *told)
{
    struct nv_arena arena = {.limit = ARENA};
    struct nv_header header;
    struct nv_error error;
    enum nv_status status = nv_header_decode(packed.parts.header, &arena, &header, &error);
    if (status == NV_OK)
        nv_buffer_append(told, header.context, header.context_count * sizeof *header.context);
    nv_arena_done(&arena);
    return status;
}

static enum nv_status verify(struct nv_buffer *told)
{
    struct nv_error error;
    (void)told;
    return nv_changeset_verify(&packed.parts, &packed.key.public_key, &packed.network, &error);
}

static enum nv_status open_body(const struct nv_changeset_parts *parts, const struct nv_header *header,
                                struct nv_buffer *told)
{
    struct nv_arena arena = {.limit = ARENA};
    struct nv_body body;
    struct nv_error error;
    enum nv_status status = nv_body_open(parts, header, &arena, &body, &error);
    for (size_t i = 0; status == NV_OK && i < body.count; i++)
        nv_buffer_append(told, body.entries[i].op.data, body.entries[i].op.size);
    nv_arena_done(&arena);
    return status;
}

static enum nv_status open_packed(struct nv_buffer *told)
{
    return open_body(&packed.parts, &packed.header, told);
}

static enum nv_status open_plain(struct nv_buffer *told)
{
    return open_body(&plain.parts, &plain.header, told);
}

static enum nv_status open_redacted(struct nv_buffer *told)
{
    struct nv_changeset_parts parts = redacted.parts;
    parts.body = redacted_body;
    return open_body(&parts, &redacted.header, told);
}

static enum nv_status redact(struct nv_buffer *told)
{
    struct nv_arena arena = {.limit = ARENA};
    struct nv_buffer body = {0};
    bool which[OPS] = {true, false, true}, compressed;
    struct nv_error error;
    enum nv_status status = nv_body_redact(&packed.parts, &packed.header, which, &arena, &body, &compressed, &error);
    if (status == NV_OK)
        nv_buffer_append(told, body.data, body.size);
    nv_buffer_done(&body);
    nv_arena_done(&arena);
    return status;
}

static enum nv_status fill(struct nv_buffer *told)
{
    struct nv_arena arena = {.limit = ARENA};
    struct nv_changeset_parts lacking = redacted.parts;
    struct nv_buffer body = {0};
    bool which[OPS] = {false, true, false}, compressed;
    struct nv_error error;
    lacking.body = redacted_body;
    enum nv_status status =
        nv_body_fill(&lacking, &redacted_copy, &redacted.header, which, &arena, &body, &compressed, &error);
    if (status == NV_OK)
        nv_buffer_append(told, body.data, body.size);
    nv_buffer_done(&body);
    nv_arena_done(&arena);
    return status;
}

/* The seed is another one each time, and so are the bytes: what counts is that they verify. */
static enum nv_status seal(struct nv_buffer *told)
{
    struct nv_header header = packed.header;
    struct nv_buffer scratch = {0}, joined = {0};
    struct nv_changeset_parts parts;
    struct nv_hash hash;
    struct nv_error error;
    enum nv_status status = nv_changeset_seal(&header, packed.ops, packed.op_count, &packed.key, &packed.network,
                                              &scratch, &parts, &hash, &error);
    if (status == NV_OK)
        status = nv_changeset_verify(&parts, &packed.key.public_key, &packed.network, &error);
    if (status == NV_OK)
        status = open_body(&parts, &header, told);
    if (status == NV_OK)
        nv_changeset_join(&parts, &joined);
    if (joined.failed)
        status = NV_NO_MEMORY;
    nv_buffer_done(&scratch);
    nv_buffer_done(&joined);
    return status;
}

/* Reads every op and writes it again. */
static enum nv_status copy_ops(struct nv_buffer *told)
{
    struct nv_arena arena = {.limit = ARENA};
    struct nv_op *op = malloc(sizeof *op);
    struct nv_error error;
    enum nv_status status = op == NULL ? NV_NO_MEMORY : NV_OK;
    for (size_t i = 0; status == NV_OK && i < packed.op_count; i++) {
        struct nv_buffer bytes = {0};
        nv_arena_reset(&arena);
        status = nv_op_decode(packed.ops[i], &arena, op, &error);
        if (status == NV_OK)
            nv_op_encode(op, &bytes);
        enum nv_status written = nv_probe_tell(told, &bytes);
        status = status == NV_OK ? written : status;
    }
    nv_arena_done(&arena);
    free(op);
    return status;
}

/* ---- the authority's ops ---- */

static const struct nv_wall_ms now = {1767600000000};
static const char *const endpoints[] = {"tcp://hub.example:7420", "tcp://192.0.2.7:7420"};

static const struct nv_scope_id group = {{9}};
static const struct nv_far_head cuts[] = {{.site = {{1}}, .epoch = 3, .scope = {{9}}, .seq = 12},
                                          {.site = {{1}}, .epoch = 4, .scope = {{9}}, .seq = 1}};

static struct nv_certificate certificate(void)
{
    return (struct nv_certificate){.site = {{1}},
                                   .name = "école",
                                   .sign_key = sample_key(3).public_key,
                                   .curve_key = sample_key(4).public_key,
                                   .recovery_key = sample_key(5).public_key,
                                   .role = NV_ROLE_HUB,
                                   .endpoint_count = 2,
                                   .endpoints = endpoints,
                                   .not_after = now,
                                   .reader = true,
                                   .anew = true,
                                   .cut_count = 2,
                                   .cuts = cuts};
}

static enum nv_status copy_genesis(struct nv_buffer *told)
{
    struct nv_arena arena = {.limit = ARENA};
    struct nv_buffer bytes = {0}, again = {0};
    struct nv_genesis genesis = {"network", sample_key(1).public_key, sample_key(2).public_key};
    struct nv_error error;
    nv_genesis_encode(&genesis, now, &bytes);
    enum nv_status status =
        bytes.failed ? NV_NO_MEMORY : nv_genesis_decode(nv_buffer_slice(&bytes), &arena, &genesis, &error);
    if (status == NV_OK)
        nv_genesis_encode(&genesis, now, &again);
    nv_buffer_done(&bytes);
    nv_arena_done(&arena);
    enum nv_status written = nv_probe_tell(told, &again);
    return status == NV_OK ? written : status;
}

static enum nv_status copy_certificate(struct nv_buffer *told)
{
    struct nv_arena arena = {.limit = ARENA};
    struct nv_buffer bytes = {0}, again = {0};
    struct nv_certificate wanted = certificate();
    struct nv_error error;
    nv_certificate_encode(&wanted, now, &bytes);
    enum nv_status status =
        bytes.failed ? NV_NO_MEMORY : nv_certificate_decode(nv_buffer_slice(&bytes), &arena, &wanted, &error);
    if (status == NV_OK)
        nv_certificate_encode(&wanted, now, &again);
    nv_buffer_done(&bytes);
    nv_arena_done(&arena);
    enum nv_status written = nv_probe_tell(told, &again);
    return status == NV_OK ? written : status;
}

static enum nv_status copy_removal(struct nv_buffer *told)
{
    struct nv_arena arena = {.limit = ARENA};
    struct nv_buffer bytes = {0}, again = {0};
    struct nv_removal_op removal = {group, {{1}}, 2, cuts};
    struct nv_error error;
    nv_removal_encode(&removal, now, &bytes);
    enum nv_status status =
        bytes.failed ? NV_NO_MEMORY : nv_removal_decode(nv_buffer_slice(&bytes), &arena, &removal, &error);
    if (status == NV_OK)
        nv_removal_encode(&removal, now, &again);
    nv_buffer_done(&bytes);
    nv_arena_done(&arena);
    enum nv_status written = nv_probe_tell(told, &again);
    return status == NV_OK ? written : status;
}

static enum nv_status copy_revocation(struct nv_buffer *told)
{
    struct nv_arena arena = {.limit = ARENA};
    struct nv_buffer bytes = {0}, again = {0};
    struct nv_revocation_op revocation = {{{1}}, 2, cuts};
    struct nv_error error;
    nv_revocation_encode(&revocation, now, &bytes);
    enum nv_status status =
        bytes.failed ? NV_NO_MEMORY : nv_revocation_decode(nv_buffer_slice(&bytes), &arena, &revocation, &error);
    if (status == NV_OK)
        nv_revocation_encode(&revocation, now, &again);
    nv_buffer_done(&bytes);
    nv_arena_done(&arena);
    enum nv_status written = nv_probe_tell(told, &again);
    return status == NV_OK ? written : status;
}

static enum nv_status copy_group_and_reader(struct nv_buffer *told)
{
    struct nv_arena arena = {.limit = ARENA};
    struct nv_buffer bytes = {0}, again = {0};
    struct nv_group_op made = {.name = "nord"};
    struct nv_reader_op reader = {group, {{1}}};
    struct nv_error error;
    nv_group_encode(&made, now, &bytes);
    enum nv_status status =
        bytes.failed ? NV_NO_MEMORY : nv_group_decode(nv_buffer_slice(&bytes), &arena, &made, &error);
    if (status == NV_OK)
        nv_group_encode(&made, now, &again);
    nv_buffer_done(&bytes);
    if (status == NV_OK)
        nv_reader_encode(&reader, now, &bytes);
    if (status == NV_OK)
        status = bytes.failed ? NV_NO_MEMORY : nv_reader_decode(nv_buffer_slice(&bytes), &arena, &reader, &error);
    if (status == NV_OK)
        nv_reader_encode(&reader, now, &again);
    nv_buffer_done(&bytes);
    nv_arena_done(&arena);
    enum nv_status written = nv_probe_tell(told, &again);
    return status == NV_OK ? written : status;
}

static enum nv_status copy_schema(struct nv_buffer *told)
{
    static const struct nv_schema_column columns[] = {{0, "name", NV_RULE_LAST, false, "nom", "name"},
                                                      {1, "seen", NV_RULE_MAX, true, NULL, NULL}};
    static const struct nv_schema_table tables[] = {{1, "item", "network", "scope", 2, columns},
                                                    {2, "pair", "network", "scope", 1, columns}};
    static const char *const statements[] = {"CREATE TABLE item(id TEXT)", "CREATE VIEW v AS SELECT 1"};
    struct nv_schema_op schema = {2, statements, 2, tables};
    struct nv_arena arena = {.limit = ARENA};
    struct nv_buffer bytes = {0}, again = {0};
    struct nv_error error;
    nv_schema_encode(&schema, now, &bytes);
    enum nv_status status =
        bytes.failed ? NV_NO_MEMORY : nv_schema_decode(nv_buffer_slice(&bytes), &arena, &schema, &error);
    if (status == NV_OK)
        nv_schema_encode(&schema, now, &again);
    nv_buffer_done(&bytes);
    nv_arena_done(&arena);
    enum nv_status written = nv_probe_tell(told, &again);
    return status == NV_OK ? written : status;
}

/* ---- joining ---- */

static enum nv_status copy_invitation(struct nv_buffer *told)
{
    struct nv_invitation invitation = {.number = 7, .endpoint = "tcp://127.0.0.1:7421", .expires = now};
    char text[1024];
    struct nv_error error;
    enum nv_status status = nv_invitation_write(&invitation, text, sizeof text);
    if (status == NV_OK)
        status = nv_invitation_read(text, &invitation, &error);
    if (status == NV_OK)
        nv_buffer_append(told, &invitation, sizeof invitation);
    return status;
}

static enum nv_status ask_to_join(struct nv_buffer *told)
{
    static const uint8_t secret[32] = {9};
    struct nv_arena arena = {.limit = ARENA};
    struct nv_buffer bytes = {0};
    struct nv_enrol_request request;
    struct nv_sign_key key = sample_key(3);
    struct nv_certificate wanted = certificate();
    struct nv_error error;
    nv_enrol_request_encode(&wanted, 7, secret, &key, &bytes);
    enum nv_status status =
        bytes.failed ? NV_NO_MEMORY : nv_enrol_request_decode(nv_buffer_slice(&bytes), &arena, &request, &error);
    if (status == NV_OK)
        nv_buffer_append(told, request.proof, sizeof request.proof);
    nv_buffer_done(&bytes);
    nv_arena_done(&arena);
    return status;
}

static enum nv_status answer(struct nv_buffer *told)
{
    struct nv_arena arena = {.limit = ARENA};
    struct nv_buffer bytes = {0};
    struct nv_enrol_reply reply;
    static const uint8_t recovered[NV_RECOVERED_KEY_BYTES] = {4};
    struct nv_slice authority[] = {nv_buffer_slice(&packed.bytes), nv_buffer_slice(&plain.bytes)};
    struct nv_slice keys[] = {{recovered, sizeof recovered}};
    struct nv_enrol_reply welcome = {true, "welcome", authority, 2, keys, 1};
    struct nv_error error;
    nv_enrol_reply_encode(&welcome, &bytes);
    enum nv_status status =
        bytes.failed ? NV_NO_MEMORY : nv_enrol_reply_decode(nv_buffer_slice(&bytes), &arena, &reply, &error);
    if (status == NV_OK)
        nv_buffer_append(told, reply.authority[1].data, reply.authority[1].size);
    nv_buffer_done(&bytes);
    nv_arena_done(&arena);
    return status;
}

/* ---- messages ---- */

static enum nv_status copy_message(const struct nv_message *message, struct nv_buffer *told)
{
    struct nv_arena arena = {.limit = ARENA};
    struct nv_buffer bytes = {0}, again = {0};
    struct nv_message copy;
    struct nv_error error;
    nv_message_encode(message, &bytes);
    enum nv_status status =
        bytes.failed ? NV_NO_MEMORY : nv_message_decode(nv_buffer_slice(&bytes), &arena, &copy, &error);
    if (status == NV_OK)
        nv_message_encode(&copy, &again);
    nv_buffer_done(&bytes);
    nv_arena_done(&arena);
    enum nv_status written = nv_probe_tell(told, &again);
    return status == NV_OK ? written : status;
}

static enum nv_status copy_messages(struct nv_buffer *told)
{
    struct nv_far_head heads[] = {{{{1}}, 1, {{0}}, 4, {{1}}}, {{{2}}, 1, {{0}}, 5, {{2}}}};
    struct nv_slice changesets[] = {nv_buffer_slice(&packed.bytes), nv_buffer_slice(&plain.bytes)};
    const struct nv_message messages[] = {
        {.kind = NV_MESSAGE_HELLO, .hello = {.protocol = NV_PROTOCOL, .site = {{7}}}},
        {.kind = NV_MESSAGE_HAS, .has = {.whole = true, .heads = heads, .head_count = 2}},
        {.kind = NV_MESSAGE_PULL, .pull = {.pull = 5, .has = heads, .has_count = 2, .credit_bytes = 9}},
        {.kind = NV_MESSAGE_BATCH, .batch = {.pull = 5, .changesets = changesets, .changeset_count = 2, .last = true}},
        {.kind = NV_MESSAGE_CREDIT, .credit = {.pull = 5, .bytes = 9}},
        {.kind = NV_MESSAGE_PING, .ping = {.reply = true}},
        {.kind = NV_MESSAGE_REFUSAL, .refusal = {.reason = NV_REFUSAL_CHANGESET, .text = "no"}},
    };
    enum nv_status status = NV_OK;
    for (size_t i = 0; status == NV_OK && i < sizeof messages / sizeof *messages; i++)
        status = copy_message(&messages[i], told);
    return status;
}

/* ---- settings ---- */

static char home[64];

static enum nv_status read_settings(struct nv_buffer *told)
{
    struct nv_config config;
    struct nv_error error;
    enum nv_status status = nv_config_read(home, &config, &error);
    if (status != NV_OK)
        return status;
    for (size_t i = 0; i < config.peer_count; i++) {
        nv_buffer_append(told, config.peers[i].name, strlen(config.peers[i].name));
        nv_buffer_append(told, config.peers[i].endpoint, strlen(config.peers[i].endpoint));
    }
    nv_config_done(&config);
    return NV_OK;
}

static void remove_home(void)
{
    char path[96];
    snprintf(path, sizeof path, "%s/navette.conf", home);
    unlink(path);
    rmdir(home);
}

static void make_home(void)
{
    char path[96];
    snprintf(home, sizeof home, "%s/navette-test-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(home));
    atexit(remove_home);
    snprintf(path, sizeof path, "%s/navette.conf", home);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("listen = tcp://127.0.0.1:7420\n[peers]\nhub = tcp://127.0.0.1:1\nother = tcp://127.0.0.1:2\n", file);
    assert_int_equal(fclose(file), 0);
}

static void make_samples(void)
{
    struct nv_arena arena = {.limit = ARENA};
    static struct nv_buffer body;
    bool which[OPS] = {false, true, true}, compressed;
    struct nv_error error;
    sample_seal(&packed, OPS);
    sample_seal(&plain, 3);
    sample_make_plain(&plain);
    sample_seal(&redacted, OPS);
    assert_int_equal(nv_body_redact(&redacted.parts, &redacted.header, which, &arena, &body, &compressed, &error),
                     NV_OK);
    redacted_body = nv_buffer_slice(&body);
    redacted_copy = redacted.parts;
    redacted.parts.compressed = compressed;
    nv_arena_done(&arena);
}

int main(void)
{
    static const struct nv_probe probes[] = {
        {"a header", read_header},
        {"a signature", verify},
        {"a body, compressed", open_packed},
        {"a body, plain", open_plain},
        {"a body of which some was let go", open_redacted},
        {"letting ops go", redact},
        {"filling in ops", fill},
        {"sealing", seal},
        {"ops", copy_ops},
        {"a genesis", copy_genesis},
        {"a certificate", copy_certificate},
        {"a removal", copy_removal},
        {"a revocation", copy_revocation},
        {"a group and a reader of it", copy_group_and_reader},
        {"a schema", copy_schema},
        {"an invitation", copy_invitation},
        {"a request to join", ask_to_join},
        {"an answer to it", answer},
        {"messages", copy_messages},
        {"settings", read_settings},
    };
    struct nv_error error;
    setenv("NAVETTE_TEST_SEED", "1", 0);
    if (nv_wire_start(&error) != NV_OK)
        return 1;
    make_samples();
    make_home();
    return nv_probe_run("memory, wire", probes, sizeof probes / sizeof *probes);
}
