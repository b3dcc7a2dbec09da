/* Ops of the authority log: genesis, certificate, schema, and those that give and take rights. */
#include <assert.h>

#include "core/heads.h"
#include "parts.h"
#include "target.h"
#include "wire/authority.h"

enum { LIST_MAX = 4, CUTS_MAX = 6 };

/* What is shown to people moves no cursor. */
static bool is_plain(const char *text)
{
    for (; *text != '\0'; text++)
        if ((uint8_t)*text < 0x20 || *text == 0x7f)
            return false;
    return true;
}

/* What ops say of cuts is what a sender may say: heads of logs of that site, each once. */
static void check_cuts(const struct nv_far_head *cuts, size_t count, struct nv_site_id site)
{
    assert(count <= NV_LIMIT_CUTS && nv_heads_ascend(cuts, count));
    for (size_t i = 0; i < count; i++)
        assert(nv_site_id_compare(cuts[i].site, site) == 0 && !nv_scope_id_equal(cuts[i].scope, NV_SCOPE_AUTHORITY));
}

static enum nv_status again_certificate(struct nv_slice bytes, struct nv_arena *arena, struct nv_wall_ms time,
                                        struct nv_buffer *again)
{
    struct nv_certificate certificate;
    enum nv_status status = nv_certificate_decode(bytes, arena, &certificate, NULL);
    if (status != NV_OK)
        return status;
    check_cuts(certificate.cuts, certificate.cut_count, certificate.site);
    assert(certificate.anew || certificate.cut_count == 0);
    nv_certificate_encode(&certificate, time, again);
    return NV_OK;
}

static enum nv_status again_removal(struct nv_slice bytes, struct nv_arena *arena, struct nv_wall_ms time,
                                    struct nv_buffer *again)
{
    struct nv_removal_op removal;
    enum nv_status status = nv_removal_decode(bytes, arena, &removal, NULL);
    if (status != NV_OK)
        return status;
    check_cuts(removal.cuts, removal.cut_count, removal.site);
    for (size_t i = 0; i < removal.cut_count; i++)
        assert(nv_scope_id_equal(removal.cuts[i].scope, removal.scope));
    nv_removal_encode(&removal, time, again);
    return NV_OK;
}

static enum nv_status again_revocation(struct nv_slice bytes, struct nv_arena *arena, struct nv_wall_ms time,
                                       struct nv_buffer *again)
{
    struct nv_revocation_op revocation;
    enum nv_status status = nv_revocation_decode(bytes, arena, &revocation, NULL);
    if (status != NV_OK)
        return status;
    check_cuts(revocation.cuts, revocation.cut_count, revocation.site);
    nv_revocation_encode(&revocation, time, again);
    return NV_OK;
}

/* Decodes an op of that kind; where it is taken, encodes it anew. */
static enum nv_status take_kind(enum nv_op_kind kind, struct nv_slice bytes, struct nv_arena *arena,
                                struct nv_wall_ms time, struct nv_buffer *again)
{
    struct nv_genesis genesis;
    struct nv_schema_op schema;
    struct nv_group_op group;
    struct nv_reader_op reader;
    enum nv_status status = NV_REFUSED;
    if (kind == NV_OP_GENESIS && (status = nv_genesis_decode(bytes, arena, &genesis, NULL)) == NV_OK) {
        assert(is_plain(genesis.network));
        nv_genesis_encode(&genesis, time, again);
    }
    if (kind == NV_OP_SCHEMA && (status = nv_schema_decode(bytes, arena, &schema, NULL)) == NV_OK)
        nv_schema_encode(&schema, time, again);
    if (kind == NV_OP_GROUP && (status = nv_group_decode(bytes, arena, &group, NULL)) == NV_OK) {
        assert(is_plain(group.name));
        nv_group_encode(&group, time, again);
    }
    if (kind == NV_OP_READER && (status = nv_reader_decode(bytes, arena, &reader, NULL)) == NV_OK)
        nv_reader_encode(&reader, time, again);
    if (kind == NV_OP_CERTIFICATE)
        status = again_certificate(bytes, arena, time, again);
    if (kind == NV_OP_REMOVAL)
        status = again_removal(bytes, arena, time, again);
    if (kind == NV_OP_REVOCATION)
        status = again_revocation(bytes, arena, time, again);
    return status;
}

