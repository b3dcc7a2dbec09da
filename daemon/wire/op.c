/* Reading ops: the hottest path of all, so without protobuf-c and without a copy. */
#include "base/catalogue.h"
#include "wire/changeset.h"
#include "wire/form.h"
#include "wire/grant_form.h"
#include "wire/sealed.h"

/* The fields as they stand in the bytes, before anybody asks what they mean. */
struct op_form {
    uint32_t kind, table;
    struct nv_slice key, values, ages, home, box, control;
    int64_t time;
    nv_fields fields;
    struct nv_reader excepts, names; /* at the first one; they follow one another */
    size_t except_count, name_count;
    uint64_t key_number;
    uint32_t controls; /* bit n: the field n, which has what belongs to a kind of its own, is there */
    bool is_newer;     /* a field that this software does not know */
};

static enum nv_status refuse(struct nv_error *error, const char *what)
{
    return nv_fail(error, NV_REFUSED, "an op is against the protocol: %s: its changeset is not taken", _(what));
}

static enum nv_status refuse_form(struct nv_error *error)
{
    return refuse(error, "its bytes are not an op in canonical form");
}

static bool take_small(const struct nv_field *field, uint32_t *ret_value)
{
    *ret_value = (uint32_t)field->value;
    return field->type == NV_FORM_VARINT && field->value != 0 && field->value <= UINT32_MAX;
}

static bool take_number(const struct nv_field *field, uint64_t *ret_value)
{
    *ret_value = field->value;
    return field->type == NV_FORM_VARINT && field->value != 0;
}

static bool take_slice(const struct nv_field *field, struct nv_slice *ret_bytes)
{
    *ret_bytes = field->bytes;
    return field->type == NV_FORM_BYTES && field->bytes.size > 0;
}

static bool take_site(const struct nv_field *field, struct nv_site_id *ret_site)
{
    if (field->type != NV_FORM_BYTES || field->bytes.size != sizeof ret_site->bytes)
        return false;
    memcpy(ret_site->bytes, field->bytes.data, sizeof ret_site->bytes);
    return true;
}

/* Notes where a repeated message begins and how many there are. */
static bool take_repeated(const struct nv_field *field, struct nv_reader before, struct nv_reader *first, size_t *count)
{
    if ((*count)++ == 0)
        *first = before;
    return field->type == NV_FORM_BYTES;
}

static bool take_op_field(const struct nv_field *field, struct nv_reader before, struct op_form *form)
{
    uint64_t number;
    switch (field->number) {
    case 1:
        return take_small(field, &form->kind);
    case 2:
        return take_small(field, &form->table);
    case 3:
        return take_slice(field, &form->key);
    case 4:
        if (!take_number(field, &number))
            return false;
        form->time = nv_unzigzag(number);
        return true;
    case 5:
        return take_number(field, &form->fields);
    case 6:
        return take_slice(field, &form->values);
    case 7:
        return take_slice(field, &form->ages);
    case 8:
        return take_slice(field, &form->home);
    case 9:
        return take_repeated(field, before, &form->excepts, &form->except_count);
    case 10:
        return take_repeated(field, before, &form->names, &form->name_count);
    case 11:
        return take_number(field, &form->key_number);
    case 12:
        return take_slice(field, &form->box);
    case NV_FIELD_GRANT:
    case NV_FIELD_ASK:
    case NV_OP_GENESIS:
    case NV_OP_CERTIFICATE:
    case NV_OP_SCHEMA:
    case NV_OP_GROUP:
    case NV_OP_READER:
    case NV_OP_REMOVAL:
    case NV_OP_REVOCATION:
        form->controls |= (uint32_t)1 << field->number;
        form->control = field->bytes;
        return field->type == NV_FORM_BYTES;
    default:
        form->is_newer = true;
        return true;
    }
}

/* A field that is not known here may be one that repeats. */
static bool may_repeat(uint32_t number)
{
    bool is_singular = (number >= 1 && number <= 8) || (number >= 11 && number <= NV_FIELD_ASK) ||
                       (number >= NV_OP_GENESIS && number <= NV_OP_REVOCATION);
    return !is_singular;
}

