// SPDX-License-Identifier: BSD-3-Clause
// The packet maker itself: what it makes can be read, and what reads beyond a guarded frame dies under ASan.
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rig.h"
#include "runner.h"

static struct rig rig;

static void written_is_read(void)
{
    for (unsigned options = 0; options <= 10; options++)
        for (unsigned len = 0; len < 64; len++) {
            uint8_t payload[64], frame[PACKET_BYTES_MAX];
            memset(payload, len, sizeof payload);
            struct udp_frame f = {.dst_mac = {1, 2, 3, 4, 5, 6},
                                  .src_mac = {7, 8, 9, 10, 11, 12},
                                  .src_ip = IP4(10, 1, 2, 3),
                                  .dst_ip = IP4(10, 4, 5, 6),
                                  .src_port = 1000 + len,
                                  .dst_port = 65535 - len,
                                  .payload = payload,
                                  .len = len,
                                  .option_words = options};
            struct udp_frame g;
            unsigned frame_len = udp_frame_write(frame, &f);
            CU_ASSERT_EQUAL(frame_len, 42 + 4 * options + len);
            CU_ASSERT_TRUE_FATAL(udp_frame_read(&g, frame, frame_len));
            CU_ASSERT(g.ip_sum_right && g.udp_sum_right);
            CU_ASSERT_EQUAL(g.src_ip, f.src_ip);
            CU_ASSERT_EQUAL(g.dst_ip, f.dst_ip);
            CU_ASSERT_EQUAL(g.src_port, f.src_port);
            CU_ASSERT_EQUAL(g.dst_port, f.dst_port);
            CU_ASSERT_EQUAL(g.len, len);
            CU_ASSERT(memcmp(g.payload, payload, len) == 0);
            CU_ASSERT_FALSE(udp_frame_read(&g, frame, frame_len - 1));
            frame[frame_len - 1] ^= 1;
            CU_ASSERT(udp_frame_read(&g, frame, frame_len) && !g.udp_sum_right);
        }
}

// Reads `count` bytes from where the frame begins plus `offset`, in a child. Returns whether it lived.
static bool child_reads(struct rte_mbuf *m, int offset, unsigned count)
{
    pid_t pid = fork();
    if (pid == 0) {
        const volatile uint8_t *d = rte_pktmbuf_mtod_offset(m, uint8_t *, offset);
        unsigned sum = 0;
        if (!freopen("/dev/null", "w", stderr))
            _exit(3);
        for (unsigned i = 0; i < count; i++)
            sum += d[i];
        _exit(sum == UINT32_MAX ? 2 : 0);
    }
    int status = 0;
    CU_ASSERT_EQUAL_FATAL(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void over_read_is_caught(void)
{
    if (!packet_asan()) {
        test_skip("built without AddressSanitizer");
        return;
    }
    rig_open(&rig, 1, 1);
    uint8_t bytes[101] = {0};
    for (unsigned len = 93; len <= 101; len++) { // every place in ASan's granules of eight
        struct rte_mbuf *m = packet_from(rig.pool, bytes, len);
        packet_guard(m, 0);
        CU_ASSERT(child_reads(m, 0, len));
        CU_ASSERT_FALSE(child_reads(m, 0, len + 1));
        CU_ASSERT_FALSE(child_reads(m, -1, 1));
        packet_unguard(m);
        CU_ASSERT(child_reads(m, -1, len + 2));
        packet_guard(m, 4);
        CU_ASSERT(child_reads(m, 0, len + 4));
        CU_ASSERT_FALSE(child_reads(m, 0, len + 5));
        packet_unguard(m);
        rte_pktmbuf_free(m);
    }
    rig_close(&rig);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"written_is_read", written_is_read},
        {"over_read_is_caught", over_read_is_caught},
    };
    if (rig_eal())
        return 1;
    int status = test_main("packets", TEST_CASES(cases), argc, argv);
    rig_eal_end();
    return status;
}
