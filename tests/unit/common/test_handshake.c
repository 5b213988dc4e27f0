// SPDX-License-Identifier: BSD-3-Clause
// The handshake: what fits, what does not and in which words, who may come, and the socket's file.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "peer.h"
#include "runner.h"

enum { NOBODY = 65534 };

static struct peer_server s;

static void expect(const char *text, const char *part)
{
    if (!strstr(text, part))
        fprintf(stderr, "expected \"%s\" in: %s\n", part, text);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, part));
}

static void what_fits(void)
{
    for (unsigned loops = 1; loops <= TL_LOOPS_MAX; loops++) {
        CU_ASSERT_EQUAL(peer_server_open(&s), 0);
        struct tl_client *c = peer_client(&s, loops);
        CU_ASSERT_PTR_NOT_NULL_FATAL(c);
        CU_ASSERT_EQUAL(tl_server_loops(s.server), loops);
        CU_ASSERT_STRING_EQUAL(tl_client_error(c), "");
        CU_ASSERT_EQUAL(tl_client_live(c)->incarnation, s.live.incarnation);
        CU_ASSERT_PTR_NULL(tl_client_previous_live(c));
        expect(s.said, "connected");
        tl_client_close(c);
        peer_server_turn(&s);
        CU_ASSERT_EQUAL(tl_server_loops(s.server), 0);
        expect(s.said, "went away");
        peer_server_close(&s);
    }
    struct tl_client *c;
    CU_ASSERT_EQUAL(tl_client_open(&c, peer_path, 0), -EINVAL);
    CU_ASSERT_EQUAL(tl_client_open(&c, peer_path, TL_LOOPS_MAX + 1), -EINVAL);
    CU_ASSERT_PTR_NULL(c);
}

// The greetings that the dataplane refuses, with its sentence.
static void refused_by_the_dataplane(void)
{
    static const struct {
        size_t offset;  // of a number of the greeting ...
        uint32_t value; // ... and what it is changed to
        int len;        // bytes sent, from the whole greeting
        const char *sentence;
    } cases[] = {
        {0, 0x12345678, 0, "does not speak Trunkline's contract"},
        {4, TL_CONTRACT_VERSION + 1, 0,
         "speaks contract version 5 and this dataplane version 4; install both"},
        {4, TL_CONTRACT_VERSION + 1, -300, "speaks contract version 5 and this dataplane version 4"},
        {4, TL_CONTRACT_VERSION + 1, 40, "speaks contract version 5 and this dataplane version 4"},
        {8, 0, 0, "asks for 0 control loops; 1 to 8 are possible"},
        {8, TL_LOOPS_MAX + 1, 0, "asks for 9 control loops"},
        {12, 512, 0, "have 512 slots and those of this dataplane 1024"},
        {16, 640, 0, "the command of control"},
        {20, 640, 0, "the completion of control"},
        {24, 640, 0, "the event of control"},
        {28, 640, 0, "the header of the live table of control"},
        {32, 640, 0, "the worker record of control"},
        {36, 640, 0, "has 640 bytes and that of this dataplane 576; install both"},
        {40, 640, 0, "has 640 reasons and that of this dataplane"},
        {44, 640, 0, "the list of the drops' names of control"},
        {48, 640, 0, "the unknown record of control"},
        {4, TL_CONTRACT_VERSION, -4, "greets with"},
        {4, TL_CONTRACT_VERSION, 4, "greets with"},
        {0, TL_CONTRACT_MAGIC, -(int)sizeof(struct tl_greeting) + 7, "does not speak"},
        {0, TL_CONTRACT_MAGIC, -(int)sizeof(struct tl_greeting) + 1, "does not speak"},
    };
    CU_ASSERT_EQUAL(peer_server_open(&s), 0);
    struct tl_client *up = peer_client(&s, 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(up);

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unsigned char hello[sizeof(struct tl_greeting) + 64] = {0};
        struct raw_control raw;
        tl_greeting_init((struct tl_greeting *)(void *)hello, 1);
        memcpy(hello + cases[i].offset, &cases[i].value, sizeof cases[i].value);
        s.said[0] = '\0';
        raw_control_open(&raw, &s, hello, sizeof(struct tl_greeting) + (size_t)cases[i].len);
        expect(s.said, "refused");
        expect(s.said, cases[i].sentence);
        // and control gets the same words, no descriptors, and the end of the connection
        CU_ASSERT_EQUAL(raw.answered, (int)sizeof raw.answer);
        CU_ASSERT(raw.answer.status == -EPROTO && raw.count == 0);
        expect(raw.answer.sentence, cases[i].sentence);
        char byte;
        CU_ASSERT_EQUAL(recv(raw.sock, &byte, 1, MSG_DONTWAIT), 0);
        raw_control_close(&raw);
    }
    // none of them disturbed the control that was there
    CU_ASSERT_EQUAL(tl_client_poll(up), TL_CLIENT_UP);
    struct tl_server_stats stats;
    tl_server_stats(s.server, &stats);
    CU_ASSERT_EQUAL(stats.refused, sizeof cases / sizeof cases[0]);
    CU_ASSERT_EQUAL(stats.handshakes, 1);
    tl_client_close(up);
    peer_server_close(&s);
}

