// SPDX-License-Identifier: BSD-3-Clause
#include "ctl_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

// ---- provider

static json_t *status(void *arg)
{
    struct fixture *f = arg;
    json_t *answer =
        json_pack("{s:s, s:{s:b, s:i}}", "state", "running", "dataplane", "connected", 1, "workers", 2);

    f->asked++;
    if (f->status_size) {
        char *ballast = malloc(f->status_size);
        memset(ballast, 'x', f->status_size);
        json_object_set_new(answer, "ballast", json_stringn(ballast, f->status_size));
        free(ballast);
    }
    return answer;
}

static json_t *call_json(uint64_t number)
{
    char id[32];

    snprintf(id, sizeof id, "c%llu", (unsigned long long)number);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:f, s:n}", "id", id, "state", "answered", "from",
                     "+4930\33[2J1", "to", "+4440\302\2332", "from_trunk", "peer", "to_trunk", "core",
                     "seconds", (json_int_t)number * 10, "heard_a_s_ago", 0.25, "heard_b_s_ago");
}

// Calls are numbered from 1. "next" is the last that was listed.
static json_t *calls(void *arg, uint64_t after, unsigned limit)
{
    struct fixture *f = arg;
    uint64_t left = !f->newest_first ? f->call_count - after : after ? after - 1 : f->call_count;
    json_t *list = json_array();

    f->asked++;
    if (f->newest_first && after == 0)
        after = f->call_count + 1;
    for (; left && limit; left--, limit--)
        json_array_append_new(list, call_json(f->newest_first ? --after : ++after));
    return json_pack("{s:o, s:o}", "calls", list, "next",
                     left ? json_integer((json_int_t)after) : json_null());
}

static json_t *leg_json(const char *trunk, const char *direction, json_t *media)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:{s:i, s:i}, s:{s:{s:i, s:i}, s:{s:n, s:i}}, "
                     "s:{s:i, s:i, s:i}, s:o}",
                     "trunk", trunk, "peer", "192.0.2.20:5060", "call_id", "x@\33[2Jy", "local",
                     "192.0.2.1:16384", "remote", "192.0.2.20:20000", "remote_rtcp", "192.0.2.20:20001",
                     "direction", direction, "srtp", "AES_CM_128_HMAC_SHA1_80", "mki", "in", 1, "out", 0,
                     "payload_types", "PCMA", "in", 8, "out", 8, "telephone-event", "in", "out", 101,
                     "limits", "packets_per_s", 125, "octets_per_s", 15487, "burst_ms", 1000, "media", media);
}

static json_t *media_json(json_t *heard_s_ago, json_t *drops)
{
    return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:f, s:i, s:o, s:i, s:o}", "rx_packets",
                     11, "rx_octets", 1892, "tx_packets", 13, "tx_octets", 2236, "rx_rtcp", 1, "tx_rtcp", 2,
                     "lost", 3, "reordered", 2, "duplicates", 1, "jitter_ms", 1.37, "longest_gap_ms", 940,
                     "heard_s_ago", heard_s_ago, "dropped", 7, "drops", drops);
}

// A leg on which everything happened very often.
static json_t *worst_leg(void)
{
    const json_int_t many = UINT32_MAX;
    json_t *drops = json_array(), *media;
    for (int r = TL_DROP_LEG_FIRST; r < TL_DROP_COUNT; r++)
        json_array_append_new(drops, json_pack("{s:s, s:I, s:s}", "reason", tl_drop_label(r), "count", many,
                                               "text", tl_drop_text(r)));
    media = media_json(json_real(86399.9), drops);
    json_object_set_new(media, "rx_packets", json_integer(many));
    json_object_set_new(media, "lost", json_integer(many));
    json_object_set_new(media, "jitter_ms", json_real(4095.9));
    json_object_set_new(media, "longest_gap_ms", json_integer(many));
    return leg_json("a-trunk-with-a-name-of-31-chars", "sendrecv", media);
}

