/* navette init: a new site, and at the hub a new network. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "client/command.h"
#include "client/language.h"
#include "store/authority.h"
#include "wire/recovery.h"

static const char *const key_files[] = {"sign.key", "curve.key", "authority.key", "successor.key"};
enum { KEY_FILES = sizeof key_files / sizeof key_files[0] };

/* What this call makes. The store is made under another name and takes its own once all the rest stands: so a store.db
 * is always whole. */
struct making {
    const struct nv_home *home;
    char store[NV_PATH_MAX + 8];
    bool made_home, made_keys, made_settings;
    bool is_reader; /* a hub that sites may let read */
    struct nv_sign_key sign, authority, successor;
    struct nv_curve_key curve, recovery;
};

/* ---- what is asked for ---- */

/* The endpoint one port above. */
static enum nv_status next_port(struct nv_endpoint *endpoint, struct nv_error *error)
{
    if (nv_endpoint_is_any_port(endpoint))
        return NV_OK;
    unsigned port = (unsigned)strtoul(endpoint->port, NULL, 10) & 0xffff;
    if (port == 0xffff)
        return nv_fail(error, NV_USAGE, "there is no port above 65535 to enrol at: name one with --enrol");
    snprintf(endpoint->port, sizeof endpoint->port, "%u", port + 1);
    return NV_OK;
}

/* How others dial what is bound: as it stands, with this machine's name where it is bound to all its addresses. */
static enum nv_status dialled(const struct nv_endpoint *listen, char ret_text[NV_ENDPOINT_MAX], struct nv_error *error)
{
    struct nv_endpoint endpoint = *listen;
    if (nv_endpoint_is_any_port(listen)) {
        ret_text[0] = '\0'; /* known only while the daemon runs */
        return NV_OK;
    }
    if (nv_endpoint_is_any_host(listen)) {
        char name[200] = "";
        if (gethostname(name, sizeof name - 1) != 0 || name[0] == '\0')
            return nv_fail(error, NV_USAGE, "this machine has no name: say with --advertise how others reach it");
        snprintf(endpoint.host, sizeof endpoint.host, "%s", name);
    }
    return nv_endpoint_write(&endpoint, ret_text, error);
}

static enum nv_status take_endpoint(const struct nv_call *call, const char *option, char ret_text[NV_ENDPOINT_MAX],
                                    struct nv_error *error)
{
    struct nv_endpoint endpoint;
    const char *text = nv_option(call, option);
    if (text == NULL)
        return NV_OK;
    enum nv_status status = nv_endpoint_read(text, &endpoint, error);
    if (status != NV_OK)
        return nv_fail_in(error, option);
    return nv_endpoint_write(&endpoint, ret_text, error);
}

static enum nv_status choose_settings(const struct nv_call *call, bool is_hub, struct nv_settings *settings,
                                      struct nv_error *error)
{
    struct nv_endpoint listen;
    if (is_hub)
        strcpy(settings->listen, "tcp://0.0.0.0:7420");
    enum nv_status status = take_endpoint(call, "--listen", settings->listen, error);
    if (status == NV_OK)
        status = take_endpoint(call, "--enrol", settings->enrol, error);
    if (status == NV_OK)
        status = take_endpoint(call, "--advertise", settings->advertise, error);
    if (status != NV_OK)
        return status;
    if (!is_hub && settings->enrol[0] != '\0')
        return nv_fail(error, NV_USAGE, "--enrol is for the hub, which admits new sites: add --hub, or leave it out");
    if (settings->listen[0] == '\0')
        return settings->advertise[0] == '\0' ? NV_OK
                                              : nv_fail(error, NV_USAGE, "--advertise needs --listen beside it");
    status = nv_endpoint_read(settings->listen, &listen, error);
    if (status == NV_OK && settings->advertise[0] == '\0')
        status = dialled(&listen, settings->advertise, error);
    if (status == NV_OK && is_hub && settings->enrol[0] == '\0') {
        status = next_port(&listen, error);
        if (status == NV_OK)
            status = nv_endpoint_write(&listen, settings->enrol, error);
    }
    return status;
}

/* ---- the home ---- */

static enum nv_status make_folder(const char *path, bool *ret_made, struct nv_error *error)
{
    *ret_made = mkdir(path, 0700) == 0;
    if (!*ret_made && errno != EEXIST)
        return nv_fail(error, NV_IO, "the folder %s cannot be made: %s", path, strerror(errno));
    return NV_OK;
}

