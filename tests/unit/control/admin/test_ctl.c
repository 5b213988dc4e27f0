// SPDX-License-Identifier: BSD-3-Clause
// The operator's socket: its file, its protocol, and clients that mean no good.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl_fixture.h"

static struct fixture f;

// ---- the file

static void socket_is_the_owners_only(void)
{
    struct stat st;
    mode_t mask = umask(0);

    fixture_begin(&f, NULL);
    CU_ASSERT(stat(f.path, &st) == 0 && S_ISSOCK(st.st_mode) && (st.st_mode & 0777) == 0600);
    umask(mask);
    fixture_end(&f);
    CU_ASSERT(stat(f.path, &st) < 0 && errno == ENOENT);
}

static void bind_and_leave(const char *path)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    memcpy(addr.sun_path, path, strlen(path) + 1);
    CU_ASSERT_FATAL(bind(fd, (struct sockaddr *)&addr, sizeof addr) == 0 && listen(fd, 1) == 0);
    close(fd);
}

static void what_is_at_the_path_already(void)
{
    struct ctl *second = NULL;
    char path[160], name[200];

    fixture_begin(&f, NULL);
    // another that lives: in use, and not harmed
    CU_ASSERT_EQUAL(ctl_open(&second, f.base, f.path, &fixture_provider, &f, NULL), -EADDRINUSE);
    int fd = fixture_connect(&f);
    CU_ASSERT(fixture_send(&f, fd, "{\"command\":\"status\"}\n", 21));
    char *line = fixture_line(&f, fd);
    CU_ASSERT(line != NULL);
    free(line);
    close(fd);
    // one that is dead: replaced
    snprintf(path, sizeof path, "%s/stale.sock", f.folder);
    bind_and_leave(path);
    CU_ASSERT_EQUAL(ctl_open(&second, f.base, path, &fixture_provider, &f, NULL), 0);
    ctl_close(second);
    // a file that is no socket: left alone
    snprintf(path, sizeof path, "%s/file", f.folder);
    close(open(path, O_CREAT | O_WRONLY, 0600));
    second = NULL;
    CU_ASSERT_EQUAL(ctl_open(&second, f.base, path, &fixture_provider, &f, NULL), -EEXIST);
    CU_ASSERT(unlink(path) == 0);
    // a folder that is missing: made, but not two
    snprintf(path, sizeof path, "%s/new", f.folder);
    snprintf(name, sizeof name, "%s/control.sock", path);
    CU_ASSERT_EQUAL(ctl_open(&second, f.base, name, &fixture_provider, &f, NULL), 0);
    ctl_close(second);
    CU_ASSERT(rmdir(path) == 0);
    snprintf(name, sizeof name, "%s/new/er/control.sock", f.folder);
    CU_ASSERT_EQUAL(ctl_open(&second, f.base, name, &fixture_provider, &f, NULL), -ENOENT);
    memset(name, 'x', sizeof name);
    name[108] = '\0';
    CU_ASSERT_EQUAL(ctl_open(&second, f.base, name, &fixture_provider, &f, NULL), -ENAMETOOLONG);
    fixture_end(&f);
}

static void socket_of_a_successor_is_left(void)
{
    struct ctl *first;

    fixture_begin(&f, NULL);
    first = f.ctl;
    CU_ASSERT_FATAL(unlink(f.path) == 0);
    CU_ASSERT_FATAL(ctl_open(&f.ctl, f.base, f.path, &fixture_provider, &f, NULL) == 0);
    ctl_close(first);
    CU_ASSERT(access(f.path, F_OK) == 0);
    fixture_end(&f);
}

// ---- the protocol

#define SORRY(id, text) "{\"error\":\"" text "\",\"id\":" id ",\"ok\":false}"

#define WHICH                                                                                                \
    SORRY("null", "expected one of \\\"call\\\" (string), \\\"trunk\\\" (string) and \\\"all\\\" (true)")

