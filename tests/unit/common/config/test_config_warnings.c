// SPDX-License-Identifier: BSD-3-Clause
// What the check of a configuration says where nothing is wrong.
#include <errno.h>
#include <string.h>

#include "common/config/config.h"
#include "config_text.h"
#include "runner.h"

// What is not wrong but should be looked at. Nothing of it is said beside an error.
static void warnings_name_their_place(void)
{
#define WARNED(routes)                                                                                       \
    "{" SIP                                                                                                  \
    ",\n\"trunks\":[{\"name\":\"c1\",\"listener\":\"l\",\"peer\":\"10.0.0.9:5060\",\"realm\":\"r\"},"        \
    "{\"name\":\"c2\",\"listener\":\"l\",\"peer\":\"10.0.0.8:5060\",\"realm\":\"r\"},"                       \
    "{\"name\":\"pbx\",\"listener\":\"l\",\"peer\":\"10.0.0.7:5060\",\"realm\":\"r\",\"side\":\"core\"}],"   \
    "\"routes\":[\n" routes "]}"
    static const struct {
        const char *text, *says;
    } rows[] = {
        {WARNED("{\"prefix\":\"\",\"trunks\":[\"c1\"]}"), ""},
        {WARNED("{\"prefix\":\"1\",\"from\":\"c1\",\"trunks\":[\"pbx\"]}"), ""},
        {WARNED("{\"prefix\":\"1\",\"from\":\"c1\",\"trunks\":[\"c2\",\"c1\"]}"),
         "f:3:36: routes[0].trunks: warning: no call can take this route: "},
        {WARNED("{\"prefix\":\"1\",\"trunks\":[\"c2\"],\"peer_to_peer\":true}"),
         "f:3:46: routes[0].peer_to_peer: warning: calls from peers go on to peers over this route, from \"c1\" "
         "to \"c2\" for one\n"},
        {WARNED("{\"prefix\":\"1\",\"trunks\":[\"c2\"],\"back_to_origin\":true}"),
         ""}, // c2 stays closed to itself
        {WARNED("{\"prefix\":\"1\",\"trunks\":[\"pbx\"],\"back_to_origin\":true}"),
         "f:3:49: routes[0].back_to_origin: warning: calls go back to where they came from over this route, to "
         "\"pbx\" for one\n"},
        {WARNED(
             "{\"prefix\":\"49\",\"priority\":5,\"trunks\":[\"pbx\",\"c1\"]},{\"prefix\":\"\",\"from\":\"c1\",\"called\":\"^49\",\"trunks\":[\"pbx\"]}"),
         "f:3:52: routes[1].priority: warning: no call reaches this route: routes[0] has a lower priority and "
         "fits all of them\n"},
        {WARNED(
             "{\"prefix\":\"49\",\"priority\":5,\"trunks\":[\"pbx\"]},{\"prefix\":\"491\",\"trunks\":[\"c1\"]}"),
         ""}, // what pbx calls goes past the first
        {WARNED(
             "{\"prefix\":\"49\",\"priority\":5,\"called\":\"7$\",\"trunks\":[\"pbx\"]},{\"prefix\":\"49\",\"from\":\"c1\",\"trunks\":[\"pbx\"]}"),
         ""},
    };
    struct tl_config_errors errors;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tl_config *c = NULL;
        CU_ASSERT_EQUAL(tl_config_parse("f", rows[i].text, strlen(rows[i].text), &c, &errors), 0);
        CU_ASSERT(strncmp(errors.text, rows[i].says, strlen(rows[i].says)) == 0);
        CU_ASSERT_EQUAL(errors.count, 0);
        CU_ASSERT_EQUAL(errors.warnings, rows[i].says[0] != '\0');
        if (!rows[i].says[0])
            CU_ASSERT_STRING_EQUAL(errors.text, "");
        tl_config_free(c);
    }
    struct tl_config *c = NULL;
    const char *six =
        "{" BASE
        ",\"listeners\":[{\"name\":\"l\",\"transport\":\"udp\",\"address\":\"[2001:db8::1]:5060\"}],\n"
        "\"trunks\":[{\"name\":\"t\",\"listener\":\"l\",\"realm\":\"r\",\"peer\":\"[2001:db8::9]:5060\"}]}";
    CU_ASSERT_EQUAL(tl_config_parse("f", six, strlen(six), &c, &errors), 0);
    CU_ASSERT(errors.warnings == 1 && strstr(errors.text, ".peer: warning: is IPv6, and media is IPv4"));
    tl_config_free(c);
    c = NULL;
    const char *both = WARNED(
        "{\"prefix\":\"1\",\"trunks\":[\"c2\"],\"peer_to_peer\":true},{\"prefix\":1,\"trunks\":[\"c2\"]}");
    CU_ASSERT_EQUAL(tl_config_parse("f", both, strlen(both), &c, &errors), -EINVAL);
    CU_ASSERT(errors.count == 1 && errors.warnings == 0 && !strstr(errors.text, "warning"));
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"warnings_name_their_place", warnings_name_their_place},
    };
    return test_main("config_warnings", TEST_CASES(cases), argc, argv);
}
