/* Rights by position on random histories of the authority log, against a model that keeps no history: to answer for a
 * position it plays the log anew, from its beginning up to there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "dice.h"
#include "forged.h"
#include "store/internal.h"
#include "store/log/logs.h"
#include "store/trust/rights.h"

enum {
    HISTORIES = 40,
    CHANGESETS = 20,
    OPS_MOST = 3 * CHANGESETS + 2,
    SITES = 5, /* the hub and the school are the first two */
    KEYS = 7,
    GROUPS = 3,
    SCOPES = GROUPS + SITES + 1,
};

static const char *const site_names[] = {"hub", "school", "Nord", "NORD", "sud", "SUD", "est"};
static const char *const group_names[] = {"lycées", "collèges", "COLLèGES", "all"};

/* ---- what happened ---- */

struct step {
    enum nv_op_kind kind;
    uint64_t position;
    size_t site, key, name;
    size_t group; /* index into `groups`, GROUPS: one that does not exist */
    enum nv_role role;
    bool reader, anew;
    bool has_cut;
    struct nv_scope_id made; /* of a group: its id */
};

struct history {
    struct nv_pair *pair;
    struct nv_dice dice;
    struct step steps[OPS_MOST];
    size_t count;
    uint64_t position; /* of the newest changeset */
    struct nv_site_id sites[SITES];
    struct nv_public_key sign[KEYS], curve[KEYS];
};

/* ---- the model ---- */

struct state {
    struct {
        bool is_member, was_member, had_key[KEYS];
        size_t key, name;
        enum nv_role role;
    } sites[SITES];
    struct {
        struct nv_scope_id id;
        size_t name;
        bool reads[SITES];
    } groups[GROUPS];
    size_t group_count;
};

static bool same_name(const char *a, const char *b)
{
    while (*a != '\0' && tolower((unsigned char)*a) == tolower((unsigned char)*b)) {
        a++;
        b++;
    }
    return *a == *b;
}

/* Whether it is a no-op, by PROTOCOL.md, "The authority log". */
static bool is_void(const struct state *state, const struct step *step)
{
    switch (step->kind) {
    case NV_OP_CERTIFICATE:
        for (size_t i = 0; i < SITES; i++) {
            if (i == step->site)
                continue;
            if (state->sites[i].had_key[step->key] ||
                (state->sites[i].is_member && same_name(site_names[state->sites[i].name], site_names[step->name])))
                return true;
        }
        if (step->anew || !state->sites[step->site].was_member)
            return false;
        return !state->sites[step->site].is_member || state->sites[step->site].key != step->key;
    case NV_OP_GROUP:
        for (size_t i = 0; i < state->group_count; i++)
            if (same_name(group_names[state->groups[i].name], group_names[step->name]))
                return true;
        return false;
    case NV_OP_READER:
        return step->group >= state->group_count || !state->sites[step->site].is_member ||
               state->groups[step->group].reads[step->site];
    case NV_OP_REMOVAL:
        return step->group >= state->group_count || !state->groups[step->group].reads[step->site];
    case NV_OP_REVOCATION:
        return !state->sites[step->site].is_member;
    case NV_OP_PUT:
    case NV_OP_DELETE:
    case NV_OP_REDACT:
    case NV_OP_SEALED:
    case NV_OP_GRANT:
    case NV_OP_ASK:
    case NV_OP_GENESIS:
    case NV_OP_SCHEMA:
        break;
    }
    return true;
}

static void take(struct state *state, const struct step *step)
{
    size_t site = step->site;
    if (step->kind == NV_OP_CERTIFICATE) {
        state->sites[site].is_member = state->sites[site].was_member = true;
        state->sites[site].had_key[step->key] = true;
        state->sites[site].key = step->key;
        state->sites[site].name = step->name;
        state->sites[site].role = step->role;
    } else if (step->kind == NV_OP_GROUP) {
        state->groups[state->group_count].id = step->made;
        state->groups[state->group_count++].name = step->name;
    } else if (step->kind == NV_OP_REVOCATION) {
        state->sites[site].is_member = false;
        for (size_t i = 0; i < state->group_count; i++)
            state->groups[i].reads[site] = false;
    } else {
        state->groups[step->group].reads[site] = step->kind == NV_OP_READER;
    }
}

static struct state play(const struct history *history, uint64_t position)
{
    struct state state = {0};
    for (size_t i = 0; i < history->count && history->steps[i].position <= position; i++)
        if (!is_void(&state, &history->steps[i]))
            take(&state, &history->steps[i]);
    return state;
}

