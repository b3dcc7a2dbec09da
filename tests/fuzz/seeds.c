/* Writes the corpora that come from our own encoders: seeds FOLDER
 *
 * FOLDER/TARGET gets files whose names begin with "seed-". The others there have other names, and stay. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "messages.h"
#include "wire/authority.h"
#include "wire/compress.h"
#include "wire/form.h"
#include "wire/recovery.h"

enum { PATH_BYTES = 512, SCRIPTS = 6, SCRIPT_BYTES = 160 };

static const char *root;

/* One file: the byte that says what the rest is (none where it is negative), and the rest. */
static void keep(const char *target, const char *name, int first, const void *bytes, size_t size)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", root, target);
    mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/%s/seed-%s", root, target, name);
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    if (first >= 0)
        fputc(first, file);
    fwrite(bytes, 1, size, file);
    fclose(file);
}

static void keep_buffer(const char *target, const char *name, int first, struct nv_buffer *buffer)
{
    assert(!buffer->failed);
    keep(target, name, first, buffer->data, buffer->size);
    nv_buffer_done(buffer);
}

/* Scripts of dice for a target, and for what the first byte says. */
static void keep_scripts(const char *target, const char *name, int first, size_t size)
{
    for (uint64_t seed = 1; seed <= SCRIPTS; seed++) {
        uint8_t bytes[1024];
        char numbered[64];
        struct nv_dice dice = nv_dice_of(seed);
        assert(size <= sizeof bytes);
        nv_dice_bytes(&dice, bytes, size);
        snprintf(numbered, sizeof numbered, "%s-%d", name, (int)seed);
        keep(target, numbered, first, bytes, size);
    }
}

/* ---- changesets and ops ---- */

static void changesets(struct nv_dice *dice)
{
    struct nv_sign_key writer = nv_fuzz_key(1), authority = nv_fuzz_key(2);
    for (size_t count = 0; count <= 4; count++) {
        struct nv_arena *arena = nv_fuzz_arena();
        struct nv_header header = nv_fuzz_header(dice, arena);
        struct nv_slice ops[4];
        struct nv_op *op = nv_fuzz_alloc(arena, sizeof *op);
        struct nv_buffer encoded[4] = {0}, scratch = {0}, bytes = {0};
        struct nv_changeset_parts parts;
        struct nv_hash hash;
        char name[32];
        for (size_t i = 0; i < count; i++) {
            nv_fuzz_op(dice, arena, op);
            nv_op_encode(op, &encoded[i]);
            ops[i] = nv_buffer_slice(&encoded[i]);
            snprintf(name, sizeof name, "op-%zu-%zu", count, i);
            keep("op", name, 0, ops[i].data, ops[i].size);
        }
        enum nv_status status =
            nv_changeset_seal(&header, ops, count, &writer, &authority.public_key, &scratch, &parts, &hash, NULL);
        assert(status == NV_OK);
        nv_changeset_join(&parts, &bytes);
        snprintf(name, sizeof name, "header-%zu", count);
        keep("changeset", name, 1, parts.header.data, parts.header.size);
        snprintf(name, sizeof name, "body-%zu", count);
        if (!parts.compressed)
            keep("changeset", name, 2, parts.body.data, parts.body.size);
        else
            keep("message", "frame", 5, parts.body.data, parts.body.size);
        snprintf(name, sizeof name, "whole-%zu", count);
        keep_buffer("changeset", name, 0, &bytes);
        nv_buffer_done(&scratch);
        for (size_t i = 0; i < count; i++)
            nv_buffer_done(&encoded[i]);
    }
}

static void key_ops(struct nv_dice *dice)
{
    for (size_t i = 0; i < 4; i++) {
        struct nv_buffer bytes = {0};
        char name[32];
        nv_fuzz_key_op(dice, &bytes);
        snprintf(name, sizeof name, "key-op-%zu", i);
        keep_buffer("op", name, 0, &bytes);
    }
}