static const struct {
    const char *request;
    const char *answer; // members sorted by key
} exchanges[] = {
    {"{\"command\":\"status\",\"id\":1}", "{\"id\":1,\"ok\":true,\"result\":{\"dataplane\":{\"connected\":"
                                          "true,\"workers\":2},\"state\":\"running\"}}"},
    {"{\"command\":\"calls\"}", "{\"id\":null,\"ok\":true,\"result\":{\"calls\":[],\"next\":null}}"},
    {"{\"command\":\"calls\",\"after\":0,\"limit\":500,\"id\":\"a\"}",
     "{\"id\":\"a\",\"ok\":true,\"result\":{\"calls\":[],\"next\":null}}"},
    {" {\"command\" : \"stats\"}\r",
     "{\"id\":null,\"ok\":true,\"result\":{\"dataplane\":null,\"state\":\"up\"}}"},
    {"{\"command\":\"trunks\",\"id\":9}", SORRY("9", "not enough memory for the answer")},
    {"{\"command\":\"call\",\"call\":\"c2\",\"id\":9}",
     SORRY("9", "no call that is up has this ID; \\\"trunklinectl calls\\\" lists them by number")},
    {"{\"command\":\"call\",\"call\":2}", SORRY("null", "\\\"call\\\" does not name a call")},
    {"{\"command\":\"call\"}", SORRY("null", "\\\"call\\\" does not name a call")},
    {"{\"command\":\"calls\",\"after\":-1}", SORRY("null", "\\\"after\\\" is not a number from 0 on")},
    {"{\"command\":\"calls\",\"after\":\"1\"}", SORRY("null", "\\\"after\\\" is not a number from 0 on")},
    {"{\"command\":\"calls\",\"limit\":0}", SORRY("null", "\\\"limit\\\" is not a number from 1 to 500")},
    {"{\"command\":\"calls\",\"limit\":501}", SORRY("null", "\\\"limit\\\" is not a number from 1 to 500")},
    {"{\"command\":\"stop\",\"id\":3}",
     SORRY(
         "3",
         "unknown command; there are status, calls, call, trunks, trunk, stats, hangup, reload, certificates, bans, unban and route_test")},
    {"{\"command\":\"route_test\",\"trunk\":\"a\",\"from\":\"1\"}",
     SORRY("null", "expected \\\"trunk\\\", \\\"from\\\" and \\\"to\\\", all three strings")},
    {"{\"command\":\"hangup\",\"call\":\"c1\",\"id\":1}",
     "{\"id\":1,\"ok\":true,\"result\":{\"ended\":1,\"next\":null}}"},
    {"{\"command\":\"hangup\",\"call\":\"c2\"}",
     SORRY("null", "no call that is up has this ID; \\\"trunklinectl calls\\\" lists them by number")},
    {"{\"command\":\"hangup\",\"trunk\":\"gone\"}",
     SORRY("null", "no trunk has this name; \\\"trunklinectl trunks\\\" lists them")},
    {"{\"command\":\"hangup\",\"trunk\":\"peer\",\"after\":4}",
     "{\"id\":null,\"ok\":true,\"result\":{\"ended\":2,\"next\":2}}"},
    {"{\"command\":\"hangup\",\"all\":true}",
     "{\"id\":null,\"ok\":true,\"result\":{\"ended\":0,\"next\":null}}"},
    {"{\"command\":\"hangup\",\"all\":true,\"after\":-1}",
     SORRY("null", "\\\"after\\\" is not a number from 0 on")},
    {"{\"command\":\"hangup\"}", WHICH},
    {"{\"command\":\"hangup\",\"all\":false}", WHICH},
    {"{\"command\":\"hangup\",\"all\":1}", WHICH},
    {"{\"command\":\"hangup\",\"call\":1}", WHICH},
    {"{\"command\":\"hangup\",\"trunk\":null}", WHICH},
    {"{\"command\":\"hangup\",\"trunk\":\"peer\",\"all\":true}", WHICH},
    {"{\"command\":\"reload\",\"dry_run\":1}", SORRY("null", "\\\"dry_run\\\" is neither true nor false")},
    {"{\"command\":5,\"id\":3}", SORRY("3", "the request has no \\\"command\\\"")},
    {"{}", SORRY("null", "the request has no \\\"command\\\"")},
    {"{\"command\":\"status\",\"id\":{}}", SORRY("null", "\\\"id\\\" is neither a string nor a number")},
    {"{\"command\":\"status\",\"id\":1,\"id\":2}",
     SORRY("null", "the request is not a JSON object in one line")},
    {"", SORRY("null", "the request is not a JSON object in one line")},
    {"[]", SORRY("null", "the request is not a JSON object in one line")},
    {"{\"command\":\"status\"", SORRY("null", "the request is not a JSON object in one line")},
    {"\xff\xfe", SORRY("null", "the request is not a JSON object in one line")},
    {"GET / HTTP/1.1", SORRY("null", "the request is not a JSON object in one line")},
    {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
     SORRY("null", "the request is not a JSON object in one line")},
};

