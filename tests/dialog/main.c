// SPDX-License-Identifier: BSD-3-Clause
// Plays every .ladder file of a folder, one test each: build/tests/dialog/test_dialog [NAME | FILE...]
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ladder.h"

enum { FILES_MAX = 4096 };

// What the process that plays tells the one that counts; the latter lives on when a file brings the former down.
struct score {
    unsigned at, passed, failed;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static unsigned list_files(const char *folder, const char *only, char **files, unsigned n)
{
    DIR *dir = opendir(folder);
    unsigned first = n;
    for (struct dirent *e; dir && (e = readdir(dir)) && n < FILES_MAX;) {
        size_t len = strlen(e->d_name);
        if (len < 8 || strcmp(e->d_name + len - 7, ".ladder") != 0 || (only && !strstr(e->d_name, only)))
            continue;
        if (asprintf(&files[n++], "%s/%s", folder, e->d_name) < 0)
            abort();
    }
    if (dir)
        closedir(dir);
    qsort(files + first, n - first, sizeof files[0], by_name);
    return n;
}

static const char *short_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

// A file of wrong/ begins with "# must fail: TEXT": it has failed in the right way when the report says so.
static bool fails_rightly(const char *path, const char *text, const char *report)
{
    static const char key[] = "# must fail: ";
    if (!strstr(path, "/wrong/") || strncmp(text, key, strlen(key)) != 0)
        return false;
    char *want = strndup(text + strlen(key), strcspn(text + strlen(key), "\n"));
    bool found = want && strstr(report, want);
    free(want);
    return found;
}

static void play_from(char **files, unsigned count, const char *folder, struct score *score)
{
    for (; score->at < count; score->at++) {
        const char *name = short_name(files[score->at]);
        char *text = ladder_read_file(files[score->at]), *report = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&report, &size);
        char *played = text ? strdup(text) : NULL; // playing changes it
        bool good = played && out && ladder_play(name, played, folder, 1, out);
        fclose(out);
        if (text && strstr(files[score->at], "/wrong/"))
            good = !good && fails_rightly(files[score->at], text, report);
        free(played);
        if (good)
            printf("ok   dialog/%s\n", name);
        else
            printf("FAIL dialog/%s\n%s\n", name, text ? report : "it cannot be read");
        fflush(stdout);
        free(report);
        free(text);
        good ? score->passed++ : score->failed++;
    }
}

// Plays what is left in a process of its own. Returns its wait status.
static int play_apart(char **files, unsigned count, const char *folder, struct score *score)
{
    int status = 0;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        play_from(files, count, folder, score);
        for (unsigned i = 0; i < count; i++)
            free(files[i]);
        exit(0);
    }
    if (pid < 0)
        abort();
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

int main(int argc, char **argv)
{
    static char *files[FILES_MAX];
    unsigned count = 0;
    const char *folder =
        getenv("TRUNKLINE_LADDERS") ? getenv("TRUNKLINE_LADDERS") : TEST_SOURCE_ROOT "/tests/dialog";
    for (int i = 1; i < argc && count < FILES_MAX; i++)
        if (access(argv[i], R_OK) == 0)
            files[count++] = strdup(argv[i]);
    if (!count)
        count = list_files(folder, argc > 1 ? argv[1] : NULL, files, 0);
    if (count && access(files[0], R_OK) == 0 && argc < 2) {
        char wrong[1000]; // what must not be taken for right
        snprintf(wrong, sizeof wrong, "%s/wrong", folder);
        count = list_files(wrong, NULL, files, count);
    }
    struct score *score =
        mmap(NULL, sizeof *score, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (score == MAP_FAILED)
        abort();
    *score = (struct score){0};
    unsigned crashed = 0, ended_badly = 0;
    while (score->at < count) {
        int status = play_apart(files, count, folder, score);
        if (score->at < count) { // it did not come to the end of that file
            printf("FAIL dialog/%s: the process ended with status %d\n", short_name(files[score->at]),
                   status);
            crashed++;
            score->at++;
        } else if (status) {
            printf("FAIL dialog: all files were played, but the process ended with status %d\n", status);
            ended_badly++;
        }
    }
    unsigned failed = score->failed + crashed + ended_badly;
    printf("%u passed, %u failed, 0 skipped\n", score->passed, failed);
    for (unsigned i = 0; i < count; i++)
        free(files[i]);
    return failed != 0 || count == 0;
}
