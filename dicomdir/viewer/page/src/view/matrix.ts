/** Affine maps of the plane, as canvases write them: x' = a x + c y + e, y' = b x + d y + f. */
export interface Matrix {
  a: number;
  b: number;
  c: number;
  d: number;
  e: number;
  f: number;
}

export interface Point {
  x: number;
  y: number;
}

export function apply(m: Matrix, x: number, y: number): Point {
  return { x: m.a * x + m.c * y + m.e, y: m.b * x + m.d * y + m.f };
}

export function inverse(m: Matrix): Matrix {
  const by = 1 / (m.a * m.d - m.b * m.c);
  const [a, b, c, d] = [m.d * by, -m.b * by, -m.c * by, m.a * by];
  return { a, b, c, d, e: -(a * m.e + c * m.f), f: -(b * m.e + d * m.f) };
}

export function scaled(m: Matrix, by: number): Matrix {
  return { a: m.a * by, b: m.b * by, c: m.c * by, d: m.d * by, e: m.e * by, f: m.f * by };
}

/** What a rectangle from 0, 0 becomes, and the rectangle about that. */
export function boundsOf(
  m: Matrix,
  width: number,
  height: number,
): { x0: number; y0: number; x1: number; y1: number } {
  const corners = [
    apply(m, 0, 0),
    apply(m, width, 0),
    apply(m, 0, height),
    apply(m, width, height),
  ];
  const xs = corners.map((each) => each.x);
  const ys = corners.map((each) => each.y);
  return { x0: Math.min(...xs), y0: Math.min(...ys), x1: Math.max(...xs), y1: Math.max(...ys) };
}
