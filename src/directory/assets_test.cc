// SPDX-License-Identifier: Apache-2.0
// The test runs in src/directory, beside the files that were embedded.
#include "src/directory/assets.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

using namespace mix;
using namespace mix::directory;

namespace {

std::string header(const runtime::HttpReply& reply, std::string_view wanted) {
  for (const auto& [name, value] : reply.headers)
    if (name == wanted) return value;
  return {};
}

std::string file_of(const Asset& asset) {
  return asset.path == "/" ? "page/index.html" : std::string(asset.path.substr(1));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(page_files)

BOOST_AUTO_TEST_CASE(every_file_of_the_page_is_served_byte_for_byte) {
  std::set<std::string> served;
  for (const Asset& asset : assets()) {
    std::ifstream file(file_of(asset), std::ios::binary);
    BOOST_REQUIRE_MESSAGE(file.good(), file_of(asset));
    std::ostringstream text;
    text << file.rdbuf();
    BOOST_TEST((reply_with(asset, "").body == text.str()), file_of(asset));
    served.insert(file_of(asset));
  }
  for (const auto& entry : std::filesystem::directory_iterator("page"))
    BOOST_TEST(served.contains(entry.path().string()), entry.path().string());
}

BOOST_AUTO_TEST_CASE(nothing_is_loaded_from_elsewhere_and_no_text_becomes_markup) {
  for (const Asset& asset : assets()) {
    const auto has = [&](std::string_view word) {
      return asset.text.find(word) != std::string_view::npos;
    };
    for (const char* word : {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write",
                             "eval(", "new Function", "https://", "//cdn", "@import"})
      BOOST_TEST(!has(word), asset.path << " has " << word);
  }
}

BOOST_AUTO_TEST_CASE(the_policy_allows_this_directory_and_nobody_else) {
  for (const Asset& asset : assets()) {
    const auto reply = reply_with(asset, "");
    const std::string policy = header(reply, "Content-Security-Policy");
    BOOST_TEST(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'; "));
    BOOST_TEST(policy.find("unsafe") == std::string::npos);
    BOOST_TEST(policy.find("require-trusted-types-for 'script'") != std::string::npos);
    BOOST_TEST(header(reply, "Referrer-Policy") == "no-referrer");
  }
}

BOOST_AUTO_TEST_CASE(an_unchanged_file_is_not_sent_again) {
  std::set<std::string> tags;
  for (const Asset& asset : assets()) {
    const auto first = reply_with(asset, "");
    BOOST_TEST(first.status == 200u);
    const auto again = reply_with(asset, header(first, "ETag"));
    BOOST_TEST(again.status == 304u);
    BOOST_TEST(again.body.empty());
    tags.insert(header(first, "ETag"));
  }
  BOOST_TEST(tags.size() == assets().size());
}

BOOST_AUTO_TEST_SUITE_END()
