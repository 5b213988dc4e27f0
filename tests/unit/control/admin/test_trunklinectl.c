// SPDX-License-Identifier: BSD-3-Clause
// trunklinectl as an operator runs it, against the real socket; trunks and counters from the real providers.
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl_fixture.h"

static struct fixture f;

struct run {
    int status;
    char out[400000];
    char err[16000];
};

static struct run r;

static void drain(int fd, char *text, size_t size)
{
    size_t used = strlen(text);
    ssize_t n;

    while (used < size - 1 && (n = read(fd, text + used, size - 1 - used)) > 0)
        used += (size_t)n;
    text[used] = '\0';
}

static void become_ctl(char **argv)
{
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 64);

    if (n > 0) {
        path[n] = '\0';
        strcpy(strrchr(path, '/'), "/../../tools/ctl/trunklinectl");
        execv(path, argv);
    }
    _exit(127);
}

// Runs trunklinectl with the words of `arguments`, serving its questions meanwhile.
static void run_as(const char *arguments)
{
    char copy[512], *argv[16] = {"trunklinectl"};
    int out[2], err[2], argc = 1, st;
    pid_t pid;

    snprintf(copy, sizeof copy, "%s", arguments);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    memset(&r, 0, sizeof r);
    CU_ASSERT_FATAL(pipe2(out, O_NONBLOCK | O_CLOEXEC) == 0 && pipe2(err, O_NONBLOCK | O_CLOEXEC) == 0);
    pid = fork();
    if (pid == 0) {
        fcntl(out[1], F_SETFL, 0);
        dup2(out[1], 1);
        dup2(err[1], 2);
        become_ctl(argv);
    }
    close(out[1]);
    close(err[1]);
    CU_ASSERT_FATAL(pid > 0);
    for (int turn = 0; waitpid(pid, &st, WNOHANG) == 0; turn++) {
        if (turn == FIXTURE_PATIENCE_MS)
            kill(pid, SIGKILL);
        fixture_turn(&f);
        drain(out[0], r.out, sizeof r.out);
        drain(err[0], r.err, sizeof r.err);
    }
    drain(out[0], r.out, sizeof r.out);
    drain(err[0], r.err, sizeof r.err);
    close(out[0]);
    close(err[0]);
    r.status = WIFEXITED(st) ? WEXITSTATUS(st) : -1;
}

// The same with a socket: NULL, the fixture's.
static void run(const char *socket, const char *arguments)
{
    char all[512];

    snprintf(all, sizeof all, "--socket %s %s", socket ? socket : f.path, arguments);
    run_as(all);
}

static bool begins(const char *text, const char *with)
{
    bool yes = strncmp(text, with, strlen(with)) == 0;

    if (!yes)
        printf("   instead of\n%s\n   came\n%.400s\n", with, text);
    return yes;
}

// ---- answers

static void status_is_shown(void)
{
    fixture_begin(&f, NULL);
    run(NULL, "status");
    CU_ASSERT_EQUAL(r.status, 0);
    CU_ASSERT_STRING_EQUAL(r.out, "state                running\n"
                                  "dataplane.connected  yes\n"
                                  "dataplane.workers    2\n");
    CU_ASSERT_STRING_EQUAL(r.err, "");
    run(NULL, "status --json");
    CU_ASSERT_STRING_EQUAL(r.out,
                           "{\"state\":\"running\",\"dataplane\":{\"connected\":true,\"workers\":2}}\n");
    f.status_size = 200000;
    run(NULL, "status");
    CU_ASSERT(r.status == 0 && strlen(r.out) > 200000);
    fixture_end(&f);
}

static void certificates_are_listed(void)
{
    fixture_begin(&f, NULL);
    run(NULL, "certificates");
    CU_ASSERT_EQUAL(r.status, 0);
    CU_ASSERT_STRING_EQUAL(
        r.out, "OF            ROLE  STATE      DAYS  ENDS                  SUBJECT       NAMES  FILE\n"
               "listener tls  ours  ends soon     9  2026-12-10T00:00:00Z  /CN=a\\x1b[2J  DNS:a  /a.pem\n");
    run(NULL, "--json certificates");
    json_t *answer = json_loads(r.out, 0, NULL);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(answer, "certificates")), 1);
    json_decref(answer);
    fixture_end(&f);
}

