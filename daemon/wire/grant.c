/* Reading grants and asks. Writing them is in grant_encode.c. */
#include "wire/grant.h"

#include "base/catalogue.h"
#include "wire/form.h"
#include "wire/grant_form.h"

static enum nv_status refuse(struct nv_error *error, const char *what)
{
    return nv_fail(error, NV_REFUSED, "an op about content keys is against the protocol: %s: it is not taken", _(what));
}

static enum nv_status no_memory(struct nv_error *error)
{
    return nv_fail(error, NV_NO_MEMORY, "no memory for an op about content keys");
}

static enum nv_status verdict(bool is_newer, struct nv_error *error)
{
    if (is_newer)
        return nv_fail(error, NV_NOT_YET,
                       "an op about content keys has a part that is not known here: newer software wrote it: update "
                       "Navette here");
    return NV_OK;
}

int nv_key_name_compare(const struct nv_key_name *a, const struct nv_key_name *b)
{
    int order = nv_site_id_compare(a->site, b->site);
    if (order == 0)
        order = (a->epoch > b->epoch) - (a->epoch < b->epoch);
    return order != 0 ? order : (a->number > b->number) - (a->number < b->number);
}

int nv_grant_box_compare(const struct nv_grant_box *a, const struct nv_grant_box *b)
{
    int order = nv_site_id_compare(a->site, b->site);
    return order != 0 ? order : (int)a->recovery - (int)b->recovery;
}

/* ---- reading ---- */

static bool take_exactly(const struct nv_field *field, void *ret_bytes, size_t size)
{
    if (field->type != NV_FORM_BYTES || field->bytes.size != size)
        return false;
    memcpy(ret_bytes, field->bytes.data, size);
    return true;
}

static bool take_site(const struct nv_field *field, struct nv_site_id *ret_site)
{
    return take_exactly(field, ret_site->bytes, sizeof ret_site->bytes);
}

static bool take_number(const struct nv_field *field, uint64_t *ret_number)
{
    *ret_number = field->value;
    return field->type == NV_FORM_VARINT && field->value != 0;
}

static bool take_epoch(const struct nv_field *field, uint64_t *ret_epoch)
{
    *ret_epoch = field->value;
    return field->type == NV_FORM_FIXED64 && field->value != 0;
}

/* Takes the next field of a message whose known ones are up to `known`, and `repeats` of them may stand several times.
 * What is not known here may repeat. */
static bool take_next(struct nv_reader *reader, uint32_t known, uint32_t repeats, uint32_t *last,
                      struct nv_field *ret_field)
{
    if (!nv_take_field(reader, ret_field) || ret_field->number < *last)
        return false;
    bool may_repeat = ret_field->number == repeats || ret_field->number > known;
    if (ret_field->number == *last && !may_repeat)
        return false;
    *last = ret_field->number;
    return true;
}

static bool read_box(struct nv_slice bytes, struct nv_grant_box *ret_box, bool *is_newer)
{
    struct nv_reader reader = nv_reader_of(bytes);
    struct nv_field field;
    uint64_t flag = 0;
    bool is_good = true, has_site = false, has_key = false;
    for (uint32_t last = 0; is_good && nv_reader_left(&reader) > 0;) {
        if (!take_next(&reader, 3, 0, &last, &field))
            return false;
        switch (field.number) {
        case 1:
            is_good = has_site = take_site(&field, &ret_box->site);
            break;
        case 2:
            is_good = take_number(&field, &flag) && flag == 1;
            break;
        case 3:
            is_good = has_key = take_exactly(&field, ret_box->sealed, sizeof ret_box->sealed);
            break;
        default:
            *is_newer = true;
            break;
        }
    }
    ret_box->recovery = flag != 0;
    return is_good && has_site && has_key;
}

static bool read_key_name(struct nv_slice bytes, struct nv_key_name *ret_name, bool *is_newer)
{
    struct nv_reader reader = nv_reader_of(bytes);
    struct nv_key_name name = {.number = 0};
    struct nv_field field;
    bool is_good = true, has_site = false;
    for (uint32_t last = 0; is_good && nv_reader_left(&reader) > 0;) {
        if (!take_next(&reader, 3, 0, &last, &field))
            return false;
        switch (field.number) {
        case 1:
            is_good = has_site = take_site(&field, &name.site);
            break;
        case 2:
            is_good = take_epoch(&field, &name.epoch);
            break;
        case 3:
            is_good = take_number(&field, &name.number);
            break;
        default:
            *is_newer = true;
            break;
        }
    }
    *ret_name = name;
    return is_good && has_site && name.number != 0;
}

/* A grant as it is read, but for its boxes: those go to `boxes`, where that is not NULL. */
struct grant_form {
    struct nv_grant grant;
    struct nv_grant_box *boxes;
    struct nv_grant_box before;
    bool has_id, is_newer;
};

static bool take_box(const struct nv_field *field, struct grant_form *form)
{
    struct nv_grant_box box;
    size_t place = form->grant.box_count;
    if (field->type != NV_FORM_BYTES || place == NV_LIMIT_BOXES || !read_box(field->bytes, &box, &form->is_newer) ||
        (place > 0 && nv_grant_box_compare(&form->before, &box) >= 0))
        return false;
    if (form->boxes != NULL)
        form->boxes[place] = box;
    form->before = box;
    form->grant.box_count++;
    return true;
}

