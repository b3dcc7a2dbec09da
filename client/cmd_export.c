/* navette export: a table for a spreadsheet, or all that is held on one record. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "client/command.h"
#include "client/export/export.h"
#include "client/records.h"
#include "store/care.h"

static enum nv_status write_record(const struct nv_dossier *dossier, const char *format, FILE *file,
                                   struct nv_error *error)
{
    if (strcmp(format, "html") == 0)
        return nv_dossier_write_html(dossier, file, error);
    if (strcmp(format, "text") == 0)
        return nv_dossier_write_text(dossier, file, error);
    if (json_dumpf(dossier->json, file, JSON_COMPACT) != 0 || fputc('\n', file) == EOF)
        return nv_fail(error, NV_IO, "the export could not be written: %s", strerror(errno));
    return NV_OK;
}

static enum nv_status export_record(struct nv_call *call, struct nv_store *store, const struct nv_table *table,
                                    const char *format, FILE *file, struct nv_error *error)
{
    struct nv_buffer key = {0};
    struct nv_dossier dossier = {0};
    enum nv_status status = nv_key_from_text(table, call->words[1], &key, error);
    if (status == NV_OK)
        status = nv_dossier_gather(store, table, nv_buffer_slice(&key), &dossier, error);
    if (status == NV_OK)
        status = write_record(&dossier, format, file, error);
    nv_dossier_done(&dossier);
    nv_buffer_done(&key);
    return status;
}

/* What is exported may be people's: the file is its owner's alone, and none is written over. */
static enum nv_status open_output(const char *path, FILE **ret_file, struct nv_error *error)
{
    *ret_file = stdout;
    if (path == NULL)
        return NV_OK;
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    *ret_file = file < 0 ? NULL : fdopen(file, "w");
    if (*ret_file != NULL)
        return NV_OK;
    enum nv_status status = nv_fail(error, NV_REFUSED, "%s cannot be made: %s", path, strerror(errno));
    if (file >= 0)
        close(file);
    return status;
}

static enum nv_status close_output(const char *path, FILE *file, enum nv_status status, struct nv_error *error)
{
    if (path == NULL || file == NULL)
        return status;
    bool is_whole = fflush(file) == 0 && fsync(fileno(file)) == 0;
    is_whole = fclose(file) == 0 && is_whole;
    if (status == NV_OK && !is_whole)
        status = nv_fail(error, NV_IO, "%s cannot be written: %s", path, strerror(errno));
    if (status != NV_OK)
        unlink(path);
    return status;
}

/* --format, or what --json and the shape of the call say. */
static enum nv_status choose_format(const struct nv_call *call, const char **ret_format, struct nv_error *error)
{
    bool is_record = call->word_count > 1;
    const char *format = nv_option(call, "--format");
    if (format == NULL)
        format = !is_record ? "csv" : call->json ? "json" : "text";
    *ret_format = format;
    if (!is_record && strcmp(format, "csv") != 0)
        return nv_fail(error, NV_USAGE,
                       "a table is exported as csv; one record (export TABLE KEY) as text, html or json");
    if (is_record && strcmp(format, "text") != 0 && strcmp(format, "html") != 0 && strcmp(format, "json") != 0)
        return nv_fail(error, NV_USAGE, "a record is exported as text, html or json; a table as csv");
    if (is_record && nv_option(call, "--codes") != NULL)
        return nv_fail(error, NV_USAGE, "--codes goes with a whole table");
    return NV_OK;
}

enum nv_status nv_command_export(struct nv_call *call, struct nv_error *error)
{
    struct nv_store *store = NULL;
    const struct nv_table *table = NULL;
    const char *format, *path = nv_option(call, "--output");
    FILE *file = NULL;
    enum nv_status status = choose_format(call, &format, error);
    if (status == NV_OK)
        status = nv_home_open(&call->home, &store, error);
    if (status == NV_OK)
        status = nv_find_table(store, call->words[0], &table, error);
    if (status == NV_OK)
        status = open_output(path, &file, error);
    if (status == NV_OK) {
        if (call->word_count > 1)
            status = export_record(call, store, table, format, file, error);
        else
            status = nv_export_rows(store, table, nv_option(call, "--codes") != NULL, file, error);
    }
    status = close_output(path, file, status, error);
    nv_store_close(store);
    return status;
}
