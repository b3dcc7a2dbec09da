/* Reading ops of the authority log. Writing them is in authority_encode.c. */
#include "wire/authority.h"

#include "wire/text.h"
#include "wire/unpack.h"

static enum nv_status refuse(struct nv_error *error, const char *what)
{
    return nv_fail(error, NV_REFUSED, "an op of the authority log is against the protocol: %s: it is not taken", what);
}

static enum nv_status no_memory(struct nv_error *error)
{
    return nv_fail(error, NV_NO_MEMORY, "no memory for an op of the authority log");
}

static enum nv_status unpack_op(struct nv_slice bytes, enum nv_op_kind kind, struct nv_arena *arena,
                                const Navette__Op **ret_op, struct nv_error *error)
{
    if (bytes.size > NV_LIMIT_OP_BYTES)
        return refuse(error, "it is longer than an op may be");
    const ProtobufCMessage *message;
    enum nv_status status =
        nv_unpack_signed(&navette__op__descriptor, bytes, arena, "an op of the authority log", &message, error);
    if (status != NV_OK)
        return status;
    const Navette__Op *op = (const Navette__Op *)message;
    if (op->kind != kind)
        return refuse(error, "it is of another kind");
    *ret_op = op;
    return NV_OK;
}

static bool take_key(ProtobufCBinaryData binary, struct nv_public_key *ret_key)
{
    return nv_binary_take(binary, ret_key->bytes, sizeof ret_key->bytes);
}

/* ---- genesis ---- */

enum nv_status nv_genesis_decode(struct nv_slice op_bytes, struct nv_arena *arena, struct nv_genesis *ret_genesis,
                                 struct nv_error *error)
{
    const Navette__Op *op;
    enum nv_status status = unpack_op(op_bytes, NV_OP_GENESIS, arena, &op, error);
    if (status != NV_OK)
        return status;
    if (op->genesis == NULL)
        return refuse(error, "a genesis without its content");
    struct nv_genesis genesis = {.network = op->genesis->network};
    if (!nv_name_is_good(genesis.network))
        return refuse(error, "the network's name is empty, too long, or no text");
    if (!take_key(op->genesis->authority_key, &genesis.authority_key) ||
        !take_key(op->genesis->successor_key, &genesis.successor_key))
        return refuse(error, "a key is missing or of another size");
    *ret_genesis = genesis;
    return NV_OK;
}

/* ---- certificates ---- */

static enum nv_status take_certificate_keys(const Navette__Certificate *wire, struct nv_certificate *certificate,
                                            struct nv_error *error)
{
    /* A site may have no recovery key. */
    bool has_recovery = wire->recovery_key.len > 0;
    if (!take_key(wire->sign_key, &certificate->sign_key) || !take_key(wire->curve_key, &certificate->curve_key) ||
        (has_recovery && !take_key(wire->recovery_key, &certificate->recovery_key)))
        return refuse(error, "a key is missing or of another size");
    if (has_recovery && nv_public_key_is_zero(&certificate->recovery_key))
        return refuse(error, "a recovery key of zeros, which is said by leaving it out");
    return NV_OK;
}

enum nv_status nv_certificate_decode(struct nv_slice op_bytes, struct nv_arena *arena,
                                     struct nv_certificate *ret_certificate, struct nv_error *error)
{
    const Navette__Op *op;
    enum nv_status status = unpack_op(op_bytes, NV_OP_CERTIFICATE, arena, &op, error);
    if (status != NV_OK)
        return status;
    const Navette__Certificate *wire = op->certificate;
    if (wire == NULL)
        return refuse(error, "a certificate without its content");
    struct nv_certificate certificate = {
        .name = wire->name,
        .role = (enum nv_role)wire->role,
        .endpoint_count = wire->n_endpoints,
        .endpoints = (const char *const *)wire->endpoints,
    };
    if (!nv_binary_take(wire->site, certificate.site.bytes, sizeof certificate.site.bytes))
        return refuse(error, "a site id of another size");
    if (!nv_name_is_good(certificate.name))
        return refuse(error, "the site's name is empty, too long, or no text");
    if (wire->role != NV_ROLE_SITE && wire->role != NV_ROLE_HUB)
        return refuse(error, "a role that does not exist");
    if (!nv_endpoints_are_good(wire->endpoints, wire->n_endpoints))
        return refuse(error, "too many endpoints, or one that is no text");
    if (wire->not_before_ms > NV_LIMIT_TIME_MS || wire->not_after_ms > NV_LIMIT_TIME_MS)
        return refuse(error, "a date out of range");
    certificate.not_before.ms = (int64_t)wire->not_before_ms;
    certificate.not_after.ms = (int64_t)wire->not_after_ms;
    status = take_certificate_keys(wire, &certificate, error);
    if (status != NV_OK)
        return status;
    *ret_certificate = certificate;
    return NV_OK;
}