static void calls_are_listed(void)
{
    unsigned lines = 0;

    fixture_begin(&f, NULL);
    run(NULL, "calls");
    CU_ASSERT(r.status == 0 && begins(r.out, "no calls\n"));
    f.call_count = 1203;
    run(NULL, "calls");
    CU_ASSERT_EQUAL(r.status, 0);
    // numbers that came by SIP cannot move the terminal
    CU_ASSERT(begins(r.out,
                     "CALL   STATE     FROM        TO        BY TRUNK  ON TRUNK  SECONDS  HEARD A  HEARD B\n"
                     "c1     answered  +4930?[2J1  +4440\?\?2  peer      core           10      0.2  -\n"));
    CU_ASSERT(
        strstr(r.out,
               "\nc1203  answered  +4930?[2J1  +4440\?\?2  peer      core        12030      0.2  -\n") !=
        NULL);
    for (const char *s = r.out; *s; s++) {
        lines += *s == '\n';
        CU_ASSERT_FATAL(*s == '\n' || (*s >= ' ' && *s <= '~'));
    }
    CU_ASSERT_EQUAL(lines, 1204);
    CU_ASSERT_EQUAL(f.asked, 4);
    run(NULL, "--json calls");
    json_t *answer = json_loads(r.out, 0, NULL);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(answer, "calls")), 1203);
    json_decref(answer);
    f.newest_first = true;
    run(NULL, "--json calls");
    answer = json_loads(r.out, 0, NULL);
    const json_t *list = json_object_get(answer, "calls");
    CU_ASSERT_EQUAL(json_array_size(list), 1203);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(json_array_get(list, 0), "id")), "c1203");
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(json_array_get(list, 1202), "id")), "c1");
    json_decref(answer);
    fixture_end(&f);
}

// No line of the answer is wider than a terminal.
static bool fits(unsigned columns)
{
    for (const char *s = r.out, *end; (end = strchr(s, '\n')) != NULL; s = end + 1)
        if (end - s > (long)columns)
            return false;
    return true;
}

static void one_call_is_shown(void)
{
    fixture_begin(&f, NULL);
    run(NULL, "call c1");
    CU_ASSERT_EQUAL(r.status, 0);
    CU_ASSERT(begins(r.out, "id         c1\n"
                            "state      answered\n"
                            "from       +4930?[2J1\n"));
    CU_ASSERT(strstr(r.out, "\ncall_id_a  x@?[2Jy\n") != NULL);
    const char *legs = strstr(r.out, "\nLEG ");
    CU_ASSERT_FATAL(legs != NULL);
    CU_ASSERT_STRING_EQUAL(legs,
                           "\nLEG                A                        B\n"
                           "trunk              peer                     core\n"
                           "SIP peer           192.0.2.20:5060          192.0.2.20:5060\n"
                           "our media address  192.0.2.1:16384          192.0.2.1:16384\n"
                           "its media address  192.0.2.20:20000         192.0.2.20:20000\n"
                           "its RTCP address   192.0.2.20:20001         192.0.2.20:20001\n"
                           "it says it is      sendrecv                 sendonly\n"
                           "SRTP               AES_CM_128_HMAC_SHA1_80  AES_CM_128_HMAC_SHA1_80\n"
                           "MKI octets         from it 1, to it 0       from it 1, to it 0\n"
                           "PCMA               from it 8, to it 8       from it 8, to it 8\n"
                           "telephone-event    from it -, to it 101     from it -, to it 101\n"
                           "it may send        125 packets, 15 kB/s     125 packets, 15 kB/s\n"
                           "last heard         0.1 s ago                never\n"
                           "packets from it    11                       11\n"
                           "octets from it     1892                     1892\n"
                           "lost from it       3 of 14 (21.43 %)        3 of 14 (21.43 %)\n"
                           "late from it       2                        2\n"
                           "twice from it      1                        1\n"
                           "jitter             1.4 ms                   1.4 ms\n"
                           "longest gap        940 ms                   940 ms\n"
                           "packets to it      13                       13\n"
                           "octets to it       2236                     2236\n"
                           "RTCP from it       1                        1\n"
                           "RTCP to it         2                        2\n"
                           "dropped from it    7                        7\n"
                           "\n"
                           "LEG  DROPPED  REASON        MEANING\n"
                           "B          7  wrong_source  source is not the signalled address and port\n");
    CU_ASSERT(fits(80));
    run(NULL, "call c4");
    CU_ASSERT(r.status == 0 && strstr(r.out, "4294967295 of 8589934590 (50.00 %)") != NULL);
    CU_ASSERT(fits(100));
    run(NULL, "call c3");
    CU_ASSERT(r.status == 0 && strstr(r.out, "\nlast heard         -                        -\n") &&
              strstr(r.out, "\nthe dataplane has no session of this call"));
    f.away = true;
    run(NULL, "call c3");
    CU_ASSERT(r.status == 0 && strstr(r.out, "\nthe dataplane is away: "));
    run(NULL, "call c2");
    CU_ASSERT(r.status == 1 && r.out[0] == '\0');
    CU_ASSERT_STRING_EQUAL(
        r.err, "trunklinectl: no call that is up has this ID; \"trunklinectl calls\" lists them by number\n");
    fixture_end(&f);
}