/* The header stands twice in front of the other parts. */
static void part_twice(struct nv_dice *dice)
{
    struct nv_sign_key writer = nv_fuzz_key(1), authority = nv_fuzz_key(2);
    struct nv_header header = nv_fuzz_header(dice, nv_fuzz_arena());
    struct nv_changeset_parts parts;
    struct nv_hash hash;
    struct nv_buffer scratch = {0}, bytes = {0};
    enum nv_status status =
        nv_changeset_seal(&header, NULL, 0, &writer, &authority.public_key, &scratch, &parts, &hash, NULL);
    assert(status == NV_OK);
    nv_append_bytes_field(&bytes, 1, parts.header);
    nv_changeset_join(&parts, &bytes);
    keep_buffer("changeset", "part-twice", 0, &bytes);
    nv_buffer_done(&scratch);
}

static void values(struct nv_dice *dice)
{
    struct nv_buffer bytes = {0};
    for (size_t i = 0; i < 12; i++) {
        uint8_t room[NV_DICE_VALUE_BYTES];
        struct nv_value value = nv_dice_value(dice, room);
        nv_value_encode(&bytes, &value);
    }
    keep_buffer("op", "values", 2, &bytes);
    static const uint8_t not_a_number[] = {NV_REAL, 1, 0, 0, 0, 0, 0, 0xf8, 0x7f, NV_NULL};
    keep("op", "values-no-number", 2, not_a_number, sizeof not_a_number);
}

/* ---- the authority log ---- */

static void authority_ops(void)
{
    static const char *const endpoints[] = {"tcp://hub.example:7420"};
    static const char *const statements[] = {"CREATE TABLE t(id TEXT NOT NULL PRIMARY KEY, a INT)"};
    static const struct nv_schema_column columns[] = {
        {.field = 0, .name = "a", .rule = NV_RULE_MAX, .quiet = true, .label_fr = "un", .label_en = "one"}};
    static const struct nv_schema_table tables[] = {
        {.number = 1, .name = "t", .scope = "network", .writers = "scope", .column_count = 1, .columns = columns}};
    struct nv_wall_ms time = {1767600000000};
    struct nv_genesis genesis = {"network", nv_fuzz_key(1).public_key, nv_fuzz_key(2).public_key};
    struct nv_certificate certificate = {.name = "pantin",
                                         .sign_key = nv_fuzz_key(3).public_key,
                                         .curve_key = nv_fuzz_key(4).public_key,
                                         .recovery_key = nv_fuzz_key(5).public_key,
                                         .role = NV_ROLE_SITE,
                                         .endpoint_count = 1,
                                         .endpoints = endpoints,
                                         .not_before = time};
    struct nv_schema_op schema = {1, statements, 1, tables};
    struct nv_buffer bytes = {0};
    nv_genesis_encode(&genesis, time, &bytes);
    keep_buffer("authority", "genesis", 0, &bytes);
    genesis.network = "net\nwork";
    nv_genesis_encode(&genesis, time, &bytes);
    keep_buffer("authority", "genesis-of-two-lines", 0, &bytes);
    nv_certificate_encode(&certificate, time, &bytes);
    keep_buffer("authority", "certificate", 1, &bytes);
    nv_schema_encode(&schema, time, &bytes);
    keep_buffer("authority", "schema", 2, &bytes);
}

/* Those that give and take rights. The fuzzer of ops reads them too. */
static void rights_ops(void)
{
    static const struct nv_site_id site = {{7}};
    static const struct nv_scope_id scope = {{9}};
    const struct nv_far_head cuts[] = {{.site = site, .epoch = 3, .scope = NV_SCOPE_NETWORK, .seq = 12},
                                       {.site = site, .epoch = 1, .scope = scope, .seq = 1},
                                       {.site = site, .epoch = 2, .scope = scope, .seq = 400}};
    struct nv_wall_ms time = {1767600000000};
    struct nv_certificate certificate = {.site = site,
                                         .name = "hub",
                                         .sign_key = nv_fuzz_key(3).public_key,
                                         .curve_key = nv_fuzz_key(4).public_key,
                                         .role = NV_ROLE_HUB,
                                         .reader = true,
                                         .anew = true,
                                         .cut_count = 3,
                                         .cuts = cuts};
    struct nv_buffer bytes = {0};
    nv_certificate_encode(&certificate, time, &bytes);
    keep_buffer("authority", "certificate-anew", 1, &bytes);
    nv_group_encode(&(struct nv_group_op){.name = "nord"}, time, &bytes);
    keep("op", "group", 0, bytes.data, bytes.size);
    keep_buffer("authority", "group", 4, &bytes);
    nv_reader_encode(&(struct nv_reader_op){scope, site}, time, &bytes);
    keep("op", "reader", 0, bytes.data, bytes.size);
    keep_buffer("authority", "reader", 5, &bytes);
    nv_removal_encode(&(struct nv_removal_op){scope, site, 2, cuts + 1}, time, &bytes);
    keep("op", "removal", 0, bytes.data, bytes.size);
    keep_buffer("authority", "removal", 6, &bytes);
    nv_revocation_encode(&(struct nv_revocation_op){site, 3, cuts}, time, &bytes);
    keep("op", "revocation", 0, bytes.data, bytes.size);
    keep_buffer("authority", "revocation", 7, &bytes);
}

