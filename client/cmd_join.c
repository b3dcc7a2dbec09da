/* navette invite, join, members: who belongs to the network. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "client/command.h"
#include "net/enrol.h"
#include "store/authority.h"
#include "wire/recovery.h"

enum { DAY_MS = 86400000, ENROL_TIMEOUT_MS = 20000, INVITATION_TEXT = 1024 };

static const char *role_name(enum nv_role role)
{
    switch (role) {
    case NV_ROLE_SITE:
        return "site";
    case NV_ROLE_HUB:
        return "hub";
    }
    return "?";
}

/* ---- invite ---- */

/* Where a new site asks to join: the enrolment port on the host that others dial. */
static enum nv_status enrol_endpoint(const struct nv_home *home, char ret_text[NV_ENDPOINT_MAX], struct nv_error *error)
{
    struct nv_settings settings;
    struct nv_endpoint enrol, advertise;
    enum nv_status status = nv_settings_read(home, &settings, error);
    if (status != NV_OK)
        return status;
    if (settings.enrol[0] == '\0')
        return nv_fail(error, NV_REFUSED, "this hub admits nobody: set `enrol` in %s and start navetted again",
                       home->settings);
    status = nv_endpoint_read(settings.enrol, &enrol, error);
    if (status == NV_OK && nv_endpoint_is_any_port(&enrol)) {
        char bound[NV_ENDPOINT_MAX];
        status = nv_home_bound(home, "enrol", bound, error);
        if (status == NV_OK)
            status = nv_endpoint_read(bound, &enrol, error);
    }
    if (status != NV_OK)
        return status;
    if (settings.advertise[0] != '\0') {
        status = nv_endpoint_read(settings.advertise, &advertise, error);
        if (status != NV_OK)
            return nv_fail_in(error, home->settings);
        memcpy(enrol.host, advertise.host, sizeof enrol.host);
    }
    if (nv_endpoint_is_any_host(&enrol))
        return nv_fail(error, NV_REFUSED, "nobody can dial %s: set `advertise` in %s to how others reach this machine",
                       enrol.host, home->settings);
    return nv_endpoint_write(&enrol, ret_text, error);
}

static enum nv_status check_free_name(const struct nv_store *store, const char *name, struct nv_error *error)
{
    const struct nv_member *members;
    size_t count;
    nv_store_members(store, &members, &count);
    if (!nv_name_is_good(name))
        return nv_fail(error, NV_USAGE, "a site's name has 1 to %d bytes of UTF-8 and no control characters",
                       NV_LIMIT_NAME);
    for (size_t i = 0; i < count; i++)
        if (strcmp(members[i].name, name) == 0)
            return nv_fail(error, NV_REFUSED, "%s is a member already: invite the new site under another name", name);
    return NV_OK;
}

static enum nv_status make_invitation(struct nv_call *call, const char *name, enum nv_role role, int64_t days,
                                      struct nv_invitation *invitation, struct nv_error *error)
{
    struct nv_store *store = NULL;
    struct nv_sign_key authority = {0};
    struct nv_curve_key curve = {0};
    enum nv_status status = nv_home_open(&call->home, &store, error);
    if (status == NV_OK)
        status = nv_home_authority(&call->home, "inviting", &authority, error);
    if (status == NV_OK)
        status = nv_curve_key_load(call->home.keys, "curve.key", &curve, error);
    if (status == NV_OK)
        status = check_free_name(store, name, error);
    if (status == NV_OK)
        status = enrol_endpoint(&call->home, invitation->endpoint, error);
    if (status == NV_OK) {
        nv_random(&invitation->number, sizeof invitation->number);
        invitation->number >>= 1; /* SQLite's integers are signed */
        nv_random(invitation->secret, sizeof invitation->secret);
        invitation->hub_curve_key = curve.public_key;
        invitation->authority_key = authority.public_key;
        invitation->expires.ms = nv_wall_now().ms + days * DAY_MS;
        status = nv_invitation_keep(store, invitation, name, role, error);
    }
    nv_store_close(store);
    nv_wipe(&authority, sizeof authority);
    nv_wipe(&curve, sizeof curve);
    return status;
}

static enum nv_status print_invitation(const struct nv_call *call, const char *name, enum nv_role role,
                                       const struct nv_invitation *invitation, const char *text, struct nv_error *error)
{
    if (call->json)
        return nv_print_json(json_pack("{s:s, s:o, s:s, s:s, s:I}", "invitation", text, "name", nv_json_text(name),
                                       "role", role_name(role), "endpoint", invitation->endpoint, "expires_ms",
                                       (json_int_t)invitation->expires.ms),
                             error);
    printf("%s\n", text);
    return NV_OK;
}

