/** JPEG frames, decoded by the browser itself; a picture from a Blob does not taint the canvas. */
import { DataError } from "./errors.ts";

/** Red, green, blue and alpha of each pixel. */
export async function decodeJpeg(
  bytes: Uint8Array<ArrayBuffer>,
  rows: number,
  columns: number,
  file: string,
): Promise<Uint8ClampedArray<ArrayBuffer>> {
  const blob = new Blob([bytes], { type: "image/jpeg" });
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(blob, {
      colorSpaceConversion: "none",
      premultiplyAlpha: "none",
    });
  } catch (error) {
    throw new DataError("damaged", file, String(error));
  }
  try {
    if (bitmap.width !== columns || bitmap.height !== rows) {
      throw new DataError("damaged", file, "size");
    }
    const context = scratch(columns, rows);
    context.drawImage(bitmap, 0, 0);
    return context.getImageData(0, 0, columns, rows).data as Uint8ClampedArray<ArrayBuffer>;
  } finally {
    bitmap.close();
  }
}

let kept: CanvasRenderingContext2D | null = null;

function scratch(width: number, height: number): CanvasRenderingContext2D {
  if (!kept || kept.canvas.width !== width || kept.canvas.height !== height) {
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = height;
    kept = canvas.getContext("2d", { willReadFrequently: true, alpha: false })!;
  }
  return kept;
}