static void calls_are_ended(void)
{
    fixture_begin(&f, NULL);
    run(NULL, "hangup c1");
    CU_ASSERT(r.status == 0 && begins(r.out, "1 call ended\n"));
    CU_ASSERT_STRING_EQUAL(f.ended, "c1 - 0");
    run(NULL, "hangup c2");
    CU_ASSERT(r.status == 1 && r.out[0] == '\0');
    CU_ASSERT_STRING_EQUAL(
        r.err, "trunklinectl: no call that is up has this ID; \"trunklinectl calls\" lists them by number\n");
    f.call_count = 7;
    run(NULL, "hangup --trunk peer");
    CU_ASSERT(r.status == 0 && begins(r.out, "7 calls ended\n"));
    CU_ASSERT_STRING_EQUAL(f.ended, "- peer 2"); // the last of four requests
    CU_ASSERT_EQUAL(f.asked, 6);
    run(NULL, "hangup --all --json");
    CU_ASSERT(r.status == 0);
    CU_ASSERT_STRING_EQUAL(r.out, "{\"ended\":7}\n");
    run(NULL, "--json hangup --trunk gone");
    CU_ASSERT(r.status == 1 && r.out[0] == '\0' &&
              begins(r.err, "trunklinectl: no trunk has this name; \"trunklinectl trunks\" lists them\n"));
    f.call_count = 0;
    run(NULL, "--all hangup");
    CU_ASSERT(r.status == 0 && begins(r.out, "0 calls ended\n"));
    fixture_end(&f);
}

static void reloads_are_shown(void)
{
    fixture_begin(&f, NULL);
    run(NULL, "reload");
    CU_ASSERT_EQUAL(r.status, 0);
    CU_ASSERT_STRING_EQUAL(r.out, "generation 2 is current:\n"
                                  "WHERE    WHAT     CHANGES               TAKES EFFECT\n"
                                  "trunk a  hold     \"zero\" -> \"inactive\"  new calls\n"
                                  "trunk b  (added)  -                     new calls\n");
    run(NULL, "reload --dry-run");
    CU_ASSERT(r.status == 0 && begins(r.out, "the file is right; a reload would change:\nWHERE "));
    run(NULL, "reload --json --dry-run");
    CU_ASSERT(r.status == 0 &&
              begins(r.out, "{\"applied\":false,\"generation\":1,\"changes\":[{\"what\":\"changed\","));
    f.unchanged = true;
    run(NULL, "reload");
    CU_ASSERT_EQUAL(r.status, 0);
    CU_ASSERT_STRING_EQUAL(r.out, "nothing has changed; generation 2 runs on\n");
    f.refused = "/etc/t.json:3:9: listeners: a new listener needs a restart; expected those that run";
    run(NULL, "reload");
    CU_ASSERT(r.status == 1 && r.out[0] == '\0');
    CU_ASSERT_STRING_EQUAL(
        r.err, "trunklinectl: /etc/t.json:3:9: listeners: a new listener needs a restart; expected "
               "those that run\n");
    fixture_end(&f);
}

static void trunks_are_listed(void)
{
    struct tl_config_errors errors;
    struct tl_config *config = NULL;
    struct trunk_table table;
    enum trunk_change of_target;
    bool last;

    CU_ASSERT_FATAL(tl_config_load(TEST_SOURCE_ROOT "/docs/examples/bare-metal.json", &config, &errors) == 0);
    CU_ASSERT_FATAL(trunk_table_init(&table, config, 5000) == 0);
    for (int i = 0; i < 2; i++) {
        trunk_options_sent(table.now->trunks[1], &table.now->trunks[1]->targets[0], 10000);
        trunk_options_result(table.now->trunks[1], &table.now->trunks[1]->targets[0], 0, 42000, &of_target);
    }
    trunk_attempt(table.now->trunks[2], &table.now->trunks[2]->targets[0]);
    trunk_attempt_result(table.now->trunks[2], &table.now->trunks[2]->targets[0], &config->trunks[2], 200,
                         false, 50000, &last);
    struct trunk_leg leg = {0};
    trunk_leg_begin(&leg, table.now->trunks[2], TRUNK_LEG_TO);
    table.now->trunks[1]->use.refused[TRUNK_LIMIT_rate] = 7;
    table.now->trunks[1]->use.diverted[TRUNK_LIMIT_calls] = 2;
    trunk_attempt(table.now->trunks[2], &table.now->trunks[2]->targets[0]);
    trunk_attempt_result(table.now->trunks[2], &table.now->trunks[2]->targets[0], &config->trunks[2], 503,
                         false, 50000, &last);
    trunk_rest(table.now->trunks[2], &table.now->trunks[2]->targets[0], 27, 50000);

    fixture_begin(&f, NULL);
    f.trunks = &table;
    run(NULL, "trunks");
    CU_ASSERT_EQUAL(r.status, 0);
    CU_ASSERT(begins(
        r.out,
        "TRUNK      STATE      SECONDS  LAST  REST  PEER                CALLS  IN  OUT  ANSWERED  FAILED  503  SILENT  LIMITED\n"
        "carrier-a  unchecked       60     0     0  203.0.113.5:5060        0   0    0         0       0    0       0        0\n"
        "carrier-b  down            23     0     0  203.0.113.77:5060       0   0    0         0       0    0       0        9\n"
        "uc-1       up              60     0    12  198.51.100.21:5060      1   0    2         1       1    1       0        0\n"));
    run(NULL, "trunks --json");
    json_t *answer = json_loads(r.out, 0, NULL), *list = json_object_get(answer, "trunks");
    json_t *b = json_array_get(list, 1), *counters = json_object_get(b, "counters");
    CU_ASSERT_EQUAL(json_array_size(list), 4);
    CU_ASSERT(json_is_true(json_object_get(b, "checked")));
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(counters, "options_sent")), 2);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(counters, "options_failed")), 2);
    const json_t *limits = json_object_get(b, "limits");
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(json_object_get(limits, "refused"), "rate")), 7);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(json_object_get(limits, "diverted"), "calls")), 2);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(limits, "held_back")), 9);
    json_decref(answer);
    fixture_end(&f);
    trunk_table_fini(&table);
    tl_config_free(config);
}

