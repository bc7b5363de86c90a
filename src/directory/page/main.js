// SPDX-License-Identifier: Apache-2.0
// The dashboard: joins what comes over /ws/live to what is seen. Numbers follow once a second, dots in every frame,
// nodes and the list of events at once.
import { Connection } from './connection.js';
import { Flow } from './flow.js';
import { WINDOW_MS } from './minute.js';
import { Network } from './network.js';
import { Paint } from './paint.js';
import { Feed, loops, tiles } from './panels.js';
import { Stage } from './stage.js';
import { Tables } from './tables.js';
import { many, say, timeOf } from './words.js';

const $ = (id) => document.getElementById(id);

const network = new Network({
  nodes: (joined, left) => {
    stage.arrange();
    announce(joined, left);
    gap();
    refresh();
  },
  report: (report) => flowReport(report),
  loops: (report) => flowLoops(report),
  event: () => feed.changed(),
});
const stage = new Stage(network, $('stage'));
const paint = new Paint(stage, network);
const flow = new Flow((name) => paint.way(name), paint);
const feed = new Feed(network);
const tables = new Tables(network);

// ---- Reports become dots ----------------------------------------------------------------------------------

const age = (report) => Math.max(0, network.now() - report.timestamp / 1e6);

function flowReport(report) {
  const mix = network.nodes.get(report.pubKey);
  const ago = age(report);
  if (!mix || ago > WINDOW_MS) return;
  if (mix.layer === 1) flow.add(`in ${mix.key}`, report.received, ago);
  for (const [to, packets] of Object.entries(report.sent)) flow.add(`link ${mix.key} ${to}`, packets, ago);
}

function flowLoops(report) {
  const ago = age(report);
  if (!stage.anchors().has(report.pubKey)) stage.arrange();
  if (ago > WINDOW_MS) return;
  flow.add(`out ${report.pubKey}`, report.loopsSent, ago);
  flow.add(`home ${report.pubKey}`, report.loopsHome, ago);
}

// ---- What is seen follows ---------------------------------------------------------------------------------

let frameAsked = false;
stage.changed = () => {
  if (frameAsked) return;
  frameAsked = true;
  requestAnimationFrame(() => {
    frameAsked = false;
    paint.measure();
  });
};
stage.chosen = () => paint.links();

function refresh() {
  stage.refresh();
  tiles(network);
  loops(network);
  tables.show();
  paint.links();
  legend();
}

let turns = 0;
setInterval(() => {
  if (network.age()) stage.arrange();
  if (++turns % (WINDOW_MS / 1000) === 0) flow.settle();
  flow.forget((name) => paint.way(name) !== undefined);
  if (!document.hidden) refresh();
}, 1000);
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) {
    refresh();
    feed.changed();
  }
});

function gap() {
  const layer = network.gap();
  $('gap').hidden = layer === 0;
  say($('gap'), layer === 0 ? '' : `Layer ${layer} has no mix, but a layer above it has: no route leads through.`);
}

function legend() {
  const dot = flow.scale === 1 ? 'One dot is one packet' : `One dot is ${flow.scale} packets`;
  const parts = flow.moving
    ? [`${dot}, on the link its sender reported it for, in the seconds after the report; how fast it flies says nothing.`]
    : ['Motion is off: the width of a line is its share of the last minute’s packets.'];
  parts.push('Lines into layer 1 begin at the bar: a mix reports how many packets came, not from whom.');
  if (network.clients.size > 0) parts.push('Rings are loops on their way home, from clients that report them.');
  say($('legend'), parts.join(' '));
}

// ---- Said aloud, rarely -----------------------------------------------------------------------------------

let unsaid = [];
let saying = 0;
function announce(joined, left) {
  const name = (node) => `${node.role} ${node.address}`;
  const list = (nodes, what) => (nodes.length > 3 ? `${many(nodes.length, 'node')} ${what}` : `${nodes.map(name).join(', ')} ${what}`);
  if (joined.length > 0) unsaid.push(list(joined, 'is up'));
  if (left.length > 0) unsaid.push(list(left, 'has gone'));
  if (unsaid.length === 0 || saying) return;
  saying = setTimeout(() => {
    say($('status'), unsaid.length > 4 ? `${unsaid.length} changes in the network` : unsaid.join('; '));
    unsaid = [];
    saying = 0;
  }, 1500);
}

// ---- The connection ---------------------------------------------------------------------------------------

let lastHeard = 0;
let lostSince = 0;
function linkState(state, pauseMs) {
  const root = document.documentElement;
  const before = root.dataset.link;
  root.dataset.link = state;
  say($('link-text'), { connecting: 'connecting', live: 'live', lost: 'not connected' }[state]);
  $('lost').hidden = state !== 'lost';
  if (state === 'lost') {
    if (before !== 'lost') lostSince = lastHeard || Date.now();
    const seconds = Math.max(1, Math.round(pauseMs / 1000));
    say($('lost-text'), `Since ${timeOf(lostSince)} nothing is heard; this is how things were. Trying again every ${seconds} s.`);
    if (before === 'live') say($('status'), 'The connection to the directory is lost.');
  }
  if (state === 'live' && before === 'lost') say($('status'), 'The directory answers again.');
}

const url = new URL('/ws/live', location.href);
url.protocol = url.protocol.replace('http', 'ws');
const connection = new Connection(url, {
  text: (text) => {
    lastHeard = Date.now();
    network.take(text);
    if (network.hello) say($('about'), `nym-directory ${network.hello.version}, up since ${timeOf(network.hello.since)}.`);
  },
  state: linkState,
});
$('retry').addEventListener('click', () => connection.retry());

// ---- Motion -----------------------------------------------------------------------------------------------

const still = matchMedia('(prefers-reduced-motion: reduce)');
function motion(on) {
  flow.motion = on;
  document.documentElement.dataset.motion = on ? 'on' : 'off';
  $('motion').setAttribute('aria-pressed', String(!on));
  say($('motion'), on ? 'Pause' : 'Paused');
  $('motion').setAttribute('aria-label', 'Pause the moving dots');
  legend();
}
$('motion').addEventListener('click', () => motion(!flow.moving));
still.addEventListener('change', () => motion(!still.matches));
motion(!still.matches);

say($('where'), location.host);
say($('empty-command'), `nym-mixnode run --host localhost --port 9980 --layer 1 --directory ${location.origin}`);

/** For whoever wants to check the picture's books: what was reported, and what became of it. */
globalThis.dashboard = Object.freeze({ account: () => flow.account() });
