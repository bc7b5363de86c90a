// SPDX-License-Identifier: Apache-2.0
// What is known of the network: the texts of /ws/live (src/directory/feed.h) made into nodes, links, clients and
// events. No element and no canvas here.
//
// Bounds: those below; what is more is not kept. Times are milliseconds of the directory's clock.
import { MINUTE_MS, Minute } from './minute.js';

const MAX_EVENTS = 300;
const MAX_CLIENTS = 256;
const MAX_LINKS = 20_000;
const MAX_REPORTERS = 8192;
const CLIENT_SILENCE_MS = 10_000;
const MAX_TRIPS = 512; // of one client

const ms = (ns) => ns / 1e6;

/** Both ways in which a node's next hop may spell "localhost:9980". */
function spellings(address) {
  if (!address.startsWith('localhost:')) return [address];
  const port = address.slice('localhost'.length);
  return [address, `127.0.0.1${port}`, `[::1]${port}`];
}

export class Network {
  #offset = 0; // the directory's clock less ours
  #last = new Map(); // of each reporter, the time of its last report: a report counts once
  #addresses = new Map(); // where packets for a node go -> node

  nodes = new Map(); // key -> node {role, key, address, layer, ..}
  tallies = new Map(); // mix's key -> {received, sent}: Minutes
  links = new Map(); // "key address" -> {from, to, minute}
  clients = new Map(); // key -> {key, sent, home, lost: Minutes; out, trips, heard}
  total = new Minute(); // packets that mixes passed on
  events = []; // newest first
  hello = null;
  linksLeftOut = false;

  /** `hear` has any of: nodes(joined, left), report(report, fresh), loops(report, fresh), event(event). */
  constructor(hear) {
    this.hear = hear;
  }

  now() {
    return Date.now() + this.#offset;
  }

  take(text) {
    const message = JSON.parse(text);
    const take = { hello: 1, nodes: 1, reports: 1, node: 1, seen: 1, gone: 1, report: 1, loops: 1, refused: 1, more: 1, missed: 1 };
    if (Object.hasOwn(take, message.kind)) this[`take_${message.kind}`](message);
  }

  // ---- Who is in ------------------------------------------------------------------------------------------

  take_hello(message) {
    this.#offset = ms(message.now) - Date.now();
    const before = this.hello;
    this.hello = { version: message.version, since: ms(message.since), loops: message.loops };
    if (before && before.since !== this.hello.since)
      this.#happened('page', 'the directory was started anew; it knows nobody until they report', this.hello.since);
  }

  take_nodes(message) {
    const before = this.nodes;
    this.nodes = new Map();
    for (const [role, list] of [
      ['mix', message.mixes],
      ['provider', message.providers],
      ['coconode', message.coconodes],
    ])
      for (const entry of list) this.#put(role, entry);
    const left = [...before.values()].filter((node) => !this.nodes.has(node.key));
    const joined = [...this.nodes.values()].filter((node) => !before.has(node.key));
    for (const node of joined.toSorted((a, b) => a.seen - b.seen)) this.#happened('presence', 'is here', node.seen, node);
    this.#moved(joined, left);
  }

  take_node(message) {
    const left = message.taken.map((key) => this.#drop(key)).filter(Boolean);
    const known = this.nodes.has(message.node.pubKey);
    const node = this.#put(message.role, message.node);
    const what = message.new ? 'is up' : 'says something new';
    const instead = message.taken.length > 0 ? ', in place of an earlier key' : '';
    this.#happened('presence', what + instead, node.seen, node);
    this.#moved(known ? [] : [node], left);
  }

  take_seen(message) {
    const node = this.nodes.get(message.pubKey);
    if (!node) return;
    node.seen = ms(message.lastSeen);
    this.#happened('presence', 'is still up', node.seen, node);
  }

  take_gone(message) {
    const node = this.#drop(message.pubKey);
    if (!node) return;
    this.#happened('gone', 'was silent for 10 s: forgotten', ms(message.now), node);
    this.#moved([], [node]);
  }

  take_refused(message) {
    this.#happened('refused', `${message.status} for ${message.path}: ${message.why}`, ms(message.now));
  }

  take_more(message) {
    if (message.of === 'refused') this.#happened('refused', `and ${message.count} more within a second`, ms(message.now));
  }

  /** What follows is what a newcomer is told, so only the feed has gaps. */
  take_missed(message) {
    this.#happened('page', `more happened than this page could take: ${message.count} texts were left out`, ms(message.now));
  }

  #put(role, entry) {
    const node = {
      role,
      key: entry.pubKey,
      address: role === 'provider' ? entry.mixnetListener : entry.host,
      clientAddress: entry.clientListener,
      layer: role === 'mix' ? entry.layer : 0,
      accounts: entry.accounts,
      type: entry.type,
      version: entry.version,
      location: entry.location,
      seen: ms(entry.lastSeen),
    };
    this.nodes.set(node.key, node);
    return node;
  }

