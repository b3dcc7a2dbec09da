#include "client/language.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/home.h"

static bool is_french;

static bool reads_french(void)
{
    static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && value[0] != '\0')
            return strncmp(value, "fr", 2) == 0;
    }
    return false;
}

/* Where the catalogues are: beside the program where it was built, in ../share/locale where it was installed. */
static bool find_catalogues(char ret_path[NV_PATH_MAX])
{
    char program[NV_PATH_MAX / 2];
    ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);
    if (size <= 0)
        return false;
    program[size] = '\0';
    char *slash = strrchr(program, '/');
    if (slash == NULL)
        return false;
    *slash = '\0';
    snprintf(ret_path, NV_PATH_MAX, "%s/locale", program);
    if (access(ret_path, R_OK) != 0)
        snprintf(ret_path, NV_PATH_MAX, "%s/../share/locale", program);
    return true;
}

void nv_language_start(void)
{
    char path[NV_PATH_MAX];
    if (!reads_french() || !find_catalogues(path))
        return;
    /* A machine may have no French locale: C.UTF-8, which every glibc has, with LANGUAGE does as well. Numbers keep the
     * form that programs read. */
    if (setlocale(LC_MESSAGES, "C.UTF-8") == NULL || setenv("LANGUAGE", "fr", 1) != 0)
        return;
    bindtextdomain("navette", path);
    bind_textdomain_codeset("navette", "UTF-8");
    textdomain("navette");
    is_french = true;
}

bool nv_is_french(void)
{
    return is_french;
}
