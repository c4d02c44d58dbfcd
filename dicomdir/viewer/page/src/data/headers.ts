/** The headers of a series: H files loaded and kept, data sets parsed when they are asked for. */
import { DataSet } from "../dicom/dataset.ts";
import { DataError } from "./errors.ts";
import type { Files } from "./files.ts";
import type { InstanceEntry } from "./format.ts";

const MOST_PARSED = 64;

export class Headers {
  private readonly folder: string;
  private readonly instances: InstanceEntry[];
  private readonly files: Files;
  private readonly payloads = new Map<number, Promise<Uint8Array>>();
  private readonly there = new Map<number, Uint8Array>();
  private readonly parsed = new Map<number, DataSet>();

  constructor(folder: string, instances: InstanceEntry[], files: Files) {
    this.folder = folder;
    this.instances = instances;
    this.files = files;
  }

  /** The instance's data set if its file is there already. */
  peek(instance: number): DataSet | null {
    const known = this.parsed.get(instance);
    if (known) return known;
    const entry = this.instances[instance]!;
    const payload = this.there.get(entry.header[0]);
    return payload ? this.parse(instance, payload) : null;
  }

  /** @throws DataError */
  async dataset(instance: number, rank = 1): Promise<DataSet> {
    const known = this.peek(instance);
    if (known) return known;
    return this.parse(instance, await this.file(this.instances[instance]!.header[0], rank));
  }

  /** All H files, one after the other; those that fail are left to whoever asks for them. */
  async all(): Promise<void> {
    const numbers = new Set(this.instances.map((each) => each.header[0]));
    await Promise.all([...numbers].map((number) => this.file(number, 3).catch(() => undefined)));
  }

  private file(number: number, rank: number): Promise<Uint8Array> {
    let made = this.payloads.get(number);
    if (!made) {
      const name = `${this.folder}/H${String(number).padStart(7, "0")}`;
      made = this.files
        .inflated(name, () => rank)
        .then((payload) => {
          this.there.set(number, payload);
          return payload;
        });
      made.catch(() => this.payloads.delete(number)); // it may be asked for again
      this.payloads.set(number, made);
    }
    return made;
  }

  private parse(instance: number, payload: Uint8Array): DataSet {
    const known = this.parsed.get(instance);
    if (known) return known;
    const [number, offset, length] = this.instances[instance]!.header;
    const file = `${this.folder}/H${String(number).padStart(7, "0")}`;
    if (offset < 0 || length < 0 || offset + length > payload.length) {
      throw new DataError("damaged", file, "place of a header");
    }
    let made: DataSet;
    try {
      made = new DataSet(payload.subarray(offset, offset + length));
    } catch (error) {
      throw new DataError("damaged", file, String(error));
    }
    const oldest = this.parsed.keys().next();
    if (this.parsed.size >= MOST_PARSED && !oldest.done) this.parsed.delete(oldest.value);
    this.parsed.set(instance, made);
    return made;
  }
}
