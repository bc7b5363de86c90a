// SPDX-License-Identifier: Apache-2.0
// Lines and dots on two canvases behind the nodes: links are painted when something about them has changed, dots in
// every frame. Ways are kept as points, so that a dot costs two multiplications a frame.

const STEPS = 28;
const RAIL_STEPS = 120;
const PULSE_MS = 450;
const LABELS = 6; // links of one node that get a number
const SPRITE = 20;

/** From a to b, leaving and arriving along the direction in which layers follow each other. */
function curve(a, b, vertical) {
  const points = new Float32Array(2 * (STEPS + 1));
  const [bendX, bendY] = vertical ? [0, (b.y - a.y) / 2] : [(b.x - a.x) / 2, 0];
  for (let i = 0; i <= STEPS; i++) {
    const t = i / STEPS;
    const u = 1 - t;
    const [w0, w1, w2, w3] = [u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t];
    points[2 * i] = w0 * a.x + w1 * (a.x + bendX) + w2 * (b.x - bendX) + w3 * b.x;
    points[2 * i + 1] = w0 * a.y + w1 * (a.y + bendY) + w2 * (b.y - bendY) + w3 * b.y;
  }
  return points;
}

/** Along corners, rounded, in steps of equal length. */
function polyline(corners, radius) {
  const dense = [corners[0]];
  for (let i = 1; i < corners.length - 1; i++) {
    const [before, at, after] = [corners[i - 1], corners[i], corners[i + 1]];
    const toward = (p) => {
      const length = Math.hypot(p.x - at.x, p.y - at.y) || 1;
      const r = Math.min(radius, length / 2);
      return { x: at.x + ((p.x - at.x) * r) / length, y: at.y + ((p.y - at.y) * r) / length };
    };
    const [p, q] = [toward(before), toward(after)];
    for (let k = 0; k <= 6; k++) {
      const t = k / 6;
      const u = 1 - t;
      dense.push({
        x: u * u * p.x + 2 * u * t * at.x + t * t * q.x,
        y: u * u * p.y + 2 * u * t * at.y + t * t * q.y,
      });
    }
  }
  dense.push(corners.at(-1));
  const lengths = [0];
  for (let i = 1; i < dense.length; i++)
    lengths.push(lengths[i - 1] + Math.hypot(dense[i].x - dense[i - 1].x, dense[i].y - dense[i - 1].y));
  const points = new Float32Array(2 * (RAIL_STEPS + 1));
  for (let i = 0, k = 1; i <= RAIL_STEPS; i++) {
    const want = (lengths.at(-1) * i) / RAIL_STEPS;
    while (k < dense.length - 1 && lengths[k] < want) k++;
    const share = (want - lengths[k - 1]) / (lengths[k] - lengths[k - 1] || 1);
    points[2 * i] = dense[k - 1].x + share * (dense[k].x - dense[k - 1].x);
    points[2 * i + 1] = dense[k - 1].y + share * (dense[k].y - dense[k - 1].y);
  }
  return points;
}

export class Paint {
  #pulses = new Map(); // way's name -> when a dot arrived
  #ways = new Map(); // name -> {points, hop, rail, key}, made when asked for
  #anchors = new Map();
  #colours = [];

