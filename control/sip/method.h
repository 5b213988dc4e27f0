// SPDX-License-Identifier: BSD-3-Clause
// What is to be known of each method and of each option tag, a row each. Allow and Supported are made from these
// rows, and what is not taken is refused by them. Who teaches Trunkline a method or an extension adds to one table. Any
// thread.
#pragma once

#include <assert.h>

#include "control/sip/msg.h"

// Where a request stands: outside of any dialog, in an early one, in a confirmed one; in either.
enum sip_place {
    SIP_OUTSIDE = 1u << 0,
    SIP_EARLY = 1u << 1,
    SIP_CONFIRMED = 1u << 2,
    SIP_IN_DIALOG = SIP_EARLY | SIP_CONFIRMED
};

struct sip_method_row {
    const char *name;
    unsigned taken;    // enum sip_place: where it makes sense, for whoever has it
    bool makes_dialog; // a 2xx to it makes one
    bool acked;        // an ACK follows its final response
    bool ours;         // stands in Allow unless the caller says otherwise
    int otherwise;     // how it is answered at another place
};

// NULL for SIP_OTHER.
const struct sip_method_row *sip_method_row(enum sip_method method);

// Sets of methods, a bit each.
static inline uint32_t sip_method_bit(enum sip_method method)
{
    return 1u << method;
}
static_assert(SIP_METHOD_COUNT <= 32, "a method has a bit");

// The methods of all rows that are ours.
uint32_t sip_methods_ours(void);

// How a request is to be refused at that place when only `allowed` are taken: 405 for a method that is not among
// them, the row's own status at a place where it makes no sense; 0 when it is taken.
int sip_method_refused(enum sip_method method, enum sip_place place, uint32_t allowed);

// "INVITE, ACK": the methods of a set, in the order of the rows. Cut to size at a whole name. Returns out.
char *sip_method_list(uint32_t methods, char *out, size_t size);

// The methods in the Allow lines of a message; 0 without any.
uint32_t sip_msg_methods(const struct sip_msg *msg);

// ---- option tags ---------------------------------------------------------------------------------------

// Name, where it is defined, and what we do by ourselves: `supported` says it in Supported, `required` takes a request
// that requires it. A trunk may have less or more.
#define SIP_OPTIONS_KNOWN(X)                                                                                 \
    X(100REL, "100rel", false, true)              /* RFC 3262; Supported and Require as the trunk has it */  \
    X(TIMER, "timer", false, true)                /* RFC 4028; likewise */                                   \
    X(REPLACES, "replaces", false, false)         /* RFC 3891 */                                             \
    X(NOREFERSUB, "norefersub", false, false)     /* RFC 4488 */                                             \
    X(HISTINFO, "histinfo", false, false)         /* RFC 7044 */                                             \
    X(FROM_CHANGE, "from-change", false, false)   /* RFC 4916 */                                             \
    X(TDIALOG, "tdialog", false, false)           /* RFC 4538 */                                             \
    X(PRIVACY, "privacy", false, false)           /* RFC 3323 */                                             \
    X(PRECONDITION, "precondition", false, false) /* RFC 3312 */                                             \
    X(199, "199", false, false)                   /* RFC 6228 */                                             \
    X(ANSWERMODE, "answermode", false, false)     /* RFC 5373 */                                             \
    X(UUI, "uui", false, false)                   /* RFC 7433 */

enum sip_option {
#define X(id, name, supported, required) SIP_OPTION_##id,
    SIP_OPTIONS_KNOWN(X)
#undef X
        SIP_OPTION_COUNT
};
static_assert(SIP_OPTION_COUNT <= 32, "an option has a bit");

static inline uint32_t sip_option_bit(enum sip_option option)
{
    return 1u << option;
}

// What the rows say: options for Supported, and options that a request may require of us.
uint32_t sip_options_supported(void);
uint32_t sip_options_required(void);

// The option with that name, compared without case, or SIP_OPTION_COUNT.
enum sip_option sip_option_by_name(struct sip_str name);

// "100rel, timer": the options of a set. Cut to size at a whole name. Returns out.
char *sip_option_list(uint32_t options, char *out, size_t size);

// The options in the lines of that header (Supported, Require, Unsupported) that the table knows; what it does not
// know is left out.
uint32_t sip_msg_options(const struct sip_msg *msg, enum sip_name header);
