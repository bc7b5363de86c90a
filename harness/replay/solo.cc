// SPDX-License-Identifier: Apache-2.0
#include "harness/replay/solo.h"

#include <boost/json.hpp>
#include <filesystem>

#include "harness/judge/query.h"
#include "harness/model/event.h"
#include "harness/model/sha256.h"
#include "harness/model/time_text.h"
#include "harness/recorder/recorder.h"
#include "harness/replay/solo_folder.h"
#include "harness/replay/solo_words.h"
#include "harness/runner/specs.h"

namespace lab::replay {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using judge::Query;
using judge::QueryFailed;
using mix::sqlite::Database;
using Wrong = std::unexpected<std::string>;

constexpr std::int64_t kPacket = 1372;

/// No network: a program that is fed speaks to nobody.
class Nowhere final : public Network {
 public:
  void submit(Parcel&&) override {}
  std::optional<VirtualTime> next_due() const override { return std::nullopt; }
  void take_due(VirtualTime, std::vector<Delivery>&) override {}
};

/// What the program does, in the chain's form.
class Ear final : public Observer {
 public:
  std::string detail;
  mix::Bytes outbox;
  std::optional<int> exit;

  void activation(const Activation& a) override {
    x_event.begin(a.time, kNoNode, "activation");
    recorder::describe(a, x_event);
    const auto view = read_event(x_event.finish(0));
    detail = detail_json(*view);
    outbox.assign(a.outbox.begin(), a.outbox.end());
  }
  void node_exited(VirtualTime, NodeId, int wait_status) override { exit = wait_status; }

 private:
  EventBuilder x_event;
};

template <class T>
T good(std::expected<T, std::string> value) {
  if (!value) throw QueryFailed{value.error()};
  return std::move(*value);
}

std::vector<SoloDifference::Field> differing(const std::string& recorded, const std::string& seen) {
  std::vector<SoloDifference::Field> out;
  const json::object then = json::parse(recorded).as_object();
  const json::object now = json::parse(seen).as_object();
  for (const auto& [name, value] : then) {
    const json::value* other = now.if_contains(name);
    if (other != nullptr && *other == value) continue;
    out.push_back({std::string(name), json::serialize(value),
                   other == nullptr ? "nothing" : json::serialize(*other)});
  }
  return out;
}

}  // namespace

class Solo::Impl {
 public:
  Impl(Database& db, const scenario::Plan& plan, SoloSettings settings)
      : x_db(db), x_plan(plan), x_settings(std::move(settings)) {}
  ~Impl() { x_controller.reset(); }

  void open(const std::string& name) {
    for (std::size_t i = 0; i < x_plan.programs.size(); ++i)
      if (x_plan.programs[i].name == name) x_program = i;
    if (!x_program) throw QueryFailed{"it has no program '" + name + "'; it has " + names()};
    if (!x_plan.payload_full)
      throw QueryFailed{
          "it keeps digests only, and one program alone needs every byte that came in: have the "
          "same run recorded in full first, by replay FILE --full OUT, or by run SCENARIO --set "
          "'record.payload=\"full\"'"};
    x_lives_query.emplace(x_db,
                          "SELECT seq, birth, slot, clock_offset_ns, (SELECT bytes FROM blob WHERE "
                          "digest = host) FROM life WHERE node = ?1 AND ?2 IN (0, birth + 1) ORDER "
                          "BY seq",
                          number(), std::int64_t{x_settings.life});
    if (!x_lives_query->next())
      throw QueryFailed{"'" + name + "' was never started in it" +
                        (x_settings.life > 1 ? ", or not so often" : "")};
    x_segment.emplace(prepared("SELECT payload FROM segment WHERE id = ?"));
  }

  std::optional<Next> next() {
    while (!x_row)
      if (!begin_life()) return std::nullopt;
    take_row();
    const auto bytes = static_cast<std::int64_t>(stream_bytes(x_current.inbox));
    return Next{x_current.seq, x_current.time, bytes >= kPacket};
  }