/* ---- messages ---- */

static void messages(struct nv_dice *dice)
{
    for (size_t i = 0; i < 16; i++) {
        struct nv_message message;
        struct nv_buffer bytes = {0};
        char name[32];
        nv_fuzz_message(dice, nv_fuzz_arena(), &message);
        nv_message_encode(&message, &bytes);
        snprintf(name, sizeof name, "message-%zu", i);
        keep_buffer("message", name, 0, &bytes);
    }
}

/* What the other side must not take. */
static void bad_messages(void)
{
    struct nv_far_head heads[] = {{.epoch = 2, .seq = 1}, {.epoch = 1, .seq = 1}};
    struct nv_message message = {.kind = NV_MESSAGE_HAS};
    struct nv_buffer bytes = {0};
    message.has.heads = heads;
    message.has.head_count = 2;
    nv_message_encode(&message, &bytes);
    keep_buffer("message", "heads-not-in-order", 0, &bytes);
    message = (struct nv_message){.kind = NV_MESSAGE_REFUSAL};
    snprintf(message.refusal.text, sizeof message.refusal.text, "\x1b[2J");
    nv_message_encode(&message, &bytes);
    keep_buffer("message", "text-that-moves-the-cursor", 0, &bytes);
}

static void enrolment(void)
{
    static const char *const endpoints[] = {"tcp://127.0.0.1:7420"};
    static const uint8_t secret[32] = {7}, log[] = {1, 2, 3}, recovered[NV_RECOVERED_KEY_BYTES] = {4};
    struct nv_slice changesets_of_log[] = {{log, 1}, {log, 3}}, keys[] = {{recovered, sizeof recovered}};
    struct nv_enrol_reply admitted = {true, "", changesets_of_log, 2, keys, 1};
    struct nv_enrol_reply refused = {.text = "the invitation has expired\nask for another"};
    struct nv_invitation invitation = {.number = 6};
    struct nv_curve_key recovery;
    struct nv_error error;
    struct nv_sign_key key = nv_fuzz_key(1);
    struct nv_certificate wanted = {
        .name = "pantin", .sign_key = key.public_key, .endpoint_count = 1, .endpoints = endpoints};
    struct nv_buffer bytes = {0};
    nv_enrol_request_encode(&wanted, 5, secret, &key, &bytes);
    keep_buffer("message", "request", 2, &bytes);
    bool has_key = nv_recovery_read("0707070707070707070707070707070707070707070707070707070707070707", &recovery,
                                    &error) == NV_OK;
    invitation.hub_curve_key = recovery.public_key;
    if (has_key && nv_enrol_recovery_encode(&wanted, &invitation, &key, &recovery, &bytes, &error) == NV_OK)
        keep_buffer("message", "recovering", 2, &bytes);
    nv_enrol_reply_encode(&admitted, &bytes);
    keep_buffer("message", "reply", 4, &bytes);
    nv_enrol_reply_encode(&refused, &bytes);
    keep_buffer("message", "refused", 4, &bytes);
}

static void frames(void)
{
    struct nv_buffer bytes = {0};
    for (size_t i = 0; i < 60; i++)
        nv_buffer_append(&bytes, "jobseeker", 1 + i % 9);
    bool is_smaller = nv_compress(&bytes, 0);
    assert(is_smaller);
    keep_buffer("message", "frame-of-text", 5, &bytes);
}

