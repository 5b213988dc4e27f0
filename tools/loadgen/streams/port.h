// SPDX-License-Identifier: BSD-3-Clause
// Where packets go out and come in: kernel sockets or a DPDK port. One thread.
#pragma once

#include "tools/loadgen/streams/flow.h"

enum {
    PORT_BURST = 64,
    PACKET_ROOM =
        1600, // bytes at `data` of a packet to be sent: the longest with its tag, and what libre needs
};

struct packet {
    uint8_t *data; // UDP payload
    uint32_t length;
    uint32_t room;   // bytes that may be written at `data`
    uint32_t stream; // UINT32_MAX: received for none
    bool foreign;    // received from another address than the stream's
    bool refused;    // after sending: the port will never take it
    void *handle;    // the port's
};

struct port_counters { // since it was opened
    uint64_t missed;   // lost on this machine before the program saw them: its own fault, not the far side's
    uint64_t stray;    // for no stream
    uint64_t bad_sum;  // wrong checksums
    uint64_t not_udp;  // other traffic
};

struct port {
    const struct port_ops *ops;
    char name[120]; // for the report
};

struct port_ops {
    // Up to `n` empty packets to be filled and sent. Returns how many.
    uint32_t (*buffers)(struct port *port, struct packet *p, uint32_t n);
    // Sends the first packets of `n`; stream, data, length are set. Returns how many are done with: sent or
    // `refused`. The others are to be given again.
    uint32_t (*send)(struct port *port, struct packet *p, uint32_t n);
    // Gives back packets of buffers() that were not sent.
    void (*unused)(struct port *port, struct packet *p, uint32_t n);
    // Up to `n` (PORT_BURST or less) received packets; they are given back by received_done() before the next
    // call.
    uint32_t (*receive)(struct port *port, struct packet *p, uint32_t n);
    void (*received_done)(struct port *port, struct packet *p, uint32_t n);
    // Sleeps until a packet may have come, `ns` have passed or a signal came.
    void (*wait)(struct port *port, int64_t ns);
    void (*counters)(struct port *port, struct port_counters *c);
    void (*close)(struct port *port);
};

// Opens kernel sockets, one for each local address and port. *port is the caller's, closed by its ops. 0 or
// -errno with a sentence.
int sockets_open(const struct stream_options *o, const struct flow *flows, uint32_t count, struct port **port,
                 char *error, size_t size);
