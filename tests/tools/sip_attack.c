// SPDX-License-Identifier: BSD-3-Clause
// Attacks a SIP port, as tests/e2e/attacks.sh has it; prints what it did as "NAME=NUMBER ...".
//   sip_attack ATTACK TARGET SOURCE SECONDS [N [HEADER]]     addresses as 127.0.1.1:5060; a source's port 0 is any
// Over UDP:     options, invite        N a second; "forged": N OPTIONS a second from 60,000 addresses of 127.9.0.0/16
//               list                   N INVITEs a second of 60 kB whose HEADER has as many values as fit
// Over TCP:     connect, ping, pipeline, slow   N connections that say nothing; ping and read; ask and never read; a byte a time
// As a callee (TARGET is not used): silent; late, answers after N ms; forks, N answers of different parties to each INVITE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, MESSAGE_MAX = 64000, CONNS_MAX = 8192, LATE_MAX = 256 };

static struct sockaddr_in target, source;
static double seconds;
static unsigned amount;
static const char *header;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what)
{
    fprintf(stderr, "sip_attack: %s: %s\n", what, strerror(errno));
    exit(1);
}

static struct sockaddr_in address(const char *text)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    char ip[64];
    unsigned port;
    if (sscanf(text, "%63[0-9.]:%u", ip, &port) != 2 || inet_pton(AF_INET, ip, &a.sin_addr) != 1) {
        errno = EINVAL;
        die(text);
    }
    a.sin_port = htons((uint16_t)port);
    return a;
}

static int open_socket(int type)
{
    int on = 1, room = 8 << 20, fd = socket(AF_INET, type | SOCK_NONBLOCK, 0);
    if (fd < 0)
        die("socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (type == SOCK_DGRAM) {
        setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
        setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    }
    if (bind(fd, (struct sockaddr *)&source, sizeof source) != 0)
        die("bind");
    return fd;
}

// ---- what is sent

static const char sdp[] = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
                          "m=audio 6000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n";

// A request of its own. `extra` is further lines.
static size_t request(char *out, size_t size, const char *method, const char *transport, unsigned serial,
                      const char *extra)
{
    char own[INET_ADDRSTRLEN], to[INET_ADDRSTRLEN];
    bool invite = strcmp(method, "INVITE") == 0;
    inet_ntop(AF_INET, &source.sin_addr, own, sizeof own);
    inet_ntop(AF_INET, &target.sin_addr, to, sizeof to);
    int n = snprintf(
        out, size,
        "%s sip:1100@%s SIP/2.0\r\nVia: SIP/2.0/%s %s:%u;rport;branch=z9hG4bK%08x%x\r\n"
        "From: <sip:666@%s>;tag=%08x\r\nTo: <sip:1100@%s>\r\nCall-ID: %08x%x@%s\r\n"
        "CSeq: 1 %s\r\nContact: <sip:666@%s:%u>\r\nMax-Forwards: 70\r\n%s%sContent-Length: %zu\r\n\r\n%s",
        method, to, transport, own, ntohs(source.sin_port), serial, (unsigned)getpid(), own, serial, to,
        serial, (unsigned)getpid(), own, method, own, ntohs(source.sin_port), extra,
        invite ? "Content-Type: application/sdp\r\n" : "", invite ? sizeof sdp - 1 : 0, invite ? sdp : "");
    return n < 0 || (size_t)n >= size ? 0 : (size_t)n;
}

// The header as long as a message may be: values of the kind that it takes.
static const char *long_list(void)
{
    static char list[MESSAGE_MAX - 1500];
    static const struct {
        const char *name, *value;
    } kinds[] = {{"Record-Route", "<sip:a>"},
                 {"Route", "<sip:a>"},
                 {"Contact", "<sip:a>"},
                 {"Via", "SIP/2.0/UDP a"},
                 {"Supported", "a"},
                 {"Require", "a"},
                 {"Allow", "A"},
                 {"Accept", "a/b"},
                 {"P-Asserted-Identity", "<sip:a>"},
                 {"Diversion", "<sip:a>"},
                 {"History-Info", "<sip:a>"},
                 {"Privacy", "a"},
                 {"Reason", "a;cause=1"},
                 {"P-Early-Media", "a"},
                 {"Geolocation", "<cid:a>"},
                 {"Session-Expires", "90"},
                 {"Call-Info", "<sip:a>"},
                 {"Proxy-Require", "a"}};
    const char *value = "a";
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcasecmp(kinds[i].name, header) == 0)
            value = kinds[i].value;
    size_t n = (size_t)snprintf(list, sizeof list, "%s: %s", header, value), step = strlen(value) + 1;
    // a line has its limit too: 3 kB each
    for (size_t line = n; n + step + strlen(header) + 6 < sizeof list; line += step)
        if (line > 3000) {
            n += (size_t)sprintf(list + n, "\r\n%s: %s", header, value);
            line = 0;
        } else {
            n += (size_t)sprintf(list + n, ",%s", value);
        }
    memcpy(list + n, "\r\n", 3);
    return list;
}

