#include "service.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/log.h"
#include "service_internal.h"
#include "store/authority.h"
#include "store/care.h"
#include "store/seal.h"
#include "wire/digest.h"

enum { SECOND_US = 1000000, MESSAGE_ARENA = 128 << 20, PEEK_ARENA = 4 << 20, AWAIT_MS = 250 };

enum nv_status nv_service_new(const struct nv_service_settings *settings, struct nv_service **ret_service,
                              struct nv_error *error)
{
    struct nv_service *service = calloc(1, sizeof *service);
    if (service == NULL)
        return nv_fail(error, NV_NO_MEMORY, "no memory to start");
    service->settings = *settings;
    service->store = settings->store;
    service->now = nv_mono_now();
    service->arena.limit = MESSAGE_ARENA;
    service->peek_arena.limit = PEEK_ARENA;
    service->seal_at = service->second_at = service->now.us;
    service->ingest_at = service->enrol_at = service->members_at = INT64_MAX;
    service->watch.descriptor = -1;
    service->intake = nv_intake_new();
    service->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    enum nv_status status = NV_OK;
    if (service->intake == NULL)
        status = nv_fail(error, NV_NO_MEMORY, "no memory to start");
    else if (service->timer < 0)
        status = nv_fail(error, NV_IO, "cannot make a timer: %s", strerror(errno));
    else
        status = nv_watch_open(&service->watch, settings->config->home, service->now, error);
    if (status != NV_OK) {
        nv_service_free(service);
        return status;
    }
    *ret_service = service;
    return NV_OK;
}

void nv_service_free(struct nv_service *service)
{
    if (service == NULL)
        return;
    if (service->net != NULL)
        nv_service_peers_away(service);
    nv_net_close(service->net);
    nv_sync_free(service->sync);
    nv_intake_free(service->intake);
    nv_watch_close(&service->watch);
    if (service->timer >= 0)
        close(service->timer);
    nv_actions_done(&service->actions);
    nv_arena_done(&service->arena);
    nv_arena_done(&service->peek_arena);
    nv_buffer_done(&service->out);
    nv_buffer_done(&service->read);
    nv_buffer_done(&service->enrolment);
    free(service->message_heads);
    nv_heads_done(&service->told);
    nv_heads_done(&service->counted);
    nv_service_forget_carriers(service);
    free(service->saved);
    free(service);
}

const char *nv_service_listens(const struct nv_service *service)
{
    return nv_net_listens(service->net);
}

const char *nv_service_enrols(const struct nv_service *service)
{
    return nv_net_enrols(service->net);
}

/* ---- before there is a network ------------------------------------------------------------------------------------
 */

static bool is_certified(const struct nv_service *service)
{
    const struct nv_identity *identity = nv_store_identity(service->store);
    return identity->has_network && nv_store_member(service->store, identity->site) != NULL;
}

static bool is_asked_to_end(const struct nv_service *service)
{
    struct pollfd item = {.fd = service->settings.signals, .events = POLLIN};
    return poll(&item, 1, 0) > 0;
}

enum nv_status nv_service_await_network(struct nv_service *service, bool *ret_stop, struct nv_error *error)
{
    *ret_stop = false;
    if (!is_certified(service))
        nv_log(NV_LOG_INFO, "this site is in no network%s: waiting for `navette join`; writes are kept meanwhile",
               nv_store_identity(service->store)->has_network ? " any more" : " yet");
    while (!is_certified(service)) {
        struct pollfd items[] = {{.fd = service->settings.signals, .events = POLLIN},
                                 {.fd = service->watch.descriptor, .events = POLLIN}};
        poll(items, 2, AWAIT_MS);
        service->now = nv_mono_now();
        nv_watch_read(&service->watch, service->now);
        if (is_asked_to_end(service)) {
            *ret_stop = true;
            return NV_OK;
        }
        enum nv_status status = nv_service_look(service, error);
        if (status == NV_OK)
            status = nv_store_check_file(service->store, error);
        if (status != NV_OK)
            return status;
    }
    return NV_OK;
}

enum nv_status nv_service_open(struct nv_service *service, struct nv_error *error)
{
    const struct nv_identity *identity = nv_store_identity(service->store);
    struct nv_net_settings settings = {
        .own = service->settings.curve_key,
        .listen = service->settings.config->listen,
        .enrol = service->settings.authority_key != NULL ? service->settings.config->enrol : NULL,
    };
    service->sync = nv_sync_new(identity->site, identity->network.bytes, &nv_digests);
    if (service->sync == NULL)
        return nv_fail(error, NV_NO_MEMORY, "no memory to start");
    enum nv_status status = nv_net_open(&settings, &service->net, error);
    service->now = nv_mono_now();
    /* Before the self-test: it answers whoever knocks meanwhile, and a member must not be taken for a stranger. */
    if (status == NV_OK)
        status = nv_service_set_members(service, error);
    if (status == NV_OK)
        status = nv_net_self_test(service->net, error);
    service->now = nv_mono_now();
    if (status == NV_OK)
        status = nv_service_count_held(service, error);
    if (status == NV_OK)
        nv_service_peers_away(service);
    return status;
}

/* ---- the loop -----------------------------------------------------------------------------------------------------
 */

static int64_t lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

