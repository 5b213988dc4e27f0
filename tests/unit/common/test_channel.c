// SPDX-License-Identifier: BSD-3-Clause
// Messages over the channel: bounds, order, peers that lie, controls that come and go.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/server_link.h"
#include "peer.h"
#include "runner.h"

static void there_and_back(void)
{
    struct tl_client *c = begin(1);
    struct tl_origin o;
    struct tl_event e = {.call_ref = 5, .type = TL_EVENT_SILENT}, got;

    CU_ASSERT_EQUAL(next_id(&o), 0);
    CU_ASSERT(!readable(tl_server_fd(dp.server)) && !readable(tl_client_loop_fd(c, 0)));
    for (uint64_t id = 1; id <= 3000; id += 3) {
        CU_ASSERT_EQUAL(send_id(c, 0, id), 0);
        CU_ASSERT_EQUAL(send_id(c, 0, id + 1), 0);
        CU_ASSERT_EQUAL(send_id(c, 0, id + 2), 0);
        CU_ASSERT(readable(tl_server_fd(dp.server)));
        peer_server_turn(&dp);
        for (uint64_t n = id; n < id + 3; n++) {
            CU_ASSERT_EQUAL(next_id(&o), n);
            complete(o, n);
        }
        CU_ASSERT_EQUAL(next_id(&o), 0);
        CU_ASSERT(!readable(tl_server_fd(dp.server)));
        CU_ASSERT(readable(tl_client_loop_fd(c, 0)));
        for (uint64_t n = id; n < id + 3; n++)
            CU_ASSERT_EQUAL(done_id(c, 0), n);
        CU_ASSERT_EQUAL(done_id(c, 0), 0);
        CU_ASSERT(!readable(tl_client_loop_fd(c, 0)));
    }
    CU_ASSERT_EQUAL(tl_server_event(dp.server, 0, &e), 0);
    CU_ASSERT(readable(tl_client_loop_fd(c, 0)));
    CU_ASSERT_EQUAL(done_id(c, 0), 0);
    CU_ASSERT(readable(tl_client_loop_fd(c, 0))); // looking for completions does not hide the event
    CU_ASSERT_EQUAL(tl_client_event(c, 0, &got), 0);
    CU_ASSERT(memcmp(&e, &got, sizeof e) == 0);
    CU_ASSERT_EQUAL(tl_client_event(c, 0, &got), -EAGAIN);
    CU_ASSERT(!readable(tl_client_loop_fd(c, 0)));
    CU_ASSERT(!readable(tl_client_fd(c)));
    tl_client_close(c);
    peer_server_close(&dp);
}

// A quiet command rings for neither side, and is found by who looks; one that rings brings it along.
static void quiet_commands(void)
{
    struct tl_client *c = begin(1);
    struct tl_origin o;
    struct tl_command command = {.id = 1, .op = TL_OP_DEL, .flags = TL_COMMAND_QUIET}, got;

    CU_ASSERT_EQUAL(tl_client_send(c, 0, &command), 0);
    CU_ASSERT(!readable(tl_server_fd(dp.server)));
    CU_ASSERT_EQUAL(tl_server_next(dp.server, &got, &o), 0);
    CU_ASSERT(got.id == 1 && o.quiet);
    complete(o, 1);
    CU_ASSERT(!readable(tl_client_loop_fd(c, 0)));
    CU_ASSERT_EQUAL(done_id(c, 0), 1);
    command.id = 2;
    CU_ASSERT_EQUAL(tl_client_send(c, 0, &command), 0);
    CU_ASSERT_EQUAL(send_id(c, 0, 3), 0);
    CU_ASSERT(readable(tl_server_fd(dp.server)));
    peer_server_turn(&dp);
    CU_ASSERT(tl_server_next(dp.server, &got, &o) == 0 && got.id == 2);
    complete(o, 2);
    CU_ASSERT(!readable(tl_client_loop_fd(c, 0)));
    CU_ASSERT_EQUAL(next_id(&o), 3);
    CU_ASSERT(!o.quiet);
    complete(o, 3);
    CU_ASSERT(next_id(&o) == 0 && !readable(tl_server_fd(dp.server)));
    CU_ASSERT(readable(tl_client_loop_fd(c, 0)));
    CU_ASSERT(done_id(c, 0) == 2 && done_id(c, 0) == 3 && done_id(c, 0) == 0);
    tl_client_close(c);
    peer_server_close(&dp);
}