/* ---- schemas ---- */

static enum nv_status take_columns(const Navette__Table *wire, struct nv_arena *arena, struct nv_schema_table *table,
                                   struct nv_error *error)
{
    if (wire->n_columns > NV_LIMIT_FIELDS)
        return refuse(error, "a table has more columns than the protocol allows");
    struct nv_schema_column *columns = nv_arena_alloc(arena, wire->n_columns * sizeof *columns);
    if (columns == NULL)
        return no_memory(error);
    for (size_t i = 0; i < wire->n_columns; i++) {
        const Navette__Column *column = wire->columns[i];
        if (column->field >= NV_LIMIT_FIELDS || !nv_name_is_good(column->name) ||
            !nv_text_is_good(column->label_fr, 0, NV_LIMIT_LABEL_BYTES) ||
            !nv_text_is_good(column->label_en, 0, NV_LIMIT_LABEL_BYTES))
            return refuse(error, "a column with a number out of range, or a name or label that is no text");
        if (column->rule > NV_RULE_MAX)
            return nv_fail(error, NV_NOT_YET,
                           "a column has a rule that is not known here: newer software published "
                           "it: update Navette here");
        columns[i] = (struct nv_schema_column){
            .field = column->field,
            .name = column->name,
            .rule = (enum nv_rule)column->rule,
            .quiet = column->quiet,
            .label_fr = column->label_fr[0] == '\0' ? NULL : column->label_fr,
            .label_en = column->label_en[0] == '\0' ? NULL : column->label_en,
        };
    }
    table->column_count = wire->n_columns;
    table->columns = columns;
    return NV_OK;
}

static enum nv_status take_tables(const Navette__Schema *wire, struct nv_arena *arena, struct nv_schema_op *schema,
                                  struct nv_error *error)
{
    if (wire->n_tables > NV_LIMIT_TABLES)
        return refuse(error, "more tables than the protocol allows");
    struct nv_schema_table *tables = nv_arena_alloc(arena, wire->n_tables * sizeof *tables);
    if (tables == NULL)
        return no_memory(error);
    for (size_t i = 0; i < wire->n_tables; i++) {
        const Navette__Table *table = wire->tables[i];
        if (table->number == 0 || table->number > NV_LIMIT_TABLES || !nv_name_is_good(table->name) ||
            !nv_text_is_good(table->scope, 1, NV_LIMIT_DECLARATION_BYTES) || !nv_text_is_good(table->writers, 1, 7))
            return refuse(error, "a table with a number out of range, or a name, scope or writers that are no text");
        tables[i] = (struct nv_schema_table){
            .number = table->number, .name = table->name, .scope = table->scope, .writers = table->writers};
        enum nv_status status = take_columns(table, arena, &tables[i], error);
        if (status != NV_OK)
            return status;
    }
    schema->table_count = wire->n_tables;
    schema->tables = tables;
    return NV_OK;
}

static bool statements_are_good(char *const *statements, size_t count)
{
    size_t left = NV_LIMIT_SQL_BYTES;
    for (size_t i = 0; i < count; i++) {
        if (!nv_long_text_is_good(statements[i], 1, left))
            return false;
        left -= strlen(statements[i]);
    }
    return count <= NV_LIMIT_STATEMENTS;
}

enum nv_status nv_schema_decode(struct nv_slice op_bytes, struct nv_arena *arena, struct nv_schema_op *ret_schema,
                                struct nv_error *error)
{
    const Navette__Op *op;
    enum nv_status status = unpack_op(op_bytes, NV_OP_SCHEMA, arena, &op, error);
    if (status != NV_OK)
        return status;
    const Navette__Schema *wire = op->schema;
    if (wire == NULL)
        return refuse(error, "a schema without its content");
    if (!statements_are_good(wire->statements, wire->n_statements))
        return refuse(error, "too much SQL, or SQL that is no text");
    struct nv_schema_op schema = {
        .statement_count = wire->n_statements,
        .statements = (const char *const *)wire->statements,
    };
    status = take_tables(wire, arena, &schema, error);
    if (status != NV_OK)
        return status;
    *ret_schema = schema;
    return NV_OK;
}
