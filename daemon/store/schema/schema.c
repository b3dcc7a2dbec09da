/* Schemas: published by the authority, taken up by every site, the authority's own included. One path: what
 * nv_schema_apply appends to the authority log comes back through nv_schema_take, like any other op of it. */
#include "store/schema.h"

#include <string.h>

#include "base/log.h"
#include "store/capture/scan.h"
#include "store/schema/authorizer.h"
#include "store/schema/draft.h"

enum { SCHEMA_BYTES = 64 << 20 };

/* ---- taking it up ---- */

/* One statement of an op: one that a schema may hold, and nothing behind it. */
static enum nv_status read_statement(const char *sql, struct nv_arena *arena, struct nv_sql_statement *statement,
                                     struct nv_error *error)
{
    struct nv_tokens tokens;
    size_t at = 0;
    bool found = false, another = false;
    struct nv_sql_statement behind;
    enum nv_status status = nv_tokens_read(sql, arena, &tokens, error);
    if (status == NV_OK)
        status = nv_sql_statement_take(&tokens, &at, arena, statement, &found, error);
    if (status == NV_OK && found)
        status = nv_sql_statement_take(&tokens, &at, arena, &behind, &another, error);
    if (status == NV_OK && (!found || another || statement->kind == NV_STATEMENT_INSERT))
        status = nv_fail(error, NV_REFUSED, "a schema op has something else than one statement for the schema");
    return status;
}

/* Runs the op where nothing but what was published stands, and judges what comes of it. What is refused here is refused
 * at every site. */
static enum nv_status run_published(struct nv_store *store, const struct nv_schema_op *op, struct nv_arena *arena,
                                    struct nv_error *error)
{
    sqlite3 *db = nv_published_db(store);
    enum nv_status status = nv_db_exec(db, "BEGIN", error);
    for (size_t i = 0; status == NV_OK && i < op->statement_count; i++) {
        struct nv_sql_statement statement;
        status = read_statement(op->statements[i], arena, &statement, error);
        if (status == NV_OK)
            status = nv_run_authorized(db, op->statements[i], error);
    }
    if (status == NV_OK)
        status = nv_manifest_judge(store, op, error);
    if (status == NV_OK)
        status = nv_db_exec(db, "COMMIT", error);
    if (status == NV_OK || sqlite3_get_autocommit(db) || sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL) == SQLITE_OK)
        return status;
    /* It would go on with what was refused. */
    nv_published_done(store);
    return nv_no_memory(error);
}

static enum nv_status is_name_taken(sqlite3 *db, const char *name, bool *ret_taken, struct nv_error *error)
{
    sqlite3_stmt *find = nv_db_prepare(db, "SELECT 1 FROM main.sqlite_schema WHERE name = ?1 COLLATE NOCASE", error);
    if (find == NULL)
        return error->status;
    sqlite3_bind_text(find, 1, name, -1, SQLITE_STATIC);
    enum nv_status status = nv_db_step(find, ret_taken, error);
    sqlite3_finalize(find);
    return status;
}

/* Whether there is anything left to run: what is here already, a table that a tool has taken away for a moment and a
 * column that somebody added before are left as they are, and nv_shape_differs judges the table as a whole. */
static enum nv_status is_needed(struct nv_store *store, const struct nv_sql_statement *statement,
                                struct nv_arena *arena, bool *ret_needed, struct nv_error *error)
{
    struct nv_shape here;
    if (statement->kind != NV_STATEMENT_ADD_COLUMN) {
        bool is_taken = true;
        enum nv_status status = is_name_taken(store->db, statement->name, &is_taken, error);
        *ret_needed = !is_taken;
        return status;
    }
    const char *column = nv_token_name(&statement->tokens[statement->definition], arena);
    if (column == NULL)
        return nv_no_memory(error);
    enum nv_status status = nv_shape_read(store->db, statement->name, arena, &here, error);
    *ret_needed = status == NV_OK && here.kind == NV_SHAPE_TABLE && nv_shape_column(&here, column) == NULL;
    return status;
}

