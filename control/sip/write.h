// SPDX-License-Identifier: BSD-3-Clause
// Writing messages as bytes. What is copied from a received message is copied byte for byte. Any thread.
#pragma once

#include "control/sip/filter.h"
#include "control/sip/sip.h"

// A finished message. wipe_free() frees it.
struct sip_bytes {
    uint32_t len;
    char data[];
};

// The header lines of a request received, whether it became a message or only a head.
struct sip_lines {
    const struct sip_line *line;
    unsigned count;
};

struct sip_reply {
    struct sip_lines request;
    const struct tl_addr *from; // the source, for received and rport in Via; NULL: Via stays as it is
    const char *tag;            // ours, when To has none; NULL: none is added (100)
    const char *agent;          // Server, or NULL
    const struct sip_answer *answer;
};

// A response (8.2.6). Via, From, To, Call-ID, CSeq and, for 101..299, Record-Route come from the request.
// NULL without memory.
struct sip_bytes *sip_write_response(const struct sip_reply *reply);

// A request of ours. `branch` is the whole parameter value, `credentials` are further lines, or NULL. NULL without memory;
// the request was checked by sip_request_valid().
struct sip_bytes *sip_write_request(const struct sip_request *request, const struct sip_flow *flow,
                                    const char *branch, const char *agent, const char *credentials);

// A request of ours once more, with another branch, CSeq and other credentials (22.2): all else stays. NULL without memory.
struct sip_bytes *sip_write_again(const struct sip_msg *request, const struct sip_flow *flow,
                                  const char *branch, uint32_t cseq, const char *credentials);

// ACK to a 300..699 (17.1.1.3) and CANCEL (9.1) of an INVITE of ours; `to` is the To of the response, or for
// CANCEL that of the request; `headers` are further lines, or NULL. NULL without memory.
struct sip_bytes *sip_write_follow(const struct sip_lines *invite, struct sip_str uri, uint32_t cseq,
                                   enum sip_method method, struct sip_str to, const char *agent,
                                   const char *headers);

// Whether every field is there and none has a CR or LF (headers: whole lines) that would start another
// header.
bool sip_request_valid(const struct sip_request *request);
bool sip_answer_valid(const struct sip_answer *answer);
bool sip_lines_valid(const char *headers);
