/** Data files opened: loaded, deciphered where the medium is protected, inflated where they are. */
import { DataError } from "./errors.ts";
import { checkVersion, type Manifest, readManifest } from "./format.ts";
import { inflate } from "./inflate.ts";
import type { Loader, Rank } from "./loader.ts";
import { Vault } from "./vault.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Asks a person: the password, and why again; null gives up. */
export type AskPassword = (wasWrong: boolean) => Promise<string>;

export class Files {
  private readonly loader: Loader;
  private vault: Vault | null = null;
  /** Until then nothing is done ahead. */
  company: Promise<void> = Promise.resolve();

  constructor(loader: Loader) {
    this.loader = loader;
  }

  /** What is on this medium; on a protected one after the password. */
  async manifest(ask: AskPassword): Promise<Manifest> {
    const payload = await this.loader.load("MANIFEST", () => 0);
    const lock = this.loader.lock;
    if (lock) {
      checkVersion(lock.version);
      for (let wasWrong = false; !this.vault; wasWrong = true) {
        try {
          this.vault = await Vault.unlock(lock, await ask(wasWrong));
        } catch (error) {
          if (!(error instanceof DataError && error.fault === "password")) throw error;
        }
      }
    }
    const clear = this.vault ? await this.vault.open("MANIFEST", payload) : payload;
    return readManifest(await inflate(clear, "MANIFEST", null));
  }

  /** A payload as it was before it was encrypted: of C files the frames' bytes. */
  async payload(name: string, rank: Rank, bytes = 0): Promise<Bytes> {
    const payload = await this.loader.load(name, rank, bytes);
    return this.vault ? this.vault.open(name, payload) : payload;
  }

  /** A payload that is deflated as a whole: META and H. */
  async inflated(name: string, rank: Rank, most = 256 << 20): Promise<Bytes> {
    return inflate(await this.payload(name, rank), name, null, most);
  }

  /** A deflated payload that is in clear on every medium: HASHES. */
  async inClear(name: string): Promise<Bytes> {
    return inflate(await this.loader.load(name, () => 0), name, null, 256 << 20);
  }

  /** Name of the list of hashes on a protected medium, before the password; "" if there is none. */
  get hashes(): string {
    const name = this.loader.lock?.hashes;
    return typeof name === "string" ? name : "";
  }

  /** Somebody else wants a file that is asked for already. */
  urge(name: string, rank: Rank): void {
    this.loader.urge(name, rank);
  }

  /**
   * Nothing is loaded or decoded ahead until the returned function is called: what is seen first is
   * being brought onto the screen.
   */
  beAlone(): () => void {
    let release = () => {};
    this.company = new Promise((done) => {
      release = done;
    });
    this.loader.alone(true);
    return () => {
      this.loader.alone(false);
      release();
    };
  }

  /** What is urgent has changed. */
  reconsider(): void {
    this.loader.next();
  }
}
