/* The `navette` command: takes its arguments apart, runs one command, and turns what came of it into an exit code. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/version.h"
#include "client/command.h"
#include "client/language.h"

/* A command's usage is also what its arguments are checked against: the lower-case words at its beginning are its name,
 * and an option takes a value where a word in capitals follows it. */
struct command {
    const char *usage;
    const char *summary;
    size_t words_min, words_max;
    enum nv_status (*run)(struct nv_call *call, struct nv_error *error); /* NULL: a heading */
};

enum { ANY = 1 << 20 };

static const struct command commands[] = {
    {N_("The network"), NULL, 0, 0, NULL},
    {"init NAME [--hub [--reader]] [--listen ENDPOINT] [--enrol ENDPOINT] [--advertise ENDPOINT]",
     N_("Make a new site in the home folder; --hub also founds a network, --reader lets its hub be granted to read."),
     1, 1, nv_command_init},
    {"invite NAME [--role ROLE] [--days N]",
     N_("At the hub: print an invitation for a new site (role: site or hub), or for a member that lost its keys."), 1,
     1, nv_command_invite},
    {"join INVITATION [--recover [--secret FILE]]",
     N_("Join the network that invited this site (- reads it from standard input); --recover brings back a site that "
        "lost its keys, with its recovery secret."),
     1, 1, nv_command_join},
    {"members", N_("List the sites of the network, and who reads what."), 0, 0, nv_command_members},
    {"revoke NAME", N_("At the hub: take a site out of the network."), 1, 1, nv_command_revoke},
    {"group NAME [--add SITE]... [--remove SITE]...",
     N_("Show who is in a group. At the hub: make it where there is none of that name, list sites in it, take them "
        "out."),
     1, 1, nv_command_group},
    {N_("The schema"), NULL, 0, 0, NULL},
    {"schema apply FILE [--dry-run]", N_("At the hub: publish the tables of an SQL file (- is standard input)."), 1, 1,
     nv_command_schema_apply},
    {"schema show", N_("List the tables that are kept in step, with their columns."), 0, 0, nv_command_schema_show},
    {N_("Records"), NULL, 0, 0, NULL},
    {"get TABLE KEY", N_("Show one record."), 2, 2, nv_command_get},
    {"list TABLE [FIELD=VALUE...] [--limit N]", N_("Show the records whose fields have these values."), 1, ANY,
     nv_command_list},
    {"put TABLE [KEY] [FIELD=VALUE...]", N_("Write fields of a record, a new one where it is not there."), 1, ANY,
     nv_command_put},
    {"rm TABLE KEY", N_("Delete a record."), 2, 2, nv_command_rm},
    {"import [FILE] [--into TABLE] [--map FILE] [--save-map FILE] [--dry-run] [--skip-errors] [--rejected FILE] | "
     "--undo | --template TABLE",
     N_("Make records of a CSV file; take the last import back; print an empty file for a table. Without a file: list "
        "what can be taken back."),
     0, 1, nv_command_import},
    {"export TABLE [KEY] [--format FORMAT] [--codes] [--output FILE]",
     N_("Print a table as CSV for a spreadsheet (--codes: as it is stored), or all that is held on one record (as "
        "text, html or json)."),
     1, 2, nv_command_export},
    {"duplicates [TABLE]", N_("List records that may be one and the same, entered twice."), 0, 1,
     nv_command_duplicates},
    {"move TABLE KEY SCOPE", N_("Have others read a record and what belongs to it: network, site/NAME or group/NAME."),
     3, 3, nv_command_move},
    {N_("Figures"), NULL, 0, 0, NULL},
    {"publish [--period PERIOD]",
     N_("Count this site's own records, once a period, for all to see: no record leaves the site, only counts do."), 0,
     0, nv_command_publish},
    {"report [NAME] [--by COLUMN] [--for AUDIENCE] [--period PERIOD] [--format FORMAT] [--disclose] [--why]",
     N_("Show the schema's reports: for this site alone (audience: site), the hub, or a funder, from whom small counts "
        "are hidden. Formats: table, csv, json, html. --disclose makes what a funder gets final."),
     0, 1, nv_command_report},
    {N_("Care"), NULL, 0, 0, NULL},
    {"status [--watch]", N_("Say in words how this site stands."), 0, 0, nv_command_status},
    {"peers", N_("List the sites that this one talks with, and how far behind they are."), 0, 0, nv_command_peers},
    {"conflicts", N_("List what was written apart and waits for an answer."), 0, 0, nv_command_conflicts},
    {"resolve TABLE KEY FIELD (--take N | --value V | --null)",
     N_("Answer a conflict; FIELD is - where a deleted record was edited."), 3, 3, nv_command_resolve},
    {"quarantine", N_("List what was written and stands in no row, and why."), 0, 0, nv_command_quarantine},
    {"history TABLE KEY", N_("Show who changed which field of a record, and when."), 2, 2, nv_command_history},
    {"verify [--deep]", N_("Check every log from its first changeset; --deep checks the store's file too."), 0, 0,
     nv_command_verify},
    {"digest", N_("Print the state of each scope's records as a hash: the same at all its readers that are in step."),
     0, 0, nv_command_digest},
    {"rebuild", N_("Make the tables anew from the logs, and mend what differs."), 0, 0, nv_command_rebuild},
};

enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

/* ---- usage ---- */

static void print_usage(void)
{
    puts(_("Usage: navette [--home DIR] [--json] COMMAND"));
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (commands[i].run == NULL)
            printf("\n%s\n", _(commands[i].usage));
        else
            printf("  %s\n      %s\n", commands[i].usage, _(commands[i].summary));
    }
    printf("\n%s\n  help [COMMAND]\n      %s\n", _("Other"), _("Show this, or what one command takes."));
    printf("\n%s", _("Options\n"
                     "  --home DIR   the site's home folder; else NAVETTE_HOME, else /var/lib/navette\n"
                     "  --json       answer in JSON\n"
                     "  --version    print the version\n"));
    printf("\n%s", _("Exit status: 0 done, 1 what was asked for is not so, 2 wrong usage, 3 refused input, 4 not "
                     "reachable or busy,\n"
                     "70 an error of Navette's own. navette(1) says more.\n"));
}

static void print_command_usage(const struct command *command)
{
    printf(_("Usage: navette [--home DIR] [--json] %s\n%s\n"), command->usage, _(command->summary));
}

/* ---- finding the command and its arguments ---- */

/* The end of the name at the beginning of a usage line: its lower-case words. */
static size_t name_size(const char *usage)
{
    size_t size = 0;
    while (islower((unsigned char)usage[size]) != 0) {
        size_t word = size;
        while (islower((unsigned char)usage[word]) != 0)
            word++;
        if (usage[word] == '\0' || islower((unsigned char)usage[word + 1]) == 0)
            return word;
        size = word + 1;
    }
    return size;
}

/* How many of the words name the command; 0 where they don't. */
static size_t match_name(const struct command *command, const char *const *words, size_t count)
{
    const char *name = command->usage;
    size_t left = command->run == NULL ? 0 : name_size(name), matched = 0;
    while (left > 0) {
        size_t size = strcspn(name, " ");
        size = size < left ? size : left;
        if (matched == count || strlen(words[matched]) != size || strncmp(words[matched], name, size) != 0)
            return 0;
        matched++;
        if (size == left)
            return matched;
        name += size + 1;
        left -= size + 1;
    }
    return matched;
}

static const struct command *find_command(const char *const *words, size_t count, size_t *ret_matched)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        *ret_matched = match_name(&commands[i], words, count);
        if (*ret_matched > 0)
            return &commands[i];
    }
    return NULL;
}

enum option_kind { OPTION_UNKNOWN, OPTION_FLAG, OPTION_VALUE };

static enum option_kind option_of(const struct command *command, const char *name, size_t size)
{
    for (const char *at = command->usage; (at = strstr(at, "--")) != NULL; at += 2) {
        if (strncmp(at, name, size) != 0 || islower((unsigned char)at[size]) != 0 || at[size] == '-')
            continue;
        return at[size] == ' ' && isupper((unsigned char)at[size + 1]) != 0 ? OPTION_VALUE : OPTION_FLAG;
    }
    return OPTION_UNKNOWN;
}