static void answered_twice(void)
{
    struct tl_client *c = begin(1);
    struct tl_origin o;

    CU_ASSERT_EQUAL(send_id(c, 0, 1), 0);
    CU_ASSERT_EQUAL(next_id(&o), 1);
    complete(o, 1);
    complete(o, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(dp.said, "answered twice"));
    CU_ASSERT_EQUAL(done_id(c, 0), 1);
    CU_ASSERT_EQUAL(done_id(c, 0), 0);
    CU_ASSERT_EQUAL(tl_client_poll(c), TL_CLIENT_UP);
    tl_client_close(c);
    peer_server_close(&dp);
}

static void loops_have_their_own(void)
{
    struct tl_client *c = begin(3);
    struct tl_origin o;
    struct tl_event e = {0};

    for (unsigned loop = 0; loop < 3; loop++)
        for (uint64_t n = 0; n < 4; n++)
            CU_ASSERT_EQUAL(send_id(c, loop, 10 * (loop + 1) + n), 0);
    uint64_t last[3] = {9, 19, 29};
    unsigned turn = 99;
    for (int n = 0; n < 12; n++) {
        uint64_t id = next_id(&o);
        CU_ASSERT(o.loop < 3 && id == last[o.loop] + 1); // in order within its loop
        CU_ASSERT(o.loop != turn);                       // and no loop twice in a row
        turn = o.loop;
        last[o.loop] = id;
        complete(o, id);
    }
    CU_ASSERT_EQUAL(next_id(&o), 0);
    for (unsigned loop = 0; loop < 3; loop++) {
        for (uint64_t n = 0; n < 4; n++)
            CU_ASSERT_EQUAL(done_id(c, loop), 10 * (loop + 1) + n);
        CU_ASSERT_EQUAL(done_id(c, loop), 0);
    }
    // owner 7 of a predecessor with more loops belongs to loop 1 now
    CU_ASSERT_EQUAL(tl_server_event(dp.server, 7, &e), 0);
    CU_ASSERT(!readable(tl_client_loop_fd(c, 0)) && readable(tl_client_loop_fd(c, 1)) &&
              !readable(tl_client_loop_fd(c, 2)));
    CU_ASSERT_EQUAL(tl_client_event(c, 1, &e), 0);
    tl_client_close(c);
    peer_server_close(&dp);
}

// Nothing is lost at the limit: control may have as many commands out as a ring holds, executed or not.
static void bounds(void)
{
    struct tl_client *c = begin(1);
    struct tl_origin o;
    uint64_t id = 0, executed = 0, done = 0;

    while (send_id(c, 0, id + 1) == 0)
        id++;
    CU_ASSERT_EQUAL(id, TL_RING_SLOTS);
    CU_ASSERT_EQUAL(tl_client_outstanding(c, 0), TL_RING_SLOTS);
    while (next_id(&o) == executed + 1)
        executed++;
    CU_ASSERT_EQUAL(executed, TL_RING_SLOTS); // all taken, none complete
    CU_ASSERT_EQUAL(send_id(c, 0, id + 1), -EAGAIN);
    for (uint64_t n = 1; n <= executed; n++)
        complete(o, n);
    CU_ASSERT_EQUAL(send_id(c, 0, id + 1), -EAGAIN); // complete, but not fetched
    CU_ASSERT_EQUAL(done_id(c, 0), ++done);
    CU_ASSERT_EQUAL(send_id(c, 0, ++id), 0);
    CU_ASSERT_EQUAL(next_id(&o), id);
    CU_ASSERT_EQUAL(done_id(c, 0), ++done);
    complete(o, id);
    while (done < id)
        CU_ASSERT_EQUAL_FATAL(done_id(c, 0), ++done);
    CU_ASSERT_EQUAL(tl_client_outstanding(c, 0), 0);

    // events are dropped at the limit, and counted
    struct tl_event e = {0}, got;
    struct tl_server_stats stats;
    for (uint32_t n = 0; n < TL_RING_SLOTS; n++, e.ms = n)
        CU_ASSERT_EQUAL(tl_server_event(dp.server, 0, &e), 0);
    CU_ASSERT_EQUAL(tl_server_event(dp.server, 0, &e), -ENOBUFS);
    CU_ASSERT_EQUAL(tl_server_event(dp.server, 0, &e), -ENOBUFS);
    for (uint32_t n = 0; n < TL_RING_SLOTS; n++)
        CU_ASSERT(tl_client_event(c, 0, &got) == 0 && got.ms == n);
    CU_ASSERT_EQUAL(tl_server_event(dp.server, 0, &e), 0);
    tl_client_close(c);
    peer_server_turn(&dp);
    CU_ASSERT_EQUAL(tl_server_event(dp.server, 0, &e), -ENOTCONN);
    tl_server_stats(dp.server, &stats);
    CU_ASSERT(stats.events == TL_RING_SLOTS + 1 && stats.events_lost == 3);
    CU_ASSERT_EQUAL(stats.commands, id);
    peer_server_close(&dp);
}

