#include "client/secret.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "client/language.h"
#include "wire/recovery.h"

enum { LINE = 256 };

/* Unbuffered, so that no copy of it stays behind. */
static bool read_line(FILE *stream, char line[LINE])
{
    setvbuf(stream, NULL, _IONBF, 0);
    return fgets(line, LINE, stream) != NULL;
}

static void be_interrupted(int signal)
{
    (void)signal;
}

/* What is typed does not show, but for the end of the line. Who breaks off gets the terminal back as it was. */
static bool read_unseen(char line[LINE])
{
    struct termios shown, unseen;
    struct sigaction interrupted = {.sa_handler = be_interrupted}, before;
    if (tcgetattr(STDIN_FILENO, &shown) != 0)
        return false;
    sigaction(SIGINT, &interrupted, &before);
    unseen = shown;
    unseen.c_lflag &= ~(tcflag_t)ECHO;
    unseen.c_lflag |= ECHONL;
    bool is_read = false;
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &unseen) == 0) {
        /* Asked only now: what was typed before is dropped, and would have shown. */
        fputs(_("The site's recovery secret: "), stderr);
        is_read = read_line(stdin, line);
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    }
    sigaction(SIGINT, &before, NULL);
    return is_read;
}

static enum nv_status read_file(const char *path, char line[LINE], bool *ret_read, struct nv_error *error)
{
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return nv_fail(error, NV_NOT_FOUND, "the secret cannot be read from %.300s: %s", path, strerror(errno));
    *ret_read = read_line(file, line);
    fclose(file);
    return NV_OK;
}

enum nv_status nv_secret_ask(const char *file, struct nv_curve_key *ret_key, struct nv_error *error)
{
    char line[LINE] = "";
    bool is_read = false;
    enum nv_status status = NV_OK;
    if (file != NULL && strcmp(file, "-") != 0)
        status = read_file(file, line, &is_read, error);
    else if (file == NULL && isatty(STDIN_FILENO))
        is_read = read_unseen(line);
    else
        is_read = read_line(stdin, line);
    if (status == NV_OK && !is_read)
        status = nv_fail(error, NV_REFUSED, "there is no recovery secret: nothing was changed");
    if (status == NV_OK)
        status = nv_recovery_read(line, ret_key, error);
    nv_wipe(line, sizeof line);
    return status;
}
