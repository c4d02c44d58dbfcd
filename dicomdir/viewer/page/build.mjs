// Builds ../assets from src, static and lang: the same bytes for the same sources.
//
// `node build.mjs [FOLDER]` writes elsewhere, so that a test can compare. Nothing in the output
// depends on the machine: no paths, no times, no source maps.

import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";
import { deflateSync, strToU8 } from "fflate";
import { pack } from "./src/data/text.ts";

const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(process.argv[2] ?? join(here, "../assets"));
const STYLE_TARGET = ["chrome80", "firefox78", "safari14"];

/** A file's text with the line ends of every platform made one. */
async function text(path) {
  return (await readFile(join(here, path), "utf8")).replace(/\r\n/g, "\n");
}

/**
 * Length and text, as data files carry bytes: a fifth less than base64. Deflated by a library of one
 * version and not by Node's: the same bytes always.
 */
function packed(content) {
  const bytes = deflateSync(strToU8(content), { level: 9 });
  return [bytes.length, pack(bytes)];
}

/** Each number as what it is more than the one before: a fifth less. */
async function dictionary() {
  const lines = (await text("dictionary.txt"))
    .split("\n")
    .filter((line) => /^[0-9a-f]/i.test(line));
  let before = 0;
  const near = lines.map((line) => {
    const tag = Number.parseInt(line, 16);
    const more = (tag - before).toString(16);
    before = tag;
    return more.length < 8 ? more + line.slice(8) : line;
  });
  return packed(near.join("\n"));
}

async function bundle(entry, define = {}) {
  const made = await build({
    absWorkingDir: here,
    entryPoints: [entry],
    bundle: true,
    format: "iife",
    target: "es2020", // every browser that BOOT.JS lets pass has it
    charset: "ascii",
    define,
    external: ["fs", "path"], // of the ways for Node, which are closed
    minify: true,
    legalComments: "none",
    write: false,
    logLevel: "warning",
  });
  return `"use strict";${made.outputFiles[0].text}`;
}

/** The worker travels inside: a page opened from a file may start one of a Blob only. */
async function script() {
  return bundle("src/main.ts", {
    DECODER: JSON.stringify(await bundle("src/data/decode_worker.ts")),
  });
}

/** Of WebAssembly modules, which come as bytes. */
async function module(name) {
  const bytes = new Uint8Array(await readFile(join(here, "node_modules/@cornerstonejs", name)));
  return JSON.stringify(Buffer.from(deflateSync(bytes, { level: 9 })).toString("base64"));
}

/** A function, whose text makes a worker: a page opened from a file can read no file's text. */
async function codecs() {
  const body = await bundle("src/codecs/codecs_worker.ts", {
    // The ways by which the decoders' own script would look for its module are closed.
    fetch: "undefined",
    XMLHttpRequest: "undefined",
    process: "undefined",
    CHARLS: await module("codec-charls/dist/charlswasm_decode.wasm"),
    OPENJPEG: await module("codec-openjpeg/dist/openjpegwasm_decode.wasm"),
  });
  return `SENDHOME.codecs(function(SCOPE){${body}});\n`;
}

async function boot() {
  const source = await text("static/BOOT.JS");
  return (await transform(source, { target: "es5", minify: true, charset: "ascii" })).code.trim();
}

async function styles() {
  const made = await build({
    absWorkingDir: here,
    entryPoints: ["src/style/index.css"],
    bundle: true,
    target: STYLE_TARGET,
    charset: "ascii",
    minify: true,
    write: false,
    logLevel: "warning",
  });
  return made.outputFiles[0].text;
}

/**
 * English, which all others are held against, with its keys; the others in the order of its texts.
 * Deflated: what has not to be read off a disc comes sooner than it is opened. With the names of
 * tags, for whoever looks at headers.
 */
async function words() {
  const names = (await readdir(join(here, "lang"))).filter((name) => name.endsWith(".json"));
  const codes = names.map((name) => name.slice(0, -5)).sort();
  const en = JSON.parse(await text("lang/en.json"));
  const told = { en: packed(JSON.stringify(en)) };
  for (const code of codes.filter((each) => each !== "en")) {
    const own = JSON.parse(await text(`lang/${code}.json`));
    told[code] = packed(JSON.stringify(Object.keys(en).map((key) => own[key])));
  }
  const tags = JSON.stringify(await dictionary());
  const script = `window.SENDHOME_PACKED=${JSON.stringify(told)};window.SENDHOME_TAGS=${tags};\n`;
  return Buffer.from(`\ufeff${script}`, "utf16le");
}

/** START.HTM's one inline script is allowed by its hash alone. */
async function start() {
  const inline = await boot();
  const hash = createHash("sha256").update(inline).digest("base64");
  const page = await text("static/START.HTM");
  return page.replace("{{HASH}}", `sha256-${hash}`).replace("{{BOOT}}", () => inline);
}

/** The one package has no text of its own, and is of the same project as the other. */
async function license() {
  const version = async (name) =>
    JSON.parse(await text(`node_modules/${name}/package.json`)).version;
  const [charls, openjpeg] = ["@cornerstonejs/codec-charls", "@cornerstonejs/codec-openjpeg"];
  return [
    await text("static/LICENSE.TXT"),
    `fflate ${await version("fflate")}\n\n${await text("node_modules/fflate/LICENSE")}\n`,
    `${charls} ${await version(charls)}\n${openjpeg} ${await version(openjpeg)}\n`,
    await text(`node_modules/${charls}/LICENSE`),
    await text("static/CODECS.TXT"),
  ].join("\n");
}

const files = {
  "START.HTM": await start(),
  "VIEWER.JS": await script(),
  "VIEWER.CSS": await styles(),
  "LANG.JS": await words(),
  "GLOSSARY.JS": await text("static/GLOSSARY.JS"),
  "LICENSE.TXT": await license(),
  "CODECS.JS": await codecs(), // last: on a disc the others lie side by side
};
await mkdir(out, { recursive: true });
// What is put onto a medium is compared with these (dicomdir.viewer.assets), in this order.
let sums = "";
for (const [name, content] of Object.entries(files)) {
  await writeFile(join(out, name), content);
  sums += `${createHash("sha256").update(content).digest("hex")}  ${name}\n`;
}
await writeFile(join(out, "SHA256SUMS"), sums);
