#include "store/schema/draft.h"

#include <stdio.h>
#include <string.h>

#include "base/catalogue.h"
#include "store/schema/again.h"
#include "store/schema/authorizer.h"
#include "store/schema/declared.h"

struct draft {
    struct nv_store *store;
    sqlite3 *db; /* what is published, with this file's statements */
    struct nv_arena *arena;
    const char **statements;
    size_t statement_count;
    struct nv_schema_table *tables;
    size_t table_count;
};

static const char *keep_text(struct draft *draft, const unsigned char *text)
{
    if (text == NULL)
        return NULL;
    size_t size = strlen((const char *)text);
    char *copy = nv_arena_alloc(draft->arena, size + 1);
    if (copy != NULL)
        memcpy(copy, text, size + 1);
    return copy;
}

/* Whether the copy of a column is what the column says: NULL for NULL, and for nothing else. */
static bool is_kept(sqlite3_stmt *row, int column, const char *copy)
{
    return (copy == NULL) == (sqlite3_column_type(row, column) == SQLITE_NULL);
}

/* ---- statements ---- */

static enum nv_status take_statement(struct draft *draft, const struct nv_sql_statement *statement,
                                     struct nv_error *error)
{
    bool is_known;
    char line[32];
    enum nv_status status = nv_statement_again(draft->db, statement, draft->arena, &is_known, error);
    if (status != NV_OK || is_known)
        return status;
    if (draft->statement_count == NV_LIMIT_STATEMENTS)
        return nv_fail(error, NV_REFUSED, "line %u: over %d statements: publish this file in two", statement->line,
                       NV_LIMIT_STATEMENTS);
    status = nv_run_authorized(draft->db, statement->text, error);
    snprintf(line, sizeof line, _("line %u"), statement->line);
    if (status != NV_OK)
        return nv_fail_in(error, line);
    if (statement->kind != NV_STATEMENT_INSERT)
        draft->statements[draft->statement_count++] = statement->text;
    return NV_OK;
}

static enum nv_status take_statements(struct draft *draft, const char *sql, struct nv_error *error)
{
    struct nv_tokens tokens;
    struct nv_sql_statement statement;
    size_t at = 0;
    bool found = true;
    enum nv_status status = nv_tokens_read(sql, draft->arena, &tokens, error);
    draft->statements = nv_arena_alloc(draft->arena, NV_LIMIT_STATEMENTS * sizeof *draft->statements);
    if (status == NV_OK && draft->statements == NULL)
        status = nv_no_memory(error);
    while (status == NV_OK && found) {
        status = nv_sql_statement_take(&tokens, &at, draft->arena, &statement, &found, error);
        if (status == NV_OK && found)
            status = take_statement(draft, &statement, error);
    }
    return status;
}

/* ---- tables ---- */

static const char *or_else(const char *said, const char *otherwise)
{
    return said == NULL ? otherwise : said;
}

static enum nv_status judge_declaration(const struct nv_table *known, const struct nv_schema_table *table,
                                        struct nv_error *error)
{
    const char *scope = table->scope, *column;
    enum nv_declared kind;
    if (known != NULL && (strcmp(known->scope, scope) != 0 || strcmp(known->writers, table->writers) != 0))
        return nv_fail(error, NV_REFUSED,
                       "table %.64s was published with scope %.79s and writers %.7s, and these stay: what sites have "
                       "written cannot be taken back; make a new table under another name",
                       known->name, known->scope, known->writers);
    if (!nv_declaration_read(scope, &kind, &column))
        return nv_fail(
            error, NV_REFUSED,
            "table %.64s: there is no scope %.79s: write 'network' if every site may read it, 'site' if only "
            "the one that writes it, 'column:NAME' if a column of that name says who, or 'parent:COLUMN' if "
            "whoever reads the record that the column references",
            table->name, scope);
    if (strcmp(table->writers, "scope") != 0 && strcmp(table->writers, "home") != 0)
        return nv_fail(error, NV_REFUSED,
                       "table %.64s: writers is %.20s: write 'scope' if every site that reads a record may change it, "
                       "'home' if only the site that made it",
                       table->name, table->writers);
    return NV_OK;
}

