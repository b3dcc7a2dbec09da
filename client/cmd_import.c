/* navette import: the tables that people have become records; the last import is taken back. */
#include <string.h>

#include "client/command.h"
#include "client/import/run.h"
#include "client/import/undo.h"
#include "client/language.h"
#include "client/words.h"

/* ---- what can be undone ---- */

static bool tell_json(const struct nv_past_import *import, void *context)
{
    return json_array_append_new(
               context, json_pack("{s:I, s:o, s:o, s:I, s:I, s:I}", "number", (json_int_t)import->number, "table",
                                  nv_json_text(import->table == NULL ? NULL : import->table->name), "file",
                                  nv_json_text(import->file), "at_ms", (json_int_t)import->at.ms, "created",
                                  (json_int_t)import->created, "changed", (json_int_t)import->changed)) == 0;
}

static bool tell_line(const struct nv_past_import *import, void *context)
{
    struct nv_grid *grid = context;
    nv_grid_time(grid, import->at);
    nv_grid_cell(grid, import->table == NULL ? "?" : import->table->name);
    nv_grid_number(grid, (uint64_t)import->created);
    nv_grid_number(grid, (uint64_t)import->changed);
    nv_grid_cell(grid, import->file);
    return true;
}

static enum nv_status list(struct nv_call *call, struct nv_store *store, struct nv_error *error)
{
    struct nv_grid grid = {.columns = 5};
    if (call->json) {
        json_t *json = json_array();
        enum nv_status status = nv_imports_list(store, tell_json, json, error);
        if (status == NV_OK)
            return nv_print_json(json, error);
        json_decref(json);
        return status;
    }
    const char *const heading[] = {_("WHEN"), _("TABLE"), _("MADE"), _("CHANGED"), _("FILE")};
    for (size_t i = 0; i < grid.columns; i++)
        nv_grid_cell(&grid, heading[i]);
    enum nv_status status = nv_imports_list(store, tell_line, &grid, error);
    if (status == NV_OK && grid.cell_count == grid.columns)
        nv_say(_("There is no import that could be undone: `navette help import` says how to import a file."));
    else if (status == NV_OK)
        status = nv_grid_print(&grid, 0, error);
    nv_grid_done(&grid);
    return status;
}

static void say_undone(const struct nv_undone *undone)
{
    size_t i;
    json_t *one;
    uint64_t left = undone->left_records + undone->left_fields;
    nv_say(_("%s is taken back:"), undone->import.file);
    nv_say(NV_PLURAL("  %llu record deleted", "  %llu records deleted", undone->deleted),
           (unsigned long long)undone->deleted);
    nv_say(
        NV_PLURAL("  %llu field has its old value again", "  %llu fields have their old values again", undone->fields),
        (unsigned long long)undone->fields);
    if (left == 0)
        return;
    nv_say(NV_PLURAL("%llu stays as it is, because it changed since or other records belong to it:",
                     "%llu stay as they are, because they changed since or other records belong to them:", left),
           (unsigned long long)left);
    json_array_foreach(undone->left, i, one)
    {
        nv_say("  %s", json_string_value(json_object_get(one, "key")));
    }
}

static enum nv_status undo(struct nv_call *call, struct nv_store *store, struct nv_error *error)
{
    struct nv_undone undone;
    enum nv_status status = nv_import_undo(store, &undone, error);
    if (status != NV_OK)
        return status;
    if (call->json)
        return nv_print_json(json_pack("{s:s, s:o, s:I, s:I, s:I, s:I, s:o}", "table", undone.import.table->name,
                                       "file", nv_json_text(undone.import.file), "deleted", (json_int_t)undone.deleted,
                                       "fields", (json_int_t)undone.fields, "left_records",
                                       (json_int_t)undone.left_records, "left_fields", (json_int_t)undone.left_fields,
                                       "left", undone.left),
                             error);
    say_undone(&undone);
    json_decref(undone.left);
    return NV_OK;
}

/* ---- a file ---- */

static enum nv_status run(struct nv_call *call, struct nv_store *store, struct nv_error *error)
{
    struct nv_import_wishes wishes = {.file = call->words[0],
                                      .table = nv_option(call, "--into"),
                                      .map = nv_option(call, "--map"),
                                      .save_map = nv_option(call, "--save-map"),
                                      .rejected = nv_option(call, "--rejected"),
                                      .is_trial = nv_option(call, "--dry-run") != NULL,
                                      .skips_errors = nv_option(call, "--skip-errors") != NULL};
    struct nv_import import = {0};
    struct nv_import_outcome outcome;
    enum nv_status status = nv_import_run(store, &wishes, &import, &outcome, error);
    if (status == NV_OK)
        status = call->json ? nv_import_say_json(&import, &wishes, &outcome, error)
                            : nv_import_say(&import, &wishes, &outcome, error);
    nv_import_done(&import);
    return status;
}

static enum nv_status check_options(const struct nv_call *call, struct nv_error *error)
{
    bool has_file = call->word_count > 0, has_table = nv_option(call, "--into") != NULL;
    if (has_file && (nv_option(call, "--undo") != NULL || nv_option(call, "--template") != NULL))
        return nv_fail(error, NV_USAGE, "--undo and --template take no file");
    if (has_file != has_table)
        return nv_fail(error, NV_USAGE, "name the file and its table: navette import FILE.csv --into TABLE");
    if (nv_option(call, "--rejected") != NULL && nv_option(call, "--skip-errors") == NULL)
        return nv_fail(error, NV_USAGE, "--rejected goes with --skip-errors, which leaves lines out");
    return NV_OK;
}

enum nv_status nv_command_import(struct nv_call *call, struct nv_error *error)
{
    struct nv_store *store = NULL;
    enum nv_status status = check_options(call, error);
    if (status == NV_OK)
        status = nv_home_open(&call->home, &store, error);
    if (status == NV_OK) {
        if (call->word_count > 0)
            status = run(call, store, error);
        else if (nv_option(call, "--undo") != NULL)
            status = undo(call, store, error);
        else if (nv_option(call, "--template") != NULL)
            status = nv_import_template(store, nv_option(call, "--template"), error);
        else
            status = list(call, store, error);
    }
    nv_store_close(store);
    return status;
}
