// SPDX-License-Identifier: Apache-2.0
#include "src/mixnode/neighbours.h"

#include <boost/test/unit_test.hpp>

namespace mix::mixnode {
namespace {

using sphinx::NodeAddress;

NodeAddress at(std::uint16_t port) {
  return NodeAddress::ipv4({127, 0, 0, 1}, port);
}
Listed node(std::uint16_t port, unsigned layer, bool keeps = true) {
  return {{at(port)}, layer, keeps};
}
/// As many as a topology may have but for one node, each with as many addresses as a node may have;
/// others in each round.
std::vector<Listed> strangers(std::uint32_t round, unsigned layer) {
  std::vector<Listed> out(wire::kMaxMixnodes + wire::kMaxProviders - 1, Listed{{}, layer, true});
  std::uint32_t n = round * static_cast<std::uint32_t>(Neighbours::kMaxListed);
  for (Listed& one : out)
    for (std::size_t i = 0; i < wire::kMaxAddressesPerName; ++i, ++n)
      one.addresses.push_back(
          NodeAddress::ipv4({10, static_cast<std::uint8_t>(n >> 16),
                             static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n)},
                            1789));
  return out;
}
Instant second(int n) {
  return Instant(n * 1s);
}
/// What a mix of this layer thinks of port 1 when it is a mix, or provider, of that layer.
Standing standing(unsigned own, unsigned layers, unsigned listed) {
  Neighbours neighbours(own, layers);
  neighbours.update(std::vector{node(1, listed)}, second(0));
  return neighbours.judge(at(1), second(1));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(neighbours)

BOOST_AUTO_TEST_CASE(only_the_next_layer_may_be_sent_to) {
  for (unsigned layers = 1; layers <= 4; ++layers)
    for (unsigned own = 1; own <= layers; ++own)
      for (unsigned listed = 1; listed <= layers + 1; ++listed)
        BOOST_TEST((standing(own, layers, listed) ==
                    (listed == own + 1 ? Standing::next_layer : Standing::other_layer)));
}

BOOST_AUTO_TEST_CASE(an_address_in_no_topology_is_unknown) {
  Neighbours neighbours(1, 3);
  BOOST_TEST((neighbours.judge(at(1), second(0)) == Standing::unknown));
  neighbours.update(std::vector{node(1, 2)}, second(0));
  BOOST_TEST((neighbours.judge(at(2), second(0)) == Standing::unknown));
  BOOST_TEST(
      (neighbours.judge(NodeAddress::ipv4({127, 0, 0, 2}, 1), second(0)) == Standing::unknown));
}

BOOST_AUTO_TEST_CASE(an_entry_counts_for_sixty_seconds_after_it_left) {
  Neighbours neighbours(1, 3);
  neighbours.update(std::vector{node(1, 2), node(3, 3)}, second(0));
  // Listed, however old the topology: the last good one stays in force.
  BOOST_TEST((neighbours.judge(at(1), second(1000)) == Standing::next_layer));
  neighbours.update({}, second(1000));
  BOOST_TEST((neighbours.judge(at(1), second(1060) - 1ns) == Standing::next_layer));
  BOOST_TEST((neighbours.judge(at(3), second(1060) - 1ns) == Standing::other_layer));
  BOOST_TEST((neighbours.judge(at(1), second(1060)) == Standing::unknown));
  BOOST_TEST((neighbours.judge(at(3), second(1060)) == Standing::unknown));
}

BOOST_AUTO_TEST_CASE(the_minute_is_not_extended_by_topologies_that_lack_the_entry) {
  Neighbours neighbours(1, 3);
  neighbours.update(std::vector{node(1, 2)}, second(0));
  for (int s = 5; s <= 70; s += 5)
    neighbours.update({}, second(s));
  BOOST_TEST((neighbours.judge(at(1), second(64)) == Standing::unknown));
  BOOST_TEST(neighbours.size() == 0u);
}

BOOST_AUTO_TEST_CASE(an_entry_that_comes_back_counts_as_before) {
  Neighbours neighbours(1, 3);
  neighbours.update(std::vector{node(1, 2)}, second(0));
  neighbours.update({}, second(5));
  neighbours.update(std::vector{node(1, 2)}, second(10));
  BOOST_TEST((neighbours.judge(at(1), second(500)) == Standing::next_layer));
}

BOOST_AUTO_TEST_CASE(a_node_that_changed_its_layer_counts_in_both_for_a_minute) {
  Neighbours neighbours(1, 3);
  neighbours.update(std::vector{node(1, 2)}, second(0));
  neighbours.update(std::vector{node(1, 3)}, second(5));
  BOOST_TEST((neighbours.judge(at(1), second(64)) == Standing::next_layer));
  BOOST_TEST((neighbours.judge(at(1), second(65)) == Standing::other_layer));
}

BOOST_AUTO_TEST_CASE(every_address_of_a_name_is_the_node) {
  Neighbours neighbours(1, 3);
  const NodeAddress v6 = *NodeAddress::from_text("[::1]:7");
  neighbours.update(std::vector<Listed>{{{v6, at(7)}, 2, true}}, second(0));
  BOOST_TEST((neighbours.judge(v6, second(0)) == Standing::next_layer));
  BOOST_TEST((neighbours.judge(at(7), second(0)) == Standing::next_layer));
  BOOST_TEST(neighbours.info(at(7))->addresses.size() == 2u);
}

BOOST_AUTO_TEST_CASE(connections_are_kept_only_when_all_nodes_of_an_address_keep_them) {
  Neighbours neighbours(1, 3);
  neighbours.update(std::vector{node(1, 2, true), node(2, 2, false)}, second(0));
  BOOST_TEST(neighbours.info(at(1))->keeps_connections);
  BOOST_TEST(!neighbours.info(at(2))->keeps_connections);
  neighbours.update(std::vector{node(1, 2, true), node(1, 2, false)}, second(5));
  BOOST_TEST(!neighbours.info(at(1))->keeps_connections);
  neighbours.update(std::vector{node(1, 2, true)}, second(10));  // the original was replaced
  BOOST_TEST(neighbours.info(at(1))->keeps_connections);
}

BOOST_AUTO_TEST_CASE(a_lying_directory_cannot_fill_the_memory) {
  Neighbours neighbours(1, 3);
  for (std::uint32_t round = 0; round < 20; ++round) {
    neighbours.update(strangers(round, 2), second(static_cast<int>(round)));
    BOOST_TEST(neighbours.size() <= 2 * Neighbours::kMaxListed);
  }
}

BOOST_AUTO_TEST_CASE(others_that_come_and_go_keep_out_nobody_who_is_listed) {
  Neighbours neighbours(1, 3);
  for (std::uint32_t round = 0; round < 20; ++round) {
    std::vector<Listed> topology = strangers(round, 2);
    topology.push_back(node(static_cast<std::uint16_t>(round + 1), 2));
    neighbours.update(topology, second(static_cast<int>(round)));
    BOOST_TEST((neighbours.judge(at(static_cast<std::uint16_t>(round + 1)), second(0)) ==
                Standing::next_layer));
  }
}

BOOST_AUTO_TEST_CASE(any_number_of_another_layer_keeps_out_nobody_of_the_next) {
  Neighbours neighbours(1, 3);
  std::vector<Listed> topology;
  for (std::uint32_t round = 0; round < 3; ++round)
    for (Listed& one : strangers(round, 3))
      topology.push_back(std::move(one));
  topology.push_back(node(1, 2));
  neighbours.update(topology, second(0));
  BOOST_TEST((neighbours.judge(at(1), second(0)) == Standing::next_layer));
  BOOST_TEST(neighbours.size() == 2 * Neighbours::kMaxListed);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mix::mixnode