// What control says of dataplanes that do not fit.
static void refused_by_control(void)
{
    static const struct {
        size_t offset;
        uint32_t value;
        int len;
        const char *sentence;
    } cases[] = {
        {0, 7, 0, "does not speak Trunkline's contract"},
        {4, 5, 0, "speaks contract version 5 and this control version 4; install both"},
        {4, 5, -400, "speaks contract version 5 and this control version 4"},
        {4, 5, 60, "speaks contract version 5 and this control version 4"},
        {4, TL_CONTRACT_VERSION, 60, "greets with"},
        {16, 100, 0, "has 100 bytes and that of this control 712; install both"},
        {36, 100, 0, "the session record of the dataplane on"},
        {8, 2, 0, "answered for 2 control loops"},
        {8, 1, 0, "with 0 descriptors"}, // nothing changed: it fits, but nothing came with it
    };
    int listener = raw_listen();
    struct tl_client *c;
    CU_ASSERT_EQUAL(tl_client_open(&c, peer_path, 1), 0);
    unsigned before = count_descriptors();

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unsigned char answer[sizeof(struct tl_greeting) + 64] = {0};
        CU_ASSERT_EQUAL(tl_client_connect(c), 0);
        CU_ASSERT_EQUAL(tl_client_poll(c), TL_CLIENT_GREETING);
        int sock = accept(listener, NULL, NULL);
        tl_greeting_init((struct tl_greeting *)(void *)answer, 1);
        memcpy(answer + cases[i].offset, &cases[i].value, sizeof cases[i].value);
        size_t len = sizeof(struct tl_greeting) + (size_t)cases[i].len;
        // with a descriptor too many sometimes, which must not leak
        int fd = 0;
        CU_ASSERT_EQUAL(tl_channel_send(sock, answer, len, &fd, cases[i].offset == 8 ? 0 : 1), 0);
        CU_ASSERT_EQUAL(tl_client_poll(c), TL_CLIENT_AWAY);
        expect(tl_client_error(c), cases[i].sentence);
        expect(tl_client_error(c), peer_path);
        close(sock);
        CU_ASSERT_EQUAL(count_descriptors(), before);
    }
    // the end without a word
    CU_ASSERT_EQUAL(tl_client_connect(c), 0);
    close(accept(listener, NULL, NULL));
    CU_ASSERT_EQUAL(tl_client_poll(c), TL_CLIENT_AWAY);
    expect(tl_client_error(c), "without an answer");
    close(listener);
    CU_ASSERT_EQUAL(tl_client_connect(c), -ECONNREFUSED);
    expect(tl_client_error(c), "no dataplane listens on");
    unlink(peer_path);
    CU_ASSERT_EQUAL(tl_client_connect(c), -ENOENT);
    expect(tl_client_error(c), "start trunkline-dataplane");
    tl_client_close(c);
}

