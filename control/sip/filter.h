// SPDX-License-Identifier: BSD-3-Clause
// The byte-level filter in front of the transactions: sizes, line lengths, start-line shape, header counts, number
// ranges. What passes has the headers that a transaction needs. Any
// thread.
#pragma once

#include "control/sip/read.h"
#include "control/sip/sip.h"

// What the filter found out on its way.
struct sip_shape {
    enum sip_reject reason; // SIP_REJECT_COUNT: it passed
    int status;             // when it did not: what to answer, 0 = nothing
    int code;               // status of a response
    uint32_t cseq;
    struct sip_str cseq_method;
    struct sip_via via; // the first one
    // From, To and the first Contact that is one, read once; uri.p == NULL: not come that far, or no Contact
    struct sip_addr from, to, contact;
    struct sip_str from_tag, to_tag; // p == NULL: none
    size_t body_len;
};

// Judges a head that sip_read() has read. `stream`: from TCP, where the framing has already cut at
// Content-Length. Returns whether it passed; *shape is filled either way, its later fields as far as it came.
bool sip_filter(const struct sip_head *head, bool stream, struct sip_shape *shape);