// A control without our bound: commands wait until there is a slot for their completion.
static void completions_are_never_lost(void)
{
    struct raw_control raw;
    struct tl_origin o;
    struct tl_completion done;
    uint64_t id = 0, executed = 0, fetched = 0;

    CU_ASSERT_EQUAL(peer_server_open(&dp), 0);
    open_raw(&raw);
    while (fetched < 5000) {
        struct tl_command m = command(id + 1);
        while (tl_ring_push(&raw.command, &m) == 0)
            m = command(++id + 1);
        for (uint64_t got; (got = next_id(&o)) != 0; executed++) {
            CU_ASSERT_EQUAL_FATAL(got, executed + 1);
            complete(o, got);
        }
        CU_ASSERT(executed - fetched <= TL_RING_SLOTS);
        for (int n = 0; n < 300 && tl_ring_pop(&raw.completion, &done) == 0; n++)
            CU_ASSERT_EQUAL_FATAL(done.id, ++fetched);
    }
    CU_ASSERT_EQUAL(tl_server_loops(dp.server), 1);
    raw_control_close(&raw);
    peer_server_close(&dp);
}

// ---- controls that break the rules -------------------------------------------------------------------

static void overclaim_commands(struct raw_control *raw)
{
    atomic_store(&raw->command.shared->published, 5000);
}

static void overclaim_completions(struct raw_control *raw)
{
    struct tl_command m = command(1);
    tl_ring_push(&raw->command, &m);
    atomic_store(&raw->completion.shared->released, 1);
}

static void take_back_commands(struct raw_control *raw)
{
    struct tl_command m = command(1);
    struct tl_origin o;
    tl_ring_push(&raw->command, &m);
    CU_ASSERT_EQUAL(next_id(&o), 1);
    atomic_store(&raw->command.shared->published, 0);
}

static void talk_on(struct raw_control *raw)
{
    CU_ASSERT_EQUAL(send(raw->sock, "hello", 5, 0), 5);
}

static void liars_are_disconnected(void)
{
    static void (*const lies[])(struct raw_control *) = {overclaim_commands, overclaim_completions,
                                                         take_back_commands, talk_on};
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        struct raw_control raw;
        struct tl_origin o;
        char byte;
        CU_ASSERT_EQUAL(peer_server_open(&dp), 0);
        open_raw(&raw);
        lies[i](&raw);
        peer_server_turn(&dp);
        for (int n = 0; n < 4; n++)
            next_id(&o);
        CU_ASSERT_EQUAL(tl_server_loops(dp.server), 0);
        CU_ASSERT_PTR_NOT_NULL(strstr(dp.said, "was disconnected"));
        CU_ASSERT_EQUAL(recv(raw.sock, &byte, 1, MSG_DONTWAIT), 0);
        raw_control_close(&raw);
        // the dataplane goes on, and takes the next control
        struct tl_client *c = peer_client(&dp, 1);
        CU_ASSERT_PTR_NOT_NULL_FATAL(c);
        CU_ASSERT_EQUAL(send_id(c, 0, 9), 0);
        CU_ASSERT_EQUAL(next_id(&o), 9);
        tl_client_close(c);
        peer_server_close(&dp);
    }
}

static void event_ring_that_lies(void)
{
    struct raw_control raw;
    struct tl_event e = {0};

    CU_ASSERT_EQUAL(peer_server_open(&dp), 0);
    open_raw(&raw);
    for (int n = 0; n < TL_RING_SLOTS; n++)
        CU_ASSERT_EQUAL(tl_server_event(dp.server, 0, &e), 0);
    atomic_store(&raw.event.shared->released, UINT64_MAX / 2);
    CU_ASSERT_EQUAL(tl_server_event(dp.server, 0, &e), -ENOTCONN);
    CU_ASSERT_EQUAL(tl_server_loops(dp.server), 0);
    raw_control_close(&raw);
    peer_server_close(&dp);
}

