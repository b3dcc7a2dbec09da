/* What must hold of scopes (checks.h):
 *
 *   scope       no value and no key stands where nobody may have it: in a store's file, or in a frame
 *   carried     a site is sent what it carries, by what its sender has heard, and nothing else
 *   granted     content keys are given to readers alone, and nothing is sealed with one that somebody has who reads no
 *               more
 *   sealed      (history.h) what is sealed opens with the key that it names, and nothing is in the clear
 *   model       rows show the narrowest record of their keys, as the model has it of that scope
 *   recovered   who came back by its recovery secret has the keys of its own scope
 *   lost        what was committed is in an op, or was written over, or is listed in quarantine
 */
#pragma once

#include "world.h"

void sim_check_scopes_frame(struct sim_world *world, size_t from, size_t to, struct nv_slice frame);

/* What is of that scope is sent, so that place has to carry it by the authority log as its sender knows it. */
void sim_check_scopes_reader(struct sim_world *world, size_t from, size_t to, struct nv_scope_id scope);

/* What the history took since it was looked at last. */
void sim_check_scopes_history(struct sim_world *world);

void sim_check_scopes_file(struct sim_world *world, size_t place);

/* Rows, as what is merged there says by the cut. */
void sim_check_scopes_rows(struct sim_world *world, size_t place, const struct sim_cut *cut);

/* Whether the place lacks a content key of a scope that it reads, which another member could give to it. */
bool sim_check_lacks_keys(struct sim_world *world, size_t place);

void sim_check_scopes_end(struct sim_world *world);
