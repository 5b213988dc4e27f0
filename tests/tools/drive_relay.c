// SPDX-License-Identifier: BSD-3-Clause
// Drives a running dataplane without SIP: a control of its own and kernel UDP sockets in the parties'
// namespaces. Sets up sessions, sends RTP and RTCP both ways, checks every packet that comes out, and what
// must not come out.
//   drive_relay --socket PATH --peer NS,IP,MEDIA --core NS,IP,MEDIA [--sessions N] [--packets N] [--kill PID]
//   [--lost REASON]
// With --kill: kills that process once media has flowed, sees the control side notice, waits until another
// one answers, and does it all again. Prints a line per check; the last is `N passed, N failed, 0 skipped`.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/bytes.h"
#include "tests/fakes/fake_control.h"

enum {
    SESSIONS_MAX = 200,
    PAYLOAD = 160,
    RTP = 12 + PAYLOAD,
    SR = 28,
    EARLY = 5,     // packets before the answer
    FORGED = 7,    // from a wrong source
    GARBAGE = 3,   // no RTP
    STRAY = 4,     // to a port of no session
    RTCP_EACH = 10 // RTP packets
};

// One party of a session.
struct side {
    int rtp, rtcp; // sockets; rtcp is rtp with mux
    bool mux;
    struct sockaddr_in to;   // gateway's RTP
    uint16_t seq, first_out; // next to send; sequence number of the first that came out
    uint32_t ssrc, ts, first_ts;
    unsigned sent, got; // RTP
    unsigned rtcp_sent, rtcp_got;
    unsigned wrong; // packets that were not as they must be
    char why[128];  // the first of them
};

struct session {
    uint64_t call_ref;
    struct tl_handle handle;
    struct tl_addr local[2];
    struct side side[2];
};

static const char *socket_path;
static struct {
    const char *ns;
    struct in_addr ip, media;
} party[2];
static unsigned session_count = 6, packet_count = 200;
static struct fake_control control;
static struct session sessions[SESSIONS_MAX];
static enum tl_drop lost = TL_DROP_COUNT; // why nothing reaches the peer
static bool noise;                        // others send too
static unsigned passed, failed;

__attribute__((format(printf, 2, 3))) static bool check(bool ok, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    printf(ok ? "ok   " : "FAIL ");
    vprintf(format, values);
    va_end(values);
    putchar('\n');
    *(ok ? &passed : &failed) += 1;
    return ok;
}

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    fprintf(stderr, "drive_relay: ");
    vfprintf(stderr, format, values);
    va_end(values);
    fputc('\n', stderr);
    printf("%u passed, %u failed, 0 skipped\n", passed, failed + 1);
    exit(1);
}

static void rest(unsigned ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
}

// ---- sockets -----------------------------------------------------------------------------------------

static void enter(unsigned who)
{
    char path[256];
    snprintf(path, sizeof path, "/run/netns/%s", party[who].ns);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || setns(fd, CLONE_NEWNET) != 0)
        die("namespace %s: %s", party[who].ns, strerror(errno));
    close(fd);
}

// A socket of a party on that port, 0 for any.
static int open_socket(unsigned who, uint16_t port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = party[who].ip};
    enter(who);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), size = 4 << 20;
    // Sends from an address that is not the kernel's, for which therefore nobody answers ARP.
    if (lost == TL_DROP_no_neighbour)
        setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &(int){1}, sizeof(int));
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) != 0)
        die("party %u port %u: %s", who, port, strerror(errno));
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    return fd;
}

static void send_to(int fd, const struct sockaddr_in *to, unsigned port_offset, const void *bytes, size_t len)
{
    struct sockaddr_in at = *to;
    at.sin_port = htons((uint16_t)(ntohs(to->sin_port) + port_offset));
    if (sendto(fd, bytes, len, 0, (struct sockaddr *)&at, sizeof at) != (ssize_t)len)
        die("send: %s", strerror(errno));
}

// ---- packets -----------------------------------------------------------------------------------------

// telephone-event is 101 at the peer and 96 at the core; every fifth packet is one.
static uint8_t type_of(unsigned who, unsigned number)
{
    return number % 5 ? 8 : who ? 96 : 101;
}

// What packet `number` of a side carries: its number and a pattern of it.
static void make_payload(uint8_t *out, unsigned who, unsigned number)
{
    tl_put32(out, number);
    for (unsigned i = 4; i < PAYLOAD; i++)
        out[i] = (uint8_t)(number * 31 + i * (who + 1));
}

