/* What the schema, as published at an op's authority position, takes of the op; the rest is listed in quarantine. */
#include "store/merge/merge.h"

#include "store/statements.h"

/* Counts up what is listed without a value. */
static enum nv_status list_again(struct nv_merge *merge, const struct nv_op *op, int field, const char *reason,
                                 bool *ret_again, struct nv_error *error)
{
    sqlite3_stmt *statement = nv_statement(merge->store, NV_SQL_QUARANTINE_AGAIN, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, op->table);
    nv_db_bind_slice(statement, 2, op->key);
    sqlite3_bind_int(statement, 3, field);
    sqlite3_bind_text(statement, 4, reason, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 5, merge->now.ms);
    enum nv_status status = nv_db_run(statement, error);
    *ret_again = sqlite3_changes(merge->store->db) > 0;
    return status;
}

/* The scope, by number, of another site's op, with which it leaves; 0: it was written here. */
static nv_scope_number scope_of_other(const struct nv_merge *merge)
{
    const struct nv_log *log = nv_log_by_number(merge->store, merge->log);
    bool is_own = log == NULL || nv_site_id_compare(log->id.site, merge->store->identity.site) == 0;
    return is_own ? 0 : log->scope;
}

enum nv_status nv_merge_quarantine(struct nv_merge *merge, const struct nv_op *op, int field, const char *reason,
                                   const struct nv_value *value, struct nv_error *error)
{
    if (merge->is_silent)
        return NV_OK;
    struct nv_value nothing = {.type = NV_NULL};
    if (value == NULL || value->type == NV_NULL) {
        bool again = false;
        enum nv_status status = list_again(merge, op, field, reason, &again, error);
        if (status != NV_OK || again)
            return status;
    }
    sqlite3_stmt *statement = nv_statement(merge->store, NV_SQL_QUARANTINE_ADD, error);
    if (statement == NULL)
        return error->status;
    sqlite3_bind_int64(statement, 1, op->table);
    nv_db_bind_slice(statement, 2, op->key);
    sqlite3_bind_int(statement, 3, field);
    sqlite3_bind_text(statement, 4, reason, -1, SQLITE_STATIC);
    nv_db_bind_value(statement, 5, value == NULL ? &nothing : value);
    sqlite3_bind_int64(statement, 6, merge->now.ms);
    sqlite3_bind_int64(statement, 7, scope_of_other(merge));
    return nv_db_run(statement, error);
}

/* 1 and 1.0 are two values and would be one key to SQLite: a real is no key. */
bool nv_merge_takes_key(const struct nv_table *table, struct nv_slice key)
{
    struct nv_reader reader = nv_reader_of(key);
    for (size_t i = 0; i < table->key_count; i++) {
        struct nv_value value;
        if (!nv_value_decode(&reader, &value) || value.type == NV_NULL || value.type == NV_REAL ||
            !nv_column_accepts(&table->key_types[i], &value))
            return false;
    }
    return nv_reader_left(&reader) == 0;
}

static enum nv_status accepts(struct nv_merge *merge, const struct nv_table *table, unsigned field,
                              const struct nv_value *value, bool *ret_accepts, struct nv_error *error)
{
    *ret_accepts = field < table->field_count && table->fields[field].published <= merge->authority_seq &&
                   nv_column_accepts(&table->fields[field].type, value);
    if (!*ret_accepts || !table->fields[field].has_check)
        return NV_OK;
    return nv_check_accepts(merge->store, table, field, value, ret_accepts, error);
}

/* Why the op as a whole has no right to be in its log; NULL where it has. */
static const char *wrong_place(const struct nv_merge *merge, const struct nv_table *table, const struct nv_op *op)
{
    const struct nv_log_id *log = &nv_log_by_number(merge->store, merge->log)->id;
    if (table->declared == NV_DECLARED_NETWORK && !nv_scope_id_equal(log->scope, NV_SCOPE_NETWORK))
        return "scope";
    if (table->declared == NV_DECLARED_SITE && memcmp(log->scope.bytes, log->site.bytes, sizeof log->scope.bytes) != 0)
        return "scope";
    bool names_another = op->has_home && nv_site_id_compare(op->home, log->site) != 0;
    return table->of_home && names_another ? "home" : NULL;
}

/* Who may read a record its home alone says. */
static bool is_for_home(const struct nv_merge *merge, const struct nv_table *table, const struct nv_op *op,
                        unsigned field)
{
    return table->declared == NV_DECLARED_COLUMN && field == table->scope_place && op->has_home &&
           nv_site_id_compare(op->home, merge->writer) != 0;
}

enum nv_status nv_merge_accepted(struct nv_merge *merge, const struct nv_table *table, const struct nv_op *op,
                                 bool *ret_takes_op, nv_fields *ret_fields, struct nv_error *error)
{
    enum nv_status status = NV_OK;
    const char *wrong = nv_merge_takes_key(table, op->key) ? wrong_place(merge, table, op) : "key";
    *ret_takes_op = wrong == NULL;
    *ret_fields = 0;
    if (wrong != NULL)
        return nv_merge_quarantine(merge, op, -1, wrong, NULL, error);
    size_t place = 0;
    for (unsigned field = 0; status == NV_OK && place < op->value_count; field++) {
        if ((op->fields >> field & 1) == 0)
            continue;
        const struct nv_value *value = &op->values[place++];
        bool taken;
        if (is_for_home(merge, table, op, field)) {
            status = nv_merge_quarantine(merge, op, (int)field, "home", value, error);
            continue;
        }
        status = accepts(merge, table, field, value, &taken, error);
        if (status == NV_OK && taken)
            *ret_fields |= (nv_fields)1 << field;
        else if (status == NV_OK)
            status = nv_merge_quarantine(merge, op, (int)field, "value", value, error);
    }
    return status;
}

enum nv_status nv_merge_excepts(struct nv_merge *merge, const struct nv_op *op, struct nv_cover *cover,
                                struct nv_error *error)
{
    if (op->except_count == 0)
        return NV_OK;
    struct nv_local_except *excepts = nv_arena_alloc(&merge->arena, op->except_count * sizeof *excepts);
    if (excepts == NULL)
        return nv_no_memory(error);
    const struct nv_log *own = nv_log_by_number(merge->store, merge->log);
    size_t count = 0;
    for (size_t i = 0; i < op->except_count; i++) {
        const struct nv_far_dot *far = &op->excepts[i].dot;
        struct nv_log_id id = {far->site, far->epoch, own->id.scope};
        const struct nv_log *log = nv_log_find(merge->store, &id);
        if (log != NULL)
            excepts[count++] = (struct nv_local_except){{log->number, far->index, far->seq}, op->excepts[i].fields};
    }
    cover->excepts = excepts;
    cover->except_count = count;
    return NV_OK;
}