  constructor(stage, network) {
    this.stage = stage;
    this.network = network;
    [this.linkCanvas, this.dotCanvas, this.labelCanvas] = stage.root.querySelectorAll('canvas');
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.theme());
    this.theme();
  }

  theme() {
    const style = getComputedStyle(document.documentElement);
    const read = (name) => style.getPropertyValue(name).trim();
    this.#colours = [0, 1, 2, 3, 4].map((hop) => read(`--hop-${hop}`));
    this.ink = { home: read('--home'), text: read('--text'), card: read('--card'), line: read('--line') };
    const dark = matchMedia('(prefers-color-scheme: dark)').matches;
    this.sprites = new Map(this.#colours.map((colour, hop) => [hop, disc(colour, dark)]));
    this.sprites.set('home', ring(this.ink.home, this.ink.card, dark));
    this.links();
  }

  /** Nodes may have moved. */
  measure() {
    const box = this.stage.root.getBoundingClientRect();
    const sharp = Math.min(devicePixelRatio || 1, 2);
    for (const canvas of [this.linkCanvas, this.dotCanvas, this.labelCanvas]) {
      const [width, height] = [Math.round(box.width * sharp), Math.round(box.height * sharp)];
      if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
      canvas.getContext('2d').setTransform(sharp, 0, 0, sharp, 0, 0);
    }
    this.size = box;
    this.#anchors = this.stage.anchors();
    this.vertical = this.stage.vertical;
    this.#ways.clear();
    this.links();
  }

  // ---- Ways -----------------------------------------------------------------------------------------------

  /** Names: "link KEY ADDRESS" (a mix's next hop), "in KEY" (into a mix of layer 1, from whomever), "out KEY" and
   *  "home KEY" (a client's loops). */
  way(name) {
    let way = this.#ways.get(name);
    if (way === undefined) {
      way = this.#make(name);
      if (way) this.#ways.set(name, way);
    }
    return way;
  }

  #make(name) {
    const [kind, key, to] = name.split(' ');
    const here = this.#anchors.get(key);
    if (!here) return undefined;
    if (kind === 'in') {
      const inlet = this.#anchors.get('inlet');
      if (!inlet?.h && !inlet?.w) return undefined;
      const at = this.#enter(here);
      const from = this.vertical ? { x: at.x, y: inlet.y + inlet.h } : { x: inlet.x + inlet.w, y: at.y };
      return { points: curve(this.#within(from, inlet), at, this.vertical), hop: 0, key };
    }
    if (kind === 'out') {
      const inlet = this.#anchors.get('inlet');
      const at = this.#leave(here);
      const end = this.vertical ? { x: at.x, y: inlet.y } : { x: inlet.x, y: at.y };
      return { points: curve(at, this.#within(end, inlet), this.vertical), hop: 0, key: 'inlet' };
    }
    if (kind === 'home') return this.#home(here, key);
    const node = this.network.at(to);
    const there = node && this.#anchors.get(node.key);
    if (!there) return undefined;
    const hop = Math.min(this.network.nodes.get(key)?.layer ?? 0, 4);
    return { points: curve(this.#leave(here), this.#enter(there), this.vertical), hop, key: node.key };
  }

  #within(point, box) {
    return {
      x: Math.max(box.x, Math.min(point.x, box.x + box.w)),
      y: Math.max(box.y, Math.min(point.y, box.y + box.h)),
    };
  }
  #enter(box) {
    return this.vertical ? { x: box.x + box.w / 2, y: box.y } : { x: box.x, y: box.y + box.h / 2 };
  }
  #leave(box) {
    return this.vertical ? { x: box.x + box.w / 2, y: box.y + box.h } : { x: box.x + box.w, y: box.y + box.h / 2 };
  }

  /** Back from the providers, around the layers, to a client. */
  #home(here, key) {
    // From a client's report nobody knows which of several providers it was.
    const known = this.network.of('provider');
    const providers = this.#anchors.get(known.length === 1 ? known[0].key : 'providers nodes');
    const layers = [...this.#anchors].filter(([name]) => name.startsWith('layer ') && !name.endsWith('nodes'));
    const clients = this.#anchors.get('clients');
    if (!providers || !clients || layers.length === 0) return undefined;
    let corners;
    if (this.vertical) {
      const x = this.size.width - 7;
      const y = here.y + here.h / 2;
      corners = [{ x: providers.x + providers.w, y: providers.y + providers.h / 2 }, { x, y: providers.y + providers.h / 2 }, { x, y }, { x: here.x + here.w, y }];
    } else {
      const y = this.size.height - 13;
      const x = Math.max(8, here.x - 14);
      const middle = providers.x + providers.w / 2;
      const at = here.y + here.h / 2;
      corners = [{ x: middle, y: providers.y + providers.h }, { x: middle, y }, { x, y }, { x, y: at }, { x: here.x, y: at }];
    }
    return { points: polyline(corners, 14), hop: 'home', rail: true, key };
  }

  // ---- Links ----------------------------------------------------------------------------------------------

  /** Every way on which packets were reported in the last minute, as wide as its share. */
  links() {
    const context = this.linkCanvas.getContext('2d');
    context.clearRect(0, 0, this.linkCanvas.width, this.linkCanvas.height);
    const drawn = this.#reported();
    const most = Math.max(1, ...drawn.map((one) => (one.way.rail ? 0 : one.packets)));
    const pointed = this.stage.pointed;
    const of = (one) => one.from === pointed || one.way.key === pointed;
    const lit = pointed !== null && drawn.some(of);
    context.lineCap = 'round';
    for (const one of drawn) {
      const share = Math.sqrt(Math.min(1, one.packets / most));
      context.strokeStyle = one.way.rail ? this.ink.home : this.#colours[one.way.hop];
      context.lineWidth = one.way.rail ? 1.25 : 0.8 + 4.2 * share * (drawn.length > 150 ? 0.5 : 1);
      context.globalAlpha = (one.way.rail ? 0.28 : 0.2 + 0.26 * share) * (lit ? (of(one) ? 2.2 : 0.25) : 1);
      context.setLineDash(one.way.rail ? [2, 5] : []);
      this.#trace(context, one.way.points);
      context.stroke();
    }
    context.setLineDash([]);
    context.globalAlpha = 1;
    // Numbers have a canvas of their own, so that no dot flies over them.
    const labels = this.labelCanvas.getContext('2d');
    labels.clearRect(0, 0, this.labelCanvas.width, this.labelCanvas.height);
    const own = lit ? drawn.filter((one) => of(one) && !one.way.rail) : [];
    if (own.length <= LABELS) for (const one of own) this.#label(labels, one);
  }

  #reported() {
    const now = this.network.now();
    const out = [];
    const see = (name, packets, from) => {
      const way = packets > 0 ? this.way(name) : undefined;
      if (way) out.push({ way, packets, from });
    };
    for (const link of this.network.links.values()) see(`link ${link.name}`, link.minute.sum(now), link.from);
    for (const mix of this.network.of('mix', 1)) see(`in ${mix.key}`, this.network.tallies.get(mix.key)?.received.sum(now) ?? 0, 'inlet');
    for (const client of this.network.clients.values()) {
      see(`out ${client.key}`, client.sent.sum(now), client.key);
      see(`home ${client.key}`, client.home.sum(now), 'providers');
    }
    return out;
  }

  #trace(context, points) {
    context.beginPath();
    context.moveTo(points[0], points[1]);
    for (let i = 2; i < points.length; i += 2) context.lineTo(points[i], points[i + 1]);
  }

  #label(context, one) {
    // Beside the other end, where the ways of one node lie apart.
    const at = one.from === this.stage.pointed ? 0.68 : 0.32;
    const i = 2 * Math.round(at * (one.way.points.length / 2 - 1));
    const [x, y] = [one.way.points[i], one.way.points[i + 1]];
    const text = String(one.packets);
    context.font = '600 11px system-ui, sans-serif';
    const width = context.measureText(text).width + 10;
    context.fillStyle = this.ink.card;
    context.beginPath();
    context.roundRect(x - width / 2, y - 9, width, 18, 9);
    context.fill();
    context.strokeStyle = this.ink.line;
    context.lineWidth = 1;
    context.stroke();
    context.fillStyle = this.ink.text;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    context.fillText(text, x, y + 0.5);
  }

  // ---- Dots -----------------------------------------------------------------------------------------------

  arrived(name, now) {
    const way = this.way(name);
    if (way) this.#pulses.set(way.key, { start: now, hop: way.hop, points: way.points });
  }

  /** True when there is more to show after the last dot. */
  dots(flying, now) {
    const context = this.dotCanvas.getContext('2d');
    context.clearRect(0, 0, this.dotCanvas.width, this.dotCanvas.height);
    const lists = new Map(); // by colour: [x, y, tail x, tail y]
    for (const dot of flying) {
      const way = this.way(dot.name);
      const share = Math.max(0, (now - dot.start) / dot.length);
      const list = lists.get(way.hop) ?? [];
      if (list.length === 0) lists.set(way.hop, list);
      const [x, y] = at(way.points, share);
      list.push([x, y, ...at(way.points, Math.max(0, share - (way.rail ? 0.012 : 0.09)))]);
    }
    context.lineCap = 'round';
    for (const [hop, list] of lists) this.#draw(context, list, hop);
    this.#ripple(context, now);
    return this.#pulses.size > 0;
  }

  #draw(context, list, hop) {
    context.strokeStyle = hop === 'home' ? this.ink.home : this.#colours[hop];
    context.globalAlpha = 0.4;
    context.lineWidth = 2;
    context.beginPath();
    for (const [x, y, tailX, tailY] of list) {
      context.moveTo(tailX, tailY);
      context.lineTo(x, y);
    }
    context.stroke();
    context.globalAlpha = 1;
    const sprite = this.sprites.get(hop);
    for (const [x, y] of list) context.drawImage(sprite, x - SPRITE / 2, y - SPRITE / 2, SPRITE, SPRITE);
  }

  #ripple(context, now) {
    for (const [key, pulse] of this.#pulses) {
      const share = (now - pulse.start) / PULSE_MS;
      if (share >= 1) {
        this.#pulses.delete(key);
        continue;
      }
      const end = pulse.points.length;
      context.strokeStyle = pulse.hop === 'home' ? this.ink.home : this.#colours[pulse.hop];
      context.globalAlpha = 0.7 * (1 - share);
      context.lineWidth = 1.5;
      context.beginPath();
      context.arc(pulse.points[end - 2], pulse.points[end - 1], 3 + 8 * share, 0, 2 * Math.PI);
      context.stroke();
    }
    context.globalAlpha = 1;
  }
}