static void a_trunk_is_shown(void)
{
    static const char text[] =
        "{\"dataplane\":{\"ports\":[{\"name\":\"p\",\"device\":\"net_null0\"}]},"
        "\"realms\":[{\"name\":\"r\",\"port\":\"p\",\"address\":\"10.0.0.2/24\"}],"
        "\"listeners\":[{\"name\":\"u\",\"transport\":\"udp\",\"address\":\"10.0.0.1:5060\"},"
        "{\"name\":\"t\",\"transport\":\"tcp\",\"address\":\"10.0.0.1:5060\"}],"
        "\"trunks\":[{\"name\":\"pool\",\"listener\":\"u\",\"realm\":\"r\",\"options_interval_s\":30,"
        "\"peers\":[{\"address\":\"10.0.0.8\"},{\"address\":\"10.0.0.9\",\"transport\":\"tcp\","
        "\"priority\":1,\"weight\":5},{\"address\":\"10.1.0.0/16\"}]}]}";
    struct tl_config_errors errors;
    struct tl_config *config = NULL;
    struct trunk_table table;
    enum trunk_change of_target;
    bool last;

    CU_ASSERT_FATAL(tl_config_parse("f", text, strlen(text), &config, &errors) == 0);
    CU_ASSERT_FATAL(trunk_table_init(&table, config, 5000) == 0);
    struct trunk *t = table.now->trunks[0];
    for (int i = 0; i < 3; i++) {
        trunk_options_sent(t, &t->targets[0], 35000);
        trunk_options_result(t, &t->targets[0], 0, 42000, &of_target);
    }
    trunk_attempt(t, &t->targets[1]);
    trunk_attempt_result(t, &t->targets[1], t->config, 200, false, 50000, &last);
    trunk_rest(t, &t->targets[1], 27, 50000);
    fixture_begin(&f, NULL);
    f.trunks = &table;
    run(NULL, "trunk pool");
    CU_ASSERT_EQUAL(r.status, 0);
    CU_ASSERT(begins(
        r.out,
        "trunk pool: up for 60 s, down; 0 calls up\n"
        "listener u, udp at 10.0.0.1:5060 and other transports there; realm r, side peer; srtp off\n"
        "OPTIONS every 30 s, down after 2 without answer; INVITE waits 5000 ms for any\n"
        "0 calls from it; 1 INVITEs to it: 1 answered, 0 failed, of these 0 by 503 and 0 without any answer\n"
        "\nrequests from\n"
        "PEER           TRANSPORT  SEND  PRIORITY  WEIGHT\n"
        "10.0.0.8:5060  udp        yes          0       1\n"
        "10.0.0.9:5060  tcp        yes          1       5\n"
        "10.1.0.0/16    udp        no           0       1\n"
        "\nrequests to\n"
        "TARGET         TRANSPORT  STATE  SECONDS  RANK     LAST  REST  PRIORITY  WEIGHT  OPTIONS IN  SENT  LOST  OUT  ANSWERED  FAILED  SILENT\n"
        "10.0.0.8:5060  udp        down        23  down        0     0         0       1           0     3     3    0         0       0       0\n"
        "10.0.0.9:5060  tcp        up          60  resting     0    12         1       5           0     0     0    1         1       0       0\n"));
    run(NULL, "trunk pool --json");
    json_t *answer = json_loads(r.out, 0, NULL), *targets = json_object_get(answer, "targets");
    CU_ASSERT_EQUAL(json_array_size(targets), 2);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(json_array_get(targets, 1), "listener")), "t");
    CU_ASSERT(json_object_get(answer, "limits") && json_object_get(answer, "settings"));
    json_decref(answer);
    run(NULL, "trunk poo");
    CU_ASSERT(r.status == 1 && r.out[0] == '\0');
    CU_ASSERT_STRING_EQUAL(r.err,
                           "trunklinectl: no trunk has this name; \"trunklinectl trunks\" lists them\n");
    run(NULL, "trunk");
    CU_ASSERT_EQUAL(r.status, 2);
    fixture_end(&f);
    trunk_table_fini(&table);
    tl_config_free(config);
}

// ---- counters