static size_t make_rtp(uint8_t *out, struct side *s, unsigned who, unsigned number)
{
    out[0] = 0x80;
    out[1] = type_of(who, number) | (number % 7 == 0 ? 0x80 : 0);
    tl_put16(out + 2, s->seq++);
    tl_put32(out + 4, s->ts + number * 160);
    tl_put32(out + 8, s->ssrc);
    make_payload(out + 12, who, number);
    return RTP;
}

static size_t make_sr(uint8_t *out, const struct side *s)
{
    memset(out, 0, SR);
    out[0] = 0x80;
    out[1] = 200;
    tl_put16(out + 2, SR / 4 - 1);
    tl_put32(out + 4, s->ssrc);
    tl_put32(out + 20, s->sent);
    tl_put32(out + 24, s->sent * PAYLOAD);
    return SR;
}

static void send_rtp(struct session *x, unsigned who)
{
    struct side *s = &x->side[who];
    uint8_t packet[RTP];
    send_to(s->rtp, &s->to, 0, packet, make_rtp(packet, s, who, s->sent));
    s->sent++;
    if (s->sent % RTCP_EACH)
        return;
    send_to(s->rtcp, &s->to, s->mux ? 0 : 1, packet, make_sr(packet, s));
    s->rtcp_sent++;
}

// ---- what comes out ----------------------------------------------------------------------------------

__attribute__((format(printf, 2, 3))) static void wrong(struct side *s, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    if (s->wrong++ == 0)
        vsnprintf(s->why, sizeof s->why, format, values);
    va_end(values);
}

static void judge_rtp(struct side *s, unsigned who, const uint8_t *p, ssize_t len)
{
    uint8_t expected[PAYLOAD];
    unsigned number = s->got++;
    uint16_t seq = (uint16_t)(p[2] << 8 | p[3]);
    if (len != RTP) {
        wrong(s, "packet %u has %zd bytes", number, len);
        return;
    }
    if (number == 0) {
        s->first_out = seq;
        s->first_ts = tl_get32(p + 4);
    }
    make_payload(expected, !who, number);
    if (memcmp(p + 12, expected, PAYLOAD) != 0)
        wrong(s, "packet %u carries number %u", number, tl_get32(p + 12));
    else if ((p[1] & 0x7f) != type_of(who, number) || p[1] >> 7 != (number % 7 == 0))
        wrong(s, "packet %u has payload type %u, marker %u", number, p[1] & 0x7f, p[1] >> 7);
    else if ((uint16_t)(seq - s->first_out) != (uint16_t)number ||
             tl_get32(p + 4) - s->first_ts != number * 160)
        wrong(s, "packet %u has sequence %u, timestamp %u", number, seq, tl_get32(p + 4));
    else if (p[0] != 0x80)
        wrong(s, "packet %u begins with %#x", number, p[0]);
}

static void judge(struct side *s, unsigned who, int fd)
{
    uint8_t p[2048];
    struct sockaddr_in from;
    socklen_t from_len = sizeof from;
    for (ssize_t len; (len = recvfrom(fd, p, sizeof p, 0, (struct sockaddr *)&from, &from_len)) >= 0;) {
        bool rtcp = len >= 8 && p[1] >= 200 && p[1] <= 204;
        unsigned port = ntohs(s->to.sin_port) + (rtcp && !s->mux ? 1 : 0);
        if (from.sin_addr.s_addr != s->to.sin_addr.s_addr || ntohs(from.sin_port) != port)
            wrong(s, "a packet came from port %u, not %u", ntohs(from.sin_port), port);
        if (rtcp != (fd == s->rtcp) && !s->mux)
            wrong(s, "a packet came to the wrong port");
        if (!rtcp)
            judge_rtp(s, who, p, len);
        else if (len != SR || p[0] != 0x80 || p[1] != 200)
            wrong(s, "RTCP of %zd bytes, type %u", len, p[1]);
        else
            s->rtcp_got++;
    }
}

static void drain(void)
{
    for (unsigned i = 0; i < session_count; i++) {
        for (unsigned who = 0; who < 2; who++) {
            struct side *s = &sessions[i].side[who];
            judge(s, who, s->rtp);
            if (s->rtcp != s->rtp)
                judge(s, who, s->rtcp);
        }
    }
}