static bool is_tracked(const struct nv_store *store, const struct nv_schema_op *op, const char *name)
{
    for (size_t i = 0; i < op->table_count; i++)
        if (sqlite3_stricmp(op->tables[i].name, name) == 0)
            return true;
    return nv_store_table(store, name) != NULL;
}

static void warn_left(const struct nv_store *store, const struct nv_schema_op *op, const char *name)
{
    if (!is_tracked(store, op, name))
        nv_log(
            NV_LOG_WARNING,
            "schema: %s was published, and something of that name is here already, or it does not fit what is here: it "
            "is left as it is, and may be another one than at other sites",
            name);
}

/* What stood in a column before it was published is sealed as written here. */
static enum nv_status look_later(struct nv_store *store, const char *name, struct nv_error *error)
{
    const struct nv_table *table = nv_store_table(store, name);
    return table == NULL ? NV_OK : nv_scan_request(store, table, error);
}

/* Runs the op's statements on the site's own tables. What does not fit what somebody made here must not keep the log
 * from going on: such a table is `missing` until it is mended, and the operator is told. */
static enum nv_status run_here(struct nv_store *store, uint64_t authority_seq, const struct nv_schema_op *op,
                               struct nv_arena *arena, struct nv_error *error)
{
    enum nv_status status = NV_OK;
    for (size_t i = 0; status == NV_OK && i < op->statement_count; i++) {
        struct nv_sql_statement statement;
        bool is_wanted = false;
        status = read_statement(op->statements[i], arena, &statement, error);
        if (status == NV_OK)
            status = is_needed(store, &statement, arena, &is_wanted, error);
        if (status == NV_OK && is_wanted)
            status = nv_run_authorized(store->db, op->statements[i], error);
        if (status == NV_REFUSED || (status == NV_OK && !is_wanted)) {
            warn_left(store, op, statement.name);
            status = statement.kind == NV_STATEMENT_ADD_COLUMN ? look_later(store, statement.name, error) : NV_OK;
        }
        if (status == NV_OK)
            status = nv_db_execf(store->db, error, "INSERT INTO navette_statement(published, sql) VALUES (%lld, %Q)",
                                 (long long)authority_seq, op->statements[i]);
    }
    return status;
}

static enum nv_status warn_missing(struct nv_store *store, const struct nv_table *table, struct nv_error *error)
{
    char trouble[NV_TROUBLE_TEXT];
    enum nv_status status = nv_store_table_trouble(store, table, trouble, error);
    if (status == NV_OK)
        nv_log(NV_LOG_WARNING, "schema: %s; until then nothing of it is kept in step", trouble);
    return status;
}

/* Triggers for the op's tables. What stood in a table before it was tracked is sealed as written here. */
static enum nv_status track(struct nv_store *store, const struct nv_schema_op *op, const bool *to_scan,
                            struct nv_error *error)
{
    enum nv_status status = NV_OK;
    for (size_t i = 0; status == NV_OK && i < op->table_count; i++) {
        const struct nv_table *table = nv_table_by_number(store, op->tables[i].number);
        if (table->missing) {
            status = nv_tracking_prepare(store, table, error);
            if (status == NV_OK)
                status = warn_missing(store, table, error);
        } else {
            status = nv_tracking_install(store, table, error);
        }
        if (status == NV_OK && to_scan[i])
            status = nv_scan_request(store, table, error);
    }
    return status;
}

/* For each table of the op whether its rows are to be looked through: of one that it begins to track, where one of that
 * name is here already; of one that is tracked, where a tool took its triggers, which are about to be put back. */
static enum nv_status look_before(struct nv_store *store, const struct nv_schema_op *op, bool *to_scan,
                                  struct nv_error *error)
{
    enum nv_status status = NV_OK;
    for (size_t i = 0; status == NV_OK && i < op->table_count; i++) {
        const struct nv_table *table = nv_table_by_number(store, op->tables[i].number);
        bool is_there, has_triggers = true;
        to_scan[i] = false;
        if (table == NULL)
            status = is_name_taken(store->db, op->tables[i].name, &to_scan[i], error);
        else
            status = nv_tracking_check(store, table, &is_there, &has_triggers, error);
        to_scan[i] = to_scan[i] || !has_triggers;
    }
    return status;
}

