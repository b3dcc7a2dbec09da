/* Writing ops of the authority log. */
#include "wire/authority.h"
#include "wire/heads.h"

static ProtobufCBinaryData key_binary(const struct nv_public_key *key)
{
    return nv_binary(key->bytes, sizeof key->bytes);
}

static Navette__Op op_of(enum nv_op_kind kind, struct nv_wall_ms time)
{
    Navette__Op op = NAVETTE__OP__INIT;
    op.kind = (uint32_t)kind;
    op.time_ms = time.ms;
    return op;
}

void nv_genesis_encode(const struct nv_genesis *genesis, struct nv_wall_ms time, struct nv_buffer *buffer)
{
    Navette__Genesis wire = NAVETTE__GENESIS__INIT;
    wire.network = (char *)genesis->network;
    wire.authority_key = key_binary(&genesis->authority_key);
    wire.successor_key = key_binary(&genesis->successor_key);
    Navette__Op op = op_of(NV_OP_GENESIS, time);
    op.genesis = &wire;
    nv_pack(&op.base, buffer);
}

/* An op with cuts in it: they are `cuts` where memory was there for them. */
static void pack_with_cuts(const Navette__Op *op, Navette__Head *const *cuts, struct nv_arena *arena,
                           struct nv_buffer *buffer)
{
    if (cuts == NULL)
        buffer->failed = true;
    else
        nv_pack(&op->base, buffer);
    nv_arena_done(arena);
}

static struct nv_arena arena_for_cuts(size_t count)
{
    return (struct nv_arena){.limit = count * (sizeof(Navette__Head) + sizeof(void *)) + 1024};
}

void nv_certificate_encode(const struct nv_certificate *certificate, struct nv_wall_ms time, struct nv_buffer *buffer)
{
    struct nv_arena arena = arena_for_cuts(certificate->cut_count);
    Navette__Certificate wire = NAVETTE__CERTIFICATE__INIT;
    wire.site = nv_binary(certificate->site.bytes, sizeof certificate->site.bytes);
    wire.name = (char *)certificate->name;
    wire.sign_key = key_binary(&certificate->sign_key);
    wire.curve_key = key_binary(&certificate->curve_key);
    if (!nv_public_key_is_zero(&certificate->recovery_key))
        wire.recovery_key = key_binary(&certificate->recovery_key);
    wire.role = (uint32_t)certificate->role;
    wire.n_endpoints = certificate->endpoint_count;
    wire.endpoints = (char **)certificate->endpoints;
    wire.not_before_ms = (uint64_t)certificate->not_before.ms;
    wire.not_after_ms = (uint64_t)certificate->not_after.ms;
    wire.reader = certificate->reader;
    wire.anew = certificate->anew;
    wire.n_cuts = certificate->cut_count;
    wire.cuts = nv_heads_to_pack(certificate->cuts, certificate->cut_count, true, &arena);
    Navette__Op op = op_of(NV_OP_CERTIFICATE, time);
    op.certificate = &wire;
    pack_with_cuts(&op, wire.cuts, &arena, buffer);
}

void nv_group_encode(const struct nv_group_op *group, struct nv_wall_ms time, struct nv_buffer *buffer)
{
    Navette__Group wire = NAVETTE__GROUP__INIT;
    wire.name = (char *)group->name;
    Navette__Op op = op_of(NV_OP_GROUP, time);
    op.group = &wire;
    nv_pack(&op.base, buffer);
}

void nv_reader_encode(const struct nv_reader_op *reader, struct nv_wall_ms time, struct nv_buffer *buffer)
{
    Navette__Reader wire = NAVETTE__READER__INIT;
    wire.scope = nv_binary(reader->scope.bytes, sizeof reader->scope.bytes);
    wire.site = nv_binary(reader->site.bytes, sizeof reader->site.bytes);
    Navette__Op op = op_of(NV_OP_READER, time);
    op.reader = &wire;
    nv_pack(&op.base, buffer);
}

