/**
 * The wind triangle.
 *
 * The language's sine and arc tangent reduce huge angles, which cannot occur here: these are half as large.
 */
const PI: f64 = 3.14159265358979323846

/** True wind of the last `compute`: m/s, and rad from the bow, -PI to PI. */
export let speed: f64 = 0
export let angle: f64 = 0

/** Computes the true wind: the apparent wind, m/s and rad from the bow, without the boat's own motion ahead, m/s. */
export function compute(windSpeed: f64, windAngle: f64, boat: f64): void {
  sinCos(windAngle)
  const ahead = windSpeed * cos - boat
  const starboard = windSpeed * sin
  angle = angleOf(starboard, ahead)
  // The projection on its own direction is the length.
  sinCos(angle)
  speed = ahead * cos + starboard * sin
}

/** Where a wind comes from, rad from true north in 0..2 PI. */
export function direction(heading: f64, angle: f64): f64 {
  let sum = heading + angle
  while (sum < 0) sum += 2 * PI
  while (sum >= 2 * PI) sum -= 2 * PI
  // Four decimals can reach 2 PI, which is north again.
  return sum >= 2 * PI - 0.00005 ? 0 : sum
}

/** Tells whether an angle or heading is one at all: sensors send at most one turn either way. */
export function isAngle(value: f64): bool {
  return value >= -3 * PI && value <= 3 * PI
}

let sin: f64 = 0
let cos: f64 = 0

/** Computes sine and cosine of an angle for which `isAngle` holds, to 1e-15. */
function sinCos(angle: f64): void {
  // The nearest quarter turn; at most 6, so the rest is exact to the last bits of the angle.
  const quarters = i32(angle / (PI / 2) + (angle < 0 ? -0.5 : 0.5))
  const rest = angle - f64(quarters) * (PI / 2)
  const square = rest * rest
  let s: f64 = 0
  let c: f64 = 0
  for (let step = 9; step >= 1; step--) {
    const even: f64 = 2 * step
    s = (1 + s) * -square / (even * (even + 1))
    c = (1 + c) * -square / (even * (even - 1))
  }
  s = rest * (1 + s)
  c = 1 + c
  const isTurned = (quarters & 1) != 0
  sin = isTurned ? c : s
  cos = isTurned ? s : c
  if ((quarters & 2) != 0) sin = -sin
  if (((quarters + 1) & 2) != 0) cos = -cos
}

/** The angle of a vector, -PI to PI, to 1e-15. */
function angleOf(y: f64, x: f64): f64 {
  const ay = Math.abs(y)
  const ax = Math.abs(x)
  const most = Math.max(ax, ay)
  let ratio = most == 0 ? 0 : Math.min(ax, ay) / most
  // Halved twice, the angle is at most PI / 16, where the series ends soon.
  for (let halving = 0; halving < 2; halving++) ratio = ratio / (1 + Math.sqrt(1 + ratio * ratio))
  const square = ratio * ratio
  let sum: f64 = 0
  for (let term = 25; term >= 1; term -= 2) sum = 1 / f64(term) - square * sum
  let angle = 4 * ratio * sum
  if (ay > ax) angle = PI / 2 - angle
  if (x < 0) angle = PI - angle
  return y < 0 ? -angle : angle
}
