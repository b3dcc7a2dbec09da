/* Lines that we dial: one socket an attempt, a pause after each that failed. */
#include "net/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SECOND = 1000000,
    FIRST_PAUSE_US = SECOND / 5,
    LONGEST_PAUSE_US = 15 * SECOND,
    ATTEMPT_US = 10 * SECOND, /* from dialling to the handshake's end; the sockets' own timeouts are shorter */
    GOOD_US = 5 * SECOND,     /* a session that lasted so long was worth it: the next pause is short again */
};

static struct nv_line *line_of(const struct nv_net *net, struct nv_site_id site)
{
    for (size_t i = 0; i < net->line_count; i++)
        if (nv_site_id_compare(net->lines[i]->site, site) == 0)
            return net->lines[i];
    return NULL;
}

static bool is_same(const struct nv_line *line, const struct nv_net_member *member)
{
    return memcmp(&line->curve_key, &member->curve_key, sizeof line->curve_key) == 0 &&
           strcmp(line->endpoint, member->endpoint) == 0;
}

static enum nv_status want(struct nv_net *net, const struct nv_net_member *member, struct nv_error *error)
{
    struct nv_line *line = line_of(net, member->site);
    if (line != NULL && is_same(line, member)) {
        line->wanted = true;
        return NV_OK;
    }
    if (line == NULL) {
        struct nv_line **lines = realloc(net->lines, (net->line_count + 1) * sizeof(struct nv_line *));
        if (lines != NULL)
            net->lines = lines;
        line = calloc(1, sizeof *line);
        if (lines == NULL || line == NULL) {
            free(line);
            return nv_fail(error, NV_NO_MEMORY, "no memory for the lines to other sites");
        }
        net->lines[net->line_count++] = line;
    } else if (line->session != 0) {
        nv_session_end(net, nv_session_of(net, line->session), true, 0);
    } else {
        nv_line_failed(net, line, 0);
    }
    line->site = member->site;
    line->curve_key = member->curve_key;
    snprintf(line->endpoint, sizeof line->endpoint, "%s", member->endpoint);
    line->failures = 0;
    line->at = net->now;
    line->wanted = true;
    return NV_OK;
}

static void forget_unwanted(struct nv_net *net)
{
    size_t kept = 0;
    for (size_t i = 0; i < net->line_count; i++) {
        struct nv_line *line = net->lines[i];
        if (line->wanted) {
            net->lines[kept++] = line;
            continue;
        }
        if (line->session != 0)
            nv_session_end(net, nv_session_of(net, line->session), true, 0);
        nv_socket_hang_up(line->socket, line->monitor, 0);
        free(line);
    }
    net->line_count = kept;
}

enum nv_status nv_lines_set(struct nv_net *net, const struct nv_net_member *members, size_t count,
                            struct nv_error *error)
{
    for (size_t i = 0; i < net->line_count; i++)
        net->lines[i]->wanted = false;
    for (size_t i = 0; i < count; i++)
        if (members[i].endpoint != NULL && members[i].endpoint[0] != '\0' && want(net, &members[i], error) != NV_OK)
            return error->status;
    forget_unwanted(net);
    return NV_OK;
}

void nv_lines_done(struct nv_net *net)
{
    for (size_t i = 0; i < net->line_count; i++) {
        nv_socket_hang_up(net->lines[i]->socket, net->lines[i]->monitor, 0);
        free(net->lines[i]);
    }
    free(net->lines);
}

/* Half to the whole of a pause that doubles: sites that lost their hub together do not come back together. */
void nv_line_failed(struct nv_net *net, struct nv_line *line, int linger_ms)
{
    nv_socket_hang_up(line->socket, line->monitor, linger_ms);
    line->socket = line->monitor = NULL;
    if (line->session != 0 && net->now - line->at >= GOOD_US)
        line->failures = 0;
    line->session = 0;
    int64_t pause = FIRST_PAUSE_US;
    for (unsigned i = 0; i < line->failures && pause < LONGEST_PAUSE_US; i++)
        pause *= 2;
    if (pause > LONGEST_PAUSE_US)
        pause = LONGEST_PAUSE_US;
    uint32_t jitter;
    nv_random(&jitter, sizeof jitter);
    line->at = net->now + pause / 2 + (int64_t)(jitter % (uint32_t)(pause / 2));
    line->failures++;
}

