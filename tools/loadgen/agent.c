// SPDX-License-Identifier: BSD-3-Clause
#include "tools/loadgen/agent.h"

#include "tools/loadgen/report.h"
#include "tools/loadgen/tls.h"
#include "tools/loadgen/trace.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum {
    HASH_SIZE = 4096,
    LINGER_MS = 1700, // after the last call: our answer to a BYE may be lost, and the BYE comes again after
                      // 0.5 and 1.5 s
    STOP_LINGER_MS = 300, // likewise after a signal, when somebody waits
    STOP_TWICE_MS = 500,  // a second signal so much later is meant; timeout(1) sends two at once
    STOP_GRACE_MS = 6000, // from a signal to the end, answered or not
    PLACE_AT_ONCE = 20,   // calls per clock tick, when the program was late
    OTHER_FDS = 64,
};

static struct agent *running; // libre's signal handler has no argument

int64_t agent_now_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

void agent_call_named(struct agent *a, struct call *c)
{
    if (str_dup(&c->call_id, sip_dialog_callid(sipsess_dialog(c->session))) != 0)
        return;
    hash_append(a->by_call_id, hash_joaat_str(c->call_id), &c->he, c);
    list_append(&a->slots[a->next_slot++ % AGENT_SLOTS], &c->slot, c);
}

void agent_call_up(struct agent *a, struct call *c)
{
    (void)c;
    a->up++;
}

void agent_call_over(struct agent *a, struct call *c)
{
    if (c->up_us != 0)
        a->up--;
    if (c->role == CALL_CALLER)
        a->over_placed++;
    else
        a->over_incoming++;
}

static void invited(const struct sip_msg *msg, void *arg)
{
    call_answer(arg, msg);
}

// Requests outside of calls. ACK never comes here: libre's session layer takes it.
static bool take_request(const struct sip_msg *msg, void *arg)
{
    struct agent *a = arg;

    if (pl_strcmp(&msg->met, "OPTIONS") == 0) {
        a->options_seen++;
        sip_replyf(a->sip, msg, 200, "OK",
                   "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\nAccept: application/sdp\r\nContent-Length: "
                   "0\r\n\r\n");
    } else if (pl_strcmp(&msg->met, "CANCEL") == 0) {
        a->stray++;
        sip_reply(a->sip, msg, 481, "Transaction Does Not Exist");
    } else {
        a->stray++;
        sip_replyf(a->sip, msg, 405, "Method Not Allowed",
                   "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\nContent-Length: 0\r\n\r\n");
    }
    return true;
}

static bool take_response(const struct sip_msg *msg, void *arg)
{
    struct agent *a = arg;

    (void)msg;
    a->stray++;
    return true;
}

static bool same_call_id(struct le *le, void *arg)
{
    const struct call *c = le->data;
    const struct trace_text *id = arg;

    return strlen(c->call_id) == id->length && memcmp(c->call_id, id->text, id->length) == 0;
}

// libre doesn't tell how a BYE or a refused re-INVITE was answered.
static void note_response(struct agent *a, const uint8_t *data, size_t length)
{
    struct trace_response r;

    if (!trace_read((const char *)data, length, &r) || r.status < 200)
        return;
    const uint32_t key = hash_joaat((const uint8_t *)r.call_id.text, r.call_id.length);
    struct call *c = list_ledata(hash_lookup(a->by_call_id, key, same_call_id, &r.call_id));
    if (c == NULL)
        return;
    if (r.method.length == 3 && memcmp(r.method.text, "BYE", 3) == 0)
        c->bye_status = r.status;
    else if (r.status >= 300)
        c->last_error = r.status;
}

static void traced(bool tx, enum sip_transp tp, const struct sa *src, const struct sa *dst,
                   const uint8_t *data, size_t length, void *arg)
{
    struct agent *a = arg;

    if (a->options->trace)
        re_fprintf(stderr, "%.3f %s %J -> %J\n%b\n", (double)(agent_now_us() - a->start_us) / 1e6,
                   sip_transp_name(tp), src, dst, data, length);
    if (!tx)
        note_response(a, data, length);
}

