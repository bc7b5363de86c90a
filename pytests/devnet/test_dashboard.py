# SPDX-License-Identifier: Apache-2.0
"""The directory's page in a real browser, with a real network behind it. Needs Chromium and --run-all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from browser import Browser, Page, find
from mixlab import Devnet
from mixlab.planted import Planted

pytestmark = pytest.mark.all

LONG_S = 60.0  # Presence takes 5 s to come and 10 s to expire.


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if find() is None:
        pytest.skip("no Chromium here (scripts/setup.sh all installs it where the system has a package of it)")
    with Browser(tmp_path_factory.mktemp("browser")) as one:
        yield one


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[..., Page]]:
    """`opened(net, width=390, dark=True)`: the dashboard, connected. Ends with the page's errors looked at."""
    pages: list[Page] = []

    def make(net: Devnet, **rest: Any) -> Page:
        page = browser.open(net.directory_url + "/", **rest)
        pages.append(page)
        page.wait_until("document.documentElement.dataset.link === 'live'", "the page is connected", LONG_S)
        return page

    yield make
    for page in pages:
        page.close()
        # A browser writes down every refused reconnection; everything else is ours.
        assert [error for error in page.errors if "/ws/live" not in error] == []


@pytest.fixture(scope="module")
def six(shared_network: Callable[..., Devnet]) -> Devnet:
    """A network to look at and not to harm."""
    return shared_network(6, clients=3)


def shown_keys(page: Page, role: str) -> set[str]:
    query = f"[...document.querySelectorAll('.node[data-role={role}]:not(:disabled)')].map((n) => n.dataset.key)"
    return set(page.ask(query))


def wait_shown(page: Page, role: str, keys: set[str]) -> None:
    wanted = json.dumps(sorted(keys))
    query = (
        f"JSON.stringify([...document.querySelectorAll('.node[data-role={role}]:not(:disabled)')]"
        f".map((n) => n.dataset.key).sort()) === {json.dumps(wanted.replace(', ', ','))}"
    )
    page.wait_until(query, f"the {role}s that are shown are {sorted(keys)}", LONG_S)


def wait_heard(page: Page, text: str) -> None:
    query = f"document.querySelector('#feed').innerText.includes({json.dumps(text)})"
    page.wait_until(query, f"the feed says {text!r}", LONG_S)


def account(page: Page) -> dict[str, int]:
    """The books of the moving dots, which must balance whenever they are looked at."""
    books: dict[str, int] = page.ask("dashboard.account()")
    assert books["reported"] == books["shown"] + books["skipped"] + books["waiting"] + books["carried"]
    return books


def mix_keys(net: Devnet) -> set[str]:
    return {mix["pubKey"] for mix in net.topology().mixes}


def table_rows(page: Page, box: str) -> list[list[str]]:
    query = f"[...document.querySelectorAll('#{box} tbody tr')].map((r) => [...r.children].map((c) => c.textContent))"
    rows: list[list[str]] = page.ask(query)
    return rows


def test_everything_and_only_what_was_reported_is_shown(
    network: Callable[..., Devnet], opened: Callable[..., Page]
) -> None:
    net = network(6)
    page = opened(net)
    wait_shown(page, "mix", mix_keys(net))
    wait_shown(page, "provider", {net.topology().providers[0]["pubKey"]})
    assert page.ask("document.querySelector('#packets').textContent") == "0"
    assert account(page)["reported"] == 0
    # 30 packets along one route and 10 along another, and not one more.
    planted = Planted(net)
    upper = [net.mixes[0], net.mixes[2], net.mixes[4], net.provider]
    lower = [net.mixes[1], net.mixes[2], net.mixes[5], net.provider]
    for turn in range(40):
        planted.send_along(lower if turn % 4 == 0 else upper)
    page.ask("document.querySelector('#links-details').open = true")
    expected = {
        (upper[0].address, upper[1].address): "30",
        (lower[0].address, lower[1].address): "10",
        (upper[1].address, upper[2].address): "30",
        (upper[1].address, lower[2].address): "10",
        (upper[2].address, net.provider.address): "30",
        (lower[2].address, net.provider.address): "10",
    }
    page.wait_until("document.querySelector('#packets').textContent === '120'", "120 packets are shown", LONG_S)
    page.wait_until("document.querySelectorAll('#links tbody tr').length === 6", "six links are shown", LONG_S)
    assert {(row[0], row[1]): row[3] for row in table_rows(page, "links")} == expected
    received = {row[1]: (row[2], row[3]) for row in table_rows(page, "nodes")}
    assert received[net.mixes[2].address] == ("40", "40")
    assert received[net.mixes[3].address] == ("0", "0")
    # Every one of them becomes a dot on each of its four ways, and nothing else does.
    page.wait_until("dashboard.account().waiting + dashboard.account().flying === 0", "the dots have landed", LONG_S)
    books = account(page)
    assert (books["reported"], books["shown"]) == (160, 160)
    assert books["flights"] == 160