const char *nv_option(const struct nv_call *call, const char *name)
{
    for (size_t i = 0; i < call->option_count; i++)
        if (strcmp(call->options[i].name, name) == 0)
            return call->options[i].value;
    return NULL;
}

enum nv_status nv_option_number(const struct nv_call *call, const char *name, int64_t least, int64_t most,
                                int64_t otherwise, int64_t *ret_number, struct nv_error *error)
{
    const char *text = nv_option(call, name);
    *ret_number = otherwise;
    if (text == NULL)
        return NV_OK;
    char *end;
    long long number = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || number < least || number > most)
        return nv_fail(error, NV_USAGE, "%s takes a whole number from %lld to %lld", name, (long long)least,
                       (long long)most);
    *ret_number = number;
    return NV_OK;
}

/* What the program is asked to do, before anything is done. */
struct request {
    const struct command *command; /* NULL: help or version */
    const char *home;
    bool wants_help, wants_version;
    struct nv_call call;
};

static enum nv_status take_command_option(struct request *request, char **arguments, int count, int *at,
                                          struct nv_error *error)
{
    struct nv_call *call = &request->call;
    const char *argument = arguments[*at], *equals = strchr(argument, '=');
    size_t size = equals != NULL ? (size_t)(equals - argument) : strlen(argument);
    enum option_kind kind = request->command == NULL ? OPTION_UNKNOWN : option_of(request->command, argument, size);
    if (kind == OPTION_UNKNOWN || size <= 2 || (kind == OPTION_FLAG && equals != NULL))
        return nv_fail(error, NV_USAGE, "there is no option %.60s here: `navette help` lists them", argument);
    if (call->option_count == NV_CALL_OPTIONS)
        return nv_fail(error, NV_USAGE, "too many options");
    const char *value = equals != NULL ? equals + 1 : "";
    if (kind == OPTION_VALUE && equals == NULL) {
        if (*at + 1 == count)
            return nv_fail(error, NV_USAGE, "%s needs a value", argument);
        value = arguments[++*at];
    }
    if (equals != NULL)
        arguments[*at][size] = '\0';
    call->options[call->option_count].name = argument;
    call->options[call->option_count++].value = value;
    return NV_OK;
}

static enum nv_status take_option(struct request *request, char **arguments, int count, int *at, struct nv_error *error)
{
    const char *argument = arguments[*at];
    if (strcmp(argument, "--json") == 0) {
        request->call.json = true;
    } else if (strcmp(argument, "--help") == 0) {
        request->wants_help = true;
    } else if (strcmp(argument, "--version") == 0) {
        request->wants_version = true;
    } else if (strncmp(argument, "--home=", 7) == 0) {
        request->home = argument + 7;
    } else if (strcmp(argument, "--home") == 0) {
        if (*at + 1 == count)
            return nv_fail(error, NV_USAGE, "--home needs a folder");
        request->home = arguments[++*at];
    } else {
        return take_command_option(request, arguments, count, at, error);
    }
    return NV_OK;
}

/* `words` has room for `count` words; those that name the command are left out of the call. */
static enum nv_status read_arguments(struct request *request, char **arguments, int count, const char **words,
                                     struct nv_error *error)
{
    struct nv_call *call = &request->call;
    size_t matched = 0;
    bool ended = false;
    call->words = words;
    for (int at = 1; at < count; at++) {
        if (!ended && strcmp(arguments[at], "--") == 0) {
            ended = true;
        } else if (!ended && strncmp(arguments[at], "--", 2) == 0) {
            enum nv_status status = take_option(request, arguments, count, &at, error);
            if (status != NV_OK)
                return status;
        } else {
            words[call->word_count++] = arguments[at];
            if (request->command == NULL)
                request->command = find_command(words, call->word_count, &matched);
        }
    }
    call->words = words + matched;
    call->word_count -= matched;
    return NV_OK;
}

