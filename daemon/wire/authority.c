/* Reading ops of the authority log: genesis, certificates, schemas. Those that give and take rights are in
 * authority_rights.c, writing them all in authority_encode.c. */
#include "base/catalogue.h"
#include "wire/authority_read.h"
#include "wire/text.h"

enum nv_status nv_authority_refuse(const char *what, struct nv_error *error)
{
    return nv_fail(error, NV_REFUSED, "an op of the authority log is against the protocol: %s: it is not taken",
                   _(what));
}

static enum nv_status no_memory(struct nv_error *error)
{
    return nv_fail(error, NV_NO_MEMORY, "no memory for an op of the authority log");
}

enum nv_status nv_authority_unpack(struct nv_slice bytes, enum nv_op_kind kind, struct nv_arena *arena,
                                   const Navette__Op **ret_op, struct nv_error *error)
{
    if (bytes.size > NV_LIMIT_OP_BYTES)
        return nv_authority_refuse("it is longer than an op may be", error);
    const ProtobufCMessage *message;
    enum nv_status status =
        nv_unpack_signed(&navette__op__descriptor, bytes, arena, "an op of the authority log", &message, error);
    if (status != NV_OK)
        return status;
    const Navette__Op *op = (const Navette__Op *)message;
    if (op->kind != kind)
        return nv_authority_refuse("it is of another kind", error);
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
    enum nv_status status = nv_authority_unpack(op_bytes, NV_OP_GENESIS, arena, &op, error);
    if (status != NV_OK)
        return status;
    if (op->genesis == NULL)
        return nv_authority_refuse("a genesis without its content", error);
    struct nv_genesis genesis = {.network = op->genesis->network};
    if (!nv_name_is_good(genesis.network))
        return nv_authority_refuse("the network's name is empty, too long, or no text", error);
    if (!take_key(op->genesis->authority_key, &genesis.authority_key) ||
        !take_key(op->genesis->successor_key, &genesis.successor_key))
        return nv_authority_refuse("a key is missing or of another size", error);
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
        return nv_authority_refuse("a key is missing or of another size", error);
    if (has_recovery && nv_public_key_is_zero(&certificate->recovery_key))
        return nv_authority_refuse("a recovery key of zeros, which is said by leaving it out", error);
    return NV_OK;
}

static enum nv_status take_certificate_rights(const Navette__Certificate *wire, struct nv_arena *arena,
                                              struct nv_certificate *certificate, struct nv_error *error)
{
    certificate->reader = wire->reader;
    certificate->anew = wire->anew;
    if (wire->reader && wire->role != NV_ROLE_HUB)
        return nv_authority_refuse("a site that is to read what others wrote, which only a hub may", error);
    if (wire->n_cuts > 0 && !wire->anew)
        return nv_authority_refuse("a certificate that takes no right away, and says where", error);
    const struct nv_cuts_wanted wanted = {.site = certificate->site};
    return nv_authority_take_cuts(wire->cuts, wire->n_cuts, &wanted, arena, &certificate->cuts, &certificate->cut_count,
                                  error);
}

enum nv_status nv_certificate_decode(struct nv_slice op_bytes, struct nv_arena *arena,
                                     struct nv_certificate *ret_certificate, struct nv_error *error)
{
    const Navette__Op *op;
    enum nv_status status = nv_authority_unpack(op_bytes, NV_OP_CERTIFICATE, arena, &op, error);
    if (status != NV_OK)
        return status;
    const Navette__Certificate *wire = op->certificate;
    if (wire == NULL)
        return nv_authority_refuse("a certificate without its content", error);
    struct nv_certificate certificate = {
        .name = wire->name,
        .role = (enum nv_role)wire->role,
        .endpoint_count = wire->n_endpoints,
        .endpoints = (const char *const *)wire->endpoints,
    };
    if (!nv_binary_take(wire->site, certificate.site.bytes, sizeof certificate.site.bytes))
        return nv_authority_refuse("a site id of another size", error);
    if (!nv_name_is_good(certificate.name))
        return nv_authority_refuse("the site's name is empty, too long, or no text", error);
    if (wire->role != NV_ROLE_SITE && wire->role != NV_ROLE_HUB)
        return nv_authority_refuse("a role that does not exist", error);
    if (!nv_endpoints_are_good(wire->endpoints, wire->n_endpoints))
        return nv_authority_refuse("too many endpoints, or one that is no text", error);
    if (wire->not_before_ms > NV_LIMIT_TIME_MS || wire->not_after_ms > NV_LIMIT_TIME_MS)
        return nv_authority_refuse("a date out of range", error);
    certificate.not_before.ms = (int64_t)wire->not_before_ms;
    certificate.not_after.ms = (int64_t)wire->not_after_ms;
    status = take_certificate_keys(wire, &certificate, error);
    if (status == NV_OK)
        status = take_certificate_rights(wire, arena, &certificate, error);
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
        return nv_authority_refuse("a table has more columns than the protocol allows", error);
    struct nv_schema_column *columns = nv_arena_alloc(arena, wire->n_columns * sizeof *columns);
    if (columns == NULL)
        return no_memory(error);
    for (size_t i = 0; i < wire->n_columns; i++) {
        const Navette__Column *column = wire->columns[i];
        if (column->field >= NV_LIMIT_FIELDS || !nv_name_is_good(column->name) ||
            !nv_text_is_good(column->label_fr, 0, NV_LIMIT_LABEL_BYTES) ||
            !nv_text_is_good(column->label_en, 0, NV_LIMIT_LABEL_BYTES))
            return nv_authority_refuse("a column with a number out of range, or a name or label that is no text",
                                       error);
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
        return nv_authority_refuse("more tables than the protocol allows", error);
    struct nv_schema_table *tables = nv_arena_alloc(arena, wire->n_tables * sizeof *tables);
    if (tables == NULL)
        return no_memory(error);
    for (size_t i = 0; i < wire->n_tables; i++) {
        const Navette__Table *table = wire->tables[i];
        if (table->number == 0 || table->number > NV_LIMIT_TABLES || !nv_name_is_good(table->name) ||
            !nv_text_is_good(table->scope, 1, NV_LIMIT_DECLARATION_BYTES) || !nv_text_is_good(table->writers, 1, 7))
            return nv_authority_refuse(
                "a table with a number out of range, or a name, scope or writers that are no text", error);
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
    enum nv_status status = nv_authority_unpack(op_bytes, NV_OP_SCHEMA, arena, &op, error);
    if (status != NV_OK)
        return status;
    const Navette__Schema *wire = op->schema;
    if (wire == NULL)
        return nv_authority_refuse("a schema without its content", error);
    if (!statements_are_good(wire->statements, wire->n_statements))
        return nv_authority_refuse("too much SQL, or SQL that is no text", error);
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