def test_loops_of_clients_that_report_are_shown(network: Callable[..., Devnet], opened: Callable[..., Page]) -> None:
    net = network(3, clients=2)
    page = opened(net)
    keys = set()
    for client in net.clients:
        with client.connect() as socket:
            keys.add(socket.own_address())
    wait_shown(page, "client", keys)
    page.wait_until("document.querySelectorAll('#loops tbody tr').length === 2", "both clients have a row", LONG_S)
    page.wait_until("parseInt(document.querySelector('#trip').textContent) > 0", "a round trip is shown", LONG_S)
    page.wait_until("document.querySelector('#home').textContent === '100 %'", "all loops are home", LONG_S)
    home = [int(row[2]) for row in table_rows(page, "loops")]
    with net.run as run:
        assert 0 < sum(home) <= run.loops_home()
    account(page)


def test_a_node_that_is_killed_goes_and_one_that_is_started_comes(
    network: Callable[..., Devnet], opened: Callable[..., Page]
) -> None:
    net = network(3)
    page = opened(net)
    wait_shown(page, "mix", mix_keys(net))
    assert page.ask("document.querySelector('#gap').hidden")
    victim = net.mixes[1]
    victim.kill()
    net.wait_until(lambda: net.topology().mix_at(victim.address) is None, "the presence expires", LONG_S)
    wait_shown(page, "mix", mix_keys(net))
    assert "Layer 2 has no mix" in page.text("#gap")
    wait_heard(page, f":{victim.port} was silent for 10 s: forgotten")
    page.wait_until("document.querySelector('#status').textContent.includes('has gone')", "it is said aloud", LONG_S)
    victim.restart()
    wait_shown(page, "mix", mix_keys(net))
    assert page.ask("document.querySelector('#gap').hidden")
    wait_heard(page, f":{victim.port} is up")


def test_a_restarted_directory_is_found_again_without_a_reload(
    network: Callable[..., Devnet], opened: Callable[..., Page]
) -> None:
    net = network(3)
    page = opened(net)
    wait_shown(page, "mix", mix_keys(net))
    page.ask("window.stillTheSame = true")
    directory = net.directory
    assert directory is not None
    directory.kill()
    page.wait_until("document.documentElement.dataset.link === 'lost'", "the page has noticed", LONG_S)
    assert page.text("#link") == "not connected"
    assert "this is how things were" in page.text("#lost")
    assert shown_keys(page, "mix") != set()
    directory.restart()
    page.wait_until("document.documentElement.dataset.link === 'live'", "the page is connected again", LONG_S)
    net.wait_ready()
    wait_shown(page, "mix", mix_keys(net))
    assert page.ask("window.stillTheSame && document.querySelector('#lost').hidden")
    wait_heard(page, "started anew")


EVIL = "<img src=x onerror=\"window.owned='%s'\"><script>window.owned=1</script>"
# What a directory of ours refuses to pass on. A page must not rely on it.
LYING_DIRECTORY = """
window.WebSocket = class extends EventTarget {
  constructor() {
    super();
    setTimeout(() => {
      this.dispatchEvent(new Event('open'));
      for (const one of %s) this.dispatchEvent(new MessageEvent('message', { data: JSON.stringify(one) }));
    }, 50);
  }
  close() {}
};
"""