static enum nv_status check_words(const struct request *request, struct nv_error *error)
{
    const struct nv_call *call = &request->call;
    if (request->command == NULL) {
        if (call->word_count == 0)
            return nv_fail(error, NV_USAGE, "say what to do: `navette help` lists the commands");
        return nv_fail(error, NV_USAGE, "there is no command %.60s: `navette help` lists them", call->words[0]);
    }
    if (call->word_count < request->command->words_min)
        return nv_fail(error, NV_USAGE, "too few arguments: usage: navette %s", request->command->usage);
    if (call->word_count > request->command->words_max)
        return nv_fail(error, NV_USAGE, "too many arguments: usage: navette %s", request->command->usage);
    return NV_OK;
}

/* ---- running ---- */

static bool asks_for_help(const struct request *request)
{
    return request->wants_help ||
           (request->command == NULL && request->call.word_count > 0 && strcmp(request->call.words[0], "help") == 0);
}

static enum nv_status print_help(const struct request *request, struct nv_error *error)
{
    const struct command *command = request->command;
    size_t matched;
    if (command == NULL && request->call.word_count > 1) {
        command = find_command(request->call.words + 1, request->call.word_count - 1, &matched);
        if (command == NULL)
            return nv_fail(error, NV_USAGE, "there is no command %.60s: `navette help` lists them",
                           request->call.words[1]);
    }
    if (command == NULL)
        print_usage();
    else
        print_command_usage(command);
    return NV_OK;
}

static enum nv_status run(struct request *request, struct nv_error *error)
{
    if (request->wants_version) {
        printf("navette %s\n", NV_VERSION);
        return NV_OK;
    }
    if (asks_for_help(request))
        return print_help(request, error);
    enum nv_status status = check_words(request, error);
    if (status == NV_OK)
        status = nv_home_set(&request->call.home, request->home, error);
    if (status == NV_OK)
        status = nv_wire_start(error);
    if (status == NV_OK)
        status = request->command->run(&request->call, error);
    if (status == NV_OK && (fflush(stdout) != 0 || ferror(stdout) != 0))
        status = nv_fail(error, NV_IO, "the answer could not be written to standard output");
    return status;
}

/* A status in one word, for programs. */
static const char *status_word(enum nv_status status)
{
    switch (status) {
    case NV_OK:
        return "ok";
    case NV_NO_MEMORY:
        return "no_memory";
    case NV_IO:
        return "io";
    case NV_FULL:
        return "full";
    case NV_BUSY:
        return "busy";
    case NV_CORRUPT:
        return "corrupt";
    case NV_REFUSED:
        return "refused";
    case NV_NOT_FOUND:
        return "not_found";
    case NV_NOT_SO:
        return "not_so";
    case NV_NOT_YET:
        return "not_yet";
    case NV_USAGE:
        return "usage";
    case NV_UNREACHABLE:
        return "unreachable";
    case NV_BUG:
        return "bug";
    }
    return "bug";
}

static void report(const struct nv_error *error, enum nv_status status, bool in_json)
{
    fflush(stdout);
    if (in_json) {
        json_t *json =
            json_pack("{s:{s:s, s:o}}", "error", "status", status_word(status), "text", nv_json_text(error->text));
        if (json != NULL)
            json_dumpf(json, stderr, JSON_COMPACT);
        json_decref(json);
        fputc('\n', stderr);
        return;
    }
    struct nv_buffer text = {0};
    struct nv_slice said = {(const uint8_t *)error->text, strlen(error->text)};
    nv_show_bytes(&text, said);
    fprintf(stderr, "navette: %.*s\n", (int)text.size, text.size == 0 ? "" : (const char *)text.data);
    nv_buffer_done(&text);
}

/* Programs that read JSON get the same words in every country. */
static bool asks_for_json(char **arguments)
{
    for (; *arguments != NULL; arguments++)
        if (strcmp(*arguments, "--json") == 0)
            return true;
    return false;
}

int main(int count, char **arguments)
{
    struct request request = {0};
    struct nv_error error = {0};
    if (!asks_for_json(arguments))
        nv_language_start();
    const char **words = calloc((size_t)count + 1, sizeof *words);
    enum nv_status status = words == NULL ? nv_fail(&error, NV_NO_MEMORY, "out of memory")
                                          : read_arguments(&request, arguments, count, words, &error);
    if (status == NV_OK)
        status = run(&request, &error);
    if (status != NV_OK && error.text[0] != '\0')
        report(&error, status, request.call.json);
    free(words);
    return nv_exit_code(status);
}
