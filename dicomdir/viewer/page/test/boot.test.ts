import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { runInNewContext } from "node:vm";

const SOURCE = readFileSync(new URL("../static/BOOT.JS", import.meta.url), "utf8");

interface Fake {
  tag: string;
  added: Fake[];
  isRemoved?: boolean;
  src?: string;
  href?: string;
  text: string;
  onload?: () => void;
  onerror?: () => void;
  [key: string]: unknown;
}

/** BOOT.JS in a page of a browser that has these features; returns what it put into the page. */
function boot(href: string, features: Record<string, unknown>) {
  const place: Fake = {
    tag: "p",
    added: [],
    text: "",
    appendChild: (it: Fake) => {
      place.added.push(it);
      place.text += it.text;
    },
    set innerHTML(text: string) {
      place.text = text;
    },
  };
  const added: Fake[] = [];
  const make = (tag: string): Fake => {
    const made: Fake = {
      tag,
      added: [],
      text: "",
      remove: () => {
        made.isRemoved = true;
      },
      ...(tag === "img" ? { style: {} } : {}),
      ...(tag === "script" ? { noModule: true, replaceChildren: () => undefined } : {}),
      ...(tag === "dialog" ? { showModal: () => undefined } : {}),
      ...(tag === "canvas" ? { getContext: () => ({}) } : {}),
    };
    return made;
  };
  const body = { appendChild: (it: Fake) => added.push(it) };
  const document = {
    head: body,
    body,
    createTextNode: (text: string) => ({ tag: "#text", text }),
    getElementById: () => place,
  };
  const window: Record<string, unknown> = { location: { href } };
  const without = String(features["without"] ?? "");
  const createElement = (tag: string) => {
    const made = make(tag);
    delete made[without];
    return made;
  };
  const page = { ...document, createElement };
  runInNewContext(`delete Array.prototype["${without}"];${SOURCE}`, {
    window,
    ...features,
    document: page,
  });
  return { added, place, window };
}

const modern = {
  TextDecoder,
  ResizeObserver: class {},
  PointerEvent: class {},
};

test("a browser that lacks what is needed is told so, and nothing is loaded", () => {
  for (const missing of Object.keys(modern)) {
    const { added, place } = boot("file:///d/VIEWER/START.HTM", {
      ...modern,
      [missing]: undefined,
    });
    assert.match(place.text, /too old.*Edge, Chrome, Firefox or Safari.*INDEX\.HTM/s);
    assert.equal(added.length, 0);
  }
});

test("so is one that lacks what the program calls", () => {
  for (const without of ["flatMap", "replaceChildren", "showModal"]) {
    const { added, place } = boot("file:///d/VIEWER/START.HTM", { ...modern, without });
    assert.match(place.text, /too old/);
    assert.equal(added.length, 0);
  }
});

test("a program or words that are cut are named, and nothing begins", () => {
  for (const [name, defined] of [
    ["VIEWER.JS", { SENDHOME_PACKED: {} }],
    ["LANG.JS", { SENDHOME_MAIN: () => assert.fail("begun") }],
  ] as const) {
    const { added, place, window } = boot("file:///d/VIEWER/START.HTM", modern);
    assert.match(place.text, /^Opening/);
    Object.assign(window, defined);
    for (const at of [1, 2, 3]) added[at]!.onload!();
    assert.match(place.text, /^A file of this viewer cannot be read/);
    assert.ok(place.text.includes(`: ${name}.`), name);
  }
});

test("the first image stands on the page as soon as MANIFEST.JS brings it, until all is lost", () => {
  const { added, place, window } = boot("file:///d/VIEWER/START.HTM", modern);
  const marks: string[] = [];
  const soon = (then: () => void) => then();
  Object.assign(window, {
    innerWidth: 1280,
    navigator: { language: "en-GB" },
    performance: { mark: (name: string) => marks.push(name) },
    requestAnimationFrame: soon,
    setTimeout: soon,
  });
  (window["SENDHOME"] as { glimpse: (text: string) => void }).glimpse("/9j/");
  const picture = place.added.find((each) => each.tag === "img")!;
  picture["isConnected"] = true;
  assert.equal(picture.src, "data:image/jpeg;base64,/9j/");
  assert.deepEqual(marks, []);
  picture.onload!();
  assert.deepEqual(marks, ["sendhome-first"]);
  added[1]!.onload!();
  added[2]!.onload!();
  assert.ok(!picture.isRemoved);
  added[3]!.onload!(); // VIEWER.JS, which defines nothing
  assert.match(place.text, /^A file of this viewer cannot be read/);
  assert.ok(picture.isRemoved);
});