static void stop(struct agent *a)
{
    const int64_t now_us = agent_now_us();

    if (a->stopping) {
        if (now_us - a->stop_us >= INT64_C(1000) * STOP_TWICE_MS)
            re_cancel();
        return;
    }
    a->stopping = true;
    a->stop_us = now_us;
    a->done_us = now_us + INT64_C(1000) * (STOP_GRACE_MS - STOP_LINGER_MS);
    for (struct le *le = a->calls.head; le != NULL; le = le->next)
        call_hang_up_early(le->data);
}

static void signalled(int sig)
{
    (void)sig;
    stop(running);
}

static void place_due(struct agent *a, int64_t now_us)
{
    const double elapsed = (double)(now_us - a->start_us) / 1e6 - a->options->start_after;

    if (elapsed < 0)
        return;
    const uint32_t due = (uint32_t)(elapsed * a->options->cps) + 1;
    for (uint32_t i = 0; i < PLACE_AT_ONCE && a->placed < a->options->calls && a->placed < due; i++)
        call_place(a, a->options->first_call + a->placed++);
}

static bool all_over(const struct agent *a)
{
    if (a->over_placed < a->placed || a->over_incoming < a->incoming)
        return false;
    if (a->stopping)
        return true;
    // one that neither places nor expects calls answers until it is told to stop
    return a->placed == a->options->calls && a->incoming >= a->options->expect_calls &&
           a->options->calls + a->options->expect_calls > 0;
}

static void check_end(struct agent *a, int64_t now_us)
{
    const uint32_t limit = a->options->duration_limit;

    if (limit != 0 && !a->stopping && now_us - a->start_us >= (int64_t)limit * 1000000) {
        a->limit_reached = true;
        stop(a);
    }
    if (!all_over(a)) {
        if (!a->stopping)
            a->done_us = 0;
    } else if (a->done_us == 0 || a->done_us > now_us) {
        a->done_us = now_us;
    }
    if (a->done_us != 0 && now_us - a->done_us >= INT64_C(1000) * (a->stopping ? STOP_LINGER_MS : LINGER_MS))
        re_cancel();
}

// Serves the slots whose time came, each once: what was missed is skipped, not sent in a burst.
static void tick(int flags, void *arg)
{
    struct agent *a = arg;
    const int64_t now_us = agent_now_us();
    uint64_t expired = 0;

    (void)flags;
    if (read(a->timer_fd, &expired, sizeof expired) != sizeof expired)
        return;
    a->ticks += expired;
    if (expired > AGENT_SLOTS)
        a->late_ticks += (uint32_t)(expired - AGENT_SLOTS);
    if (!a->stopping)
        place_due(a, now_us);

    const uint64_t serve = expired < AGENT_SLOTS ? expired : AGENT_SLOTS;
    for (uint64_t t = a->ticks - serve + 1; t <= a->ticks; t++) {
        struct le *le = a->slots[t % AGENT_SLOTS].head;

        while (le != NULL) {
            struct call *c = le->data;

            le = le->next;
            call_tick(c, (uint32_t)(t / AGENT_SLOTS));
        }
    }
    check_end(a, now_us);
}

static void each_second(void *arg)
{
    struct agent *a = arg;

    report_progress(a, stderr);
    tmr_start(&a->second, 1000, each_second, a);
}

static int start_clock(struct agent *a)
{
    const struct timespec period = {.tv_nsec = AGENT_TICK_MS * 1000000L};
    const struct itimerspec every = {period, period};

    a->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (a->timer_fd < 0 || timerfd_settime(a->timer_fd, 0, &every, NULL) != 0)
        return -errno;
    return -fd_listen(a->timer_fd, FD_READ, tick, a);
}