static bool take_grant_field(const struct nv_field *field, struct grant_form *form)
{
    struct nv_grant *grant = &form->grant;
    switch (field->number) {
    case 1:
        return take_number(field, &grant->key.number);
    case 2:
        return grant->is_elsewhere = take_site(field, &grant->key.site);
    case 3:
        return take_epoch(field, &grant->key.epoch);
    case 4:
        return form->has_id = take_exactly(field, grant->key_id.bytes, sizeof grant->key_id.bytes);
    case 5:
        return take_box(field, form);
    default:
        form->is_newer = true;
        return true;
    }
}

static enum nv_status read_grant(struct nv_slice content, struct grant_form *form, struct nv_error *error)
{
    struct nv_reader reader = nv_reader_of(content);
    struct nv_field field;
    const struct nv_grant *grant = &form->grant;
    for (uint32_t last = 0; nv_reader_left(&reader) > 0;)
        if (!take_next(&reader, 5, 5, &last, &field) || !take_grant_field(&field, form))
            return refuse(error, "a grant in another form, or with too many boxes");
    if (!form->has_id || grant->box_count == 0)
        return refuse(error, "a grant of no key, or to nobody");
    if (grant->is_elsewhere ? grant->key.number == 0 : grant->key.epoch != 0)
        return refuse(error, "a grant that names half a key");
    return verdict(form->is_newer, error);
}

static enum nv_status read_ask(struct nv_slice content, struct nv_ask *ask, struct nv_key_name *keys,
                               struct nv_error *error)
{
    struct nv_reader reader = nv_reader_of(content);
    struct nv_key_name key, before = {.number = 0};
    struct nv_field field;
    bool has_site = false, is_newer = false;
    ask->key_count = 0;
    for (uint32_t last = 0; nv_reader_left(&reader) > 0;) {
        if (!take_next(&reader, 2, 2, &last, &field))
            return refuse(error, "an ask in another form");
        if (field.number > 2) {
            is_newer = true;
        } else if (field.number == 1) {
            has_site = take_site(&field, &ask->of);
        } else {
            if (field.type != NV_FORM_BYTES || ask->key_count == NV_LIMIT_ASKED_KEYS ||
                !read_key_name(field.bytes, &key, &is_newer) ||
                (ask->key_count > 0 && nv_key_name_compare(&before, &key) >= 0))
                return refuse(error, "an ask for too many keys, or for one that is none");
            if (keys != NULL)
                keys[ask->key_count] = key;
            before = key;
            ask->key_count++;
        }
    }
    if (!has_site || ask->key_count == 0)
        return refuse(error, "an ask of nobody, or for nothing");
    return verdict(is_newer, error);
}

enum nv_status nv_grant_judge(struct nv_slice content, struct nv_error *error)
{
    struct grant_form form = {.boxes = NULL};
    return read_grant(content, &form, error);
}

enum nv_status nv_ask_judge(struct nv_slice content, struct nv_error *error)
{
    struct nv_ask ask;
    return read_ask(content, &ask, NULL, error);
}

/* The content of the one field that an op of that kind has beside its kind. */
static enum nv_status content_of(struct nv_slice op, enum nv_op_kind kind, uint32_t number,
                                 struct nv_slice *ret_content, struct nv_error *error)
{
    struct nv_reader reader = nv_reader_of(op);
    struct nv_field first, second;
    if (op.size > NV_LIMIT_OP_BYTES || !nv_take_field(&reader, &first) || first.number != 1 ||
        first.type != NV_FORM_VARINT || first.value != kind || !nv_take_field(&reader, &second) ||
        second.number != number || second.type != NV_FORM_BYTES || nv_reader_left(&reader) > 0)
        return refuse(error, "it is of another kind, or has a part of another kind");
    *ret_content = second.bytes;
    return NV_OK;
}

enum nv_status nv_grant_decode(struct nv_slice op, struct nv_arena *arena, struct nv_grant *ret_grant,
                               struct nv_error *error)
{
    struct nv_slice content;
    struct grant_form counted = {.boxes = NULL}, form = {.boxes = NULL};
    enum nv_status status = content_of(op, NV_OP_GRANT, NV_FIELD_GRANT, &content, error);
    if (status == NV_OK)
        status = read_grant(content, &counted, error);
    if (status != NV_OK)
        return status;
    form.boxes = nv_arena_alloc(arena, counted.grant.box_count * sizeof *form.boxes);
    if (form.boxes == NULL)
        return no_memory(error);
    status = read_grant(content, &form, error);
    form.grant.boxes = form.boxes;
    *ret_grant = form.grant;
    return status;
}

enum nv_status nv_ask_decode(struct nv_slice op, struct nv_arena *arena, struct nv_ask *ret_ask, struct nv_error *error)
{
    struct nv_slice content;
    struct nv_ask ask;
    enum nv_status status = content_of(op, NV_OP_ASK, NV_FIELD_ASK, &content, error);
    if (status == NV_OK)
        status = read_ask(content, &ask, NULL, error);
    if (status != NV_OK)
        return status;
    ask.keys = nv_arena_alloc(arena, ask.key_count * sizeof *ask.keys);
    if (ask.keys == NULL)
        return no_memory(error);
    status = read_ask(content, &ask, ask.keys, error);
    *ret_ask = ask;
    return status;
}