static uint32_t next_number(const struct draft *draft)
{
    uint32_t most = 0;
    for (size_t i = 0; i < draft->store->table_count; i++)
        most = draft->store->tables[i]->number > most ? draft->store->tables[i]->number : most;
    for (size_t i = 0; i < draft->table_count; i++)
        most = draft->tables[i].number > most ? draft->tables[i].number : most;
    return most + 1;
}

/* What a row of navette_column says; where a part of it is NULL, it says nothing about that. */
struct said {
    const char *rule, *label_fr, *label_en;
    bool is_quiet, says_quiet;
};

static enum nv_status read_said(struct draft *draft, const char *table, const char *column, struct said *said,
                                struct nv_error *error)
{
    sqlite3_stmt *row = nv_db_prepare(draft->db,
                                      "SELECT rule, label_fr, label_en, quiet FROM temp.navette_column "
                                      "WHERE table_name = ?1 AND name = ?2",
                                      error);
    if (row == NULL)
        return error->status;
    sqlite3_bind_text(row, 1, table, -1, SQLITE_STATIC);
    sqlite3_bind_text(row, 2, column, -1, SQLITE_STATIC);
    bool found;
    enum nv_status status = nv_db_step(row, &found, error);
    *said = (struct said){0};
    if (status == NV_OK && found) {
        *said = (struct said){.rule = keep_text(draft, sqlite3_column_text(row, 0)),
                              .label_fr = keep_text(draft, sqlite3_column_text(row, 1)),
                              .label_en = keep_text(draft, sqlite3_column_text(row, 2)),
                              .is_quiet = sqlite3_column_int(row, 3) != 0,
                              .says_quiet = sqlite3_column_type(row, 3) != SQLITE_NULL};
        if (!is_kept(row, 0, said->rule) || !is_kept(row, 1, said->label_fr) || !is_kept(row, 2, said->label_en))
            status = nv_no_memory(error);
    }
    sqlite3_finalize(row);
    return status;
}

static bool is_too_long(const char *label)
{
    return label != NULL && strlen(label) > NV_LIMIT_LABEL_BYTES;
}

static bool label_changes(const char *said, const char *known)
{
    return said != NULL && (known == NULL || strcmp(said, known) != 0);
}

/* Fills in the op's column; *ret_is_new is true where it has anything to publish. */
static enum nv_status draft_column(struct draft *draft, const struct nv_table *known, const char *table,
                                   const char *name, uint32_t field, struct nv_schema_column *column, bool *ret_is_new,
                                   struct nv_error *error)
{
    struct said said = {0};
    const struct nv_column *old = known != NULL && field < known->field_count ? &known->fields[field] : NULL;
    enum nv_status status = read_said(draft, table, name, &said, error);
    if (status != NV_OK)
        return status;
    if (!nv_name_is_good(name))
        return nv_fail(
            error, NV_REFUSED,
            "table %.64s: the name of column %.64s has over %d bytes or characters that no name may have: choose "
            "another one",
            table, name, NV_LIMIT_NAME);
    if (is_too_long(said.label_fr) || is_too_long(said.label_en))
        return nv_fail(error, NV_REFUSED, "column %.64s of table %.64s: a label has at most %d bytes: shorten it", name,
                       table, NV_LIMIT_LABEL_BYTES);
    *column = (struct nv_schema_column){.field = field, .name = name, .rule = NV_RULE_LAST, .quiet = said.is_quiet};
    if (said.rule != NULL && !nv_rule_from_name(said.rule, &column->rule))
        return nv_fail(error, NV_REFUSED,
                       "column %.64s of table %.64s: there is no rule %.20s: it is last, home, min or max", name, table,
                       said.rule);
    if (old != NULL) {
        if ((said.rule != NULL && column->rule != old->rule) || (said.says_quiet && said.is_quiet != old->quiet))
            return nv_fail(
                error, NV_REFUSED,
                "column %.64s of table %.64s was published with rule %s and quiet %d, and these stay, so that all "
                "sites show the same; labels may change, or make a new column",
                name, table, nv_rule_name(old->rule), (int)old->quiet);
        column->rule = old->rule;
        column->quiet = old->quiet;
    }
    column->label_fr = or_else(said.label_fr, old == NULL ? NULL : old->label_fr);
    column->label_en = or_else(said.label_en, old == NULL ? NULL : old->label_en);
    *ret_is_new =
        old == NULL || label_changes(said.label_fr, old->label_fr) || label_changes(said.label_en, old->label_en);
    return NV_OK;
}