/** A dot, painted once and then copied: hundreds of small circles in each frame are slow without a graphics card. */
function sprite(colour, glows, draw) {
  const canvas = document.createElement('canvas');
  const sharp = Math.min(devicePixelRatio || 1, 2);
  canvas.width = canvas.height = SPRITE * sharp;
  const context = canvas.getContext('2d');
  context.scale(sharp, sharp);
  const middle = SPRITE / 2;
  if (glows) {
    const glow = context.createRadialGradient(middle, middle, 2, middle, middle, middle);
    glow.addColorStop(0, colour);
    glow.addColorStop(1, 'transparent');
    context.globalAlpha = 0.45;
    context.fillStyle = glow;
    context.fillRect(0, 0, SPRITE, SPRITE);
    context.globalAlpha = 1;
  }
  context.beginPath();
  draw(context, middle);
  return canvas;
}

function disc(colour, glows) {
  return sprite(colour, glows, (context, middle) => {
    context.arc(middle, middle, 3.3, 0, 2 * Math.PI);
    context.fillStyle = colour;
    context.fill();
  });
}

/** What comes home is told apart without its colour, too. */
function ring(colour, inside, glows) {
  return sprite(colour, glows, (context, middle) => {
    context.arc(middle, middle, 3.2, 0, 2 * Math.PI);
    context.fillStyle = inside;
    context.fill();
    context.strokeStyle = colour;
    context.lineWidth = 1.6;
    context.stroke();
  });
}

/** The point at a share of a way. */
function at(points, share) {
  const last = points.length / 2 - 1;
  const exact = Math.min(share, 1) * last;
  const i = Math.min(Math.floor(exact), last - 1);
  const part = exact - i;
  return [
    points[2 * i] + part * (points[2 * i + 2] - points[2 * i]),
    points[2 * i + 1] + part * (points[2 * i + 3] - points[2 * i + 1]),
  ];
}
