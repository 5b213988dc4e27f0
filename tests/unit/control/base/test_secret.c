// SPDX-License-Identifier: BSD-3-Clause
// Password files that are refused, and memory that no core dump has.
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/base/secret.h"
#include "runner.h"

static char folder[] = "/tmp/trunkline-secret-XXXXXX";

static const char *make(const char *text, size_t len, mode_t mode)
{
    static char path[64];
    snprintf(path, sizeof path, "%s/password", folder);
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CU_ASSERT_FATAL(fd >= 0 && write(fd, text, len) == (ssize_t)len && fchmod(fd, mode) == 0);
    close(fd);
    return path;
}

static void files(void)
{
    static char longest[300];
    memset(longest, 'x', sizeof longest);
    longest[SECRET_MAX - 1] = '\n';
    static const struct {
        const char *text;
        size_t len; // 0: strlen
        mode_t mode;
        int rc;
        const char *says; // password, or part of the sentence
    } rows[] = {
        {"zanzibar\n", 0, 0600, 8, "zanzibar"},
        {"zanzibar", 0, 0400, 8, "zanzibar"},
        {"zanzibar\r\nsecond line\n", 0, 0600, 8, "zanzibar"},
        {" a b \n", 0, 0600, 5, " a b "},
        {"p\xc3\xa4ss\n", 0, 0600, 5, "p\xc3\xa4ss"},
        {longest, SECRET_MAX, 0600, SECRET_MAX - 1, NULL},
        {"zanzibar\n", 0, 0640, -EACCES, "its group or by others (mode 0640)"},
        {"zanzibar\n", 0, 0604, -EACCES, "its group or by others"},
        {"zanzibar\n", 0, 0620, -EACCES, "its group or by others"},
        {"", 0, 0600, -EINVAL, "is empty"},
        {"\nzanzibar\n", 0, 0600, -EINVAL, "is empty"},
        {"\r\n", 0, 0600, -EINVAL, "is empty"},
        {"a\0b\n", 4, 0600, -EINVAL, "NUL"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[SECRET_MAX], why[400] = "";
        size_t len = rows[i].len ? rows[i].len : strlen(rows[i].text);
        const char *path = make(rows[i].text, len, rows[i].mode);
        memset(out, 'o', sizeof out);
        int rc = secret_read(path, out, why, sizeof why);
        CU_ASSERT(rc == rows[i].rc);
        if (rc >= 0 && rows[i].says)
            CU_ASSERT_STRING_EQUAL(out, rows[i].says);
        if (rc < 0) {
            CU_ASSERT(strstr(why, rows[i].says) != NULL && strstr(why, path) != NULL);
            CU_ASSERT(!strstr(why, "zanzibar"));
        }
        CU_ASSERT(rc < 0 || strlen(out) == (size_t)rc);
    }
    char out[SECRET_MAX], why[400];
    char many[SECRET_MAX];
    memset(many, 'x', sizeof many);
    CU_ASSERT(secret_read(make(many, sizeof many, 0600), out, why, sizeof why) == -EINVAL);
    CU_ASSERT(strstr(why, "longer than 255") && !out[0] && !out[SECRET_MAX - 1]);
}

static void no_files(void)
{
    char out[SECRET_MAX], why[400];
    CU_ASSERT(secret_read("/nowhere/password", out, why, sizeof why) == -ENOENT);
    CU_ASSERT(strstr(why, "cannot be opened") != NULL);
    CU_ASSERT(secret_read(folder, out, why, sizeof why) == -EINVAL);
    CU_ASSERT(strstr(why, "no regular file") != NULL);
    char fifo[64];
    snprintf(fifo, sizeof fifo, "%s/fifo", folder);
    CU_ASSERT(mkfifo(fifo, 0600) == 0);
    CU_ASSERT(secret_read(fifo, out, why, sizeof why) == -EINVAL); // and does not wait for a writer
    unlink(fifo);
}

static void strange_owner(void)
{
    char out[SECRET_MAX], why[400];
    const char *path = make("zanzibar\n", 9, 0600);
    if (chown(path, 12345, (gid_t)-1) < 0) {
        test_skip("only root can give a file away");
        return;
    }
    CU_ASSERT(secret_read(path, out, why, sizeof why) == -EACCES);
    CU_ASSERT(strstr(why, "belongs to user 12345") != NULL);
}

// Whether the mapping that holds the address has "dd" among its flags: not dumped.
static bool left_out_of_dumps(const void *memory)
{
    FILE *f = fopen("/proc/self/smaps", "r");
    char line[512];
    bool mine = false, out = false;
    while (f && fgets(line, sizeof line, f)) {
        unsigned long first, end;
        if (sscanf(line, "%lx-%lx ", &first, &end) == 2)
            mine = (unsigned long)memory >= first && (unsigned long)memory < end;
        else if (mine && strncmp(line, "VmFlags:", 8) == 0)
            out = strstr(line, " dd") != NULL;
    }
    if (f)
        fclose(f);
    return out;
}

static void memory(void)
{
    char *secret = secret_alloc(100), *heap = malloc(100);
    CU_ASSERT_FATAL(secret != NULL && heap != NULL);
    for (unsigned i = 0; i < 100; i++)
        CU_ASSERT(secret[i] == 0);
    strcpy(secret, "zanzibar");
    CU_ASSERT(left_out_of_dumps(secret));
    CU_ASSERT(!left_out_of_dumps(heap));
    secret_free(secret, 100);
    secret_free(NULL, 100);
    free(heap);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"files", files},
        {"no_files", no_files},
        {"strange_owner", strange_owner},
        {"memory", memory},
    };
    if (!mkdtemp(folder))
        return 1;
    int status = test_main("secret", TEST_CASES(cases), argc, argv);
    char path[64];
    snprintf(path, sizeof path, "%s/password", folder);
    unlink(path);
    rmdir(folder);
    return status;
}
