// SPDX-License-Identifier: BSD-3-Clause
// trunkline-sipfloor: what the messages of a call cost without what control does for them. It stands between two user agents
// over UDP, reads each datagram as control's stack does, prints it line by line and sends it to the other side, and prints the
// 100 to an INVITE. It keeps nothing. tools/bench-signalling.sh measures it as its floor.
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/base/wipe.h"
#include "control/sip/msg_internal.h"
#include "control/sip/write.h"

enum { A, B, SIDES, BUFFER = 4 << 20 };

struct side {
    int fd;
    struct sockaddr_in peer;
};

static bool read_address(const char *text, struct sockaddr_in *out)
{
    char ip[INET_ADDRSTRLEN];
    int port;

    if (sscanf(text, "%15[0-9.]:%d", ip, &port) != 2 || port < 1 || port > 65535)
        return false;
    *out = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    return inet_pton(AF_INET, ip, &out->sin_addr) == 1;
}

static bool open_side(struct side *side, const char *local, const char *peer)
{
    const int size = BUFFER;
    struct sockaddr_in at;

    if (!read_address(local, &at) || !read_address(peer, &side->peer))
        return false;
    side->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(side->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    return side->fd >= 0 && bind(side->fd, (struct sockaddr *)&at, sizeof at) == 0;
}

// Copies to *at, with `end` behind it.
static void put(char **at, struct sip_str s, const char *end)
{
    *at = mempcpy(*at, s.p, s.len);
    *at = stpcpy(*at, end);
}

// The message once more from what was read of it. `out` has room for that.
static size_t print(const struct sip_head *head, char *out)
{
    char *at = out;

    put(&at, head->request ? head->method : head->version, " ");
    put(&at, head->request ? head->uri : head->code, " ");
    put(&at, head->request ? head->version : head->phrase, "\r\n");
    for (unsigned i = 0; i < head->lines; i++) {
        put(&at, head->line[i].name, ": ");
        put(&at, head->line[i].value, "\r\n");
    }
    put(&at, (struct sip_str){"\r\n", 2}, "");
    put(&at, (struct sip_str){head->bytes.p + head->body, head->bytes.len - head->body}, "");
    return (size_t)(at - out);
}

static void send_to(const struct side *side, const char *bytes, size_t len)
{
    // what does not go is lost, as on a network
    (void)!sendto(side->fd, bytes, len, 0, (const struct sockaddr *)&side->peer, sizeof side->peer);
}

static void send_trying(const struct side *side, const struct sip_head *head)
{
    const struct sip_answer trying = {.status = 100};
    struct sip_bytes *bytes = sip_write_response(
        &(struct sip_reply){.request = {head->line, head->lines}, .agent = "floor", .answer = &trying});

    if (bytes)
        send_to(side, bytes->data, bytes->len);
    wipe_free(bytes);
}

static void take(const struct side *from, const struct side *to, char *bytes, size_t len)
{
    static char out[2 * SIP_MESSAGE_MAX];
    struct sip_head head;
    struct sip_shape shape;

    sip_read(bytes, len, &head);
    if (!sip_filter(&head, false, &shape))
        return;
    struct sip_msg *msg = sip_msg_new(&head, &shape);
    if (msg && sip_msg_is_request(msg) && sip_msg_method(msg) == SIP_INVITE)
        send_trying(from, &head);
    send_to(to, out, print(&head, out));
    sip_msg_free(msg);
}

int main(int argc, char **argv)
{
    static char bytes[SIP_MESSAGE_MAX];
    struct side side[SIDES];

    if (argc != 5 || !open_side(&side[A], argv[1], argv[2]) || !open_side(&side[B], argv[3], argv[4])) {
        fprintf(stderr, "usage: trunkline-sipfloor A-LOCAL A-PEER B-LOCAL B-PEER   (each IP:PORT)\n"
                        "Passes SIP messages over UDP from A-PEER to B-PEER and back.\n");
        return 2;
    }
    puts("ready");
    fflush(stdout);
    for (;;) {
        struct pollfd fds[SIDES] = {{.fd = side[A].fd, .events = POLLIN},
                                    {.fd = side[B].fd, .events = POLLIN}};
        if (poll(fds, SIDES, -1) < 0)
            return 1;
        for (int s = A; s < SIDES; s++)
            for (ssize_t n; (n = recv(side[s].fd, bytes, sizeof bytes, 0)) > 0;)
                take(&side[s], &side[!s], bytes, (size_t)n);
    }
}
