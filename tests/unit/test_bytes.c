/* base/: bytes, chunks, errors. */
#include "unit.h"

#include "base/bytes.h"
#include "base/chunk.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/memory.h"

#include <errno.h>
#include <string.h>

static void what_is_appended_is_there_in_order(void)
{
    struct bytes bytes = {0};

    for (unsigned i = 0; i < 100000; i++)
        bytes_append_byte(&bytes, (uint8_t)(i * 7));
    bytes_append(&bytes, "xyz", 3);
    bytes_append(&bytes, NULL, 0);
    CU_ASSERT_EQUAL_FATAL(bytes.length, 100003);
    CU_ASSERT(bytes.capacity >= bytes.length);
    for (unsigned i = 0; i < 100000; i++)
        CU_ASSERT_FATAL(bytes.data[i] == (uint8_t)(i * 7));
    CU_ASSERT_EQUAL(memcmp(bytes.data + 100000, "xyz", 3), 0);
    bytes_clear(&bytes);
    CU_ASSERT(!bytes.data && !bytes.length && !bytes.capacity);
}

static void numbers_are_little_endian(void)
{
    static const uint8_t expected[] = {0x04, 0x03, 0x02, 0x01, 0x08, 0x07,
                                       0x06, 0x05, 0x04, 0x03, 0x02, 0x81};
    struct bytes bytes = {0};

    bytes_append_u32(&bytes, 0x01020304);
    bytes_append_u64(&bytes, UINT64_C(0x8102030405060708));
    CU_ASSERT_EQUAL_FATAL(bytes.length, sizeof expected);
    CU_ASSERT_EQUAL(memcmp(bytes.data, expected, sizeof expected), 0);
    bytes_clear(&bytes);
}

static void extending_gives_room_where_the_length_was(void)
{
    struct bytes bytes = {0};
    uint8_t *at;

    bytes_append(&bytes, "ab", 2);
    at = bytes_extend(&bytes, 1000);
    CU_ASSERT_PTR_EQUAL(at, bytes.data + 2);
    CU_ASSERT_EQUAL(bytes.length, 1002);
    bytes_reserve(&bytes, 5000);
    CU_ASSERT_EQUAL(bytes.length, 1002);
    CU_ASSERT(bytes.capacity >= 6002);
    CU_ASSERT_EQUAL(memcmp(bytes.data, "ab", 2), 0);
    bytes_clear(&bytes);
}

static void moving_clears_the_one_and_empties_the_other(void)
{
    struct bytes from = {0}, to = {0};
    uint8_t *data;

    bytes_append(&from, "new", 3);
    bytes_append(&to, "old one", 7);
    data = from.data;
    bytes_move(&to, &from);
    CU_ASSERT_PTR_EQUAL(to.data, data);
    CU_ASSERT_EQUAL(to.length, 3);
    CU_ASSERT(!from.data && !from.length && !from.capacity);
    bytes_clear(&to);
}

static void a_reader_gives_what_was_written(void)
{
    struct bytes bytes = {0};
    struct reader reader;

    bytes_append_byte(&bytes, 200);
    bytes_append_u32(&bytes, UINT32_MAX - 1);
    bytes_append_u64(&bytes, UINT64_MAX - 2);
    bytes_append(&bytes, "end", 3);
    reader = reader_of(bytes.data, bytes.length);
    CU_ASSERT_EQUAL(reader_u8(&reader), 200);
    CU_ASSERT_EQUAL(reader_u32(&reader), UINT32_MAX - 1);
    CU_ASSERT_EQUAL(reader_u64(&reader), UINT64_MAX - 2);
    CU_ASSERT_EQUAL(reader_left(&reader), 3);
    CU_ASSERT_EQUAL(memcmp(reader_take(&reader, 3), "end", 3), 0);
    CU_ASSERT(reader_take(&reader, 0) != NULL);
    CU_ASSERT_FALSE(reader.failed);
    bytes_clear(&bytes);
}

static void a_reader_that_failed_stays_failed(void)
{
    static const uint64_t lengths[] = {4, 5, UINT32_MAX, UINT64_MAX, UINT64_MAX - 2};

    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct reader reader = reader_of("abc", 3);

        CU_ASSERT_PTR_NULL(reader_take(&reader, lengths[i]));
        CU_ASSERT(reader.failed);
        CU_ASSERT_EQUAL(reader_u8(&reader), 0);
        CU_ASSERT_PTR_NULL(reader_take(&reader, 1));
    }
    for (size_t length = 0; length < 8; length++) {
        struct reader reader = reader_of("abcdefg", length);

        CU_ASSERT_EQUAL(reader_u64(&reader), 0);
        CU_ASSERT(reader.failed);
    }
}

static void an_empty_reader_has_nothing(void)
{
    struct reader reader = reader_of(NULL, 0);

    CU_ASSERT_EQUAL(reader_left(&reader), 0);
    CU_ASSERT_EQUAL(reader_u8(&reader), 0);
    CU_ASSERT(reader.failed);
}

static void count_release(void *owner)
{
    ++*(int *)owner;
}

static void a_block_is_given_back_with_its_last_view(void)
{
    int releases = 0;
    struct chunk whole = chunk_wrap("0123456789", 10, count_release, &releases);
    struct chunk shared = chunk_share(&whole);
    struct chunk part = chunk_part(&shared, 3, 4);

    CU_ASSERT_EQUAL(memcmp(part.data, "3456", 4), 0);
    CU_ASSERT_EQUAL(part.length, 4);
    chunk_drop(&whole);
    chunk_drop(&whole); /* an empty chunk by now */
    chunk_drop(&shared);
    CU_ASSERT_EQUAL(releases, 0);
    CU_ASSERT_EQUAL(memcmp(part.data, "3456", 4), 0);
    chunk_drop(&part);
    CU_ASSERT_EQUAL(releases, 1);
    CU_ASSERT(!part.block && !part.data && !part.length);
}