// ---- sessions ----------------------------------------------------------------------------------------

static struct tl_leg make_leg(const struct session *x, unsigned who, bool known)
{
    const struct side *s = &x->side[who];
    struct sockaddr_in at;
    socklen_t len = sizeof at;
    getsockname(s->rtp, (struct sockaddr *)&at, &len);
    char ip[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, &at.sin_addr, ip, sizeof ip);
    struct tl_leg leg = fake_leg(who ? "core" : "peer", known ? ip : NULL, ntohs(at.sin_port));
    leg.pt_count = 3;
    memcpy(leg.pt_in, (uint8_t[]){8, 0, who ? 96 : 101}, 3);
    memcpy(leg.pt_out, (uint8_t[]){8, 0, who ? 101 : 96}, 3);
    if (s->mux)
        leg.flags |= TL_LEG_RTCP_MUX;
    return leg;
}

// ADD with the core side still unknown, as a call begins. Session i has RTCP mux on neither, one, the other
// or both legs.
static bool add_session(unsigned i)
{
    struct session *x = &sessions[i];
    memset(x, 0, sizeof *x);
    if (getrandom(&x->call_ref, sizeof x->call_ref, 0) < 0)
        return false;
    for (unsigned who = 0; who < 2; who++) {
        struct side *s = &x->side[who];
        uint16_t port = (uint16_t)(30000 + i * 4);
        s->mux = i >> who & 1;
        s->rtp = open_socket(who, port);
        s->rtcp = s->mux ? s->rtp : open_socket(who, (uint16_t)(port + 1));
        s->seq = (uint16_t)(65536 - packet_count / 2); // wraps half way
        s->ssrc = 0x1000 * (who + 1) + i;
        s->ts = 0xffffff00u - i;
    }
    struct tl_leg leg[2] = {make_leg(x, 0, true), make_leg(x, 1, false)};
    int status = fake_control_add(&control, x->call_ref, leg, &x->handle, x->local);
    if (status != 0)
        return check(false, "ADD of session %u: %s", i, strerror(-status));
    bool good = true;
    for (unsigned who = 0; who < 2; who++) {
        struct sockaddr_in *to = &x->side[who].to;
        *to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(x->local[who].port)};
        memcpy(&to->sin_addr, x->local[who].ip, 4);
        good &= x->local[who].port % 2 == 0 && to->sin_addr.s_addr == party[who].media.s_addr;
    }
    return good || check(false, "ADD of session %u gave an address that is not the realm's", i);
}

static bool answer_session(unsigned i)
{
    struct session *x = &sessions[i];
    struct tl_leg leg[2] = {make_leg(x, 0, true), make_leg(x, 1, true)};
    int status = fake_control_modify(&control, &x->handle, 2, leg);
    return status == 0 || check(false, "MODIFY of session %u: %s", i, strerror(-status));
}

static uint64_t drops_of(const struct session *x, unsigned leg, enum tl_drop reason)
{
    struct tl_session_snapshot snapshot;
    return fake_control_read(&control, &x->handle, &snapshot) == 0 ? snapshot.leg[leg].drops[reason]
                                                                   : UINT64_MAX;
}

static void sum_workers(struct tl_worker_snapshot *sum)
{
    memset(sum, 0, sizeof *sum);
    struct tl_worker_snapshot w;
    for (uint32_t i = 0; tl_live_read_worker(tl_client_live(control.client), i, &w) == 0; i++) {
        sum->rx_nic += w.rx_nic, sum->tx += w.tx, sum->tx_own += w.tx_own, sum->waiting += w.waiting;
        sum->handed_off += w.handed_off, sum->rx_handoff += w.rx_handoff, sum->absorbed += w.absorbed;
        for (unsigned d = 0; d < TL_DROP_COUNT; d++)
            sum->drops[d] += w.drops[d];
    }
}