static void stats_are_shown(void)
{
    struct tl_config_errors errors;
    struct tl_config *config = NULL;
    struct tl_live_table table;
    struct tl_live_view view;

    CU_ASSERT_FATAL(tl_config_load(TEST_SOURCE_ROOT "/docs/examples/bare-metal.json", &config, &errors) == 0);
    CU_ASSERT_FATAL(tl_live_create(&table, 2, 16, TL_SEGMENT_SMALL_PAGES) == 0);
    int fd = dup(table.segment.fd);
    CU_ASSERT_FATAL(fd >= 0 && tl_live_open(&view, fd) == 0);
    atomic_store(&table.workers[0].heartbeat_ns, 4997000000);
    atomic_store(&table.workers[0].rx_nic, 1000);
    atomic_store(&table.workers[0].tx, 990);
    atomic_store(&table.workers[0].busy_cycles, 123450);
    atomic_store(&table.workers[0].busy_packets, 1000);
    atomic_store(&table.workers[0].drops[TL_DROP_unknown_port], 7);
    atomic_store(&table.workers[0].drops[TL_DROP_replayed], 3);
    atomic_store(&table.workers[1].rx_nic, 5);
    atomic_store(&table.workers[0].unknown_port[1], 7);
    atomic_store(&table.workers[1].unknown_port[0], 1);
    atomic_store(&table.workers[1].unknown_port[1], 4);
    atomic_store(&table.workers[1].drops[TL_DROP_unknown_port], 5);
    table.header->start_ns = 1000000000;
    atomic_store(&table.header->in_use, 4);
    atomic_store(&table.header->memory_bytes, 1000000);
    atomic_store(&table.header->process_bytes, 1000001);

    fixture_begin(&f, NULL);
    run(NULL, "stats");
    CU_ASSERT(r.status == 0 && begins(r.out, "the dataplane has not been there yet\n"));
    f.live = &view;
    f.config = config;
    run(NULL, "stats");
    CU_ASSERT_EQUAL(r.status, 0);
    CU_ASSERT(strstr(r.out, "uptime_seconds  4\n") &&
              strstr(r.out, "sessions        4\nmax_sessions    16\nmemory_bytes    1000000\n"
                            "process_bytes   1000001\n"));
    CU_ASSERT(strstr(r.out, "\n     0      1000             0      990           0         0        0       "
                            "10\n") != NULL);
    CU_ASSERT(strstr(r.out, "\n   all      1005 ") != NULL);
    CU_ASSERT(strstr(r.out, "\n     0            3          123.5            0            0\n") != NULL);
    CU_ASSERT(strstr(r.out, "\n   all            -          123.5 ") != NULL);
    CU_ASSERT(fits(80));
    const char *drops = strstr(r.out, "\nDROPPED  REASON");
    CU_ASSERT_FATAL(drops != NULL);
    CU_ASSERT_STRING_EQUAL(drops, "\nDROPPED  REASON        MEANING\n"
                                  "     12  unknown_port  no session has this media port\n"
                                  "      3  replayed      SRTP index seen before\n"
                                  "\n"
                                  "UNKNOWN PORT  REALM     ADDRESS\n"
                                  "           1  carriers  192.0.2.11\n"
                                  "          11  office    198.51.100.11\n");
    f.sdp_lines = 7;
    run(NULL, "stats");
    CU_ASSERT_PTR_NOT_NULL(strstr(r.out, "198.51.100.11\n\nSDP LINES  DROPPED AS  MEANING\n"
                                         "        7  rtpmap      a=rtpmap without a rate\n"));
    CU_ASSERT_PTR_NULL(strstr(r.out, "unused"));
    for (int d = 0; d < TL_DROP_COUNT; d++)
        table.workers[1].drops[d] += 1000000000;
    run(NULL, "stats");
    CU_ASSERT(fits(100));
    for (int d = 0; d < TL_DROP_COUNT; d++)
        table.workers[1].drops[d] -= 1000000000;
    f.away = true;
    run(NULL, "stats");
    CU_ASSERT(r.status == 0 &&
              begins(r.out, "the dataplane is away: these are its last counters\n\nincarnation "));
    run(NULL, "stats --json");
    json_t *answer = json_loads(r.out, 0, NULL), *all = json_object_get(answer, "drops");
    CU_ASSERT_EQUAL(json_array_size(all), TL_DROP_COUNT);
    for (int d = 0; d < TL_DROP_COUNT; d++) {
        const json_t *drop = json_array_get(all, (size_t)d);
        CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(drop, "reason")), tl_drop_label(d));
        CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(drop, "text")), tl_drop_text(d));
    }
    const json_t *w = json_array_get(json_object_get(answer, "workers"), 0);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(json_object_get(w, "drops"), "replayed")), 3);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(json_object_get(answer, "total"), "dropped")), 15);
    json_decref(answer);
    fixture_end(&f);
    tl_live_close(&view);
    tl_live_destroy(&table);
    tl_config_free(config);
}

// ---- what can be wrong

#define WAY TEST_SOURCE_ROOT "/tests/unit/control/trunk/way.json"