static enum nv_status take(struct nv_store *store, uint64_t authority_seq, const struct nv_schema_op *op,
                           struct nv_arena *arena, struct nv_error *error)
{
    int64_t newest = 0;
    bool *to_scan = nv_arena_alloc(arena, op->table_count + 1);
    if (to_scan == NULL)
        return nv_no_memory(error);
    enum nv_status status = look_before(store, op, to_scan, error);
    if (status == NV_OK)
        status = run_here(store, authority_seq, op, arena, error);
    if (status == NV_OK)
        status = nv_manifest_write(store, authority_seq, op, error);
    if (status == NV_OK)
        status = nv_db_integer(store->db, "SELECT max(number) FROM navette_statement", 0, &newest, error);
    if (status != NV_OK)
        return status;
    nv_published_moved(store, newest);
    status = nv_tables_load(store, error);
    return status == NV_OK ? track(store, op, to_scan, error) : status;
}

enum nv_status nv_schema_take(struct nv_store *store, uint64_t authority_seq, struct nv_slice op_bytes,
                              struct nv_error *error)
{
    struct nv_arena arena = {.limit = SCHEMA_BYTES};
    struct nv_schema_op op;
    enum nv_status status = nv_schema_decode(op_bytes, &arena, &op, error);
    if (status == NV_OK)
        status = nv_published_load(store, error);
    if (status == NV_OK)
        status = run_published(store, &op, &arena, error);
    if (status == NV_OK) {
        status = take(store, authority_seq, &op, &arena, error);
        /* What was judged good by what is published fails here for this store's own reasons alone, and the database in
         * memory is ahead of it now. */
        if (status != NV_OK)
            nv_published_done(store);
        if (status == NV_REFUSED)
            status = error->status = NV_IO;
    }
    nv_arena_done(&arena);
    return status;
}

/* ---- publishing it ---- */

/* The table that a trigger's statement writes, where one begins at this token; NULL where none does. */
static const struct nv_token *written_table(const struct nv_tokens *tokens, size_t at)
{
    const struct nv_token *token = &tokens->items[at];
    bool is_update = nv_token_is(token, "UPDATE");
    if (at + 1 >= tokens->count || !(is_update || nv_token_is(token, "INTO") || nv_token_is(token, "FROM")))
        return NULL;
    if (nv_token_is(token, "FROM"))
        return at > 0 && nv_token_is(&token[-1], "DELETE") ? &token[1] : NULL;
    if (is_update && nv_token_is(&token[1], "OR"))
        return at + 3 < tokens->count ? &token[3] : NULL;
    return &token[1];
}

static enum nv_status judge_trigger(const struct nv_schema_op *op, const char *name, const char *sql,
                                    struct nv_arena *arena, struct nv_error *error)
{
    struct nv_tokens tokens;
    enum nv_status status = nv_tokens_read(sql, arena, &tokens, error);
    size_t at = 0;
    while (status == NV_OK && at < tokens.count && !nv_token_is(&tokens.items[at], "BEGIN"))
        at++;
    for (; status == NV_OK && at < tokens.count; at++) {
        const struct nv_token *written = written_table(&tokens, at);
        for (size_t i = 0; status == NV_OK && written != NULL && i < op->table_count; i++)
            if (nv_token_names(written, op->tables[i].name))
                status =
                    nv_fail(error, NV_REFUSED,
                            "table %.64s: the trigger %.64s writes to it, so that every site would write anew what "
                            "another one wrote: DROP TRIGGER %.64s, and let the program write, or a view compute",
                            op->tables[i].name, name, name);
    }
    return status;
}

