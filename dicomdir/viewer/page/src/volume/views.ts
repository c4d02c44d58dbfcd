/** The three orthogonal views of a volume, named and turned as readers expect them. */
import { add, type Plane, times, type Vec3 } from "../dicom/geometry.ts";
import { type Stack, voxelAt } from "./stack.ts";

export type ViewName = "axial" | "coronal" | "sagittal";

export interface View {
  name: ViewName;
  /** Axes of the volume (0 columns, 1 rows, 2 slices) to the right, down, and from image to image. */
  axes: readonly [number, number, number];
  /** Whether the axis is run through backwards. */
  turned: readonly [boolean, boolean, boolean];
  columns: number;
  rows: number;
  count: number;
  /** Millimetres between columns, rows, images. */
  spacing: readonly [number, number, number];
}

/** Directions to the right, down and onwards: the patient's left, back, head are positive. */
const WANTED: Record<ViewName, readonly [Vec3, Vec3, number]> = {
  axial: [[1, 0, 0], [0, 1, 0], 2],
  coronal: [[1, 0, 0], [0, 0, -1], 1],
  sagittal: [[0, 1, 0], [0, 0, -1], 0],
};

export function viewsOf(stack: Stack): View[] {
  const axes = directions(stack);
  const nearest = assign(axes);
  return (Object.keys(WANTED) as ViewName[]).map((name) => {
    const [right, down, across] = WANTED[name];
    const x = nearest[main(right)]!;
    const y = nearest[main(down)]!;
    const z = nearest[across]!;
    const size = [stack.columns, stack.rows, stack.frames.length];
    return {
      name,
      axes: [x, y, z],
      turned: [
        axes[x]![main(right)]! * right[main(right)]! < 0,
        axes[y]![main(down)]! * down[main(down)]! < 0,
        // As the series is scrolled where the view is that of the series; else to the left, to
        // the back, to the head.
        z !== 2 && axes[z]![across]! < 0,
      ],
      columns: size[x]!,
      rows: size[y]!,
      count: size[z]!,
      spacing: [stack.spacing[x]!, stack.spacing[y]!, stack.spacing[z]!],
    };
  });
}

function directions(stack: Stack): [Vec3, Vec3, Vec3] {
  return [stack.plane.row, stack.plane.column, stack.normal];
}

function main(vector: Vec3): 0 | 1 | 2 {
  return vector[0] ? 0 : vector[1] ? 1 : 2;
}

/** Which axis of the volume runs along each of the patient's: the best of all six ways. */
function assign(axes: readonly Vec3[]): number[] {
  const ways = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ];
  const fit = (way: number[]) =>
    way.reduce((sum, axis, patient) => sum + Math.abs(axes[axis]![patient]!), 0);
  return ways.reduce((best, way) => (fit(way) > fit(best) ? way : best));
}

/** Where an image of a view lies. With gantry tilt, shear is taken out along the slices' planes. */
export function planeOfView(stack: Stack, view: View, index: number): Plane {
  const size = [stack.columns, stack.rows, stack.frames.length];
  const at: [number, number, number] = [0, 0, 0];
  const [x, y, z] = view.axes;
  at[x!] = view.turned[0] ? size[x!]! - 1 : 0;
  at[y!] = view.turned[1] ? size[y!]! - 1 : 0;
  at[z!] = view.turned[2] ? size[z!]! - 1 - index : index;
  const axes = directions(stack);
  const row = times(axes[x!]!, view.turned[0] ? -1 : 1);
  const column = times(axes[y!]!, view.turned[1] ? -1 : 1);
  // Slices keep their own place; other views are straightened, so that shear does not count there.
  const position = z === 2 ? voxelAt(stack, at[0], at[1], at[2]) : straight(stack, at);
  const normal: Vec3 = [
    row[1] * column[2] - row[2] * column[1],
    row[2] * column[0] - row[0] * column[2],
    row[0] * column[1] - row[1] * column[0],
  ];
  return {
    position,
    row,
    column,
    normal,
    spacing: [view.spacing[0], view.spacing[1]],
    along: position[0] * normal[0] + position[1] * normal[1] + position[2] * normal[2],
    frameOfReference: stack.plane.frameOfReference,
  };
}

function straight(stack: Stack, [x, y, z]: readonly [number, number, number]): Vec3 {
  const { plane, spacing, normal } = stack;
  const across = times(plane.row, x * spacing[0]);
  const down = times(plane.column, y * spacing[1]);
  return add(add(plane.position, add(across, down)), times(normal, z * spacing[2]));
}
