/* A second opinion on ops: protobuf-c reads them, and the rules of PROTOCOL.md, "Ops", are written down once more. */
#pragma once

#include "proto/navette.pb-c.h"
#include "wire/changeset.h"

/* Whether both say the same. */
bool opinion_same_op(const Navette__Op *a, const struct nv_op *b);

/* Our verdict on the bytes; fails the test where it is not that of the second opinion. */
enum nv_status opinion_judge(struct nv_slice bytes, struct nv_arena *arena, struct nv_op *op);
