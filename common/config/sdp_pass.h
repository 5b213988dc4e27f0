// SPDX-License-Identifier: BSD-3-Clause
// Lines of an SDP that may go from one network to the other. The one list: the words of `sdp_pass`, control's
// reader and the table in docs/sdp.md come from it.
#pragma once

// X(constant, line, values, default, why): the line is an attribute's name, or a bandwidth's type with "b=" before.
// Values are NUMBER (decimal, perhaps with a fraction) or WORDS (letters, digits, blanks, and ",-*": no address can be spelled with
// them); a line with another value is dropped. Default 1: passes unless a trunk's sdp_pass says otherwise.
#define TL_SDP_PASS(X)                                                                                       \
    X(PTIME, "ptime", NUMBER, 1,                                                                             \
      "RFC 8866 6.4: the packet time that is wished for; packets pass as they are")                          \
    X(MAXPTIME, "maxptime", NUMBER, 1, "RFC 8866 6.5: the longest packet time; packets pass as they are")    \
    X(SILENCESUPP, "silenceSupp", WORDS, 1,                                                                  \
      "RFC 3108: whether an end leaves out silence, which nobody here does")                                 \
    X(ECAN, "ecan", WORDS, 1, "RFC 3108: whether an end cancels echo, which nobody here does")               \
    X(CONTENT, "content", WORDS, 1, "RFC 4796: what the stream shows, for the person at the other end")      \
    X(LANG, "lang", WORDS, 1, "RFC 8866 6.12: the language that is spoken")                                  \
    X(HLANG_SEND, "hlang-send", WORDS, 1,                                                                    \
      "RFC 8373: languages for emergency calls, agreed between the ends")                                    \
    X(HLANG_RECV, "hlang-recv", WORDS, 1, "RFC 8373: the same, of the other direction")                      \
    X(B_AS, "b=AS", NUMBER, 1, "RFC 8866 5.8: bandwidth that an end can take")                               \
    X(B_TIAS, "b=TIAS", NUMBER, 1, "RFC 3890: the same without headers")                                     \
    X(B_RS, "b=RS", NUMBER, 1, "RFC 3556: RTCP of senders; RTCP goes from end to end")                       \
    X(B_RR, "b=RR", NUMBER, 1, "RFC 3556: RTCP of receivers")                                                \
    X(LABEL, "label", WORDS, 0, "RFC 4574: a name for documents beside the SDP, which end here")             \
    X(QUALITY, "quality", NUMBER, 0, "RFC 8866 6.14: meant for pictures")

enum tl_sdp_pass {
#define X(constant, line, values, otherwise, why) TL_SDP_##constant,
    TL_SDP_PASS(X)
#undef X
        TL_SDP_PASS_COUNT
};