enum { EXCHANGES = sizeof exchanges / sizeof exchanges[0] };

// The line with its members sorted, so that it can be compared.
static bool same(const char *line, const char *expected)
{
    json_t *answer = line ? json_loads(line, 0, NULL) : NULL;
    char *sorted = answer ? json_dumps(answer, JSON_SORT_KEYS | JSON_COMPACT) : NULL;
    bool equal = sorted && strcmp(sorted, expected) == 0;

    if (!equal)
        printf("   %s instead of %s\n", sorted ? sorted : line ? line : "nothing", expected);
    free(sorted);
    json_decref(answer);
    return equal;
}

static void requests_are_answered(void)
{
    fixture_begin(&f, NULL);
    int fd = fixture_connect(&f);
    for (size_t i = 0; i < EXCHANGES; i++) {
        CU_ASSERT(fixture_send(&f, fd, exchanges[i].request, strlen(exchanges[i].request)));
        CU_ASSERT(fixture_send(&f, fd, "\n", 1));
        char *line = fixture_line(&f, fd);
        CU_ASSERT(same(line, exchanges[i].answer));
        free(line);
    }
    close(fd);
    fixture_end(&f);
}

static void requests_in_one_go_keep_their_order(void)
{
    char all[EXCHANGES * 128] = "";

    for (size_t i = 0; i < EXCHANGES; i++)
        strcat(strcat(all, exchanges[i].request), "\n");
    fixture_begin(&f, NULL);
    int fd = fixture_connect(&f), other = fixture_connect(&f);
    CU_ASSERT(fixture_send(&f, fd, all, strlen(all)));
    shutdown(fd, SHUT_WR); // what was asked before is answered nevertheless
    for (size_t i = 0; i < EXCHANGES; i++) {
        char *line = fixture_line(&f, fd);
        CU_ASSERT(same(line, exchanges[i].answer));
        free(line);
        // another one, byte by byte, meanwhile
        if (i < 21)
            CU_ASSERT(fixture_send(&f, other, &"{\"command\":\"status\"}\n"[i], 1));
    }
    CU_ASSERT(fixture_closed(&f, fd));
    char *line = fixture_line(&f, other);
    CU_ASSERT(line != NULL && strstr(line, "running") != NULL);
    free(line);
    close(fd);
    close(other);
    fixture_end(&f);
}

