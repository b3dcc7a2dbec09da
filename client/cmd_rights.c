/* navette group, revoke: who may read and write, given and taken by the authority. */
#include <string.h>

#include "base/clock.h"
#include "client/command.h"
#include "client/language.h"
#include "client/sites.h"
#include "client/words.h"

enum { CHANGES_MOST = NV_CALL_OPTIONS };

/* Who takes a right away signs twice: as the authority, and before that as the site, which vouches for what it merged.
 */
struct keys {
    struct nv_sign_key authority, site;
};

static enum nv_status load_keys(const struct nv_call *call, struct nv_store *store, struct keys *ret_keys,
                                struct nv_error *error)
{
    enum nv_status status = nv_home_authority(&call->home, &ret_keys->authority, error);
    if (status == NV_OK)
        status = nv_sign_key_load(call->home.keys, "sign.key", &ret_keys->site, error);
    if (status == NV_OK)
        nv_store_set_signer(store, &ret_keys->site);
    return status;
}

/* What is asked of a group: the sites by their ids, which stay when the list of members is read anew. */
struct change {
    struct nv_site_id site;
    const char *name;
    bool adds;
};

struct asking {
    struct nv_store *store;
    struct keys keys;
    const char *name; /* of the group */
    struct nv_scope_id scope;
    bool exists, made;
    size_t change_count;
    struct change changes[CHANGES_MOST];
};

/* ---- group ---- */

static void find_group(struct asking *asking)
{
    char name[NV_SCOPE_TEXT];
    snprintf(name, sizeof name, "group/%s", asking->name);
    asking->exists = nv_scope_from_name(asking->store, name, &asking->scope, NULL) == NV_OK;
}

/* All that is asked is looked at before any of it is done. */
static enum nv_status list_changes(const struct nv_call *call, struct asking *asking, struct nv_error *error)
{
    for (size_t i = 0; i < call->option_count; i++) {
        struct change *change = &asking->changes[asking->change_count];
        const struct nv_member *member;
        enum nv_status status = nv_site_find(asking->store, call->options[i].value, &member, error);
        if (status != NV_OK)
            return status;
        *change = (struct change){member->site, call->options[i].value, strcmp(call->options[i].name, "--add") == 0};
        bool reads = nv_right_reads(asking->store, asking->scope, change->site, NV_POSITION_NOW);
        if (reads && change->adds)
            return nv_fail(error, NV_REFUSED, "%.64s is in group %.64s already: nothing was changed", change->name,
                           asking->name);
        if (!reads && !change->adds)
            return nv_fail(error, NV_REFUSED, "%.64s is not in group %.64s: nothing was changed", change->name,
                           asking->name);
        asking->change_count++;
    }
    return NV_OK;
}

static enum nv_status carry_out(struct asking *asking, struct nv_error *error)
{
    enum nv_status status = NV_OK;
    struct nv_wall_ms now = nv_wall_now();
    if (!asking->exists) {
        status = nv_authority_group(asking->store, &asking->keys.authority, asking->name, now, error);
        find_group(asking);
        asking->made = status == NV_OK;
    }
    for (size_t i = 0; status == NV_OK && i < asking->change_count; i++) {
        const struct change *change = &asking->changes[i];
        status = change->adds ? nv_authority_add_reader(asking->store, &asking->keys.authority, asking->scope,
                                                        change->site, now, error)
                              : nv_authority_remove_reader(asking->store, &asking->keys.authority, asking->scope,
                                                           change->site, now, error);
    }
    return status;
}

static enum nv_status print_group_json(const struct asking *asking, struct nv_error *error)
{
    const struct nv_member *members;
    const struct nv_scope *scope = nv_scope_find(asking->store, asking->scope);
    size_t count;
    json_t *readers = json_array();
    nv_store_members(asking->store, &members, &count);
    for (size_t i = 0; i < count; i++)
        if (nv_right_reads(asking->store, scope->id, members[i].site, NV_POSITION_NOW))
            json_array_append_new(readers, nv_json_text(members[i].name));
    return nv_print_json(json_pack("{s:o, s:o, s:o, s:b, s:o}", "name", nv_json_text(scope->called), "scope",
                                   nv_json_text(scope->name), "id",
                                   nv_json_hex(scope->id.bytes, sizeof scope->id.bytes), "made", (int)asking->made,
                                   "readers", readers),
                         error);
}

