/* navette join: how a site comes into the network, and how one that lost its keys comes back. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "client/command.h"
#include "client/language.h"
#include "client/secret.h"
#include "net/enrol.h"
#include "store/authority.h"
#include "wire/recovery.h"

enum { ENROL_TIMEOUT_MS = 20000, INVITATION_TEXT = 1024 };

struct joining {
    struct nv_store *store;
    struct nv_invitation invitation;
    struct nv_sign_key sign;
    struct nv_curve_key curve, recovery;
    struct nv_settings settings;
    bool recovers; /* a site that lost its keys */
};

static enum nv_status read_invitation(const char *word, struct nv_invitation *invitation, struct nv_error *error)
{
    char line[INVITATION_TEXT] = "";
    if (strcmp(word, "-") == 0) {
        setvbuf(stdin, NULL, _IONBF, 0); /* the recovery secret may follow it */
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

/* What the person has written down, or what the invitation and the site's key make. */
static enum nv_status take_recovery_key(struct nv_call *call, struct joining *joining, struct nv_error *error)
{
    if (!joining->recovers)
        return nv_recovery_derive(&joining->invitation, &joining->sign, &joining->recovery, error);
    if (nv_home_is_running(&call->home))
        return nv_fail(error, NV_BUSY, "navetted runs on this home: stop it, then recover the site");
    return nv_secret_ask(nv_option(call, "--secret"), &joining->recovery, error);
}

static enum nv_status prepare(struct nv_call *call, struct joining *joining, struct nv_error *error)
{
    joining->recovers = nv_option(call, "--recover") != NULL;
    if (!joining->recovers && nv_option(call, "--secret") != NULL)
        return nv_fail(error, NV_USAGE, "--secret goes with --recover: who joins for the first time is given a secret");
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
        status = take_recovery_key(call, joining, error);
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
    if (joining->recovers)
        return nv_enrol_recovery_encode(&wanted, &joining->invitation, &joining->sign, &joining->recovery, request,
                                        error);
    nv_enrol_request_encode(&wanted, joining->invitation.number, joining->invitation.secret, &joining->sign, request);
    return request->failed ? nv_fail(error, NV_NO_MEMORY, "out of memory") : NV_OK;
}

static enum nv_status take_reply(struct joining *joining, struct nv_slice bytes, struct nv_error *error)
{
    struct nv_arena arena = {.limit = 4 * (size_t)NV_LIMIT_MESSAGE_BYTES};
    struct nv_enrol_reply reply;
    enum nv_status status = nv_enrol_reply_decode(bytes, &arena, &reply, error);
    if (status == NV_OK && !reply.admitted)
        status = nv_fail(error, NV_REFUSED, "the hub did not admit this site: %.400s",
                         reply.text[0] == '\0' ? "" : _(reply.text));
    if (status == NV_OK && joining->recovers)
        status = nv_authority_recover(joining->store, &joining->invitation.authority_key, &reply, &joining->recovery,
                                      &joining->curve.public_key, nv_wall_now(), error);
    else if (status == NV_OK)
        status = nv_authority_adopt(joining->store, &joining->invitation.authority_key, reply.authority,
                                    reply.authority_count, nv_wall_now(), error);
    nv_arena_done(&arena);
    return status;
}

static void say_joined(const struct nv_call *call, const char *name, size_t members, const char *recovery)
{
    printf(_("This site, %s, is now in the network, which has %zu sites.\n"
             "\nWrite this down and keep it away from this machine; it is shown only now. With it, and nothing else,\n"
             "the site can be brought back, with what was sealed for it, once its keys are lost:\n"
             "  %s\n"
             "\nNext: start navetted, which brings the tables and the records:\n"
             "  navetted --home %s\n"),
           name, members, recovery, call->home.path);
}

static void say_recovered(const struct nv_call *call, const char *name, size_t members)
{
    printf(_("This is now the site %s, in a network of %zu sites. The keys that it had before are worth nothing any "
             "more.\n"
             "\nKeep its recovery secret as you have it, away from this machine: it stays the same.\n"
             "\nNext: start navetted, which brings the tables and the records:\n"
             "  navetted --home %s\n"),
           name, members, call->home.path);
}

static enum nv_status print_json_joined(const struct joining *joining, const char *name, size_t members,
                                        const char *recovery, struct nv_error *error)
{
    const struct nv_identity *identity = nv_store_identity(joining->store);
    json_t *json = json_pack("{s:o, s:o, s:I, s:b}", "name", nv_json_text(name), "network",
                             nv_json_hex(identity->network.bytes, sizeof identity->network.bytes), "members",
                             (json_int_t)members, "recovered", (int)joining->recovers);
    if (json != NULL && !joining->recovers)
        json_object_set_new(json, "recovery_secret", nv_json_text(recovery));
    return nv_print_json(json, error);
}

static enum nv_status print_joined(const struct nv_call *call, const struct joining *joining, struct nv_error *error)
{
    char recovery[NV_RECOVERY_TEXT];
    const struct nv_identity *identity = nv_store_identity(joining->store);
    const struct nv_member *members, *self = nv_store_member(joining->store, identity->site);
    const char *name = joining->recovers && self != NULL ? self->name : identity->name;
    size_t count;
    enum nv_status status = NV_OK;
    nv_store_members(joining->store, &members, &count);
    nv_recovery_text(&joining->recovery, recovery);
    if (call->json)
        status = print_json_joined(joining, name, count, recovery, error);
    else if (joining->recovers)
        say_recovered(call, name, count);
    else
        say_joined(call, name, count, recovery);
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
