/** What a reader has switched on: kept while the page is open, and nowhere else. */
import { SYNC, type SyncState } from "../compare/sync.ts";

export interface Settings extends SyncState {
  lines: boolean;
  /** Corners and orientation letters. */
  texts: boolean;
  /** Overlay planes, presentation marks and measurements. */
  graphics: boolean;
}

export const SETTINGS: Settings = { ...SYNC, lines: true, texts: true, graphics: true };