struct nv_mono_us nv_service_wake(const struct nv_service *service)
{
    int64_t next = lesser(service->seal_at, service->ingest_at);
    next = lesser(next, lesser(service->enrol_at, service->second_at));
    next = lesser(next, lesser(service->members_at, service->watch.look_at));
    next = lesser(next, nv_sync_wake(service->sync).us);
    return (struct nv_mono_us){lesser(next, nv_net_wake(service->net).us)};
}

/* A timer counts in microseconds where poll counts in milliseconds: the looks for a writer's commit need that. */
static enum nv_status wait_for_work(struct nv_service *service, struct nv_error *error)
{
    int64_t pause = nv_service_wake(service).us - nv_mono_now().us;
    if (pause > 0) {
        struct itimerspec alarm = {.it_value = {.tv_sec = pause / SECOND_US, .tv_nsec = pause % SECOND_US * 1000}};
        if (timerfd_settime(service->timer, 0, &alarm, NULL) != 0)
            return nv_fail(error, NV_IO, "cannot set a timer: %s", strerror(errno));
    }
    int descriptors[] = {service->settings.signals, service->watch.descriptor, service->timer};
    enum nv_status status = nv_net_wait(service->net, descriptors, 3, pause > 0 ? -1 : 0, error);
    uint64_t expirations;
    if (read(service->timer, &expirations, sizeof expirations) < 0 && errno != EAGAIN)
        return nv_fail(error, NV_IO, "cannot read a timer: %s", strerror(errno));
    return status;
}

static enum nv_status serve_network(struct nv_service *service, struct nv_error *error)
{
    struct nv_net_event event;
    enum nv_status status = NV_OK;
    int64_t end = service->now.us + NV_SLICE_MS * 1000;
    for (int i = 0; status == NV_OK && i < NV_EVENTS_MOST && nv_net_next(service->net, service->now, &event); i++) {
        status = nv_service_take_event(service, &event, error);
        service->now = nv_mono_now();
        if (service->now.us >= end)
            break; /* large messages must not keep us from the store */
    }
    return status;
}

static enum nv_status tick(struct nv_service *service, struct nv_error *error)
{
    struct nv_event event = {.kind = NV_EVENT_TICK};
    return nv_service_step(service, &event, error);
}

/* What needs no haste. */
static enum nv_status keep_house(struct nv_service *service, struct nv_error *error)
{
    enum nv_status status = NV_OK;
    if (service->now.us >= service->members_at)
        status = nv_service_set_members(service, error);
    if (status != NV_OK || service->now.us < service->second_at)
        return status;
    service->second_at = service->now.us + SECOND_US;
    service->notes = 0;
    if (nv_store_keys_wait(service->store, nv_wall_now()))
        nv_service_ask_seal(service);
    status = nv_store_check_file(service->store, error);
    if (status == NV_OK)
        status = nv_service_tell_owed(service, error);
    if (status == NV_OK)
        status = nv_service_end_moves(service, error);
    if (status == NV_OK)
        status = nv_store_trim(service->store, error);
    if (status == NV_OK)
        nv_service_publish(service);
    return status == NV_OK ? nv_service_save_peers(service, error) : status;
}

enum nv_status nv_service_turn(struct nv_service *service, struct nv_error *error)
{
    enum nv_status status = NV_OK;
    service->now = nv_mono_now();
    nv_watch_read(&service->watch, service->now);
    if (nv_watch_is_due(&service->watch, service->now))
        status = nv_service_look(service, error);
    if (status == NV_OK)
        status = nv_service_seal(service, error);
    /* Sealing takes up what a command committed just then, also where there was nothing to seal. */
    if (status == NV_OK)
        status = nv_service_tell_growth(service, error);
    if (status == NV_OK)
        status = serve_network(service, error);
    if (status == NV_OK)
        status = nv_service_ingest(service, error);
    if (status == NV_OK)
        status = nv_service_enrol(service, error);
    if (status == NV_OK)
        status = tick(service, error);
    return status == NV_OK ? keep_house(service, error) : status;
}

static bool may_be_let_read(const struct nv_store *store, const char *name)
{
    const struct nv_member *members;
    size_t count;
    nv_store_members(store, &members, &count);
    for (size_t i = 0; i < count; i++)
        if (members[i].reader && sqlite3_stricmp(members[i].name, name) == 0)
            return true;
    return false;
}

/* A name that is misspelt would leave its hub without what the operator means it to have. */
static void warn_of_hub_readers(const struct nv_service *service)
{
    const struct nv_config *config = service->settings.config;
    for (size_t i = 0; i < config->hub_reader_count; i++)
        if (!may_be_let_read(service->store, config->hub_readers[i]))
            nv_log(NV_LOG_WARNING,
                   "hub-reads names %s, which is not certified as a hub that may read: it is given nothing "
                   "(`navette members` lists the hubs that may be let read)",
                   config->hub_readers[i]);
}

enum nv_status nv_service_start(struct nv_service *service, struct nv_error *error)
{
    warn_of_hub_readers(service);
    enum nv_status status = nv_service_set_members(service, error);
    return status == NV_OK ? nv_service_tell_growth(service, error) : status;
}

enum nv_status nv_service_run(struct nv_service *service, struct nv_error *error)
{
    enum nv_status status = nv_service_start(service, error);
    while (status == NV_OK && !is_asked_to_end(service)) {
        status = wait_for_work(service, error);
        if (status == NV_OK)
            status = nv_service_turn(service, error);
    }
    return status;
}