static bool takes_away(const struct state *before, const struct step *step)
{
    if (is_void(before, step))
        return false;
    return step->kind == NV_OP_REMOVAL || step->kind == NV_OP_REVOCATION ||
           (step->kind == NV_OP_CERTIFICATE && step->anew && before->sites[step->site].was_member);
}

/* ---- holding the store to it ---- */

static struct nv_scope_id own_scope(struct nv_site_id site)
{
    struct nv_scope_id scope;
    memcpy(scope.bytes, site.bytes, sizeof scope.bytes);
    return scope;
}

static bool model_reads(const struct state *state, const struct state *newest, size_t scope, size_t site)
{
    if (scope < newest->group_count)
        return scope < state->group_count && state->groups[scope].reads[site];
    if (scope >= GROUPS && scope < GROUPS + SITES)
        return scope - GROUPS == site && state->sites[site].is_member;
    return scope == GROUPS + SITES && state->sites[site].is_member;
}

static struct nv_scope_id scope_number(const struct history *history, const struct state *newest, size_t scope)
{
    if (scope < newest->group_count)
        return newest->groups[scope].id;
    if (scope < GROUPS)
        return (struct nv_scope_id){{0xfe, (uint8_t)scope}}; /* unknown */
    return scope < GROUPS + SITES ? own_scope(history->sites[scope - GROUPS]) : NV_SCOPE_NETWORK;
}

static void check_position(const struct history *history, const struct nv_store *store, uint64_t position,
                           const struct state *state, const struct state *newest)
{
    for (size_t site = 0; site < SITES; site++) {
        struct nv_site_id id = history->sites[site];
        bool is_member = state->sites[site].is_member, is_hub = state->sites[site].role == NV_ROLE_HUB;
        const struct nv_public_key *key = nv_right_sign_key(store, id, position);
        assert_int_equal(nv_right_member(store, id, position), is_member);
        assert_int_equal(key != NULL, is_member);
        if (is_member)
            assert_memory_equal(key, &history->sign[state->sites[site].key], sizeof *key);
        for (size_t scope = 0; scope < SCOPES; scope++) {
            struct nv_scope_id scope_id = scope_number(history, newest, scope);
            bool reads = model_reads(state, newest, scope, site);
            assert_int_equal(nv_right_reads(store, scope_id, id, position), reads);
            assert_int_equal(nv_right_carries(store, scope_id, id, position), is_member && (is_hub || reads));
        }
        assert_int_equal(nv_right_carries(store, NV_SCOPE_AUTHORITY, id, position), is_member);
    }
}

static void check_groups(const struct nv_store *store, const struct state *newest)
{
    const struct nv_scope *scopes;
    size_t count, groups = 0;
    nv_scopes(store, &scopes, &count);
    for (size_t i = 0; i < count; i++)
        groups += scopes[i].kind == NV_SCOPE_IS_GROUP;
    assert_int_equal(groups, newest->group_count);
    for (size_t i = 0; i < newest->group_count; i++)
        assert_string_equal(nv_scope_find(store, newest->groups[i].id)->called, group_names[newest->groups[i].name]);
}

static void check_members(const struct history *history, const struct nv_store *store, const struct state *newest)
{
    const struct nv_member *members;
    size_t count, expected = 0;
    nv_store_members(store, &members, &count);
    for (size_t site = 0; site < SITES; site++) {
        const struct nv_member *member = nv_store_member(store, history->sites[site]);
        assert_int_equal(member != NULL, newest->sites[site].is_member);
        if (member == NULL)
            continue;
        expected++;
        assert_string_equal(member->name, site_names[newest->sites[site].name]);
        assert_memory_equal(&member->sign_key, &history->sign[newest->sites[site].key], 32);
        assert_memory_equal(&member->curve_key, &history->curve[newest->sites[site].key], 32);
        assert_int_equal(member->role, newest->sites[site].role);
    }
    assert_int_equal(count, expected);
}

