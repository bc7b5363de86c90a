// SPDX-License-Identifier: Apache-2.0
// The dashboard's own files (src/directory/page/), embedded when the program was built, and the
// headers that they are served with. Nothing is read from a disk and nothing from another machine.
//
// The page may load and connect to this directory only, runs no inline script or style, and cannot
// turn text into markup where the browser knows trusted types. A browser asks each time whether a
// file has changed (ETag), so a new program never meets an old page. Threads: any.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "src/runtime/http_server.h"

namespace mix::directory {

struct Asset {
  std::string_view path;  // "/page/main.js"
  std::string_view content_type;
  std::string_view text;
};

std::span<const Asset> assets();
/// 304 when `if_none_match` names what the browser would get.
runtime::HttpReply reply_with(const Asset& asset, std::string_view if_none_match);
/// Whether one of the tags in an If-None-Match is this one, weak or not.
bool names_etag(std::string_view if_none_match, std::string_view etag);

}  // namespace mix::directory
