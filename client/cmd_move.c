/* navette move: another scope for a record, and for the records below it. */
#include "client/command.h"
#include "client/language.h"
#include "client/records.h"
#include "store/care.h"
#include "store/moves.h"
#include "store/trust/rights.h"

enum nv_status nv_command_move(struct nv_call *call, struct nv_error *error)
{
    struct nv_store *store = NULL;
    const struct nv_table *table = NULL;
    struct nv_buffer key = {0};
    struct nv_scope_id scope;
    enum nv_status status = nv_home_open(&call->home, &store, error);
    if (status == NV_OK)
        status = nv_find_table(store, call->words[0], &table, error);
    if (status == NV_OK)
        status = nv_key_from_text(table, call->words[1], &key, error);
    if (status == NV_OK)
        status = nv_scope_from_name(store, call->words[2], &scope, error);
    if (status == NV_OK)
        status = nv_store_move(store, call->words[0], nv_buffer_slice(&key), scope, error);
    if (status == NV_OK && call->json)
        status = nv_print_json(json_pack("{s:o, s:o, s:o}", "table", nv_json_text(call->words[0]), "key",
                                         nv_json_text(call->words[1]), "scope", nv_json_text(call->words[2])),
                               error);
    else if (status == NV_OK)
        printf(_("It goes to %.200s while the daemon runs, and leaves where it was once another site or the hub has "
                 "it.\n"),
               call->words[2]);
    nv_buffer_done(&key);
    nv_store_close(store);
    return status;
}
