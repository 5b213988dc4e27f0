// SPDX-License-Identifier: BSD-3-Clause
// blast: sends prebuilt RTP or SRTP from two parties at an exact rate and checks what comes out at the
// other's. One thread, one core. Frames go out by AF_PACKET sockets, and come in by rings that the kernel
// fills, so that receiving costs no system call. What this measures is somebody else: a gateway between the
// two interfaces.
#pragma once

#include <netinet/in.h>
#include <srtp2/srtp.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    BLAST_CALLS_MAX = 5000,
    BLAST_PORT = 20000,     // of call 0 on both sides; call n has BLAST_PORT + 2 n
    BLAST_PAYLOAD = 160,    // 20 ms of G.711
    BLAST_HEADERS = 42,     // Ethernet, IPv4, UDP
    BLAST_RTP = 12,         // header of RTP
    BLAST_SLOT = 256,       // bytes of the arena for one frame
    BLAST_BATCH = 32,       // frames in one system call
    BLAST_SAMPLE_EVERY = 64 // packets of a stream, of which one is kept and checked byte by byte
};

// What one party of a call does.
struct blast_stream {
    struct sockaddr_in to; // the gateway's address for this leg: sent to, and the only source expected
    srtp_t tx, rx;         // what the party encrypts and decrypts with, NULL for plain RTP
    uint16_t seq;          // next to send
    uint16_t begin;        // next to send when the slice began
    uint16_t last;         // received last
    bool heard;            // `last` is valid
    uint32_t ssrc, timestamp;
};

// A party: a namespace, an interface in it, and its side of every call.
struct blast_party {
    char ns[64], interface[16];
    struct in_addr ip;
    uint8_t mac[6], gateway_mac[6];
    int send_fd, receive_fd;
    uint8_t *ring;               // of received frames, mapped
    unsigned next;               // frame of the ring to look at
    struct blast_stream *stream; // one per call
    uint8_t *arena;              // frames of the slice, BLAST_SLOT bytes each
    uint32_t count;              // of them
    uint32_t frame_len;          // bytes of each
    uint32_t sent;               // of them, in this slice
};

// What happened in one slice.
struct blast_result {
    uint64_t sent;       // handed to the kernel
    uint64_t refused;    // of these: not taken by the interface, because the gateway's end was full
    uint64_t received;   // media of our calls, each once
    uint64_t duplicates; // seen before
    uint64_t disordered; // came after a later one
    uint64_t bad;        // wrong source, length, payload type or payload
    uint64_t foreign;    // for no port of ours
    uint64_t late;       // of the slice before, or of another process
    uint64_t missed;     // that the kernel had no room for in our ring: ours, not the gateway's loss
    uint64_t sampled, sample_bad;
    uint64_t wall_ns; // from the first packet due to the last sent
    uint64_t send_ns; // CPU time in system calls that send: the gateway's part on our core is in it
    uint64_t gap_ns;  // longest time that the thread was away
};

struct blast {
    struct blast_party party[2];
    unsigned calls;
    uint8_t *sample; // kept packets: RTP or SRTP, BLAST_SLOT bytes each: side, call, length, bytes
    uint32_t sample_count, sample_max;
    struct blast_result result;
};

// ---- blast_port.c ------------------------------------------------------------------------------------

// Opens the party's sockets and ring in its namespace; ns, interface and gateway_mac are set. Ends the
// program with a sentence where that fails.
void blast_port_open(struct blast_party *party);
void blast_port_close(struct blast_party *party);

// Sends `count` (1..BLAST_BATCH) frames of the arena from `party->sent` on. Returns how many the interface
// refused.
unsigned blast_port_send(struct blast_party *party, unsigned count);

// The next received IPv4 packet and its length, or NULL. It stays until blast_port_done().
const uint8_t *blast_port_next(struct blast_party *party, uint32_t *len);
void blast_port_done(struct blast_party *party);

// Packets that found the ring full since the last call.
uint64_t blast_port_missed(struct blast_party *party);

// ---- blast_packets.c ---------------------------------------------------------------------------------

// Reads the calls: a line for each, `DST_IP DST_PORT SUITE TX_KEY RX_KEY` of the peer and then of the core;
// keys in hex with their salt; plain RTP is `- - -`. Ends the program where it cannot be read.
void blast_read_calls(struct blast *b, const char *path);
void blast_free_calls(struct blast *b);

// Builds `count` frames for each party, encrypted where the call says so. False: not enough memory.
bool blast_build(struct blast *b, uint32_t count);

// Judges one received packet and keeps a sample.
void blast_judge(struct blast *b, unsigned side, const uint8_t *ip, uint32_t len);

// Decrypts and compares the samples, after the slice.
void blast_check_samples(struct blast *b);

// ---- blast.c -----------------------------------------------------------------------------------------

__attribute__((noreturn, format(printf, 1, 2))) void blast_die(const char *format, ...);