// A dataplane whose greeting fits but whose segments do not.
static void segments_that_do_not_fit(void)
{
    int listener = raw_listen(), pair[2], wrong[2];
    struct tl_segment rings, open_rings, small;
    struct tl_live_table live;
    struct tl_client *c;

    size_t size = tl_channel_rings_size(1);
    CU_ASSERT_EQUAL(tl_client_open(&c, peer_path, 1), 0);
    CU_ASSERT_EQUAL(tl_live_create(&live, 1, 1, TL_SEGMENT_SMALL_PAGES), 0);
    CU_ASSERT_EQUAL(tl_segment_create(&rings, "rings", size, TL_SEGMENT_SHARED, TL_SEGMENT_SMALL_PAGES), 0);
    CU_ASSERT_EQUAL(tl_segment_create(&small, "rings", size - 64, TL_SEGMENT_SHARED, TL_SEGMENT_SMALL_PAGES),
                    0);
    open_rings = rings;
    open_rings.fd = memfd_create("rings", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    CU_ASSERT_EQUAL(ftruncate(open_rings.fd, (off_t)size), 0);
    CU_ASSERT_EQUAL(tl_bell_pair(pair), 0);
    wrong[0] = small.fd;
    wrong[1] = open_rings.fd;
    unsigned before = count_descriptors();
    const struct {
        int rings, live;
        uint64_t rings_size, incarnation;
        enum tl_client_state state;
    } cases[] = {
        {rings.fd, live.segment.fd, size, live.incarnation, TL_CLIENT_UP},
        {wrong[0], live.segment.fd, size, live.incarnation, TL_CLIENT_AWAY},
        {wrong[1], live.segment.fd, size, live.incarnation, TL_CLIENT_AWAY}, // could be cut under us
        {pair[0], live.segment.fd, size, live.incarnation, TL_CLIENT_AWAY},
        {rings.fd, rings.fd, size, live.incarnation, TL_CLIENT_AWAY},
        {rings.fd, pair[0], size, live.incarnation, TL_CLIENT_AWAY},
        {rings.fd, live.segment.fd, size + 64, live.incarnation, TL_CLIENT_AWAY},
        {rings.fd, live.segment.fd, size, live.incarnation + 1, TL_CLIENT_AWAY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tl_greeting answer;
        int fds[4] = {cases[i].rings, cases[i].live, pair[0], pair[1]};
        CU_ASSERT_EQUAL(tl_client_connect(c), 0);
        int sock = accept(listener, NULL, NULL);
        tl_greeting_init(&answer, 1);
        answer.rings_size = cases[i].rings_size;
        answer.live_size = live.segment.size;
        answer.incarnation = cases[i].incarnation;
        CU_ASSERT_EQUAL(tl_channel_send(sock, &answer, sizeof answer, fds, 4), 0);
        CU_ASSERT_EQUAL(tl_client_poll(c), cases[i].state);
        if (cases[i].state == TL_CLIENT_AWAY)
            expect(tl_client_error(c), "sent segments that cannot be used");
        close(sock);
        CU_ASSERT_EQUAL(tl_client_poll(c), TL_CLIENT_AWAY);
        // the live table of the first one stays mapped
        CU_ASSERT_EQUAL(count_descriptors(), before + 1 + (cases[i].state == TL_CLIENT_UP));
    }
    tl_client_close(c);
    close(pair[0]);
    close(pair[1]);
    close(open_rings.fd);
    tl_segment_close(&rings);
    tl_segment_close(&small);
    tl_live_destroy(&live);
    close(listener);
    unlink(peer_path);
}

// ---- who may come ------------------------------------------------------------------------------------

// Runs as another user in a child: connects as control would. Exit status 0: refused in the expected words.
static int stranger(void)
{
    struct tl_client *c;

    if (setgid(NOBODY) < 0 || setuid(NOBODY) < 0 || tl_client_open(&c, peer_path, 1) < 0)
        return 2;
    // It is refused, whatever the file's mode lets through; and it would itself give its keys to root only.
    if (tl_client_connect(c) < 0)
        return 3;
    for (int i = 0; i < 500 && tl_client_poll(c) == TL_CLIENT_GREETING; i++)
        usleep(10000);
    return strstr(tl_client_error(c), "refused us: it runs as user 65534 and this dataplane as 0") ? 0 : 4;
}

static void strangers_are_refused(void)
{
    int status = 0;

    if (geteuid() != 0) {
        test_skip("needs root to become another user");
        return;
    }
    CU_ASSERT_EQUAL(peer_server_open(&s), 0);
    struct tl_client *up = peer_client(&s, 1);
    // open to all on purpose: the check must not hang on the file's mode
    char folder[sizeof peer_path];
    strcpy(folder, peer_path);
    *strrchr(folder, '/') = '\0';
    chmod(folder, 0755);
    chmod(peer_path, 0666);
    pid_t pid = fork();
    if (pid == 0)
        _exit(stranger());
    for (int i = 0; i < 500 && waitpid(pid, &status, WNOHANG) == 0; i++) {
        peer_server_turn(&s);
        usleep(10000);
    }
    CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    expect(s.said, "refused: it runs as user 65534 and this dataplane as 0");
    CU_ASSERT_EQUAL(tl_client_poll(up), TL_CLIENT_UP);

    // with the mode that we give it, it does not even get to connect
    chmod(peer_path, 0600);
    pid = fork();
    if (pid == 0)
        _exit(stranger());
    waitpid(pid, &status, 0);
    CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 3);
    tl_client_close(up);
    peer_server_close(&s);
}

// Control gives its keys to nobody's dataplane.
static void dataplane_of_a_stranger(void)
{
    int ready[2], status;
    struct tl_client *c;
    char byte;

    if (geteuid() != 0) {
        test_skip("needs root to become another user");
        return;
    }
    char folder[sizeof peer_path];
    strcpy(folder, peer_path);
    *strrchr(folder, '/') = '\0';
    chmod(folder, 0777);
    CU_ASSERT_EQUAL(pipe2(ready, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        if (setgid(NOBODY) < 0 || setuid(NOBODY) < 0)
            _exit(2);
        int sock = raw_listen();
        if (write(ready[1], "x", 1) != 1)
            _exit(3);
        close(accept(sock, NULL, NULL));
        _exit(0);
    }
    CU_ASSERT_EQUAL(read(ready[0], &byte, 1), 1);
    CU_ASSERT_EQUAL(tl_client_open(&c, peer_path, 1), 0);
    CU_ASSERT_EQUAL(tl_client_connect(c), -EACCES);
    expect(tl_client_error(c), "runs as user 65534; call keys go only to root or our own user 0");
    CU_ASSERT_EQUAL(tl_client_state(c), TL_CLIENT_AWAY);
    tl_client_close(c);
    waitpid(pid, &status, 0);
    CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(ready[0]);
    close(ready[1]);
    chmod(folder, 0700);
    unlink(peer_path);
}

// ---- the socket's file -------------------------------------------------------------------------------

static void the_file(void)
{
    struct stat st;
    struct peer_server second;

    mode_t mask = umask(0);
    CU_ASSERT_EQUAL(peer_server_open(&s), 0);
    umask(mask);
    CU_ASSERT_EQUAL(stat(peer_path, &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 07777, 0600);

    // a second dataplane neither takes it nor disturbs the first one
    struct tl_client *c = peer_client(&s, 1);
    CU_ASSERT_EQUAL(peer_server_open(&second), -EADDRINUSE);
    expect(second.said, "another process listens there");
    peer_server_turn(&s);
    CU_ASSERT_EQUAL(tl_client_poll(c), TL_CLIENT_UP);
    tl_client_close(c);

    // whose file was replaced removes no other's
    unlink(peer_path);
    CU_ASSERT_EQUAL(peer_server_open(&second), 0);
    peer_server_close(&s);
    CU_ASSERT_EQUAL(access(peer_path, F_OK), 0);
    peer_server_close(&second);
    CU_ASSERT(access(peer_path, F_OK) < 0);

    // what a crash left is taken over, what is no socket is not
    close(raw_listen());
    CU_ASSERT_EQUAL(access(peer_path, F_OK), 0);
    CU_ASSERT_EQUAL(peer_server_open(&s), 0);
    peer_server_close(&s);
    close(open(peer_path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    CU_ASSERT_EQUAL(peer_server_open(&s), -EADDRINUSE);
    CU_ASSERT_EQUAL(access(peer_path, F_OK), 0);
    unlink(peer_path);
}

static void paths_that_cannot_be(void)
{
    struct tl_server *server;
    struct tl_client *client;
    char longest[200];
    struct tl_server_config config = {.live = &s.live};

    memset(longest, 'a', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    unsigned before = count_descriptors();
    config.path = longest;
    CU_ASSERT_EQUAL(tl_server_open(&server, &config), -ENAMETOOLONG);
    CU_ASSERT_PTR_NULL(server);
    config.path = "";
    CU_ASSERT_EQUAL(tl_server_open(&server, &config), -ENAMETOOLONG);
    config.path = "/nonexistent-folder/dp.sock";
    CU_ASSERT_EQUAL(tl_server_open(&server, &config), -ENOENT);
    CU_ASSERT_EQUAL(tl_client_open(&client, longest, 1), -ENAMETOOLONG);
    CU_ASSERT_EQUAL(tl_client_open(&client, "", 1), -ENAMETOOLONG);
    CU_ASSERT_EQUAL(count_descriptors(), before);
}

static void idlers_keep_nobody_out(void)
{
    struct raw_control idle[9];

    CU_ASSERT_EQUAL(peer_server_open(&s), 0);
    for (int i = 0; i < 9; i++)
        raw_control_open(&idle[i], &s, NULL, 0);
    struct tl_client *c = peer_client(&s, 1);
    CU_ASSERT_PTR_NOT_NULL(c);
    tl_client_close(c);
    CU_ASSERT_EQUAL(idle[8].answered, -EAGAIN);
    char byte;
    CU_ASSERT_EQUAL(recv(idle[0].sock, &byte, 1, MSG_DONTWAIT), 0); // the oldest gave way
    for (int i = 0; i < 9; i++)
        raw_control_close(&idle[i]);
    peer_server_close(&s);
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"what_fits", what_fits},
        {"refused_by_the_dataplane", refused_by_the_dataplane},
        {"refused_by_control", refused_by_control},
        {"segments_that_do_not_fit", segments_that_do_not_fit},
        {"strangers_are_refused", strangers_are_refused},
        {"dataplane_of_a_stranger", dataplane_of_a_stranger},
        {"the_file", the_file},
        {"paths_that_cannot_be", paths_that_cannot_be},
        {"idlers_keep_nobody_out", idlers_keep_nobody_out},
    };
    if (!peer_setup())
        return 1;
    int rc = test_main("handshake", TEST_CASES(cases), argc, argv);
    peer_cleanup();
    return rc;
}
