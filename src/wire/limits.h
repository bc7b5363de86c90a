// SPDX-License-Identifier: Apache-2.0
// Every bound of the four programs, in one table, each with its reason. A stranger can make a
// program hold this much and no more; a program that reaches a bound refuses or drops with a
// counted reason, and says so once. (Rows that wait for the record: record/hop_log.h, which lies
// below.)
//
// What the packet format itself fixes (route length, plaintext) is in sphinx/geometry.h; when to
// send is in traffic/. Times are Duration (integer nanoseconds), sizes are bytes unless a name
// says otherwise.
#pragma once

#include <cstddef>
#include <cstdint>

#include "src/prelude/instant.h"

namespace mix::wire {

inline constexpr std::size_t kKiB = 1024;
inline constexpr std::size_t kMiB = 1024 * kKiB;

// ---- A packet on TCP ------------------------------------------------------------------------
/// A Sphinx packet has no length prefix: it is the next 1372 bytes of the stream.
inline constexpr std::size_t kPacketBytes = 1372;
/// Taken from one connection in one turn, so that a flood on one connection cannot keep the others
/// waiting longer than these few packets take (about 1 ms of peeling).
inline constexpr std::size_t kPacketsPerTurn = 16;

// ---- Connections ----------------------------------------------------------------------------
/// To one listener. A layer of 600 mixes needs 600 from its neighbours; the rest is for peers that
/// open one per packet. At the bound the one that has been silent longest is closed.
inline constexpr std::size_t kMaxConnections = 4096;
/// Descriptors a program asks for (soft limit, if the hard one allows): both directions, and room.
inline constexpr std::size_t kWantedDescriptors = 3 * kMaxConnections;
/// A listener takes at most one in so many of the descriptors that the program has, and as many are
/// for connections to other nodes: what strangers do with the one leaves the other room.
inline constexpr std::size_t kShareOfDescriptors = 3;
/// Of the connections to other nodes, one in so many is for nodes that never took a packet: whoever
/// is listed is believed, and thousands whose connects hang leave the rest to those that work.
inline constexpr std::size_t kShareOfUnproven = 8;
/// An attempt to connect, or a connection that is not read from, may keep others waiting for its
/// place this long. Longer than a round trip to anywhere.
inline constexpr Duration kConnectHurry = 1s;
/// Used of one name, which may have any number of them.
inline constexpr std::size_t kMaxAddressesPerName = 8;
/// Connections waiting to be accepted, in the system's queue.
inline constexpr int kListenBacklog = 1024;
/// Silence between packets. Longer than any gap between two neighbours that carry traffic, short
/// enough that dead peers do not add up; the sender's retry makes closing harmless.
inline constexpr Duration kIdleTimeout = 120s;
/// From the first byte of a packet to its last, and of a provider request likewise. A packet fits
/// one segment, so only a stalled or hostile peer needs longer.
inline constexpr Duration kReadTimeout = 10s;
/// To a node, at whichever of its addresses. Over loopback microseconds, over the world under a
/// second and one retransmission or two.
inline constexpr Duration kConnectTimeout = 5s;
/// From handing bytes to a connection until the system took the last of them.
inline constexpr Duration kWriteTimeout = 10s;
/// Time-outs are checked by one sweep over all connections, never by a timer each, so they are up
/// to this much late.
inline constexpr Duration kSweepInterval = 1s;

// ---- Waiting packets ------------------------------------------------------------------------
/// Held by a mix at once, whatever for (a delay, a topology): 90 MiB. Two seconds' worth of what
/// one core can peel, which is the longest mean delay an original client asks for.
inline constexpr std::size_t kMaxPendingPackets = 64 * kKiB;
/// The longer a packet wants to stay, the emptier the queue has to be for it: one that asks for
/// this long is taken while the queue is at most half full, for twice this a third, for an hour
/// 1/361. So nobody fills the queue by asking for long delays; filling it with short ones takes as
/// many packets a second as a core can peel. Honest means are 0.1 to 2 s.
inline constexpr Duration kDelayForHalfTheQueue = 10s;
/// Held by a mix, its delay over, because nobody in the topology has the next hop's address: until
/// the directory has been asked since the packet came, and this long at most. (A network that
/// starts up; a node that joined a second ago.)
inline constexpr std::size_t kMaxUndecidedPackets = 1024;
inline constexpr Duration kNextHopPatience = 3s;
/// Held by a mix before it has seen any topology; they are judged when the first one comes.
inline constexpr std::size_t kMaxPacketsBeforeTopology = 4096;
/// A header may ask for any 64-bit delay; originals crash on 2.2 years. Nobody honest asks for an
/// hour: with means of 0.1 to 2 s it would come once in e^1800 packets.
inline constexpr Duration kMaxDelay = 1h;
/// Written or waiting to be written to one peer. A second of a busy link; more means that the peer
/// does not read.
inline constexpr std::size_t kMaxPacketsPerPeer = 4096;
/// To all peers together: 22 MiB.
inline constexpr std::size_t kMaxQueuedToPeers = 16 * kKiB;
/// Connections of one packet each in flight to one peer that does not keep them open.
inline constexpr std::size_t kMaxConnectionsPerPeer = 64;
/// Peers with a connection or a queue (others are forgotten); a packet to one more is dropped. One
/// in kShareOfUnproven of these and of the packets above is kept for peers that took packets
/// before.
inline constexpr std::size_t kMaxPeers = 4096;
/// Memory of tags, both generations (--tag-memory).
inline constexpr std::size_t kTagMemoryBytes = 64 * kMiB;

// ---- Directory: who may be in ---------------------------------------------------------------
/// Routes have at most five hops, the last of which is the provider.
inline constexpr unsigned kMaxLayers = 4;
inline constexpr unsigned kDefaultLayers = 3;
inline constexpr std::size_t kMaxMixnodes = 4096;
inline constexpr std::size_t kMaxProviders = 32;
/// Listed and answered, though none of our programs is one.
inline constexpr std::size_t kMaxCoconodes = 64;
/// Accounts of one provider, each listed in its presence (58 bytes) every five seconds.
inline constexpr std::size_t kMaxAccounts = 10'000;
/// Accounts of all providers together: four full ones. Every node and client reads them all
/// whenever one entry has changed, so they are bounded by what that costs. A provider that may not
/// grow stays in as it was.
inline constexpr std::size_t kMaxListedAccounts = 4 * kMaxAccounts;
/// It takes at least so many senders to fill the directory with anything: one address, but for this
/// machine's own, has at most a quarter of all mixes, providers, coconodes, accounts and reports.
/// One provider is always worth that.
inline constexpr std::size_t kMinSourcesToFill = 4;
static_assert(kMaxListedAccounts / kMinSourcesToFill >= kMaxAccounts);
/// Keys and addresses whose owner fell silent, and how long after his last presence he may take
/// them back from whoever announced them meanwhile: a machine has started again by then.
inline constexpr std::size_t kMaxPastOwners = 2 * kMaxMixnodes;
inline constexpr Duration kOwnerMemory = 1h;
/// So long an entry lives on others' presences while its own source is silent. (A machine may speak
/// from several addresses, but who has left shall not be kept in by somebody else for ever.)
inline constexpr Duration kForeignPresence = 60s;
/// A name of 253 characters (DNS), a colon, a port; the longest numeric form is much shorter.
inline constexpr std::size_t kMaxHostLength = 253 + 1 + 5;
inline constexpr std::size_t kMaxVersionLength = 32;
inline constexpr std::size_t kMaxLocationLength = 64;
/// base58 of 32 bytes is at most 44 characters.
inline constexpr std::size_t kMaxKeyLength = 44;
/// A client's id is a folder name.
inline constexpr std::size_t kMaxIdLength = 64;
/// A mix's metrics name each next hop it sent to since the last report.
inline constexpr std::size_t kMaxMetricsPeers = kMaxMixnodes + kMaxProviders;
/// Round trips in a client's report: three seconds of loops at ten times the usual rate.
inline constexpr std::size_t kMaxRoundTripsTold = 64;
/// Reports the directory keeps of one 3 s window, for GET /api/metrics/mixes: two of every mix.
inline constexpr std::size_t kMaxMetricsRows = 2 * kMaxMixnodes;

// ---- HTTP and websocket ---------------------------------------------------------------------
inline constexpr std::size_t kMaxHttpHeaderBytes = 8 * kKiB;
/// `{"pubKey":"<44>"},` with some white space for hand-written bodies.
inline constexpr std::size_t kAccountJsonBytes = kMaxKeyLength + 24;
/// Everything of an entry but a provider's accounts: names, quotes, two hosts, key, version,
/// location, times.
inline constexpr std::size_t kEntryJsonBytes =
    2 * kMaxHostLength + kMaxKeyLength + kMaxVersionLength + kMaxLocationLength + 256;
/// A presence with every account a provider may have must fit.
inline constexpr std::size_t kMaxBodyBytes = 1 * kMiB;
static_assert(kMaxAccounts * kAccountJsonBytes + kEntryJsonBytes <= kMaxBodyBytes);
/// "[<39 of IPv6>]:<5>" in quotes, and a count, for each peer of a metrics report.
static_assert(kMaxMetricsPeers * (47 + 24) <= kMaxBodyBytes);
/// The same of a mix, which has one host.
inline constexpr std::size_t kMixJsonBytes =
    kMaxHostLength + kMaxKeyLength + kMaxVersionLength + kMaxLocationLength + 96;
/// A topology with everybody in it must fit; a client or mix reads no longer reply. (4.2 MiB is the
/// most that ours writes: accounts of 58 bytes, mixes of 490.)
inline constexpr std::size_t kMaxTopologyBytes = 5 * kMiB;
static_assert(kMaxMixnodes * kMixJsonBytes + (kMaxProviders + kMaxCoconodes) * kEntryJsonBytes +
                  kMaxListedAccounts * kAccountJsonBytes <=
              kMaxTopologyBytes);
/// A topology's text beyond this is made anew at most once in so long, whatever changed: a stranger
/// who changes an entry before every fetch must not have it made each time.
inline constexpr std::size_t kLargeTopologyBytes = 256 * kKiB;
inline constexpr Duration kLargeTopologyAge = 1s;
/// The directory's HTTP connections and watchers of /ws.
inline constexpr std::size_t kMaxHttpConnections = 4096;
inline constexpr std::size_t kMaxWatchers = 64;
/// Lines queued for one watcher; a slower one is told what it missed when it has read those.
inline constexpr std::size_t kMaxWatcherQueue = 256;
/// Bytes of those lines together; one line may be longer when it is alone, such as the first, which
/// lists everybody.
inline constexpr std::size_t kMaxWatcherQueueBytes = 4 * kMiB;
/// Of the reports of the last seconds that a newcomer to /ws/live is told at once; others follow.
inline constexpr std::size_t kMaxToldAtOnceBytes = 1 * kMiB;
/// Refusals of one second that watchers are told one by one; the rest is a number. A person reads
/// no more, and a stranger can be refused a hundred thousand times a second.
inline constexpr std::size_t kMaxRefusalsTold = 20;
/// Lines of one second on the directory's console; the rest is a number. A hundred mixes that start
/// at once are well below.
inline constexpr std::size_t kMaxLinesPerSecond = 256;
/// How old the page that needs no script may be: who asks meanwhile is given the same text.
inline constexpr Duration kPlainPageAge = 1s;
/// From a client to /ws (read and dropped).
inline constexpr std::size_t kMaxWatcherMessageBytes = 512;
/// A whole HTTP exchange, both sides.
inline constexpr Duration kHttpTimeout = 10s;
/// A kept-alive HTTP connection without a request.
inline constexpr Duration kHttpIdleTimeout = 60s;
inline constexpr Duration kWatcherPingInterval = 54s;

// ---- Presence, topology, metrics: the timetable ---------------------------------------------
inline constexpr Duration kPresenceInterval = 5s;
inline constexpr Duration kPresenceExpiry = 10s;
inline constexpr Duration kMetricsInterval = 3s;
inline constexpr Duration kTopologyInterval = 5s;
/// An entry that left the directory still counts this long for a mix: a directory restart or a lost
/// presence must not drop packets that were routed before.
inline constexpr Duration kTopologyMemory = 60s;
/// Names of a topology (numbers are no names) that the system resolves for us at once, and how long
/// a topology waits for them. A name that is slower counts with its last answer until it has one.
inline constexpr std::size_t kMaxNamesAsked = 8;
inline constexpr Duration kResolvePatience = 2s;
/// Names of one topology that are asked for at all: a host of each mix, two of each provider.
inline constexpr std::size_t kMaxNamesListed = kMaxMixnodes + 2 * kMaxProviders;
/// Questions that took longer than this patience, and make room for others meanwhile. The system
/// gives up by itself, after ten seconds or more.
inline constexpr std::size_t kMaxNamesOverdue = 8;
/// A name that does not resolve is asked for again after this long, and after twice as long each
/// time; and a name that left the topology meanwhile is no new one when it comes back.
inline constexpr Duration kNameRetry = 1s;
inline constexpr Duration kNameRetryMost = 60s;
inline constexpr Duration kNameMemory = 10min;
inline constexpr std::size_t kMaxNamesRemembered = 4096;
/// An unknown next hop asks for one refresh, at most one in this time.
inline constexpr Duration kTopologyRefreshGap = 1s;

// ---- Provider: requests and mailboxes -------------------------------------------------------
inline constexpr std::size_t kMessagesPerPull = 5;
/// Messages waiting for one recipient (at most 975 bytes each): what is more is `mailbox_full`.
inline constexpr std::size_t kMaxMailboxMessages = 10'000;
/// Messages waiting for all recipients together: about 1.2 GiB of database. A quarter of it is
/// reserved, 25 for each account that may be; one account's limit falls when the rest fills up
/// (provider/room.h).
inline constexpr std::size_t kMaxStoredMessages = 1'000'000;
/// When there are kMaxAccounts, one that has no mail and was not used for so long makes room for a
/// newcomer (provider/clients.h). A client that was away for a month, and whom nobody wrote
/// meanwhile, registers again.
inline constexpr Duration kAccountAge = 30 * 24h;
/// One that registered and never pulled. A client pulls within seconds, and every ten at the latest
/// when that fails.
inline constexpr Duration kUnpulledAccountAge = 10min;
/// Every account is looked at for the longest unused, while newcomers come, once in this time.
inline constexpr Duration kSpareLookGap = 1s;
/// How often a provider whose mail expires looks for what has, and at how many messages at once.
inline constexpr Duration kMailExpiryInterval = 1min;
inline constexpr std::size_t kMailExpiryBatch = 1000;
/// Packets handed to the storage thread and not yet stored.
inline constexpr std::size_t kMaxStoreQueue = 4096;
/// Packets are kept this long after those before them, or when there are so many, to share a
/// transaction. Nobody is answered when a packet is kept and clients ask once a second, while every
/// commit of its own costs a sync of the disk.
inline constexpr Duration kCommitWindow = 20ms;
inline constexpr std::size_t kCommitPackets = 64;
/// How long a reply may stay unacknowledged before its messages are offered again.
inline constexpr Duration kAcknowledgeTimeout = 10s;
/// How long, when another pull of the mailbox finds nothing else: the newest pull wins then. Whose
/// acknowledgement takes longer could hardly have connected.
inline constexpr Duration kStalledReply = kConnectTimeout;
/// Replies that arrived while the disk was full, whose mail has still to be deleted: 5 messages
/// each. As such mail counts as out, a mailbox has at most a few of them (store/mailbox.h).
inline constexpr std::size_t kMaxOwedDeletions = 4096;

// ---- Client: the application's side ---------------------------------------------------------
inline constexpr std::size_t kMaxMessageBytes = 975;
/// Messages accepted and not yet sent; the next is an error to the caller.
inline constexpr std::size_t kMaxQueuedMessages = 1000;
/// Messages received and not yet fetched; the oldest go first (said once).
inline constexpr std::size_t kMaxReceivedMessages = 100'000;
/// A JSON request. A message of 975 bytes needs 6 KiB at most; one that is far too long is answered
/// with an error that says so, and only beyond this is the connection ended. Every connection may
/// hold as much: 64 MiB together.
inline constexpr std::size_t kMaxWebsocketMessageBytes = 1 * kMiB;
/// The TCP socket API takes one read as one request.
inline constexpr std::size_t kMaxSocketRequestBytes = 2048;
inline constexpr std::size_t kMaxApiConnections = 64;

}  // namespace mix::wire
