// SPDX-License-Identifier: BSD-3-Clause
#include "control/base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

// Whether nobody else gets at what the file holds. Returns 0, or -errno with the sentence.
static int check(int fd, const char *path, char *why, size_t why_size)
{
    struct stat st;
    if (fstat(fd, &st) < 0) {
        snprintf(why, why_size, "%s cannot be looked at: %s", path, strerror(errno));
        return -errno;
    }
    if (!S_ISREG(st.st_mode)) {
        snprintf(why, why_size, "%s is no regular file; put the password into one", path);
        return -EINVAL;
    }
    if (st.st_uid != geteuid() && st.st_uid != 0) {
        snprintf(why, why_size, "%s belongs to user %u, who can read it; make it ours by chown %u", path,
                 (unsigned)st.st_uid, (unsigned)geteuid());
        return -EACCES;
    }
    if (st.st_mode & 077) {
        snprintf(why, why_size,
                 "%s can be used by its group or by others (mode %04o); allow only its owner by chmod 600",
                 path, (unsigned)(st.st_mode & 07777));
        return -EACCES;
    }
    return 0;
}

// At most `size` bytes; how many, or -errno.
static ssize_t read_all(int fd, char *out, size_t size)
{
    size_t used = 0;
    while (used < size) {
        ssize_t n = read(fd, out + used, size - used);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        used += (size_t)n;
    }
    return (ssize_t)used;
}

// The first line of what was read. Returns its length, or -EINVAL with the sentence.
static int first_line(const char *path, char *text, size_t len, char *why, size_t why_size)
{
    size_t end = 0;
    while (end < len && text[end] != '\n')
        end++;
    size_t password = end && text[end - 1] == '\r' ? end - 1 : end;
    const char *wrong = end == SECRET_MAX              ? "is longer than 255 bytes"
                        : password == 0                ? "is empty"
                        : memchr(text, '\0', password) ? "has a NUL in it"
                                                       : NULL;
    if (wrong) {
        snprintf(why, why_size, "the first line of %s %s; expected a password", path, wrong);
        return -EINVAL;
    }
    explicit_bzero(text + password, SECRET_MAX - password);
    return (int)password;
}

int secret_read(const char *path, char out[static SECRET_MAX], char *why, size_t why_size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        int e = errno;
        snprintf(why, why_size, "%s cannot be opened: %s", path, strerror(e));
        return -e;
    }
    int rc = check(fd, path, why, why_size);
    if (rc == 0) {
        ssize_t n = read_all(fd, out, SECRET_MAX);
        if (n < 0)
            snprintf(why, why_size, "%s cannot be read: %s", path, strerror((int)-n));
        rc = n < 0 ? (int)n : first_line(path, out, (size_t)n, why, why_size);
        if (rc < 0)
            explicit_bzero(out, SECRET_MAX);
    }
    close(fd);
    return rc;
}

void *secret_alloc(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    if (madvise(memory, size, MADV_DONTDUMP) < 0) {
        munmap(memory, size);
        return NULL;
    }
    mlock(memory, size); // as far as RLIMIT_MEMLOCK goes: a secret in swap is better than no calls
    return memory;
}

void secret_free(void *memory, size_t size)
{
    if (!memory)
        return;
    explicit_bzero(memory, size);
    munmap(memory, size);
}
