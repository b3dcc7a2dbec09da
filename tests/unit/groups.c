#include "groups.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/care.h"
#include "store/log.h"
#include "store/trust/rights.h"
#include "wire/changeset.h"

enum { BATCH = 256, LONG_MS = 3600 * 1000, SITES = 3 };

static struct nv_pair_site *site_at(struct nv_groups *groups, size_t place)
{
    return place == 0 ? groups->hub : place == 1 ? groups->north : groups->south;
}

/* ---- the network ---- */

static void add_group(struct nv_groups *groups, const char *name, const struct nv_pair_site *one,
                      const struct nv_pair_site *other)
{
    const struct nv_pair_site *readers[] = {one, other};
    char scope[80];
    struct nv_error error;
    nv_pair_must(nv_authority_group(groups->hub->store, &groups->pair->authority, name, nv_pair_now, &error), &error);
    snprintf(scope, sizeof scope, "group/%s", name);
    for (size_t i = 0; i < 2 && readers[i] != NULL; i++)
        nv_pair_must(nv_authority_add_reader(groups->hub->store, &groups->pair->authority,
                                             nv_groups_scope(groups, scope), nv_store_identity(readers[i]->store)->site,
                                             nv_pair_now, &error),
                     &error);
}

/* Gives `to` what it lacks of the authority log alone, if it is in no network yet. */
static void adopt(struct nv_groups *groups, struct nv_pair_site *site)
{
    struct nv_buffer bytes = {0};
    struct nv_slice changesets[BATCH];
    struct nv_far_head heads[BATCH];
    size_t ends[BATCH], count;
    int64_t cursor = 0;
    bool done;
    struct nv_error error;
    nv_pair_must(nv_store_read_for(groups->hub->store, NULL, 0, NULL, &cursor, SIZE_MAX, &bytes, ends, heads, BATCH,
                                   &count, &done, &error),
                 &error);
    for (size_t i = 0, start = 0; i < count; start = ends[i++])
        changesets[i] = (struct nv_slice){bytes.data + start, ends[i] - start};
    nv_pair_must(
        nv_authority_adopt(site->store, &groups->pair->authority.public_key, changesets, count, nv_pair_now, &error),
        &error);
    nv_buffer_done(&bytes);
}

int nv_groups_setup(void **state)
{
    struct nv_groups *groups = calloc(1, sizeof *groups);
    struct nv_error error;
    assert_non_null(groups);
    assert_int_equal(nv_pair_setup((void **)&groups->pair), 0);
    groups->hub = &groups->pair->hub;
    groups->north = &groups->pair->school;
    groups->south = &groups->third;
    nv_pair_site_make(groups->pair, groups->south, "south");
    struct nv_certificate certificate = nv_pair_certificate(groups->south, "south");
    nv_pair_must(nv_authority_certify(groups->hub->store, &groups->pair->authority, &certificate, nv_pair_now, &error),
                 &error);
    add_group(groups, "north", groups->north, NULL);
    add_group(groups, "both", groups->north, groups->south);
    add_group(groups, "hub", groups->hub, groups->north);
    static const char *const hub_name[] = {"hub"}; /* which reads of its group what it is let */
    nv_store_set_hub_readers(groups->north->store, hub_name, 1);
    nv_store_set_hub_readers(groups->south->store, hub_name, 1);
    adopt(groups, groups->south);
    nv_pair_deliver(groups->hub, groups->north);
    *state = groups;
    return 0;
}

int nv_groups_teardown(void **state)
{
    struct nv_groups *groups = *state;
    void *pair = groups->pair;
    nv_pair_site_close(groups->south);
    free(groups);
    return nv_pair_teardown(&pair);
}

struct nv_scope_id nv_groups_scope(struct nv_groups *groups, const char *name)
{
    struct nv_scope_id id;
    struct nv_error error;
    nv_pair_must(nv_scope_from_name(groups->hub->store, name, &id, &error), &error);
    return id;
}

/* ---- delivering ---- */

static bool carries(const struct nv_pair_site *site, struct nv_slice changeset)
{
    struct nv_changeset_parts parts;
    struct nv_header header;
    struct nv_arena arena = {.limit = 8 << 20};
    struct nv_error error;
    nv_pair_must(nv_changeset_split(changeset, &parts, &error), &error);
    nv_pair_must(nv_header_decode(parts.header, &arena, &header, &error), &error);
    struct nv_site_id id = nv_store_identity(site->store)->site;
    bool does = nv_right_carries(site->store, header.log.scope, id, NV_POSITION_NOW);
    nv_arena_done(&arena);
    return does;
}

