/* Real sockets on loopback: who is let in, whose a session is, and what becomes of a line that fails. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <sodium.h>

#include "net/enrol.h"
#include "net/internal.h"

enum { PATIENCE_US = 20 * 1000000 };

static struct nv_mono_us now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (struct nv_mono_us){(int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000};
}

/* A node: its key, its sockets, and what happened last. */
struct node {
    struct nv_curve_key key;
    struct nv_site_id site;
    struct nv_net *net;
    uint32_t session;
    struct nv_site_id session_site;
    char frame[64];
    unsigned opened, closed, garbage, strangers, denied, frames;
};

static struct node node_of(uint8_t number)
{
    struct node node = {.site = {{number}}};
    crypto_box_keypair(node.key.public_key.bytes, node.key.secret);
    return node;
}

static void start(struct node *node, const char *listen, const char *enrol)
{
    struct nv_error error = {0};
    struct nv_net_settings settings = {.own = &node->key, .listen = listen, .enrol = enrol};
    if (nv_net_open(&settings, &node->net, &error) != NV_OK)
        fail_msg("%s", error.text);
}

static void know(struct node *node, const struct node *other, const char *endpoint)
{
    struct nv_error error = {0};
    struct nv_net_member member = {.site = other->site, .curve_key = other->key.public_key, .endpoint = endpoint};
    assert_int_equal(nv_net_set_members(node->net, &member, 1, now(), &error), NV_OK);
}

static void know_nobody(struct node *node)
{
    struct nv_error error = {0};
    assert_int_equal(nv_net_set_members(node->net, NULL, 0, now(), &error), NV_OK);
}

static void take(struct node *node, const struct nv_net_event *event)
{
    switch (event->kind) {
    case NV_NET_OPENED:
        node->opened++;
        node->session = event->session;
        node->session_site = event->site;
        break;
    case NV_NET_CLOSED:
        node->closed++;
        break;
    case NV_NET_FRAME:
        node->frames++;
        assert_int_equal(event->session, node->session);
        snprintf(node->frame, sizeof node->frame, "%.*s", (int)event->frame.size, (const char *)event->frame.data);
        break;
    case NV_NET_GARBAGE:
        node->garbage++;
        break;
    case NV_NET_STRANGER:
        node->strangers++;
        break;
    case NV_NET_DENIED:
        node->denied++;
        break;
    case NV_NET_ENROL:
        nv_net_answer(node->net, event->frame);
        break;
    }
}

static void pump(struct node *node)
{
    struct nv_net_event event;
    struct nv_error error = {0};
    while (node->net != NULL && nv_net_next(node->net, now(), &event))
        take(node, &event);
    if (node->net != NULL)
        assert_int_equal(nv_net_wait(node->net, NULL, 0, 2, &error), NV_OK);
}

/* Lets both work until the counter got that far. */
static void pump_until(struct node *a, struct node *b, const unsigned *counter, unsigned count)
{
    for (int64_t end = now().us + PATIENCE_US; *counter < count;) {
        assert_true(now().us < end);
        pump(a);
        pump(b);
    }
}

static void pump_for(struct node *a, struct node *b, int64_t microseconds)
{
    for (int64_t end = now().us + microseconds; now().us < end;) {
        pump(a);
        pump(b);
    }
}

static bool say(struct node *node, const char *text)
{
    return nv_net_send(node->net, node->session, (struct nv_slice){(const uint8_t *)text, strlen(text)});
}

/* A hub that listens and a school that dialled it; the hub learns of the session by the school's first frame. */
static void meet(struct node *hub, struct node *school)
{
    *hub = node_of(1);
    *school = node_of(2);
    start(hub, "tcp://127.0.0.1:*", NULL);
    start(school, NULL, NULL);
    know(hub, school, NULL);
    know(school, hub, nv_net_listens(hub->net));
    pump_until(hub, school, &school->opened, 1);
    assert_true(say(school, "hello"));
    pump_until(hub, school, &hub->frames, 1);
}

static void part(struct node *hub, struct node *school)
{
    nv_net_close(hub->net);
    nv_net_close(school->net);
}

