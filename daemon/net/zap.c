#include "net/zap.h"

#include <string.h>
#include <zmq.h>

#include "base/hex.h"

/* version, request id, domain, address, routing id, mechanism, credentials */
enum { FRAMES = 7, DOMAIN = 2, MECHANISM = 5, CREDENTIALS = 6, USER_BYTES = 2 * 32 + 1 };

enum nv_status nv_zap_open(struct nv_zap *zap, void *context, struct nv_error *error)
{
    zap->socket = zmq_socket(context, ZMQ_REP);
    int linger = 0;
    if (zap->socket == NULL || zmq_setsockopt(zap->socket, ZMQ_LINGER, &linger, sizeof linger) != 0 ||
        zmq_bind(zap->socket, "inproc://zeromq.zap.01") != 0) {
        enum nv_status status = nv_socket_fail("cannot set up the check of keys", error);
        nv_zap_close(zap);
        return status;
    }
    return NV_OK;
}

void nv_zap_close(struct nv_zap *zap)
{
    if (zap->socket != NULL)
        zmq_close(zap->socket);
    zap->socket = NULL;
}

struct frame {
    uint8_t bytes[256];
    size_t size;
};

static bool says(const struct frame *frame, const char *text)
{
    return frame->size == strlen(text) && memcmp(frame->bytes, text, frame->size) == 0;
}

/* Reads one question. False where none waits. A frame that is too long for its place counts as one that says nothing.
 */
static bool receive(void *socket, struct frame frames[FRAMES], bool *ret_well_formed)
{
    size_t count = 0;
    int more = 1;
    *ret_well_formed = true;
    while (more) {
        struct frame spare;
        struct frame *frame = count < FRAMES ? &frames[count] : &spare;
        int size = zmq_recv(socket, frame->bytes, sizeof frame->bytes, ZMQ_DONTWAIT);
        if (size < 0)
            return false;
        frame->size = (size_t)size;
        if (frame->size > sizeof frame->bytes) {
            frame->size = 0;
            *ret_well_formed = false;
        }
        count++;
        size_t length = sizeof more;
        if (zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &length) != 0)
            return false;
    }
    *ret_well_formed = *ret_well_formed && count == FRAMES;
    return true;
}

/* The User-Id of who may come in; NULL for anybody else. A member's is its key: whose that is may change while the
 * connection stands. */
static const char *admit(struct nv_zap *zap, const struct frame frames[FRAMES], char user[USER_BYTES])
{
    const struct frame *credentials = &frames[CREDENTIALS];
    if (!says(&frames[0], "1.0") || !says(&frames[MECHANISM], "CURVE") ||
        credentials->size != sizeof zap->test_key.bytes)
        return NULL;
    if (says(&frames[DOMAIN], NV_DOMAIN_ENROLMENT))
        return "candidate";
    if (!says(&frames[DOMAIN], NV_DOMAIN_MEMBERS))
        return NULL;
    for (size_t i = 0; i < zap->key_count; i++)
        if (memcmp(zap->keys[i].curve_key.bytes, credentials->bytes, credentials->size) == 0) {
            nv_hex(credentials->bytes, credentials->size, user);
            return user;
        }
    if (memcmp(zap->test_key.bytes, credentials->bytes, credentials->size) != 0)
        zap->refused++;
    return NULL;
}

static void reply(void *socket, const struct frame *request, const char *user)
{
    const char *code = user != NULL ? "200" : "400";
    const char *text = user != NULL ? "OK" : "unknown key";
    if (user == NULL)
        user = "";
    /* A failed send means that the connection is gone: then nobody is admitted either. */
    int more = ZMQ_SNDMORE | ZMQ_DONTWAIT;
    if (zmq_send(socket, "1.0", 3, more) >= 0 && zmq_send(socket, request->bytes, request->size, more) >= 0 &&
        zmq_send(socket, code, 3, more) >= 0 && zmq_send(socket, text, strlen(text), more) >= 0 &&
        zmq_send(socket, user, strlen(user), more) >= 0)
        zmq_send(socket, "", 0, ZMQ_DONTWAIT);
}

void nv_zap_answer(struct nv_zap *zap)
{
    struct frame frames[FRAMES] = {0};
    bool well_formed;
    while (receive(zap->socket, frames, &well_formed)) {
        char user[USER_BYTES];
        reply(zap->socket, &frames[1], well_formed ? admit(zap, frames, user) : NULL);
    }
}
