// Signal K plugin `@skiff/shallow-water-alarm-go`: rings when the depth falls below a limit.
package main

import (
	"errors"

	"skiff.example/plugins/skiff"
)

const schema = `{"$schema":"http://json-schema.org/draft-07/schema#","title":"Shallow water alarm","type":"object","properties":{"limit":{"type":"number","title":"Limit in m","description":"The alarm rings below this depth","minimum":0,"maximum":12000,"default":3},"hysteresis":{"type":"number","title":"Hysteresis in m","description":"The alarm ends when the depth exceeds the limit by this","minimum":0,"maximum":1000,"default":0.5},"path":{"type":"string","title":"Path of the depth","default":"environment.depth.belowTransducer"}}}`

// No sea is deeper, m.
const depthMax = 12000

var depth *skiff.Input
var note *skiff.Output
var limit, hysteresis float64

// On since the depth fell below the limit; known once it was published.
var isOn, isKnown bool

func init() {
	skiff.Run(skiff.Plugin{
		ID: "@skiff/shallow-water-alarm-go", Name: "Shallow water alarm", Schema: schema, Start: start, Update: update,
	})
}

func numberOf(config skiff.JSON, name string, otherwise float64) float64 {
	if value := config.Member(name); value.IsSet() {
		return value.Number()
	}
	return otherwise
}

func start(config skiff.JSON) error {
	isOn, isKnown = false, false
	limit, hysteresis = numberOf(config, "limit", 3), numberOf(config, "hysteresis", 0.5)
	path := "environment.depth.belowTransducer"
	if given := config.Member("path"); given.IsSet() {
		path = given.String()
	}
	if !(limit >= 0 && limit <= depthMax) {
		return errors.New("limit must be a depth in m, 0 to 12000")
	}
	if !(hysteresis >= 0 && hysteresis <= 1000) {
		return errors.New("hysteresis must be a number of m, 0 to 1000")
	}
	if !isPath(path) {
		return errors.New("path must be a Signal K path")
	}
	depth = skiff.NumberInput(path)
	note = skiff.NotificationOutput("notifications." + path)
	skiff.SetStatus("waiting for " + path)
	return nil
}

func isPath(path string) bool {
	for at := range len(path) {
		if path[at] <= '#' || path[at] >= 0x7f || path[at] == '\\' {
			return false
		}
	}
	return path != "" && len(path) < 240
}

func update() {
	now, ok := depth.Get()
	if !ok || !(now >= 0 && now <= depthMax) {
		return
	}
	on := now < limit || isOn && now < limit+hysteresis
	if isKnown && on == isOn {
		return
	}
	isKnown, isOn = true, on
	message := "epth " + skiff.Fixed(now, 2) + " m, limit " + skiff.Fixed(limit, 2) + " m"
	if on {
		message = "Shallow water: d" + message
		note.Notify(skiff.Alarm, skiff.Both, message)
	} else {
		message = "D" + message
		note.Notify(skiff.Normal, skiff.Silent, message)
	}
	skiff.SetStatus(message)
}

func main() {}
