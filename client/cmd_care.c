/* navette verify, digest, rebuild: whether the store is what the logs say. */
#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "client/command.h"
#include "client/language.h"
#include "store/care.h"
#include "store/db.h"
#include "store/trust/rights.h"

/* ---- verify ---- */

/* SQLite's own look at its file: which of its lines is not "ok", appended to `faults` (NUL-terminated). */
static enum nv_status check_file(struct nv_store *store, struct nv_buffer *faults, struct nv_error *error)
{
    sqlite3_stmt *statement = nv_db_prepare(nv_store_db(store), "PRAGMA integrity_check(20)", error);
    enum nv_status status = statement == NULL ? error->status : NV_OK;
    bool row = false;
    while (status == NV_OK && (status = nv_db_step(statement, &row, error)) == NV_OK && row) {
        const char *line = (const char *)sqlite3_column_text(statement, 0);
        if (line == NULL || strcmp(line, "ok") == 0)
            continue;
        if (faults->size > 0)
            nv_buffer_append_byte(faults, '\n');
        nv_buffer_append(faults, line, strlen(line));
    }
    nv_buffer_append_byte(faults, '\0');
    sqlite3_finalize(statement);
    return status;
}

static enum nv_status print_verified(const struct nv_call *call, const struct nv_verified *verified, bool is_deep,
                                     const struct nv_buffer *faults, struct nv_error *error)
{
    const char *file = is_deep ? (const char *)faults->data : "";
    if (call->json)
        return nv_print_json(json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "logs", (json_int_t)verified->logs,
                                       "changesets", (json_int_t)verified->changesets, "ops", (json_int_t)verified->ops,
                                       "redacted", (json_int_t)verified->redacted, "no_ops",
                                       (json_int_t)verified->no_ops, "bad", (json_int_t)verified->bad, "first",
                                       verified->bad == 0 ? json_null() : nv_json_text(verified->first), "file",
                                       !is_deep          ? json_null()
                                       : file[0] == '\0' ? json_string("ok")
                                                         : nv_json_text(file)),
                             error);
    printf(_("logs        %llu\nchangesets  %llu\nchanges     %llu (%llu removed)\n"),
           (unsigned long long)verified->logs, (unsigned long long)verified->changesets,
           (unsigned long long)verified->ops, (unsigned long long)verified->redacted);
    if (verified->no_ops > 0)
        printf(_("no effect   %llu: changes that their site signed against the protocol; they count nowhere\n"),
               (unsigned long long)verified->no_ops);
    if (verified->bad == 0)
        puts(_("Every changeset is what its site signed."));
    else
        printf(_("bad         %llu: not what their site signed. The first: %s\n"
                 "The store was damaged or tampered with: keep a copy of it, then restore a backup or join anew.\n"),
               (unsigned long long)verified->bad, verified->first);
    if (is_deep && file[0] == '\0')
        puts(_("SQLite finds the file sound."));
    else if (is_deep)
        printf(_("SQLite finds the file damaged: %s\n"), file);
    return NV_OK;
}

enum nv_status nv_command_verify(struct nv_call *call, struct nv_error *error)
{
    struct nv_store *store = NULL;
    struct nv_verified verified = {0};
    struct nv_buffer faults = {0};
    bool is_deep = nv_option(call, "--deep") != NULL;
    enum nv_status status = nv_home_open(&call->home, &store, error);
    if (status == NV_OK)
        status = nv_store_verify(store, &verified, nv_progress, error);
    nv_progress_end();
    if (status == NV_OK && is_deep)
        status = check_file(store, &faults, error);
    if (status == NV_OK && faults.failed)
        status = nv_fail(error, NV_NO_MEMORY, "out of memory");
    if (status == NV_OK)
        status = print_verified(call, &verified, is_deep, &faults, error);
    bool is_bad = verified.bad > 0 || faults.size > 1;
    nv_buffer_done(&faults);
    nv_store_close(store);
    return status == NV_OK && is_bad ? NV_NOT_SO : status;
}

/* ---- digest ---- */

/* What is known of one scope while it is not closed may be something else at the next site. */
static void add_line(struct nv_grid *grid, const char *scope, const struct nv_scope_digest *digest)
{
    char state[2 * sizeof digest->state.bytes + 1], vector[2 * sizeof digest->vector.bytes + 1];
    nv_hex(digest->state.bytes, sizeof digest->state.bytes, state);
    nv_hex(digest->vector.bytes, sizeof digest->vector.bytes, vector);
    nv_grid_cell(grid, scope);
    nv_grid_cell(grid, digest->closed ? state : _("catching up"));
    nv_grid_cell(grid, digest->closed ? vector : "");
    nv_grid_number(grid, digest->records);
    nv_grid_number(grid, digest->shown);
}

