// Signal K plugin `@skiff/anchor-watch-go`: rings when the boat leaves the circle around its anchor.
package main

import (
	"errors"
	"math"

	"skiff.example/plugins/skiff"
)

const schema = `{"$schema":"http://json-schema.org/draft-07/schema#","title":"Anchor watch","type":"object","properties":{"radius":{"type":"number","title":"Radius in m","description":"The alarm rings when the boat is farther from its anchor","minimum":5,"maximum":10000,"default":30},"latitude":{"type":"number","title":"Latitude of the anchor in degrees","description":"Without it the first position after the start is the anchor's","minimum":-90,"maximum":90},"longitude":{"type":"number","title":"Longitude of the anchor in degrees","minimum":-180,"maximum":180}}}`

const degree = math.Pi / 180

// Mean radius of the earth, m (IUGG).
const earth = 6371008.8

type position struct{ latitude, longitude float64 }

var latitude, longitude *skiff.Input
var latitudeOut, longitudeOut, radiusOut, distanceOut, note *skiff.Output
var radius float64
var anchor *position
var isTold, isDragging bool

func init() {
	skiff.Run(skiff.Plugin{ID: "@skiff/anchor-watch-go", Name: "Anchor watch", Schema: schema, Start: start, Update: update})
}

func (at position) isOne() bool { return math.Abs(at.latitude) <= 90 && math.Abs(at.longitude) <= 180 }

// distance returns metres: on a plane, which is right to a millimetre within a few kilometres.
func (at position) distance(boat position) float64 {
	turn := boat.longitude - at.longitude
	if turn > 180 {
		turn -= 360
	} else if turn < -180 {
		turn += 360
	}
	ahead := (boat.latitude - at.latitude) * degree
	aside := turn * degree * math.Cos((boat.latitude+at.latitude)/2*degree)
	return earth * math.Sqrt(ahead*ahead+aside*aside)
}

func start(config skiff.JSON) error {
	radius, anchor, isTold, isDragging = 30, nil, false, false
	if given := config.Member("radius"); given.IsSet() {
		radius = given.Number()
	}
	if !(radius >= 5 && radius <= 10000) {
		return errors.New("radius must be a number of m, 5 to 10000")
	}
	north, east := config.Member("latitude"), config.Member("longitude")
	if north.IsSet() || east.IsSet() {
		anchor = &position{north.Number(), east.Number()}
		if !anchor.isOne() {
			return errors.New("latitude and longitude must be degrees, both or none")
		}
	}
	latitude = skiff.NumberInput("navigation.position#latitude")
	longitude = skiff.NumberInput("navigation.position#longitude").Quiet()
	latitudeOut = skiff.NumberOutput("navigation.anchor.position#latitude", 7)
	longitudeOut = skiff.NumberOutput("navigation.anchor.position#longitude", 7)
	radiusOut = skiff.NumberOutput("navigation.anchor.maxRadius", 1)
	distanceOut = skiff.NumberOutput("navigation.anchor.currentRadius", 1)
	note = skiff.NotificationOutput("notifications.navigation.anchor")
	skiff.SetStatus("waiting for navigation.position")
	return nil
}

func update() {
	north, hasNorth := latitude.Get()
	east, hasEast := longitude.Get()
	boat := position{north, east}
	if !hasNorth || !hasEast || !boat.isOne() {
		return
	}
	if anchor == nil {
		anchor = &boat
	}
	if !isTold {
		latitudeOut.Set(anchor.latitude)
		longitudeOut.Set(anchor.longitude)
		radiusOut.Set(radius)
	}
	now := anchor.distance(boat)
	distanceOut.Set(now)
	// Back to normal a tenth inside of the circle, so that swinging on its edge does not ring again and again.
	drags := now > radius || isDragging && now > radius*0.9
	if isTold && drags == isDragging {
		return
	}
	isTold, isDragging = true, drags
	message := skiff.Fixed(now, 1) + " m from the anchor, limit " + skiff.Fixed(radius, 1) + " m"
	if drags {
		message = "Anchor drags: " + message
		note.Notify(skiff.Emergency, skiff.Both, message)
	} else {
		message = "At anchor: " + message
		note.Notify(skiff.Normal, skiff.Silent, message)
	}
	skiff.SetStatus(message)
}

func main() {}