static bool read_form(struct nv_slice bytes, struct op_form *form)
{
    struct nv_reader reader = nv_reader_of(bytes);
    for (uint32_t last = 0; nv_reader_left(&reader) > 0;) {
        struct nv_reader before = reader;
        struct nv_field field;
        if (!nv_take_field(&reader, &field) || !take_op_field(&field, before, form))
            return false;
        if (field.number < last || (field.number == last && !may_repeat(last)))
            return false;
        last = field.number;
    }
    return true;
}

/* ---- dots ---- */

static bool read_dot(struct nv_slice bytes, struct nv_far_dot *ret_dot, bool *is_newer)
{
    struct nv_reader reader = nv_reader_of(bytes);
    struct nv_far_dot dot = {0};
    bool has_site = false;
    for (uint32_t last = 0; nv_reader_left(&reader) > 0;) {
        struct nv_field field;
        bool is_good = nv_take_field(&reader, &field) && (field.number > last || (field.number == last && last > 4));
        if (!is_good)
            return false;
        last = field.number;
        switch (field.number) {
        case 1:
            is_good = has_site = take_site(&field, &dot.site);
            break;
        case 2:
            dot.epoch = field.value;
            is_good = field.type == NV_FORM_FIXED64 && field.value != 0;
            break;
        case 3:
            is_good = take_number(&field, &dot.seq);
            break;
        case 4:
            is_good = take_small(&field, &dot.index);
            break;
        default:
            *is_newer = true;
            break;
        }
        if (!is_good)
            return false;
    }
    *ret_dot = dot;
    return has_site && dot.seq != 0 && dot.index < NV_LIMIT_CHANGESET_OPS;
}

static bool read_except(struct nv_slice bytes, struct nv_except *ret_except, bool *is_newer)
{
    struct nv_reader reader = nv_reader_of(bytes);
    struct nv_except except = {0};
    bool has_dot = false;
    for (uint32_t last = 0; nv_reader_left(&reader) > 0;) {
        struct nv_field field;
        bool is_good = nv_take_field(&reader, &field) && (field.number > last || (field.number == last && last > 2));
        if (!is_good)
            return false;
        last = field.number;
        switch (field.number) {
        case 1:
            is_good = has_dot = field.type == NV_FORM_BYTES && read_dot(field.bytes, &except.dot, is_newer);
            break;
        case 2:
            is_good = take_number(&field, &except.fields);
            break;
        default:
            *is_newer = true;
            break;
        }
        if (!is_good)
            return false;
    }
    *ret_except = except;
    return has_dot && except.fields != 0;
}

static enum nv_status no_memory(struct nv_error *error)
{
    return nv_fail(error, NV_NO_MEMORY, "no memory for the dots of an op");
}

static enum nv_status read_excepts(struct op_form *form, struct nv_arena *arena, struct nv_op *op,
                                   struct nv_error *error)
{
    op->except_count = form->except_count;
    op->excepts = NULL;
    if (form->except_count == 0)
        return NV_OK;
    if (form->except_count > NV_LIMIT_EXCEPTS)
        return refuse(error, "more excepts than an op may have");
    op->excepts = nv_arena_alloc(arena, form->except_count * sizeof *op->excepts);
    if (op->excepts == NULL)
        return no_memory(error);
    for (size_t i = 0; i < form->except_count; i++) {
        struct nv_field field;
        if (!nv_take_field(&form->excepts, &field) || !read_except(field.bytes, &op->excepts[i], &form->is_newer))
            return refuse(error, "an except that is none");
    }
    return NV_OK;
}

static enum nv_status read_names(struct op_form *form, struct nv_arena *arena, struct nv_op *op, struct nv_error *error)
{
    op->name_count = form->name_count;
    op->names = NULL;
    if (form->name_count == 0)
        return NV_OK;
    if (form->name_count > NV_LIMIT_NAMES)
        return refuse(error, "more names than a redact may have");
    op->names = nv_arena_alloc(arena, form->name_count * sizeof *op->names);
    if (op->names == NULL)
        return no_memory(error);
    for (size_t i = 0; i < form->name_count; i++) {
        struct nv_field field;
        if (!nv_take_field(&form->names, &field) || !read_dot(field.bytes, &op->names[i], &form->is_newer))
            return refuse(error, "a name that is no dot");
    }
    return NV_OK;
}