static void a_route_is_tested(void)
{
    static const char steps[] =
        "called   0301 -> +49301 (national, rule 1: ^0 becomes +49)\n"
        "calling  x\\x9by (no rule of national fits)\n"
        "\n"
        "ROUTE  PRIORITY  SAYS                      RESULT\n"
        "    2       100  prefix +49, trunks a b c  it is taken\n"
        "6 other routes are not looked at: the called number begins otherwise, or another comes first\n"
        "\n"
        "TRIED  TRUNK  STATE      RANK     CALLED  CALLING  WHY\n";
    static struct tl_config_errors errors;
    struct tl_config *config;
    struct trunk_table table;

    fixture_begin(&f, NULL);
    CU_ASSERT_FATAL(tl_config_load(WAY, &config, &errors) == 0);
    CU_ASSERT_FATAL(trunk_table_init(&table, config, 0) == 0);
    f.trunks = &table;
    table.now->trunks[1]->down = true;
    table.now->trunks[2]->rest_until_ms = 9000;
    run(NULL, "route test --from x%9by --to 0301 --trunk pbx");
    CU_ASSERT(r.status == 0 && begins(r.out, steps));
    CU_ASSERT(
        strstr(r.out,
               "\n    1  c      unchecked  good     +49301  x\\x9by   -\n"
               "    2  a      down       down     1       x\\x9by   tried late: it does not answer OPTIONS\n"
               "    -  b      unchecked  resting  -       -        it has sent Retry-After and rests\n"
               "called to a +49301 -> 1 (berlin, rule 0: ^\\+4930(\\d+)$ becomes $1)\n"
               "\ngoes out\n") != NULL);
    run(NULL, "route test --from 1 --to 0900 --trunk pbx");
    CU_ASSERT(r.status == 0 && strstr(r.out, "\nturned away with 403 Closed: a route denies it\n") != NULL);
    run(NULL, "route test --from 1 --to 112 --trunk pbx --json");
    json_t *answer = json_loads(r.out, 0, NULL);
    CU_ASSERT(r.status == 0 && json_is_true(json_object_get(answer, "emergency")));
    json_decref(answer);
    run(NULL, "route test --from 1 --to 2 --trunk nobody");
    CU_ASSERT(r.status == 1 && r.out[0] == '\0');
    CU_ASSERT_STRING_EQUAL(r.err, "trunklinectl: no trunk of the configuration has the name nobody\n");
    unsigned asked = f.asked;
    run_as("--config " WAY " route test --offline --from tel:+44-1 --to +44(20)1 --trunk pbx");
    CU_ASSERT(r.status == 0 && f.asked == asked);
    CU_ASSERT(strstr(r.out, "\ngroup carriers, round-robin\nTRIED ") != NULL);
    CU_ASSERT(strstr(r.out, "\ngoes out, if its trunks are as they should be\n") != NULL);
    run_as("--config /nowhere route test --offline --from 1 --to 2 --trunk pbx");
    CU_ASSERT(r.status == 2 && strstr(r.err, "/nowhere") != NULL);
    f.trunks = NULL;
    trunk_table_fini(&table);
    tl_config_free(config);
    fixture_end(&f);
}