/* ---- what people write ---- */

static void keep_text(const char *target, const char *name, int first, const char *text)
{
    keep(target, name, first, text, strlen(text));
}

static void texts(void)
{
    struct nv_invitation invitation = {.number = 7,
                                       .endpoint = "tcp://hub.example:7421",
                                       .hub_curve_key = nv_fuzz_key(1).public_key,
                                       .authority_key = nv_fuzz_key(2).public_key,
                                       .secret = {3},
                                       .expires = {1767600000000}};
    char text[1024];
    enum nv_status status = nv_invitation_write(&invitation, text, sizeof text);
    assert(status == NV_OK);
    keep_text("text", "invitation", 0, text);
    keep_text("text", "settings", 2,
              "; a hub\nlisten = tcp://0.0.0.0:7420\nenrol = tcp://0.0.0.0:7421 ; for new ones\n[peers]\n"
              "pantin = tcp://192.0.2.7:7420\n[site]\nname = hub\n");
    keep_text("text", "settings-net", 2, "[net]\nadvertise = tcp://hub.example:7420\nlisten =\n");
    keep_text("text", "settings-hubs", 2, "hub-reads = hub\nhub-reads = other\n[net]\nhub-reads =\n");
    keep_text("text", "settings-unknown", 2, "[net]\nlisen = tcp://hub.example:7420\n");
    /* Before a key's text: how many columns, and of each its type and whether it is strict. */
    keep("text", "key", 3,
         "\0\0\x63"
         "35600000000048",
         3 + 14);
    keep("text", "key-of-two", 3,
         "\1\0\x63\2\x63"
         "a\\/b/-12",
         5 + 8);
    keep("text", "key-in-hexadecimal", 3, "\0\1\x63x'00ff'", 3 + 7);
    keep("text", "key-of-a-number", 3, "\0\1\x63n'12'", 3 + 5);
    keep("text", "key-escaped", 3, "\1\0\x63\0\x63\\t'61'/t'0a'", 5 + 13);
}

/* ---- schemas ---- */

#define NETWORK "INSERT INTO navette_table(name, scope) VALUES ('t', 'network');"
#define KEY "id TEXT NOT NULL PRIMARY KEY"

static const char *const schemas[] = {
    "CREATE TABLE t(" KEY ", a TEXT, b INT DEFAULT 3 CHECK (b > 1), c REAL, d ANY) STRICT;" NETWORK,
    "CREATE TABLE t(" KEY ", a BLOB, b, c NUMERIC DEFAULT (1 + 2));" NETWORK
    "INSERT INTO navette_column(table_name, name, rule, quiet) VALUES ('t', 'b', 'min', 1);",
    "CREATE TABLE t(a INT NOT NULL, b BLOB NOT NULL, c VARCHAR(9) CHECK (length(c) < 3 OR c LIKE 'x%'), "
    "PRIMARY KEY (a, b)) WITHOUT ROWID;" NETWORK,
    "CREATE TABLE t(" KEY ", a TEXT CHECK (a IN ('x', 'y') OR a IS NULL), b CHECK (typeof(b) <> 'real'));" NETWORK
    "CREATE INDEX i ON t(a, lower(b)); CREATE VIEW v AS SELECT a, count(*) FROM t GROUP BY 1;",
    "CREATE TABLE t(" KEY ", \"a \"\"b\" DEFAULT 'it''s', [c d] DATE, `e` TEXT COLLATE NOCASE);" NETWORK,
    "ALTER TABLE learner ADD COLUMN more TEXT DEFAULT 'x' CHECK (more GLOB '[a-z]*'); -- new\n"
    "INSERT INTO navette_column(table_name, name, label_fr) VALUES ('learner', 'more', 'plus');",
    "CREATE TABLE if not exists t(" KEY ", a AS (1), b UNIQUE, c CHECK (c < date('now')));" NETWORK,
    "CREATE TABLE t(" KEY
    ", a INT DEFAULT 9223372036854775807 CHECK (abs(a) >= 0 AND a BETWEEN -9 AND +1e99));" NETWORK,
    "CREATE UNIQUE INDEX u ON visit(hours) /* two */ ; CREATE VIEW long_visit AS SELECT 1;",
    "CREATE TABLE t(" KEY ", a CHECK (CASE a WHEN 1 THEN 0 ELSE a END), CONSTRAINT c CHECK (coalesce(a, 1)), "
    "FOREIGN KEY (a) REFERENCES learner(id) ON DELETE CASCADE);" NETWORK,
    "CREATE TRIGGER x AFTER INSERT ON learner BEGIN DELETE FROM visit; END; ATTACH 'x.db' AS x;",
    "CREATE TABLE t(" KEY ", a, -- not the end\r b,\n c /* , d */, e \f, 'f g' TEXT DEFAULT 0x1F);" NETWORK,
};

