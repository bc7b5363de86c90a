// SPDX-License-Identifier: Apache-2.0
#include "src/directory/assets.h"

#include "src/crypto/cipher.h"
#include "src/prelude/bytes.h"

namespace mix::directory {
namespace {

constexpr std::string_view kIndex =
#include "src/directory/page/index.html.inc"
    ;
constexpr std::string_view kStyle =
#include "src/directory/page/style.css.inc"
    ;
constexpr std::string_view kStageStyle =
#include "src/directory/page/stage.css.inc"
    ;
constexpr std::string_view kMain =
#include "src/directory/page/main.js.inc"
    ;
constexpr std::string_view kConnection =
#include "src/directory/page/connection.js.inc"
    ;
constexpr std::string_view kNetwork =
#include "src/directory/page/network.js.inc"
    ;
constexpr std::string_view kMinute =
#include "src/directory/page/minute.js.inc"
    ;
constexpr std::string_view kStage =
#include "src/directory/page/stage.js.inc"
    ;
constexpr std::string_view kInspector =
#include "src/directory/page/inspector.js.inc"
    ;
constexpr std::string_view kFlow =
#include "src/directory/page/flow.js.inc"
    ;
constexpr std::string_view kPaint =
#include "src/directory/page/paint.js.inc"
    ;
constexpr std::string_view kPanels =
#include "src/directory/page/panels.js.inc"
    ;
constexpr std::string_view kTables =
#include "src/directory/page/tables.js.inc"
    ;
constexpr std::string_view kWords =
#include "src/directory/page/words.js.inc"
    ;

constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'";

constexpr std::string_view kHtml = "text/html; charset=utf-8";
constexpr std::string_view kCss = "text/css; charset=utf-8";
constexpr std::string_view kScript = "text/javascript; charset=utf-8";

constexpr Asset kAssets[] = {
    {"/", kHtml, kIndex},
    {"/page/style.css", kCss, kStyle},
    {"/page/stage.css", kCss, kStageStyle},
    {"/page/main.js", kScript, kMain},
    {"/page/connection.js", kScript, kConnection},
    {"/page/network.js", kScript, kNetwork},
    {"/page/minute.js", kScript, kMinute},
    {"/page/stage.js", kScript, kStage},
    {"/page/inspector.js", kScript, kInspector},
    {"/page/flow.js", kScript, kFlow},
    {"/page/paint.js", kScript, kPaint},
    {"/page/panels.js", kScript, kPanels},
    {"/page/tables.js", kScript, kTables},
    {"/page/words.js", kScript, kWords},
};

}  // namespace

std::span<const Asset> assets() {
  return kAssets;
}

bool names_etag(std::string_view if_none_match, std::string_view etag) {
  return if_none_match == "*" || if_none_match.find(etag) != std::string_view::npos;
}

runtime::HttpReply reply_with(const Asset& asset, std::string_view if_none_match) {
  // Made when somebody asks: a directory that nobody looks at does not start with it.
  const std::string etag = "\"" + to_hex(crypto::digest16(as_bytes(asset.text))) + "\"";
  runtime::HttpReply reply;
  reply.content_type = asset.content_type;
  reply.headers = {{"ETag", etag},
                   {"Cache-Control", "no-cache"},
                   {"Content-Security-Policy", std::string(kPolicy)},
                   {"Referrer-Policy", "no-referrer"}};
  if (names_etag(if_none_match, etag))
    reply.status = 304;
  else
    reply.body = asset.text;
  return reply;
}

}  // namespace mix::directory
