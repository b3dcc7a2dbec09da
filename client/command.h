/* The shape of a command, and the list of them all. main.c has the table; cmd_*.c have the commands, by group. */
#pragma once

#include "client/home.h"
#include "client/output.h"
#include "store/store.h"

enum { NV_CALL_OPTIONS = 8 };

/* One call of the program, taken apart. */
struct nv_call {
    struct nv_home home;
    bool json;
    size_t word_count; /* what stands after the command, options apart */
    const char **words;
    size_t option_count;
    struct {
        const char *name;  /* with its dashes */
        const char *value; /* "" for an option without a value */
    } options[NV_CALL_OPTIONS];
};

/* The option's value, NULL where it was not given. */
const char *nv_option(const struct nv_call *call, const char *name);

/* The option's value as a number between `least` and `most`; `otherwise` where it was not given. NV_USAGE. */
enum nv_status nv_option_number(const struct nv_call *call, const char *name, int64_t least, int64_t most,
                                int64_t otherwise, int64_t *ret_number, struct nv_error *error);

/* A command returns NV_OK, or what went wrong with a sentence in `error`; an empty sentence where all was said on
 * stdout and only the exit code is left to tell (a conflict is open). */
enum nv_status nv_command_init(struct nv_call *call, struct nv_error *error);
enum nv_status nv_command_invite(struct nv_call *call, struct nv_error *error);
enum nv_status nv_command_join(struct nv_call *call, struct nv_error *error);
enum nv_status nv_command_members(struct nv_call *call, struct nv_error *error);
enum nv_status nv_command_group(struct nv_call *call, struct nv_error *error);
enum nv_status nv_command_revoke(struct nv_call *call, struct nv_error *error);
enum nv_status nv_command_schema_apply(struct nv_call *call, struct nv_error *error);
enum nv_status nv_command_schema_show(struct nv_call *call, struct nv_error *error);
enum nv_status nv_command_get(struct nv_call *call, struct nv_error *error);
enum nv_status nv_command_list(struct nv_call *call, struct nv_error *error);
enum nv_status nv_command_put(struct nv_call *call, struct nv_error *error);
enum nv_status nv_command_rm(struct nv_call *call, struct nv_error *error);
enum nv_status nv_command_import(struct nv_call *call, struct nv_error *error);
enum nv_status nv_command_export(struct nv_call *call, struct nv_error *error);
enum nv_status nv_command_status(struct nv_call *call, struct nv_error *error);
enum nv_status nv_command_peers(struct nv_call *call, struct nv_error *error);
enum nv_status nv_command_move(struct nv_call *call, struct nv_error *error);
enum nv_status nv_command_quarantine(struct nv_call *call, struct nv_error *error);
enum nv_status nv_command_duplicates(struct nv_call *call, struct nv_error *error);
enum nv_status nv_command_report(struct nv_call *call, struct nv_error *error);
enum nv_status nv_command_publish(struct nv_call *call, struct nv_error *error);
enum nv_status nv_command_conflicts(struct nv_call *call, struct nv_error *error);
enum nv_status nv_command_resolve(struct nv_call *call, struct nv_error *error);
enum nv_status nv_command_history(struct nv_call *call, struct nv_error *error);
enum nv_status nv_command_verify(struct nv_call *call, struct nv_error *error);
enum nv_status nv_command_digest(struct nv_call *call, struct nv_error *error);
enum nv_status nv_command_rebuild(struct nv_call *call, struct nv_error *error);