/* Lists the columns that are new or have new labels, in the order of their numbers. */
static enum nv_status draft_columns(struct draft *draft, const struct nv_table *known, struct nv_schema_table *table,
                                    struct nv_error *error)
{
    struct nv_shape shape;
    enum nv_status status = nv_shape_read(draft->db, table->name, draft->arena, &shape, error);
    if (status != NV_OK)
        return status;
    size_t fields = 0;
    struct nv_schema_column *columns = nv_arena_alloc(draft->arena, (NV_LIMIT_FIELDS + 1) * sizeof *columns);
    if (columns == NULL)
        return nv_no_memory(error);
    for (size_t i = 0; known != NULL && status == NV_OK && i < known->field_count; i++, fields++) {
        bool is_new = false;
        status = draft_column(draft, known, known->name, known->fields[i].name, (uint32_t)i,
                              &columns[table->column_count], &is_new, error);
        table->column_count += is_new;
    }
    for (size_t i = 0; shape.kind == NV_SHAPE_TABLE && status == NV_OK && i < shape.column_count; i++) {
        bool is_new = shape.columns[i].key == 0;
        for (size_t j = 0; known != NULL && j < known->field_count; j++)
            is_new = is_new && sqlite3_stricmp(known->fields[j].name, shape.columns[i].name) != 0;
        /* A column too many is refused by nv_trackable, which sees the shape itself. */
        if (!is_new || fields == NV_LIMIT_FIELDS)
            continue;
        status = draft_column(draft, known, table->name, shape.columns[i].name, (uint32_t)fields++,
                              &columns[table->column_count], &is_new, error);
        table->column_count++;
    }
    table->columns = columns;
    return status;
}

static enum nv_status draft_table(struct draft *draft, const struct nv_table *known, struct nv_schema_table table,
                                  struct nv_error *error)
{
    if (!nv_name_is_good(table.name))
        return nv_fail(
            error, NV_REFUSED,
            "table %.64s: its name has over %d bytes or characters that no name may have: choose another one",
            table.name, NV_LIMIT_NAME);
    enum nv_status status = judge_declaration(known, &table, error);
    if (status == NV_OK && known == NULL && table.number > NV_LIMIT_TABLES)
        status =
            nv_fail(error, NV_REFUSED, "table %.64s: a network has at most %d tables", table.name, NV_LIMIT_TABLES);
    if (status == NV_OK)
        status = draft_columns(draft, known, &table, error);
    if (status == NV_OK && (known == NULL || table.column_count > 0))
        draft->tables[draft->table_count++] = table;
    return status;
}

