// SPDX-License-Identifier: BSD-3-Clause
// Death at any instruction: control and dataplane are killed a hundred times each with traffic on the rings.
// What was published whole is not lost, nothing is executed twice or torn, the survivor goes on and keeps
// nothing of the dead.
//
// The victim writes down in memory that outlives it what it is about to publish and what it has published;
// afterwards the survivor must have seen at least the latter and at most the former, in order, every byte as
// it was meant.
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "peer.h"
#include "runner.h"

enum { KILLS = 100, MAX_LIFE_US = 12000 };

// The victim's diary.
static struct diary {
    _Atomic uint64_t intended;  // messages it began to publish, in all lives
    _Atomic uint64_t published; // and that were published for certain
    _Atomic uint64_t taken;     // messages it took from the other side
    _Atomic uint32_t wrong;     // of these: torn, out of order or twice
    _Atomic uint32_t up;        // lives that got as far as traffic
} * diary;

// ---- messages that show when they are not whole ------------------------------------------------------

static void pattern(void *bytes, size_t len, uint64_t n)
{
    uint64_t x = n * 0x9e3779b97f4a7c15u + 1;
    unsigned char *p = bytes;
    for (size_t i = 0; i + 8 <= len; i += 8) {
        memcpy(p + i, &x, 8);
        x = x * 6364136223846793005u + 1442695040888963407u;
    }
}

static void make_command(struct tl_command *c, uint64_t n)
{
    memset(c, 0, sizeof *c);
    c->id = n;
    c->op = TL_OP_ADD;
    pattern(c->leg, sizeof c->leg, n);
}

static bool command_is(const struct tl_command *c, uint64_t n)
{
    struct tl_command want;
    make_command(&want, n);
    return memcmp(c, &want, sizeof want) == 0;
}

static void make_completion(struct tl_completion *c, uint64_t n)
{
    memset(c, 0, sizeof *c);
    c->id = n;
    pattern(c->raw, sizeof c->raw, n);
}

static bool completion_is(const struct tl_completion *c, uint64_t n)
{
    struct tl_completion want;
    make_completion(&want, n);
    return memcmp(c, &want, sizeof want) == 0;
}

// ---- victims -----------------------------------------------------------------------------------------

static pid_t spawn(void (*victim)(void))
{
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); // a test that is killed itself leaves nothing behind
        if (getppid() == parent)
            victim();
        _exit(9);
    }
    return pid;
}

static uint32_t random_below(uint32_t limit)
{
    static uint64_t state = 88172645463325252u; // a fixed seed: the moments are random enough by themselves
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state % limit);
}

static uint64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void bury(pid_t pid)
{
    int status = 0;
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    CU_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL); // it had not given up by itself
}

// Connects as the victim must, which may be before the survivor is there.
static struct tl_client *connect_anyhow(void)
{
    struct tl_client *c;
    if (tl_client_open(&c, peer_path, 1) < 0)
        _exit(2);
    while (tl_client_poll(c) != TL_CLIENT_UP) {
        struct pollfd p = {.fd = tl_client_fd(c), .events = POLLIN};
        if (tl_client_state(c) == TL_CLIENT_AWAY && tl_client_connect(c) < 0)
            usleep(200);
        poll(&p, 1, 5);
    }
    return c;
}

// Checks the completions that are there.
static void check_completions(struct tl_client *c, uint64_t *next)
{
    struct tl_completion done;
    while (tl_client_completion(c, 0, &done) == 0) {
        if (!completion_is(&done, (*next)++))
            atomic_fetch_add(&diary->wrong, 1);
        atomic_fetch_add(&diary->taken, 1);
    }
}

