// SPDX-License-Identifier: BSD-3-Clause
// Transport addresses: the one place where they are read, printed, compared and turned into what the kernel
// takes. Both families; who cannot carry one says so itself. An address has one form: an IPv6 address that only stands for an
// IPv4 one (::ffff:192.0.2.1) is read as that one. Scope ids are none. Nothing here allocates. Any thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/contract.h"

struct sockaddr;
struct sockaddr_storage;

enum { TL_ADDR_TEXT = 56 }; // "[" the longest IPv6 address "]:65535" and its NUL

// Prints the address alone ("10.0.0.1", "2001:db8::1"), as a host in a URI or Via ("10.0.0.1",
// "[2001:db8::1]"), or with its port ("10.0.0.1:5060", "[2001:db8::1]:5060"). "" for an unset address.
// Each returns out.
const char *tl_addr_print_ip(const struct tl_addr *addr, char out[static TL_ADDR_TEXT]);
const char *tl_addr_print_host(const struct tl_addr *addr, char out[static TL_ADDR_TEXT]);
const char *tl_addr_print(const struct tl_addr *addr, char out[static TL_ADDR_TEXT]);

// The same inside an expression, for a log line: the text lives until the block ends.
#define TL_ADDR_STR(addr) tl_addr_print((addr), (char[TL_ADDR_TEXT]){""})

// Reads `len` bytes that hold the address alone; a host (IPv6 in brackets); a host with or without a port.
// IPv4 is four decimal numbers without leading zeros. Without a port out->port is 0; a port that is written
// is 1..65535. Returns false, and *out is unset, when the bytes are anything else, names too.
bool tl_addr_read_ip(const char *s, size_t len, struct tl_addr *out);
bool tl_addr_read_host(const char *s, size_t len, struct tl_addr *out);
bool tl_addr_read(const char *s, size_t len, struct tl_addr *out);

// 0.0.0.0 or ::, whatever the port. An unset address is neither.
bool tl_addr_is_any(const struct tl_addr *addr);

static inline bool tl_addr_is_set(const struct tl_addr *addr)
{
    return addr->family != TL_AF_UNSET;
}

// Same family and address; the second compares the port too. Unset addresses equal each other.
bool tl_addr_same_host(const struct tl_addr *a, const struct tl_addr *b);
bool tl_addr_equal(const struct tl_addr *a, const struct tl_addr *b);

// For bind(), connect(), sendto(). Returns the length of what was filled in, 0 for an unset address.
unsigned tl_addr_to_sockaddr(const struct tl_addr *addr, struct sockaddr_storage *out);

// What accept() or recvfrom() gave. Returns false, and *out is unset, for a family that is no IP.
bool tl_addr_from_sockaddr(const struct sockaddr *from, struct tl_addr *out);
