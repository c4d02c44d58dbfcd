/** Protected media: the key, and payloads opened with it (AES-256-GCM, PBKDF2-HMAC-SHA-256). */
import { DataError } from "./errors.ts";
import type { Lock } from "./format.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const NONCE = 12;
const LEAST_ROUNDS = 100_000;
const MOST_ROUNDS = 20_000_000;

export class Vault {
  private readonly disc: string;
  private readonly key: CryptoKey;

  private constructor(disc: string, key: CryptoKey) {
    this.disc = disc;
    this.key = key;
  }

  /**
   * @throws DataError "password" where it is another one, "unsupported" where the browser has no
   *   cryptography (a page that is not from a file or a secure place).
   */
  static async unlock(lock: Lock, password: string): Promise<Vault> {
    if (typeof crypto === "undefined" || !crypto.subtle) {
      throw new DataError("unsupported", "MANIFEST", "no cryptography");
    }
    const rounds = lock.rounds;
    if (!(rounds >= LEAST_ROUNDS && rounds <= MOST_ROUNDS)) {
      throw new DataError("damaged", "MANIFEST", "rounds");
    }
    // PS3.15 D.1.2: printable ASCII, which UTF-8 leaves as it is.
    const typed = new TextEncoder().encode(password);
    const base = await crypto.subtle.importKey("raw", typed, "PBKDF2", false, ["deriveKey"]);
    const key = await crypto.subtle.deriveKey(
      { name: "PBKDF2", hash: "SHA-256", salt: fromHex(lock.salt), iterations: rounds },
      base,
      { name: "AES-GCM", length: 256 },
      false,
      ["decrypt"],
    );
    const vault = new Vault(lock.disc, key);
    let opened: Bytes;
    try {
      opened = await vault.open("CHECK", fromHex(lock.check));
    } catch {
      throw new DataError("password", "MANIFEST");
    }
    if (opened.length !== 16 || opened.some((byte) => byte !== 0)) {
      throw new DataError("password", "MANIFEST");
    }
    return vault;
  }

  /** @throws DataError "damaged": changed, or not of this medium and name. */
  async open(name: string, payload: Bytes): Promise<Bytes> {
    const associated = new TextEncoder().encode(`${this.disc}/${name}`);
    try {
      const clear = await crypto.subtle.decrypt(
        { name: "AES-GCM", iv: payload.subarray(0, NONCE), additionalData: associated },
        this.key,
        payload.subarray(NONCE),
      );
      return new Uint8Array(clear);
    } catch {
      throw new DataError("damaged", name, "does not open");
    }
  }
}

function fromHex(text: string): Bytes {
  if (!/^([0-9a-f]{2})*$/i.test(text)) throw new DataError("damaged", "MANIFEST", "hex");
  const pairs = text.match(/../g) ?? [];
  return Uint8Array.from(pairs, (pair) => parseInt(pair, 16));
}