/* Each of these the authorizer must stop by itself. */
static const char *const forbidden[] = {
    "CREATE TRIGGER x AFTER INSERT ON learner BEGIN DELETE FROM learner; END",
    "CREATE VIRTUAL TABLE x USING fts5(a)",
    "CREATE TEMP TABLE x(a)",
    "CREATE TEMP VIEW x AS SELECT 1",
    "CREATE TABLE temp.x(a)",
    "CREATE TABLE navette_x(a)",
    "DROP TABLE learner",
    "DROP TABLE navette_own",
    "ALTER TABLE navette_own ADD COLUMN b",
    "ATTACH ':memory:' AS x",
    "COMMIT",
    "PRAGMA user_version = 7",
    "DELETE FROM navette_own",
    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c",
};

static void schema_files(void)
{
    char name[64];
    for (size_t i = 0; i < sizeof schemas / sizeof schemas[0]; i++) {
        /* What reads them one by one, what applies them, and (behind a byte of dice) what takes them as an op. */
        static const char taken[] = {0};
        struct nv_buffer bytes = {0};
        snprintf(name, sizeof name, "read-%zu", i);
        keep_text("schema", name, 0, schemas[i]);
        if (i % 3 == 2) {
            snprintf(name, sizeof name, "apply-%zu", i);
            keep_text("schema", name, 2, schemas[i]);
        }
        nv_buffer_append(&bytes, taken, sizeof taken);
        nv_buffer_append(&bytes, schemas[i], strlen(schemas[i]));
        snprintf(name, sizeof name, "take-%zu", i);
        keep_buffer("schema", name, i == 5 || i == 8 ? 5 : 3, &bytes);
    }
    for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++) {
        snprintf(name, sizeof name, "forbidden-%zu", i);
        keep_text("schema", name, 4, forbidden[i]);
    }
}

int main(int count, char **arguments)
{
    if (count != 2) {
        fprintf(stderr, "usage: %s FOLDER\n", arguments[0]);
        return 2;
    }
    root = arguments[1];
    nv_fuzz_start();
    struct nv_dice dice = nv_dice_of(1);
    changesets(&dice);
    key_ops(&dice);
    part_twice(&dice);
    values(&dice);
    authority_ops();
    rights_ops();
    messages(&dice);
    bad_messages();
    enrolment();
    frames();
    texts();
    schema_files();
    keep_scripts("changeset", "sealed", 3, SCRIPT_BYTES);
    keep_scripts("op", "built", 1, SCRIPT_BYTES);
    keep_scripts("op", "choice", 3, SCRIPT_BYTES);
    keep_scripts("op", "heads", 4, SCRIPT_BYTES / 2);
    keep_scripts("op", "keys", 5, SCRIPT_BYTES / 2);
    keep_scripts("op", "boxes", 6, SCRIPT_BYTES * 2);
    keep_scripts("authority", "built", 3, SCRIPT_BYTES);
    keep_scripts("message", "built", 1, SCRIPT_BYTES / 2);
    keep_scripts("message", "asked", 3, SCRIPT_BYTES / 4);
    keep_scripts("message", "pressed", 6, SCRIPT_BYTES / 2);
    keep_scripts("text", "invited", 1, SCRIPT_BYTES / 2);
    keep_scripts("text", "named", 4, SCRIPT_BYTES / 2);
    keep_scripts("sync", "session", -1, 600);
    keep_scripts("merge", "schedule", -1, 300);
    return 0;
}