static enum nv_status refuse_half_made(const struct nv_home *home, const char *part, struct nv_error *error)
{
    return nv_fail(error, NV_REFUSED,
                   "%s holds a home that was begun and not finished: nothing uses it yet, so remove %s, %s and %s and "
                   "run init again",
                   home->path, home->keys, home->settings, part);
}

static enum nv_status check_home(struct making *making, struct nv_error *error)
{
    const struct nv_home *home = making->home;
    char path[NV_PATH_MAX + 32];
    if (access(home->store, F_OK) == 0)
        return nv_fail(error, NV_REFUSED,
                       "%s holds a site already, which init would overwrite: name another home with --home",
                       home->path);
    if (access(making->store, F_OK) == 0)
        return refuse_half_made(home, making->store, error);
    for (size_t i = 0; i < KEY_FILES; i++) {
        snprintf(path, sizeof path, "%s/%s", home->keys, key_files[i]);
        if (access(path, F_OK) == 0)
            return refuse_half_made(home, making->store, error);
    }
    if (access(home->settings, F_OK) == 0)
        return refuse_half_made(home, making->store, error);
    return NV_OK;
}

static enum nv_status sync_folder(const char *path, struct nv_error *error)
{
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = folder >= 0 && fsync(folder) == 0;
    if (folder >= 0)
        close(folder);
    return synced ? NV_OK : nv_fail(error, NV_IO, "the folder %s cannot be made durable: %s", path, strerror(errno));
}

/* Takes back what a failed init made. Check_home saw that none of it was there before. */
static void take_back(const struct making *making)
{
    static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
    char path[NV_PATH_MAX + 64];
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        snprintf(path, sizeof path, "%s%s", making->store, endings[i]);
        unlink(path);
    }
    for (size_t i = 0; i < KEY_FILES; i++) {
        snprintf(path, sizeof path, "%s/%s", making->home->keys, key_files[i]);
        unlink(path);
    }
    if (making->made_settings)
        unlink(making->home->settings);
    if (making->made_keys)
        rmdir(making->home->keys);
    if (making->made_home)
        rmdir(making->home->path);
}

/* ---- making it ---- */

static enum nv_status make_keys(struct making *making, bool is_hub, struct nv_error *error)
{
    const char *folder = making->home->keys;
    enum nv_status status = nv_sign_key_create(folder, "sign.key", &making->sign, error);
    if (status == NV_OK)
        status = nv_curve_key_create(folder, "curve.key", &making->curve, error);
    if (status == NV_OK && is_hub)
        status = nv_sign_key_create(folder, "authority.key", &making->authority, error);
    if (status == NV_OK && is_hub)
        status = nv_sign_key_create(folder, "successor.key", &making->successor, error);
    if (status == NV_OK && is_hub)
        status = nv_recovery_make(&making->recovery, error);
    return status;
}

static enum nv_status found_network(struct making *making, const struct nv_settings *settings, struct nv_error *error)
{
    struct nv_store *store = NULL;
    enum nv_status status = nv_store_open(making->store, &store, error);
    if (status != NV_OK)
        return status;
    const struct nv_identity *identity = nv_store_identity(store);
    const char *const endpoints[] = {settings->advertise};
    struct nv_certificate self = {
        .site = identity->site,
        .name = identity->name,
        .sign_key = making->sign.public_key,
        .curve_key = making->curve.public_key,
        .recovery_key = making->recovery.public_key,
        .role = NV_ROLE_HUB,
        .reader = making->is_reader,
        .endpoint_count = settings->advertise[0] == '\0' ? 0 : 1,
        .endpoints = endpoints,
    };
    nv_store_set_signer(store, &making->sign);
    status = nv_authority_found(store, identity->name, &making->authority, &making->successor.public_key, &self,
                                nv_wall_now(), error);
    nv_store_close(store);
    return status;
}