static void frames_go_both_ways_and_belong_to_their_site(void **state)
{
    (void)state;
    struct node hub, school;
    meet(&hub, &school);
    assert_string_equal(hub.frame, "hello");
    assert_int_equal(nv_site_id_compare(hub.session_site, school.site), 0);
    assert_int_equal(nv_site_id_compare(school.session_site, hub.site), 0);
    assert_true(say(&hub, "welcome"));
    pump_until(&hub, &school, &school.frames, 1);
    assert_string_equal(school.frame, "welcome");
    part(&hub, &school);
}

static void a_stranger_is_refused_until_it_is_a_member(void **state)
{
    (void)state;
    struct node hub = node_of(1), school = node_of(2);
    start(&hub, "tcp://127.0.0.1:*", NULL);
    start(&school, NULL, NULL);
    know_nobody(&hub);
    know(&school, &hub, nv_net_listens(hub.net));
    pump_until(&hub, &school, &school.denied, 2); /* it dials again by itself */
    assert_int_equal(school.opened, 0);
    assert_true(hub.strangers >= 2);
    know(&hub, &school, NULL);
    pump_until(&hub, &school, &school.opened, 1);
    assert_true(say(&school, "hello"));
    pump_until(&hub, &school, &hub.frames, 1);
    part(&hub, &school);
}

static void a_server_with_another_key_is_not_spoken_with(void **state)
{
    (void)state;
    struct node hub = node_of(1), school = node_of(2), other = node_of(1);
    start(&hub, "tcp://127.0.0.1:*", NULL);
    start(&school, NULL, NULL);
    know(&hub, &school, NULL);
    know(&school, &other, nv_net_listens(hub.net));
    pump_for(&hub, &school, 1500000);
    assert_int_equal(school.opened + hub.opened, 0);
    part(&hub, &school);
}

static void who_is_no_member_any_more_is_cut_off_at_once(void **state)
{
    (void)state;
    struct node hub, school;
    meet(&hub, &school);
    know_nobody(&hub);
    pump_until(&hub, &school, &hub.closed, 1);
    assert_false(say(&hub, "anything"));
    assert_true(say(&school, "still here"));
    pump_for(&hub, &school, 300000);
    assert_int_equal(hub.frames, 1);
    assert_int_equal(hub.opened, 1);
    part(&hub, &school);
}

/* Its site goes on with another key, and whoever has the old one is nobody, also once he is not shunned any more. */
static void who_has_an_old_key_is_cut_off_at_once(void **state)
{
    (void)state;
    struct node hub, school, again = node_of(2);
    meet(&hub, &school);
    know(&hub, &again, NULL);
    pump_until(&hub, &school, &hub.closed, 1);
    assert_false(say(&hub, "anything"));
    hub.net->shunned[0].until = 0;
    assert_true(say(&school, "still here"));
    pump_for(&hub, &school, 300000);
    assert_int_equal(hub.frames, 1);
    assert_int_equal(hub.opened, 1);
    nv_net_close(school.net);
    start(&again, NULL, NULL);
    know(&again, &hub, nv_net_listens(hub.net));
    pump_until(&hub, &again, &again.opened, 1);
    assert_true(say(&again, "with the new key"));
    pump_until(&hub, &again, &hub.frames, 2);
    assert_int_equal(nv_site_id_compare(hub.session_site, school.site), 0);
    part(&hub, &again);
}

/* A site is dialled with the key that it has now. */
static void a_line_to_an_old_key_is_given_up(void **state)
{
    (void)state;
    struct node hub, school, again = node_of(1);
    meet(&hub, &school);
    know(&school, &again, nv_net_listens(hub.net));
    pump_until(&hub, &school, &school.closed, 1);
    pump_for(&hub, &school, 500000);
    assert_int_equal(school.opened, 1);
    part(&hub, &school);
}

