/** Names of classes of objects that are not pictures (PS3.4 B.5), for saying what is not shown. */
const BASE = "1.2.840.10008.5.1.4.1.1.";
const NAMES: Record<string, string> = {
  "66": "Raw Data",
  "66.1": "Spatial Registration",
  "66.2": "Spatial Fiducials",
  "66.3": "Deformable Spatial Registration",
  "66.4": "Segmentation",
  "66.5": "Surface Segmentation",
  "66.6": "Tractography Results",
  "67": "Real World Value Mapping",
  "68.1": "Surface Scan Mesh",
  "77.1.1.1": "Video Endoscopic Image",
  "77.1.2.1": "Video Microscopic Image",
  "77.1.4.1": "Video Photographic Image",
  "77.1.6": "Whole Slide Microscopy Image",
  "78.7": "Ophthalmic Visual Field Measurements",
  "104.3": "Encapsulated STL Model",
  "104.4": "Encapsulated OBJ Model",
  "481.1": "RT Image",
  "481.2": "RT Dose",
  "481.3": "RT Structure Set",
  "481.4": "RT Beams Treatment Record",
  "481.5": "RT Plan",
  "481.6": "RT Brachy Treatment Record",
  "481.7": "RT Treatment Summary Record",
  "481.8": "RT Ion Plan",
  "481.9": "RT Ion Beams Treatment Record",
  "11.1": "Grayscale Softcopy Presentation State",
  "11.2": "Color Softcopy Presentation State",
  "11.3": "Pseudo-Color Softcopy Presentation State",
  "11.4": "Blending Softcopy Presentation State",
  "88.59": "Key Object Selection",
  "200.2": "CT Performed Procedure Protocol",
};

/** The standard's name, or the UID where this page has none. */
export function className(uid: string): string {
  const own = uid.startsWith(BASE) ? NAMES[uid.slice(BASE.length)] : undefined;
  return own ?? uid;
}