// A dataplane that breaks the rules, made of the server's own parts.
static void dataplanes_that_lie(void)
{
    enum { UNASKED_COMPLETION, OVERCLAIMED_COMPLETIONS, OVERCLAIMED_EVENTS, RELEASED_TOO_MUCH, TALKS, LIES };
    int listener = raw_listen();
    struct tl_live_table live;
    struct tl_client *c;

    CU_ASSERT_EQUAL(tl_live_create(&live, 1, 1, TL_SEGMENT_SMALL_PAGES), 0);
    CU_ASSERT_EQUAL(tl_client_open(&c, peer_path, 1), 0);
    for (int lie = 0; lie < LIES; lie++) {
        struct tl_link link;
        struct tl_greeting answer;
        struct tl_completion done = {.id = 1};
        struct tl_event event;
        int fds[TL_CHANNEL_FDS_MAX], want = -EPROTO;
        CU_ASSERT_EQUAL(tl_client_connect(c), 0);
        int sock = accept(listener, NULL, NULL);
        CU_ASSERT_EQUAL(tl_link_init(&link, sock, 1, 1, 1, fds + 2), 0);
        fds[0] = link.rings.fd;
        fds[1] = live.segment.fd;
        tl_greeting_init(&answer, 1);
        answer.incarnation = live.incarnation;
        answer.rings_size = link.rings.size;
        answer.live_size = live.segment.size;
        CU_ASSERT_EQUAL(tl_channel_send(sock, &answer, sizeof answer, fds, 4), 0);
        CU_ASSERT_EQUAL(tl_client_poll(c), TL_CLIENT_UP);
        switch (lie) {
        case UNASKED_COMPLETION:
            tl_ring_push(&link.loop[0].completion, &done);
            CU_ASSERT_EQUAL(tl_client_completion(c, 0, &done), -EPROTO);
            break;
        case OVERCLAIMED_COMPLETIONS:
            atomic_store(&link.loop[0].completion.shared->published, TL_RING_SLOTS + 1);
            CU_ASSERT_EQUAL(tl_client_completion(c, 0, &done), -EPROTO);
            break;
        case OVERCLAIMED_EVENTS:
            atomic_store(&link.loop[0].event.shared->published, UINT64_MAX);
            CU_ASSERT_EQUAL(tl_client_event(c, 0, &event), -EPROTO);
            break;
        case RELEASED_TOO_MUCH: // completes all, yet claims to have taken more commands than were sent
            for (uint64_t id = 1; id <= TL_RING_SLOTS; id++) {
                CU_ASSERT_EQUAL(send_id(c, 0, id), 0);
                tl_ring_push(&link.loop[0].completion, &done);
                CU_ASSERT_EQUAL(tl_client_completion(c, 0, &done), 0);
            }
            atomic_store(&link.loop[0].command.shared->released, TL_RING_SLOTS + 1);
            CU_ASSERT_EQUAL(send_id(c, 0, 1), -EPROTO);
            break;
        default:
            CU_ASSERT_EQUAL(send(sock, "hello", 5, 0), 5);
            want = -ENOTCONN;
        }
        CU_ASSERT_EQUAL(tl_client_poll(c), TL_CLIENT_AWAY);
        CU_ASSERT_PTR_NOT_NULL(strstr(tl_client_error(c), "broke the rules"));
        CU_ASSERT_EQUAL(tl_client_completion(c, 0, &done), want);
        close(fds[2]);
        close(fds[3]);
        tl_link_discard(&link);
        close(sock);
    }
    tl_client_close(c);
    tl_live_destroy(&live);
    close(listener);
    unlink(peer_path);
}

// ---- controls that come and go -----------------------------------------------------------------------

static void what_was_published_is_finished(void)
{
    struct tl_client *c = begin(2);
    struct tl_origin o;
    bool seen[6] = {false};

    for (uint64_t id = 1; id <= 5; id++)
        CU_ASSERT_EQUAL(send_id(c, id % 2, id), 0);
    seen[next_id(&o)] = true;
    tl_client_close(c);
    peer_server_turn(&dp);
    CU_ASSERT_EQUAL(tl_server_loops(dp.server), 0);
    CU_ASSERT_EQUAL(count_mappings("trunkline-rings"), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(dp.said, "went away; commands of it still to be executed: 4"));
    for (uint64_t id; (id = next_id(&o)) != 0; seen[id] = true)
        CU_ASSERT(id <= 5 && !seen[id] && o.loop == id % 2);
    CU_ASSERT(!seen[0] && seen[1] && seen[2] && seen[3] && seen[4] && seen[5]);
    peer_server_close(&dp);
}