static void print_group(const struct asking *asking)
{
    const struct nv_member *members;
    const struct nv_scope *scope = nv_scope_find(asking->store, asking->scope);
    size_t count, readers = 0;
    bool takes_away = false;
    nv_store_members(asking->store, &members, &count);
    for (size_t i = 0; i < count; i++) {
        if (!nv_right_reads(asking->store, scope->id, members[i].site, NV_POSITION_NOW))
            continue;
        nv_print_string(members[i].name);
        putchar('\n');
        readers++;
    }
    if (readers == 0)
        nv_say(_("Nobody is in the group %s. List a site in it with --add SITE."), scope->called);
    for (size_t i = 0; i < asking->change_count; i++)
        takes_away = takes_away || !asking->changes[i].adds;
    if (takes_away)
        puts(_("Who was taken out gets nothing more of this group. What it has read it may have kept: nothing can\n"
               "take that back."));
}

static enum nv_status run_group(struct nv_call *call, struct asking *asking, struct nv_error *error)
{
    if (!nv_name_is_good(asking->name))
        return nv_fail(error, NV_USAGE, "a group's name has 1 to %d bytes of UTF-8 and no control characters",
                       NV_LIMIT_NAME);
    enum nv_status status = nv_home_open(&call->home, &asking->store, error);
    if (status == NV_OK && !nv_store_identity(asking->store)->has_network)
        status = nv_fail(error, NV_NOT_FOUND, "this site is in no network yet: run `navette join INVITATION`");
    if (status != NV_OK)
        return status;
    find_group(asking);
    if (!asking->exists && call->option_count > 0)
        return nv_fail(error, NV_NOT_FOUND, "there is no group %.64s: make it first, with `navette group %.64s`",
                       asking->name, asking->name);
    status = list_changes(call, asking, error);
    if (status == NV_OK && (!asking->exists || asking->change_count > 0)) {
        status = load_keys(call, asking->store, &asking->keys, error);
        if (status == NV_OK)
            status = carry_out(asking, error);
    }
    if (status == NV_OK && call->json)
        return print_group_json(asking, error);
    if (status == NV_OK)
        print_group(asking);
    return status;
}

enum nv_status nv_command_group(struct nv_call *call, struct nv_error *error)
{
    struct asking asking = {.name = call->words[0]};
    enum nv_status status = run_group(call, &asking, error);
    nv_store_close(asking.store);
    nv_wipe(&asking.keys, sizeof asking.keys);
    return status;
}

/* ---- revoke ---- */

static enum nv_status print_revoked(const struct nv_call *call, const char *name, struct nv_site_id site,
                                    struct nv_error *error)
{
    if (call->json)
        return nv_print_json(
            json_pack("{s:o, s:o}", "revoked", nv_json_text(name), "id", nv_json_hex(site.bytes, sizeof site.bytes)),
            error);
    nv_say(_("%s is no member any more. Whoever hears of it ends its sessions and refuses its key."), name);
    puts(_(
        "What it wrote and is held here stays; what it signs from here on counts for nothing. What it has read it may\n"
        "have kept: nothing can take that back. To let it return, or another machine take its place, invite it anew."));
    return NV_OK;
}

static enum nv_status run_revoke(struct nv_call *call, struct nv_store **store, struct keys *keys,
                                 struct nv_error *error)
{
    const struct nv_member *member;
    char name[NV_SITE_TEXT];
    enum nv_status status = nv_home_open(&call->home, store, error);
    if (status == NV_OK)
        status = load_keys(call, *store, keys, error);
    if (status == NV_OK)
        status = nv_site_find(*store, call->words[0], &member, error);
    if (status != NV_OK)
        return status;
    struct nv_site_id site = member->site;
    snprintf(name, sizeof name, "%s", member->name);
    if (nv_site_id_compare(site, nv_store_identity(*store)->site) == 0)
        return nv_fail(error, NV_REFUSED,
                       "%s is this site, which holds the authority: without it nobody could be admitted any more",
                       name);
    status = nv_authority_revoke(*store, &keys->authority, site, nv_wall_now(), error);
    return status == NV_OK ? print_revoked(call, name, site, error) : status;
}

enum nv_status nv_command_revoke(struct nv_call *call, struct nv_error *error)
{
    struct nv_store *store = NULL;
    struct keys keys = {0};
    enum nv_status status = run_revoke(call, &store, &keys, error);
    nv_store_close(store);
    nv_wipe(&keys, sizeof keys);
    return status;
}