void nv_removal_encode(const struct nv_removal_op *removal, struct nv_wall_ms time, struct nv_buffer *buffer)
{
    struct nv_arena arena = arena_for_cuts(removal->cut_count);
    Navette__Removal wire = NAVETTE__REMOVAL__INIT;
    wire.scope = nv_binary(removal->scope.bytes, sizeof removal->scope.bytes);
    wire.site = nv_binary(removal->site.bytes, sizeof removal->site.bytes);
    wire.n_cuts = removal->cut_count;
    wire.cuts = nv_heads_to_pack(removal->cuts, removal->cut_count, true, &arena);
    Navette__Op op = op_of(NV_OP_REMOVAL, time);
    op.removal = &wire;
    pack_with_cuts(&op, wire.cuts, &arena, buffer);
}

void nv_revocation_encode(const struct nv_revocation_op *revocation, struct nv_wall_ms time, struct nv_buffer *buffer)
{
    struct nv_arena arena = arena_for_cuts(revocation->cut_count);
    Navette__Revocation wire = NAVETTE__REVOCATION__INIT;
    wire.site = nv_binary(revocation->site.bytes, sizeof revocation->site.bytes);
    wire.n_cuts = revocation->cut_count;
    wire.cuts = nv_heads_to_pack(revocation->cuts, revocation->cut_count, true, &arena);
    Navette__Op op = op_of(NV_OP_REVOCATION, time);
    op.revocation = &wire;
    pack_with_cuts(&op, wire.cuts, &arena, buffer);
}

static Navette__Column **columns_to_pack(const struct nv_schema_table *table, struct nv_arena *arena)
{
    Navette__Column **pointers = nv_arena_alloc(arena, table->column_count * sizeof(Navette__Column *));
    Navette__Column *columns = nv_arena_alloc(arena, table->column_count * sizeof *columns);
    if (pointers == NULL || columns == NULL)
        return NULL;
    for (size_t i = 0; i < table->column_count; i++) {
        const struct nv_schema_column *column = &table->columns[i];
        pointers[i] = &columns[i];
        navette__column__init(&columns[i]);
        columns[i].field = column->field;
        columns[i].name = (char *)column->name;
        columns[i].rule = (uint32_t)column->rule;
        columns[i].quiet = column->quiet;
        columns[i].label_fr = (char *)column->label_fr;
        columns[i].label_en = (char *)column->label_en;
    }
    return pointers;
}

static Navette__Table **tables_to_pack(const struct nv_schema_op *schema, struct nv_arena *arena)
{
    Navette__Table **pointers = nv_arena_alloc(arena, schema->table_count * sizeof(Navette__Table *));
    Navette__Table *tables = nv_arena_alloc(arena, schema->table_count * sizeof *tables);
    if (pointers == NULL || tables == NULL)
        return NULL;
    for (size_t i = 0; i < schema->table_count; i++) {
        const struct nv_schema_table *table = &schema->tables[i];
        pointers[i] = &tables[i];
        navette__table__init(&tables[i]);
        tables[i].number = table->number;
        tables[i].name = (char *)table->name;
        tables[i].scope = (char *)table->scope;
        tables[i].writers = (char *)table->writers;
        tables[i].n_columns = table->column_count;
        tables[i].columns = columns_to_pack(table, arena);
        if (tables[i].columns == NULL)
            return NULL;
    }
    return pointers;
}

void nv_schema_encode(const struct nv_schema_op *schema, struct nv_wall_ms time, struct nv_buffer *buffer)
{
    struct nv_arena arena = {.limit = 64u << 20};
    Navette__Schema wire = NAVETTE__SCHEMA__INIT;
    wire.n_statements = schema->statement_count;
    wire.statements = (char **)schema->statements;
    wire.n_tables = schema->table_count;
    wire.tables = tables_to_pack(schema, &arena);
    Navette__Op op = op_of(NV_OP_SCHEMA, time);
    op.schema = &wire;
    if (wire.tables == NULL)
        buffer->failed = true;
    else
        nv_pack(&op.base, buffer);
    nv_arena_done(&arena);
}