static void an_empty_part_holds_no_block(void)
{
    int releases = 0;
    struct chunk whole = chunk_wrap("0123", 4, count_release, &releases);
    struct chunk none = chunk_part(&whole, 4, 0);

    CU_ASSERT(!none.block && !none.length);
    chunk_drop(&whole);
    CU_ASSERT_EQUAL(releases, 1);
    chunk_drop(&none);
    CU_ASSERT_EQUAL(releases, 1);
}

static void chunks_of_bytes_take_them_over(void)
{
    struct bytes bytes = {0}, nothing = {0};
    const uint8_t *data;
    struct chunk chunk, copy, empty;

    bytes_append(&bytes, "abc", 3);
    bytes_reserve(&nothing, 10);
    data = bytes.data;
    chunk = chunk_take(&bytes);
    empty = chunk_take(&nothing);
    copy = chunk_copy(chunk.data, chunk.length);
    CU_ASSERT_PTR_EQUAL(chunk.data, data);
    CU_ASSERT(!bytes.data && !bytes.length && !nothing.data);
    CU_ASSERT(!empty.block && !empty.length);
    CU_ASSERT(copy.data != data && copy.length == 3 && !memcmp(copy.data, "abc", 3));
    chunk_drop(&chunk);
    chunk_drop(&copy);
    chunk_drop(&empty);
}

static void an_error_has_its_code_and_sentence(void)
{
    struct error error = {0};

    CU_ASSERT_EQUAL(error_set(&error, ERROR_INPUT, "%s: line %d", "a.txt", 3), ERROR_INPUT);
    CU_ASSERT_EQUAL(error.code, ERROR_INPUT);
    CU_ASSERT_STRING_EQUAL(error.text, "a.txt: line 3");
    CU_ASSERT_EQUAL(error_set(NULL, ERROR_FARM, "nobody"), ERROR_FARM);
    CU_ASSERT_EQUAL(error_set_errno(NULL, ERROR_FARM, ENOENT, "nobody"), ERROR_FARM);
    CU_ASSERT_EQUAL(error_set_errno(&error, ERROR_SYSTEM, ENOENT, "cannot open '%s'", "x"),
                    ERROR_SYSTEM);
    CU_ASSERT_STRING_EQUAL(error.text, "cannot open 'x': No such file or directory");
}

static void a_sentence_that_is_too_long_is_cut(void)
{
    struct error error = {0};
    char text[3 * ERROR_TEXT_BYTES];

    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = 0;
    error_set(&error, ERROR_INPUT, "%s", text);
    CU_ASSERT_EQUAL(strlen(error.text), ERROR_TEXT_BYTES - 1);
    error_set_errno(&error, ERROR_SYSTEM, EIO, "%s", text);
    CU_ASSERT_EQUAL(strlen(error.text), ERROR_TEXT_BYTES - 1);
}

static void every_code_has_its_exit_status(void)
{
    static const struct {
        enum error_code code;
        int exit_status;
        bool passing;
    } cases[] = {{OK, 0, false},
                 {ERROR_FAILED, 1, false},
                 {ERROR_USAGE, 2, false},
                 {ERROR_INPUT, 2, false},
                 {ERROR_FARM, 3, true},
                 {ERROR_MEMORY, 1, true},
                 {ERROR_SYSTEM, 1, true},
                 {ERROR_PROTOCOL, 1, false},
                 {ERROR_STOPPED, 130, false},
                 {ERROR_UNREAD, 141, false}};

    CU_ASSERT_EQUAL(sizeof cases / sizeof *cases, ERROR_CODES);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CU_ASSERT_EQUAL(error_exit_status(cases[i].code), cases[i].exit_status);
        CU_ASSERT_EQUAL(error_is_passing(cases[i].code), cases[i].passing);
    }
}

static void memory_is_zeroed_and_never_null(void)
{
    static const size_t sizes[] = {0, 1, 7, 4096, 100000};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint8_t *one = memory_new(sizes[i]);
        uint8_t *many = memory_array(sizes[i], 3);
        unsigned any = 0;

        CU_ASSERT_FATAL(one && many);
        for (size_t at = 0; at < sizes[i]; at++)
            any |= (unsigned)one[at] | many[3 * at + 2];
        CU_ASSERT_EQUAL(any, 0);
        memory_free(one);
        memory_free(many);
    }
    CU_ASSERT_PTR_NULL(memory_text(NULL));
}

#define CASE(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }

static const struct unit_case CASES[] = {
    CASE(what_is_appended_is_there_in_order),
    CASE(numbers_are_little_endian),
    CASE(extending_gives_room_where_the_length_was),
    CASE(moving_clears_the_one_and_empties_the_other),
    CASE(a_reader_gives_what_was_written),
    CASE(a_reader_that_failed_stays_failed),
    CASE(an_empty_reader_has_nothing),
    CASE(a_block_is_given_back_with_its_last_view),
    CASE(an_empty_part_holds_no_block),
    CASE(chunks_of_bytes_take_them_over),
    CASE(an_error_has_its_code_and_sentence),
    CASE(a_sentence_that_is_too_long_is_cut),
    CASE(every_code_has_its_exit_status),
    CASE(memory_is_zeroed_and_never_null),
};

UNIT_MAIN("base", CASES)
