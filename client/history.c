#include "client/history.h"

#include <stdio.h>

#include "client/language.h"
#include "client/output.h"
#include "client/sites.h"
#include "store/trust/rights.h"

const char *nv_op_kind_name(enum nv_op_kind kind)
{
    switch (kind) {
    case NV_OP_PUT:
        return "put";
    case NV_OP_DELETE:
        return N_("delete"); /* the one that is told of a record in words */
    case NV_OP_REDACT:
        return "redact";
    case NV_OP_SEALED:
        return "sealed";
    case NV_OP_GRANT:
        return "grant";
    case NV_OP_ASK:
        return "ask";
    case NV_OP_GENESIS:
        return "genesis";
    case NV_OP_CERTIFICATE:
        return "certificate";
    case NV_OP_SCHEMA:
        return "schema";
    case NV_OP_GROUP:
        return "group";
    case NV_OP_READER:
        return "reader";
    case NV_OP_REMOVAL:
        return "removal";
    case NV_OP_REVOCATION:
        return "revocation";
    }
    return "unknown";
}

struct telling {
    const struct nv_store *store;
    json_t *list;
    bool lost; /* memory ran out */
};

static bool tell_json(const struct nv_history_entry *entry, void *context)
{
    struct telling *telling = context;
    char site[NV_SITE_TEXT], epoch[20];
    json_t *fields = json_object();
    char scope[NV_SCOPE_TEXT];
    nv_scope_name(telling->store, entry->scope, scope);
    snprintf(epoch, sizeof epoch, "%016llx", (unsigned long long)entry->epoch);
    nv_site_name(telling->store, entry->site, site);
    for (size_t i = 0, n = 0; !entry->is_redacted && i < entry->table->field_count; i++)
        if (entry->op->kind == NV_OP_PUT && entry->op->fields >> i & 1)
            json_object_set_new(fields, entry->table->fields[i].name, nv_json_value(&entry->op->values[n++]));
    json_t *json = json_pack("{s:s, s:o, s:o, s:o, s:s, s:I, s:I, s:o, s:b, s:o}", "kind", nv_op_kind_name(entry->kind),
                             "scope", nv_json_text(scope), "site", nv_json_text(site), "site_id",
                             nv_json_hex(entry->site.bytes, sizeof entry->site.bytes), "epoch", epoch, "seq",
                             (json_int_t)entry->seq, "index", (json_int_t)entry->index, "time_ms",
                             entry->is_redacted ? json_null() : json_integer(entry->time.ms), "redacted",
                             (int)entry->is_redacted, "fields", fields);
    telling->lost = json_array_append_new(telling->list, json) != 0;
    return !telling->lost;
}

enum nv_status nv_history_json(struct nv_store *store, const struct nv_table *table, struct nv_slice key,
                               json_t **ret_list, struct nv_error *error)
{
    struct telling telling = {.store = store, .list = json_array()};
    if (telling.list == NULL)
        return nv_no_memory(error);
    enum nv_status status = nv_store_history(store, table->name, key, tell_json, &telling, error);
    if (status == NV_OK && telling.lost)
        status = nv_no_memory(error);
    if (status != NV_OK)
        json_decref(telling.list);
    else
        *ret_list = telling.list;
    return status;
}
