/* Where a farm listens, where a client here finds it, and what the hosts are told. */
#include "farm_url.h"
#include "unit.h"

#include <string.h>

static bool is_same(const char *one, const char *other)
{
    return one && other ? !strcmp(one, other) : one == other;
}

static void every_address_is_not_one_to_connect_to(void)
{
    static const struct row {
        const char *listen, *farm, *address, *port;
    } ROWS[] = {
        {"tcp://*:7400", "tcp://127.0.0.1:7400", NULL, "7400"},
        {"tcp://0.0.0.0:1", "tcp://127.0.0.1:1", NULL, "1"},
        {"tcp://[::]:65535", "tcp://127.0.0.1:65535", NULL, "65535"},
        {"tcp://10.0.0.1:7400", "tcp://10.0.0.1:7400", "10.0.0.1", "7400"},
        {"tcp://[fd00::1]:7400", "tcp://[fd00::1]:7400", "[fd00::1]", "7400"},
        {NULL, "tcp://127.0.0.1:7400", NULL, "7400"},
    };

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct farm_url url;
        struct error error = {0};

        CU_ASSERT_EQUAL(farm_url_choose(&url, ROWS[i].listen, false, &error), OK);
        CU_ASSERT_STRING_EQUAL(url.listen, ROWS[i].listen ? ROWS[i].listen : "tcp://*:7400");
        CU_ASSERT_STRING_EQUAL(url.farm, ROWS[i].farm);
        CU_ASSERT(is_same(url.address, ROWS[i].address));
        CU_ASSERT_STRING_EQUAL(url.port, ROWS[i].port);
    }
}

static void a_free_port_is_chosen(void)
{
    struct farm_url url;
    struct error error = {0};

    CU_ASSERT_EQUAL(farm_url_choose(&url, NULL, true, &error), OK);
    CU_ASSERT_STRING_NOT_EQUAL(url.port, "0");
    CU_ASSERT_PTR_NOT_NULL(strstr(url.listen, url.port));
}

static const struct unit_case CASES[] = {
    {"every address is not one to connect to", every_address_is_not_one_to_connect_to},
    {"a free port is chosen", a_free_port_is_chosen}};

UNIT_MAIN("farm url", CASES)