static void more_than_one_frame_is_garbage(void **state)
{
    (void)state;
    struct node hub, school;
    meet(&hub, &school);
    void *socket = school.net->lines[0]->socket;
    assert_int_equal(zmq_send(socket, "one", 3, ZMQ_SNDMORE), 3);
    for (int i = 0; i < 100; i++)
        assert_int_equal(zmq_send(socket, "more", 4, i < 99 ? ZMQ_SNDMORE : 0), 4);
    assert_true(say(&school, "after it"));
    pump_until(&hub, &school, &hub.frames, 2);
    assert_int_equal(hub.garbage, 1);
    assert_string_equal(hub.frame, "after it");
    part(&hub, &school);
}

static void a_frame_beyond_the_limit_ends_the_line(void **state)
{
    (void)state;
    struct node hub, school;
    meet(&hub, &school);
    static uint8_t large[NV_LIMIT_MESSAGE_BYTES + 1024];
    assert_true(nv_net_send(school.net, school.session, (struct nv_slice){large, sizeof large}));
    pump_until(&hub, &school, &school.closed, 1);
    assert_int_equal(hub.frames, 1);
    part(&hub, &school);
}

static void a_lost_line_is_dialled_again(void **state)
{
    (void)state;
    struct node hub, school;
    meet(&hub, &school);
    char endpoint[NV_ENDPOINT_BYTES];
    snprintf(endpoint, sizeof endpoint, "%s", nv_net_listens(hub.net));
    nv_net_close(hub.net);
    hub.net = NULL;
    pump_until(&hub, &school, &school.closed, 1);
    pump_for(&hub, &school, 1000000);
    assert_int_equal(school.opened, 1);
    start(&hub, endpoint, NULL);
    know(&hub, &school, NULL);
    pump_until(&hub, &school, &school.opened, 2);
    assert_true(say(&school, "again"));
    pump_until(&hub, &school, &hub.frames, 2);
    part(&hub, &school);
}

static void a_frame_to_who_is_gone_is_an_error(void **state)
{
    (void)state;
    struct node hub, school;
    meet(&hub, &school);
    nv_net_close(school.net);
    school.net = NULL;
    for (int64_t end = now().us + PATIENCE_US; say(&hub, "anybody?");) {
        assert_true(now().us < end);
        pump(&hub);
    }
    pump_until(&hub, &school, &hub.closed, 1);
    assert_int_equal(hub.closed, 1);
    part(&hub, &school);
}

static void who_is_hung_up_on_is_not_listened_to(void **state)
{
    (void)state;
    struct node hub, school;
    meet(&hub, &school);
    nv_net_hang_up(hub.net, hub.session, true, now());
    assert_true(say(&school, "let me in"));
    pump_for(&hub, &school, 300000);
    assert_int_equal(hub.opened, 1);
    assert_int_equal(hub.frames, 1);
    /* It must dial anew. */
    nv_net_hang_up(school.net, school.session, false, now());
    pump_until(&hub, &school, &school.opened, 2);
    assert_true(say(&school, "hello again"));
    pump_until(&hub, &school, &hub.frames, 2);
    part(&hub, &school);
}

/* A peer that never reads: what we hold for it has a bound in bytes, over all its connections. */
static void who_does_not_read_is_sent_no_more(void **state)
{
    (void)state;
    enum { CHUNK = 1 << 20, LET_GO_MOST = 64 << 20 }; /* what TCP and the other side's own queue take */
    struct node hub, school;
    static uint8_t chunk[CHUNK];
    meet(&hub, &school);
    for (int i = 0; i < 3; i++) {
        size_t sent = 0;
        while (nv_net_send(hub.net, hub.session, (struct nv_slice){chunk, sizeof chunk})) {
            sent += sizeof chunk;
            assert_true(sent < NV_LIMIT_OUTBOX_BYTES + LET_GO_MOST);
            assert_true(atomic_load(&hub.net->outboxes->bytes) <= NV_LIMIT_OUTBOX_BYTES + CHUNK);
        }
        pump(&hub);
        assert_int_equal(hub.closed, i + 1);
        assert_true(say(&school, "another session"));
        for (int64_t end = now().us + PATIENCE_US; hub.opened < (unsigned)i + 2; pump(&hub))
            assert_true(now().us < end);
    }
    part(&hub, &school);
}

