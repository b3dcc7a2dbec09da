/* navette members: who belongs to the network, and who reads what. */
#include <stdlib.h>
#include <string.h>

#include "client/command.h"
#include "client/language.h"
#include "client/sites.h"
#include "client/vouched.h"
#include "client/words.h"

/* The groups and, where `all`, the other scopes that a site reads, as a list of names. */
static json_t *scopes_read(const struct nv_store *store, struct nv_site_id site, bool all)
{
    const struct nv_scope *scopes;
    size_t count;
    json_t *list = json_array();
    nv_scopes(store, &scopes, &count);
    for (size_t i = 0; i < count; i++) {
        bool is_group = scopes[i].kind == NV_SCOPE_IS_GROUP;
        if ((is_group || all) && nv_right_reads(store, scopes[i].id, site, NV_POSITION_NOW))
            json_array_append_new(list, nv_json_text(all ? scopes[i].name : scopes[i].called));
    }
    return list;
}

/* What a site was given keys of without reading it by right, and by whom. */
static json_t *granted_to(const struct nv_store *store, const struct nv_granted *granted, size_t count,
                          struct nv_site_id site)
{
    json_t *list = json_array();
    char scope[NV_SCOPE_TEXT], by[NV_SITE_TEXT];
    for (size_t i = 0; i < count; i++) {
        if (nv_site_id_compare(granted[i].to, site) != 0)
            continue;
        nv_scope_name(store, granted[i].scope, scope);
        nv_site_name(store, granted[i].by, by);
        json_array_append_new(list, json_pack("{s:o, s:o}", "scope", nv_json_text(scope), "by", nv_json_text(by)));
    }
    return list;
}

static enum nv_status print_json(struct nv_store *store, struct nv_error *error)
{
    struct nv_granted *granted;
    size_t granted_count;
    enum nv_status status = nv_store_granted(store, &granted, &granted_count, error);
    if (status != NV_OK)
        return status;
    const struct nv_member *members;
    size_t count;
    json_t *list = json_array();
    nv_store_members(store, &members, &count);
    for (size_t i = 0; i < count; i++) {
        const struct nv_member *member = &members[i];
        bool is_own = nv_site_id_compare(member->site, nv_store_identity(store)->site) == 0;
        json_array_append_new(
            list,
            json_pack("{s:o, s:o, s:s, s:b, s:o, s:b, s:I, s:I, s:o, s:o, s:o}", "name", nv_json_text(member->name),
                      "id", nv_json_hex(member->site.bytes, sizeof member->site.bytes), "role",
                      nv_role_text(member->role, false), "reader", (int)member->reader, "endpoint",
                      member->endpoint[0] == '\0' ? json_null() : nv_json_text(member->endpoint), "own", (int)is_own,
                      "not_before_ms", (json_int_t)member->not_before.ms, "not_after_ms",
                      (json_int_t)member->not_after.ms, "groups", scopes_read(store, member->site, false), "reads",
                      scopes_read(store, member->site, true), "granted",
                      granted_to(store, granted, granted_count, member->site)));
    }
    free(granted);
    return nv_print_json(list, error);
}

/* ---- for people ---- */

/* Names between commas; the caller's buffer. */
static void add_name(struct nv_buffer *names, const char *name)
{
    if (names->size > 0)
        nv_buffer_append(names, ", ", 2);
    nv_buffer_append(names, name, strlen(name));
}

static void grid_names(struct nv_grid *grid, struct nv_buffer *names)
{
    nv_buffer_append(names, "", 1);
    if (names->failed)
        grid->cells.failed = true;
    else
        nv_grid_cell(grid, (const char *)names->data);
    nv_buffer_done(names);
}

static enum nv_status print_sites(const struct nv_store *store, struct nv_error *error)
{
    const struct nv_member *members;
    const struct nv_scope *scopes;
    size_t count, scope_count;
    struct nv_grid grid = {.columns = 4};
    nv_store_members(store, &members, &count);
    nv_scopes(store, &scopes, &scope_count);
    for (size_t i = 0; i < count; i++) {
        bool is_own = nv_site_id_compare(members[i].site, nv_store_identity(store)->site) == 0;
        struct nv_buffer groups = {0};
        for (size_t j = 0; j < scope_count; j++)
            if (scopes[j].kind == NV_SCOPE_IS_GROUP &&
                nv_right_reads(store, scopes[j].id, members[i].site, NV_POSITION_NOW))
                add_name(&groups, scopes[j].called);
        nv_grid_cell(&grid, members[i].name);
        nv_grid_cell(&grid, _(nv_role_text(members[i].role, members[i].reader)));
        nv_grid_cell(&grid, is_own ? _("(this site)") : members[i].endpoint);
        grid_names(&grid, &groups);
    }
    enum nv_status status = nv_grid_print(&grid, 0, error);
    nv_grid_done(&grid);
    return status;
}