static void usage_errors_say_what_to_do(void)
{
    static const struct {
        const char *arguments;
        int status;
        const char *out, *err; // beginnings
    } rows[] = {
        {"--help", 0, "Usage: trunklinectl [--config FILE | --socket PATH] [--json] COMMAND [ARGUMENT]\n",
         ""},
        {"status --help", 0, "Usage: trunklinectl [--config FILE | --socket PATH] [--json] status\n\nPrints ",
         ""},
        {"calls --help", 0, "Usage: trunklinectl [--config FILE | --socket PATH] [--json] calls\n\nPrints ",
         ""},
        {"call --help", 0, "Usage: trunklinectl [--config FILE | --socket PATH] [--json] call ID\n\nPrints ",
         ""},
        {"trunks --help", 0, "Usage: trunklinectl [--config FILE | --socket PATH] [--json] trunks\n\nPrints ",
         ""},
        {"stats --help", 0, "Usage: trunklinectl [--config FILE | --socket PATH] [--json] stats\n\nPrints ",
         ""},
        {"config check --help", 0,
         "Usage: trunklinectl [--config FILE | --socket PATH] [--json] config check FILE\n\nReads ", ""},
        {"config headers --help", 0,
         "Usage: trunklinectl [--config FILE | --socket PATH] [--json] config headers\n", ""},
        {"config reference --help", 0,
         "Usage: trunklinectl [--config FILE | --socket PATH] [--json] config reference\n", ""},
        {"", 2, "", "Usage: trunklinectl "},
        {"stop", 2, "", "trunklinectl: no command \"stop\"; --help lists them\n"},
        {"config", 2, "", "trunklinectl: no command \"config\"; --help lists them\n"},
        {"call", 2, "", "trunklinectl: call takes ID; see trunklinectl call --help\n"},
        {"call c1 c2", 2, "", "trunklinectl: call takes ID; "},
        {"status now", 2, "", "trunklinectl: status takes no argument; "},
        {"status --all", 2, "", "trunklinectl: status takes no argument; "},
        {"call c1 --trunk peer", 2, "", "trunklinectl: call takes ID; "},
        {"hangup", 2, "",
         "trunklinectl: hangup takes ID | --trunk NAME | --all; see trunklinectl hangup --help\n"},
        {"hangup c1 c2", 2, "", "trunklinectl: hangup takes ID | --trunk NAME | --all; "},
        {"hangup c1 --all", 2, "", "trunklinectl: hangup takes ID | --trunk NAME | --all; "},
        {"hangup --trunk peer --all", 2, "", "trunklinectl: hangup takes ID | --trunk NAME | --all; "},
        {"reload now", 2, "", "trunklinectl: reload takes [--dry-run]; see trunklinectl reload --help\n"},
        {"status --dry-run", 2, "", "trunklinectl: status takes no argument; "},
        {"route test --from 1 --to 2", 2, "", "trunklinectl: route test takes --from A --to B --trunk NAME "},
        {"route test --from 1 --to 2 --trunk a --offline", 2, "", "trunklinectl: route test takes "},
        {"route test --from 1 --to 2 --trunk a --all", 2, "", "trunklinectl: route test takes "},
        {"status --from 1", 2, "", "trunklinectl: status takes no argument; "},
        {"hangup c1 --offline", 2, "", "trunklinectl: hangup takes ID | --trunk NAME | --all; "},
        {"status --verbose", 2, "", "trunklinectl: unrecognized option '--verbose'\n"},
    };

    fixture_begin(&f, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        run(NULL, rows[i].arguments);
        CU_ASSERT_EQUAL(r.status, rows[i].status);
        CU_ASSERT(begins(r.out, rows[i].out) && begins(r.err, rows[i].err));
    }
    CU_ASSERT_EQUAL(f.asked, 0);
    fixture_end(&f);
}

static void control_that_is_away(void)
{
    char path[128], long_path[200];
    struct sockaddr_un addr = {.sun_family = AF_UNIX};

    fixture_begin(&f, NULL);
    snprintf(path, sizeof path, "%s/other.sock", f.folder);
    run(path, "status");
    CU_ASSERT(r.status == 3 && r.out[0] == '\0');
    CU_ASSERT(begins(r.err, "trunklinectl: there is no socket ") && strstr(r.err, "start trunkline-control"));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    strcpy(addr.sun_path, path);
    CU_ASSERT_FATAL(bind(fd, (struct sockaddr *)&addr, sizeof addr) == 0);
    run(path, "calls");
    CU_ASSERT(r.status == 3 && strstr(r.err, "nobody listens at ") &&
              strstr(r.err, "start trunkline-control"));
    close(fd);
    CU_ASSERT(unlink(path) == 0);
    memset(long_path, 'x', sizeof long_path);
    long_path[150] = '\0';
    run(long_path, "status");
    CU_ASSERT(r.status == 2 && strstr(r.err, "longer than 107 bytes"));
    fixture_end(&f);
}

// --config: the socket is the one that the file gives to control; --socket before it wins.
static void socket_from_the_configuration(void)
{
    static const char *const contents[] = {
        "{\"dataplane\":{\"ports\":[{\"name\":\"p\",\"device\":\"net_null0\"}]},\"control\":{\"socket\":\"%"
        "s\"},"
        "\"realms\":[{\"name\":\"r\",\"port\":\"p\",\"address\":\"10.0.0.2/24\"}]}",
        "{\"control\":{\"socket\":\"%s\"}}"};
    char path[128], arguments[400];

    fixture_begin(&f, NULL);
    snprintf(path, sizeof path, "%s/config.json", f.folder);
    for (int i = 0; i < 2; i++) {
        FILE *file = fopen(path, "w");
        CU_ASSERT_PTR_NOT_NULL_FATAL(file);
        fprintf(file, i == 0 ? contents[0] : contents[1], f.path);
        fclose(file);
        snprintf(arguments, sizeof arguments, "--config %s status", path);
        run_as(arguments);
        CU_ASSERT_EQUAL(r.status, i == 0 ? 0 : 2);
        CU_ASSERT(begins(r.out, i == 0 ? "state                running\n" : ""));
        CU_ASSERT((strstr(r.err, "config.json:1:1: dataplane: missing; expected object\n") != NULL) ==
                  (i == 1));
    }
    snprintf(arguments, sizeof arguments, "--config %s status",
             path); // what is wrong with it does not matter then
    run(NULL, arguments);
    CU_ASSERT_EQUAL(r.status, 0);
    CU_ASSERT_EQUAL(unlink(path), 0);
    run_as(arguments);
    CU_ASSERT(r.status == 2 && strstr(r.err, "config.json: cannot be read: No such file"));
    fixture_end(&f);
}

