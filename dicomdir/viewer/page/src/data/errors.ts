/** What can go wrong with a file of this medium; the page has a sentence for each. */
export type Fault =
  | "unreadable" // the file does not load: missing, or a bad sector
  | "damaged" // it loads and is not what it should be
  | "newer" // written for a newer version of this page
  | "password" // the key does not open it
  | "encrypted" // of opened folders: files of a protected medium
  | "compressed" // of opened folders: an encoding that this page does not decode
  | "unsupported"; // this browser or this version cannot show it

export class DataError extends Error {
  readonly fault: Fault;
  /** Name of the data file, such as "S0000001/C0000001"; never patient data. */
  readonly file: string;
  /** For whoever looks into it; in English. Of "compressed", the transfer syntax's name. */
  readonly detail: string;

  constructor(fault: Fault, file: string, detail = "") {
    super(`${file}: ${fault}${detail && ` (${detail})`}`);
    this.name = "DataError";
    this.fault = fault;
    this.file = file;
    this.detail = detail;
  }
}

/** A TypeError speaks of the browser, or of this page, and not of the medium. */
export function faultOf(error: unknown): Fault {
  if (error instanceof DataError) return error.fault;
  return error instanceof TypeError ? "unsupported" : "damaged";
}
