// SPDX-License-Identifier: BSD-3-Clause
// Segments: what the seals forbid, tried in every way there is, and what the receiving side refuses to map.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/segment.h"
#include "runner.h"

static const size_t size = 3 * 4096;

static unsigned open_descriptors(void)
{
    unsigned n = 0;
    DIR *d = opendir("/proc/self/fd");
    while (d && readdir(d))
        n++;
    if (d)
        closedir(d);
    return n;
}

static void sizes_cannot_change(void)
{
    struct tl_segment s;
    for (int kind = TL_SEGMENT_SHARED; kind <= TL_SEGMENT_READ_ONLY; kind++) {
        CU_ASSERT_EQUAL(tl_segment_create(&s, "test", size, kind, TL_SEGMENT_SMALL_PAGES), 0);
        CU_ASSERT(ftruncate(s.fd, 4096) < 0 && errno == EPERM);
        CU_ASSERT(ftruncate(s.fd, (off_t)size * 2) < 0 && errno == EPERM);
        CU_ASSERT(fcntl(s.fd, F_ADD_SEALS, F_SEAL_WRITE) < 0 && errno == EPERM);
        CU_ASSERT(fcntl(s.fd, F_GETFD) & FD_CLOEXEC);
        memset(s.base, 1, s.size);
        tl_segment_close(&s);
        CU_ASSERT(s.base == NULL && s.fd == -1);
        tl_segment_close(&s);
    }
}

// Every way to write through a descriptor of the read-only segment. Returns the number of the first that
// worked, 0 if none did.
static int first_way_to_write(int fd, size_t len)
{
    char name[64];
    const int shared[] = {PROT_WRITE, PROT_READ | PROT_WRITE};

    for (int i = 0; i < 2; i++)
        if (mmap(NULL, len, shared[i], MAP_SHARED, fd, 0) != MAP_FAILED || errno != EPERM)
            return 1;
    void *ro = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
    if (ro == MAP_FAILED)
        return 2;
    if (mprotect(ro, len, PROT_READ | PROT_WRITE) == 0 || errno != EACCES)
        return 3;
    munmap(ro, len);
    if (pwrite(fd, "x", 1, 0) >= 0 ||
        (errno != EPERM && errno != EINVAL)) // huge pages cannot be written so at all
        return 4;
    if (ftruncate(fd, 0) == 0)
        return 5;
    if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096) == 0)
        return 6;
    // A descriptor opened anew may be writable, its mappings still not.
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    int again = open(name, O_RDWR | O_CLOEXEC);
    if (again >= 0) {
        if (mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, again, 0) != MAP_FAILED)
            return 7;
        if (pwrite(again, "x", 1, 0) >= 0)
            return 8;
        close(again);
    }
    return 0;
}

static void read_only_is_read_only(void)
{
    struct tl_segment made, got;
    int status = -1;

    CU_ASSERT_EQUAL(tl_segment_create(&made, "test", size, TL_SEGMENT_READ_ONLY, TL_SEGMENT_SMALL_PAGES), 0);
    strcpy(made.base, "before");
    pid_t pid = fork();
    if (pid == 0)
        _exit(first_way_to_write(made.fd, size));
    waitpid(pid, &status, 0);
    CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);

    CU_ASSERT_EQUAL(tl_segment_open(&got, dup(made.fd), size, TL_SEGMENT_READ_ONLY), 0);
    CU_ASSERT_STRING_EQUAL(got.base, "before");
    CU_ASSERT(mprotect(got.base, got.size, PROT_READ | PROT_WRITE) < 0);
    strcpy(made.base, "after"); // the maker still writes, and the reader sees it
    CU_ASSERT_STRING_EQUAL(got.base, "after");
    tl_segment_close(&made);
    CU_ASSERT_STRING_EQUAL(got.base, "after"); // and it outlives the maker
    tl_segment_close(&got);
}

static void shared_is_shared(void)
{
    struct tl_segment made, got;

    CU_ASSERT_EQUAL(tl_segment_create(&made, "test", size, TL_SEGMENT_SHARED, TL_SEGMENT_SMALL_PAGES), 0);
    CU_ASSERT_EQUAL(tl_segment_open(&got, dup(made.fd), size, TL_SEGMENT_SHARED), 0);
    strcpy(got.base, "there");
    CU_ASSERT_STRING_EQUAL(made.base, "there");
    tl_segment_close(&got);
    tl_segment_close(&made);
}

static int memfd_of(size_t bytes, int seals)
{
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (ftruncate(fd, (off_t)bytes) < 0 || fcntl(fd, F_ADD_SEALS, seals) < 0)
        CU_FAIL("memfd");
    return fd;
}