static void successor_comes_after_the_backlog(void)
{
    struct tl_client *old = begin(2), *next;
    struct tl_origin o, first;
    uint64_t last[2] = {0, 0};

    for (uint64_t id = 1; id <= 6; id++)
        CU_ASSERT_EQUAL(send_id(old, id % 2, id), 0);
    uint64_t taken = next_id(&first); // in the hands of a worker while its control goes
    CU_ASSERT(taken != 0);
    last[first.loop] = taken;

    // the old one hangs: it neither closes nor reads. The new one takes over at once ...
    next = peer_client(&dp, 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(next);
    CU_ASSERT_EQUAL(count_mappings("trunkline-rings"), 3); // both clients' and one of the server
    CU_ASSERT_EQUAL(send_id(next, 0, 100), 0);
    // ... and the old one wakes up and goes on as if nothing had happened
    CU_ASSERT_EQUAL(send_id(old, 0, 66), 0);
    CU_ASSERT_EQUAL(send_id(old, 1, 77), 0);

    struct tl_origin old_origin = first;
    for (int n = 0; n < 5; n++) {
        uint64_t id = next_id(&o);
        CU_ASSERT(id > last[o.loop] && id <= 6 && o.connection == first.connection);
        last[o.loop] = id;
        complete(o, id);
        old_origin = o;
    }
    CU_ASSERT_EQUAL(next_id(&o), 100);
    CU_ASSERT(o.connection != first.connection);
    complete(first, taken); // the worker comes back late: nobody's completion now
    complete(old_origin, 6);
    complete(o, 100);
    CU_ASSERT_EQUAL(done_id(next, 0), 100);
    CU_ASSERT_EQUAL(done_id(next, 0), 0);
    CU_ASSERT_EQUAL(done_id(old, 0), 0);
    CU_ASSERT_EQUAL(next_id(&o), 0); // 66 and 77 are nowhere
    struct tl_server_stats stats;
    tl_server_stats(dp.server, &stats);
    CU_ASSERT(stats.completions_orphaned == 7 && stats.commands == 7 && stats.completions == 1);

    CU_ASSERT_EQUAL(tl_client_poll(old), TL_CLIENT_AWAY);
    CU_ASSERT_EQUAL(send_id(old, 0, 88), -ENOTCONN);
    CU_ASSERT_EQUAL(tl_client_poll(next), TL_CLIENT_UP);
    tl_client_close(old);
    tl_client_close(next);
    peer_server_close(&dp);
}

// Three controls in a row without the dataplane taking a command: the third waits, nothing is lost or
// reordered.
static void greeting_waits_for_the_backlog(void)
{
    struct tl_client *a = begin(1), *b, *c;
    struct tl_origin o;

    for (uint64_t id = 1; id <= TL_RING_SLOTS; id++)
        CU_ASSERT_EQUAL(send_id(a, 0, id), 0);
    b = peer_client(&dp, 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(b);
    for (uint64_t id = 1; id <= TL_RING_SLOTS; id++)
        CU_ASSERT_EQUAL(send_id(b, 0, TL_RING_SLOTS + id), 0);
    tl_client_close(b);
    CU_ASSERT_EQUAL(tl_client_open(&c, peer_path, 1), 0);
    CU_ASSERT_EQUAL(tl_client_connect(c), 0);
    peer_server_turn(&dp);
    peer_server_turn(&dp);
    CU_ASSERT_EQUAL(tl_client_poll(c), TL_CLIENT_GREETING);
    CU_ASSERT(readable(tl_server_fd(dp.server))); // and it is not forgotten
    for (uint64_t id = 1; id <= 2 * TL_RING_SLOTS; id++)
        CU_ASSERT_EQUAL(next_id(&o), id);
    CU_ASSERT_EQUAL(next_id(&o), 0);
    peer_server_turn(&dp);
    CU_ASSERT_EQUAL(tl_client_poll(c), TL_CLIENT_UP);
    CU_ASSERT_EQUAL(send_id(c, 0, 5000), 0);
    CU_ASSERT_EQUAL(next_id(&o), 5000);
    tl_client_close(a);
    tl_client_close(c);
    peer_server_close(&dp);
}

static void what_a_dead_dataplane_published_is_read(void)
{
    struct tl_client *c = begin(1);
    struct tl_origin o;
    struct tl_event e = {.ms = 3};
    struct tl_completion done;

    for (uint64_t id = 1; id <= 4; id++)
        CU_ASSERT_EQUAL(send_id(c, 0, id), 0);
    for (uint64_t id = 1; id <= 3; id++)
        complete((next_id(&o), o), id);
    CU_ASSERT_EQUAL(tl_server_event(dp.server, 0, &e), 0);
    peer_server_close(&dp);
    CU_ASSERT_EQUAL(tl_client_poll(c), TL_CLIENT_AWAY);
    CU_ASSERT_PTR_NOT_NULL(strstr(tl_client_error(c), "went away"));
    CU_ASSERT_EQUAL(send_id(c, 0, 5), -ENOTCONN);
    for (uint64_t id = 1; id <= 3; id++)
        CU_ASSERT_EQUAL(done_id(c, 0), id);
    CU_ASSERT_EQUAL(tl_client_completion(c, 0, &done), -ENOTCONN);
    CU_ASSERT_EQUAL(tl_client_event(c, 0, &e), 0);
    CU_ASSERT_EQUAL(e.ms, 3);
    CU_ASSERT_EQUAL(tl_client_event(c, 0, &e), -ENOTCONN);
    CU_ASSERT_EQUAL(tl_client_outstanding(c, 0), 1); // number 4 is to be asked about
    CU_ASSERT(!readable(tl_client_loop_fd(c, 0)) && !readable(tl_client_fd(c)));
    tl_client_close(c);
}

// What control got over the channel cannot be written in any way, what the dataplane writes is seen.
static void control_cannot_write_the_live_table(void)
{
    struct tl_client *c = begin(1);
    const struct tl_segment *got = &tl_client_live(c)->segment;
    char name[64];

    CU_ASSERT(mmap(NULL, got->size, PROT_WRITE, MAP_SHARED, got->fd, 0) == MAP_FAILED && errno == EPERM);
    CU_ASSERT(mprotect(got->base, got->size, PROT_READ | PROT_WRITE) < 0 && errno == EACCES);
    CU_ASSERT(pwrite(got->fd, "x", 1, 0) < 0 && errno == EPERM);
    snprintf(name, sizeof name, "/proc/self/fd/%d", got->fd);
    int again = open(name, O_RDWR | O_CLOEXEC);
    CU_ASSERT(mmap(NULL, got->size, PROT_WRITE, MAP_SHARED, again, 0) == MAP_FAILED);
    CU_ASSERT(pwrite(again, "x", 1, 0) < 0);
    if (again >= 0)
        close(again);
    atomic_store(&dp.live.header->manager_ns, 12345);
    CU_ASSERT_EQUAL(atomic_load(&tl_client_live(c)->header->manager_ns), 12345);
    tl_client_close(c);
    peer_server_close(&dp);
}

static void live_tables_over_lives(void)
{
    struct tl_client *c = begin(1);
    const struct tl_live_view *view = tl_client_live(c);
    uint64_t first = dp.live.incarnation;

    // the same dataplane again: the mapping stays the one that pointers point into
    const void *base = view->segment.base;
    CU_ASSERT_EQUAL(tl_client_connect(c), 0);
    peer_server_turn(&dp);
    CU_ASSERT_EQUAL(tl_client_poll(c), TL_CLIENT_UP);
    CU_ASSERT_PTR_EQUAL(tl_client_live(c)->segment.base, base);
    CU_ASSERT_PTR_NULL(tl_client_previous_live(c));
    for (int life = 0; life < 3; life++) {
        uint64_t before = dp.live.incarnation;
        peer_server_close(&dp);
        CU_ASSERT_EQUAL(tl_client_poll(c), TL_CLIENT_AWAY);
        CU_ASSERT_EQUAL(tl_client_live(c)->header->incarnation, before);
        CU_ASSERT_EQUAL(peer_server_open(&dp), 0);
        CU_ASSERT_EQUAL(tl_client_connect(c), 0);
        peer_server_turn(&dp);
        CU_ASSERT_EQUAL(tl_client_poll(c), TL_CLIENT_UP);
        CU_ASSERT_EQUAL(tl_client_live(c)->incarnation, dp.live.incarnation);
        CU_ASSERT_EQUAL(tl_client_previous_live(c)->header->incarnation, before);
    }
    CU_ASSERT(first != dp.live.incarnation);
    CU_ASSERT_EQUAL(count_mappings("trunkline-live"), 3); // the server's and two of the client
    tl_client_close(c);
    peer_server_close(&dp);
}

static void nothing_is_left_behind(void)
{
    unsigned fds = count_descriptors();

    for (int round = 0; round < 30; round++) {
        struct tl_client *c = begin(1 + (unsigned)round % TL_LOOPS_MAX);
        struct raw_control raw;
        send_id(c, 0, 1);
        CU_ASSERT_EQUAL(tl_client_connect(c), 0);
        peer_server_turn(&dp);
        CU_ASSERT_EQUAL(tl_client_poll(c), TL_CLIENT_GREETING); // number 1 comes first
        struct tl_origin o;
        CU_ASSERT_EQUAL(next_id(&o), 1);
        raw_control_open(&raw, &dp, "x", 1);
        raw_control_close(&raw);
        if (round % 2)
            tl_client_close(c);
        peer_server_close(&dp);
        if (round % 2 == 0)
            tl_client_close(c);
    }
    CU_ASSERT_EQUAL(count_descriptors(), fds);
    CU_ASSERT_EQUAL(count_mappings("memfd:trunkline"), 0);
}

// Out of descriptors, the dataplane turns callers away and neither spins nor dies.
static void without_descriptors(void)
{
    struct rlimit was, low;
    struct tl_client *up = begin(1), *c;
    struct tl_origin o;

    CU_ASSERT_EQUAL(tl_client_open(&c, peer_path, 1), 0);
    getrlimit(RLIMIT_NOFILE, &was);
    low = was;
    low.rlim_cur = count_descriptors(); // about; what is free below it is filled up
    setrlimit(RLIMIT_NOFILE, &low);
    int fill[64], n = 0;
    while (n < 64 && (fill[n] = dup(0)) >= 0)
        n++;
    close(fill[--n]); // one for the client's socket, none for the server's
    CU_ASSERT_EQUAL(tl_client_connect(c), 0);
    for (int i = 0; i < 3; i++)
        peer_server_turn(&dp);
    CU_ASSERT_PTR_NOT_NULL(strstr(dp.said, "raise the limit of open files"));
    CU_ASSERT(!readable(tl_server_fd(dp.server)));
    CU_ASSERT_EQUAL(tl_client_poll(c), TL_CLIENT_AWAY);
    while (n)
        close(fill[--n]);
    setrlimit(RLIMIT_NOFILE, &was);
    CU_ASSERT_EQUAL(send_id(up, 0, 3), 0);
    CU_ASSERT_EQUAL(next_id(&o), 3);
    CU_ASSERT_EQUAL(tl_client_connect(c), 0);
    peer_server_turn(&dp);
    CU_ASSERT_EQUAL(tl_client_poll(c), TL_CLIENT_UP);
    tl_client_close(up);
    tl_client_close(c);
    peer_server_close(&dp);
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"there_and_back", there_and_back},
        {"quiet_commands", quiet_commands},
        {"answered_twice", answered_twice},
        {"loops_have_their_own", loops_have_their_own},
        {"bounds", bounds},
        {"completions_are_never_lost", completions_are_never_lost},
        {"liars_are_disconnected", liars_are_disconnected},
        {"event_ring_that_lies", event_ring_that_lies},
        {"dataplanes_that_lie", dataplanes_that_lie},
        {"what_was_published_is_finished", what_was_published_is_finished},
        {"successor_comes_after_the_backlog", successor_comes_after_the_backlog},
        {"greeting_waits_for_the_backlog", greeting_waits_for_the_backlog},
        {"what_a_dead_dataplane_published_is_read", what_a_dead_dataplane_published_is_read},
        {"control_cannot_write_the_live_table", control_cannot_write_the_live_table},
        {"live_tables_over_lives", live_tables_over_lives},
        {"nothing_is_left_behind", nothing_is_left_behind},
        {"without_descriptors", without_descriptors},
    };
    if (!peer_setup())
        return 1;
    int rc = test_main("channel", TEST_CASES(cases), argc, argv);
    peer_cleanup();
    return rc;
}
