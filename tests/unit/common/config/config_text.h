// SPDX-License-Identifier: BSD-3-Clause
// Parts of configurations that tests are made of: a small one that is right, piece by piece.
#pragma once

#define PORTS     "\"ports\":[{\"name\":\"p\",\"device\":\"net_null0\"}]"
#define DATAPLANE "\"dataplane\":{" PORTS "}"
#define REALM     "{\"name\":\"r\",\"port\":\"p\",\"address\":\"10.0.0.2/24\"}"
#define REALMS    "\"realms\":[" REALM "]"
#define LISTENERS "\"listeners\":[{\"name\":\"l\",\"transport\":\"udp\",\"address\":\"10.0.0.1:5060\"}]"
#define TRUNK     "{\"name\":\"t\",\"listener\":\"l\",\"peer\":\"10.0.0.9:5060\",\"realm\":\"r\"}"
#define BASE      DATAPLANE "," REALMS
#define SIP       BASE "," LISTENERS
