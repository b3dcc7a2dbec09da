#include "client/import/run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/import/file.h"
#include "client/import/limits.h"
#include "client/output.h"
#include "client/records.h"
#include "client/transaction.h"

/* ---- before anything is written ---- */

static enum nv_status read_file(const struct nv_import_wishes *wishes, struct nv_import *import, bool *ret_converted,
                                struct nv_error *error)
{
    struct nv_buffer text = {0};
    enum nv_status status = nv_import_read_file(wishes->file, &text, ret_converted, error);
    if (status == NV_OK)
        status = nv_csv_read(wishes->file, nv_buffer_slice(&text), &import->csv, error);
    nv_buffer_done(&text);
    return status;
}

static enum nv_status match_headers(const struct nv_import_wishes *wishes, struct nv_import *import,
                                    struct nv_error *error)
{
    struct nv_map map = {0};
    enum nv_status status = wishes->map == NULL ? NV_OK : nv_map_read(wishes->map, &map, error);
    if (status == NV_OK)
        status = nv_mapping_match(&import->mapping, &import->csv, wishes->map == NULL ? NULL : &map, wishes->map,
                                  &import->report, error);
    nv_map_done(&map);
    if (status == NV_OK && import->report.total == 0 && wishes->save_map != NULL)
        status = nv_mapping_save(&import->mapping, wishes->save_map, error);
    return status;
}

static enum nv_status prepare(struct nv_store *store, const struct nv_import_wishes *wishes, struct nv_import *import,
                              bool *ret_converted, struct nv_error *error)
{
    const struct nv_table *table;
    /* A line's values are at most its cells, and what is made of them. */
    *import = (struct nv_import){.store = store,
                                 .arena = {.limit = 4 * (size_t)NV_IMPORT_COLUMNS * NV_IMPORT_CELL_BYTES},
                                 .keeps_rejected = wishes->skips_errors};
    enum nv_status status = nv_find_table(store, wishes->table, &table, error);
    if (status == NV_OK)
        status = nv_mapping_open(store, table, &import->mapping, error);
    if (status == NV_OK)
        status = nv_report_init(&import->report, import->mapping.sheet.count, error);
    if (status == NV_OK)
        status = read_file(wishes, import, ret_converted, error);
    if (status == NV_OK)
        status = match_headers(wishes, import, error);
    if (status != NV_OK)
        return status;
    size_t columns = import->mapping.sheet.count;
    import->told = calloc(columns, sizeof *import->told);
    import->parents = calloc(columns, sizeof *import->parents);
    import->exist = calloc(columns, sizeof(sqlite3_stmt *));
    if (import->told == NULL || import->parents == NULL || import->exist == NULL)
        return nv_no_memory(error);
    import->report.lines = import->csv.record_count - 1;
    return NV_OK;
}

/* ---- the lines ---- */

static bool take_line(struct nv_import *import, struct nv_error *error)
{
    if (!nv_import_read_line(import, error))
        return false;
    if (import->refused.size == 0 && !nv_import_find(import, error))
        return false;
    if (import->refused.size == 0 && !nv_import_write_line(import, error))
        return false;
    if (import->refused.size == 0)
        return true;
    import->report.refused++;
    if (import->keeps_rejected)
        nv_import_reject(import);
    if (!import->rejected.failed)
        return true;
    nv_no_memory(error);
    return false;
}

static enum nv_status take_lines(struct nv_import *import, struct nv_error *error)
{
    enum { PROGRESS_EVERY = 1000 };
    if (import->keeps_rejected)
        nv_import_reject_header(import);
    for (size_t i = 1; i < import->csv.record_count; i++) {
        import->record = &import->csv.records[i];
        if (!take_line(import, error)) {
            nv_progress_end();
            return error->status;
        }
        if (i % PROGRESS_EVERY == 0)
            nv_progress(i, import->csv.record_count);
    }
    nv_progress_end();
    return NV_OK;
}

/* ---- the lines that were refused ---- */