def test_a_strangers_text_is_text(network: Callable[..., Devnet], opened: Callable[..., Page]) -> None:
    key = EVIL % "key"
    node = {
        "pubKey": key,
        "host": EVIL % "host",
        "layer": 1,
        "version": EVIL % "version",
        "location": EVIL % "location",
        "lastSeen": 0,
    }
    other = {"pubKey": "p", "mixnetListener": EVIL % "mix", "clientListener": EVIL % "client", "accounts": 1}
    other |= {"version": "1", "location": "", "lastSeen": 0}
    report = {"pubKey": key, "sent": {EVIL % "mix": 3, EVIL % "nobody": 2}, "received": 5, "timestamp": 1}
    loops = {"pubKey": EVIL % "loops", "loopsSent": 1, "loopsHome": 1, "loopsLost": 0, "timestamp": 1}
    told = [
        {"kind": "hello", "feed": 1, "version": EVIL % "hello", "now": 1, "since": 1, "loops": True},
        {"kind": "nodes", "mixes": [node], "providers": [other], "coconodes": []},
        {"kind": "node", "role": "mix", "node": node, "new": True, "taken": []},
        {"kind": "report", "report": report},
        {"kind": "loops", "report": loops},
        {"kind": "refused", "path": EVIL % "path", "status": 400, "why": EVIL % "why", "now": 1},
        {"kind": "more", "of": "refused", "count": EVIL % "more", "now": 1},
        {"kind": "more", "of": EVIL % "of", "count": 1, "now": 1},
        {"kind": "missed", "count": EVIL % "missed", "now": 1},
        {"kind": "__proto__"},
        {"kind": "constructor"},
    ]
    page = opened(network(3), before=LYING_DIRECTORY % json.dumps(told))
    page.wait_until("document.querySelectorAll('.node').length === 3", "its nodes are shown", LONG_S)
    page.wait_until("document.querySelectorAll('#feed li').length >= 4", "the feed has its events", LONG_S)
    wait_heard(page, "owned='missed'")
    page.ask("document.querySelector('#links-details').open = true")
    page.ask("document.querySelector('.node[data-role=mix]').click()")
    page.wait_until("document.querySelectorAll('#links tbody tr').length === 2", "its links are shown", LONG_S)
    for where in ("#nodes", "#links", "#feed", ".inspector", "#about"):
        assert "<img src=x onerror=" in page.ask(f"document.querySelector({json.dumps(where)}).textContent"), where
    assert page.ask("window.owned === undefined && document.querySelectorAll('img').length === 0")
    assert page.ask("document.querySelectorAll('script').length") == 1
    # Should somebody write such code one day, the browser refuses to run it.
    attempt = "(() => { try { document.body.innerHTML = '<b>x</b>'; return 'done'; } catch { return 'refused'; } })()"
    assert page.ask(attempt) == "refused"
    page.errors.clear()  # the browser has written that down


def test_a_refused_presence_is_shown_with_its_reason(
    network: Callable[..., Devnet], opened: Callable[..., Page]
) -> None:
    net = network(3)
    page = opened(net)
    body = {"host": "<b>h</b>:1", "pubKey": net.topology().mixes[0]["pubKey"], "version": "0.4.0", "layer": 1}
    assert net.directory_api.request("POST", "/api/presence/mixnodes", body)[0] == 400
    page.wait_until("document.querySelector('#feed [data-kind=refused]') !== null", "the refusal is shown", LONG_S)
    assert "400 for /api/presence/mixnodes: host:" in page.text("#feed [data-kind=refused]")
    for _ in range(100):
        net.directory_api.request("POST", "/api/presence/mixnodes", body)
    wait_heard(page, "more within a second")