static enum nv_status make_site(struct making *making, const char *name, bool is_hub,
                                const struct nv_settings *settings, struct nv_error *error)
{
    enum nv_status status = make_folder(making->home->path, &making->made_home, error);
    if (status == NV_OK)
        status = make_folder(making->home->keys, &making->made_keys, error);
    if (status == NV_OK)
        status = make_keys(making, is_hub, error);
    if (status == NV_OK)
        status = nv_settings_write(making->home, settings, error);
    making->made_settings = status == NV_OK;
    if (status == NV_OK)
        status = nv_store_create(making->store, name, error);
    if (status == NV_OK && is_hub)
        status = found_network(making, settings, error);
    if (status == NV_OK && rename(making->store, making->home->store) != 0)
        status = nv_fail(error, NV_IO, "the store cannot get its name: %s", strerror(errno));
    if (status == NV_OK)
        status = sync_folder(making->home->path, error);
    return status;
}

static void say_what_next(const struct making *making, const char *name, bool is_hub,
                          const struct nv_settings *settings, const char *recovery)
{
    const char *home = making->home->path;
    printf(_("The site %s stands in %s.\n"), name, home);
    if (!is_hub) {
        printf(_("Next: ask the hub for an invitation (`navette invite %s` there), then run\n"
                 "  navette --home %s join INVITATION\n"),
               name, home);
        return;
    }
    if (making->is_reader)
        puts(_("It reads what is for every site, and what else a site lets it read."));
    if (settings->advertise[0] != '\0')
        printf(_("Others will dial it at %s; where that is not how they reach it, say so with --advertise.\n"),
               settings->advertise);
    printf(_("\nWrite this down and keep it away from this machine; it is shown only now. With it, and nothing else, "
             "what\n"
             "was sealed for this site can be read once its keys are lost:\n"
             "  %s\n"
             "\nMove %s/successor.key to a safe place away from this machine: it can appoint a new\n"
             "authority, should this one be lost or stolen.\n"
             "\nNext: start navetted, then publish the tables and invite the sites:\n"
             "  navetted --home %s\n"
             "  navette --home %s schema apply FILE.sql\n"
             "  navette --home %s invite NAME\n"),
           recovery, making->home->keys, home, home, home);
}

static enum nv_status answer_json(const struct making *making, const char *name, bool is_hub,
                                  const struct nv_settings *settings, const char *recovery, struct nv_error *error)
{
    json_t *json = json_pack("{s:o, s:o, s:s, s:o, s:o}", "name", nv_json_text(name), "home",
                             nv_json_text(making->home->path), "role", is_hub ? "hub" : "site", "listen",
                             settings->listen[0] == '\0' ? json_null() : nv_json_text(settings->listen), "advertise",
                             settings->advertise[0] == '\0' ? json_null() : nv_json_text(settings->advertise));
    if (json != NULL && is_hub) {
        json_object_set_new(json, "reader", json_boolean(making->is_reader));
        json_object_set_new(json, "enrol", nv_json_text(settings->enrol));
        json_object_set_new(json, "recovery_secret", nv_json_text(recovery));
        json_object_set_new(json, "network",
                            nv_json_hex(making->authority.public_key.bytes, sizeof making->authority.public_key.bytes));
    }
    return nv_print_json(json, error);
}

enum nv_status nv_command_init(struct nv_call *call, struct nv_error *error)
{
    struct making making = {.home = &call->home, .is_reader = nv_option(call, "--reader") != NULL};
    struct nv_settings settings = {0};
    char recovery[NV_RECOVERY_TEXT];
    const char *name = call->words[0];
    bool is_hub = nv_option(call, "--hub") != NULL;
    snprintf(making.store, sizeof making.store, "%s.part", call->home.store);

    if (!nv_name_is_good(name))
        return nv_fail(error, NV_USAGE, "a site's name has 1 to %d bytes of UTF-8 and no control characters",
                       NV_LIMIT_NAME);
    if (making.is_reader && !is_hub)
        return nv_fail(error, NV_USAGE,
                       "--reader is for the hub, which else only carries what is not for every site: "
                       "add --hub, or leave it out");
    enum nv_status status = choose_settings(call, is_hub, &settings, error);
    if (status == NV_OK)
        status = check_home(&making, error);
    if (status != NV_OK)
        return status;
    status = make_site(&making, name, is_hub, &settings, error);
    if (status != NV_OK) {
        take_back(&making);
    } else {
        nv_recovery_text(&making.recovery, recovery);
        if (call->json)
            status = answer_json(&making, name, is_hub, &settings, recovery, error);
        else
            say_what_next(&making, name, is_hub, &settings, recovery);
        nv_wipe(recovery, sizeof recovery);
    }
    nv_wipe(&making, sizeof making);
    return status;
}
