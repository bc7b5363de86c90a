// SPDX-License-Identifier: Apache-2.0
// Asking an HTTP/1.1 server, one question at a time per client. Plain http only: https is refused
// when the URL is checked. No redirects, no proxies, no cookies.
//
// A connection is kept open between questions where the server allows it, one a server for all
// clients of a loop, whose questions wait for each other; one that turns out to be closed is
// replaced once. The whole exchange has one deadline. Every address of a name is
// tried. Bounds: the reply's body. Threads: the loop's. A client must outlive its questions.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "src/runtime/loop.h"

namespace mix::runtime {

struct HttpAnswer {
  unsigned status = 0;
  std::string body;
  std::string etag;  // empty when there is none
};

struct HttpClientOptions {
  Duration time_out = 10s;
  std::size_t max_body = 32 * 1024 * 1024;
};

class HttpClient {
 public:
  /// `base` is "http://host:port" or "http://host:port/prefix", checked before (settings.h).
  HttpClient(Loop& loop, std::string_view base, HttpClientOptions options = {});
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// `path` begins with '/' and is appended to the base. Any status is an answer; an error is a
  /// text for people ("connecting to 127.0.0.1:8080: refused").
  Task<std::expected<HttpAnswer, std::string>> get(std::string path,
                                                   std::string if_none_match = {});
  Task<std::expected<HttpAnswer, std::string>> post(std::string path, std::string json);

  const std::string& base() const;

  struct Impl;  // for this folder only

 private:
  std::shared_ptr<Impl> x;
};

}  // namespace mix::runtime
