#include "client/vouched.h"

#include <stdlib.h>

#include "client/language.h"
#include "client/sites.h"
#include "client/words.h"

/* The names of those who vouch, between commas. */
static void list_names(const struct nv_store *store, const struct nv_vouched *vouched, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < vouched->by_count && used < size; i++) {
        char name[NV_SITE_TEXT];
        nv_site_name(store, vouched->by[i], name);
        used += (size_t)snprintf(text + used, size - used, "%s%s", i == 0 ? "" : ", ", name);
    }
}

enum nv_status nv_say_vouched(struct nv_store *store, struct nv_error *error)
{
    char name[NV_SITE_TEXT], names[NV_VOUCHERS_SHOWN * (NV_SITE_TEXT + 2)];
    struct nv_vouched *list;
    size_t count;
    enum nv_status status = nv_store_vouched(store, &list, &count, error);
    if (status != NV_OK)
        return status;
    for (size_t i = 0; i < count; i++) {
        nv_site_name(store, list[i].site, name);
        list_names(store, &list[i], names, sizeof names);
        if (list[i].changesets > 0)
            nv_say(NV_PLURAL("A right was taken from %s: %llu changeset of it counts by the word of %s",
                             "A right was taken from %s: %llu changesets of it count by the word of %s",
                             list[i].changesets),
                   name, (unsigned long long)list[i].changesets, names);
        if (list[i].held > 0)
            nv_say(NV_PLURAL("A right was taken from %s: %llu changeset of it is set aside, and counts for nothing",
                             "A right was taken from %s: %llu changesets of it are set aside, and count for nothing",
                             list[i].held),
                   name, (unsigned long long)list[i].held);
    }
    free(list);
    return NV_OK;
}

enum nv_status nv_vouched_json(struct nv_store *store, json_t **ret_list, struct nv_error *error)
{
    char name[NV_SITE_TEXT], scope[NV_SCOPE_TEXT];
    struct nv_vouched *list;
    size_t count;
    enum nv_status status = nv_store_vouched(store, &list, &count, error);
    if (status != NV_OK)
        return status;
    *ret_list = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *by = json_array();
        for (size_t j = 0; j < list[i].by_count; j++) {
            nv_site_name(store, list[i].by[j], name);
            json_array_append_new(by, nv_json_text(name));
        }
        nv_site_name(store, list[i].site, name);
        nv_scope_name(store, list[i].scope, scope);
        json_array_append_new(*ret_list, json_pack("{s:o, s:o, s:o, s:I, s:o, s:I}", "site", nv_json_text(name), "id",
                                                   nv_json_hex(list[i].site.bytes, sizeof list[i].site.bytes), "scope",
                                                   nv_json_text(scope), "changesets", (json_int_t)list[i].changesets,
                                                   "by", by, "held", (json_int_t)list[i].held));
    }
    free(list);
    return NV_OK;
}