/* Triggers on tables fire when the rows of other sites are written; those on views only where a person writes. */
static enum nv_status judge_triggers(struct nv_store *store, const struct nv_schema_op *op, struct nv_arena *arena,
                                     struct nv_error *error)
{
    sqlite3_stmt *rows = nv_db_prepare(store->db,
                                       "SELECT t.name, t.sql FROM main.sqlite_schema AS t "
                                       "JOIN main.sqlite_schema AS o ON o.name = t.tbl_name AND o.type = 'table' "
                                       "WHERE t.type = 'trigger' AND t.name NOT LIKE 'navette\\_%' ESCAPE '\\'",
                                       error);
    enum nv_status status = rows == NULL ? error->status : NV_OK;
    bool more;
    while (status == NV_OK && (status = nv_db_step(rows, &more, error)) == NV_OK && more)
        status = judge_trigger(op, (const char *)sqlite3_column_text(rows, 0),
                               (const char *)sqlite3_column_text(rows, 1), arena, error);
    sqlite3_finalize(rows);
    return status;
}

/* At the authority a table that does not fit is no accident of one site: it is refused before it is published. */
static enum nv_status judge_here(struct nv_store *store, const struct nv_schema_op *op, struct nv_error *error)
{
    for (size_t i = 0; i < op->table_count; i++) {
        char trouble[NV_TROUBLE_TEXT] = "";
        const struct nv_table *table = nv_table_by_number(store, op->tables[i].number);
        enum nv_status status = nv_store_table_trouble(store, table, trouble, error);
        if (status != NV_OK)
            return status;
        if (trouble[0] != '\0')
            return nv_fail(error, NV_REFUSED, "a table of that name is in this store already, and is another one: %s",
                           trouble);
    }
    return NV_OK;
}

static enum nv_status publish(struct nv_store *store, const struct nv_sign_key *authority,
                              const struct nv_schema_op *op, struct nv_arena *arena, struct nv_wall_ms now,
                              struct nv_error *error)
{
    struct nv_buffer bytes = {0};
    nv_schema_encode(op, now, &bytes);
    enum nv_status status = bytes.failed ? nv_no_memory(error) : judge_triggers(store, op, arena, error);
    if (status == NV_OK)
        status = nv_authority_append(store, authority, nv_buffer_slice(&bytes), now, error);
    if (status == NV_OK)
        status = judge_here(store, op, error);
    nv_buffer_done(&bytes);
    return status;
}

enum nv_status nv_schema_apply(struct nv_store *store, const struct nv_sign_key *authority, const char *sql,
                               bool dry_run, struct nv_wall_ms now, struct nv_buffer *ret_summary,
                               struct nv_error *error)
{
    struct nv_arena arena = {.limit = SCHEMA_BYTES};
    struct nv_buffer summary = {0};
    struct nv_schema_op op;
    enum nv_status status = nv_begin(store, error);
    if (status != NV_OK)
        return status;
    if (!store->identity.has_network ||
        memcmp(authority->public_key.bytes, store->identity.network.bytes, sizeof authority->public_key.bytes) != 0)
        status = nv_fail(error, NV_REFUSED,
                         "only the network's authority publishes a schema: run this at the hub that "
                         "began the network");
    if (status == NV_OK)
        status = nv_draft_read(store, sql, &arena, &op, &summary, error);
    bool is_new = status == NV_OK && (op.statement_count > 0 || op.table_count > 0);
    if (is_new)
        status = publish(store, authority, &op, &arena, now, error);
    /* Room for what is said of it first: once it is published there is no way back. */
    if (status == NV_OK && ret_summary != NULL) {
        if (nv_buffer_extend(ret_summary, summary.size) == NULL)
            status = nv_no_memory(error);
        else
            ret_summary->size -= summary.size;
    }
    if (status == NV_OK && is_new && !dry_run)
        status = nv_commit(store, error);
    if (status != NV_OK || !is_new || dry_run)
        nv_rollback(store);
    if (status == NV_OK && ret_summary != NULL)
        nv_buffer_append(ret_summary, summary.data, summary.size);
    nv_buffer_done(&summary);
    nv_arena_done(&arena);
    return status;
}
