/** Pictures of buttons: lines on a ground of 24 by 24. */
const PATHS: Record<string, string> = {
  scroll: "M5 7h14M5 12h14M5 17h14M12 2l2.5 2.5h-5zM12 22l2.5-2.5h-5z",
  window: "M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18zM12 3v18M12 7h6M12 12h9M12 17h6",
  pan: "M12 2v20M2 12h20M12 2l-3 3M12 2l3 3M12 22l-3-3M12 22l3-3M2 12l3-3M2 12l3 3M22 12l-3-3M22 12l-3 3",
  zoom: "M10 4a6 6 0 1 0 0 12a6 6 0 1 0 0-12zM14.5 14.5L21 21M10 7.5v5M7.5 10h5",
  magnify: "M10 3a7 7 0 1 0 0 14a7 7 0 1 0 0-14zM15 15L21 21M7 12l3-4l3 4z",
  length: "M4 20L20 4M2 18l4 4M18 2l4 4",
  angle: "M20 19H4L16 5M10.5 11.5a9 9 0 0 1 3.5 7.5",
  ellipse: "M12 5c5.5 0 9 3 9 7s-3.500 7-9 7s-9-3-9-7s3.500-7 9-7z",
  rectangle: "M3 6h18v12H3z",
  value: "M12 3v6M12 15v6M3 12h6M15 12h6M12 12h.01",
  arrow: "M4 4L15 15M4 4v7M4 4h7M13 20h7M16.500 13v7",
  cursor: "M12 2v7M12 15v7M2 12h7M15 12h7M12 8a4 4 0 1 0 0 8a4 4 0 1 0 0-8z",
  layout: "M3 4h18v16H3zM12 4v16M3 12h18",
  contrast: "M3 20L10 13L14 13L21 4M3 4v16h18",
  turn: "M20 12a8 8 0 1 1-3-6.200M20 3v5h-5",
  compare: "M3 5h8v14H3zM13 5h8v14h-8zM5 12h4M15 12h4M7 10v4M17 10v4",
  subtract: "M3 8h13v13H3zM8 4h13v13M6 14.500h7",
  volume: "M12 2l9 5v10l-9 5l-9-5V7zM12 12l9-5M12 12L3 7M12 12v10",
  key: "M8 8a4 4 0 1 0 0 8a4 4 0 1 0 0-8zM12 12h9M18 12v4M15 12v3",
  state: "M4 4h16v12H4zM8 20h8M8 9h5M8 12h8",
  play: "M7 4l13 8l-13 8z",
  pause: "M7 4v16M17 4v16",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  first: "M19 5l-10 7l10 7zM5 5v14",
  last: "M5 5l10 7l-10 7zM19 5v14",
  keys: "M2 6h20v12H2zM6 10h.01M10 10h.01M14 10h.01M18 10h.01M7 14h10",
  back: "M10 5l-7 7l7 7M3 12h18",
};

const SVG = "http://www.w3.org/2000/svg";

export function icon(name: string): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name] ?? PATHS["more"]!);
  svg.append(path);
  return svg;
}
