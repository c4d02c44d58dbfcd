/** What runs in a worker: jobs in, cells out, one after the other. Built into the page as text. */
import { cellsOf, type Job, type Made } from "./cells.ts";
import { bytesOf } from "./codec.ts";
import { DataError, type Fault } from "./errors.ts";
import { halved } from "./halve.ts";
import { inflateNow } from "./inflate.ts";

export interface Request {
  id: number;
  job: Job;
}

export type Reply = { id: number; made: Made } | { id: number; fault: Fault; detail: string };

interface Scope {
  onmessage: ((event: MessageEvent<Request>) => void) | null;
  postMessage(reply: Reply, transfer: Transferable[]): void;
}

const scope = globalThis as unknown as Scope;

scope.onmessage = ({ data: { id, job } }) => {
  try {
    const cells = cellsOf(job, inflateNow(job.bytes, job.file, bytesOf(job.shape)));
    const half = job.halve && halved(cells, { ...job.shape, ...job.halve });
    const made = half ? { cells, half } : { cells };
    scope.postMessage({ id, made }, half ? [cells.buffer, half.buffer] : [cells.buffer]);
  } catch (error) {
    const isKnown = error instanceof DataError;
    const fault = isKnown ? error.fault : "damaged";
    scope.postMessage({ id, fault, detail: isKnown ? error.detail : String(error) }, []);
  }
};