static void calls_come_in_pages(void)
{
    json_int_t after = 0, number = 0;
    unsigned pages = 0;

    fixture_begin(&f, NULL);
    f.call_count = 1203;
    int fd = fixture_connect(&f);
    while (pages < 10) {
        char request[80];
        int len =
            snprintf(request, sizeof request, "{\"command\":\"calls\",\"after\":%lld}\n", (long long)after);
        CU_ASSERT(fixture_send(&f, fd, request, (size_t)len));
        char *line = fixture_line(&f, fd);
        json_t *answer = json_loads(line ? line : "", 0, NULL), *result = json_object_get(answer, "result");
        json_t *list = json_object_get(result, "calls");
        CU_ASSERT_FATAL(json_array_size(list) > 0 && json_array_size(list) <= CTL_PAGE_MAX);
        number += (json_int_t)json_array_size(list);
        after = json_integer_value(json_object_get(result, "next"));
        pages++;
        json_decref(answer);
        free(line);
        if (!after)
            break;
        CU_ASSERT_EQUAL(after, number);
    }
    CU_ASSERT(pages == 3 && number == 1203);
    close(fd);
    fixture_end(&f);
}

// ---- clients that mean no good

static void long_lines_are_refused(void)
{
    char line[CTL_LINE_MAX + 2];

    fixture_begin(&f, NULL);
    int fd = fixture_connect(&f);
    memset(line, ' ', sizeof line);
    memcpy(line, "{\"command\":\"status\"}", 20);
    line[CTL_LINE_MAX] = '\n';
    CU_ASSERT(fixture_send(&f, fd, line, CTL_LINE_MAX + 1));
    char *answer = fixture_line(&f, fd);
    CU_ASSERT(answer != NULL && strstr(answer, "running") != NULL);
    free(answer);
    line[CTL_LINE_MAX] = ' ';
    line[CTL_LINE_MAX + 1] = '\n';
    CU_ASSERT(fixture_send(&f, fd, line, CTL_LINE_MAX + 2));
    answer = fixture_line(&f, fd);
    CU_ASSERT(same(answer, SORRY("null", "the request is longer than 4096 bytes")));
    free(answer);
    CU_ASSERT(fixture_closed(&f, fd));
    CU_ASSERT_EQUAL(f.asked, 1);
    close(fd);
    fixture_end(&f);
}

static void endless_line_ends(void)
{
    char block[4096];

    fixture_begin(&f, NULL);
    int fd = fixture_connect(&f);
    memset(block, '{', sizeof block);
    bool open = true;
    for (int i = 0; open && i < 1000; i++)
        open = fixture_send(&f, fd, block, sizeof block);
    CU_ASSERT(!open);
    close(fd);
    fixture_end(&f);
}

// Who does not take its answers is not asked for more requests, and is closed in the end.
static void unread_answers_are_bounded(void)
{
    const struct ctl_limits limits = {.clients = 4, .idle_ms = 60000, .unread_ms = 200};
    static const char request[] = "{\"command\":\"status\"}\n";

    fixture_begin(&f, &limits);
    f.status_size = 1 << 20;
    int fd = fixture_connect(&f);
    for (int i = 0; i < 50; i++)
        if (send(fd, request, sizeof request - 1, MSG_NOSIGNAL) < 0)
            break;
    for (int i = 0; i < 50; i++)
        fixture_turn(&f);
    CU_ASSERT_EQUAL(f.asked, 1);
    // the others are served
    f.status_size = 0;
    int other = fixture_connect(&f);
    CU_ASSERT(fixture_send(&f, other, request, sizeof request - 1));
    char *line = fixture_line(&f, other);
    CU_ASSERT(line != NULL);
    free(line);
    // not reading, until it is closed: then only what the kernel held can be read
    for (int i = 0; i < 2000 && send(fd, "", 0, MSG_NOSIGNAL) == 0; i++)
        fixture_turn(&f);
    CU_ASSERT(send(fd, request, 1, MSG_NOSIGNAL) < 0);
    CU_ASSERT_EQUAL(f.asked, 2);
    close(fd);
    close(other);
    fixture_end(&f);
}

static void idle_clients_are_closed(void)
{
    const struct ctl_limits limits = {.clients = 4, .idle_ms = 50, .unread_ms = 10000};

    fixture_begin(&f, &limits);
    int fd = fixture_connect(&f), half = fixture_connect(&f);
    CU_ASSERT(fixture_send(&f, half, "{\"comm", 6));
    CU_ASSERT(fixture_closed(&f, fd));
    CU_ASSERT(fixture_closed(&f, half));
    close(fd);
    close(half);
    fixture_end(&f);
}

