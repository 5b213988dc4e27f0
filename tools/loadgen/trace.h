// SPDX-License-Identifier: BSD-3-Clause
// The little that is read from raw SIP responses: what libre keeps to itself. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct trace_text {
    const char *text; // into the message
    size_t length;
};

struct trace_response {
    uint16_t status;
    struct trace_text call_id;
    struct trace_text method; // of CSeq
};

// Reads a message. False when it is no response or lacks Call-ID or CSeq.
bool trace_read(const char *data, size_t length, struct trace_response *r);
