/* navette conflicts, resolve: what was written apart, and a person's answer to it. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "client/command.h"
#include "client/conflicts.h"
#include "client/language.h"
#include "client/records.h"
#include "store/care.h"

enum nv_status nv_command_conflicts(struct nv_call *call, struct nv_error *error)
{
    struct nv_store *store = NULL;
    struct nv_slice no_key = {0};
    json_t *list = NULL;
    size_t open = 0;
    enum nv_status status = nv_home_open(&call->home, &store, error);
    if (status == NV_OK && call->json) {
        status = nv_conflicts_json(store, NULL, no_key, &list, error);
        open = json_array_size(list);
        if (status == NV_OK)
            status = nv_print_json(list, error);
    } else if (status == NV_OK) {
        status = nv_conflicts_print(store, NULL, no_key, &open, error);
        if (status == NV_OK && open == 0)
            puts(_("No conflict is open."));
    }
    nv_store_close(store);
    return status == NV_OK && open > 0 ? NV_NOT_SO : status;
}

/* The one of --take, --value, --null that was given: a choice from 1, or 0 and a value. */
static enum nv_status read_answer(const struct nv_call *call, int *ret_choice, const char **ret_value,
                                  struct nv_error *error)
{
    int64_t choice;
    const char *value = nv_option(call, "--value");
    int given = (nv_option(call, "--take") != NULL) + (value != NULL) + (nv_option(call, "--null") != NULL);
    if (given != 1)
        return nv_fail(error, NV_USAGE,
                       "say what the answer is with one of: --take N (a value that `navette conflicts` numbers), "
                       "--value V (another value), --null");
    enum nv_status status = nv_option_number(call, "--take", 1, 1000000, 0, &choice, error);
    *ret_choice = (int)choice;
    *ret_value = value;
    return status;
}

enum nv_status nv_command_resolve(struct nv_call *call, struct nv_error *error)
{
    struct nv_store *store = NULL;
    const struct nv_table *table = NULL;
    struct nv_buffer key = {0};
    const char *field = strcmp(call->words[2], "-") == 0 ? NULL : call->words[2], *value = NULL;
    int choice = 0;
    enum nv_status status = read_answer(call, &choice, &value, error);
    if (status == NV_OK && field == NULL && choice == 0)
        status = nv_fail(error, NV_USAGE,
                         "a record that was deleted and edited is kept with --take 1, deleted with "
                         "--take 2");
    if (status == NV_OK)
        status = nv_home_open(&call->home, &store, error);
    if (status == NV_OK)
        status = nv_find_table(store, call->words[0], &table, error);
    if (status == NV_OK)
        status = nv_key_from_text(table, call->words[1], &key, error);
    /* By the caller's own word: resolving may load the tables anew, and `table` is gone then. */
    if (status == NV_OK)
        status = nv_conflict_resolve(store, call->words[0], nv_buffer_slice(&key), field, choice, value, nv_wall_now(),
                                     error);
    if (status == NV_OK && call->json)
        status = nv_print_json(json_pack("{s:b}", "answered", 1), error);
    else if (status == NV_OK)
        puts(_("Answered. The conflict is gone everywhere once the answer has travelled."));
    nv_buffer_done(&key);
    nv_store_close(store);
    return status;
}