static void only_so_many_clients(void)
{
    const struct ctl_limits limits = {.clients = 3, .idle_ms = 60000, .unread_ms = 10000};
    int fd[3];

    fixture_begin(&f, &limits);
    for (int i = 0; i < 3; i++)
        fd[i] = fixture_connect(&f);
    int more = fixture_connect(&f);
    char *line = fixture_line(&f, more);
    CU_ASSERT(same(line, SORRY("null", "too many clients ask already")));
    free(line);
    CU_ASSERT(fixture_closed(&f, more));
    close(more);
    close(fd[1]);
    fixture_turn(&f);
    fd[1] = fixture_connect(&f);
    CU_ASSERT(fixture_send(&f, fd[1], "{\"command\":\"status\"}\n", 21));
    line = fixture_line(&f, fd[1]);
    CU_ASSERT(line != NULL && strstr(line, "running") != NULL);
    free(line);
    for (int i = 0; i < 3; i++)
        close(fd[i]);
    fixture_end(&f);
}

static void clients_may_vanish(void)
{
    fixture_begin(&f, NULL);
    f.status_size = 300000;
    for (int i = 0; i < 60; i++) {
        int fd = fixture_connect(&f);
        static const char request[] = "{\"command\":\"status\"}\n{\"command\":\"status\"}\n";
        CU_ASSERT(send(fd, request, (size_t)i % sizeof request, MSG_NOSIGNAL) >= 0);
        for (int k = 0; k < i % 4; k++)
            fixture_turn(&f);
        close(fd);
    }
    f.status_size = 0;
    int fd = fixture_connect(&f);
    CU_ASSERT(fixture_send(&f, fd, "{\"command\":\"status\"}\n", 21));
    char *line = fixture_line(&f, fd);
    CU_ASSERT(line != NULL && strstr(line, "running") != NULL);
    free(line);
    close(fd);
    fixture_end(&f);
}

// Bytes that look random and are the same each time.
static void garbage_is_survived(void)
{
    static const char parts[] = "{}[]\"\\:,\n\n\0 command status calls id null 1e9 -\xff\xc3\r\t";
    uint32_t seed = 1;

    fixture_begin(&f, NULL);
    for (int round = 0; round < 100; round++) {
        int fd = fixture_connect(&f);
        char bytes[600];
        for (size_t i = 0; i < sizeof bytes; i++) {
            seed = seed * 1664525 + 1013904223;
            bytes[i] = parts[(seed >> 16) % (sizeof parts - 1)];
        }
        bytes[sizeof bytes - 1] = '\n';
        fixture_send(&f, fd, bytes, sizeof bytes);
        char *line = fixture_line(&f, fd);
        CU_ASSERT(line != NULL && strstr(line, "\"ok\":false") != NULL);
        free(line);
        close(fd);
    }
    fixture_end(&f);
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"socket_is_the_owners_only", socket_is_the_owners_only},
        {"what_is_at_the_path_already", what_is_at_the_path_already},
        {"socket_of_a_successor_is_left", socket_of_a_successor_is_left},
        {"requests_are_answered", requests_are_answered},
        {"requests_in_one_go_keep_their_order", requests_in_one_go_keep_their_order},
        {"calls_come_in_pages", calls_come_in_pages},
        {"long_lines_are_refused", long_lines_are_refused},
        {"endless_line_ends", endless_line_ends},
        {"unread_answers_are_bounded", unread_answers_are_bounded},
        {"idle_clients_are_closed", idle_clients_are_closed},
        {"only_so_many_clients", only_so_many_clients},
        {"clients_may_vanish", clients_may_vanish},
        {"garbage_is_survived", garbage_is_survived},
    };
    return test_main("ctl", TEST_CASES(cases), argc, argv);
}
