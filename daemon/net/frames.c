#include "net/internal.h"

#include <stdlib.h>
#include <string.h>

static bool receive_routing(void *socket, struct nv_routing *ret_routing)
{
    int size = zmq_recv(socket, ret_routing->bytes, sizeof ret_routing->bytes, ZMQ_DONTWAIT);
    if (size < 0)
        return false;
    /* libzmq's own are 5 bytes; a name that the other side chose may be longer, and is never one that we spoke with. */
    ret_routing->size = (size_t)size <= sizeof ret_routing->bytes ? (size_t)size : 0;
    return true;
}

static void drop_rest(struct nv_net *net, void *socket)
{
    zmq_msg_t rest;
    zmq_msg_init(&rest);
    while (zmq_msg_recv(&rest, socket, ZMQ_DONTWAIT) >= 0) {
        net->frame_garbage = true;
        if (!zmq_msg_more(&rest))
            break;
    }
    zmq_msg_close(&rest);
}

bool nv_frame_receive(struct nv_net *net, void *socket, struct nv_routing *ret_routing)
{
    if (net->has_frame)
        zmq_msg_close(&net->frame);
    net->has_frame = net->frame_garbage = false;
    if (ret_routing != NULL && !receive_routing(socket, ret_routing))
        return false;
    zmq_msg_init(&net->frame);
    net->has_frame = true;
    if (zmq_msg_recv(&net->frame, socket, ZMQ_DONTWAIT) < 0)
        return false;
    if (zmq_msg_more(&net->frame))
        drop_rest(net, socket);
    return true;
}

/* A frame on its way, until libzmq lets it go. */
struct letter {
    struct nv_outbox *outbox;
    size_t size;
    uint8_t bytes[];
};

static void let_go(void *bytes, void *hint)
{
    (void)bytes;
    struct letter *letter = hint;
    if (letter->outbox != NULL)
        atomic_fetch_sub(&letter->outbox->bytes, letter->size);
    free(letter);
}

static bool write_letter(zmq_msg_t *message, struct nv_slice frame, struct nv_outbox *outbox)
{
    if (outbox != NULL && atomic_load(&outbox->bytes) > NV_LIMIT_OUTBOX_BYTES)
        return false;
    struct letter *letter = malloc(sizeof *letter + frame.size);
    if (letter == NULL)
        return false;
    *letter = (struct letter){.outbox = outbox, .size = frame.size};
    if (frame.size > 0)
        memcpy(letter->bytes, frame.data, frame.size);
    if (zmq_msg_init_data(message, letter->bytes, frame.size, let_go, letter) != 0) {
        free(letter);
        return false;
    }
    if (outbox != NULL)
        atomic_fetch_add(&outbox->bytes, frame.size);
    return true;
}

bool nv_frame_send(void *socket, const struct nv_routing *routing, struct nv_slice frame, struct nv_outbox *outbox)
{
    zmq_msg_t message;
    if (!write_letter(&message, frame, outbox))
        return false;
    if ((routing == NULL || zmq_send(socket, routing->bytes, routing->size, ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0) &&
        zmq_msg_send(&message, socket, ZMQ_DONTWAIT) >= 0)
        return true;
    zmq_msg_close(&message);
    return false;
}
