// SPDX-License-Identifier: BSD-3-Clause
#include "common/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct {
    const char *name;
    const char *unit;
    uint32_t size; // 0: the checksum of the drops' names
} records[] = {
    {"command", "bytes", sizeof(struct tl_command)},
    {"completion", "bytes", sizeof(struct tl_completion)},
    {"event", "bytes", sizeof(struct tl_event)},
    {"header of the live table", "bytes", sizeof(struct tl_live_header)},
    {"worker record", "bytes", sizeof(struct tl_live_worker)},
    {"session record", "bytes", sizeof(struct tl_live_session)},
    {"list of drops", "reasons", TL_DROP_COUNT},
    {"list of the drops' names", "as checksum", 0},
};
enum { RECORDS = sizeof records / sizeof records[0] };
static_assert((int)RECORDS <= (int)TL_RECORDS_MAX, "the greeting has a place for each");

static uint32_t size_of(int record)
{
    if (record >= RECORDS)
        return 0;
    return records[record].size ? records[record].size : tl_drop_digest();
}

void tl_greeting_init(struct tl_greeting *greeting, unsigned loops)
{
    memset(greeting, 0, sizeof *greeting);
    greeting->magic = TL_CONTRACT_MAGIC;
    greeting->version = TL_CONTRACT_VERSION;
    greeting->loops = loops;
    greeting->slots = TL_RING_SLOTS;
    for (int i = 0; i < RECORDS; i++)
        greeting->sizes[i] = size_of(i);
}

static const char remedy[] = "install both from the same release and restart the older one";

bool tl_greeting_fits(const void *greeting, size_t len, const char *peer, const char *self, char *sentence)
{
    struct tl_greeting got = {0};

    memcpy(&got, greeting, len < sizeof got ? len : sizeof got);
    if (len < offsetof(struct tl_greeting, loops) || got.magic != TL_CONTRACT_MAGIC) {
        snprintf(sentence, TL_SENTENCE_LEN, "%s does not speak Trunkline's contract; check the socket's path",
                 peer);
        return false;
    }
    if (got.version != TL_CONTRACT_VERSION) {
        snprintf(sentence, TL_SENTENCE_LEN, "%s speaks contract version %u and %s version %u; %s", peer,
                 got.version, self, TL_CONTRACT_VERSION, remedy);
        return false;
    }
    if (len != sizeof got) {
        snprintf(sentence, TL_SENTENCE_LEN, "%s greets with %zu bytes and %s with %zu; %s", peer, len, self,
                 sizeof got, remedy);
        return false;
    }
    for (int i = 0; i < TL_RECORDS_MAX; i++) {
        uint32_t ours = size_of(i);
        if (got.sizes[i] == ours)
            continue;
        snprintf(sentence, TL_SENTENCE_LEN, "the %s of %s has %u %s and that of %s %u; %s",
                 i < RECORDS ? records[i].name : "unknown record", peer, got.sizes[i],
                 i < RECORDS ? records[i].unit : "bytes", self, ours, remedy);
        return false;
    }
    if (got.slots != TL_RING_SLOTS) {
        snprintf(sentence, TL_SENTENCE_LEN, "the rings of %s have %u slots and those of %s %u; %s", peer,
                 got.slots, self, (unsigned)TL_RING_SLOTS, remedy);
        return false;
    }
    return true;
}

static size_t loop_size(void)
{
    return tl_ring_bytes(TL_RING_SLOTS, sizeof(struct tl_command)) +
           tl_ring_bytes(TL_RING_SLOTS, sizeof(struct tl_completion)) +
           tl_ring_bytes(TL_RING_SLOTS, sizeof(struct tl_event));
}

size_t tl_channel_rings_size(unsigned loops)
{
    return loops * loop_size();
}

void tl_channel_rings_init(void *base, unsigned loop, struct tl_ring *command, struct tl_ring *completion,
                           struct tl_ring *event)
{
    unsigned char *at = (unsigned char *)base + loop * loop_size();

    tl_ring_init(command, at, TL_RING_SLOTS, sizeof(struct tl_command));
    at += tl_ring_bytes(TL_RING_SLOTS, sizeof(struct tl_command));
    tl_ring_init(completion, at, TL_RING_SLOTS, sizeof(struct tl_completion));
    at += tl_ring_bytes(TL_RING_SLOTS, sizeof(struct tl_completion));
    tl_ring_init(event, at, TL_RING_SLOTS, sizeof(struct tl_event));
}

int tl_bell_pair(int ends[2])
{
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0 ? -errno : 0;
}

void tl_bell_ring(int bell)
{
    // A full buffer means that it rings already; a peer that is gone is noticed on the connection.
    ssize_t n = send(bell, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    (void)n;
}

void tl_bell_clear(int bell)
{
    char rings[512];
    while (recv(bell, rings, sizeof rings, MSG_DONTWAIT) == (ssize_t)sizeof rings)
        ;
}

int tl_channel_send(int sock, const void *message, size_t len, const int *fds, unsigned count)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(TL_CHANNEL_FDS_MAX * sizeof(int))];
    } control = {0};
    struct iovec io = {.iov_base = (void *)(uintptr_t)message, .iov_len = len};
    struct msghdr msg = {.msg_iov = &io, .msg_iovlen = 1};

    if (count > TL_CHANNEL_FDS_MAX)
        return -EINVAL;
    if (count) {
        msg.msg_control = control.bytes;
        msg.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(c), fds, count * sizeof(int));
    }
    return sendmsg(sock, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int tl_channel_recv(int sock, void *message, size_t len, int *fds, unsigned room, unsigned *count)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(TL_CHANNEL_FDS_MAX * sizeof(int))];
    } control;
    struct iovec io = {.iov_base = message, .iov_len = len};
    struct msghdr msg = {.msg_iov = &io, .msg_iovlen = 1};

    *count = 0;
    if (room) { // else the kernel keeps descriptors from us
        msg.msg_control = control.bytes;
        msg.msg_controllen = sizeof control.bytes;
    }
    ssize_t n = recvmsg(sock, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n < 0)
        return -errno;
    bool fits = !(msg.msg_flags & MSG_TRUNC) && !(room && (msg.msg_flags & MSG_CTRUNC));
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t got = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < got; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            if (*count < room)
                fds[(*count)++] = fd;
            else {
                close(fd);
                fits = false;
            }
        }
    }
    if (!fits) {
        while (*count)
            close(fds[--*count]);
        return -EMSGSIZE;
    }
    return (int)n;
}

int tl_channel_peer(int sock, uint32_t *uid, int *pid)
{
    struct ucred cred;
    socklen_t len = sizeof cred;

    if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
        return -errno;
    *uid = cred.uid;
    *pid = cred.pid;
    return 0;
}

bool tl_channel_trusts(uint32_t uid)
{
    return uid == 0 || uid == geteuid();
}