/* Whatever is taken has one form: encoded anew, it is the same bytes. */
static bool take(enum nv_op_kind kind, struct nv_slice bytes)
{
    struct nv_arena *arena = nv_fuzz_arena();
    struct nv_op *op = nv_fuzz_alloc(arena, sizeof *op);
    struct nv_buffer again = {0};
    if (nv_op_decode(bytes, arena, op, NULL) != NV_OK || op->kind != kind)
        return false;
    bool is_taken = take_kind(kind, bytes, arena, op->time, &again) == NV_OK;
    assert(!is_taken || nv_slice_equal(nv_buffer_slice(&again), bytes));
    nv_buffer_done(&again);
    return is_taken;
}

/* ---- what keeps to the protocol, then a bit of it turned ---- */

static struct nv_public_key some_key(struct nv_dice *dice)
{
    struct nv_public_key key = {{0}};
    nv_dice_bytes(dice, key.bytes, 1);
    return key;
}

static const char *some_name(struct nv_dice *dice, struct nv_arena *arena)
{
    const char *name = nv_fuzz_text(dice, arena, NV_LIMIT_NAME, true);
    return name[0] == '\0' ? "name" : name;
}

static void build_genesis(struct nv_dice *dice, struct nv_arena *arena, struct nv_wall_ms time,
                          struct nv_buffer *ret_bytes)
{
    struct nv_genesis genesis = {some_name(dice, arena), some_key(dice), some_key(dice)};
    nv_genesis_encode(&genesis, time, ret_bytes);
}

/* Heads of that site's logs; `scope` NULL: of several scopes. */
static const struct nv_far_head *some_cuts(struct nv_dice *dice, struct nv_arena *arena, struct nv_site_id site,
                                           const struct nv_scope_id *scope, size_t *ret_count)
{
    size_t count = nv_dice_below(dice, CUTS_MAX + 1);
    struct nv_far_head *cuts = nv_fuzz_alloc(arena, count * sizeof *cuts + 1);
    for (size_t i = 0; i < count; i++) {
        cuts[i] = (struct nv_far_head){.site = site, .epoch = i, .seq = nv_fuzz_number(dice)};
        cuts[i].seq += cuts[i].seq == 0;
        if (scope != NULL)
            cuts[i].scope = *scope;
        else
            cuts[i].scope.bytes[1] = (uint8_t)(1 + i / 3);
        nv_dice_bytes(dice, cuts[i].pin.bytes, 1);
    }
    *ret_count = count;
    return cuts;
}

static void build_certificate(struct nv_dice *dice, struct nv_arena *arena, struct nv_wall_ms time,
                              struct nv_buffer *ret_bytes)
{
    const char *endpoints[NV_LIMIT_ENDPOINTS];
    struct nv_certificate certificate = {.name = some_name(dice, arena),
                                         .sign_key = some_key(dice),
                                         .curve_key = some_key(dice),
                                         .recovery_key = some_key(dice),
                                         .role = nv_dice_percent(dice, 50) ? NV_ROLE_SITE : NV_ROLE_HUB,
                                         .endpoint_count = nv_dice_below(dice, NV_LIMIT_ENDPOINTS + 1),
                                         .endpoints = endpoints,
                                         .not_before.ms = (int64_t)(nv_fuzz_number(dice) % NV_LIMIT_TIME_MS),
                                         .not_after.ms = (int64_t)(nv_fuzz_number(dice) % NV_LIMIT_TIME_MS)};
    nv_dice_bytes(dice, certificate.site.bytes, 2);
    for (size_t i = 0; i < certificate.endpoint_count; i++)
        endpoints[i] = some_name(dice, arena);
    certificate.reader = certificate.role == NV_ROLE_HUB && nv_dice_percent(dice, 50);
    certificate.anew = nv_dice_percent(dice, 50);
    if (certificate.anew)
        certificate.cuts = some_cuts(dice, arena, certificate.site, NULL, &certificate.cut_count);
    nv_certificate_encode(&certificate, time, ret_bytes);
}

static const struct nv_schema_column *some_columns(struct nv_dice *dice, struct nv_arena *arena, size_t *ret_count)
{
    *ret_count = nv_dice_below(dice, LIST_MAX + 1);
    struct nv_schema_column *columns = nv_fuzz_alloc(arena, *ret_count * sizeof *columns + 1);
    for (size_t i = 0; i < *ret_count; i++)
        columns[i] = (struct nv_schema_column){
            .field = (uint32_t)nv_dice_below(dice, NV_LIMIT_FIELDS),
            .name = some_name(dice, arena),
            .rule = (enum nv_rule)nv_dice_below(dice, 4),
            .quiet = nv_dice_percent(dice, 50),
            .label_fr = nv_dice_percent(dice, 50) ? some_name(dice, arena) : NULL,
            .label_en = nv_dice_percent(dice, 50) ? some_name(dice, arena) : NULL,
        };
    return columns;
}

