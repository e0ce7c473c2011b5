// Package skiff is the toolkit for Signal K WebAssembly plugins in Go: inputs and outputs as numbers, JSON only where the
// host wants it.
//
// A plugin calls Run in an init function, with its names and two functions:
//
//	var depth *skiff.Input
//	var feet *skiff.Output
//
//	func init() {
//		skiff.Run(skiff.Plugin{ID: "@example/feet", Name: "Depth in feet", Start: start, Update: update})
//	}
//
//	func start(config skiff.JSON) error {
//		depth = skiff.NumberInput("environment.depth.belowKeel")
//		feet = skiff.NumberOutput("example.depthInFeet", 1)
//		return nil
//	}
//
//	func update() {
//		if value, ok := depth.Get(); ok {
//			feet.Set(value / 0.3048)
//		}
//	}
//
//	func main() {}
//
// Build: GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -ldflags="-s -w" -o plugin.wasm . A module of standard Go has
// about 2 MB and is for Linux gateways alone; Signal K Server does not start it, because it calls _initialize twice.
//
// Layout and meaning of rows are those of Skiff's runtime/docs/abi-extensions.md, "Values". Rows are global arrays, which
// the collector neither moves nor frees.
package skiff

import "unsafe"

// Plugin is what a plugin is.
type Plugin struct {
	// ID is the package name, as in package.json.
	ID string
	// Name is shown to people.
	Name string
	// Schema is the JSON Schema of the configuration; "{}" when it is empty.
	Schema string
	// Start declares inputs and outputs; an error refuses the start and is shown.
	Start func(config JSON) error
	// Update computes outputs from inputs, one of which has arrived.
	Update func()
}

// Run takes the plugin that the host calls.
func Run(of Plugin) { plugin = of }

var plugin Plugin

const (
	rowsMax = 16

	kindNumber       = 1
	kindText         = 2
	kindBoolean      = 3
	kindNull         = 4
	kindJSON         = 5
	kindNotification = 6
	quietBit         = 0x80

	stateValid     = 1
	stateWithdrawn = 2
	stateOtherType = 3
	newBit         = 0x80

	ageUnknown = 1<<32 - 1
)

// Input is a value of the own vessel that the plugin reads.
type Input struct {
	path        uint32
	pathBytes   uint16
	kind, state uint8
	number      float64
	buffer      uint32
	bufferBytes uint32
	fullBytes   uint32
	age         uint32
}

// Output is a value that the plugin gives. What is set in a call is published after it.
type Output struct {
	path        uint32
	pathBytes   uint16
	kind, state uint8
	number      float64
	text        uint32
	textBytes   uint32
	counter     uint32
	decimals    uint8
	_           [3]uint8
}

// State says how loud a notification is.
type State uint8

// States of a notification.
const (
	Normal State = iota
	Nominal
	Alert
	Warn
	Alarm
	Emergency
)

// Method says how a notification reaches people.
type Method uint8

// Methods of a notification.
const (
	Silent Method = 0
	Visual Method = 0x40
	Sound  Method = 0x80
	Both   Method = 0xc0
)

var head struct {
	magic                 uint32
	inputs, outputs       uint16
	inputRows, outputRows uint32
	interval, flags       uint32
	time                  int64
	updates, arrived      uint32
}

var inputs [rowsMax]Input
var outputs [rowsMax]Output

// What rows name: paths, buffers, texts. Held here so that the collector leaves them.
var inputPaths, outputPaths [rowsMax]string
var buffers [rowsMax][]byte
var texts [rowsMax][]byte

func addressOf(pointer unsafe.Pointer) uint32 { return uint32(uintptr(pointer)) }

func newInput(path string, kind uint8, bytes int) *Input {
	at := head.inputs
	if at == rowsMax || path == "" || len(path) > 255 {
		panic("no room for input " + path)
	}
	head.inputs++
	inputPaths[at], buffers[at] = path, make([]byte, max(bytes, 1))
	inputs[at] = Input{
		path: addressOf(unsafe.Pointer(unsafe.StringData(inputPaths[at]))), pathBytes: uint16(len(path)), kind: kind,
		number: nan, age: ageUnknown,
	}
	if bytes > 0 {
		inputs[at].buffer, inputs[at].bufferBytes = addressOf(unsafe.Pointer(&buffers[at][0])), uint32(bytes)
	}
	return &inputs[at]
}

// NumberInput declares a number; path#member is one member of an object value, #name a value of the vessel itself.
func NumberInput(path string) *Input { return newInput(path, kindNumber, 0) }

// BooleanInput declares a boolean.
func BooleanInput(path string) *Input { return newInput(path, kindBoolean, 0) }

// TextInput declares a text of at most that many bytes; longer ones are cut.
func TextInput(path string, bytes int) *Input { return newInput(path, kindText, bytes) }

// Quiet says that an arrival of this input alone is no reason for an update.
func (input *Input) Quiet() *Input {
	input.kind |= quietBit
	return input
}

