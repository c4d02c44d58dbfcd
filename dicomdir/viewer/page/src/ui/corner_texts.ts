/** What the corners say of an image: patient, study, technique. Read once for each frame. */
import type { FrameInfo } from "../dicom/frame.ts";
import { readName } from "../dicom/names.ts";
import { T } from "../dicom/tags.ts";
import { plain } from "../measure/labels.ts";
import { apart, currentLanguage, t, unmarked } from "../words.ts";
import { isoDate } from "./dates.ts";

export interface Corners {
  patient: string[];
  study: string[];
  technique: string[];
  /** "Lossy 10:1", or "". */
  lossy: string;
  /** Large, for images of one side: "R CC". */
  side: string;
}

const known = new WeakMap<FrameInfo, { language: string; corners: Corners }>();

export function cornersOf(info: FrameInfo): Corners {
  const language = currentLanguage();
  const made = known.get(info);
  if (made?.language === language) return made.corners;
  const { root } = info.attributes;
  const text = (tag: number) => apart(unmarked(root.string(tag)));
  const name = readName(unmarked(root.string(T.PatientName)));
  const corners: Corners = {
    patient: [
      apart(name.alphabetic || name.ideographic),
      apart(name.alphabetic ? name.ideographic : ""),
      [text(T.PatientID), isoDate(text(T.PatientBirthDate)), text(T.PatientSex)]
        .filter(Boolean)
        .join("  "),
    ].filter(Boolean),
    study: [
      text(T.InstitutionName),
      text(T.StudyDescription),
      [isoDate(text(T.AcquisitionDate) || text(T.ContentDate) || text(T.StudyDate)), time(root)]
        .filter(Boolean)
        .join(" "),
      [
        text(T.SeriesNumber) && apart(t("corner.series", { number: text(T.SeriesNumber) })),
        text(T.SeriesDescription),
      ]
        .filter(Boolean)
        .join(" "),
    ].filter(Boolean),
    technique: techniqueOf(info),
    lossy: lossyOf(info),
    side: sideOf(info),
  };
  known.set(info, { language, corners });
  return corners;
}

function time(root: FrameInfo["attributes"]["root"]): string {
  const found = root.string(T.AcquisitionTime) || root.string(T.ContentTime);
  return /^\d{4}/.test(found) ? `${found.slice(0, 2)}:${found.slice(2, 4)}` : "";
}

function techniqueOf(info: FrameInfo): string[] {
  const { root, group } = info.attributes;
  const value = (tag: number, unit: string, digits: number, label = "") => {
    const found = root.number(tag);
    return found === null ? "" : `${label}${plain(found, digits)} ${unit}`;
  };
  // Of a reformatted plane the slice it came from says nothing.
  const isOwn = root.string(T.SOPInstanceUID) === info.uid;
  const thickness = isOwn ? group(T.PixelMeasuresSequence).number(T.SliceThickness) : null;
  const location = info.plane?.along ?? root.number(T.SliceLocation);
  const microAs = root.number(T.ExposureInMicroAs);
  const exposure =
    microAs === null ? value(T.Exposure, "mAs", 1) : `${plain(microAs / 1000, 1)} mAs`;
  const current = value(T.XRayTubeCurrent, "mA", 0);
  const lines = [
    [
      value(T.KVP, "kV", 0),
      exposure || current,
      value(T.RepetitionTime, "ms", 0, "TR "),
      value(T.EchoTime, "ms", 1, "TE "),
      value(T.InversionTime, "ms", 0, "TI "),
      value(T.BodyPartThickness, "mm", 0),
      value(T.CompressionForce, "N", 0),
    ],
    [
      thickness === null ? "" : apart(t("corner.thickness", { mm: plain(thickness, 2) })),
      location === null || location === undefined || info.modality === "MG"
        ? ""
        : apart(t("corner.location", { mm: plain(location, 1) })),
    ],
  ];
  return lines.map((line) => line.filter(Boolean).join("  ")).filter(Boolean);
}

function lossyOf(info: FrameInfo): string {
  const { root } = info.attributes;
  if (root.string(T.LossyImageCompression) !== "01") return "";
  const ratios = root.numbers(T.LossyImageCompressionRatio);
  const ratio = ratios.reduce((a, b) => a * b, 1);
  return ratios.length && ratio > 1
    ? t("corner.lossy-ratio", { ratio: plain(ratio, 1) })
    : t("corner.lossy");
}

function sideOf(info: FrameInfo): string {
  const view = info.attributes.root.string(T.ViewPosition);
  return [info.laterality, view].filter(Boolean).join(" ");
}