static void name_readers(const struct nv_store *store, struct nv_scope_id scope, struct nv_buffer *names)
{
    const struct nv_member *members;
    size_t count;
    nv_store_members(store, &members, &count);
    for (size_t i = 0; i < count; i++)
        if (nv_right_reads(store, scope, members[i].site, NV_POSITION_NOW))
            add_name(names, members[i].name);
    if (names->size == 0)
        add_name(names, _("nobody"));
}

/* The hubs that may be let read, or those that may not. */
static enum nv_status print_hubs(const struct nv_store *store, bool reader, struct nv_error *error)
{
    const struct nv_member *members;
    size_t count;
    struct nv_buffer names = {0};
    nv_store_members(store, &members, &count);
    for (size_t i = 0; i < count; i++)
        if (members[i].role == NV_ROLE_HUB && members[i].reader == reader)
            add_name(&names, members[i].name);
    bool is_any = names.size > 0;
    nv_buffer_append(&names, "", 1);
    enum nv_status status = names.failed ? nv_no_memory(error) : NV_OK;
    if (status == NV_OK && is_any && reader)
        nv_say(_("All of it is carried by %s, which may read of it what a site lets it read."),
               (const char *)names.data);
    else if (status == NV_OK && is_any)
        nv_say(_("All of it is carried by %s, which reads of it what this list says."), (const char *)names.data);
    nv_buffer_done(&names);
    return status;
}

/* What was given beyond rights: who carries a log can see whom its site lets read it. */
static enum nv_status print_granted(struct nv_store *store, struct nv_error *error)
{
    struct nv_granted *granted;
    char to[NV_SITE_TEXT], scope[NV_SCOPE_TEXT], by[NV_SITE_TEXT];
    size_t count;
    enum nv_status status = nv_store_granted(store, &granted, &count, error);
    for (size_t i = 0; status == NV_OK && i < count; i++) {
        nv_site_name(store, granted[i].to, to);
        nv_scope_name(store, granted[i].scope, scope);
        nv_site_name(store, granted[i].by, by);
        nv_say(_("%s can read of %s what %s gave it keys of."), to, scope, by);
    }
    if (status == NV_OK)
        free(granted);
    return status;
}

static enum nv_status print_readers(const struct nv_store *store, struct nv_error *error)
{
    const struct nv_scope *scopes;
    size_t count;
    struct nv_grid grid = {.columns = 2};
    struct nv_buffer names = {0};
    nv_scopes(store, &scopes, &count);
    nv_grid_cell(&grid, "network");
    nv_grid_cell(&grid, _("every site"));
    nv_grid_cell(&grid, _("site/NAME"));
    nv_grid_cell(&grid, _("the site of that name"));
    for (size_t i = 0; i < count; i++) {
        if (scopes[i].kind != NV_SCOPE_IS_GROUP)
            continue;
        nv_grid_cell(&grid, scopes[i].name);
        name_readers(store, scopes[i].id, &names);
        grid_names(&grid, &names);
    }
    printf("\n%s\n", _("Who reads what:"));
    enum nv_status status = nv_grid_print(&grid, 2, error);
    nv_grid_done(&grid);
    if (status == NV_OK)
        status = print_hubs(store, false, error);
    return status == NV_OK ? print_hubs(store, true, error) : status;
}

enum nv_status nv_command_members(struct nv_call *call, struct nv_error *error)
{
    struct nv_store *store = NULL;
    enum nv_status status = nv_home_open(&call->home, &store, error);
    if (status == NV_OK && !nv_store_identity(store)->has_network)
        status = nv_fail(error, NV_NOT_FOUND, "this site is in no network yet: run `navette join INVITATION`");
    if (status == NV_OK && call->json)
        status = print_json(store, error);
    else if (status == NV_OK) {
        status = print_sites(store, error);
        if (status == NV_OK)
            status = print_readers(store, error);
        if (status == NV_OK)
            status = print_granted(store, error);
        if (status == NV_OK)
            status = nv_say_vouched(store, error);
    }
    nv_store_close(store);
    return status;
}