// Get returns the number; false while there is none, when it was withdrawn, and when it is of another type.
func (input *Input) Get() (float64, bool) { return input.number, input.state&^newBit == stateValid }

// Boolean returns the boolean, likewise.
func (input *Input) Boolean() (bool, bool) {
	return input.number == 1, input.state&^newBit == stateValid
}

// Text returns the text; empty while there is none.
func (input *Input) Text() string {
	if input.state&^newBit != stateValid {
		return ""
	}
	return string(buffers[input.index()][:uint32(floatBits(input.number))])
}

// IsNew tells whether a value arrived since the last update, also an equal one or null.
func (input *Input) IsNew() bool { return input.state&newBit != 0 }

// Age returns how long ago the value arrived, ms; the largest number when that is unknown.
func (input *Input) Age() uint32 { return input.age }

func (input *Input) index() int {
	return int(uintptr(unsafe.Pointer(input))-uintptr(unsafe.Pointer(&inputs))) / int(unsafe.Sizeof(*input))
}

func newOutput(path string, kind, decimals uint8) *Output {
	at := head.outputs
	if at == rowsMax || path == "" || len(path) > 255 {
		panic("no room for output " + path)
	}
	head.outputs++
	outputPaths[at] = path
	outputs[at] = Output{
		path: addressOf(unsafe.Pointer(unsafe.StringData(outputPaths[at]))), pathBytes: uint16(len(path)),
		kind: kind, decimals: decimals,
	}
	return &outputs[at]
}

// NumberOutput declares a number, rounded to at most that many decimals, 0 to 15.
func NumberOutput(path string, decimals int) *Output {
	return newOutput(path, kindNumber, uint8(decimals+1))
}

// ShortestOutput declares a number in the shortest text that means it.
func ShortestOutput(path string) *Output { return newOutput(path, kindNumber, 0) }

// BooleanOutput declares a boolean.
func BooleanOutput(path string) *Output { return newOutput(path, kindBoolean, 0) }

// TextOutput declares a text.
func TextOutput(path string) *Output { return newOutput(path, kindText, 0) }

// JSONOutput declares a value as JSON.
func JSONOutput(path string) *Output { return newOutput(path, kindJSON, 0) }

// NotificationOutput declares a notification; the path is the full one, notifications.….
func NotificationOutput(path string) *Output { return newOutput(path, kindNotification, 0) }

// Set publishes a number.
func (output *Output) Set(value float64) {
	output.number = value
	output.change(kindNumber)
}

// SetBoolean publishes a boolean.
func (output *Output) SetBoolean(value bool) {
	output.number = 0
	if value {
		output.number = 1
	}
	output.change(kindBoolean)
}

// Withdraw publishes null: there is no value any more.
func (output *Output) Withdraw() { output.change(kindNull) }

// SetText publishes a text.
func (output *Output) SetText(text string) { output.changeText(kindText, text) }

// SetJSON publishes a value as JSON.
func (output *Output) SetJSON(json string) { output.changeText(kindJSON, json) }

// Notify publishes a notification.
func (output *Output) Notify(state State, method Method, message string) {
	output.state = uint8(state) | uint8(method)
	output.changeText(kindNotification, message)
}

func (output *Output) index() int {
	return int(uintptr(unsafe.Pointer(output))-uintptr(unsafe.Pointer(&outputs))) / int(unsafe.Sizeof(*output))
}

func (output *Output) changeText(kind uint8, text string) {
	at := output.index()
	texts[at] = append(texts[at][:0], text...)
	output.text, output.textBytes = 0, uint32(len(text))
	if len(text) > 0 {
		output.text = addressOf(unsafe.Pointer(&texts[at][0]))
	}
	output.change(kind)
}

func (output *Output) change(kind uint8) {
	output.kind = kind
	// 0 is kept for "nothing to publish".
	output.counter = max(output.counter+1, 1)
}

// SetInterval asks for at most one update in that many ms, at most 60,000; in the start.
func SetInterval(ms uint32) { head.interval = min(ms, 60_000) }

// Time returns the newest time stamp among the inputs that arrived, Unix ms; 0 while unknown.
func Time() int64 { return head.time }

//go:wasmimport env sk_set_status
func skSetStatus(text unsafe.Pointer, bytes uint32)

//go:wasmimport env sk_set_error
func skSetError(text unsafe.Pointer, bytes uint32)

//go:wasmimport env sk_debug
func skDebug(text unsafe.Pointer, bytes uint32)

//go:wasmimport env sk_handle_message
func skHandleMessage(text unsafe.Pointer, bytes uint32)

// SetStatus shows a status text; an empty one removes it.
func SetStatus(text string) { skSetStatus(unsafe.Pointer(unsafe.StringData(text)), uint32(len(text))) }

// SetError shows an error text; the plugin runs on.
func SetError(text string) { skSetError(unsafe.Pointer(unsafe.StringData(text)), uint32(len(text))) }

// Debug writes a line to the debug log.
func Debug(text string) { skDebug(unsafe.Pointer(unsafe.StringData(text)), uint32(len(text))) }