static void dial(struct nv_net *net, struct nv_line *line)
{
    struct nv_error error = {0};
    line->socket = nv_socket_dial(net->context, net->own, &line->curve_key, NV_LIMIT_MESSAGE_BYTES, line->endpoint,
                                  &line->monitor, &error);
    line->at = net->now + ATTEMPT_US;
    if (line->socket == NULL)
        nv_line_failed(net, line, 0);
}

void nv_lines_tend(struct nv_net *net)
{
    for (size_t i = 0; i < net->line_count; i++) {
        struct nv_line *line = net->lines[i];
        if (line->session != 0 || net->now < line->at)
            continue;
        if (line->socket != NULL)
            nv_line_failed(net, line, 0);
        else if (nv_has_accepted(net, line->site))
            line->at = net->now + SECOND; /* it came to us: one line is enough */
        else
            dial(net, line);
    }
}

int64_t nv_lines_wake(const struct nv_net *net)
{
    int64_t wake = INT64_MAX;
    for (size_t i = 0; i < net->line_count; i++)
        if (net->lines[i]->session == 0 && net->lines[i]->at < wake)
            wake = net->lines[i]->at;
    return wake;
}

static bool open_line(struct nv_net *net, struct nv_line *line, struct nv_net_event *ret_event)
{
    const struct nv_zap_key key = {.curve_key = line->curve_key, .site = line->site};
    struct nv_session *session = nv_session_open(net, &key, line, NULL);
    if (session == NULL) {
        nv_line_failed(net, line, 0);
        return false;
    }
    line->at = net->now;
    *ret_event =
        (struct nv_net_event){.kind = NV_NET_OPENED, .session = session->number, .site = line->site, .dialled = true};
    return true;
}

static bool line_down(struct nv_net *net, struct nv_line *line, bool denied, struct nv_net_event *ret_event)
{
    *ret_event = (struct nv_net_event){
        .kind = denied ? NV_NET_DENIED : NV_NET_CLOSED, .session = line->session, .site = line->site, .dialled = true};
    if (line->session == 0) {
        nv_line_failed(net, line, 0);
        return denied;
    }
    nv_session_end(net, nv_session_of(net, line->session), denied, 0);
    return true;
}

static bool take_frame(struct nv_net *net, struct nv_line *line, struct nv_net_event *ret_event)
{
    if (!nv_frame_receive(net, line->socket, NULL))
        return false;
    if (line->session == 0) {
        /* The first frame was quicker than the monitor's word that the line is up. */
        if (!open_line(net, line, ret_event))
            return false;
        net->frame_held = true;
        net->frame_session = line->session;
        return true;
    }
    *ret_event = (struct nv_net_event){
        .kind = net->frame_garbage ? NV_NET_GARBAGE : NV_NET_FRAME,
        .session = line->session,
        .site = line->site,
        .dialled = true,
        .frame = {zmq_msg_data(&net->frame), zmq_msg_size(&net->frame)},
    };
    return true;
}

static bool line_next(struct nv_net *net, struct nv_line *line, struct nv_net_event *ret_event)
{
    for (;;) {
        if (line->socket == NULL)
            return false;
        enum nv_line_event event = nv_socket_line_event(line->monitor);
        if (event == NV_LINE_NOTHING)
            return take_frame(net, line, ret_event);
        if (event == NV_LINE_UP && line->session == 0 && open_line(net, line, ret_event))
            return true;
        if ((event == NV_LINE_DOWN || event == NV_LINE_DENIED) &&
            line_down(net, line, event == NV_LINE_DENIED, ret_event))
            return true;
    }
}

bool nv_lines_next(struct nv_net *net, struct nv_net_event *ret_event)
{
    for (size_t i = 0; i < net->line_count; i++) {
        size_t place = (net->turn + i) % net->line_count;
        if (line_next(net, net->lines[place], ret_event)) {
            net->turn = (place + 1) % net->line_count;
            return true;
        }
    }
    return false;
}