// Each worker's packets add up once nothing moves any more.
static void check_identity(void)
{
    struct tl_worker_snapshot w;
    for (uint32_t i = 0; tl_live_read_worker(tl_client_live(control.client), i, &w) == 0; i++) {
        uint64_t in = 0, out = 1;
        for (unsigned ms = 0; ms < 5000 && in != out; ms += 20, rest(20)) {
            tl_live_read_worker(tl_client_live(control.client), i, &w);
            in = w.rx_nic + w.rx_handoff;
            out = w.tx + w.punted + w.handed_off + w.absorbed + w.waiting;
            for (unsigned d = 0; d < TL_DROP_COUNT; d++)
                out += w.drops[d];
        }
        check(in == out, "worker %u: %llu packets in, %llu accounted for (%llu sent, %llu handed off)", i,
              (unsigned long long)in, (unsigned long long)out, (unsigned long long)w.tx,
              (unsigned long long)w.handed_off);
    }
}

// ---- checks ------------------------------------------------------------------------------------------

// Waits until a drop counter of a leg is `want`; false after a second.
static bool wait_drops(const struct session *x, unsigned leg, enum tl_drop reason, uint64_t want)
{
    for (unsigned ms = 0; ms < 1000; ms += 5, rest(5))
        if (drops_of(x, leg, reason) == want)
            return true;
    return false;
}

static void check_before_answer(void)
{
    struct session *x = &sessions[0];
    uint8_t packet[RTP];
    struct side copy[2] = {x->side[0], x->side[1]};
    for (unsigned i = 0; i < EARLY; i++)
        for (unsigned who = 0; who < 2; who++)
            send_to(x->side[who].rtp, &x->side[who].to, 0, packet, make_rtp(packet, &copy[who], who, i));
    check(wait_drops(x, 0, TL_DROP_other_leg_incomplete, EARLY),
          "before the answer the peer's media is dropped as %s", tl_drop_label(TL_DROP_other_leg_incomplete));
    check(wait_drops(x, 1, TL_DROP_leg_incomplete, EARLY),
          "before the answer the core's media is dropped as %s", tl_drop_label(TL_DROP_leg_incomplete));
}

static void flow(void)
{
    for (unsigned n = 0; n < packet_count; n++) {
        for (unsigned i = 0; i < session_count; i++)
            for (unsigned who = 0; who < 2; who++)
                send_rtp(&sessions[i], who);
        drain();
        rest(2);
    }
    for (unsigned ms = 0; ms < 3000; ms += 5, rest(5)) {
        bool all = true;
        drain();
        for (unsigned i = 0; i < session_count; i++)
            for (unsigned who = 0; who < 2; who++)
                all &= (who == 0 && lost != TL_DROP_COUNT) ||
                       (sessions[i].side[who].got >= packet_count &&
                        sessions[i].side[who].rtcp_got >= sessions[i].side[!who].rtcp_sent);
        if (all)
            return;
    }
}

// Nothing came to the peer, and each packet has a reason; while ARP is being tried that is neighbour_queue.
static void check_lost(unsigned sent, unsigned got)
{
    struct tl_worker_snapshot sum;
    uint64_t drops = 0;
    for (unsigned ms = 0; ms < 6000; ms += 20, rest(20)) {
        sum_workers(&sum);
        drops = sum.drops[lost] + (lost == TL_DROP_no_neighbour ? sum.drops[TL_DROP_neighbour_queue] : 0);
        if (sum.drops[lost] > 0 && drops >= sent)
            break;
    }
    check(got == 0 && sum.drops[lost] > 0 && drops == sent,
          "core to peer: %u sent, %u received, %llu dropped as %s", sent, got, (unsigned long long)drops,
          tl_drop_label(lost));
}

static void check_flow(void)
{
    for (unsigned who = 0; who < 2; who++) {
        unsigned sent = 0, got = 0, rtcp_sent = 0, rtcp_got = 0, bad = 0;
        const char *why = "";
        for (unsigned i = 0; i < session_count; i++) {
            const struct side *from = &sessions[i].side[!who], *to = &sessions[i].side[who];
            sent += from->sent, got += to->got, rtcp_sent += from->rtcp_sent, rtcp_got += to->rtcp_got;
            bad += to->wrong;
            if (to->wrong && !*why)
                why = to->why;
        }
        const char *name = who ? "peer to core" : "core to peer";
        if (who == 0 && lost != TL_DROP_COUNT) {
            check_lost(sent + rtcp_sent, got + rtcp_got);
            continue;
        }
        check(sent == got, "%s: %u RTP sent, %u received", name, sent, got);
        check(rtcp_sent == rtcp_got, "%s: %u RTCP sent, %u received", name, rtcp_sent, rtcp_got);
        check(bad == 0, "%s: %u packets not as they must be %s", name, bad, why);
    }
}