// Something else listens there, says `says` and closes.
static void meet_stranger(const char *says)
{
    char path[128];
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(path, sizeof path, "%s/stranger.sock", f.folder);
    strcpy(addr.sun_path, path);
    CU_ASSERT_FATAL(bind(fd, (struct sockaddr *)&addr, sizeof addr) == 0 && listen(fd, 1) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        int client = accept(fd, NULL, NULL);
        char sink[256];
        if (client < 0 || read(client, sink, sizeof sink) <= 0 || write(client, says, strlen(says)) < 0)
            _exit(1);
        _exit(0);
    }
    run(path, "status");
    waitpid(pid, NULL, 0);
    close(fd);
    unlink(path);
}

static void strangers_are_not_believed(void)
{
    fixture_begin(&f, NULL);
    meet_stranger("220 mail ready\r\n");
    CU_ASSERT(r.status == 3 && strstr(r.err, "does not answer like trunkline-control"));
    meet_stranger("{\"ok\":true}\n");
    CU_ASSERT(r.status == 3 && strstr(r.err, "does not answer like trunkline-control"));
    meet_stranger("half a li");
    CU_ASSERT(r.status == 3 && strstr(r.err, "cannot talk to trunkline-control at ") && r.out[0] == '\0');
    meet_stranger("{\"ok\":false,\"error\":\"\\u001b[31mno\"}\n");
    CU_ASSERT(r.status == 1 && begins(r.err, "trunklinectl: ?[31mno\n"));
    fixture_end(&f);
}

static void configurations_are_checked(void)
{
    char path[128], arguments[200];

    fixture_begin(&f, NULL);
    run("/nowhere", "config check " TEST_SOURCE_ROOT "/docs/examples/demo.json");
    CU_ASSERT(r.status == 0 && r.err[0] == '\0');
    CU_ASSERT(strstr(r.out,
                     "/docs/examples/demo.json: ok (2 ports, 2 realms, 4 listeners, 4 trunks, 4 routes)\n") !=
              NULL);
    snprintf(path, sizeof path, "%s/c.json", f.folder);
    FILE *file = fopen(path, "w");
    fputs("{\"dataplane\":\n{\"ports\":[], \"pol\":1}}\n", file);
    fclose(file);
    snprintf(arguments, sizeof arguments, "config check %s", path);
    run("/nowhere", arguments);
    CU_ASSERT(r.status == 1 && r.out[0] == '\0');
    char expected[1000];
    snprintf(expected, sizeof expected,
             "%s:1:1: realms: missing; expected list of 1 to 64 objects\n"
             "%s:2:10: dataplane.ports: is a list of 0; expected list of 1 to 16 objects\n"
             "%s:2:14: dataplane.pol: unknown key \"pol\"; did you mean \"poll\"?\n",
             path, path, path);
    CU_ASSERT_STRING_EQUAL(r.err, expected);
    snprintf(arguments, sizeof arguments, "config check %s --json", path);
    run("/nowhere", arguments);
    json_t *answer = json_loads(r.out, 0, NULL);
    CU_ASSERT(r.status == 1 && json_is_false(json_object_get(answer, "ok")));
    CU_ASSERT_EQUAL(json_array_size(json_object_get(answer, "errors")), 3);
    json_decref(answer);
    file = fopen(path, "w");
    for (int i = 0; i < 1000; i++)
        fprintf(file, "%s\"unknown%d\":1", i ? "," : "{", i);
    fputs("}\n", file);
    fclose(file);
    snprintf(arguments, sizeof arguments, "config check %s", path);
    run("/nowhere", arguments);
    unsigned lines = 0;
    for (const char *s = r.err; (s = strchr(s, '\n')); s++)
        lines++;
    snprintf(expected, sizeof expected, "%s: %u more errors\n", path, 1002 - (lines - 1));
    CU_ASSERT(r.status == 1 && lines > 10 && strstr(r.err, expected) != NULL);
    snprintf(arguments, sizeof arguments, "--json config check %s", path);
    unlink(path);
    run("/nowhere", arguments);
    CU_ASSERT(r.status == 1 && strstr(r.out, "cannot be read: No such file or directory"));
    fixture_end(&f);
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"status_is_shown", status_is_shown},
        {"certificates_are_listed", certificates_are_listed},
        {"calls_are_listed", calls_are_listed},
        {"one_call_is_shown", one_call_is_shown},
        {"calls_are_ended", calls_are_ended},
        {"reloads_are_shown", reloads_are_shown},
        {"trunks_are_listed", trunks_are_listed},
        {"a_trunk_is_shown", a_trunk_is_shown},
        {"a_route_is_tested", a_route_is_tested},
        {"stats_are_shown", stats_are_shown},
        {"usage_errors_say_what_to_do", usage_errors_say_what_to_do},
        {"control_that_is_away", control_that_is_away},
        {"socket_from_the_configuration", socket_from_the_configuration},
        {"strangers_are_not_believed", strangers_are_not_believed},
        {"configurations_are_checked", configurations_are_checked},
    };
    return test_main("trunklinectl", TEST_CASES(cases), argc, argv);
}