// Room for two sockets a call; the hard limit only root may raise.
static int make_room(const struct options *o)
{
    const uint32_t calls = o->calls + o->expect_calls;
    const rlim_t fds = (rlim_t)(calls < 1000 ? 1000 : calls) * 2 + OTHER_FDS;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < fds) {
        limit.rlim_cur = fds;
        if (limit.rlim_max < fds)
            limit.rlim_max = fds;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    return -fd_setsize((int)fds);
}

static int add_tls(struct agent *a)
{
    struct sa local;
    int err = tls_make(&a->tls, a->options->certificate, a->options->ca);

    if (err == 0)
        err = sa_set_str(&local, a->options->local.ip, (uint16_t)(a->options->local.port + 1));
    return err != 0 ? err : sip_transp_add(a->sip, SIP_TRANSP_TLS, &local, a->tls);
}

static int listen_sip(struct agent *a)
{
    struct sa local;
    int err = sa_set_str(&local, a->options->local.ip, a->options->local.port);

    err |= sip_alloc(&a->sip, NULL, HASH_SIZE, HASH_SIZE, HASH_SIZE, "trunkline-loadgen", NULL, a);
    if (err != 0)
        return err;
    sip_set_trace_handler(a->sip, traced);
    err = sip_transp_add(a->sip, SIP_TRANSP_UDP, &local);
    if (err == 0)
        err = sip_transp_add(a->sip, SIP_TRANSP_TCP, &local);
    if (err == 0 && options_have_tls(a->options))
        err = add_tls(a);
    if (err != 0)
        return err;
    err = sipsess_listen(&a->sock, a->sip, HASH_SIZE, invited, a);
    err |= sip_listen(&a->requests, a->sip, true, take_request, a);
    err |= sip_listen(&a->responses, a->sip, false, take_response, a);
    return err;
}

int agent_init(struct agent *a, const struct options *o, char *error, size_t size)
{
    memset(a, 0, sizeof *a);
    a->options = o;
    a->timer_fd = -1;
    a->ports = (struct ports){o->rtp_min, o->rtp_max, o->rtp_min};
    a->start_us = agent_now_us();
    tmr_init(&a->second);

    int err = -make_room(o);
    if (err == 0)
        err = hash_alloc(&a->by_call_id, HASH_SIZE);
    if (err != 0) {
        snprintf(error, size, "can't start: %s", strerror(err));
        return -err;
    }
    if (!tls_files_readable(o->certificate, o->ca, error, size))
        return -EINVAL;
    err = listen_sip(a);
    if (err == EADDRINUSE)
        snprintf(error, size, "%s:%u is taken: end the program that listens there or give another --local",
                 o->local.ip, o->local.port);
    else if (err == EADDRNOTAVAIL)
        snprintf(error, size, "%s is no address of this machine: give one of `ip address` as --local",
                 o->local.ip);
    else if (err != 0)
        snprintf(error, size, "can't listen on %s:%u: %s", o->local.ip, o->local.port, strerror(err));
    return -err;
}

int agent_run(struct agent *a)
{
    int error = start_clock(a);

    if (error != 0)
        return error;
    running = a;
    if (a->options->progress)
        tmr_start(&a->second, 1000, each_second, a);
    error = -re_main(signalled);
    tmr_cancel(&a->second);
    return error;
}

void agent_fini(struct agent *a)
{
    for (struct le *le = a->calls.head; le != NULL; le = le->next)
        call_abandon(le->data);
    if (a->timer_fd >= 0) {
        fd_close(a->timer_fd);
        close(a->timer_fd);
        a->timer_fd = -1;
    }
    a->sock = mem_deref(a->sock);
    a->requests = mem_deref(a->requests);
    a->responses = mem_deref(a->responses);
    sip_close(a->sip, true);
    a->sip = mem_deref(a->sip);
    a->tls = mem_deref(a->tls);
    if (a->by_call_id != NULL)
        hash_clear(a->by_call_id);
    a->by_call_id = mem_deref(a->by_call_id);
    list_flush(&a->calls);
}