  std::optional<SoloDifference> feed(bool stop) {
    const controller::Feed feed{x_current.time, x_current.inbox, x_current.host, x_clock_offset_ns};
    if (stop) x_controller->stop_in_debugger(NodeId{0});
    x_ear.exit.reset();
    if (const auto fed = x_controller->feed(NodeId{0}, feed); !fed)
      throw QueryFailed{"at event " + std::to_string(x_current.seq) + ": " + fed.error().text};
    ++x_activations;
    auto fields = differing(x_current.detail, x_ear.detail);
    // Wait status 9 without a word from the program: the lab killed it between two activations.
    const bool killed = x_current.exit == 9 && !x_ear.exit;
    if (x_current.exit != x_ear.exit && !killed)
      fields.push_back({"exit", exit_text(x_current.exit), exit_text(x_ear.exit)});
    if (fields.empty()) return std::nullopt;
    SoloDifference out;
    out.seq = x_current.seq;
    out.time = feed.time;
    out.fields = std::move(fields);
    out.then = recorded_outputs(x_db, number(), ns(feed.time));
    out.now = words_of(x_ear.outbox);
    return out;
  }

  std::int64_t activations() const { return x_activations; }
  int lives() const { return x_lives; }
  int process_id() const { return x_controller ? x_controller->process_id(NodeId{0}) : -1; }
  const std::vector<std::string>& other_builds() const { return x_other_builds; }
  std::vector<std::string> state() const {
    std::vector<std::string> out;
    if (!x_controller) return out;
    for (const controller::Waiting& w : x_controller->waiting())
      out.push_back("thread " + std::to_string(w.thread) + " waits in " + w.call + " since " +
                    exact_text(w.since) +
                    (w.until == kNever ? "" : ", until " + exact_text(w.until)));
    return out;
  }

 private:
  std::int64_t number() const { return static_cast<std::int64_t>(*x_program) + 1; }

  std::string names() const {
    std::string out;
    for (const scenario::Program& program : x_plan.programs)
      out += (out.empty() ? "" : ", ") + program.name;
    return out;
  }

  mix::sqlite::Statement prepared(std::string_view sql) {
    auto statement = x_db.prepare(sql);
    if (!statement) throw QueryFailed{statement.error().text};
    return std::move(*statement);
  }

  std::expected<mix::Bytes, std::string> segment(std::int64_t id) {
    x_segment->start(id);
    const auto row = x_segment->next();
    if (!row) return Wrong(row.error().text);
    if (!*row || x_segment->is_null(0))
      return Wrong("segment " + std::to_string(id) + " is not in the recording");
    const mix::BytesView bytes = x_segment->blob(0);
    mix::Bytes out(bytes.begin(), bytes.end());
    x_segment->reset();
    return out;
  }

  /// False: there was no further one.
  bool begin_life() {
    if (x_lives > 0 && !x_lives_query->next()) return false;
    const std::int64_t seq = x_lives_query->integer(0);
    x_clock_offset_ns = x_lives_query->integer(3);
    x_events.emplace(events_of_life(seq));
    if (!x_events->next() || x_events->text(2) != "start")
      throw QueryFailed{"event " + std::to_string(seq) + " is not the start of a program"};
    start_program(seq, at_ns(x_events->integer(1)));
    x_row = x_events->next();
    if (x_lives++ == 0) compare_builds();
    return true;
  }

  /// Up to the next one's.
  Query events_of_life(std::int64_t seq) {
    return Query(
        x_db,
        "SELECT e.seq, e.time_ns, e.kind, e.detail, i.entries, (SELECT bytes FROM blob b WHERE "
        "b.digest = i.host), i.clock_offset_ns FROM event e LEFT JOIN inbox i ON i.seq = e.seq "
        "WHERE e.node = ?1 AND e.seq >= ?2 AND e.seq < coalesce((SELECT min(seq) FROM life WHERE "
        "node = ?1 AND seq > ?2), 9223372036854775807) AND e.kind IN ('start', 'activation', "
        "'exit') ORDER BY e.seq",
        number(), seq);
  }

  /// A fresh controller with one host and one program, as the recording says they were.
  void start_program(std::int64_t seq, VirtualTime time) {
    x_controller.reset();
    x_controller = good(controller::Controller::create(x_settings.options, x_nowhere, x_ear));
    const HostId host = x_plan.programs[*x_program].host;
    const runner::Binary& binary = x_settings.binary;
    auto told = runner::program_spec_at(x_plan, NodeId{static_cast<std::uint32_t>(*x_program)},
                                        static_cast<int>(x_lives_query->integer(1)), binary.path);
    told.binary = binary.file;
    told.loader = binary.loader;
    told.libraries = binary.libraries;
    told.host = good(x_controller->add_host(runner::host_spec(x_plan, host)));
    told.slot = static_cast<std::uint32_t>(x_lives_query->integer(2));
    told.folder = x_settings.work + "/" + x_plan.hosts[index(host)].name;
    told.start = time;
    const std::vector<FileNumber> files = good(restore_folder(x_db, seq, told.folder));
    const NodeId node = good(x_controller->add_program(std::move(told)));
    if (auto started = x_controller->feed_start(node, x_lives_query->blob(4), files); !started)
      throw QueryFailed{started.error().text};
  }