// What no session asked for goes nowhere and is counted by its name.
static void check_refused(void)
{
    struct session *x = &sessions[0];
    struct tl_worker_snapshot before, after;
    uint8_t packet[RTP];
    struct side copy = x->side[0];
    int stranger = open_socket(0, 0);
    sum_workers(&before);
    for (unsigned i = 0; i < FORGED; i++)
        send_to(stranger, &x->side[0].to, 0, packet, make_rtp(packet, &copy, 0, i));
    check(wait_drops(x, 0, TL_DROP_wrong_source, FORGED),
          "media from another port is dropped as wrong_source");
    for (unsigned i = 0; i < GARBAGE; i++)
        send_to(x->side[0].rtp, &x->side[0].to, 0, "GET / HTTP/1.0\r\n\r\n", 18);
    check(wait_drops(x, 0, TL_DROP_not_rtp, GARBAGE), "what is no RTP is dropped as not_rtp");
    for (unsigned i = 0; i < STRAY; i++)
        send_to(x->side[0].rtp, &x->side[0].to, 2000, packet, make_rtp(packet, &copy, 0, i));
    for (unsigned ms = 0; ms < 1000; ms += 5, rest(5)) {
        sum_workers(&after);
        if (after.drops[TL_DROP_unknown_port] - before.drops[TL_DROP_unknown_port] == STRAY)
            break;
    }
    check(after.drops[TL_DROP_unknown_port] - before.drops[TL_DROP_unknown_port] == STRAY,
          "media to a port of no session is dropped as unknown_port");
    unsigned got = x->side[1].got;
    rest(50);
    drain();
    check(x->side[1].got == got, "none of it came out on the other side");
    close(stranger);
}

static void check_delete(void)
{
    unsigned bad = 0;
    for (unsigned i = 0; i < session_count; i++) {
        struct session *x = &sessions[i];
        struct tl_leg_counters c[2];
        int status = fake_control_del(&control, &x->handle, c);
        for (unsigned leg = 0; leg < 2 && status == 0; leg++) {
            const struct side *s = &x->side[leg];
            uint64_t drops = i ? 0 : leg ? EARLY : EARLY + FORGED + GARBAGE;
            if (noise)
                drops = c[leg].drops;
            // What the peer sent before the answer was taken from it and dropped for want of another side.
            uint64_t in = s->sent + (i == 0 && leg == 0 ? EARLY : 0);
            if (lost != TL_DROP_COUNT && leg == 0)
                continue; // what waited for ARP was counted as sent
            if (lost == TL_DROP_no_route)
                drops += s->sent + s->rtcp_sent;
            if (c[leg].rx_packets != in || c[leg].tx_packets != s->got || c[leg].rx_rtcp != s->rtcp_sent ||
                c[leg].tx_rtcp != s->rtcp_got || c[leg].rx_octets != in * RTP ||
                c[leg].tx_octets != (uint64_t)s->got * RTP ||
                (c[leg].drops != drops && lost != TL_DROP_no_neighbour)) {
                printf("     session %u leg %u: in %llu/%u out %llu/%u, RTCP in %llu/%u out %llu/%u, drops "
                       "%llu/%llu\n",
                       i, leg, (unsigned long long)c[leg].rx_packets, s->sent,
                       (unsigned long long)c[leg].tx_packets, s->got, (unsigned long long)c[leg].rx_rtcp,
                       s->rtcp_sent, (unsigned long long)c[leg].tx_rtcp, s->rtcp_got,
                       (unsigned long long)c[leg].drops, (unsigned long long)drops);
                status = -1;
            }
        }
        bad += status != 0;
        for (unsigned who = 0; who < 2; who++) {
            close(x->side[who].rtp);
            if (x->side[who].rtcp != x->side[who].rtp)
                close(x->side[who].rtcp);
        }
    }
    check(bad == 0, "final counters of %u of %u sessions are what was sent and received", session_count - bad,
          session_count);
    check(fake_control_del(&control, &sessions[0].handle, NULL) == -ENOENT,
          "a deleted session's handle is stale");
    struct tl_list_entry none[1];
    uint32_t count = 99;
    check(fake_control_list(&control, none, 1, &count) == 0 && count == 0, "no session is left");
}