/* The tables that are tracked already, then those that the file names anew. */
static enum nv_status take_tables(struct draft *draft, struct nv_error *error)
{
    const struct nv_store *store = draft->store;
    enum nv_status status = NV_OK;
    draft->tables = nv_arena_alloc(draft->arena, (NV_LIMIT_TABLES + 1) * sizeof *draft->tables);
    if (draft->tables == NULL)
        return nv_no_memory(error);
    sqlite3_stmt *rows =
        nv_db_prepare(draft->db, "SELECT name, scope, writers FROM temp.navette_table ORDER BY rowid", error);
    if (rows == NULL)
        return error->status;
    for (size_t i = 0; status == NV_OK && i < store->table_count; i++) {
        const struct nv_table *known = store->tables[i];
        status = draft_table(
            draft, known,
            (struct nv_schema_table){
                .number = known->number, .name = known->name, .scope = known->scope, .writers = known->writers},
            error);
    }
    bool more;
    while (status == NV_OK && (status = nv_db_step(rows, &more, error)) == NV_OK && more) {
        struct nv_schema_table table = {.number = next_number(draft),
                                        .name = keep_text(draft, sqlite3_column_text(rows, 0)),
                                        .scope = keep_text(draft, sqlite3_column_text(rows, 1)),
                                        .writers = keep_text(draft, sqlite3_column_text(rows, 2))};
        if (table.name == NULL || !is_kept(rows, 1, table.scope) || !is_kept(rows, 2, table.writers)) {
            status = nv_no_memory(error);
            break;
        }
        const struct nv_table *known = nv_store_table(store, table.name);
        table.scope = or_else(table.scope, known == NULL ? "site" : known->scope);
        table.writers = or_else(table.writers, known == NULL ? "scope" : known->writers);
        status = known == NULL ? draft_table(draft, NULL, table, error) : judge_declaration(known, &table, error);
    }
    sqlite3_finalize(rows);
    return status;
}

/* Rows of navette_column must name what is there: a typing error would leave a column with the wrong rule for good. */
static enum nv_status judge_named_columns(struct draft *draft, struct nv_error *error)
{
    sqlite3_stmt *rows =
        nv_db_prepare(draft->db, "SELECT table_name, name FROM temp.navette_column ORDER BY rowid", error);
    enum nv_status status = rows == NULL ? error->status : NV_OK;
    bool more;
    while (status == NV_OK && (status = nv_db_step(rows, &more, error)) == NV_OK && more) {
        const char *table = (const char *)sqlite3_column_text(rows, 0);
        const char *name = (const char *)sqlite3_column_text(rows, 1);
        const struct nv_table *known = nv_store_table(draft->store, table);
        bool is_tracked = known != NULL && strcmp(known->name, table) == 0;
        for (size_t i = 0; i < draft->table_count; i++)
            is_tracked = is_tracked || strcmp(draft->tables[i].name, table) == 0;
        struct nv_shape shape;
        if (!is_tracked)
            status =
                nv_fail(error, NV_REFUSED,
                        "navette_column names table %.64s, which navette_table does not: add its row there, or mend "
                        "the name",
                        table);
        else
            status = nv_shape_read(draft->db, table, draft->arena, &shape, error);
        if (status != NV_OK)
            break;
        const struct nv_shape_column *column = nv_shape_column(&shape, name);
        if (column == NULL || strcmp(column->name, name) != 0)
            status = nv_fail(error, NV_REFUSED,
                             "navette_column names column %.64s, which table %.64s does not have: mend "
                             "the name, or take its row out",
                             name, table);
        else if (column->key > 0)
            status = nv_fail(error, NV_REFUSED,
                             "navette_column names column %.64s of table %.64s, which is in the key, and a key has no "
                             "rule: take its row out",
                             name, table);
        if (status != NV_OK)
            break;
    }
    sqlite3_finalize(rows);
    return status;
}

/* ---- what is said of it ---- */

static void say(struct nv_buffer *summary, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct nv_buffer *summary, const char *format, ...)
{
    char line[400];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(line, sizeof line, _(format), arguments);
    va_end(arguments);
    nv_buffer_append(summary, line, size < (int)sizeof line ? (size_t)size : sizeof line - 1);
}

static void summarize_tables(const struct draft *draft, struct nv_buffer *summary)
{
    for (size_t i = 0; i < draft->table_count; i++) {
        const struct nv_schema_table *table = &draft->tables[i];
        const struct nv_table *known = nv_table_by_number(draft->store, table->number);
        size_t added = 0;
        for (size_t j = 0; j < table->column_count; j++)
            added += known == NULL || table->columns[j].field >= known->field_count;
        if (known == NULL)
            say(summary,
                NV_PLURAL("%s: a new table, of scope %s, %zu column beside its key\n",
                          "%s: a new table, of scope %s, %zu columns beside its key\n", added),
                table->name, table->scope, added);
        else if (added > 0)
            say(summary, NV_PLURAL("%s: %zu new column\n", "%s: %zu new columns\n", added), table->name, added);
        else
            say(summary, "%s: new labels\n", table->name);
    }
}

