#include "store/schema/manifest.h"

#include <string.h>

#include "store/schema/declared.h"
#include "store/schema/trackable.h"

enum { SHAPES_BYTES = 64 << 20 };

const struct nv_table *nv_table_by_number(const struct nv_store *store, uint32_t number)
{
    for (size_t i = 0; i < store->table_count; i++)
        if (store->tables[i]->number == number)
            return store->tables[i];
    return NULL;
}

static bool same_name(const char *a, const char *b)
{
    return sqlite3_stricmp(a, b) == 0;
}

/* ---- judging ---- */

static enum nv_status judge_name(const struct nv_store *store, const struct nv_schema_op *op, size_t place,
                                 const struct nv_table *known, struct nv_error *error)
{
    const struct nv_schema_table *table = &op->tables[place];
    if (known != NULL) {
        if (strcmp(known->name, table->name) == 0 && strcmp(known->scope, table->scope) == 0 &&
            strcmp(known->writers, table->writers) == 0)
            return NV_OK;
        return nv_fail(error, NV_REFUSED,
                       "table %.64s: its name, scope and writers were published and stay what they are", table->name);
    }
    bool is_taken = nv_store_table(store, table->name) != NULL;
    for (size_t i = 0; i < place; i++)
        is_taken = is_taken || same_name(op->tables[i].name, table->name) || op->tables[i].number == table->number;
    if (is_taken)
        return nv_fail(error, NV_REFUSED, "table %.64s is published twice", table->name);
    return nv_declaration_form(table, error);
}

static enum nv_status judge_column(const struct nv_shape *shape, const struct nv_table *known,
                                   const struct nv_schema_table *table, size_t place, size_t *next,
                                   struct nv_error *error)
{
    const struct nv_schema_column *column = &table->columns[place];
    const struct nv_shape_column *there = nv_shape_column(shape, column->name);
    if (there == NULL || there->key > 0 || strcmp(there->name, column->name) != 0)
        return nv_fail(error, NV_REFUSED, "table %.64s: it has no column %.64s beside its key", table->name,
                       column->name);
    if (known != NULL && column->field < known->field_count) {
        const struct nv_column *field = &known->fields[column->field];
        if (strcmp(field->name, column->name) == 0 && field->rule == column->rule && field->quiet == column->quiet)
            return NV_OK;
        return nv_fail(
            error, NV_REFUSED,
            "table %.64s: the name, number, rule and quiet of column %.64s were published and stay what they "
            "are; labels may change",
            table->name, column->name);
    }
    if (column->field != *next)
        return nv_fail(error, NV_REFUSED, "table %.64s: column %.64s is not the field that comes next", table->name,
                       column->name);
    for (size_t i = 0; known != NULL && i < known->field_count; i++)
        if (same_name(known->fields[i].name, column->name))
            return nv_fail(error, NV_REFUSED, "table %.64s: column %.64s has a number already", table->name,
                           column->name);
    for (size_t i = 0; i < place; i++)
        if (same_name(table->columns[i].name, column->name))
            return nv_fail(error, NV_REFUSED, "table %.64s: column %.64s has two numbers", table->name, column->name);
    ++*next;
    return NV_OK;
}

/* `table` may be NULL: a known table that the op does not name, though an index or a column may have come to it. */
static enum nv_status judge_table(struct nv_store *store, const struct nv_table *known,
                                  const struct nv_schema_table *table, struct nv_error *error)
{
    struct nv_arena arena = {.limit = SHAPES_BYTES};
    struct nv_shape shape;
    const char *name = known != NULL ? known->name : table->name;
    size_t fields = known != NULL ? known->field_count : 0;
    enum nv_status status = nv_shape_read(nv_published_db(store), name, &arena, &shape, error);
    if (status == NV_OK)
        status = nv_trackable(&shape, name, error);
    if (status == NV_OK && strcmp(shape.name, name) != 0)
        status = nv_fail(error, NV_REFUSED, "table %.64s is spelled %.64s where it is made: write it alike", name,
                         shape.name);
    for (size_t i = 0; status == NV_OK && table != NULL && i < table->column_count; i++)
        status = judge_column(&shape, known, table, i, &fields, error);
    if (status == NV_OK && fields != shape.column_count - shape.key_count)
        status = nv_fail(error, NV_REFUSED, "table %.64s: a column of it has no number", name);
    nv_arena_done(&arena);
    return status;
}

static const struct nv_schema_table *find_in_op(const struct nv_schema_op *op, uint32_t number)
{
    for (size_t i = 0; i < op->table_count; i++)
        if (op->tables[i].number == number)
            return &op->tables[i];
    return NULL;
}

enum nv_status nv_manifest_judge(struct nv_store *store, const struct nv_schema_op *op, struct nv_error *error)
{
    enum nv_status status = NV_OK;
    for (size_t i = 0; status == NV_OK && i < store->table_count; i++)
        status = judge_table(store, store->tables[i], find_in_op(op, store->tables[i]->number), error);
    for (size_t i = 0; status == NV_OK && i < op->table_count; i++) {
        const struct nv_table *known = nv_table_by_number(store, op->tables[i].number);
        status = judge_name(store, op, i, known, error);
        if (status == NV_OK && known == NULL)
            status = judge_table(store, NULL, &op->tables[i], error);
    }
    return status == NV_OK ? nv_declarations_judge(store, nv_published_db(store), op, error) : status;
}

/* ---- writing ---- */

static enum nv_status write_column(struct nv_store *store, uint64_t authority_seq, const struct nv_schema_table *table,
                                   const struct nv_schema_column *column, struct nv_error *error)
{
    return nv_db_execf(
        store->db, error,
        "INSERT INTO navette_column(table_name, name, rule, quiet, label_fr, label_en, field, published) "
        "VALUES (%Q, %Q, %Q, %d, %Q, %Q, %u, %lld) "
        "ON CONFLICT DO UPDATE SET label_fr = excluded.label_fr, label_en = excluded.label_en",
        table->name, column->name, nv_rule_name(column->rule), (int)column->quiet, column->label_fr, column->label_en,
        column->field, (long long)authority_seq);
}

enum nv_status nv_manifest_write(struct nv_store *store, uint64_t authority_seq, const struct nv_schema_op *op,
                                 struct nv_error *error)
{
    enum nv_status status = NV_OK;
    for (size_t i = 0; status == NV_OK && i < op->table_count; i++) {
        const struct nv_schema_table *table = &op->tables[i];
        status = nv_db_execf(store->db, error,
                             "INSERT INTO navette_table(name, scope, writers, number, published) "
                             "VALUES (%Q, %Q, %Q, %u, %lld) ON CONFLICT(name) DO NOTHING",
                             table->name, table->scope, table->writers, table->number, (long long)authority_seq);
        for (size_t j = 0; status == NV_OK && j < table->column_count; j++)
            status = write_column(store, authority_seq, table, &table->columns[j], error);
    }
    return status;
}
