/* Ops of the authority log: genesis, certificate, schema. */
#include <assert.h>

#include "parts.h"
#include "target.h"
#include "wire/authority.h"

enum { LIST_MAX = 4 };

/* What is shown to people moves no cursor. */
static bool is_plain(const char *text)
{
    for (; *text != '\0'; text++)
        if ((uint8_t)*text < 0x20 || *text == 0x7f)
            return false;
    return true;
}

/* Whatever is taken has one form: encoded anew, it is the same bytes. */
static bool take(enum nv_op_kind kind, struct nv_slice bytes)
{
    struct nv_arena *arena = nv_fuzz_arena();
    struct nv_op *op = nv_fuzz_alloc(arena, sizeof *op);
    struct nv_buffer again = {0};
    struct nv_genesis genesis;
    struct nv_certificate certificate;
    struct nv_schema_op schema;
    if (nv_op_decode(bytes, arena, op, NULL) != NV_OK || op->kind != kind)
        return false;
    bool is_taken = false;
    if (kind == NV_OP_GENESIS && (is_taken = nv_genesis_decode(bytes, arena, &genesis, NULL) == NV_OK))
        nv_genesis_encode(&genesis, op->time, &again);
    if (kind == NV_OP_CERTIFICATE && (is_taken = nv_certificate_decode(bytes, arena, &certificate, NULL) == NV_OK))
        nv_certificate_encode(&certificate, op->time, &again);
    if (kind == NV_OP_SCHEMA && (is_taken = nv_schema_decode(bytes, arena, &schema, NULL) == NV_OK))
        nv_schema_encode(&schema, op->time, &again);
    assert(!is_taken || nv_slice_equal(nv_buffer_slice(&again), bytes));
    assert(!is_taken || kind != NV_OP_GENESIS || is_plain(genesis.network));
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

static void build(struct nv_dice *dice)
{
    static const enum nv_op_kind kinds[] = {NV_OP_GENESIS, NV_OP_CERTIFICATE, NV_OP_SCHEMA};
    enum nv_op_kind kind = kinds[nv_dice_below(dice, 3)];
    struct nv_wall_ms time = {(int64_t)(nv_fuzz_number(dice) % NV_LIMIT_TIME_MS)};
    struct nv_arena *arena = nv_fuzz_arena();
    struct nv_buffer bytes = {0};
    if (kind == NV_OP_GENESIS)
        build_genesis(dice, arena, time, &bytes);
    else if (kind == NV_OP_CERTIFICATE)
        build_certificate(dice, arena, time, &bytes);
    else
        build_schema(dice, arena, time, &bytes);
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
    switch (data[0] % 4) {
    case 0:
        take(NV_OP_GENESIS, rest);
        break;
    case 1:
        take(NV_OP_CERTIFICATE, rest);
        break;
    case 2:
        take(NV_OP_SCHEMA, rest);
        break;
    default:
        build(&dice);
        break;
    }
    return 0;
}