static enum nv_status summarize_rest(struct draft *draft, struct nv_buffer *summary, struct nv_error *error)
{
    for (size_t i = 0; i < draft->statement_count; i++) {
        struct nv_tokens tokens;
        struct nv_sql_statement statement;
        size_t at = 0;
        bool found, is_tracked = false;
        enum nv_status status = nv_tokens_read(draft->statements[i], draft->arena, &tokens, error);
        if (status == NV_OK)
            status = nv_sql_statement_take(&tokens, &at, draft->arena, &statement, &found, error);
        if (status != NV_OK)
            return status;
        for (size_t j = 0; j < draft->table_count; j++)
            is_tracked = is_tracked || sqlite3_stricmp(draft->tables[j].name, statement.name) == 0;
        if (statement.kind == NV_STATEMENT_CREATE_TABLE && !is_tracked)
            say(summary, "%s: made at every site, and not kept in step: navette_table does not name it\n",
                statement.name);
        else if (statement.kind == NV_STATEMENT_CREATE_INDEX)
            say(summary, "%s: a new index\n", statement.name);
        else if (statement.kind == NV_STATEMENT_CREATE_VIEW)
            say(summary, "%s: a new view\n", statement.name);
    }
    return NV_OK;
}

static enum nv_status summarize(struct draft *draft, struct nv_buffer *summary, struct nv_error *error)
{
    if (draft->table_count == 0 && draft->statement_count == 0)
        say(summary, "nothing to publish: all of it is published already\n");
    summarize_tables(draft, summary);
    enum nv_status status = summarize_rest(draft, summary, error);
    nv_buffer_append_byte(summary, '\0');
    return status == NV_OK && summary->failed ? nv_no_memory(error) : status;
}

/* ---- all of it ---- */

/* A NULL in these says that the file says nothing of it. */
static const char manifest_sql[] =
    "BEGIN;"
    "CREATE TEMP TABLE navette_table(name TEXT NOT NULL PRIMARY KEY, scope TEXT, writers TEXT);"
    "CREATE TEMP TABLE navette_column(table_name TEXT NOT NULL, name TEXT NOT NULL, rule TEXT,"
    " quiet INTEGER CHECK (quiet IN (0, 1)), label_fr TEXT, label_en TEXT, PRIMARY KEY (table_name, name))";

enum nv_status nv_draft_read(struct nv_store *store, const char *sql, struct nv_arena *arena,
                             struct nv_schema_op *ret_op, struct nv_buffer *summary, struct nv_error *error)
{
    enum nv_status status = nv_published_load(store, error);
    if (status != NV_OK)
        return status;
    struct draft draft = {.store = store, .db = nv_published_db(store), .arena = arena};
    if (strlen(sql) > NV_LIMIT_SQL_BYTES)
        return nv_fail(error, NV_REFUSED, "the schema file has over %u bytes: publish it in two", NV_LIMIT_SQL_BYTES);
    status = nv_db_exec(draft.db, manifest_sql, error);
    if (status == NV_OK)
        status = take_statements(&draft, sql, error);
    if (status == NV_OK)
        status = take_tables(&draft, error);
    if (status == NV_OK)
        status = judge_named_columns(&draft, error);
    if (status == NV_OK && summary != NULL)
        status = summarize(&draft, summary, error);
    if (sqlite3_exec(draft.db, "ROLLBACK", NULL, NULL, NULL) != SQLITE_OK) {
        nv_published_done(store); /* it would go on with what was only tried */
        status = status == NV_OK ? nv_no_memory(error) : status;
    }
    if (status == NV_OK)
        *ret_op = (struct nv_schema_op){.statement_count = draft.statement_count,
                                        .statements = draft.statements,
                                        .table_count = draft.table_count,
                                        .tables = draft.tables};
    return status;
}
