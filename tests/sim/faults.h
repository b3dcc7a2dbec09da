/* What goes wrong: lines, machines, disks, clocks, relays. Each ends by itself after a while, or when calm comes. */
#pragma once

#include "world.h"

void sim_fault_cut(struct sim_world *world, struct nv_dice *dice, size_t place);
void sim_fault_cut_one_way(struct sim_world *world, struct nv_dice *dice, size_t place);
void sim_fault_cut_hub(struct sim_world *world, struct nv_dice *dice, size_t place);
void sim_fault_break(struct sim_world *world, struct nv_dice *dice, size_t place);
void sim_fault_half_open(struct sim_world *world, struct nv_dice *dice, size_t place);
void sim_fault_slow(struct sim_world *world, struct nv_dice *dice, size_t place);
void sim_fault_unruly(struct sim_world *world, struct nv_dice *dice, size_t place);
void sim_fault_hostile(struct sim_world *world, struct nv_dice *dice, size_t place);
void sim_fault_stop(struct sim_world *world, struct nv_dice *dice, size_t place);
void sim_fault_kill(struct sim_world *world, struct nv_dice *dice, size_t place);
void sim_fault_kill_in_call(struct sim_world *world, struct nv_dice *dice, size_t place);
void sim_fault_power(struct sim_world *world, struct nv_dice *dice, size_t place);
void sim_fault_power_in_call(struct sim_world *world, struct nv_dice *dice, size_t place);
void sim_fault_disk_error(struct sim_world *world, struct nv_dice *dice, size_t place);
void sim_fault_fsync(struct sim_world *world, struct nv_dice *dice, size_t place);
void sim_fault_full(struct sim_world *world, struct nv_dice *dice, size_t place);
void sim_fault_clock(struct sim_world *world, struct nv_dice *dice, size_t place);