  void compare_builds() {
    Query run(x_db, "SELECT manifest FROM run");
    boost::system::error_code bad;
    const json::value manifest = json::parse(run.next() ? run.text(0) : "{}", bad);
    const json::object* sums = nullptr;
    if (!bad && manifest.is_object())
      if (const auto* list = manifest.as_object().if_contains("binaries")) sums = list->if_object();
    if (sums == nullptr) return;
    for (const std::string& path : x_controller->mapped_files(NodeId{0})) {
      const std::string name = fs::path(path).filename().string();
      for (const auto& [then, sum] : *sums)
        if (fs::path(std::string(then)).filename() == name && sum.is_string() &&
            sum.as_string() != sha256_of_file(path).value_or(""))
          x_other_builds.push_back(name);
    }
  }

  /// The row of an activation, and of the exit that follows it, into x_current.
  void take_row() {
    x_current = {x_events->integer(0), at_ns(x_events->integer(1)), x_events->text(3), {}, {}, {}};
    auto inbox =
        recorder::decode_inbox(x_events->blob(4), [this](std::int64_t id) { return segment(id); });
    if (!inbox) throw QueryFailed{"event " + std::to_string(x_current.seq) + ": " + inbox.error()};
    x_current.inbox = std::move(*inbox);
    const json::value detail = json::parse(x_current.detail);
    if (detail.at("inbox").as_string() != mix::to_hex(digest_of(x_current.inbox)))
      throw QueryFailed{"the inbox of event " + std::to_string(x_current.seq) +
                        " is not the one that the event names: the file was changed"};
    const mix::BytesView host = x_events->blob(5);
    x_current.host.assign(host.begin(), host.end());
    if (!x_events->is_null(6)) x_clock_offset_ns = x_events->integer(6);
    x_row = x_events->next();
    if (!x_row || x_events->text(2) != "exit") return;
    const json::value exit = json::parse(x_events->text(3));
    x_current.exit = static_cast<int>(exit.at("wait_status").to_number<std::int64_t>());
    x_row = x_events->next();
  }
  static std::string exit_text(std::optional<int> status) {
    return status ? "wait status " + std::to_string(*status) : "none";
  }

  Database& x_db;
  const scenario::Plan& x_plan;
  SoloSettings x_settings;
  std::optional<std::size_t> x_program;
  std::optional<Query> x_lives_query, x_events;
  std::optional<mix::sqlite::Statement> x_segment;
  Nowhere x_nowhere;
  Ear x_ear;
  std::unique_ptr<controller::Controller> x_controller;
  struct Current {
    std::int64_t seq = 0;
    VirtualTime time;
    std::string detail;
    mix::Bytes inbox, host;
    std::optional<int> exit;
  };
  Current x_current;
  bool x_row = false;  // x_events stands on an activation that was not taken yet
  std::int64_t x_clock_offset_ns = 0, x_activations = 0;
  int x_lives = 0;
  std::vector<std::string> x_other_builds;
};

Solo::Solo(std::unique_ptr<Impl> impl) : x_impl(std::move(impl)) {}
Solo::~Solo() = default;

std::expected<std::unique_ptr<Solo>, std::string> Solo::open(Database& db,
                                                             const scenario::Plan& plan,
                                                             const std::string& node,
                                                             SoloSettings settings) {
  try {
    auto impl = std::make_unique<Impl>(db, plan, std::move(settings));
    impl->open(node);
    return std::unique_ptr<Solo>(new Solo(std::move(impl)));
  } catch (const QueryFailed& failed) {
    return Wrong(failed.text);
  }
}

std::expected<std::optional<Solo::Next>, std::string> Solo::next() {
  try {
    return x_impl->next();
  } catch (const QueryFailed& failed) {
    return Wrong(failed.text);
  }
}

std::expected<std::optional<SoloDifference>, std::string> Solo::feed(bool stop) {
  try {
    return x_impl->feed(stop);
  } catch (const QueryFailed& failed) {
    return Wrong(failed.text);
  }
}

std::int64_t Solo::activations() const {
  return x_impl->activations();
}
int Solo::lives() const {
  return x_impl->lives();
}
int Solo::process_id() const {
  return x_impl->process_id();
}
const std::vector<std::string>& Solo::other_builds() const {
  return x_impl->other_builds();
}
std::vector<std::string> Solo::state() const {
  return x_impl->state();
}

}  // namespace lab::replay