/* Every op that took something away is listed for its site and scope, in order, with what it names. */
static void check_takings(const struct history *history, const struct nv_store *store, const struct state *newest)
{
    for (size_t site = 0; site < SITES; site++)
        for (size_t scope = 0; scope < SCOPES; scope++) {
            struct nv_scope_id scope_id = scope_number(history, newest, scope);
            const struct nv_taking *taking = NULL;
            struct state state = {0};
            for (size_t i = 0; i < history->count; i++) {
                const struct step *step = &history->steps[i];
                bool concerns = step->site == site && (step->kind != NV_OP_REMOVAL || step->group == scope);
                if (takes_away(&state, step) && concerns) {
                    taking = nv_taking_next(store, history->sites[site], scope_id, taking);
                    assert_non_null(taking);
                    assert_true(taking->position == step->position);
                    assert_int_equal(taking->head_count, step->has_cut);
                    struct nv_log_id log = {history->sites[site], i,
                                            step->kind == NV_OP_REMOVAL ? scope_id : NV_SCOPE_NETWORK};
                    const struct nv_far_head *head = nv_taking_head(taking, &log);
                    assert_int_equal(head != NULL, step->has_cut);
                    if (step->has_cut)
                        assert_true(head->seq == i + 1 && head->pin.bytes[3] == (uint8_t)i);
                    log.epoch++;
                    assert_null(nv_taking_head(taking, &log));
                }
                if (!is_void(&state, step))
                    take(&state, step);
            }
            assert_null(nv_taking_next(store, history->sites[site], scope_id, taking));
        }
}

static void check_all(const struct history *history, const struct nv_store *store)
{
    struct state newest = play(history, UINT64_MAX);
    for (uint64_t position = 0; position <= history->position + 1; position++) {
        struct state state = play(history, position);
        check_position(history, store, position, &state, &newest);
    }
    check_position(history, store, NV_POSITION_NOW, &newest, &newest);
    check_groups(store, &newest);
    check_members(history, store, &newest);
    check_takings(history, store, &newest);
}

/* ---- making it happen ---- */

static void add_step(struct history *history, uint64_t position)
{
    static const enum nv_op_kind kinds[] = {NV_OP_CERTIFICATE, NV_OP_CERTIFICATE, NV_OP_CERTIFICATE, NV_OP_GROUP,
                                            NV_OP_GROUP,       NV_OP_READER,      NV_OP_READER,      NV_OP_READER,
                                            NV_OP_READER,      NV_OP_READER,      NV_OP_READER,      NV_OP_REMOVAL,
                                            NV_OP_REMOVAL,     NV_OP_REVOCATION};
    enum { KINDS = sizeof kinds / sizeof *kinds };
    struct nv_dice *dice = &history->dice;
    struct step *step = &history->steps[history->count++];
    *step = (struct step){.kind = kinds[nv_dice_below(dice, KINDS)],
                          .position = position,
                          .site = nv_dice_below(dice, SITES),
                          .key = nv_dice_below(dice, KEYS),
                          .group = nv_dice_below(dice, GROUPS + 1),
                          .role = nv_dice_percent(dice, 70) ? NV_ROLE_SITE : NV_ROLE_HUB,
                          .anew = nv_dice_percent(dice, 50),
                          .has_cut = nv_dice_percent(dice, 60)};
    /* Mostly its own key and name, or nearly all would be void. */
    if (nv_dice_percent(dice, 70))
        step->key = step->site;
    step->name = step->kind == NV_OP_GROUP ? nv_dice_below(dice, 4) : nv_dice_below(dice, 7);
    if (step->kind == NV_OP_CERTIFICATE && nv_dice_percent(dice, 60))
        step->name = step->site;
    step->has_cut = step->has_cut && (step->kind != NV_OP_CERTIFICATE || step->anew);
}

static void encode_step(struct history *history, size_t number, struct nv_buffer *op)
{
    struct step *step = &history->steps[number];
    struct state before = play(history, UINT64_MAX); /* with the steps that stand already */
    struct nv_scope_id scope = scope_number(history, &before, step->group < GROUPS ? step->group : GROUPS);
    struct nv_far_head cut = {.site = history->sites[step->site], .epoch = number, .scope = NV_SCOPE_NETWORK};
    struct nv_wall_ms time = {nv_pair_now.ms + (int64_t)number};
    cut.seq = number + 1;
    cut.pin.bytes[3] = (uint8_t)number;
    if (step->kind == NV_OP_CERTIFICATE)
        nv_certificate_encode(&(struct nv_certificate){.site = history->sites[step->site],
                                                       .name = site_names[step->name],
                                                       .sign_key = history->sign[step->key],
                                                       .curve_key = history->curve[step->key],
                                                       .role = step->role,
                                                       .anew = step->anew,
                                                       .cut_count = step->has_cut,
                                                       .cuts = &cut},
                              time, op);
    if (step->kind == NV_OP_GROUP) {
        nv_group_encode(&(struct nv_group_op){group_names[step->name]}, time, op);
        step->made = nv_group_scope(nv_buffer_slice(op));
    }
    if (step->kind == NV_OP_READER)
        nv_reader_encode(&(struct nv_reader_op){scope, history->sites[step->site]}, time, op);
    if (step->kind == NV_OP_REMOVAL) {
        cut.scope = scope;
        nv_removal_encode(&(struct nv_removal_op){scope, history->sites[step->site], step->has_cut, &cut}, time, op);
    }
    if (step->kind == NV_OP_REVOCATION)
        nv_revocation_encode(&(struct nv_revocation_op){history->sites[step->site], step->has_cut, &cut}, time, op);
}

