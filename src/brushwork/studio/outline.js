// Outlines drawn on a picture, as the polygons that inpaint takes. Points are shares of the picture, 0 to 1. Knows no page.

const LEAST_SIDE = 500, MOST_SIDE = 4096; // of the space that polygons are drawn in
const MOST_POINTS = 1000;
const LEAST_STEP = 0.003; // nearer points add nothing

const clamp = (value, least, most) => Math.min(Math.max(value, least), most);

/** Add a point to an outline, unless it is where the last one is. */
export function addPoint(outline, [x, y]) {
  const point = [clamp(x, 0, 1), clamp(y, 0, 1)];
  const last = outline.at(-1);
  if (!last || Math.hypot(point[0] - last[0], point[1] - last[1]) >= LEAST_STEP) outline.push(point);
}

/** Twice what it goes round, as a share of the picture. */
function areaOf(outline) {
  const sum = outline.reduce((total, [x, y], index) => {
    const [nextX, nextY] = outline[(index + 1) % outline.length];
    return total + x * nextY - nextX * y;
  }, 0);
  return Math.abs(sum);
}

const spread = (outline, axis) => {
  const values = outline.map((point) => point[axis]);
  return Math.max(...values) - Math.min(...values);
};

/** Whether an outline goes round anything. One like an 8 may have no area on balance, but is wide and high. */
export const isArea = (outline) =>
  outline.length >= 3 && (areaOf(outline) > 0.0004 || (outline.length > 8 && spread(outline, 0) * spread(outline, 1) > 0.001));

/** A polygon of the API for a picture of this size. */
export function polygonOf(outline, { width, height }) {
  const space = [clamp(Math.round(width), LEAST_SIDE, MOST_SIDE), clamp(Math.round(height), LEAST_SIDE, MOST_SIDE)];
  const step = Math.ceil(outline.length / MOST_POINTS);
  const kept = outline.filter((_, index) => index % step === 0);
  return { width: space[0], height: space[1], points: kept.flatMap(([x, y]) => [Math.round(x * space[0]), Math.round(y * space[1])]) };
}
