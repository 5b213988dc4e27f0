// SPDX-License-Identifier: BSD-3-Clause
// Whether a certificate is for a host: its names against those that we expect (RFC 5922 section 7, RFC 6125). Pure: bytes
// in, yes or no out; the bytes are a stranger's. Any thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum cert_name_kind {
    CERT_DNS, // dNSName of the subjectAltName
    CERT_URI, // uniformResourceIdentifier of the subjectAltName
    CERT_CN,  // common name of the subject
};

// A name as it stands in a certificate: any bytes, NUL among them.
struct cert_name {
    enum cert_name_kind kind;
    const char *p;
    size_t len;
};

// Whether one name is for `host`, a host's name without a final dot. Letters are compared without case.
//   DNS, CN  the same name, or "*" for the whole first label, with at least two labels behind it
//   URI      "sip:" and the same name, with neither user nor port nor anything behind it; never a wildcard (7.2)
// What is no host's name, has a NUL or another odd byte or is longer than 253 bytes is for nobody.
bool cert_name_fits(const struct cert_name *name, const char *host);

// Whether a certificate with these names is for `host`. Where it has sip: URIs, they alone count; else its DNS names (RFC
// 5922 section 7.1); its common name only where it has neither a DNS name nor a URI (RFC 6125 section 6.4.4).
bool cert_names_fit(const struct cert_name *names, size_t count, const char *host);