enum nv_status nv_command_invite(struct nv_call *call, struct nv_error *error)
{
    struct nv_invitation invitation = {0};
    char text[INVITATION_TEXT];
    const char *name = call->words[0], *role_text = nv_option(call, "--role");
    enum nv_role role = NV_ROLE_SITE;
    int64_t days;
    enum nv_status status = nv_option_number(call, "--days", 1, 3650, 14, &days, error);
    if (status != NV_OK)
        return status;
    if (role_text != NULL && strcmp(role_text, "hub") == 0)
        role = NV_ROLE_HUB;
    else if (role_text != NULL && strcmp(role_text, "site") != 0)
        return nv_fail(error, NV_USAGE, "--role is site or hub");
    status = make_invitation(call, name, role, days, &invitation, error);
    if (status == NV_OK)
        status = nv_invitation_write(&invitation, text, sizeof text);
    if (status == NV_OK)
        status = print_invitation(call, name, role, &invitation, text, error);
    nv_wipe(&invitation, sizeof invitation);
    nv_wipe(text, sizeof text);
    return status;
}

/* ---- join ---- */

struct joining {
    struct nv_store *store;
    struct nv_invitation invitation;
    struct nv_sign_key sign;
    struct nv_curve_key curve, recovery;
    struct nv_settings settings;
};

static enum nv_status read_invitation(const char *word, struct nv_invitation *invitation, struct nv_error *error)
{
    char line[INVITATION_TEXT] = "";
    if (strcmp(word, "-") == 0) {
        if (fgets(line, sizeof line, stdin) == NULL)
            return nv_fail(error, NV_REFUSED, "there is no invitation on standard input");
        line[strcspn(line, " \t\r\n")] = '\0';
        word = line;
    }
    enum nv_status status = nv_invitation_read(word, invitation, error);
    nv_wipe(line, sizeof line);
    return status;
}

/* A join that was cut short in the middle may be done again. */
static enum nv_status check_outside(const struct joining *joining, struct nv_error *error)
{
    const struct nv_identity *identity = nv_store_identity(joining->store);
    const struct nv_public_key *invited = &joining->invitation.authority_key;
    if (!identity->has_network || (nv_store_member(joining->store, identity->site) == NULL &&
                                   memcmp(identity->network.bytes, invited->bytes, sizeof invited->bytes) == 0))
        return NV_OK;
    return nv_fail(error, NV_REFUSED,
                   "this site is in a network already, and a site is in one only: for another network make another "
                   "home with init");
}

static enum nv_status prepare(struct nv_call *call, struct joining *joining, struct nv_error *error)
{
    enum nv_status status = read_invitation(call->words[0], &joining->invitation, error);
    if (status == NV_OK)
        status = nv_home_open(&call->home, &joining->store, error);
    if (status != NV_OK)
        return status;
    status = check_outside(joining, error);
    if (status == NV_OK)
        status = nv_settings_read(&call->home, &joining->settings, error);
    if (status == NV_OK)
        status = nv_sign_key_load(call->home.keys, "sign.key", &joining->sign, error);
    if (status == NV_OK)
        nv_store_set_signer(joining->store, &joining->sign); /* a certificate must be for this key */
    if (status == NV_OK)
        status = nv_curve_key_load(call->home.keys, "curve.key", &joining->curve, error);
    if (status == NV_OK)
        status = nv_recovery_derive(&joining->invitation, &joining->sign, &joining->recovery, error);
    return status;
}

static enum nv_status encode_request(const struct joining *joining, struct nv_buffer *request, struct nv_error *error)
{
    const struct nv_identity *identity = nv_store_identity(joining->store);
    const struct nv_settings *settings = &joining->settings;
    const char *const endpoints[] = {settings->advertise[0] != '\0' ? settings->advertise : settings->listen};
    struct nv_endpoint endpoint;
    bool can_be_dialled = endpoints[0][0] != '\0' && nv_endpoint_read(endpoints[0], &endpoint, NULL) == NV_OK &&
                          !nv_endpoint_is_any_host(&endpoint) && !nv_endpoint_is_any_port(&endpoint);
    struct nv_certificate wanted = {
        .site = identity->site,
        .name = identity->name,
        .sign_key = joining->sign.public_key,
        .curve_key = joining->curve.public_key,
        .recovery_key = joining->recovery.public_key,
        .role = NV_ROLE_SITE,
        .endpoint_count = can_be_dialled ? 1 : 0,
        .endpoints = endpoints,
    };
    nv_enrol_request_encode(&wanted, joining->invitation.number, joining->invitation.secret, &joining->sign, request);
    return request->failed ? nv_fail(error, NV_NO_MEMORY, "out of memory") : NV_OK;
}