// c1: one leg heard, the other never, with drops. c3: the dataplane does not have it. c4: all that can go
// wrong.
static json_t *call(void *arg, const char *id)
{
    struct fixture *f = arg;
    json_t *answer, *drops;

    f->asked++;
    if (strcmp(id, "c1") != 0 && strcmp(id, "c3") != 0 && strcmp(id, "c4") != 0)
        return NULL;
    answer = call_json(1);
    if (strcmp(id, "c4") == 0) {
        json_object_set_new(answer, "a", worst_leg());
        json_object_set_new(answer, "b", worst_leg());
        return answer;
    }
    if (strcmp(id, "c3") == 0) {
        json_object_set_new(answer, "dataplane", json_string(f->away ? "away" : "up"));
        json_object_set_new(answer, "a", leg_json("peer", "sendrecv", json_null()));
        json_object_set_new(answer, "b", leg_json("core", "sendrecv", json_null()));
        return answer;
    }
    drops = json_pack("[{s:s, s:i, s:s}]", "reason", tl_drop_label(TL_DROP_wrong_source), "count", 7, "text",
                      tl_drop_text(TL_DROP_wrong_source));
    json_object_set_new(answer, "a", leg_json("peer", "sendrecv", media_json(json_real(0.12), json_array())));
    json_object_set_new(answer, "b", leg_json("core", "sendonly", media_json(json_null(), drops)));
    return answer;
}

// Two calls at a time, of those that `call_count` says; one by its name.
static json_t *hang_up(void *arg, const struct ctl_hangup *which)
{
    struct fixture *f = arg;

    f->asked++;
    snprintf(f->ended, sizeof f->ended, "%s %s %llu", which->call ? which->call : "-",
             which->trunk ? which->trunk : "-", (unsigned long long)which->after);
    if ((which->call && strcmp(which->call, "c1") != 0) ||
        (which->trunk && strcmp(which->trunk, "peer") != 0))
        return NULL;
    if (which->call)
        return json_pack("{s:i, s:n}", "ended", 1, "next");
    uint64_t left = which->after ? which->after - 1 : f->call_count, now = left < 2 ? left : 2;
    return json_pack("{s:I, s:o}", "ended", (json_int_t)now, "next",
                     left > now ? json_integer((json_int_t)(left - now + 1)) : json_null());
}

static json_t *trunks(void *arg)
{
    struct fixture *f = arg;

    f->asked++;
    return f->trunks ? ctl_trunks(f->trunks, 65000) : NULL;
}

static json_t *trunk(void *arg, const char *name)
{
    struct fixture *f = arg;

    return f->trunks ? ctl_trunk(f->trunks, name, 65000) : NULL;
}

static json_t *stats(void *arg)
{
    struct fixture *f = arg;

    json_t *answer = ctl_stats(f->live, f->config, 5000000000);

    f->asked++;
    json_object_set_new(answer, "state", json_string(f->away ? "away" : "up"));
    if (f->sdp_lines)
        json_object_set_new(answer, "sdp",
                            json_pack("{s:i, s:i, s:[{s:s, s:i, s:s}, {s:s, s:i, s:s}]}", "read", 9,
                                      "refused", 1, "drops", "reason", "rtpmap", "count", (int)f->sdp_lines,
                                      "text", "a=rtpmap without a rate", "reason", "fmtp", "count", 0, "text",
                                      "unused"));
    return answer;
}

static json_t *reload(void *arg, bool dry_run, char *refused, size_t size)
{
    struct fixture *f = arg;

    if (f->refused) {
        snprintf(refused, size, "%s", f->refused);
        return NULL;
    }
    json_t *changes =
        json_pack("[{s:s, s:s, s:s, s:s, s:s, s:s, s:s}, {s:s, s:s, s:s, s:n, s:n, s:n, s:s}]", "what",
                  "changed", "noun", "trunk", "name", "a", "key", "hold", "from", "\"zero\"", "to",
                  "\"inactive\"", "takes_effect", "new calls", "what", "added", "noun", "trunk", "name", "b",
                  "key", "from", "to", "takes_effect", "new calls");
    if (f->unchanged)
        json_array_clear(changes);
    return json_pack("{s:b, s:i, s:o}", "applied", !dry_run && !f->unchanged, "generation", dry_run ? 1 : 2,
                     "changes", changes);
}

