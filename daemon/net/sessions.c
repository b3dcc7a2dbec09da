#include "net/internal.h"

#include <stdlib.h>

static struct nv_outbox *outbox_of(struct nv_net *net, struct nv_site_id site)
{
    for (struct nv_outbox *outbox = net->outboxes; outbox != NULL; outbox = outbox->next)
        if (nv_site_id_compare(outbox->site, site) == 0)
            return outbox;
    struct nv_outbox *outbox = calloc(1, sizeof *outbox);
    if (outbox == NULL)
        return NULL;
    outbox->site = site;
    outbox->next = net->outboxes;
    net->outboxes = outbox;
    return outbox;
}

void nv_outboxes_done(struct nv_net *net)
{
    while (net->outboxes != NULL) {
        struct nv_outbox *outbox = net->outboxes;
        net->outboxes = outbox->next;
        free(outbox);
    }
}

struct nv_session *nv_session_of(struct nv_net *net, uint32_t number)
{
    for (size_t i = 0; number != 0 && i < net->session_count; i++)
        if (net->sessions[i].number == number)
            return &net->sessions[i];
    return NULL;
}

struct nv_session *nv_session_open(struct nv_net *net, const struct nv_zap_key *key, struct nv_line *line,
                                   const struct nv_routing *routing)
{
    size_t place = 0;
    while (place < net->session_count && net->sessions[place].number != 0)
        place++;
    struct nv_outbox *outbox = outbox_of(net, key->site);
    if (place == NV_LIMIT_SESSIONS || outbox == NULL)
        return NULL;
    if (place == net->session_count)
        net->session_count++;
    if (++net->last_number == 0)
        net->last_number = 1;
    struct nv_session *session = &net->sessions[place];
    *session = (struct nv_session){
        .number = net->last_number, .site = key->site, .curve_key = key->curve_key, .line = line, .outbox = outbox};
    if (routing != NULL)
        session->routing = *routing;
    if (line != NULL)
        line->session = session->number;
    return session;
}

void nv_session_end(struct nv_net *net, struct nv_session *session, bool tell, int linger_ms)
{
    struct nv_line *line = session->line;
    if (tell && net->closed_count < NV_LIMIT_SESSIONS) {
        net->closed[net->closed_count].number = session->number;
        net->closed[net->closed_count++].site = session->site;
    }
    if (net->frame_held && net->frame_session == session->number)
        net->frame_held = false;
    *session = (struct nv_session){0};
    if (line != NULL)
        nv_line_failed(net, line, linger_ms);
}

const struct nv_zap_key *nv_member_with(const struct nv_net *net, const struct nv_public_key *curve_key)
{
    for (size_t i = 0; i < net->zap.key_count; i++)
        if (memcmp(&net->keys[i].curve_key, curve_key, sizeof *curve_key) == 0)
            return &net->keys[i];
    return NULL;
}

bool nv_has_accepted(const struct nv_net *net, struct nv_site_id site)
{
    for (size_t i = 0; i < net->session_count; i++)
        if (net->sessions[i].number != 0 && net->sessions[i].line == NULL &&
            nv_site_id_compare(net->sessions[i].site, site) == 0)
            return true;
    return false;
}
