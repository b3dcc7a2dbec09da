/* navette invite, join: how a site comes into the network. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "client/command.h"
#include "client/sites.h"
#include "net/enrol.h"
#include "wire/recovery.h"

enum { DAY_MS = 86400000, ENROL_TIMEOUT_MS = 20000, INVITATION_TEXT = 1024 };

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
                                       "role", nv_role_text(role, false), "endpoint", invitation->endpoint,
                                       "expires_ms", (json_int_t)invitation->expires.ms),
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

/* Whether this site may join again is the hub's to say: it may have been taken out of the network, or an answer of the
 * hub's was lost. */
static enum nv_status check_network(const struct joining *joining, struct nv_error *error)
{
    const struct nv_identity *identity = nv_store_identity(joining->store);
    const struct nv_public_key *invited = &joining->invitation.authority_key;
    if (!identity->has_network || memcmp(identity->network.bytes, invited->bytes, sizeof invited->bytes) == 0)
        return NV_OK;
    return nv_fail(error, NV_REFUSED,
                   "this site is in another network already, and a site is in one only: for that network make another "
                   "home with init");
}

static enum nv_status prepare(struct nv_call *call, struct joining *joining, struct nv_error *error)
{
    enum nv_status status = read_invitation(call->words[0], &joining->invitation, error);
    if (status == NV_OK)
        status = nv_home_open(&call->home, &joining->store, error);
    if (status != NV_OK)
        return status;
    status = check_network(joining, error);
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