void nv_groups_deliver(struct nv_pair_site *from, struct nv_pair_site *to)
{
    struct nv_buffer bytes = {0};
    static struct nv_incoming incoming[BATCH];
    struct nv_far_head heads[BATCH];
    const struct nv_far_head *has;
    size_t ends[BATCH], count, has_count, given = 0;
    int64_t cursor = 0;
    bool done;
    struct nv_error error;
    memset(incoming, 0, sizeof incoming);
    nv_store_held(to->store, &has, &has_count);
    nv_pair_must(nv_store_read_for(from->store, has, has_count, NULL, &cursor, SIZE_MAX, &bytes, ends, heads, BATCH,
                                   &count, &done, &error),
                 &error);
    assert_true(done);
    for (size_t i = 0, start = 0; i < count; start = ends[i++]) {
        struct nv_slice changeset = {bytes.data + start, ends[i] - start};
        if (carries(to, changeset))
            incoming[given++].bytes = changeset;
    }
    nv_pair_must(nv_store_ingest(to->store, incoming, given, nv_pair_now, LONG_MS, &error), &error);
    for (size_t i = 0; i < given; i++)
        if (incoming[i].verdict != NV_VERDICT_TAKEN)
            fail_msg("changeset %zu was not taken: %s", i, incoming[i].text);
    nv_buffer_done(&bytes);
}

void nv_groups_publish(struct nv_groups *groups, const char *sql)
{
    nv_pair_publish(groups->pair, sql);
    nv_groups_deliver(groups->hub, groups->north);
    nv_groups_deliver(groups->hub, groups->south);
}

void nv_groups_list(struct nv_groups *groups, const char *group, struct nv_pair_site *site, bool reads)
{
    struct nv_store *hub = groups->hub->store;
    const struct nv_sign_key *authority = &groups->pair->authority;
    struct nv_scope_id scope = nv_groups_scope(groups, group);
    struct nv_site_id id = nv_store_identity(site->store)->site;
    struct nv_error error;
    nv_pair_must(reads ? nv_authority_add_reader(hub, authority, scope, id, nv_pair_now, &error)
                       : nv_authority_remove_reader(hub, authority, scope, id, nv_pair_now, &error),
                 &error);
    nv_groups_deliver(groups->hub, groups->north);
    nv_groups_deliver(groups->hub, groups->south);
}

static void seal_and_give(struct nv_groups *groups)
{
    for (size_t i = 0; i < SITES; i++)
        nv_pair_seal(site_at(groups, i));
    for (size_t i = 0; i < 2 * SITES * SITES; i++)
        if (i % SITES != i / SITES % SITES)
            nv_groups_deliver(site_at(groups, i % SITES), site_at(groups, i / SITES % SITES));
}

/* The second time keys are asked for that were lacking, the third time they are given. */
void nv_groups_settle(struct nv_groups *groups)
{
    for (int i = 0; i < 3; i++)
        seal_and_give(groups);
}

/* ---- at rest ---- */

static void check_scope(struct nv_groups *groups, struct nv_scope_id scope)
{
    struct nv_scope_digest first = {0}, digest;
    struct nv_error error;
    bool has_first = false;
    for (size_t i = 0; i < SITES; i++) {
        struct nv_pair_site *site = site_at(groups, i);
        if (!nv_right_reads(site->store, scope, nv_store_identity(site->store)->site, NV_POSITION_NOW))
            continue;
        nv_pair_must(nv_store_digest(site->store, scope, &digest, &error), &error);
        assert_true(digest.closed);
        if (!has_first)
            first = digest;
        has_first = true;
        assert_memory_equal(&digest.vector, &first.vector, sizeof digest.vector);
        assert_memory_equal(&digest.state, &first.state, sizeof digest.state);
        assert_int_equal(digest.shown, first.shown);
    }
}

static void check_rebuilt(struct nv_pair_site *site)
{
    struct nv_rebuilt rebuilt = {0};
    struct nv_error error;
    static const char all[] = "SELECT tbl, hex(key), scope, hex(version) FROM navette_version ORDER BY 1, 2, 3";
    static const char conflicts[] =
        "SELECT * FROM navette_conflict ORDER BY table_name, key_text, scope, kind, field, choice";
    char *before = nv_pair_text(site->tool, all), *listed = nv_pair_text(site->tool, conflicts);
    nv_pair_must(nv_store_rebuild(site->store, nv_pair_now, &rebuilt, NULL, &error), &error);
    assert_int_equal(rebuilt.versions_mended, 0);
    assert_int_equal(rebuilt.rows_mended, 0);
    nv_pair_check_text(site->tool, all, before);
    nv_pair_check_text(site->tool, conflicts, listed);
    free(before);
    free(listed);
}

static void check_scopes_held(struct nv_pair_site *site)
{
    const struct nv_scope *scopes;
    size_t count;
    nv_scopes(site->store, &scopes, &count);
    for (size_t i = 0; i < count; i++) {
        char sql[200], id[33];
        for (size_t j = 0; j < 16; j++)
            snprintf(id + 2 * j, 3, "%02x", scopes[i].id.bytes[j]);
        snprintf(sql, sizeof sql,
                 "SELECT count(*) FROM navette_version JOIN navette_scope ON number = scope WHERE id = x'%s'", id);
        if (!nv_right_reads(site->store, scopes[i].id, nv_store_identity(site->store)->site, NV_POSITION_NOW))
            nv_pair_check_text(site->tool, sql, "0\n");
    }
}

void nv_groups_check(struct nv_groups *groups)
{
    const struct nv_scope *scopes;
    size_t count;
    nv_scopes(groups->hub->store, &scopes, &count);
    for (size_t i = 0; i < count; i++)
        check_scope(groups, scopes[i].id);
    for (size_t i = 0; i < SITES; i++) {
        check_rebuilt(site_at(groups, i));
        check_scopes_held(site_at(groups, i));
    }
}