/* ---- what each kind must be ---- */

static bool key_is_good(struct nv_slice key)
{
    if (key.size == 0 || key.size > NV_LIMIT_KEY_BYTES)
        return false;
    struct nv_reader reader = nv_reader_of(key);
    for (size_t columns = 0; nv_reader_left(&reader) > 0; columns++) {
        struct nv_value value;
        if (columns == NV_LIMIT_KEY_COLUMNS || !nv_value_decode(&reader, &value) || value.type == NV_NULL)
            return false;
    }
    return true;
}

static enum nv_status read_values(const struct op_form *form, struct nv_op *op, struct nv_error *error)
{
    struct nv_reader reader = nv_reader_of(form->values);
    op->value_count = (size_t)__builtin_popcountll(form->fields);
    for (size_t i = 0; i < op->value_count; i++)
        if (!nv_value_decode(&reader, &op->values[i]))
            return refuse(error, "fewer values than fields, or one that is none");
    if (nv_reader_left(&reader) > 0)
        return refuse(error, "more values than fields");
    return NV_OK;
}

static enum nv_status read_ages(const struct op_form *form, struct nv_op *op, struct nv_error *error)
{
    if (form->ages.size == 0) {
        memset(op->ages, 0, op->value_count * sizeof op->ages[0]);
        return NV_OK;
    }
    struct nv_reader reader = nv_reader_of(form->ages);
    /* No field was captured before the earliest time that there is. */
    uint64_t most = (uint64_t)(form->time + NV_LIMIT_TIME_MS);
    uint64_t any = 0;
    for (size_t i = 0; i < op->value_count; i++) {
        if (!nv_take_varint(&reader, &op->ages[i]) || op->ages[i] > most)
            return refuse(error, "fewer ages than values, or one out of range");
        any |= op->ages[i];
    }
    if (nv_reader_left(&reader) > 0)
        return refuse(error, "more ages than values");
    if (any == 0)
        return refuse(error, "ages that are all 0, which is said by leaving them out");
    return NV_OK;
}

static bool has_box(const struct op_form *form)
{
    return form->key_number != 0 || form->box.size > 0;
}

static enum nv_status check_record(const struct op_form *form, struct nv_error *error)
{
    if (form->table == 0 || form->table > NV_LIMIT_TABLES)
        return refuse(error, "a table number out of range");
    if (!key_is_good(form->key))
        return refuse(error, "a key that is none");
    if (form->name_count > 0 || form->controls != 0 || has_box(form))
        return refuse(error, "a change to a record with parts of another kind of op");
    return NV_OK;
}

static bool has_values(const struct op_form *form)
{
    return form->fields != 0 || form->values.size > 0 || form->ages.size > 0 || form->home.size > 0;
}

static bool has_record(const struct op_form *form)
{
    return form->table != 0 || form->key.size > 0 || has_values(form) || form->except_count > 0;
}

static enum nv_status read_put(const struct op_form *form, struct nv_op *op, struct nv_error *error)
{
    op->has_home = form->home.size > 0;
    if (op->has_home && form->home.size != sizeof op->home.bytes)
        return refuse(error, "a home that is no site id");
    if (op->has_home)
        memcpy(op->home.bytes, form->home.data, sizeof op->home.bytes);
    enum nv_status status = check_record(form, error);
    if (status == NV_OK)
        status = read_values(form, op, error);
    return status == NV_OK ? read_ages(form, op, error) : status;
}

