#include "golden.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "trace.h"

enum { COLUMNS = 120, LINE = 1100 };

/* ---- playing ---- */

static bool play(const struct sim_scenario *scenario, FILE *trace)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        sim_trace_start(trace);
        sim_scenario_play(scenario);
        fflush(trace);
        _exit(0);
    }
    int status = 0;
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ---- telling ---- */

static void add(struct nv_buffer *text, const char *words)
{
    nv_buffer_append(text, words, strlen(words));
}

/* The words, in lines of at most so many columns where that can be; the first begins at `column`, the others with
 * `margin`. */
static void add_words(const char *words, const char *margin, size_t column, struct nv_buffer *text)
{
    for (const char *word = words, *end; *word != '\0'; word = end + (*end == ' ')) {
        end = word + strcspn(word, " ");
        size_t size = (size_t)(end - word);
        if (column + 1 + size > COLUMNS && word != words) {
            add(text, "\n");
            add(text, margin);
            column = strlen(margin);
        }
        add(text, " ");
        nv_buffer_append(text, word, size);
        column += 1 + size;
    }
    add(text, "\n");
}

static void tell_paragraph(const char *paragraph, struct nv_buffer *text)
{
    add(text, "#");
    add_words(paragraph, "#", 1, text);
}

static const char *const noise[] = {
    ": Ping", ": Ping, a reply", ": Has, a digest", ": Credit", "is connected", "is connected (we dialled)", NULL};

static bool ends_with_one(const char *line, const char *const *endings)
{
    size_t size = strlen(line);
    for (; endings != NULL && *endings != NULL; endings++)
        if (size >= strlen(*endings) && strcmp(line + size - strlen(*endings), *endings) == 0)
            return true;
    return false;
}

static bool is_told(const struct sim_scenario *scenario, const char *line)
{
    if (ends_with_one(line, noise) && !ends_with_one(line, scenario->teaches))
        return false;
    return scenario->hides == NULL || !scenario->hides(line);
}

static void tell_line(const struct sim_scenario *scenario, int64_t ms, const char *line, struct nv_buffer *text)
{
    char time[32];
    if (!is_told(scenario, line))
        return;
    snprintf(time, sizeof time, "%s%9lld ", strncmp(line, "-- ", 3) == 0 ? "\n" : "", (long long)ms);
    add(text, time);
    add_words(line, "              ", strlen("123456789 "), text);
}

/* From the first heading to where the faults end; what is wrong is told wherever it stands. */
static void tell_trace(const struct sim_scenario *scenario, FILE *trace, struct nv_buffer *text)
{
    char line[LINE];
    bool has_begun = false, has_ended = false;
    while (fgets(line, sizeof line, trace) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *what = NULL;
        long long ms = strtoll(line, &what, 10);
        what += strcspn(what, " ");
        what += strspn(what, " ");
        has_begun = has_begun || strncmp(what, "-- ", 3) == 0;
        has_ended = has_ended || strcmp(what, "from here on nothing fails") == 0;
        if ((has_begun && !has_ended) || strncmp(what, "WRONG", 5) == 0)
            tell_line(scenario, ms, what, text);
    }
}

bool sim_golden_take(const struct sim_scenario *scenario, struct nv_buffer *ret_text)
{
    struct nv_buffer text = {0};
    FILE *trace = tmpfile();
    if (trace == NULL)
        abort();
    bool is_good = play(scenario, trace);
    rewind(trace);
    tell_paragraph(scenario->title, &text);
    add(&text, "#\n");
    tell_paragraph(scenario->shows, &text);
    tell_trace(scenario, trace, &text);
    fclose(trace);
    nv_buffer_append(ret_text, text.data, text.size);
    nv_buffer_done(&text);
    return is_good;
}
