// SPDX-License-Identifier: BSD-3-Clause
#include "peer.h"

#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "runner.h"

static char folder[] = "/tmp/trunkline-test-XXXXXX";
char peer_path[64];

bool peer_setup(void)
{
    if (!mkdtemp(folder))
        return false;
    snprintf(peer_path, sizeof peer_path, "%s/dp.sock", folder);
    return true;
}

void peer_cleanup(void)
{
    unlink(peer_path);
    rmdir(folder);
}

static void keep(void *arg, const char *sentence)
{
    struct peer_server *s = arg;
    size_t at = strlen(s->said);
    snprintf(s->said + at, sizeof s->said - at, "%s\n", sentence);
}

int peer_server_open(struct peer_server *s)
{
    memset(s, 0, sizeof *s);
    int rc = tl_live_create(&s->live, 1, 4, TL_SEGMENT_SMALL_PAGES);
    if (rc < 0)
        return rc;
    struct tl_server_config config = {.path = peer_path, .live = &s->live, .log = keep, .arg = s};
    rc = tl_server_open(&s->server, &config);
    if (rc < 0)
        tl_live_destroy(&s->live);
    return rc;
}

void peer_server_close(struct peer_server *s)
{
    tl_server_close(s->server);
    s->server = NULL;
    tl_live_destroy(&s->live);
}

void peer_server_turn(struct peer_server *s)
{
    tl_server_poll(s->server);
}

struct tl_client *peer_client(struct peer_server *s, unsigned loops)
{
    struct tl_client *client;

    if (tl_client_open(&client, peer_path, loops) < 0)
        return NULL;
    if (tl_client_connect(client) == 0) {
        peer_server_turn(s);
        if (tl_client_poll(client) == TL_CLIENT_UP)
            return client;
    }
    fprintf(stderr, "client: %s\n", tl_client_error(client));
    tl_client_close(client);
    return NULL;
}

static int connect_to_path(void)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    strcpy(addr.sun_path, peer_path);
    int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (connect(sock, (struct sockaddr *)&addr, sizeof addr) < 0) {
        close(sock);
        return -1;
    }
    return sock;
}

void raw_control_open(struct raw_control *raw, struct peer_server *s, const void *hello, size_t len)
{
    memset(raw, 0, sizeof *raw);
    raw->rings = TL_SEGMENT_NONE;
    raw->sock = connect_to_path();
    if (len && send(raw->sock, hello, len, MSG_NOSIGNAL) < 0)
        perror("raw control");
    peer_server_turn(s);
    raw->answered = tl_channel_recv(raw->sock, &raw->answer, sizeof raw->answer, raw->fds, TL_CHANNEL_FDS_MAX,
                                    &raw->count);
    if (raw->answered > 0 && raw->count > 2 &&
        tl_segment_open(&raw->rings, raw->fds[0], raw->answer.rings_size, TL_SEGMENT_SHARED) == 0) {
        raw->fds[0] = -1;
        tl_channel_rings_init(raw->rings.base, 0, &raw->command, &raw->completion, &raw->event);
    }
}

void raw_control_close(struct raw_control *raw)
{
    for (unsigned i = 0; i < raw->count; i++)
        if (raw->fds[i] >= 0)
            close(raw->fds[i]);
    tl_segment_close(&raw->rings);
    if (raw->sock >= 0)
        close(raw->sock);
}

int raw_listen(void)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    strcpy(addr.sun_path, peer_path);
    unlink(peer_path);
    int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (bind(sock, (struct sockaddr *)&addr, sizeof addr) < 0 || listen(sock, 4) < 0)
        perror("raw dataplane");
    return sock;
}

unsigned count_descriptors(void)
{
    unsigned n = 0;
    DIR *d = opendir("/proc/self/fd");
    while (d && readdir(d))
        n++;
    if (d)
        closedir(d);
    return n;
}

unsigned count_mappings(const char *name)
{
    char line[512];
    unsigned n = 0;
    FILE *f = fopen("/proc/self/maps", "re");
    while (f && fgets(line, sizeof line, f))
        n += strstr(line, name) != NULL;
    if (f)
        fclose(f);
    return n;
}

// ---- numbered commands between the server `dp` and a client ------------------------------------------

struct peer_server dp;

bool readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 0) == 1;
}

struct tl_command command(uint64_t id)
{
    struct tl_command c = {.id = id, .op = TL_OP_FLUSH};
    memset(c.leg[1].rx.key, (int)id, sizeof c.leg[1].rx.key);
    return c;
}

int send_id(struct tl_client *c, unsigned loop, uint64_t id)
{
    struct tl_command m = command(id);
    return tl_client_send(c, loop, &m);
}

// Takes the next command and checks that it is whole. Its id, 0 if there is none.
uint64_t next_id(struct tl_origin *origin)
{
    struct tl_command got;
    if (tl_server_next(dp.server, &got, origin) < 0)
        return 0;
    struct tl_command want = command(got.id);
    CU_ASSERT(memcmp(&got, &want, sizeof got) == 0);
    return got.id;
}

void complete(struct tl_origin origin, uint64_t id)
{
    struct tl_completion done = {.id = id};
    tl_server_complete(dp.server, origin, &done);
}

// Id of the next completion, 0 if there is none.
uint64_t done_id(struct tl_client *c, unsigned loop)
{
    struct tl_completion done;
    return tl_client_completion(c, loop, &done) == 0 ? done.id : 0;
}

struct tl_client *begin(unsigned loops)
{
    CU_ASSERT_EQUAL(peer_server_open(&dp), 0);
    struct tl_client *c = peer_client(&dp, loops);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    return c;
}

void open_raw(struct raw_control *raw)
{
    struct tl_greeting hello;
    tl_greeting_init(&hello, 1);
    raw_control_open(raw, &dp, &hello, sizeof hello);
    CU_ASSERT_PTR_NOT_NULL_FATAL(raw->rings.base);
}