static void what_is_not_mapped(void)
{
    const int rings = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
    const struct {
        size_t bytes;
        int seals;
        enum tl_segment_kind kind;
    } cases[] = {
        {size, 0, TL_SEGMENT_SHARED},
        {size, F_SEAL_SHRINK, TL_SEGMENT_SHARED},
        {size, F_SEAL_SHRINK | F_SEAL_GROW, TL_SEGMENT_SHARED}, // more seals could follow
        {size, F_SEAL_GROW | F_SEAL_SEAL, TL_SEGMENT_SHARED},
        {size - 1, rings, TL_SEGMENT_SHARED},
        {size + 1, rings, TL_SEGMENT_SHARED},
        {0, rings, TL_SEGMENT_SHARED},
        {size, rings, TL_SEGMENT_READ_ONLY}, // could still be written
    };
    struct tl_segment s;
    unsigned before = open_descriptors();

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int fd = memfd_of(cases[i].bytes, cases[i].seals);
        CU_ASSERT_EQUAL(tl_segment_open(&s, fd, size, cases[i].kind), -EPROTO);
        CU_ASSERT_PTR_NULL(s.base);
        CU_ASSERT_EQUAL(close(fd), 0); // it stayed ours
    }
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    CU_ASSERT_EQUAL(tl_segment_open(&s, file, 0, TL_SEGMENT_READ_ONLY), -EPROTO);
    close(file);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    CU_ASSERT_EQUAL(tl_segment_open(&s, null, size, TL_SEGMENT_SHARED), -EPROTO);
    close(null);
    CU_ASSERT_EQUAL(tl_segment_open(&s, -1, size, TL_SEGMENT_SHARED), -EBADF);
    CU_ASSERT_EQUAL(tl_segment_create(&s, "test", 0, TL_SEGMENT_SHARED, TL_SEGMENT_SMALL_PAGES), -EINVAL);
    CU_ASSERT(tl_segment_create(&s, "test", (size_t)1 << 62, TL_SEGMENT_SHARED, TL_SEGMENT_SMALL_PAGES) < 0);
    CU_ASSERT_EQUAL(open_descriptors(), before);
}

// In huge pages or, where there are too few, in ordinary ones: zeroed, sealed, mapped by others just the
// same.
static void large(void)
{
    const size_t want = 2 * TL_SEGMENT_HUGE_PAGE + 4097;
    struct tl_segment made, seen;
    CU_ASSERT_EQUAL(tl_segment_size(want, TL_SEGMENT_SMALL_PAGES), want);
    CU_ASSERT_EQUAL(tl_segment_size(want, TL_SEGMENT_HUGE_PAGES), 3 * (size_t)TL_SEGMENT_HUGE_PAGE);
    CU_ASSERT_EQUAL(tl_segment_size(TL_SEGMENT_HUGE_PAGE, TL_SEGMENT_HUGE_PAGES), TL_SEGMENT_HUGE_PAGE);
    CU_ASSERT_EQUAL(tl_segment_size((size_t)-1, TL_SEGMENT_HUGE_PAGES), (size_t)-1);
    CU_ASSERT_EQUAL_FATAL(tl_segment_create(&made, "test", want, TL_SEGMENT_READ_ONLY, TL_SEGMENT_HUGE_PAGES),
                          0);
    printf("     %zu bytes for %zu: %s pages\n", made.size, want, made.size == want ? "ordinary" : "huge");
    CU_ASSERT(made.size == want || made.size == tl_segment_size(want, TL_SEGMENT_HUGE_PAGES));
    const char *bytes = made.base;
    CU_ASSERT(bytes[0] == 0 && memcmp(bytes, bytes + 1, made.size - 1) == 0);
    memset(made.base, 7, made.size);
    CU_ASSERT_EQUAL(first_way_to_write(made.fd, made.size), 0);
    CU_ASSERT(ftruncate(made.fd, TL_SEGMENT_HUGE_PAGE) < 0 && errno == EPERM);
    CU_ASSERT_EQUAL_FATAL(tl_segment_open(&seen, dup(made.fd), made.size, TL_SEGMENT_READ_ONLY), 0);
    CU_ASSERT_EQUAL(((const char *)seen.base)[want - 1], 7);
    tl_segment_close(&made); // the reader's goes on without the maker
    CU_ASSERT_EQUAL(((const char *)seen.base)[want - 1], 7);
    tl_segment_close(&seen);
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"sizes_cannot_change", sizes_cannot_change},
        {"read_only_is_read_only", read_only_is_read_only},
        {"shared_is_shared", shared_is_shared},
        {"what_is_not_mapped", what_is_not_mapped},
        {"large", large},
    };
    return test_main("segment", TEST_CASES(cases), argc, argv);
}
