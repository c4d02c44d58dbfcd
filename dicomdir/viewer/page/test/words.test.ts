import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const FOLDER = new URL("../lang/", import.meta.url);
const LANGUAGES = ["ar", "de", "en", "es", "fr", "pl", "ru", "tr", "zh"];

function table(code: string): Record<string, string> {
  return JSON.parse(readFileSync(new URL(`${code}.json`, FOLDER), "utf8"));
}

const placeholders = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort().join();

test("every language has every key, with the same placeholders", () => {
  const found = readdirSync(FOLDER).map((name) => name.replace(/\.json$/, ""));
  assert.deepEqual(found.sort(), LANGUAGES);
  const english = table("en");
  for (const code of LANGUAGES) {
    const own = table(code);
    assert.deepEqual(Object.keys(own).sort(), Object.keys(english).sort(), code);
    for (const [key, text] of Object.entries(own)) {
      assert.equal(placeholders(text), placeholders(english[key]!), `${code} ${key}`);
      assert.equal(text.trim() === "", english[key] === "", `${code} ${key} is empty`);
    }
  }
});

test("every key that the page asks for by its name is there", () => {
  const english = table("en");
  const source = new URL("../src/", import.meta.url);
  const files = readdirSync(source, { recursive: true, encoding: "utf8" });
  let count = 0;
  for (const name of files.filter((each) => each.endsWith(".ts"))) {
    const text = readFileSync(new URL(name, source), "utf8");
    for (const [, key] of text.matchAll(/\bt\(\s*"([^"]+)"/g)) {
      count++;
      assert.ok(key! in english, `${name}: ${key}`);
    }
  }
  assert.ok(count > 80, "the search finds them");
});