/* A changeset of the authority log with one to three ops, taken up by both sites. */
static void add_changeset(struct history *history)
{
    struct nv_pair *pair = history->pair;
    struct forged forged = forged_begin(pair);
    const struct nv_log *authority = nv_authority_log(pair->hub.store);
    struct nv_buffer ops[3] = {0};
    struct nv_slice slices[3];
    size_t count = 1 + nv_dice_below(&history->dice, 3);
    forged.header.log = authority->id;
    forged.header.seq = history->position = authority->has_seq + 1;
    forged.header.previous = authority->has_hash;
    forged.header.authority_seq = 0;
    forged.header.authority_pin = (struct nv_pin){{0}};
    forged.header.absolute = false;
    forged.key = &pair->authority;
    for (size_t i = 0; i < count; i++) {
        add_step(history, history->position);
        encode_step(history, history->count - 1, &ops[i]);
        slices[i] = nv_buffer_slice(&ops[i]);
    }
    forged_sign_ops(&forged, slices, count);
    struct nv_store *stores[] = {pair->hub.store, pair->school.store};
    for (size_t i = 0; i < 2; i++) {
        struct nv_incoming incoming = {.bytes = nv_buffer_slice(&forged.bytes)};
        struct nv_error error;
        nv_pair_must(nv_store_ingest(stores[i], &incoming, 1, nv_pair_now, 60000, &error), &error);
        assert_int_equal(incoming.verdict, NV_VERDICT_TAKEN);
    }
    for (size_t i = 0; i < count; i++)
        nv_buffer_done(&ops[i]);
    forged_done(&forged);
}

static void begin(struct history *history, struct nv_pair *pair, uint64_t seed)
{
    *history = (struct history){.pair = pair, .dice = nv_dice_of(seed), .position = 3};
    history->sites[0] = nv_store_identity(pair->hub.store)->site;
    history->sites[1] = nv_store_identity(pair->school.store)->site;
    for (size_t i = 2; i < SITES; i++)
        history->sites[i].bytes[0] = (uint8_t)i;
    history->sign[0] = pair->hub.sign.public_key;
    history->curve[0] = pair->hub.curve.public_key;
    history->sign[1] = pair->school.sign.public_key;
    history->curve[1] = pair->school.curve.public_key;
    for (size_t i = 2; i < KEYS; i++) {
        history->sign[i].bytes[0] = (uint8_t)i;
        history->curve[i].bytes[1] = (uint8_t)i;
    }
    for (size_t i = 0; i < 2; i++)
        history->steps[history->count++] = (struct step){.kind = NV_OP_CERTIFICATE,
                                                         .position = 2 + i,
                                                         .site = i,
                                                         .key = i,
                                                         .name = i,
                                                         .role = i == 0 ? NV_ROLE_HUB : NV_ROLE_SITE};
}

static void one_history(uint64_t seed)
{
    static struct history history;
    void *state;
    struct nv_error error;
    nv_pair_setup(&state);
    struct nv_pair *pair = state;
    begin(&history, pair, seed);
    for (size_t i = 0; i < CHANGESETS; i++) {
        add_changeset(&history);
        if (i % 4 == 0)
            check_all(&history, pair->hub.store);
    }
    check_all(&history, pair->hub.store);
    check_all(&history, pair->school.store);
    nv_store_close(pair->school.store);
    nv_pair_must(nv_store_open(pair->school.path, &pair->school.store, &error), &error);
    check_all(&history, pair->school.store);
    nv_pair_teardown(&state);
}

static void rights_are_what_the_log_says_up_to_there(void **state)
{
    (void)state;
    nv_dice_run("rights", HISTORIES, one_history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rights_are_what_the_log_says_up_to_there)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
