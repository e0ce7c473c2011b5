// Signal K plugin `@skiff/true-wind-go`: true wind from apparent wind, boat speed and heading.
package main

import (
	"errors"
	"math"

	"skiff.example/plugins/skiff"
)

const schema = `{"$schema":"http://json-schema.org/draft-07/schema#","title":"True wind","type":"object","properties":{"speed":{"type":"string","title":"Boat speed","description":"water: speed through water; ground: speed over ground, for a boat without a log","enum":["water","ground"],"default":"water"},"maxAgeSeconds":{"type":"number","title":"Maximum age of a value in seconds","description":"Older values are not used","minimum":0.1,"maximum":3600,"default":5}}}`

// No boat and no wind is faster, m/s; guards the arithmetic against nonsense.
const speedMax = 1000

var windSpeed, windAngle, boatSpeed, headingTrue, headingMagnetic, variation *skiff.Input
var speedTrue, angleTrue, directionTrue *skiff.Output
var waiting, shown string
var ageMax uint32

// Which halves of an apparent wind wait for the other.
var hasSpeed, hasAngle bool

func init() {
	skiff.Run(skiff.Plugin{ID: "@skiff/true-wind-go", Name: "True wind", Schema: schema, Start: start, Update: update})
}

// show sets a status text when it differs from the last one.
func show(status string) {
	if shown != status {
		skiff.SetStatus(status)
	}
	shown = status
}

func start(config skiff.JSON) error {
	if config != "" && config[0] != '{' {
		return errors.New("the configuration is not an object")
	}
	path, seconds := "navigation.speedThroughWater", 5.0
	if speed := config.Member("speed"); speed.IsSet() {
		switch speed.String() {
		case "water":
		case "ground":
			path = "navigation.speedOverGround"
		default:
			return errors.New(`speed must be "water" or "ground"`)
		}
	}
	if age := config.Member("maxAgeSeconds"); age.IsSet() {
		seconds = age.Number()
	}
	if !(seconds >= 0.1 && seconds <= 3600) {
		return errors.New("maxAgeSeconds must be a number from 0.1 to 3600")
	}
	ageMax, waiting, shown, hasSpeed, hasAngle = uint32(seconds*1000), "waiting for "+path, "", false, false
	windSpeed = skiff.NumberInput("environment.wind.speedApparent")
	windAngle = skiff.NumberInput("environment.wind.angleApparent")
	boatSpeed = skiff.NumberInput(path).Quiet()
	headingTrue = skiff.NumberInput("navigation.headingTrue").Quiet()
	headingMagnetic = skiff.NumberInput("navigation.headingMagnetic").Quiet()
	variation = skiff.NumberInput("navigation.magneticVariation").Quiet()
	speedTrue = skiff.NumberOutput("environment.wind.speedTrue", 4)
	angleTrue = skiff.NumberOutput("environment.wind.angleTrueWater", 4)
	directionTrue = skiff.NumberOutput("environment.wind.directionTrue", 4)
	show("waiting for environment.wind.speedApparent and angleApparent")
	return nil
}

// angleOf returns an angle, when it is one at all: sensors send at most one turn either way.
func angleOf(input *skiff.Input) (float64, bool) {
	value, ok := input.Get()
	return value, ok && math.Abs(value) <= 3*math.Pi
}

// takeWind tells whether an apparent wind has come: both halves new, at most the maximum age apart.
func takeWind() bool {
	speed, ok := windSpeed.Get()
	hasSpeed = ok && speed >= 0 && speed < speedMax && (hasSpeed || windSpeed.IsNew())
	_, ok = angleOf(windAngle)
	hasAngle = ok && (hasAngle || windAngle.IsNew())
	if !hasSpeed || !hasAngle {
		return false
	}
	speedAge, angleAge := windSpeed.Age(), windAngle.Age()
	if max(speedAge, angleAge)-min(speedAge, angleAge) > ageMax {
		// The older half of a pair that does not match waits no longer.
		hasSpeed = speedAge < angleAge
		hasAngle = !hasSpeed
		return false
	}
	hasSpeed, hasAngle = false, false
	return true
}

func heading() (float64, bool) {
	if value, ok := angleOf(headingTrue); ok && headingTrue.Age() <= ageMax {
		return value, true
	}
	magnetic, ok := angleOf(headingMagnetic)
	correction, known := angleOf(variation)
	return magnetic + correction, ok && known && headingMagnetic.Age() <= ageMax
}

// direction returns where a wind comes from, rad from true north in 0..2 pi.
func direction(north, angle float64) float64 {
	sum := math.Mod(north+angle+4*math.Pi, 2*math.Pi)
	// Four decimals can reach 2 pi, which is north again.
	if sum >= 2*math.Pi-0.00005 {
		return 0
	}
	return sum
}

func update() {
	if !takeWind() {
		return
	}
	boat, ok := boatSpeed.Get()
	if !ok || boatSpeed.Age() > ageMax || !(boat >= -speedMax && boat < speedMax) {
		show(waiting)
		return
	}
	speed, _ := windSpeed.Get()
	apparent, _ := windAngle.Get()
	ahead, starboard := speed*math.Cos(apparent)-boat, speed*math.Sin(apparent)
	angle := math.Atan2(starboard, ahead)
	speedTrue.Set(math.Hypot(ahead, starboard))
	angleTrue.Set(angle)
	if north, ok := heading(); ok {
		directionTrue.Set(direction(north, angle))
		show("true wind from apparent wind, speed and heading")
	} else {
		show("true wind without direction: no navigation.headingTrue, nor headingMagnetic with magneticVariation")
	}
}

func main() {}
