/* What op.c asks about a grant and an ask: the content of their fields alone. Internal to wire/. */
#pragma once

#include "base/buffer.h"
#include "base/error.h"

enum { NV_FIELD_GRANT = 13, NV_FIELD_ASK = 14 };

/* NV_OK; NV_REFUSED where it is against the protocol, NV_NOT_YET where it has a part that is not known here. */
enum nv_status nv_grant_judge(struct nv_slice content, struct nv_error *error);
enum nv_status nv_ask_judge(struct nv_slice content, struct nv_error *error);
