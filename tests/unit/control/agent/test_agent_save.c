// SPDX-License-Identifier: BSD-3-Clause
// What a call keeps of redirects, as a record and back.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/agent/agent_internal.h"
#include "control/base/record.h"
#include "runner.h"

static struct agent_call call, back;

static int load(const char *text)
{
    struct record r;
    if (record_open(&r, text, strlen(text), "call") < 0)
        return -EBADMSG;
    return agent_redirect_load(&back, &r);
}

static void redirects_come_back(void)
{
    char text[2048];
    for (unsigned count = 0; count <= AGENT_NUMBERS_MAX; count++) {
        struct record_writer w;
        memset(&call, 0, sizeof call);
        memset(&back, 0xff, sizeof back);
        call.number_count = (uint8_t)count;
        call.number = (uint8_t)(count / 2);
        for (unsigned i = 0; i < count; i++)
            snprintf(call.numbers[i], SIP_NUMBER_MAX, "+1555%u;ext=%%7B", i);
        record_writer_init(&w, text, sizeof text - 1);
        record_begin(&w, "call", 1);
        agent_redirect_save(&w, &call);
        record_end(&w);
        int len = record_finish(&w);
        CU_ASSERT_FATAL(len > 0);
        text[len] = '\0';
        CU_ASSERT_EQUAL(load(text), 0);
        CU_ASSERT(back.number_count == count && back.number == count / 2);
        for (unsigned i = 0; i < count; i++)
            CU_ASSERT_STRING_EQUAL(back.numbers[i], call.numbers[i]);
    }
}

static void what_cannot_be_is_refused(void)
{
    static const char *const rows[] = {
        "redirect 2 {\ncount 1\ncalled 1\nnumber_0 100\n}\n",
        "redirect 1 {\ncount 0\ncalled 0\n}\n",
        "redirect 1 {\ncount 6\ncalled 0\nnumber_0 1\nnumber_1 2\nnumber_2 3\nnumber_3 4\nnumber_4 5\nnumber_5 6\n}\n",
        "redirect 1 {\ncount 1\ncalled 2\nnumber_0 100\n}\n",
        "redirect 1 {\ncount 1\nnumber_0 100\n}\n",
        "redirect 1 {\ncount 2\ncalled 0\nnumber_0 100\n}\n",
        "redirect 1 {\ncount 2\ncalled 0\nnumber_0 100\nnumber_1 100\n}\n",
        "redirect 1 {\ncount 1\ncalled 0\nnumber_0 \n}\n",
        "redirect 1 {\ncount 1\ncalled 0\nnumber_0 1%0D%0AVia: x\n}\n",
        "redirect 1 {\ncount 1\ncalled 0\nnumber_0 1>;x=<\n}\n",
        "redirect 1 {\ncount 1\ncalled 0\nnumber_0 1@10.0.0.1\n}\n",
    };
    char text[512];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(text, sizeof text, "call 1 {\n%s}\n", rows[i]);
        int rc = load(text);
        if (rc != -EINVAL)
            printf("   row %zu: %d\n", i, rc);
        CU_ASSERT(rc == -EINVAL && back.number_count == 0 && back.number == 0);
    }
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"redirects_come_back", redirects_come_back},
        {"what_cannot_be_is_refused", what_cannot_be_is_refused},
    };
    return test_main("agent_save", TEST_CASES(cases), argc, argv);
}