// ---- datagrams

static unsigned drain(int fd)
{
    static char room[BATCH][2048];
    struct iovec iov[BATCH];
    struct mmsghdr in[BATCH] = {0};
    unsigned all = 0;
    for (unsigned i = 0; i < BATCH; i++) {
        iov[i] = (struct iovec){room[i], sizeof room[i]};
        in[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
    }
    for (int n; (n = recvmmsg(fd, in, BATCH, MSG_DONTWAIT, NULL)) > 0;)
        all += (unsigned)n;
    return all;
}

// Each of the batch from an address of its own in 127.9.0.0/16.
static void forge(struct msghdr *msg, char *control, unsigned serial)
{
    struct in_pktinfo info = {.ipi_spec_dst.s_addr = htonl(0x7f090000u + 1 + serial % 60000)};
    msg->msg_control = control;
    msg->msg_controllen = CMSG_SPACE(sizeof info);
    struct cmsghdr *c = CMSG_FIRSTHDR(msg);
    c->cmsg_level = IPPROTO_IP;
    c->cmsg_type = IP_PKTINFO;
    c->cmsg_len = CMSG_LEN(sizeof info);
    memcpy(CMSG_DATA(c), &info, sizeof info);
}

static void flood(const char *method, const char *extra, bool forged)
{
    static char text[BATCH][MESSAGE_MAX];
    static _Alignas(struct cmsghdr) char control[BATCH][CMSG_SPACE(sizeof(struct in_pktinfo))];
    struct iovec iov[BATCH];
    struct mmsghdr out[BATCH] = {0};
    unsigned serial = 0, sent = 0, answers = 0;
    if (forged)
        source.sin_addr.s_addr = INADDR_ANY;
    int fd = open_socket(SOCK_DGRAM);
    double start = now(), t;
    while ((t = now() - start) < seconds) {
        unsigned due = (unsigned)(t * amount) + 1, n = 0;
        for (; n < BATCH && sent + n < due; n++) {
            iov[n] = (struct iovec){text[n], request(text[n], sizeof text[n], method, "UDP", serial, extra)};
            out[n].msg_hdr = (struct msghdr){
                .msg_name = &target, .msg_namelen = sizeof target, .msg_iov = &iov[n], .msg_iovlen = 1};
            if (forged)
                forge(&out[n].msg_hdr, control[n], serial);
            serial++;
        }
        int went = n ? sendmmsg(fd, out, n, 0) : 0;
        sent += went > 0 ? (unsigned)went : 0;
        answers += drain(fd);
        if (!n || went <= 0)
            usleep(500);
    }
    usleep(200000);
    printf("sent=%u answers=%u per_s=%.0f\n", sent, answers + drain(fd), sent / seconds);
}

// ---- connections

static int connect_one(void)
{
    int fd = open_socket(SOCK_STREAM);
    if (connect(fd, (struct sockaddr *)&target, sizeof target) != 0 && errno != EINPROGRESS) {
        close(fd);
        return -1;
    }
    return fd;
}

static void streams(const char *kind)
{
    static int fds[CONNS_MAX];
    static char room[65536];
    char ask[1024];
    unsigned count = amount < CONNS_MAX ? amount : CONNS_MAX, made = 0, closed = 0, turn = 0;
    unsigned long written = 0;
    bool ping = strcmp(kind, "ping") == 0, pipeline = strcmp(kind, "pipeline") == 0,
         slow = strcmp(kind, "slow") == 0;
    struct rlimit files = {CONNS_MAX + 64, CONNS_MAX + 64};
    setrlimit(RLIMIT_NOFILE, &files);
    for (unsigned i = 0; i < count; i++)
        made += (fds[i] = connect_one()) >= 0;
    double start = now();
    while (now() - start < seconds) {
        for (unsigned i = 0; i < count; i++) {
            if (fds[i] < 0)
                continue;
            size_t n = ping ? (memcpy(ask, "\r\n\r\n\r\n\r\n", 8), 8)
                            : request(ask, sizeof ask, "OPTIONS", "TCP", turn * CONNS_MAX + i, "");
            ssize_t went = ping || pipeline ? send(fds[i], ask, n, MSG_NOSIGNAL)
                           : slow           ? send(fds[i], ask + turn % n, 1, MSG_NOSIGNAL)
                                            : 0;
            written += went > 0 ? (unsigned long)went : 0;
            ssize_t got = pipeline ? -1 : recv(fds[i], room, sizeof room, MSG_DONTWAIT);
            if (got == 0 || (went < 0 && errno != EAGAIN && errno != EINPROGRESS && errno != ENOTCONN)) {
                close(fds[i]);
                fds[i] = -1;
                closed++;
            }
        }
        turn++;
        usleep(ping || pipeline ? 1000 : 200000);
    }
    printf("connections=%u closed=%u bytes=%lu\n", made, closed, written);
}

// ---- callees

// Copies the line that begins with `name`, its end included.
static size_t copy_line(const char *in, const char *name, char *out)
{
    const char *at = strcasestr(in, name), *end = at ? strstr(at, "\r\n") : NULL;
    if (!end)
        return 0;
    memcpy(out, at + 2, (size_t)(end - at));
    return (size_t)(end - at);
}

static size_t answer(const char *in, unsigned tag, char *out)
{
    char own[INET_ADDRSTRLEN];
    size_t n = (size_t)sprintf(out, "SIP/2.0 200 OK\r\n");
    inet_ntop(AF_INET, &source.sin_addr, own, sizeof own);
    n += copy_line(in, "\r\nVia:", out + n);
    n += copy_line(in, "\r\nFrom:", out + n);
    n += copy_line(in, "\r\nTo:", out + n);
    n -= 2;
    n += (size_t)sprintf(out + n, ";tag=%08x\r\n", tag);
    n += copy_line(in, "\r\nCall-ID:", out + n);
    n += copy_line(in, "\r\nCSeq:", out + n);
    n += (size_t)sprintf(
        out + n, "Contact: <sip:a@%s:%u>\r\nContent-Type: application/sdp\r\nContent-Length: %zu\r\n\r\n%s",
        own, ntohs(source.sin_port), sizeof sdp - 1, sdp);
    return n;
}

struct late {
    double at;
    char text[4096];
    struct sockaddr_in to;
};

static void callee(const char *kind)
{
    static struct late late[LATE_MAX];
    static char in[65536], out[8192];
    unsigned invites = 0, others = 0, sent = 0, waiting = 0;
    int fd = open_socket(SOCK_DGRAM);
    double start = now();
    while (now() - start < seconds) {
        struct pollfd p = {fd, POLLIN, 0};
        struct sockaddr_in from;
        socklen_t len = sizeof from;
        poll(&p, 1, 20);
        for (unsigned i = 0; i < waiting; i++)
            if (late[i].at && late[i].at < now()) {
                sent +=
                    sendto(fd, out, answer(late[i].text, i, out), 0, (struct sockaddr *)&late[i].to, len) > 0;
                late[i].at = 0;
            }
        ssize_t n = recvfrom(fd, in, sizeof in - 1, 0, (struct sockaddr *)&from, &len);
        if (n <= 0)
            continue;
        in[n] = '\0';
        if (strncmp(in, "INVITE ", 7) != 0) {
            others++;
            if (strncmp(in, "BYE ", 4) == 0)
                sendto(fd, out, answer(in, 0, out), 0, (struct sockaddr *)&from, len);
            continue;
        }
        invites++;
        if (strcmp(kind, "late") == 0 && waiting < LATE_MAX && n < (ssize_t)sizeof late[0].text) {
            late[waiting] = (struct late){.at = now() + amount / 1000.0, .to = from};
            memcpy(late[waiting++].text, in, (size_t)n + 1);
        }
        for (unsigned i = 0; strcmp(kind, "forks") == 0 && i < amount; i++) {
            sent += sendto(fd, out, answer(in, i, out), 0, (struct sockaddr *)&from, len) > 0;
            if (i % 32 == 31)
                usleep(1000);
        }
    }
    printf("invites=%u others=%u answers=%u\n", invites, others, sent);
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fputs("usage: sip_attack ATTACK TARGET SOURCE SECONDS [N [HEADER]]\n", stderr);
        return 2;
    }
    const char *kind = argv[1];
    target = address(argv[2]);
    source = address(argv[3]);
    seconds = atof(argv[4]);
    amount = argc > 5 ? (unsigned)strtoul(argv[5], NULL, 10) : 1;
    header = argc > 6 ? argv[6] : "Record-Route";
    if (strcmp(kind, "options") == 0)
        flood("OPTIONS", "", false);
    else if (strcmp(kind, "forged") == 0)
        flood("OPTIONS", "", true);
    else if (strcmp(kind, "invite") == 0)
        flood("INVITE", "", false);
    else if (strcmp(kind, "list") == 0)
        flood("INVITE", long_list(), false);
    else if (strcmp(kind, "silent") == 0 || strcmp(kind, "late") == 0 || strcmp(kind, "forks") == 0)
        callee(kind);
    else
        streams(kind);
    return 0;
}