  #drop(key) {
    const node = this.nodes.get(key);
    this.nodes.delete(key);
    return node;
  }

  #moved(joined, left) {
    this.#addresses = new Map();
    for (const node of this.nodes.values())
      if (node.role !== 'coconode') for (const spelt of spellings(node.address)) this.#addresses.set(spelt, node);
    this.hear.nodes(joined, left);
  }

  at(address) {
    return this.#addresses.get(address);
  }

  layers() {
    let highest = 0;
    for (const node of this.nodes.values()) highest = Math.max(highest, node.layer);
    return highest;
  }

  of(role, layer = 0) {
    const found = [...this.nodes.values()].filter((node) => node.role === role && node.layer === layer);
    return found.sort((a, b) => a.address.localeCompare(b.address, 'en', { numeric: true }));
  }

  /** The lowest layer without a mix below one that has some; 0 if there is none. */
  gap() {
    for (let layer = 1; layer < this.layers(); layer++) if (this.of('mix', layer).length === 0) return layer;
    return 0;
  }

  // ---- What they count ------------------------------------------------------------------------------------

  take_reports(message) {
    for (const report of message.mixes) this.take_report({ report });
    for (const report of message.clients) this.take_loops({ report });
  }
  take_report(message) {
    const report = message.report;
    if (!this.#report(report)) return;
    const sent = Object.values(report.sent).reduce((all, one) => all + one, 0);
    const what = `received ${report.received}, passed on ${sent}`;
    this.#happened('counts', what, ms(report.timestamp), this.nodes.get(report.pubKey), report.pubKey);
  }
  take_loops(message) {
    const report = message.report;
    if (!this.#loops(report)) return;
    const what = `loops: ${report.loopsSent} sent, ${report.loopsHome} home, ${report.loopsLost} lost`;
    this.#happened('loops', what, ms(report.timestamp), undefined, report.pubKey);
  }

  #is_new(report) {
    if ((this.#last.get(report.pubKey) ?? -1) >= report.timestamp) return false;
    this.#last.delete(report.pubKey); // so that the map is in the order of the last report
    this.#last.set(report.pubKey, report.timestamp);
    if (this.#last.size > MAX_REPORTERS) this.#last.delete(this.#last.keys().next().value);
    return true;
  }

  #report(report) {
    if (!this.#is_new(report)) return false;
    const at = ms(report.timestamp);
    let tally = this.tallies.get(report.pubKey);
    if (!tally) this.tallies.set(report.pubKey, (tally = { received: new Minute(), sent: new Minute() }));
    tally.received.add(at, report.received);
    for (const [to, amount] of Object.entries(report.sent)) {
      if (amount === 0) continue;
      tally.sent.add(at, amount);
      this.total.add(at, amount);
      this.#link(report.pubKey, to)?.minute.add(at, amount);
    }
    this.hear.report(report);
    return true;
  }

  #link(from, to) {
    const name = `${from} ${to}`;
    let link = this.links.get(name);
    if (!link && this.links.size >= MAX_LINKS) this.linksLeftOut = true;
    else if (!link) this.links.set(name, (link = { name, from, to, minute: new Minute() }));
    return link;
  }

  #loops(report) {
    if (!this.#is_new(report)) return false;
    const at = ms(report.timestamp);
    let client = this.clients.get(report.pubKey);
    if (!client) {
      if (this.clients.size >= MAX_CLIENTS) return false;
      client = { key: report.pubKey, sent: new Minute(), home: new Minute(), lost: new Minute(), trips: [] };
      this.clients.set(report.pubKey, client);
    }
    client.heard = at;
    client.out = report.loopsOut;
    client.sent.add(at, report.loopsSent);
    client.home.add(at, report.loopsHome);
    client.lost.add(at, report.loopsLost);
    for (const ns of report.roundTripsNs ?? []) client.trips.push({ at, ns });
    client.trips.splice(0, Math.max(0, client.trips.length - MAX_TRIPS));
    this.hear.loops(report);
    return true;
  }

  // ---- The passing of time --------------------------------------------------------------------------------

  /** Forgets what is older than a minute, and clients that have stopped reporting. True if one has. */
  age() {
    const now = this.now();
    for (const [name, link] of this.links) if (link.minute.sum(now) === 0) this.links.delete(name);
    if (this.links.size < MAX_LINKS) this.linksLeftOut = false;
    for (const [key, tally] of this.tallies)
      if (!this.nodes.has(key) && tally.received.sum(now) + tally.sent.sum(now) === 0) this.tallies.delete(key);
    let stopped = false;
    for (const [key, client] of this.clients) {
      while (client.trips.length > 0 && client.trips[0].at <= now - MINUTE_MS) client.trips.shift();
      if (now - client.heard < CLIENT_SILENCE_MS) continue;
      this.clients.delete(key);
      this.#happened('gone', 'the client reports its loops no longer', now, undefined, key);
      stopped = true;
    }
    return stopped;
  }

  /** Packets to a provider in the last minute: it reports none itself, those who sent them did. */
  sent_to(node) {
    let total = 0;
    for (const link of this.links.values()) if (this.at(link.to) === node) total += link.minute.sum(this.now());
    return total;
  }

  bars_to(node) {
    const all = [...this.links.values()].filter((link) => this.at(link.to) === node).map((link) => link.minute.bars(this.now()));
    return all.reduce((sum, bars) => sum.map((one, i) => one + bars[i]), all[0]?.map(() => 0) ?? []);
  }

  #happened(kind, text, at, node, key) {
    const event = { kind, text, at, node, key: node?.key ?? key };
    this.events.unshift(event);
    this.events.length = Math.min(this.events.length, MAX_EVENTS);
    this.hear.event(event);
  }
}