// A control that sends as fast as it can and checks each completion.
static void control_victim(void)
{
    struct tl_client *c = connect_anyhow();
    uint64_t next_done = atomic_load(&diary->intended) + 1;
    struct tl_command m;

    atomic_fetch_add(&diary->up, 1);
    for (;;) {
        uint64_t n = atomic_load(&diary->intended) + 1;
        int rc;
        make_command(&m, n);
        atomic_store(&diary->intended, n);
        while ((rc = tl_client_send(c, 0, &m)) == -EAGAIN)
            check_completions(c, &next_done);
        if (rc < 0)
            _exit(3);
        atomic_store(&diary->published, n);
        check_completions(c, &next_done);
    }
}

static struct peer_server s;

// Takes what there is; *last is the last command executed.
static void execute(uint64_t *last, unsigned *wrong)
{
    struct tl_command m;
    struct tl_origin o;
    struct tl_completion done;

    tl_server_poll(s.server);
    while (tl_server_next(s.server, &m, &o) == 0) {
        *wrong += !command_is(&m, *last + 1);
        *last = m.id;
        make_completion(&done, m.id);
        tl_server_complete(s.server, o, &done);
    }
}

static void control_is_killed(void)
{
    uint64_t last = 0;
    unsigned wrong = 0, lost = 0, invented = 0;

    memset(diary, 0, sizeof *diary);
    CU_ASSERT_EQUAL(peer_server_open(&s), 0);
    unsigned fds = count_descriptors();
    for (int round = 0; round < KILLS; round++) {
        pid_t pid = spawn(control_victim);
        // Most lives get to traffic; some end before or in the handshake.
        uint64_t end = now_us() + random_below(MAX_LIFE_US), limit = end + 2000000;
        uint32_t up = atomic_load(&diary->up);
        bool early = round % 10 == 0;
        while (now_us() < end || (!early && atomic_load(&diary->up) == up && now_us() < limit)) {
            execute(&last, &wrong);
            if (atomic_load(&diary->up) == up)
                sched_yield();
        }
        bury(pid);
        // Its end is noticed, what it published is executed to the last, what it did not is not.
        execute(&last, &wrong);
        uint64_t published = atomic_load(&diary->published), intended = atomic_load(&diary->intended);
        lost += last < published;
        invented += last > intended;
        CU_ASSERT_EQUAL(tl_server_loops(s.server), 0);
        atomic_store(&diary->intended, last); // the next life goes on from what was executed
        atomic_store(&diary->published, last);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(lost, 0);
    CU_ASSERT_EQUAL(invented, 0);
    CU_ASSERT_EQUAL(atomic_load(&diary->wrong), 0);
    CU_ASSERT(atomic_load(&diary->up) >= KILLS / 2); // else it was not what it says
    CU_ASSERT(last > KILLS && atomic_load(&diary->taken) > 0);
    CU_ASSERT_EQUAL(count_descriptors(), fds);
    CU_ASSERT_EQUAL(count_mappings("trunkline-rings"), 0);
    printf("     %u lives with traffic, %llu commands executed\n", atomic_load(&diary->up),
           (unsigned long long)last);
    peer_server_close(&s);
}

// ---- the dataplane is killed -------------------------------------------------------------------------

// A dataplane that executes as fast as it can; within one life no command may come twice or out of order.
static void dataplane_victim(void)
{
    struct tl_command m;
    struct tl_origin o;
    struct tl_completion done;
    uint64_t last = 0;
    uint32_t turn = 0;

    if (peer_server_open(&s) < 0)
        _exit(2);
    for (;;) {
        tl_server_poll(s.server);
        while (tl_server_next(s.server, &m, &o) == 0) {
            if (!command_is(&m, m.id) || (last && m.id != last + 1))
                atomic_fetch_add(&diary->wrong, 1);
            if (last == 0)
                atomic_fetch_add(&diary->up, 1);
            last = m.id;
            atomic_fetch_add(&diary->taken, 1);
            make_completion(&done, m.id);
            atomic_store(&diary->intended, m.id);
            tl_server_complete(s.server, o, &done);
            atomic_store(&diary->published, m.id);
            // the live table is written at the same time
            turn++;
            tl_live_claim(&s.live, 1, turn, 0, 0, turn);
            atomic_store(&s.live.sessions[1].rx[0].packets, turn);
            tl_live_release(&s.live, 1);
        }
        sched_yield();
    }
}

// Takes completions; each must be the next one that is due.
static void collect(struct tl_client *c, uint64_t *done_to, unsigned *wrong)
{
    struct tl_completion done;
    while (tl_client_completion(c, 0, &done) == 0) {
        *wrong += !completion_is(&done, *done_to + 1);
        *done_to = done.id;
    }
}

// Reads the table that a dataplane left in the middle of writing. Returns how many snapshots were mixed up.
static unsigned look_at_live(const struct tl_client *c)
{
    struct tl_session_snapshot snap;
    if (!tl_client_live(c) || tl_live_read_slot(tl_client_live(c), 1, &snap) < 0)
        return 0;
    uint64_t packets = snap.leg[0].counters.rx_packets;
    return snap.call_ref != snap.handle.generation || (packets && packets != snap.call_ref);
}

static void dataplane_is_killed(void)
{
    struct tl_client *c;
    struct tl_command m;
    uint64_t sent = 0, done_to = 0;
    unsigned wrong = 0, lost = 0, invented = 0, mixed = 0;

    memset(diary, 0, sizeof *diary);
    CU_ASSERT_EQUAL(tl_client_open(&c, peer_path, 1), 0);
    unsigned fds = count_descriptors();
    for (int round = 0; round < KILLS; round++) {
        uint32_t up = atomic_load(&diary->up);
        pid_t pid = spawn(dataplane_victim);
        uint64_t end = now_us() + random_below(MAX_LIFE_US), limit = end + 2000000;
        bool early = round % 10 == 0;
        sent = done_to; // what has no completion is sent again
        while (now_us() < end || (!early && atomic_load(&diary->up) == up && now_us() < limit)) {
            if (tl_client_poll(c) == TL_CLIENT_AWAY && tl_client_connect(c) < 0)
                usleep(200);
            for (int n = 0; n < 64 && tl_client_state(c) == TL_CLIENT_UP; n++) {
                make_command(&m, sent + 1);
                if (tl_client_send(c, 0, &m) < 0)
                    break;
                sent++;
            }
            collect(c, &done_to, &wrong);
            mixed += look_at_live(c);
            sched_yield();
        }
        bury(pid);
        bool was_up = tl_client_state(c) == TL_CLIENT_UP;
        // what the dead one still had to say (its answer to the greeting) comes before the end of the
        // connection
        for (int n = 0; n < 2000 && tl_client_poll(c) != TL_CLIENT_AWAY; n++)
            usleep(1000);
        CU_ASSERT_EQUAL(tl_client_state(c), TL_CLIENT_AWAY);
        collect(c, &done_to, &wrong); // what it had published comes still
        if (was_up && atomic_load(&diary->up) != up) {
            lost += done_to < atomic_load(&diary->published);
            invented += done_to > atomic_load(&diary->intended);
        }
        mixed += look_at_live(c);
    }
    // a dataplane that lives brings it all to its end
    pid_t pid = spawn(dataplane_victim);
    sent = done_to;
    uint64_t goal = done_to + 500, limit = now_us() + 10000000;
    while (done_to < goal && now_us() < limit) {
        if (tl_client_poll(c) == TL_CLIENT_AWAY && tl_client_connect(c) < 0)
            usleep(200);
        make_command(&m, sent + 1);
        if (sent < goal && tl_client_send(c, 0, &m) == 0)
            sent++;
        collect(c, &done_to, &wrong);
    }
    bury(pid);
    CU_ASSERT_EQUAL(done_to, goal);
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(lost, 0);
    CU_ASSERT_EQUAL(invented, 0);
    CU_ASSERT_EQUAL(mixed, 0);
    CU_ASSERT_EQUAL(atomic_load(&diary->wrong), 0);
    CU_ASSERT(atomic_load(&diary->up) >= KILLS / 2);
    CU_ASSERT(atomic_load(&diary->taken) > KILLS);
    tl_client_poll(c);
    CU_ASSERT_EQUAL(tl_client_state(c), TL_CLIENT_AWAY);
    CU_ASSERT_EQUAL(count_descriptors(), fds + 3); // two live tables and the last rings, whatever the lives
    CU_ASSERT(count_mappings("memfd:trunkline") <= 3);
    printf("     %u lives with traffic, %llu commands completed\n", atomic_load(&diary->up),
           (unsigned long long)done_to);
    tl_client_close(c);
    unlink(peer_path);
}

// ---- a control that hangs ----------------------------------------------------------------------------

// Sends until it is told that it is no longer connected.
static void control_that_hangs(void)
{
    struct tl_client *c = connect_anyhow();
    struct tl_command m;
    uint64_t n = 0;

    atomic_fetch_add(&diary->up, 1);
    while (tl_client_poll(c) == TL_CLIENT_UP) {
        struct tl_completion done;
        make_command(&m, n + 1);
        if (tl_client_send(c, 0, &m) == 0)
            atomic_store(&diary->intended, ++n);
        while (tl_client_completion(c, 0, &done) == 0)
            atomic_fetch_add(&diary->taken, 1);
    }
    tl_client_close(c);
    _exit(0);
}

static void hung_control_is_fenced(void)
{
    struct tl_command m;
    struct tl_origin o;
    unsigned wrong = 0;

    CU_ASSERT_EQUAL(peer_server_open(&s), 0);
    for (int round = 0; round < 20; round++) {
        uint64_t last = 0;
        int status = 0;
        memset(diary, 0, sizeof *diary);
        pid_t pid = spawn(control_that_hangs);
        for (uint64_t end = now_us() + 5000000; atomic_load(&diary->intended) < 50 && now_us() < end;)
            execute(&last, &wrong);
        for (uint64_t end = now_us() + random_below(3000); now_us() < end;)
            execute(&last, &wrong);
        kill(pid, SIGSTOP);
        waitpid(pid, &status, WUNTRACED);
        CU_ASSERT(WIFSTOPPED(status));
        uint64_t intended = atomic_load(&diary->intended);

        // Another control comes; the old one wakes up in the middle of what it was doing.
        struct tl_client *next = peer_client(&s, 1);
        CU_ASSERT_PTR_NOT_NULL_FATAL(next);
        make_command(&m, 1);
        CU_ASSERT_EQUAL(tl_client_send(next, 0, &m), 0);
        kill(pid, SIGCONT);
        for (uint64_t end = now_us() + 1000; now_us() < end;)
            sched_yield();
        bool others = false;
        while (tl_server_next(s.server, &m, &o) == 0) {
            if (!others && command_is(&m, last + 1)) {
                last++;
                continue;
            }
            wrong += others || !command_is(&m, 1);
            others = true;
        }
        CU_ASSERT(others);
        CU_ASSERT(last == intended || last == intended + 1); // it may have stopped between sending and noting
        for (uint64_t end = now_us() + 5000000; waitpid(pid, &status, WNOHANG) == 0 && now_us() < end;)
            usleep(500);
        CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0); // it found out
        CU_ASSERT_EQUAL(tl_client_poll(next), TL_CLIENT_UP);
        tl_client_close(next);
        execute(&last, &wrong);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(count_mappings("trunkline-rings"), 0);
    peer_server_close(&s);
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"control_is_killed", control_is_killed},
        {"dataplane_is_killed", dataplane_is_killed},
        {"hung_control_is_fenced", hung_control_is_fenced},
    };
    diary = mmap(NULL, sizeof *diary, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (diary == MAP_FAILED || !peer_setup())
        return 1;
    int rc = test_main("kill", TEST_CASES(cases), argc, argv);
    peer_cleanup();
    return rc;
}