for (const isHidden of [false, true]) {
  const name = isHidden ? "a tab that paints nothing begins all the same" : "the small one first";
  test(`the page begins when its first image is painted: ${name}`, () => {
    const frames: (() => void)[] = [];
    const timers: [() => void, number][] = [];
    const { added, place, window } = boot("file:///d/VIEWER/START.HTM", modern);
    Object.assign(window, {
      innerWidth: 1280,
      navigator: { language: "en-GB" },
      performance: { mark: () => undefined },
      requestAnimationFrame: (call: () => void) => frames.push(call),
      setTimeout: (call: () => void, after: number) => timers.push([call, after]),
    });
    let begun = 0;
    window["SENDHOME_MAIN"] = () => begun++;
    window["SENDHOME_PACKED"] = {};
    (window["SENDHOME"] as { glimpse: (text: string) => void }).glimpse("/9j/");
    const picture = place.added.find((each) => each.tag === "img")!;
    for (const script of added.slice(1)) script.onload!();
    assert.equal(begun, 0);
    if (isHidden) {
      const [late] = timers;
      assert.equal(late![1], 150);
      late![0]();
    } else {
      picture.onload!();
      assert.equal(begun, 0);
      frames[0]!();
      assert.equal(begun, 0);
      timers.at(-1)![0]();
    }
    assert.equal(begun, 1);
    picture.onload!();
    for (const [call] of timers) call();
    for (const call of frames) call();
    for (const [call] of timers) call();
    assert.equal(begun, 1); // once
  });
}

test("without scripts the page does not say that it opens, and leads to INDEX.HTM", () => {
  const page = readFileSync(new URL("../static/START.HTM", import.meta.url), "utf8");
  assert.doesNotMatch(page, /Opening/);
  const told = /<noscript>(.*)<\/noscript>/s.exec(page)![1]!;
  // In either case: a page without a script cannot ask which of them this medium shows.
  for (const name of ["INDEX.HTM", "index.htm"]) {
    assert.equal(told.split(`<a href="../${name}">${name}</a>`).length - 1, 9);
  }
});

test("names follow the case of its own address, and the other case is tried once", () => {
  for (const [folder, own, names] of [
    ["file:///d/VIEWER/", "START.HTM", ["VIEWER.CSS", "MANIFEST.JS", "LANG.JS", "VIEWER.JS"]],
    ["file:///d/viewer/", "start.htm?x#/y", ["viewer.css", "manifest.js", "lang.js", "viewer.js"]],
  ] as const) {
    const { added, window, place } = boot(folder + own, modern);
    assert.deepEqual(
      { ...(window["SENDHOME_BASE"] as object) },
      { folder, lower: own.startsWith("start.htm") },
    );
    assert.deepEqual(
      added.map((each) => each.href ?? each.src),
      names.map((name) => folder + name),
    );
    added[3]!.onerror!();
    assert.notEqual(added[4]!.src, added[3]!.src);
    assert.equal(added[4]!.src!.toLowerCase(), added[3]!.src!.toLowerCase());
    added[4]!.onerror!();
    assert.match(place.text, /cannot be read: VIEWER\.JS/);
  }
});

test("the viewer begins when all is there, in whatever order it came", () => {
  for (const order of [
    [1, 2, 3],
    [3, 2, 1],
    [2, 3, 1],
  ]) {
    const { added, window } = boot("file:///d/VIEWER/START.HTM", modern);
    let begun = 0;
    window["SENDHOME_MAIN"] = () => begun++;
    window["SENDHOME_PACKED"] = {};
    for (const at of order) {
      assert.equal(begun, 0);
      added[at]!.onload!();
    }
    assert.equal(begun, 1);
  }
});

test("a manifest that cannot be read is the viewer's to tell of", () => {
  const { added, window, place } = boot("file:///d/VIEWER/START.HTM", modern);
  let begun = 0;
  window["SENDHOME_MAIN"] = () => begun++;
  window["SENDHOME_PACKED"] = {};
  added[2]!.onload!();
  added[3]!.onload!();
  added[1]!.onerror!();
  assert.equal(begun, 0);
  added[4]!.onerror!();
  assert.equal(begun, 1);
  assert.match(place.text, /^Opening/);
});

test("what the manifest says is kept until the viewer asks", () => {
  const { window } = boot("file:///d/VIEWER/START.HTM", modern);
  const call = window["SENDHOME"] as ((...it: unknown[]) => void) & { lock: (it: unknown) => void };
  call.lock({ version: 1 });
  call("MANIFEST", 3, 4, "abc");
  const early = window["SENDHOME_EARLY"] as unknown[][] & { lock: unknown };
  assert.equal(JSON.stringify([...early]), '[["MANIFEST",3,4,"abc"]]');
  assert.equal(JSON.stringify(early.lock), '{"version":1}');
});

test("files that the manifest names first are asked for at once, in its own case", () => {
  const folder = "file:///d/viewer/";
  const { added, window } = boot(`${folder}start.htm`, modern);
  const call = window["SENDHOME"] as { first: (names: string[]) => void };
  const early = window["SENDHOME_EARLY"] as { scripts: Record<string, unknown> };
  call.first(["S0000001/META", "S0000001/C0000002"]);
  const [meta, chunk] = added.slice(4);
  assert.equal(meta!.src, `${folder}d/s0000001/meta.js`);
  assert.equal(chunk!.src, `${folder}d/s0000001/c0000002.js`);
  assert.deepEqual(Object.keys(early.scripts), ["S0000001/META", "S0000001/C0000002"]);
  meta!.onload!();
  assert.deepEqual(Object.keys(early.scripts), ["S0000001/C0000002"]);
  chunk!.onerror!(); // the viewer asks again
  assert.deepEqual(Object.keys(early.scripts), []);
});

test("it is ECMAScript 5: an old browser reads it to the end", () => {
  const code = SOURCE.replace(/\/\/.*|"(?:[^"\\]|\\.)*"/g, "");
  assert.doesNotMatch(code, /=>|`|\b(let|const|class|async|await)\b|\.\.\./);
});
