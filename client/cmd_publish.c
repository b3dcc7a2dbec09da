/* navette publish: what the schema counts of this site's own records, written where others read it, once a period. */
#include <string.h>

#include "base/clock.h"
#include "client/command.h"
#include "client/language.h"
#include "store/publish.h"

struct published {
    const struct nv_publication *publication;
    char period[NV_PERIOD_TEXT];
    size_t rows;
};

/* The period asked for, where it is one of the publication's kind that is not still to come. */
static enum nv_status choose_period(const struct nv_publication *publication, const char *asked,
                                    char ret_period[NV_PERIOD_TEXT], struct nv_error *error)
{
    char now[NV_PERIOD_TEXT];
    nv_period_of(publication->every, nv_wall_now(), now);
    strcpy(ret_period, now);
    if (asked == NULL)
        return NV_OK;
    bool is_alike = strlen(asked) == strlen(now);
    for (size_t i = 0; is_alike && now[i] != '\0'; i++)
        is_alike = now[i] >= '0' && now[i] <= '9' ? asked[i] >= '0' && asked[i] <= '9' : asked[i] == now[i];
    if (!is_alike)
        return nv_fail(error, NV_USAGE, "a period of %.64s is written like %s", publication->view, now);
    if (strcmp(asked, now) > 0)
        return nv_fail(error, NV_REFUSED, "%s is still to come: now it is %s", asked, now);
    strcpy(ret_period, asked);
    return NV_OK;
}

static enum nv_status tell(const struct published *list, size_t count, bool in_json, struct nv_error *error)
{
    json_t *items = json_array();
    for (size_t i = 0; i < count; i++) {
        const struct published *item = &list[i];
        if (in_json)
            json_array_append_new(items, json_pack("{s:s, s:s, s:s, s:I}", "view", item->publication->view, "table",
                                                   item->publication->table, "period", item->period, "rows",
                                                   (json_int_t)item->rows));
        else
            printf(NV_PLURAL("Published for %s: %zu count into %s.\n", "Published for %s: %zu counts into %s.\n",
                             item->rows),
                   item->period, item->rows, item->publication->table);
    }
    if (in_json)
        return nv_print_json(items, error);
    json_decref(items);
    return NV_OK;
}

enum nv_status nv_command_publish(struct nv_call *call, struct nv_error *error)
{
    struct nv_store *store = NULL;
    struct nv_publication publications[NV_PUBLICATIONS_MOST];
    struct published done[NV_PUBLICATIONS_MOST];
    size_t count = 0;
    enum nv_status status = nv_home_open(&call->home, &store, error);
    if (status == NV_OK)
        status = nv_store_publications(store, publications, &count, error);
    if (status == NV_OK && count == 0)
        status = nv_fail(error, NV_NOT_FOUND, "the schema has nothing that sites publish");
    for (size_t i = 0; status == NV_OK && i < count; i++) {
        done[i].publication = &publications[i];
        status = choose_period(&publications[i], nv_option(call, "--period"), done[i].period, error);
        if (status == NV_OK)
            status = nv_store_publish(store, &publications[i], done[i].period, &done[i].rows, error);
    }
    if (status == NV_OK)
        status = tell(done, count, call->json, error);
    nv_store_close(store);
    return status;
}
