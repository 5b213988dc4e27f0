// SPDX-License-Identifier: BSD-3-Clause
// The runner itself: a failed assertion must reach the exit status, which CU_basic_run_tests would hide.
#include "runner.h"

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void fails(void)
{
    CU_ASSERT(1 == 2);
}

static void passes(void)
{
    CU_ASSERT(1 == 1);
}

static void skips(void)
{
    test_skip("to see that it is counted");
}

static const struct test_case bad[] = {{"passes", passes}, {"fails", fails}};
static const struct test_case good[] = {{"passes", passes}, {"skips", skips}};

// Runs this program again as `which`, so that the inner runner has a CUnit registry of its own.
static int status_of(const char *which)
{
    pid_t pid = fork();
    if (pid == 0) {
        dup2(open("/dev/null", O_WRONLY), 1);
        execl("/proc/self/exe", "test_runner", "--inner", which, (char *)NULL);
        _exit(127);
    }
    int st = -1;
    waitpid(pid, &st, 0);
    return WIFEXITED(st) ? WEXITSTATUS(st) : -1;
}

static void failure_reaches_exit_status(void)
{
    CU_ASSERT(status_of("bad") == 1);
    CU_ASSERT(status_of("good") == 0);
    CU_ASSERT(status_of("none") == 1);
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {{"failure_reaches_exit_status", failure_reaches_exit_status}};

    if (argc == 3 && strcmp(argv[1], "--inner") == 0) {
        if (strcmp(argv[2], "bad") == 0)
            return test_main("inner", TEST_CASES(bad), 0, NULL);
        if (strcmp(argv[2], "good") == 0)
            return test_main("inner", TEST_CASES(good), 0, NULL);
        return test_main("inner", NULL, 0, 0, NULL);
    }
    return test_main("runner", TEST_CASES(cases), argc, argv);
}
