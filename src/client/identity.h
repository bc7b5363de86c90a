// SPDX-License-Identifier: Apache-2.0
// Where a client's key pair lives: <config dir>/nym/clients/<id>/private.pem and public.pem, as the
// original client has it. The config dir is $XDG_CONFIG_HOME, else $HOME/.config.
//
// Better than the original: an existing id is not overwritten unless asked, private.pem is readable
// by its owner only, and a pair that does not belong together is refused. Errors name the file.
// Blocks on the disk: for the start of a program, not for its loop.
#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <string_view>

#include "src/crypto/keys.h"

namespace mix::client {

/// 1 to 64 letters, digits, '.', '-' and '_', not beginning with '.' or '-': it is a folder's name,
/// and a word of a command line. An empty string, or what is wrong.
std::string check_id(const std::string& id);

/// From the environment. The error says what is not set.
std::expected<std::filesystem::path, std::string> config_dir();
/// The folder of one client.
std::filesystem::path identity_dir(const std::filesystem::path& config, std::string_view id);

/// Writes both files, making folders as needed. Each file appears whole or not at all.
std::expected<void, std::string> save_identity(const std::filesystem::path& dir,
                                               const crypto::KeyPair& pair, bool overwrite);

struct LoadedIdentity {
  crypto::KeyPair pair;
  std::string warning;  // others may read the private key; or empty
};
std::expected<LoadedIdentity, std::string> load_identity(const std::filesystem::path& dir);

}  // namespace mix::client
