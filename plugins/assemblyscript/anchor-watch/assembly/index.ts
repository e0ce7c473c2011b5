/** Signal K plugin `@skiff/anchor-watch-assemblyscript`: rings when the boat leaves the circle around its anchor. */
import * as kit from '@skiff/assemblyscript-toolkit/assembly'

const DEGREE: f64 = 3.14159265358979323846 / 180
/** Mean radius of the earth, m (IUGG). */
const EARTH: f64 = 6371008.8

let latitude = kit.NO_INPUT
let longitude = kit.NO_INPUT
let latitudeOut = kit.NO_OUTPUT
let longitudeOut = kit.NO_OUTPUT
let radiusOut = kit.NO_OUTPUT
let distanceOut = kit.NO_OUTPUT
let note = kit.NO_OUTPUT

let isRunning = false
let radius: f64 = 0
let anchorLatitude: f64 = NaN
let anchorLongitude: f64 = NaN
let hasAnchor = false
let isTold = false
let isDragging = false

function has(config: string, name: string): bool {
  const at = config.indexOf('"' + name + '":')
  return at >= 0 && config.substr(at + name.length + 3, 4) != 'null'
}

function within(value: f64, limit: f64): bool {
  return value >= -limit && value <= limit
}

function start(config: string): i32 {
  kit.begin()
  isRunning = false
  radius = kit.numberOf(config, 'radius', 30)
  if (!(radius >= 5 && radius <= 10000)) return refuse('radius must be a number of m, 5 to 10000')
  hasAnchor = has(config, 'latitude') || has(config, 'longitude')
  anchorLatitude = kit.numberOf(config, 'latitude', NaN)
  anchorLongitude = kit.numberOf(config, 'longitude', NaN)
  if (hasAnchor && !(within(anchorLatitude, 90) && within(anchorLongitude, 180))) {
    return refuse('latitude and longitude must be degrees, both or none')
  }
  isTold = false
  isDragging = false
  latitude = kit.memberInput('navigation.position#latitude')
  longitude = kit.memberInput('navigation.position#longitude').quiet()
  latitudeOut = kit.memberOutput('navigation.anchor.position#latitude', 7)
  longitudeOut = kit.memberOutput('navigation.anchor.position#longitude', 7)
  radiusOut = kit.numberOutput('navigation.anchor.maxRadius', 1)
  distanceOut = kit.numberOutput('navigation.anchor.currentRadius', 1)
  note = kit.notificationOutput('notifications.navigation.anchor', 80)
  kit.setStatus('waiting for navigation.position')
  isRunning = true
  return 0
}

function refuse(reason: string): i32 {
  kit.setError(reason)
  return 1
}

/** Sine of an angle of at most a quarter turn either way, by its series: the library's brings 5 KB. */
function sine(angle: f64): f64 {
  const square = angle * angle
  let sum: f64 = 0
  for (let step = 9; step >= 1; step--) {
    const even: f64 = 2 * step
    sum = (1 + sum) * -square / (even * (even + 1))
  }
  return angle * (1 + sum)
}

/** Metres between the boat and its anchor: on a plane, which is right to a millimetre within a few kilometres. */
function distance(north: f64, east: f64): f64 {
  let turn = east - anchorLongitude
  if (turn > 180) turn -= 360
  if (turn < -180) turn += 360
  const half = sine((north + anchorLatitude) / 4 * DEGREE)
  const ahead = (north - anchorLatitude) * DEGREE
  const aside = turn * DEGREE * (1 - 2 * half * half)
  return EARTH * Math.sqrt(ahead * ahead + aside * aside)
}

/** A position has arrived. */
function update(): void {
  const north = latitude.number
  const east = longitude.number
  // NaN unless they are valid.
  if (!isRunning || !within(north, 90) || !within(east, 180)) return
  if (!hasAnchor) {
    hasAnchor = true
    anchorLatitude = north
    anchorLongitude = east
  }
  if (!isTold) {
    latitudeOut.setNumber(anchorLatitude)
    longitudeOut.setNumber(anchorLongitude)
    radiusOut.setNumber(radius)
  }
  const now = distance(north, east)
  distanceOut.setNumber(now)
  // Back to normal a tenth inside of the circle, so that swinging on its edge does not ring again and again.
  const drags = now > (isDragging ? radius * 0.9 : radius)
  if (isTold && drags == isDragging) return
  isTold = true
  isDragging = drags
  note.write().add(drags ? 'Anchor drags: ' : 'At anchor: ').addFixed(now, 1)
  note.add(' m from the anchor, limit ').addFixed(radius, 1).add(' m')
  if (drags) note.notify(kit.State.emergency, kit.Method.both)
  else note.notify(kit.State.normal, kit.Method.none)
  kit.setStatusOf(note)
}

export function plugin_name(): string {
  return 'Anchor watch'
}

export function plugin_schema(): string {
  return '{"$schema":"http://json-schema.org/draft-07/schema#","title":"Anchor watch","type":"object","properties":{"radius":{"type":"number","title":"Radius in m","description":"The alarm rings when the boat is farther from its anchor","minimum":5,"maximum":10000,"default":30},"latitude":{"type":"number","title":"Latitude of the anchor in degrees","description":"Without it the first position after the start is the anchor\'s","minimum":-90,"maximum":90},"longitude":{"type":"number","title":"Longitude of the anchor in degrees","minimum":-180,"maximum":180}}}'
}

/** The host hands the configuration over as `length` bytes of UTF-8. */
export function plugin_start(pointer: usize, length: usize): i32 {
  return start(String.UTF8.decodeUnsafe(pointer, length))
}

export function plugin_stop(): i32 {
  isRunning = false
  return 0
}

export function skiff_values(): usize {
  return kit.describe()
}

export function skiff_update(): i32 {
  return kit.update(update)
}

export function delta_handler(delta: string): void {
  kit.hear(delta, '@skiff/anchor-watch-assemblyscript', update)
}