static void build_schema(struct nv_dice *dice, struct nv_arena *arena, struct nv_wall_ms time,
                         struct nv_buffer *ret_bytes)
{
    const char *statements[LIST_MAX];
    struct nv_schema_table tables[LIST_MAX];
    struct nv_schema_op schema = {.statement_count = nv_dice_below(dice, LIST_MAX + 1),
                                  .statements = statements,
                                  .table_count = nv_dice_below(dice, LIST_MAX + 1),
                                  .tables = tables};
    for (size_t i = 0; i < schema.statement_count; i++)
        statements[i] = some_name(dice, arena);
    for (size_t i = 0; i < schema.table_count; i++) {
        tables[i] = (struct nv_schema_table){.number = 1 + (uint32_t)(nv_fuzz_number(dice) % NV_LIMIT_TABLES),
                                             .name = some_name(dice, arena),
                                             .scope = some_name(dice, arena),
                                             .writers = nv_dice_percent(dice, 50) ? "scope" : "home"};
        tables[i].columns = some_columns(dice, arena, &tables[i].column_count);
    }
    nv_schema_encode(&schema, time, ret_bytes);
}

/* An op that gives or takes a right. */
static void build_right(enum nv_op_kind kind, struct nv_dice *dice, struct nv_arena *arena, struct nv_wall_ms time,
                        struct nv_buffer *ret_bytes)
{
    struct nv_site_id site = {{0}};
    struct nv_scope_id scope = {{1}};
    nv_dice_bytes(dice, site.bytes, 2);
    nv_dice_bytes(dice, scope.bytes + 1, 1);
    if (kind == NV_OP_GROUP)
        nv_group_encode(&(struct nv_group_op){.name = some_name(dice, arena)}, time, ret_bytes);
    if (kind == NV_OP_READER)
        nv_reader_encode(&(struct nv_reader_op){scope, site}, time, ret_bytes);
    if (kind == NV_OP_REMOVAL) {
        struct nv_removal_op removal = {.scope = scope, .site = site};
        removal.cuts = some_cuts(dice, arena, site, &scope, &removal.cut_count);
        nv_removal_encode(&removal, time, ret_bytes);
    }
    if (kind == NV_OP_REVOCATION) {
        struct nv_revocation_op revocation = {.site = site};
        revocation.cuts = some_cuts(dice, arena, site, NULL, &revocation.cut_count);
        nv_revocation_encode(&revocation, time, ret_bytes);
    }
}

static const enum nv_op_kind kinds[] = {NV_OP_GENESIS, NV_OP_CERTIFICATE, NV_OP_SCHEMA,    NV_OP_GROUP,
                                        NV_OP_READER,  NV_OP_REMOVAL,     NV_OP_REVOCATION};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static void build(struct nv_dice *dice)
{
    enum nv_op_kind kind = kinds[nv_dice_below(dice, KINDS)];
    struct nv_wall_ms time = {(int64_t)(nv_fuzz_number(dice) % NV_LIMIT_TIME_MS)};
    struct nv_arena *arena = nv_fuzz_arena();
    struct nv_buffer bytes = {0};
    if (kind == NV_OP_GENESIS)
        build_genesis(dice, arena, time, &bytes);
    else if (kind == NV_OP_CERTIFICATE)
        build_certificate(dice, arena, time, &bytes);
    else if (kind == NV_OP_SCHEMA)
        build_schema(dice, arena, time, &bytes);
    else
        build_right(kind, dice, arena, time, &bytes);
    bool is_taken = take(kind, nv_buffer_slice(&bytes));
    assert(is_taken);
    nv_fuzz_flip(dice, bytes.data, bytes.size);
    take(kind, nv_buffer_slice(&bytes));
    nv_buffer_done(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct nv_slice rest = {.data = data + 1, .size = size - 1};
    struct nv_dice dice = nv_dice_scripted(rest);
    nv_fuzz_start();
    size_t which = data[0] % (KINDS + 1);
    if (which == 3)
        build(&dice);
    else
        take(kinds[which < 3 ? which : which - 1], rest);
    return 0;
}
