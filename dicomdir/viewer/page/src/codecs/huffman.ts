/** Huffman codes of JPEG (ITU-T T.81 Annexes C and F.2.2), and the bits they are read from. */
import { StreamError } from "./frame.ts";

/** Bits by which most codes are found at once. */
const FAST = 9;

export class Huffman {
  /** Length in the high byte, value in the low one; 0: a longer code. */
  readonly fast = new Uint16Array(1 << FAST);
  /** By length: the first code after the last one of it; 0 has none. */
  readonly ends = new Int32Array(17);
  /** By length: what makes a code of it an index of `values`. */
  readonly shifts = new Int32Array(17);
  readonly values: Uint8Array;

  /** @param counts Number of codes of lengths 1 to 16. @throws StreamError */
  constructor(counts: Uint8Array, values: Uint8Array) {
    this.values = values;
    let code = 0;
    let at = 0;
    for (let length = 1; length <= 16; length++) {
      const count = counts[length - 1]!;
      this.shifts[length] = at - code;
      if (code + count > 1 << length) throw new StreamError("Huffman table");
      for (let i = 0; i < count; i++, code++, at++) {
        if (length > FAST) continue;
        const from = code << (FAST - length);
        this.fast.fill((length << 8) | values[at]!, from, from + (1 << (FAST - length)));
      }
      this.ends[length] = count ? code : 0;
      code <<= 1;
    }
  }
}

/** Most significant bit first; after the end there are zeros, and `left` says so. */
export class Bits {
  private readonly bytes: Uint8Array;
  private readonly end: number;
  private at: number;
  private held = 0;
  private count = 0;

  /** @param bytes Without stuffed ones. */
  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  /** Bits that nobody took; below 0 where more were taken than there are. */
  get left(): number {
    return this.end * 8 - this.at * 8 + this.count;
  }

  /** JPEG has no checksum: damage shows where an interval's bits are not used up. @throws StreamError */
  close(): void {
    if (this.left < 0) throw new StreamError("cut off");
    if (this.left > 7) throw new StreamError("left over");
  }

  /** The next value. @throws StreamError No code of the table. */
  symbol(table: Huffman): number {
    if (this.count < 16) this.fill();
    const found = table.fast[(this.held >>> (this.count - FAST)) & ((1 << FAST) - 1)]!;
    if (found !== 0) {
      this.count -= found >>> 8;
      return found & 0xff;
    }
    for (let length = FAST + 1; length <= 16; length++) {
      const code = (this.held >>> (this.count - length)) & ((1 << length) - 1);
      if (code >= table.ends[length]!) continue;
      this.count -= length;
      return table.values[table.shifts[length]! + code]!;
    }
    throw new StreamError("Huffman code");
  }

  /** A number of `size` bits, 1 to 16, half of whose values are negative (T.81 F.2.2.1). */
  difference(size: number): number {
    if (this.count < size) this.fill();
    this.count -= size;
    const value = (this.held >>> this.count) & ((1 << size) - 1);
    return value < 1 << (size - 1) ? value - (1 << size) + 1 : value;
  }

  private fill(): void {
    while (this.count <= 24) {
      this.held = (this.held << 8) | (this.at < this.end ? this.bytes[this.at]! : 0);
      this.at++;
      this.count += 8;
    }
  }
}
