/** Lookup tables of the Modality and VOI LUT modules and of palettes (PS3.3 C.11.1, C.7.6.3.1.5). */
import type { DataSet } from "./dataset.ts";
import { T } from "./tags.ts";

export interface Lut {
  /** Input value of the first entry. */
  first: number;
  bits: number;
  entries: Uint16Array;
  explanation: string;
  /** Of a Modality LUT: what its output is (HU, OD, US …). */
  type: string;
}

/** What a table says of a value: the ends hold beyond it. */
export function lookUp(lut: Lut, value: number): number {
  const index = Math.round(value) - lut.first;
  return lut.entries[Math.max(0, Math.min(lut.entries.length - 1, index))]!;
}

/** @param isSigned Whether input values are signed: the descriptor does not always say so. */
export function lutsOf(ds: DataSet, sequence: number, isSigned: boolean): Lut[] {
  return ds.items(sequence).flatMap((item) => {
    const raw = item.raw(T.LUTDescriptor);
    const data = item.raw(T.LUTData);
    if (!raw || !data || raw.length < 6) return [];
    const { count, first, bits } = descriptor(
      raw,
      isSigned || item.elements.get(T.LUTDescriptor)?.vr === "SS",
    );
    const entries = entriesOf(data, count);
    if (!entries || bits < 1 || bits > 16) return [];
    return [
      {
        first,
        bits,
        entries,
        explanation: item.string(T.LUTExplanation),
        type: item.string(T.ModalityLUTType),
      },
    ];
  });
}

export function descriptor(
  raw: Uint8Array,
  isSigned: boolean,
): { count: number; first: number; bits: number } {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  return {
    count: view.getUint16(0, true) || 65_536,
    first: isSigned ? view.getInt16(2, true) : view.getUint16(2, true),
    bits: view.getUint16(4, true),
  };
}

/** Entries as 16-bit numbers; those of 8 bits stand two to a word or one. Null: too short. */
export function entriesOf(data: Uint8Array, count: number): Uint16Array | null {
  if (data.length >= 2 * count) {
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    return Uint16Array.from({ length: count }, (_, i) => view.getUint16(2 * i, true));
  }
  return data.length >= count ? Uint16Array.from(data.subarray(0, count)) : null;
}
