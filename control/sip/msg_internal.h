// SPDX-License-Identifier: BSD-3-Clause
// Inside of a message, for the stack's own files.
#pragma once

#include "control/sip/filter.h"

struct sip_msg {
    struct sip_str bytes;
    struct sip_str body;
    bool request;
    int status;
    uint32_t cseq;
    enum sip_method method;
    struct sip_str method_name;
    struct sip_str uri, phrase;
    struct sip_via via;                // the first
    struct sip_addr from, to, contact; // contact.uri.p == NULL: none
    struct sip_str from_tag, to_tag;   // p == NULL: none
    uint8_t first[SIP_NAME_COUNT];     // as in struct sip_head
    unsigned line_count;
    struct sip_line lines[]; // and the bytes behind them
};

// Makes a message of a head that passed the filter, whose shape is `shape`: copies the bytes. NULL without
// memory. The caller frees it.
struct sip_msg *sip_msg_new(const struct sip_head *head, const struct sip_shape *shape);
void sip_msg_free(struct sip_msg *msg);

// Value of the first line with that name; p == NULL without one.
static inline struct sip_str sip_msg_first(const struct sip_msg *msg, enum sip_name id)
{
    return msg->first[id] ? msg->lines[msg->first[id] - 1].value : (struct sip_str){NULL, 0};
}