/* libzmq 4.3 aborts the whole program when it means to send a heartbeat of its own on a connection that broke while it
 * had no room for what came in. So whoever floods a busy daemon and hangs up would end it. */
static void a_flood_that_breaks_off_ends_nobody(void **state)
{
    (void)state;
    struct node hub, school;
    meet(&hub, &school);
    static uint8_t chunk[16384];
    struct timespec arriving = {.tv_nsec = 500 * 1000 * 1000}, longer_than_heartbeats = {.tv_sec = 6};
    /* Neither reads: and whoever closes with something unread resets the connection. */
    for (int i = 0; i < 1000; i++)
        if (!nv_net_send(hub.net, hub.session, (struct nv_slice){chunk, sizeof chunk}) ||
            !nv_net_send(school.net, school.session, (struct nv_slice){chunk, sizeof chunk}))
            break;
    nanosleep(&arriving, NULL);
    nv_net_close(school.net);
    school.net = NULL;
    nanosleep(&longer_than_heartbeats, NULL);
    pump_until(&hub, &school, &hub.frames, 2);
    part(&hub, &school);
}

/* ---- the self-test ------------------------------------------------------------------------------------------------
 */

static void the_self_test_passes_where_keys_are_checked(void **state)
{
    (void)state;
    struct nv_error error = {0};
    struct node hub = node_of(1);
    start(&hub, "tcp://127.0.0.1:*", NULL);
    assert_int_equal(nv_net_self_test(hub.net, &error), NV_OK);
    pump(&hub);
    assert_int_equal(hub.strangers, 0); /* it does not count itself */
    nv_net_close(hub.net);
}

/* libzmq lets any key in where nothing answers for ZAP and no domain is enforced: the trap that the self-test is for.
 */
static void the_self_test_fails_where_anybody_is_let_in(void **state)
{
    (void)state;
    struct nv_error error = {0};
    struct node hub = node_of(1);
    start(&hub, "tcp://127.0.0.1:*", NULL);
    void *context = zmq_ctx_new(), *open = zmq_socket(context, ZMQ_ROUTER);
    int yes = 1, none = 0;
    size_t size = sizeof hub.net->listens;
    assert_int_equal(zmq_setsockopt(open, ZMQ_CURVE_SERVER, &yes, sizeof yes), 0);
    assert_int_equal(zmq_setsockopt(open, ZMQ_LINGER, &none, sizeof none), 0);
    assert_int_equal(zmq_setsockopt(open, ZMQ_CURVE_SECRETKEY, hub.key.secret, sizeof hub.key.secret), 0);
    assert_int_equal(zmq_bind(open, "tcp://127.0.0.1:*"), 0);
    assert_int_equal(zmq_getsockopt(open, ZMQ_LAST_ENDPOINT, hub.net->listens, &size), 0);
    assert_int_equal(nv_net_self_test(hub.net, &error), NV_BUG);
    zmq_close(open);
    zmq_ctx_term(context);
    nv_net_close(hub.net);
}

static void the_self_test_fails_where_nobody_answers(void **state)
{
    (void)state;
    struct nv_error error = {0};
    struct node hub = node_of(1);
    start(&hub, "tcp://127.0.0.1:*", NULL);
    strcpy(hub.net->listens, "tcp://127.0.0.1:1");
    assert_int_equal(nv_net_self_test(hub.net, &error), NV_UNREACHABLE);
    nv_net_close(hub.net);
}

/* ---- enrolment ----------------------------------------------------------------------------------------------------
 */

struct asking {
    struct nv_invitation invitation;
    struct nv_curve_key own;
    struct nv_buffer reply;
    enum nv_status status;
    unsigned is_done;
};

static void *ask(void *argument)
{
    struct asking *asking = argument;
    struct nv_error error = {0};
    asking->status = nv_enrol_ask(&asking->invitation, &asking->own,
                                  (struct nv_slice){(const uint8_t *)"let me join", 11}, 10000, &asking->reply, &error);
    __atomic_store_n(&asking->is_done, 1, __ATOMIC_RELEASE);
    return NULL;
}