# What would be wrong with how it looks, as far as a program can tell: {what: where}.
FLAWS = """(() => {
  const flaws = [];
  const root = document.documentElement;
  if (root.scrollWidth > innerWidth) flaws.push(`the page is ${root.scrollWidth} wide`);
  const stage = document.querySelector('#stage').getBoundingClientRect();
  const nodes = [...document.querySelectorAll('.node')];
  const boxes = nodes.map((node) => node.getBoundingClientRect());
  boxes.forEach((a, i) => {
    if (a.left < stage.left - 1 || a.right > stage.right + 1 || a.bottom > stage.bottom + 1)
      flaws.push(`${nodes[i].textContent} leaves the picture`);
    if (a.height < 22) flaws.push(`${nodes[i].textContent} is ${a.height} high`);
    boxes.slice(i + 1).forEach((b) => {
      if (a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom)
        flaws.push(`${nodes[i].textContent} is overlapped`);
    });
  });
  for (const element of document.querySelectorAll('.name, .counts, .big b, .sub, h1, h2, h3, button'))
    if (element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).display !== 'inline')
      flaws.push(`"${element.textContent}" is cut off`);

  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, below) => top.slice(0, 3).map((c, i) => c * top[3] + below[i] * (1 - top[3])).concat(1);
  const behind = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) layers.push(rgba(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255, 1]);
  };
  const light = (colour) => {
    const [r, g, b] = colour.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const seen = new Set();
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (seen.has(element) || !walker.currentNode.data.trim() || !element.checkVisibility()) continue;
    seen.add(element);
    const below = behind(element);
    const [a, b] = [light(over(rgba(getComputedStyle(element).color), below)), light(below)];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) flaws.push(`"${element.textContent}" has a contrast of ${contrast.toFixed(2)}`);
  }
  return { flaws, texts: seen.size };
})()"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_is_readable(six: Devnet, opened: Callable[..., Page], width: int, dark: bool, tmp_path: Path) -> None:
    page = opened(six, width=width, dark=dark)
    wait_shown(page, "mix", mix_keys(six))
    page.wait_until("document.querySelectorAll('.node[data-role=client]').length === 3", "clients are shown", LONG_S)
    page.wait_until("dashboard.account().flights > 20", "packets move", LONG_S)
    page.screenshot(tmp_path / "page.png", whole=True)
    found = page.ask(FLAWS)
    assert found["texts"] > 100
    assert found["flaws"] == []
    background = page.ask("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(10, 13, 19)" if dark else "rgb(243, 245, 248)")
    # A row of layers on a wide screen, one below the other on a narrow one.
    boxes = page.ask("[...document.querySelectorAll('.column')].map((c) => [c.offsetLeft, c.offsetTop])")
    assert boxes == sorted(boxes, key=lambda box: box[0 if width > 720 else 1])


def test_a_keyboard_reaches_everything_and_a_screen_reader_hears_little(
    six: Devnet, opened: Callable[..., Page]
) -> None:
    page = opened(six)
    wait_shown(page, "mix", mix_keys(six))
    page.wait_until("document.querySelectorAll('.node[data-role=client]').length === 3", "clients are shown", LONG_S)
    for _ in range(20):
        page.press("Tab")
        if page.ask("document.activeElement.classList.contains('node')"):
            break
    role = "document.activeElement.dataset.role"
    column = "document.activeElement.closest('.column').dataset.column"
    assert page.ask(role) == "client"
    columns = []
    for _ in range(4):
        page.press("ArrowRight")
        columns.append(page.ask(column))
    assert columns == ["layer 1", "layer 2", "layer 3", "providers"]
    page.press("ArrowLeft")
    assert page.ask(column) == "layer 3"
    page.press("ArrowUp")  # at the top now, wherever it was
    first = page.ask("document.activeElement.dataset.key")
    page.press("ArrowDown")
    assert page.ask(column) == "layer 3"
    assert page.ask("document.activeElement.dataset.key") != first
    page.press("ArrowUp")
    assert page.ask("document.activeElement.dataset.key") == first
    label = page.ask("document.activeElement.getAttribute('aria-label')")
    address = next(mix["host"] for mix in six.topology().mixes if mix["pubKey"] == first)
    assert label.startswith(f"mix {address}, layer 3: ")
    page.press("Enter")
    assert page.ask("document.activeElement.getAttribute('aria-expanded')") == "true"
    assert first in page.text(".inspector")
    page.press("Tab")
    assert page.ask("document.activeElement.getAttribute('aria-label')") == "Close"
    page.press("Escape")
    assert page.ask("document.querySelector('.inspector') === null")
    assert page.ask("document.activeElement.dataset.key") == first
    # Pictures are hidden from a screen reader, what they show is in tables, and one place alone speaks up.
    assert page.ask("[...document.querySelectorAll('canvas')].every((c) => c.getAttribute('aria-hidden') === 'true')")
    assert page.ask("document.querySelectorAll('[aria-live], [role=status], [role=alert], [role=log]').length") == 1
    assert page.ask("document.querySelectorAll('#nodes tbody th[scope=row]').length") == 7
    unnamed = "[...document.querySelectorAll('button, a, [tabindex=\"0\"]')].filter((e) => !e.textContent.trim() && !"
    assert page.ask(unnamed + "e.getAttribute('aria-label') && !e.getAttribute('aria-labelledby')).length") == 0


def test_who_wants_no_motion_gets_none(six: Devnet, opened: Callable[..., Page]) -> None:
    page = opened(six, still=True)
    page.wait_until("parseInt(document.querySelector('#packets').textContent) > 50", "counts go on", LONG_S)
    books = account(page)
    assert (books["shown"], books["flights"], books["flying"]) == (0, 0, 0)
    assert books["skipped"] > 0
    assert "Motion is off" in page.text("#legend")
    page.ask("document.querySelector('#motion').click()")
    page.wait_until("dashboard.account().flights > 0", "it may be asked for", LONG_S)
    page.ask("document.querySelector('#motion').click()")
    assert account(page)["flying"] == 0


def test_sixty_mixnodes_are_drawn_in_many_frames_a_packet(
    network: Callable[..., Devnet], opened: Callable[..., Page], record_property: Callable[[str, object], None]
) -> None:
    brisk = ["--loop-rate", "10 / s", "--send-rate", "10 / s", "--poll-interval", "100 ms", "--mean-delay", "20 ms"]
    net = network(60, clients=3, options={"client": brisk})
    page = opened(net)
    wait_shown(page, "mix", mix_keys(net))
    page.wait_until("dashboard.account().flights >= 2000", "two thousand dots have flown", LONG_S)
    books = account(page)
    frames = books["dotFrames"] / books["flights"]
    record_property("frames_of_a_dot", round(frames, 1))
    print(f"{books['frames']} frames, {books['flights']} dots, each in {frames:.1f} frames; {books}")
    # A count, not a time: a dot must be seen on its way, not only at its ends.
    assert frames >= 3
    assert page.ask(FLAWS)["flaws"] == []
