/** Waveforms (PS3.3 C.10.9): channels as numbers in their unit. */
import type { DataSet } from "./dataset.ts";
import { T } from "./tags.ts";

export interface Channel {
  /** "Lead I", "II" …; "" unknown. */
  name: string;
  /** UCUM code: "mV" for all voltages; "" unknown: then values are as stored. */
  unit: string;
  /** Values in the unit; NaN where the device had none. */
  values: Float32Array;
}

export interface Multiplex {
  label: string;
  /** ORIGINAL or DERIVED. */
  originality: string;
  /** Samples a second. */
  frequency: number;
  samples: number;
  channels: Channel[];
}

const W = {
  WaveformSequence: 0x54000100,
  BitsAllocated: 0x54001004,
  Interpretation: 0x54001006,
  PaddingValue: 0x5400100a,
  Data: 0x54001010,
  Originality: 0x003a0004,
  ChannelCount: 0x003a0005,
  SampleCount: 0x003a0010,
  Frequency: 0x003a001a,
  Label: 0x003a0020,
  ChannelDefinitionSequence: 0x003a0200,
  ChannelLabel: 0x003a0203,
  ChannelSourceSequence: 0x003a0208,
  Sensitivity: 0x003a0210,
  SensitivityUnitsSequence: 0x003a0211,
  SensitivityCorrectionFactor: 0x003a0212,
  Baseline: 0x003a0213,
} as const;

const MOST_CHANNELS = 64;
/** Factors to millivolts. */
const VOLTS: Record<string, number> = { V: 1000, mV: 1, uV: 0.001, nV: 1e-6 };

export function readWaveforms(ds: DataSet): Multiplex[] {
  return ds
    .items(W.WaveformSequence)
    .map(readMultiplex)
    .filter((each): each is Multiplex => each !== null);
}

/** Null: its numbers contradict each other, or samples are of a kind that nobody uses. */
function readMultiplex(item: DataSet): Multiplex | null {
  const count = item.number(W.ChannelCount) ?? 0;
  const samples = item.number(W.SampleCount) ?? 0;
  const frequency = item.number(W.Frequency) ?? 0;
  const data = item.raw(W.Data);
  const read = reader(item.string(W.Interpretation), item.number(W.BitsAllocated) ?? 0);
  if (!data || !read || !(frequency > 0) || count < 1 || count > MOST_CHANNELS) return null;
  if (samples < 1 || samples * count * read.width > data.length) return null;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const padding = paddingOf(item, read);
  const definitions = item.items(W.ChannelDefinitionSequence);
  const channels: Channel[] = [];
  for (let c = 0; c < count; c++) {
    const scale = scaleOf(definitions[c]);
    const values = new Float32Array(samples);
    for (let i = 0; i < samples; i++) {
      const stored = read.at(view, (i * count + c) * read.width);
      values[i] = stored === padding ? Number.NaN : stored * scale.factor + scale.offset;
    }
    channels.push({ name: nameOf(definitions[c], c), unit: scale.unit, values });
  }
  return {
    label: item.string(W.Label),
    originality: item.string(W.Originality),
    frequency,
    samples,
    channels,
  };
}

interface Read {
  width: number;
  at(view: DataView, at: number): number;
}

function reader(interpretation: string, bits: number): Read | null {
  const kind = `${interpretation}${bits}`;
  if (kind === "SS16") return { width: 2, at: (view, at) => view.getInt16(at, true) };
  if (kind === "US16") return { width: 2, at: (view, at) => view.getUint16(at, true) };
  if (kind === "SB8") return { width: 1, at: (view, at) => view.getInt8(at) };
  if (kind === "UB8") return { width: 1, at: (view, at) => view.getUint8(at) };
  if (kind === "SL32") return { width: 4, at: (view, at) => view.getInt32(at, true) };
  if (kind === "UL32") return { width: 4, at: (view, at) => view.getUint32(at, true) };
  if (kind === "MB8" || kind === "AB8")
    return { width: 1, at: (view, at) => companded(kind, view.getUint8(at)) };
  return null;
}

/** Mu-law and A-law (ITU-T G.711), for sounds. */
function companded(kind: string, byte: number): number {
  if (kind === "MB8") {
    const value = ~byte & 0xff;
    const size = (((value & 15) << 3) + 132) << ((value >> 4) & 7);
    return value & 128 ? 132 - size : size - 132;
  }
  const value = byte ^ 0x55;
  const exponent = (value >> 4) & 7;
  const mantissa = ((value & 15) << 4) + 8;
  const size = exponent ? (mantissa + 256) << (exponent - 1) : mantissa;
  return value & 128 ? size : -size;
}

function paddingOf(item: DataSet, read: Read): number | null {
  const raw = item.raw(W.PaddingValue);
  if (!raw || raw.length < read.width) return null;
  return read.at(new DataView(raw.buffer, raw.byteOffset, raw.byteLength), 0);
}

function scaleOf(definition: DataSet | undefined): {
  factor: number;
  offset: number;
  unit: string;
} {
  const sensitivity = definition?.number(W.Sensitivity) ?? null;
  if (!definition || sensitivity === null) return { factor: 1, offset: 0, unit: "" };
  const code = definition.item(W.SensitivityUnitsSequence)?.string(T.CodeValue) ?? "";
  const volts = VOLTS[code];
  const step = sensitivity * (definition.number(W.SensitivityCorrectionFactor) ?? 1) * (volts ?? 1);
  return {
    factor: step,
    offset: (definition.number(W.Baseline) ?? 0) * (volts ?? 1),
    unit: volts ? "mV" : code,
  };
}

function nameOf(definition: DataSet | undefined, index: number): string {
  const source = definition?.item(W.ChannelSourceSequence)?.string(T.CodeMeaning);
  const own = source || definition?.string(W.ChannelLabel) || String(index + 1);
  return own.replace(/^Lead\s+/i, "").replace(/\s*\(.*\)$/, "");
}
