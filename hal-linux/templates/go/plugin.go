// Signal K plugin `{{name}}`: tells the smallest depth since it was started.
package main

import (
	"errors"
	"math"

	"skiff.example/plugins/skiff"
)

const schema = `{"type":"object","properties":{"offset":{"type":"number","title":"Offset in m that is added to each depth","minimum":-20,"maximum":20,"default":0}}}`

var depth *skiff.Input
var smallest *skiff.Output

// m; what the operator adds to each depth.
var offset float64
var least float64

func init() {
	skiff.Run(skiff.Plugin{ID: "{{name}}", Name: "{{title}}", Schema: schema, Start: start, Update: update})
}

// start reads the configuration and declares inputs and outputs; an error refuses the start.
func start(config skiff.JSON) error {
	offset, least = 0, math.Inf(1)
	if given := config.Member("offset"); given.IsSet() {
		offset = given.Number()
	}
	if !(offset >= -20 && offset <= 20) {
		return errors.New("offset must be a number from -20 to 20")
	}
	depth = skiff.NumberInput("environment.depth.belowTransducer")
	smallest = skiff.NumberOutput("environment.depth.smallest", 2)
	skiff.SetStatus("waiting for environment.depth.belowTransducer")
	return nil
}

// update is called when a value has arrived; what is set here is published afterwards.
func update() {
	if now, ok := depth.Get(); ok && now+offset < least {
		least = now + offset
		smallest.Set(least)
		skiff.SetStatus("runs")
	}
}

func main() {}
