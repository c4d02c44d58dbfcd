// Legacy cornerstone-core on a page of its own: the same objects, whole, as base64 in scripts, which
// is how its own examples bring pixels to a page without a server. dicom-parser reads them.
//
// LIST.JS says what there is: PEER.list = {files: ["I0000001.JS", …], views: 1 | 4}.

"use strict";

const { list } = window.PEER;
const images = [];
const started = { first: 0, whole: 0 };

function fromBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const raw = atob(text);
  const out = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) out[i] = raw.charCodeAt(i);
  return out;
}

function common(ds, rows, columns) {
  const spacing = (ds.string("x00280030") ?? "1\\1").split("\\").map(Number);
  return {
    rows,
    columns,
    height: rows,
    width: columns,
    slope: ds.floatString("x00281053") ?? 1,
    intercept: ds.floatString("x00281052") ?? 0,
    invert: ds.string("x00280004") === "MONOCHROME1",
    rowPixelSpacing: spacing[0],
    columnPixelSpacing: spacing[1],
  };
}

function grey(ds, id, cells, rows, columns) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of cells) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const facts = common(ds, rows, columns);
  const width = ds.floatString("x00281051") ?? (high - low) * facts.slope;
  const centre = ds.floatString("x00281050") ?? ((high + low) / 2) * facts.slope + facts.intercept;
  return {
    ...facts,
    imageId: id,
    minPixelValue: low,
    maxPixelValue: high,
    windowCenter: centre,
    windowWidth: width,
    color: false,
    sizeInBytes: cells.byteLength,
    getPixelData: () => cells,
    render: cornerstone.renderGrayscaleImage,
  };
}

async function jpeg(ds, id, bytes, rows, columns) {
  const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/jpeg" }));
  const canvas = document.createElement("canvas");
  canvas.width = columns;
  canvas.height = rows;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = context.getImageData(0, 0, columns, rows);
  return {
    ...common(ds, rows, columns),
    imageId: id,
    slope: 1,
    intercept: 0,
    minPixelValue: 0,
    maxPixelValue: 255,
    windowCenter: 128,
    windowWidth: 256,
    color: true,
    rgba: true,
    sizeInBytes: data.byteLength,
    getPixelData: () => data,
    getCanvas: () => canvas,
    render: cornerstone.renderColorImage,
  };
}

/** All frames of a file, in order. */
async function decode(name, text) {
  const bytes = fromBase64(text);
  const ds = dicomParser.parseDicom(bytes);
  const rows = ds.uint16("x00280010");
  const columns = ds.uint16("x00280011");
  const element = ds.elements.x7fe00010;
  if (element.encapsulatedPixelData) {
    const made = [];
    for (let i = 0; i < element.fragments.length; i++) {
      const part = dicomParser.readEncapsulatedPixelDataFromFragments(ds, element, i);
      made.push(await jpeg(ds, `${name}/${i}`, part, rows, columns));
    }
    return made;
  }
  const at = bytes.byteOffset + element.dataOffset;
  const count = rows * columns;
  const even = at % 2 ? bytes.slice(element.dataOffset).buffer : bytes.buffer;
  const Kind = ds.uint16("x00280103") ? Int16Array : Uint16Array;
  return [grey(ds, name, new Kind(even, at % 2 ? 0 : at, count), rows, columns)];
}

const views = Array.from({ length: list.views }, () => {
  const element = document.createElement("div");
  element.className = "view";
  document.body.append(element);
  return element;
});
if (list.views === 4) document.body.classList.add("four");
for (const element of views) cornerstone.enable(element);

function load(name) {
  return new Promise((resolve, reject) => {
    window.PEER = (text) => {
      window.PEER.text = text;
    };
    const script = document.createElement("script");
    script.onload = () => {
      script.remove();
      resolve(window.PEER.text);
    };
    script.onerror = reject;
    script.src = name;
    document.body.append(script);
  });
}

/** Painted and on the screen: as the viewer's own mark. */
function mark(name) {
  if (started[name]) return;
  started[name] = 1;
  requestAnimationFrame(() => setTimeout(() => performance.mark(name)));
}

async function main() {
  for (const [n, name] of list.files.entries()) {
    const text = await load(name);
    for (const image of await decode(name, text)) {
      images.push(image);
      const element = list.views === 4 ? views[n] : images.length === 1 ? views[0] : null;
      if (!element) continue;
      element.addEventListener("cornerstoneimagerendered", () => mark("sendhome-first"));
      cornerstone.displayImage(element, image);
    }
  }
  window.whole = true;
}

/** Show image i: cornerstone paints it in the next frame of the screen, as the viewer does. */
window.step = (i) => cornerstone.displayImage(views[0], images[i % images.length]);
window.count = () => images.length;

main();
