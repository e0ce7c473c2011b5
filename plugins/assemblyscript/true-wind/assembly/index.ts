/** Signal K plugin `@skiff/true-wind-assemblyscript`: true wind from apparent wind, boat speed and heading. */
import * as kit from '@skiff/assemblyscript-toolkit/assembly'
import * as wind from './wind'

/** No boat and no wind is faster, m/s; guards the arithmetic against nonsense. */
const SPEED_MAX: f64 = 1000

const WAITING = 'waiting for environment.wind.speedApparent and angleApparent'
const COMPLETE = 'true wind from apparent wind, speed and heading'
const NO_HEADING = 'true wind without direction: no navigation.headingTrue, nor headingMagnetic with magneticVariation'

let windSpeed = kit.NO_INPUT
let windAngle = kit.NO_INPUT
let boatSpeed = kit.NO_INPUT
let headingTrue = kit.NO_INPUT
let headingMagnetic = kit.NO_INPUT
let variation = kit.NO_INPUT
let speedTrue = kit.NO_OUTPUT
let angleTrue = kit.NO_OUTPUT
let directionTrue = kit.NO_OUTPUT

let isRunning = false
let ageMax: u32 = 0
let waitingForSpeed = ''
let shown = ''
/** Which halves of an apparent wind wait for the other. */
let hasSpeed = false
let hasAngle = false

function start(config: string): i32 {
  kit.begin()
  isRunning = false
  const at = config.indexOf('"speed":')
  const speed = at < 0 ? 'null' : config.substr(at + 8, 8)
  const ground = speed == '"ground"'
  if (!ground && !speed.startsWith('"water"') && !speed.startsWith('null')) {
    return refuse('speed must be "water" or "ground"')
  }
  const seconds = kit.numberOf(config, 'maxAgeSeconds', 5)
  if (!(seconds >= 0.1 && seconds <= 3600)) return refuse('maxAgeSeconds must be a number from 0.1 to 3600')
  ageMax = u32(seconds * 1000)
  hasSpeed = false
  hasAngle = false
  waitingForSpeed = ground ? 'waiting for navigation.speedOverGround' : 'waiting for navigation.speedThroughWater'
  windSpeed = kit.numberInput('environment.wind.speedApparent')
  windAngle = kit.numberInput('environment.wind.angleApparent')
  boatSpeed = kit.numberInput(ground ? 'navigation.speedOverGround' : 'navigation.speedThroughWater').quiet()
  headingTrue = kit.numberInput('navigation.headingTrue').quiet()
  headingMagnetic = kit.numberInput('navigation.headingMagnetic').quiet()
  variation = kit.numberInput('navigation.magneticVariation').quiet()
  speedTrue = kit.numberOutput('environment.wind.speedTrue', 4)
  angleTrue = kit.numberOutput('environment.wind.angleTrueWater', 4)
  directionTrue = kit.numberOutput('environment.wind.directionTrue', 4)
  shown = ''
  show(WAITING)
  isRunning = true
  return 0
}

function refuse(reason: string): i32 {
  kit.setError(reason)
  return 1
}

/** Shows a status text when it differs from the last one. */
function show(status: string): void {
  if (shown != status) kit.setStatus(status)
  shown = status
}

/** The number of an input while it is not too old, else NaN. */
function fresh(input: kit.Input): f64 {
  return input.age <= ageMax ? input.number : NaN
}

/** Tells whether an apparent wind has come: both its halves are new, at most the maximum age apart. */
function takeWind(): bool {
  const speed = windSpeed.number
  hasSpeed = speed >= 0 && speed < SPEED_MAX && (hasSpeed || windSpeed.isNew)
  hasAngle = wind.isAngle(windAngle.number) && (hasAngle || windAngle.isNew)
  if (!hasSpeed || !hasAngle) return false
  const speedAge = windSpeed.age
  const angleAge = windAngle.age
  const isSpeedNewer = speedAge < angleAge
  hasSpeed = false
  hasAngle = false
  if ((isSpeedNewer ? angleAge - speedAge : speedAge - angleAge) <= ageMax) return true
  // The older half of a pair that does not match waits no longer.
  hasSpeed = isSpeedNewer
  hasAngle = !isSpeedNewer
  return false
}

/** Heading from true north, rad: as heard, else from the magnetic one and the variation, which has no maximum age. */
function heading(): f64 {
  const heard = fresh(headingTrue)
  if (wind.isAngle(heard)) return heard
  const magnetic = fresh(headingMagnetic)
  const correction = variation.number
  return wind.isAngle(magnetic) && wind.isAngle(correction) ? magnetic + correction : NaN
}

/** An apparent wind, or half of one, has arrived. */
function update(): void {
  // What is not valid is NaN, and no comparison with NaN holds.
  if (!isRunning || !takeWind()) return
  const boat = fresh(boatSpeed)
  if (!(boat >= -SPEED_MAX && boat < SPEED_MAX)) return show(waitingForSpeed)
  wind.compute(windSpeed.number, windAngle.number, boat)
  speedTrue.setNumber(wind.speed)
  angleTrue.setNumber(wind.angle)
  const ahead = heading()
  const hasHeading = !isNaN(ahead)
  if (hasHeading) directionTrue.setNumber(wind.direction(ahead, wind.angle))
  show(hasHeading ? COMPLETE : NO_HEADING)
}

export function plugin_name(): string {
  return 'True wind'
}

export function plugin_schema(): string {
  return '{"$schema":"http://json-schema.org/draft-07/schema#","title":"True wind","type":"object","properties":{"speed":{"type":"string","title":"Boat speed","description":"water: speed through water; ground: speed over ground, for a boat without a log","enum":["water","ground"],"default":"water"},"maxAgeSeconds":{"type":"number","title":"Maximum age of a value in seconds","description":"Older values are not used","minimum":0.1,"maximum":3600,"default":5}}}'
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
  kit.hear(delta, '@skiff/true-wind-assemblyscript', update)
}
