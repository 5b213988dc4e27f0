// SPDX-License-Identifier: BSD-3-Clause
// Answers of name servers, read (RFC 1035, 2782, 3403, 3596). Nothing in them is believed beyond what was asked: records of
// other names are passed over, CNAMEs are followed at most DNS_CNAMES_MAX times, names are bounded and cannot loop. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/contract.h"

enum dns_type { DNS_A = 1, DNS_CNAME = 5, DNS_SOA = 6, DNS_AAAA = 28, DNS_SRV = 33, DNS_NAPTR = 35 };

enum {
    DNS_NAME_MAX = 256,   // with the final NUL; without the final dot
    DNS_RECORDS_MAX = 16, // of an answer; more are passed over
    DNS_CNAMES_MAX = 8,
    DNS_SERVICE_MAX = 32,
};

struct dns_record {
    struct tl_addr addr;           // A, AAAA: port 0
    uint16_t priority, weight;     // SRV; NAPTR: order and preference
    uint16_t port;                 // SRV
    char flags[4];                 // NAPTR
    char service[DNS_SERVICE_MAX]; // NAPTR, "SIP+D2U"
    char name[DNS_NAME_MAX];       // SRV: target, NAPTR: replacement; "" for the root
};

enum dns_status {
    DNS_FOUND,   // at least one record of the type
    DNS_NOTHING, // the name or the type is not there
    DNS_FAILED,  // no server answered, or none could
    DNS_BROKEN,  // an answer that cannot be read, or whose CNAMEs lead in a circle
};

// What makes an answer one that cannot be believed.
enum dns_fault {
    DNS_SOUND,
    DNS_MALFORMED, // it ends too early, names without end, ...
    DNS_OTHER,     // it is about something else than was asked
    DNS_LOOP,      // its CNAMEs lead in a circle, or too far
};

struct dns_answer {
    enum dns_status status;
    uint32_t ttl_s; // the shortest of all that was used; NOTHING: of the SOA, 0: it says none
    uint32_t count;
    bool cut;             // there were more records than DNS_RECORDS_MAX, or some that cannot be read
    enum dns_fault fault; // BROKEN: why
    uint32_t foreign;     // records of the type asked for that are about other names: passed over
    struct dns_record record[DNS_RECORDS_MAX];
};

// Reads an answer to the question for `type` of `name`.
void dns_read(const uint8_t *msg, size_t len, const char *name, enum dns_type type, struct dns_answer *out);

// Whether two names are the same: case and a final dot do not count.
bool dns_same_name(const char *a, const char *b);