static void name_rejected(const struct nv_import_wishes *wishes, struct nv_import_outcome *outcome)
{
    size_t size = strlen(wishes->file);
    if (size > 4 && strcasecmp(wishes->file + size - 4, ".csv") == 0)
        size -= 4;
    if (wishes->rejected != NULL)
        snprintf(outcome->rejected, sizeof outcome->rejected, "%s", wishes->rejected);
    else
        snprintf(outcome->rejected, sizeof outcome->rejected, "%.*s.rejected.csv",
                 (int)(size < sizeof outcome->rejected ? size : sizeof outcome->rejected), wishes->file);
}

static bool write_all(int file, struct nv_slice bytes)
{
    while (bytes.size > 0) {
        ssize_t size = write(file, bytes.data, bytes.size);
        if (size < 0 && errno != EINTR)
            return false;
        bytes.data += size > 0 ? size : 0;
        bytes.size -= size > 0 ? (size_t)size : 0;
    }
    return fsync(file) == 0;
}

/* Before the import counts, so that no refused line is nowhere. */
static enum nv_status write_rejected(const struct nv_import *import, const struct nv_import_wishes *wishes,
                                     struct nv_import_outcome *outcome, struct nv_error *error)
{
    name_rejected(wishes, outcome);
    int file = open(outcome->rejected, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int why = errno;
    bool done = file >= 0 && write_all(file, nv_buffer_slice(&import->rejected));
    why = file >= 0 && !done ? errno : why;
    if (file >= 0)
        close(file);
    if (done)
        return NV_OK;
    if (file >= 0)
        unlink(outcome->rejected);
    return nv_fail(error, NV_REFUSED,
                   "the refused lines cannot be written to %s (%s), so nothing was imported: name another file with "
                   "--rejected",
                   outcome->rejected, strerror(why));
}

/* ---- the whole ---- */

/* What is done in the import's own transaction: the lines, what can be undone of them, the file of those refused. */
static enum nv_status work(struct nv_import *import, const struct nv_import_wishes *wishes,
                           struct nv_import_outcome *outcome, struct nv_error *error)
{
    enum nv_status status = nv_import_note_begin(import, wishes->file, error);
    if (status == NV_OK)
        status = take_lines(import, error);
    outcome->is_written = !wishes->is_trial && (import->report.refused == 0 || wishes->skips_errors);
    if (status == NV_OK && outcome->is_written)
        status = nv_import_note_end(import, error);
    if (status == NV_OK && outcome->is_written && import->report.refused > 0)
        status = write_rejected(import, wishes, outcome, error);
    return status;
}

enum nv_status nv_import_run(struct nv_store *store, const struct nv_import_wishes *wishes, struct nv_import *import,
                             struct nv_import_outcome *ret_outcome, struct nv_error *error)
{
    struct nv_import_outcome outcome = {0};
    enum nv_status status = prepare(store, wishes, import, &outcome.converted, error);
    if (status == NV_OK && import->report.total == 0) {
        status = nv_transaction_begin(store, error);
        if (status != NV_OK)
            return status;
        status = work(import, wishes, &outcome, error);
        if (status == NV_OK && outcome.is_written) {
            status = nv_transaction_end(store, NV_OK, error);
            if (status != NV_OK && outcome.rejected[0] != '\0')
                unlink(outcome.rejected);
        } else {
            nv_transaction_end(store, NV_REFUSED, NULL);
        }
    }
    if (status == NV_OK)
        *ret_outcome = outcome;
    return status;
}

void nv_import_done(struct nv_import *import)
{
    sqlite3_stmt *const statements[] = {import->by_key,         import->by_telling, import->insert,
                                        import->insert_keyless, import->seen,       import->see,
                                        import->note_record,    import->note_cell,  import->update.statement};
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
        sqlite3_finalize(statements[i]);
    for (size_t i = 0; i < import->mapping.sheet.count; i++) {
        sqlite3_finalize(import->parents == NULL ? NULL : import->parents[i].statement);
        sqlite3_finalize(import->exist == NULL ? NULL : import->exist[i]);
    }
    free(import->told);
    free(import->parents);
    free(import->exist);
    nv_buffer_done(&import->key);
    nv_buffer_done(&import->refused);
    nv_buffer_done(&import->rejected);
    nv_arena_done(&import->arena);
    nv_report_done(&import->report);
    nv_csv_done(&import->csv);
    nv_mapping_done(&import->mapping);
}