/* What is in the box is of no concern here. That it was captured at some time is one of the things that it hides. */
static enum nv_status read_sealed(const struct op_form *form, struct nv_op *op, struct nv_error *error)
{
    if (has_record(form) || form->time != 0 || form->name_count > 0 || form->controls != 0)
        return refuse(error, "a sealed op with parts of another kind of op");
    if (!nv_box_size_is_good(form->box.size))
        return refuse(error, "a box of a size that no box has");
    op->key_number = form->key_number;
    op->box = form->box;
    return NV_OK;
}

/* A grant or an ask, which have a field for themselves. */
static enum nv_status read_key_op(const struct op_form *form, uint32_t field, struct nv_slice bytes, struct nv_op *op,
                                  struct nv_error *error)
{
    if (has_record(form) || has_box(form) || form->time != 0 || form->name_count > 0 ||
        form->controls != (uint32_t)1 << field)
        return refuse(error, "an op about content keys with parts of another kind");
    op->control = bytes;
    return field == NV_FIELD_GRANT ? nv_grant_judge(form->control, error) : nv_ask_judge(form->control, error);
}

static enum nv_status read_kind(const struct op_form *form, struct nv_slice bytes, struct nv_op *op,
                                struct nv_error *error)
{
    switch (op->kind) {
    case NV_OP_PUT:
        return read_put(form, op, error);
    case NV_OP_DELETE:
        if (has_values(form))
            return refuse(error, "a delete with values");
        return check_record(form, error);
    case NV_OP_REDACT:
        if (has_record(form) || has_box(form) || form->controls != 0)
            return refuse(error, "a redact with parts of another kind of op");
        if (form->name_count == 0)
            return refuse(error, "a redact that names nothing");
        return NV_OK;
    case NV_OP_SEALED:
        return read_sealed(form, op, error);
    case NV_OP_GRANT:
        return read_key_op(form, NV_FIELD_GRANT, bytes, op, error);
    case NV_OP_ASK:
        return read_key_op(form, NV_FIELD_ASK, bytes, op, error);
    case NV_OP_GENESIS:
    case NV_OP_CERTIFICATE:
    case NV_OP_SCHEMA:
    case NV_OP_GROUP:
    case NV_OP_READER:
    case NV_OP_REMOVAL:
    case NV_OP_REVOCATION:
        if (has_record(form) || has_box(form) || form->name_count > 0 || form->controls != (uint32_t)1 << op->kind)
            return refuse(error, "an authority op with parts of another kind");
        op->control = bytes;
        return NV_OK;
    }
    return nv_fail(error, NV_NOT_YET, "an op of kind %u: newer software wrote it: update Navette here", form->kind);
}

uint32_t nv_op_kind_of(struct nv_slice op)
{
    struct nv_reader reader = nv_reader_of(op);
    struct nv_field field;
    uint32_t kind;
    return nv_take_field(&reader, &field) && field.number == 1 && take_small(&field, &kind) ? kind : 0;
}

enum nv_status nv_op_decode(struct nv_slice bytes, struct nv_arena *arena, struct nv_op *ret_op, struct nv_error *error)
{
    if (bytes.size > NV_LIMIT_OP_BYTES)
        return refuse(error, "longer than an op may be");
    struct op_form form = {0};
    if (!read_form(bytes, &form) || form.kind == 0)
        return refuse_form(error);
    struct nv_op *op = ret_op;
    enum nv_status status = read_excepts(&form, arena, op, error);
    if (status == NV_OK)
        status = read_names(&form, arena, op, error);
    if (status != NV_OK)
        return status;
    if (form.is_newer)
        return nv_fail(error, NV_NOT_YET,
                       "an op has a part that is not known here: newer software wrote it: update "
                       "Navette here");
    if (form.time > NV_LIMIT_TIME_MS || form.time < -NV_LIMIT_TIME_MS)
        return refuse(error, "a time out of range");
    op->kind = (enum nv_op_kind)form.kind;
    op->table = form.table;
    op->key = form.key;
    op->time = (struct nv_wall_ms){form.time};
    op->has_home = false;
    op->fields = form.fields;
    op->value_count = 0;
    op->key_number = 0;
    op->box = (struct nv_slice){0};
    op->control = (struct nv_slice){0};
    return read_kind(&form, bytes, op, error);
}