static json_t *digest_json(const char *scope, const struct nv_scope_digest *digest)
{
    return json_pack("{s:o, s:o, s:o, s:I, s:I, s:b}", "scope", nv_json_text(scope), "state",
                     nv_json_hex(digest->state.bytes, sizeof digest->state.bytes), "vector",
                     nv_json_hex(digest->vector.bytes, sizeof digest->vector.bytes), "records",
                     (json_int_t)digest->records, "shown", (json_int_t)digest->shown, "closed", (int)digest->closed);
}

/* A line, or an item of the list, for each scope that this site reads. */
static enum nv_status digest_scopes(struct nv_store *store, struct nv_grid *grid, json_t *list, bool *ret_closed,
                                    struct nv_error *error)
{
    static struct nv_scope_id scopes[NV_SCOPES_READ];
    size_t count = nv_store_scopes(store, scopes, NV_SCOPES_READ);
    enum nv_status status = NV_OK;
    *ret_closed = true;
    for (size_t i = 0; status == NV_OK && i < count; i++) {
        struct nv_scope_digest digest;
        char scope[NV_SCOPE_TEXT];
        nv_scope_name(store, scopes[i], scope);
        status = nv_store_digest(store, scopes[i], &digest, error);
        if (status != NV_OK)
            break;
        *ret_closed = *ret_closed && digest.closed;
        if (list == NULL)
            add_line(grid, scope, &digest);
        else if (json_array_append_new(list, digest_json(scope, &digest)) != 0)
            status = nv_fail(error, NV_NO_MEMORY, "out of memory");
    }
    return status;
}

enum nv_status nv_command_digest(struct nv_call *call, struct nv_error *error)
{
    static const char *const headings[] = {N_("SCOPE"), N_("STATE"), N_("VECTOR"), N_("RECORDS"), N_("SHOWN")};
    struct nv_store *store = NULL;
    struct nv_grid grid = {.columns = sizeof headings / sizeof *headings};
    json_t *list = call->json ? json_array() : NULL;
    bool is_closed = true;
    for (size_t i = 0; i < grid.columns; i++)
        nv_grid_cell(&grid, _(headings[i]));
    enum nv_status status = nv_home_open(&call->home, &store, error);
    if (status == NV_OK)
        status = digest_scopes(store, &grid, list, &is_closed, error);
    if (status == NV_OK && call->json) {
        status = nv_print_json(list, error);
        list = NULL;
    } else if (status == NV_OK) {
        status = nv_grid_print(&grid, 0, error);
    }
    json_decref(list);
    nv_grid_done(&grid);
    nv_store_close(store);
    return status == NV_OK && !is_closed ? NV_NOT_SO : status;
}

/* ---- rebuild ---- */

static enum nv_status print_rebuilt(const struct nv_call *call, const struct nv_rebuilt *rebuilt,
                                    struct nv_error *error)
{
    if (call->json)
        return nv_print_json(json_pack("{s:I, s:I, s:I}", "records", (json_int_t)rebuilt->records, "versions_mended",
                                       (json_int_t)rebuilt->versions_mended, "rows_mended",
                                       (json_int_t)rebuilt->rows_mended),
                             error);
    printf(_("records  %llu\n"), (unsigned long long)rebuilt->records);
    if (rebuilt->versions_mended == 0 && rebuilt->rows_mended == 0)
        puts(_("All were what the logs say."));
    else
        printf(_("mended   %llu rows, %llu states\n"), (unsigned long long)rebuilt->rows_mended,
               (unsigned long long)rebuilt->versions_mended);
    return NV_OK;
}

enum nv_status nv_command_rebuild(struct nv_call *call, struct nv_error *error)
{
    struct nv_store *store = NULL;
    struct nv_sign_key sign = {0};
    struct nv_rebuilt rebuilt = {0};
    enum nv_status status = nv_home_open(&call->home, &store, error);
    if (status == NV_OK)
        status = nv_sign_key_load(call->home.keys, "sign.key", &sign, error);
    if (status == NV_OK) {
        nv_store_set_signer(store, &sign);
        status = nv_store_rebuild(store, nv_wall_now(), &rebuilt, nv_progress, error);
        nv_progress_end();
        nv_store_set_signer(store, NULL);
    }
    if (status == NV_OK)
        status = print_rebuilt(call, &rebuilt, error);
    nv_store_close(store);
    nv_wipe(&sign, sizeof sign);
    return status;
}
