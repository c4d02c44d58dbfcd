/**
 * Frames of DICOM files as cells, for the Python tests to compare with pydicom's:
 *
 *   node test/decode_files.ts OUT PATH ...
 *
 * One line of JSON a file: what was read of it, or the fault; cells go to OUT/<file>-<frame>.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync, strToU8 } from "fflate";
import { decodeStream } from "../src/codecs/decode.ts";
import { frameBytes } from "../src/data/fragments.ts";
import { readPart10 } from "../src/data/part10.ts";
import { entryOf, plainCells } from "../src/data/pixels.ts";
import { pack } from "../src/data/text.ts";
import { T } from "../src/dicom/tags.ts";
import { CODECS } from "./codecs.ts";

// As build.mjs puts it in.
const dictionary = readFileSync(new URL("../dictionary.txt", import.meta.url), "utf8");
const tags = deflateSync(strToU8(dictionary));
Object.assign(globalThis, { window: { SENDHOME_TAGS: [tags.length, pack(tags)] } });

const [out, ...paths] = process.argv.slice(2);

for (const [n, path] of paths.entries()) {
  try {
    const part = await readPart10(new Blob([readFileSync(path)]));
    const { header, transferSyntax, pixels } = part;
    const entry = entryOf(
      { file: new File([], ""), path, uid: "", classUid: "", transferSyntax, number: null },
      part,
    );
    const ms = [];
    for (let frame = 0; frame < Math.min(entry.frames, 3); frame++) {
      const wanted = {
        ...entry,
        isSigned: entry.signed === 1,
        transferSyntax,
        photometric: header.string(T.PhotometricInterpretation),
      };
      const bytes =
        pixels!.length === null
          ? await frameBytes(pixels!.body, pixels!.start, frame, entry.frames)
          : null;
      const began = performance.now();
      const cells = bytes
        ? await decodeStream(bytes, wanted, CODECS)
        : await plainCells(part, entry, frame);
      ms.push(Math.round(performance.now() - began));
      writeFileSync(
        join(out!, `${n}-${frame}`),
        new Uint8Array(cells.buffer, cells.byteOffset, cells.byteLength),
      );
    }
    const { stored, allocated, frames, signed } = entry;
    console.log(JSON.stringify({ path, stored, allocated, frames, signed, ms }));
  } catch (error) {
    const { fault, isForeign } = error as { fault?: string; isForeign?: boolean };
    console.log(
      JSON.stringify({
        path,
        fault: fault ?? (isForeign ? "compressed" : "damaged"),
        detail: String(error),
      }),
    );
  }
}
