// SPDX-License-Identifier: BSD-3-Clause
#include "common/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int seals_of(enum tl_segment_kind kind)
{
    int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
    return kind == TL_SEGMENT_READ_ONLY ? seals | F_SEAL_FUTURE_WRITE : seals;
}

size_t tl_segment_size(size_t size, enum tl_segment_pages pages)
{
    if (pages == TL_SEGMENT_SMALL_PAGES)
        return size;
    return size > SIZE_MAX - TL_SEGMENT_HUGE_PAGE
               ? size
               : (size + TL_SEGMENT_HUGE_PAGE - 1) / TL_SEGMENT_HUGE_PAGE * TL_SEGMENT_HUGE_PAGE;
}

static int create(struct tl_segment *out, const char *name, size_t size, enum tl_segment_kind kind,
                  unsigned flags)
{
    *out = TL_SEGMENT_NONE;
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | flags);
    if (fd < 0)
        return -errno;
    if (ftruncate(fd, (off_t)size) < 0)
        goto failed;
    // Populated, so that the packet path never waits for a page. Our mapping must exist before the seal: with
    // F_SEAL_FUTURE_WRITE nobody gets a writable one any more, through whatever descriptor.
    void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
    if (base == MAP_FAILED)
        goto failed;
    if (fcntl(fd, F_ADD_SEALS, seals_of(kind)) < 0) {
        int e = errno;
        munmap(base, size);
        errno = e;
        goto failed;
    }
    *out = (struct tl_segment){.base = base, .size = size, .fd = fd};
    return 0;

failed:;
    int error = errno;
    close(fd);
    return -error;
}

int tl_segment_create(struct tl_segment *out, const char *name, size_t size, enum tl_segment_kind kind,
                      enum tl_segment_pages pages)
{
    *out = TL_SEGMENT_NONE;
    if (size == 0)
        return -EINVAL;
    if (pages == TL_SEGMENT_HUGE_PAGES &&
        create(out, name, tl_segment_size(size, pages), kind, MFD_HUGETLB | MFD_HUGE_2MB) == 0)
        return 0;
    return create(out, name, size, kind, 0);
}

int tl_segment_open(struct tl_segment *out, int fd, size_t size, enum tl_segment_kind kind)
{
    struct stat st;

    *out = TL_SEGMENT_NONE;
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0)
        return errno == EINVAL ? -EPROTO : -errno;
    if ((seals & seals_of(kind)) != seals_of(kind))
        return -EPROTO;
    // The size is judged after the seals: from then on it cannot change.
    if (fstat(fd, &st) < 0)
        return -errno;
    if (st.st_size <= 0 || (size && (uint64_t)st.st_size != size))
        return -EPROTO;
    int prot = kind == TL_SEGMENT_READ_ONLY ? PROT_READ : PROT_READ | PROT_WRITE;
    void *base = mmap(NULL, (size_t)st.st_size, prot, MAP_SHARED, fd, 0);
    if (base == MAP_FAILED)
        return -errno;
    *out = (struct tl_segment){.base = base, .size = (size_t)st.st_size, .fd = fd};
    return 0;
}

void tl_segment_close(struct tl_segment *segment)
{
    // A zeroed struct names no descriptor either: there is one only where there is a mapping.
    if (segment->base) {
        munmap(segment->base, segment->size);
        if (segment->fd >= 0)
            close(segment->fd);
    }
    *segment = TL_SEGMENT_NONE;
}