static json_t *route_test(void *arg, const struct route_test *ask, char *refused, size_t size)
{
    struct fixture *f = arg;

    f->asked++;
    return route_test_answer(f->trunks, ask, 1000, refused, size);
}

static json_t *certificates(void *arg)
{
    struct fixture *f = arg;

    f->asked++;
    return json_pack("{s:[{s:s, s:s, s:s, s:i, s:s, s:s, s:s, s:s}]}", "certificates", "listener", "tls",
                     "role", "ours", "state", "ends soon", "days_left", 9, "not_after",
                     "2026-12-10T00:00:00Z", "subject", "/CN=a\\x1b[2J", "names", "DNS:a", "file", "/a.pem");
}

const struct ctl_provider fixture_provider = {.status = status,
                                              .calls = calls,
                                              .call = call,
                                              .hang_up = hang_up,
                                              .trunks = trunks,
                                              .trunk = trunk,
                                              .stats = stats,
                                              .reload = reload,
                                              .certificates = certificates,
                                              .route_test = route_test};

// ---- fixture

void fixture_begin(struct fixture *f, const struct ctl_limits *limits)
{
    memset(f, 0, sizeof *f);
    snprintf(f->folder, sizeof f->folder, "/tmp/trunkline-ctl-XXXXXX");
    CU_ASSERT_FATAL(mkdtemp(f->folder) != NULL);
    snprintf(f->path, sizeof f->path, "%s/control.sock", f->folder);
    f->base = event_base_new();
    CU_ASSERT_FATAL(f->base != NULL);
    CU_ASSERT_FATAL(ctl_open(&f->ctl, f->base, f->path, &fixture_provider, f, limits) == 0);
}

void fixture_end(struct fixture *f)
{
    ctl_close(f->ctl);
    f->ctl = NULL;
    event_base_free(f->base);
    CU_ASSERT(rmdir(f->folder) == 0);
}

void fixture_turn(struct fixture *f)
{
    event_base_loop(f->base, EVLOOP_NONBLOCK);
    usleep(1000);
}

// Milliseconds, for giving up.
static uint64_t clock_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

int fixture_connect(struct fixture *f)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    memcpy(addr.sun_path, f->path, strlen(f->path) + 1);
    CU_ASSERT_FATAL(fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof addr) == 0);
    fixture_turn(f);
    return fd;
}

bool fixture_send(struct fixture *f, int fd, const void *bytes, size_t len)
{
    const char *from = bytes;
    uint64_t end = clock_ms() + FIXTURE_PATIENCE_MS;

    while (len && clock_ms() < end) {
        ssize_t n = send(fd, from, len, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN)
            return false;
        if (n > 0) {
            from += n;
            len -= (size_t)n;
        }
        fixture_turn(f);
    }
    CU_ASSERT_FATAL(len == 0);
    return true;
}

char *fixture_line(struct fixture *f, int fd)
{
    size_t room = 1 << 16, used = 0;
    char *line = malloc(room);
    uint64_t end = clock_ms() + FIXTURE_PATIENCE_MS;

    while (clock_ms() < end) {
        ssize_t n = recv(fd, line + used, 1, 0);
        if (n == 0 || (n < 0 && errno != EAGAIN)) {
            free(line);
            return NULL;
        }
        if (n < 0) {
            fixture_turn(f);
            continue;
        }
        if (line[used] == '\n') {
            line[used] = '\0';
            return line;
        }
        if (++used == room) {
            char *more = realloc(line, room *= 2);
            CU_ASSERT_FATAL(more != NULL);
            line = more;
        }
    }
    free(line);
    CU_FAIL_FATAL("no answer");
    return NULL;
}

bool fixture_closed(struct fixture *f, int fd)
{
    uint64_t end = clock_ms() + FIXTURE_PATIENCE_MS;
    char sink[65536];

    while (clock_ms() < end) {
        ssize_t n = recv(fd, sink, sizeof sink, 0);
        if (n == 0 || (n < 0 && errno != EAGAIN))
            return true;
        if (n < 0)
            fixture_turn(f);
    }
    return false;
}
