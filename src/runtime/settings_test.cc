// SPDX-License-Identifier: Apache-2.0
#include "src/runtime/settings.h"

#include <boost/test/unit_test.hpp>

using namespace mix;
using namespace mix::runtime;

BOOST_AUTO_TEST_SUITE(settings)

BOOST_AUTO_TEST_CASE(urls_are_plain_http_without_a_slash_at_the_end) {
  BOOST_TEST(read_url("http://localhost:8080").value() == "http://localhost:8080");
  BOOST_TEST(read_url("http://localhost:8080//").value() == "http://localhost:8080");
  BOOST_TEST(read_url("http://[::1]/nym").value() == "http://[::1]/nym");
  for (const char* wrong : {"", "localhost:8080", "https://localhost", "ftp://x", "http://",
                            "http://u:p@x", "http://x?y", "http://x#y", "http://x:0", "http://x y"})
    BOOST_TEST(!check_url(wrong).empty(), wrong);
  BOOST_TEST(check_url("https://x").find("https is not spoken") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(hosts_and_ports) {
  for (const char* right : {"localhost", "127.0.0.1", "::1", "my-host.example"})
    BOOST_TEST(check_host(right).empty(), right);
  for (const char* wrong : {"", "a b", "[::1]", "http://x", "x:80"})
    BOOST_TEST(!check_host(wrong).empty(), wrong);
  BOOST_TEST(check_host_port("localhost:80").empty());
  BOOST_TEST(!check_host_port("localhost").empty());
  BOOST_TEST(read_port("65535").value() == 65535);
  BOOST_TEST(check_port("0").empty());
  for (const char* wrong : {"", "-1", "65536", "80x", " 80", "0x50"})
    BOOST_TEST(!check_port(wrong).empty(), wrong);
}

BOOST_AUTO_TEST_CASE(durations_are_positive) {
  BOOST_TEST((read_duration("1.5 s").value() == 1500ms));
  BOOST_TEST(!check_duration("0 s").empty());
  BOOST_TEST(!check_duration("5").empty());
}

BOOST_AUTO_TEST_CASE(rates_become_gaps_in_whole_nanoseconds) {
  const auto gap = [](const char* text) { return read_rate(text).value().mean_gap; };
  BOOST_TEST((gap("2 / s") == 500ms));
  BOOST_TEST((gap("2/s") == 500ms));
  BOOST_TEST((gap("2") == 500ms));
  BOOST_TEST((gap("0.5 / s") == 2s));
  BOOST_TEST((gap("30 / min") == 2s));
  BOOST_TEST((gap("3 / s") == 333'333'333ns));
  BOOST_TEST((gap("0") == 0ns));
  BOOST_TEST((gap("0.0 / s") == 0ns));
  for (const char* wrong : {"", "/ s", "-2 / s", "2 / parsec", "2 / ", "x", "1e3 / s", "2 / s / s",
                            "1.2.3", "0.000000000001 / h", "9999999999999999 / s"})
    BOOST_TEST(!check_rate(wrong).empty(), wrong);
}

BOOST_AUTO_TEST_CASE(sizes_are_whole_and_positive) {
  BOOST_TEST(read_size("64 MiB").value() == 64u * 1024 * 1024);
  BOOST_TEST(read_size("4096").value() == 4096u);
  BOOST_TEST(read_size("1KiB").value() == 1024u);
  for (const char* wrong : {"", "0", "-1", "64 MB", "1.5 MiB", "99999999999 GiB", "MiB"})
    BOOST_TEST(!check_size(wrong).empty(), wrong);
}

BOOST_AUTO_TEST_SUITE_END()
