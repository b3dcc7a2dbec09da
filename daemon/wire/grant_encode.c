/* Writing grants and asks, in the one form that grant.c reads. */
#include "wire/form.h"
#include "wire/grant.h"
#include "wire/grant_form.h"

static struct nv_slice slice_of(const void *bytes, size_t size)
{
    return (struct nv_slice){.data = bytes, .size = size};
}

static void append_site(uint32_t field, const struct nv_site_id *site, struct nv_buffer *buffer)
{
    nv_append_bytes_field(buffer, field, slice_of(site->bytes, sizeof site->bytes));
}

static void append_box(const struct nv_grant_box *box, struct nv_buffer *buffer)
{
    size_t start = buffer->size;
    append_site(1, &box->site, buffer);
    nv_append_number_field(buffer, 2, box->recovery);
    nv_append_bytes_field(buffer, 3, slice_of(box->sealed, sizeof box->sealed));
    nv_append_field_around(buffer, 5, start);
}

void nv_grant_encode(const struct nv_grant *grant, struct nv_buffer *buffer)
{
    nv_append_number_field(buffer, 1, NV_OP_GRANT);
    size_t start = buffer->size;
    nv_append_number_field(buffer, 1, grant->key.number);
    if (grant->is_elsewhere) {
        append_site(2, &grant->key.site, buffer);
        nv_append_fixed64_field(buffer, 3, grant->key.epoch);
    }
    nv_append_bytes_field(buffer, 4, slice_of(grant->key_id.bytes, sizeof grant->key_id.bytes));
    for (size_t i = 0; i < grant->box_count; i++)
        append_box(&grant->boxes[i], buffer);
    nv_append_field_around(buffer, NV_FIELD_GRANT, start);
}

void nv_ask_encode(const struct nv_ask *ask, struct nv_buffer *buffer)
{
    nv_append_number_field(buffer, 1, NV_OP_ASK);
    size_t start = buffer->size;
    append_site(1, &ask->of, buffer);
    for (size_t i = 0; i < ask->key_count; i++) {
        size_t key = buffer->size;
        append_site(1, &ask->keys[i].site, buffer);
        nv_append_fixed64_field(buffer, 2, ask->keys[i].epoch);
        nv_append_number_field(buffer, 3, ask->keys[i].number);
        nv_append_field_around(buffer, 2, key);
    }
    nv_append_field_around(buffer, NV_FIELD_ASK, start);
}
