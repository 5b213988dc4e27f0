# SPDX-License-Identifier: BSD-3-Clause
# Certificates for tests, made by openssl(1) when they run. To be sourced.
# shellcheck shell=bash

# make_ca DIR NAME: a CA, DIR/NAME.pem with its key in DIR/NAME.key
make_ca() {
    openssl ecparam -name prime256v1 -genkey -noout -out "$1/$2.key" 2>/dev/null &&
        openssl req -x509 -new -key "$1/$2.key" -subj "/CN=$2" -days 3650 -out "$1/$2.pem" 2>/dev/null
}

# make_certificate DIR NAME CA SAN [DAYS [EXTENSION...]]: DIR/NAME.pem from a CA of make_ca(), with its key in DIR/NAME.key; SAN
# as in OpenSSL's configuration, "" for none. Its CN is NAME. DAYS from now on may be negative.
make_certificate() {
    local dir=$1 name=$2 ca=$3 san=$4 days=${5:-365} extension extensions=(-addext basicConstraints=CA:FALSE)
    shift $(($# > 5 ? 5 : $#))
    [ -n "$san" ] && extensions+=(-addext "subjectAltName=$san")
    for extension in "$@"; do extensions+=(-addext "$extension"); done
    # req cannot make one that has expired, x509 can
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -keyout "$dir/$name.key" -subj "/CN=$name" \
        "${extensions[@]}" 2>"$dir/openssl.err" |
        openssl x509 -req -CA "$dir/$ca.pem" -CAkey "$dir/$ca.key" -days "$days" -copy_extensions copy -out "$dir/$name.pem" \
            2>>"$dir/openssl.err" && chmod 600 "$dir/$name.key"
}

# san_of HEX...: a subjectAltName of DNS names with these bytes, as no configuration could write it
san_of() {
    local hex names='' n
    for hex in "$@"; do names+=82$(der_length $((${#hex} / 2)))$hex; done
    n=$((${#names} / 2))
    echo "DER:30$(der_length $n)$names"
}
der_length() {
    if [ "$1" -lt 128 ]; then printf %02x "$1"; elif [ "$1" -lt 256 ]; then printf 81%02x "$1"; else printf 82%04x "$1"; fi
}
hex_of() { printf %s "$1" | od -An -v -tx1 | tr -d ' \n'; }
