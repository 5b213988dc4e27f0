// SPDX-License-Identifier: BSD-3-Clause
// Doorbells: who sleeps on a descriptor is woken by everything that comes, at whatever moment it comes.
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "peer.h"
#include "runner.h"

enum { ROUND_TRIPS = 20000, TOO_LONG_MS = 3000 };

// Waits for a descriptor, or spins: then the one who sleeps is answered in the moment between looking and
// sleeping.
static bool wait_for(int fd, bool sleeps)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return !sleeps || poll(&p, 1, TOO_LONG_MS) == 1;
}

static _Atomic bool over;

static void *dataplane_thread(void *sleeps)
{
    struct tl_command m;
    struct tl_origin o;

    while (!atomic_load(&over)) {
        tl_server_poll(dp.server);
        for (int n = 0; n < (sleeps ? 1 : 100); n++)
            while (tl_server_next(dp.server, &m, &o) == 0)
                complete(o, m.id);
        if (!wait_for(tl_server_fd(dp.server), sleeps != NULL))
            break;
    }
    return NULL;
}

// A bell that is lost between looking at the ring and going to sleep stops the sleeper for good.
static void round_trips(bool control_sleeps)
{
    struct tl_client *c = begin(1);
    uint64_t done = 0;
    pthread_t thread;

    atomic_store(&over, false);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, dataplane_thread, control_sleeps ? NULL : &over), 0);
    while (done < ROUND_TRIPS && send_id(c, 0, done + 1) == 0) {
        uint64_t id = 0;
        for (int n = 0; id == 0 && n < 10000000; n++) {
            id = done_id(c, 0);
            if (id == 0 && !wait_for(tl_client_loop_fd(c, 0), control_sleeps))
                break;
        }
        if (id != ++done)
            break;
    }
    CU_ASSERT_EQUAL(done, ROUND_TRIPS);
    CU_ASSERT_EQUAL(tl_client_outstanding(c, 0), 0);
    atomic_store(&over, true);
    send_id(c, 0, done + 1); // wakes the thread for its end
    pthread_join(thread, NULL);
    tl_client_close(c);
    peer_server_close(&dp);
}

static void no_bell_of_control_is_lost(void)
{
    round_trips(false);
}

static void no_bell_of_the_dataplane_is_lost(void)
{
    round_trips(true);
}

// ---- the moment between looking at an empty ring and clearing its bell -------------------------------

// The linker puts this in front of recv(), with which bells are cleared.
ssize_t __real_recv(int sock, void *bytes, size_t len, int flags);
ssize_t __wrap_recv(int sock, void *bytes, size_t len, int flags);

static void (*in_between)(void); // runs once
static struct tl_client *hooked;
static struct tl_origin hooked_origin;
static struct raw_control *hooked_raw;

ssize_t __wrap_recv(int sock, void *bytes, size_t len, int flags)
{
    void (*run)(void) = in_between;
    in_between = NULL;
    if (run)
        run();
    return __real_recv(sock, bytes, len, flags);
}

static void complete_now(void)
{
    complete(hooked_origin, 1);
}

static void raise_event_now(void)
{
    tl_server_event(dp.server, 0, &(struct tl_event){.ms = 1});
}

static void send_now(void)
{
    CU_ASSERT_EQUAL(send_id(hooked, 0, 2), 0);
}

static void fetch_now(void)
{
    struct tl_completion done;
    CU_ASSERT_EQUAL(tl_ring_pop(&hooked_raw->completion, &done), 0);
    tl_bell_ring(hooked_raw->fds[2]);
}

static void what_comes_in_between(void)
{
    struct tl_client *c = begin(1);
    struct tl_event event;
    struct tl_origin o;

    hooked = c;
    CU_ASSERT_EQUAL(send_id(c, 0, 1), 0);
    CU_ASSERT_EQUAL(next_id(&hooked_origin), 1);
    in_between = complete_now;
    CU_ASSERT(done_id(c, 0) == 1 || readable(tl_client_loop_fd(c, 0)));
    CU_ASSERT_PTR_NULL(in_between);
    in_between = raise_event_now;
    CU_ASSERT(tl_client_event(c, 0, &event) == 0 || readable(tl_client_loop_fd(c, 0)));
    CU_ASSERT_PTR_NULL(in_between);
    // the bell has rung for what is taken already: it is cleared on the way
    CU_ASSERT_EQUAL(send_id(c, 0, 9), 0);
    peer_server_turn(&dp);
    CU_ASSERT_EQUAL(next_id(&o), 9);
    in_between = send_now;
    CU_ASSERT(next_id(&o) == 2 || readable(tl_server_fd(dp.server)));
    CU_ASSERT_PTR_NULL(in_between);
    tl_client_close(c);
    peer_server_close(&dp);
}

static void room_that_comes_in_between(void)
{
    struct raw_control raw;
    struct tl_origin o;
    struct tl_command m;

    CU_ASSERT_EQUAL(peer_server_open(&dp), 0);
    open_raw(&raw);
    hooked_raw = &raw;
    for (uint64_t id = 1; id <= TL_RING_SLOTS + 1; id++) {
        m = command(id);
        CU_ASSERT_EQUAL(tl_ring_push(&raw.command, &m), 0);
        if (id <= TL_RING_SLOTS) {
            CU_ASSERT_EQUAL(next_id(&o), id);
            complete(o, id);
        }
    }
    CU_ASSERT_EQUAL(next_id(&o), 0);
    tl_bell_ring(raw.fds[2]);
    peer_server_turn(&dp);
    in_between = fetch_now;
    CU_ASSERT(next_id(&o) == TL_RING_SLOTS + 1 || readable(tl_server_fd(dp.server)));
    CU_ASSERT_PTR_NULL(in_between);
    raw_control_close(&raw);
    peer_server_close(&dp);
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"no_bell_of_control_is_lost", no_bell_of_control_is_lost},
        {"no_bell_of_the_dataplane_is_lost", no_bell_of_the_dataplane_is_lost},
        {"what_comes_in_between", what_comes_in_between},
        {"room_that_comes_in_between", room_that_comes_in_between},
    };
    if (!peer_setup())
        return 1;
    int rc = test_main("bell", TEST_CASES(cases), argc, argv);
    peer_cleanup();
    return rc;
}