static void the_desk_answers_any_key_and_the_listener_does_not(void **state)
{
    (void)state;
    struct node hub = node_of(1), nobody = {0};
    start(&hub, "tcp://127.0.0.1:*", "tcp://127.0.0.1:*");
    know_nobody(&hub);
    struct asking asking = {.invitation = {.hub_curve_key = hub.key.public_key}};
    crypto_box_keypair(asking.own.public_key.bytes, asking.own.secret);
    snprintf(asking.invitation.endpoint, sizeof asking.invitation.endpoint, "%s", nv_net_enrols(hub.net));
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, ask, &asking), 0);
    while (__atomic_load_n(&asking.is_done, __ATOMIC_ACQUIRE) == 0)
        pump_for(&hub, &nobody, 10000);
    pthread_join(thread, NULL);
    assert_int_equal(asking.status, NV_OK);
    assert_int_equal(asking.reply.size, 11); /* this desk says everything back */
    assert_memory_equal(asking.reply.data, "let me join", 11);
    assert_int_equal(hub.opened, 0);
    nv_buffer_done(&asking.reply);
    nv_net_close(hub.net);
}

static void a_desk_that_does_not_answer_is_unreachable(void **state)
{
    (void)state;
    struct nv_error error = {0};
    struct nv_buffer reply = {0};
    struct nv_curve_key own;
    crypto_box_keypair(own.public_key.bytes, own.secret);
    struct nv_invitation invitation = {.endpoint = "tcp://127.0.0.1:1", .hub_curve_key = own.public_key};
    assert_int_equal(nv_enrol_ask(&invitation, &own, (struct nv_slice){(const uint8_t *)"x", 1}, 700, &reply, &error),
                     NV_UNREACHABLE);
    nv_buffer_done(&reply);
}

static void an_endpoint_that_is_taken_is_told(void **state)
{
    (void)state;
    struct nv_error error = {0};
    struct node hub = node_of(1), second = node_of(2);
    start(&hub, "tcp://127.0.0.1:*", NULL);
    struct nv_net_settings settings = {.own = &second.key, .listen = nv_net_listens(hub.net)};
    assert_int_equal(nv_net_open(&settings, &second.net, &error), NV_REFUSED);
    assert_non_null(strstr(error.text, nv_net_listens(hub.net)));
    nv_net_close(hub.net);
}

int main(void)
{
    struct nv_error error = {0};
    if (nv_wire_start(&error) != NV_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_go_both_ways_and_belong_to_their_site),
        cmocka_unit_test(a_stranger_is_refused_until_it_is_a_member),
        cmocka_unit_test(a_server_with_another_key_is_not_spoken_with),
        cmocka_unit_test(who_is_no_member_any_more_is_cut_off_at_once),
        cmocka_unit_test(who_has_an_old_key_is_cut_off_at_once),
        cmocka_unit_test(a_line_to_an_old_key_is_given_up),
        cmocka_unit_test(more_than_one_frame_is_garbage),
        cmocka_unit_test(a_frame_beyond_the_limit_ends_the_line),
        cmocka_unit_test(a_lost_line_is_dialled_again),
        cmocka_unit_test(a_frame_to_who_is_gone_is_an_error),
        cmocka_unit_test(who_is_hung_up_on_is_not_listened_to),
        cmocka_unit_test(who_does_not_read_is_sent_no_more),
        cmocka_unit_test(a_flood_that_breaks_off_ends_nobody),
        cmocka_unit_test(the_self_test_passes_where_keys_are_checked),
        cmocka_unit_test(the_self_test_fails_where_anybody_is_let_in),
        cmocka_unit_test(the_self_test_fails_where_nobody_answers),
        cmocka_unit_test(the_desk_answers_any_key_and_the_listener_does_not),
        cmocka_unit_test(a_desk_that_does_not_answer_is_unreachable),
        cmocka_unit_test(an_endpoint_that_is_taken_is_told),
    };
    return cmocka_run_group_tests_name("net", tests, NULL, NULL);
}
