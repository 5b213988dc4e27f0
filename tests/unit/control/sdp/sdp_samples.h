// SPDX-License-Identifier: BSD-3-Clause
// SDP of the shapes that equipment sends, written for these tests: no capture of anybody's traffic.
#pragma once

#define SAMPLE_KEY80 "inline:MTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5QUJjZGVm"
#define SAMPLE_CM80  "AES_CM_128_HMAC_SHA1_80 " SAMPLE_KEY80
#define SAMPLE_GCM   "inline:AAECAwQFBgcICQoLDA0OD6ChoqOkpaanqKmqqw=="

// A router with voice ports: no blank after s=, several attributes of its own, DTMF as 101.
static const char sdp_router[] = "v=0\r\n"
                                 "o=CiscoSystemsSIP-GW-UserAgent 7124 3210 IN IP4 192.0.2.10\r\n"
                                 "s=SIP Call\r\n"
                                 "c=IN IP4 192.0.2.10\r\n"
                                 "t=0 0\r\n"
                                 "m=audio 17390 RTP/AVP 8 0 101 19\r\n"
                                 "c=IN IP4 192.0.2.11\r\n"
                                 "a=rtpmap:8 PCMA/8000\r\n"
                                 "a=rtpmap:0 PCMU/8000\r\n"
                                 "a=rtpmap:101 telephone-event/8000\r\n"
                                 "a=fmtp:101 0-16\r\n"
                                 "a=rtpmap:19 CN/8000\r\n"
                                 "a=ptime:20\r\n";

// A PBX of offices: bandwidth, RTCP address of its own, SRTP and plain RTP as two lines for one stream, the
// session on hold as a whole.
static const char sdp_pbx[] = "v=0\r\n"
                              "o=- 1398247516 3 IN IP4 192.0.2.20\r\n"
                              "s=-\r\n"
                              "b=TIAS:64000\r\n"
                              "a=sendonly\r\n"
                              "c=IN IP4 192.0.2.20\r\n"
                              "t=0 0\r\n"
                              "m=audio 2070 RTP/SAVP 0 127\r\n"
                              "b=AS:80\r\n"
                              "a=rtpmap:0 PCMU/8000\r\n"
                              "a=rtpmap:127 telephone-event/8000\r\n"
                              "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " SAMPLE_KEY80 "\r\n"
                              "a=rtcp:2099 IN IP4 192.0.2.21\r\n"
                              "m=audio 2070 RTP/AVP 0 127\r\n"
                              "a=rtpmap:127 telephone-event/8000\r\n"
                              "m=video 0 RTP/AVP 99\r\n";

// A mediation server: candidates, keys with MKI and without, lifetime, more codecs than we know, x- lines.
static const char sdp_mediation[] = "v=0\r\n"
                                    "o=- 0 0 IN IP4 192.0.2.30\r\n"
                                    "s=session\r\n"
                                    "c=IN IP4 192.0.2.30\r\n"
                                    "b=CT:1000\r\n"
                                    "t=0 0\r\n"
                                    "m=audio 50012 RTP/AVP 97 101 13 0 8\r\n"
                                    "a=candidate:1 1 UDP 2130706431 192.0.2.30 50012 typ host\r\n"
                                    "a=ice-ufrag:abcd\r\n"
                                    "a=label:Audio\r\n"
                                    "a=rtcp:50013\r\n"
                                    "a=rtcp-mux\r\n"
                                    "a=crypto:1 AES_256_CM_HMAC_SHA1_80 inline:xxxx|2^31\r\n"
                                    "a=crypto:2 AES_CM_128_HMAC_SHA1_80 " SAMPLE_KEY80 "|2^31|1:1\r\n"
                                    "a=crypto:3 AES_CM_128_HMAC_SHA1_80 " SAMPLE_KEY80 "|2^31\r\n"
                                    "a=rtpmap:97 RED/8000\r\n"
                                    "a=rtpmap:13 CN/8000\r\n"
                                    "a=rtpmap:0 PCMU/8000\r\n"
                                    "a=rtpmap:8 PCMA/8000\r\n"
                                    "a=rtpmap:101 telephone-event/8000\r\n"
                                    "a=fmtp:101 0-16\r\n"
                                    "a=ptime:20\r\n"
                                    "a=x-bypassid:11111111-2222-3333-4444-555555555555\r\n";

// A soft PBX: LF only, no t=, empty s=, GCM first, no final line end.
static const char sdp_soft[] = "v=0\n"
                               "o=- 2087 2087 IN IP4 192.0.2.40\n"
                               "s=\n"
                               "c=IN IP4 192.0.2.40\n"
                               "m=audio 11338 RTP/SAVP 0 8 96\n"
                               "a=crypto:1 AEAD_AES_128_GCM " SAMPLE_GCM "\n"
                               "a=crypto:2 AES_CM_128_HMAC_SHA1_80 " SAMPLE_KEY80 "\n"
                               "a=rtpmap:96 telephone-event/8000\n"
                               "a=fmtp:96 0-15\n"
                               "a=maxptime:150\n"
                               "a=sendrecv";

// Lines out of order, the connection after the medium's attributes, hold by address, blanks at the ends.
static const char sdp_odd[] = "s=x\r\n"
                              "v=0 \r\n"
                              "m=audio 4000/1 RTP/AVP 8 \r\n"
                              "a=recvonly\r\n"
                              "a=unknown-to-all\r\n"
                              "\r\n"
                              "nonsense\r\n"
                              "c=IN IP4 0.0.0.0\r\n"
                              "o=a 1 2 IN IP4 192.0.2.50\r\n";

static const char *const sdp_samples[] = {sdp_router, sdp_pbx, sdp_mediation, sdp_soft, sdp_odd};