static bool run(void)
{
    for (unsigned i = 0; i < session_count; i++)
        if (!add_session(i))
            return false;
    check(true, "%u sessions added", session_count);
    check_before_answer();
    for (unsigned i = 0; i < session_count; i++)
        if (!answer_session(i))
            return false;
    rest(100); // the dataplane asks for the next hops; only one packet for each waits for the answer
    flow();
    check_flow();
    if (!noise)
        check_refused();
    return true;
}

// Kills the dataplane under its sessions. The live table stays readable; the next one knows nothing of them.
static bool kill_and_wait(pid_t pid)
{
    struct tl_handle old = sessions[0].handle;
    struct tl_session_snapshot snapshot;
    kill(pid, SIGKILL);
    struct tl_command list = {.op = TL_OP_LIST};
    struct tl_completion done;
    int status = 0;
    for (unsigned ms = 0; ms < 2000 && status != -ENOTCONN; ms += 10, rest(10))
        status = fake_control_call(&control, &list, &done);
    check(status == -ENOTCONN, "control sees that the dataplane died: %s", strerror(-status));
    check(fake_control_read(&control, &old, &snapshot) == 0 &&
              snapshot.leg[0].counters.rx_packets == packet_count + EARLY,
          "the dead one's live table still says how far each stream was");
    fake_control_close(&control);
    printf("killed\n");
    fflush(stdout);
    for (unsigned tries = 0; tries < 5; tries++)
        if (fake_control_open(&control, socket_path, NULL, NULL) == 0)
            break;
    if (!check(control.client != NULL, "another dataplane shakes hands"))
        return false;
    check(tl_client_live(control.client)->incarnation != old.incarnation, "it is another incarnation");
    check(fake_control_del(&control, &old, NULL) == -ENOENT, "the old handle means nothing to it");
    for (unsigned i = 0; i < session_count; i++) {
        for (unsigned who = 0; who < 2; who++) {
            close(sessions[i].side[who].rtp);
            if (!sessions[i].side[who].mux)
                close(sessions[i].side[who].rtcp);
        }
    }
    return true;
}

// ---- command line ------------------------------------------------------------------------------------

static void read_party(unsigned who, char *text)
{
    char *ns = strtok(text, ","), *ip = strtok(NULL, ","), *media = strtok(NULL, ",");
    if (!media || inet_pton(AF_INET, ip, &party[who].ip) != 1 ||
        inet_pton(AF_INET, media, &party[who].media) != 1)
        die("a party is NAMESPACE,ADDRESS,MEDIA-ADDRESS");
    party[who].ns = ns;
}

int main(int argc, char **argv)
{
    static const struct option known[] = {
        {"socket", 1, NULL, 's'},   {"peer", 1, NULL, 'p'},    {"core", 1, NULL, 'c'},
        {"kill", 1, NULL, 'k'},     {"lost", 1, NULL, 'l'},    {"noise", 0, NULL, 'x'},
        {"sessions", 1, NULL, 'n'}, {"packets", 1, NULL, 'm'}, {0}};
    pid_t victim = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int o; (o = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        switch (o) {
        case 's':
            socket_path = optarg;
            break;
        case 'p':
        case 'c':
            read_party(o == 'c', optarg);
            break;
        case 'k':
            victim = atoi(optarg);
            break;
        case 'l':
            for (lost = 0; lost < TL_DROP_COUNT && strcmp(tl_drop_label(lost), optarg) != 0;)
                lost++;
            if (lost == TL_DROP_COUNT)
                die("no drop is called %s", optarg);
            break;
        case 'x':
            noise = true;
            break;
        case 'n':
            session_count = (unsigned)atoi(optarg);
            break;
        case 'm':
            packet_count = (unsigned)atoi(optarg);
            break;
        default:
            die("unknown option");
        }
    }
    if (!socket_path || !party[0].ns || !party[1].ns || session_count == 0 || session_count > SESSIONS_MAX)
        die("--socket, --peer and --core are needed, --sessions is 1 to %d", SESSIONS_MAX);
    if (!check(fake_control_open(&control, socket_path, NULL, NULL) == 0, "the dataplane shakes hands"))
        die("nobody to drive");
    bool ran = run();
    if (ran && victim > 0)
        ran = kill_and_wait(victim) && run();
    if (ran) {
        check_delete();
        check_identity();
    }
    fake_control_close(&control);
    printf("%u passed, %u failed, 0 skipped\n", passed, failed);
    return failed != 0;
}
