/** Pictures of what has no thumbnail; made of paths, as the page loads none. */
const PATHS: Record<string, string> = {
  image: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15 9h.01",
  report: "M6 3h9l4 4v14H6zM9 9h6M9 13h7M9 17h5",
  document: "M6 3h9l4 4v14H6zM14 3v5h5",
  key: "M12 3l2.7 5.8 6.3.8-4.6 4.4 1.2 6.3L12 17.2l-5.6 3.1 1.2-6.3L3 9.6l6.3-.8z",
  state: "M4 7h10M18 7h2M4 17h4M12 17h8M16 4v6M10 14v6",
  waveform: "M2 12h5l2-3 2 9 3-15 2 9h6",
  other: "M5 4h14v16H5zM9.5 9a2.5 2.5 0 1 1 3.4 2.4c-.7.3-.9.8-.9 1.6M12 16.5h.01",
};

export function icon(name: string): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", "icon");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", PATHS[name] ?? PATHS["other"]!);
  svg.append(path);
  return svg;
}