static enum nv_status take_reply(struct joining *joining, struct nv_slice bytes, struct nv_error *error)
{
    struct nv_arena arena = {.limit = 4 * (size_t)NV_LIMIT_MESSAGE_BYTES};
    struct nv_enrol_reply reply;
    enum nv_status status = nv_enrol_reply_decode(bytes, &arena, &reply, error);
    if (status == NV_OK && !reply.admitted)
        status = nv_fail(error, NV_REFUSED, "the hub did not admit this site: %.400s", reply.text);
    if (status == NV_OK)
        status = nv_authority_adopt(joining->store, &joining->invitation.authority_key, reply.authority,
                                    reply.authority_count, nv_wall_now(), error);
    nv_arena_done(&arena);
    return status;
}

static enum nv_status print_joined(const struct nv_call *call, const struct joining *joining, struct nv_error *error)
{
    char recovery[NV_RECOVERY_TEXT];
    const struct nv_identity *identity = nv_store_identity(joining->store);
    const struct nv_member *members;
    size_t count;
    enum nv_status status = NV_OK;
    nv_store_members(joining->store, &members, &count);
    nv_recovery_text(&joining->recovery, recovery);
    if (call->json) {
        status = nv_print_json(json_pack("{s:o, s:o, s:I, s:s}", "name", nv_json_text(identity->name), "network",
                                         nv_json_hex(identity->network.bytes, sizeof identity->network.bytes),
                                         "members", (json_int_t)count, "recovery_secret", recovery),
                               error);
    } else {
        printf(
            "This site, %s, is now in the network, which has %zu sites.\n"
            "\nWrite this down and keep it away from this machine; it is shown only now. With it, and nothing else,\n"
            "what was sealed for this site can be read once its keys are lost:\n"
            "  %s\n"
            "\nNext: start navetted, which brings the tables and the records:\n"
            "  navetted --home %s\n",
            identity->name, count, recovery, call->home.path);
    }
    nv_wipe(recovery, sizeof recovery);
    return status;
}

enum nv_status nv_command_join(struct nv_call *call, struct nv_error *error)
{
    struct joining joining = {0};
    struct nv_buffer request = {0}, reply = {0};
    enum nv_status status = prepare(call, &joining, error);
    if (status == NV_OK)
        status = encode_request(&joining, &request, error);
    if (status == NV_OK)
        status = nv_enrol_ask(&joining.invitation, &joining.curve, nv_buffer_slice(&request), ENROL_TIMEOUT_MS, &reply,
                              error);
    if (status == NV_OK)
        status = take_reply(&joining, nv_buffer_slice(&reply), error);
    if (status == NV_OK)
        status = print_joined(call, &joining, error);
    nv_buffer_done(&request);
    nv_buffer_done(&reply);
    nv_store_close(joining.store);
    nv_wipe(&joining, sizeof joining);
    return status;
}

/* ---- members ---- */

static enum nv_status print_members(const struct nv_store *store, struct nv_error *error)
{
    const struct nv_member *members;
    size_t count;
    struct nv_grid grid = {.columns = 3};
    nv_store_members(store, &members, &count);
    for (size_t i = 0; i < count; i++) {
        bool is_own = nv_site_id_compare(members[i].site, nv_store_identity(store)->site) == 0;
        nv_grid_cell(&grid, members[i].name);
        nv_grid_cell(&grid, role_name(members[i].role));
        nv_grid_cell(&grid, is_own ? "(this site)" : members[i].endpoint);
    }
    enum nv_status status = nv_grid_print(&grid, 0, error);
    nv_grid_done(&grid);
    return status;
}

static enum nv_status print_members_json(const struct nv_store *store, struct nv_error *error)
{
    const struct nv_member *members;
    size_t count;
    json_t *list = json_array();
    nv_store_members(store, &members, &count);
    for (size_t i = 0; i < count; i++) {
        const struct nv_member *member = &members[i];
        bool is_own = nv_site_id_compare(member->site, nv_store_identity(store)->site) == 0;
        json_array_append_new(
            list, json_pack("{s:o, s:o, s:s, s:o, s:b, s:I, s:I}", "name", nv_json_text(member->name), "id",
                            nv_json_hex(member->site.bytes, sizeof member->site.bytes), "role", role_name(member->role),
                            "endpoint", member->endpoint[0] == '\0' ? json_null() : nv_json_text(member->endpoint),
                            "own", (int)is_own, "not_before_ms", (json_int_t)member->not_before.ms, "not_after_ms",
                            (json_int_t)member->not_after.ms));
    }
    return nv_print_json(list, error);
}

enum nv_status nv_command_members(struct nv_call *call, struct nv_error *error)
{
    struct nv_store *store = NULL;
    enum nv_status status = nv_home_open(&call->home, &store, error);
    if (status == NV_OK && !nv_store_identity(store)->has_network)
        status = nv_fail(error, NV_NOT_FOUND, "this site is in no network yet: run `navette join INVITATION`");
    if (status == NV_OK)
        status = call->json ? print_members_json(store, error) : print_members(store, error);
    nv_store_close(store);
    return status;
}
