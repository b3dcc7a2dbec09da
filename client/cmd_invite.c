/* navette invite: the line with which a site comes into the network, or comes back. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "client/command.h"
#include "client/language.h"
#include "client/sites.h"
#include "store/authority.h"

enum { DAY_MS = 86400000, INVITATION_TEXT = 1024 };

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

/* Whom an invitation is for. */
struct invited {
    const char *name;
    enum nv_role role;
    bool has_role;  /* somebody said which */
    bool is_member; /* then it is for recovering that one */
};

static enum nv_status judge_name(const struct nv_store *store, struct invited *invited, struct nv_error *error)
{
    const struct nv_member *members;
    size_t count;
    nv_store_members(store, &members, &count);
    if (!nv_name_is_good(invited->name))
        return nv_fail(error, NV_USAGE, "a site's name has 1 to %d bytes of UTF-8 and no control characters",
                       NV_LIMIT_NAME);
    for (size_t i = 0; i < count; i++) {
        const struct nv_member *member = &members[i];
        if (sqlite3_stricmp(member->name, invited->name) != 0)
            continue;
        if (nv_site_id_compare(member->site, nv_store_identity(store)->site) == 0)
            return nv_fail(error, NV_REFUSED, "%s is this hub itself: invite the new site under another name",
                           invited->name);
        if (invited->has_role)
            return nv_fail(error, NV_REFUSED,
                           "%s is a member already and keeps its role: leave --role out to recover it, or invite the "
                           "new site under another name",
                           invited->name);
        invited->is_member = true;
        invited->role = member->role;
    }
    return NV_OK;
}

static enum nv_status make_invitation(struct nv_call *call, struct invited *invited, int64_t days,
                                      struct nv_invitation *invitation, struct nv_error *error)
{
    struct nv_store *store = NULL;
    struct nv_sign_key authority = {0};
    struct nv_curve_key curve = {0};
    enum nv_status status = nv_home_open(&call->home, &store, error);
    if (status == NV_OK)
        status = nv_home_authority(&call->home, &authority, error);
    if (status == NV_OK)
        status = nv_curve_key_load(call->home.keys, "curve.key", &curve, error);
    if (status == NV_OK)
        status = judge_name(store, invited, error);
    if (status == NV_OK)
        status = enrol_endpoint(&call->home, invitation->endpoint, error);
    if (status == NV_OK) {
        nv_random(&invitation->number, sizeof invitation->number);
        invitation->number >>= 1; /* SQLite's integers are signed */
        nv_random(invitation->secret, sizeof invitation->secret);
        invitation->hub_curve_key = curve.public_key;
        invitation->authority_key = authority.public_key;
        invitation->expires.ms = nv_wall_now().ms + days * DAY_MS;
        status = nv_invitation_keep(store, invitation, invited->name, invited->role, error);
    }
    nv_store_close(store);
    nv_wipe(&authority, sizeof authority);
    nv_wipe(&curve, sizeof curve);
    return status;
}

static enum nv_status print_invitation(const struct nv_call *call, const struct invited *invited,
                                       const struct nv_invitation *invitation, const char *text, struct nv_error *error)
{
    if (call->json)
        return nv_print_json(json_pack("{s:s, s:o, s:s, s:s, s:I, s:b}", "invitation", text, "name",
                                       nv_json_text(invited->name), "role", nv_role_text(invited->role, false),
                                       "endpoint", invitation->endpoint, "expires_ms",
                                       (json_int_t)invitation->expires.ms, "recovers", (int)invited->is_member),
                             error);
    printf("%s\n", text);
    fflush(stdout);
    if (invited->is_member)
        fprintf(
            stderr,
            _("%s is a member already, so this invitation only brings it back once its machine or its keys are lost:\n"
              "on the new machine `navette init NAME`, then `navette join INVITATION --recover` with its recovery\n"
              "secret. Its old keys are worth nothing from then on.\n"),
            invited->name);
    return NV_OK;
}

enum nv_status nv_command_invite(struct nv_call *call, struct nv_error *error)
{
    struct nv_invitation invitation = {0};
    char text[INVITATION_TEXT];
    const char *role = nv_option(call, "--role");
    struct invited invited = {.name = call->words[0], .role = NV_ROLE_SITE, .has_role = role != NULL};
    int64_t days;
    enum nv_status status = nv_option_number(call, "--days", 1, 3650, 14, &days, error);
    if (status != NV_OK)
        return status;
    if (role != NULL && strcmp(role, "hub") == 0)
        invited.role = NV_ROLE_HUB;
    else if (role != NULL && strcmp(role, "site") != 0)
        return nv_fail(error, NV_USAGE, "--role is site or hub");
    status = make_invitation(call, &invited, days, &invitation, error);
    if (status == NV_OK)
        status = nv_invitation_write(&invitation, text, sizeof text);
    if (status == NV_OK)
        status = print_invitation(call, &invited, &invitation, text, error);
    nv_wipe(&invitation, sizeof invitation);
    nv_wipe(text, sizeof text);
    return status;
}
