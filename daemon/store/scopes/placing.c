#include "store/scopes/placing.h"

enum nv_status nv_scope_of_new(struct nv_merge *merge, const struct nv_table *table, struct nv_slice key,
                               struct nv_error *error)
{
    (void)table;
    (void)key;
    (void)error;
    merge->scope = NV_SCOPE_NUMBER_NETWORK;
    return NV_OK;
}
