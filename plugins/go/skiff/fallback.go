package skiff

import (
	"math"
	"strconv"
	"strings"
	"unsafe"
)

// This file fills the rows from JSON deltas, and publishes them as one, where the host does not: values of the own vessel
// only, none of the plugin's own, the latest of each input, one update for a delta. Time and age are those of time stamps.
//
// Nobody tells a plugin which context is its own vessel's. Others send positions and headings, but no depth, wind, engine
// or battery: the context of the first delta with such a path counts as the own one until the next start.

// state is what is kept between two deltas.
type state struct {
	byRows, isDue, isBusy, hasUpdated bool
	updated                           int64
	own                               string
	// Time stamp of each input's value, Unix ms.
	times [rowsMax]int64
}

var listener state

var ownPaths = [...]string{"environment.", "propulsion.", "electrical.", "tanks.", "steering.", "navigation.gnss."}

func hear(delta JSON) {
	// Some hosts deliver a delta while the plugin publishes one.
	if listener.byRows || listener.isBusy || !isOwn(delta) {
		return
	}
	visit(delta, func(path string, value JSON, time int64) {
		if time != 0 {
			head.time = time
		}
		hearValue(path, value)
	})
	passed := head.time - listener.updated
	if !listener.isDue || listener.hasUpdated && passed >= 0 && passed < int64(head.interval) {
		return
	}
	listener.isDue, listener.hasUpdated, listener.updated = false, true, head.time
	head.updates++
	for at := range inputs[:head.inputs] {
		age := head.time - listener.times[at]
		// A clock that was set back makes an age unknown, too.
		if inputs[at].state&^newBit == 0 || age < 0 || age > ageUnknown {
			age = ageUnknown
		}
		inputs[at].age = uint32(age)
	}
	listener.isBusy = true
	plugin.Update()
	for at := range inputs[:head.inputs] {
		inputs[at].state &^= newBit
	}
	head.arrived = 0
	publish()
	listener.isBusy = false
}

// visit calls for each value of a delta that is not the plugin's own.
func visit(delta JSON, call func(path string, value JSON, time int64)) {
	updates := inside(delta.Member("updates"), '[')
	for update := updates.next(); update != ""; update = updates.next() {
		if update.Member("$source").String() == plugin.ID {
			continue
		}
		time := millis(update.Member("timestamp").String())
		values := inside(update.Member("values"), '[')
		for entry := values.next(); entry != ""; entry = values.next() {
			if path := entry.Member("path"); len(path) >= 2 {
				call(path.String(), entry.Member("value"), time)
			}
		}
	}
}

func isOwn(delta JSON) bool {
	value := delta.Member("context")
	context := value.String()
	if value == "" || context == "vessels.self" {
		return true
	}
	if listener.own == "" && strings.HasPrefix(context, "vessels.") {
		visit(delta, func(path string, _ JSON, _ int64) {
			for _, own := range ownPaths {
				if strings.HasPrefix(path, own) {
					listener.own = context
				}
			}
		})
	}
	return context != "" && context == listener.own
}

func hearValue(path string, value JSON) {
	for at := range inputs[:head.inputs] {
		input, heard := &inputs[at], value
		of, member, isMember := strings.Cut(inputPaths[at], "#")
		if of != path {
			continue
		}
		if isMember && strings.HasPrefix(string(value), "{") {
			heard = value.Member(member)
			// Root values are merged: one that is not named stays.
			if heard == "" && of == "" {
				continue
			}
			if heard == "" {
				heard = "null"
			}
		} else if isMember && value != "null" {
			heard = "{}"
		}
		number, isValid := nan, false
		input.fullBytes = 0
		switch input.kind &^ quietBit {
		case kindText:
			var text string
			if text, isValid = heard.decode(); isValid {
				written := copy(buffers[at], cut(text, int(input.bufferBytes)))
				number, input.fullBytes = math.Float64frombits(uint64(written)), uint32(len(text))
			}
		case kindBoolean:
			isValid = heard == "true" || heard == "false"
			if heard == "true" {
				number = 1
			} else if isValid {
				number = 0
			}
		default:
			number = heard.Number()
			isValid = number-number == 0
		}
		input.state = newBit | stateOtherType
		if isValid {
			input.state = newBit | stateValid
		} else if heard == "null" {
			input.state = newBit | stateWithdrawn
		}
		if !isValid {
			number = nan
		}
		input.number = number
		listener.times[at] = head.time
		head.arrived++
		listener.isDue = listener.isDue || input.kind&quietBit == 0
	}
}

func forgetOutputs() {
	for at := range outputs[:head.outputs] {
		outputs[at].counter = 0
	}
}

func publish() {
	delta := []byte(`{"updates":[{"values":[`)
	empty := len(delta)
	for at := range outputs[:head.outputs] {
		before := len(delta)
		if before > empty {
			delta = append(delta, ',')
		}
		var isValue bool
		if delta, isValue = appendRow(delta, at); !isValue {
			delta = delta[:before]
		}
	}
	if len(delta) > empty {
		delta = append(delta, `]}]}`...)
		skHandleMessage(unsafe.Pointer(&delta[0]), uint32(len(delta)))
	}
	forgetOutputs()
}

// appendRow appends path and value; false when the row did not change, stands with another one, or has no value.
func appendRow(to []byte, at int) ([]byte, bool) {
	if outputs[at].counter == 0 {
		return to, false
	}
	path, _, isMember := strings.Cut(outputPaths[at], "#")
	to = append(append(append(to, `{"path":"`...), path...), `","value":`...)
	isValue := false
	if !isMember {
		to, isValue = appendValue(to, at)
		return append(to, '}'), isValue
	}
	// Members of one path are one object, written where its first one stands.
	to = append(to, '{')
	for other := range outputs[:head.outputs] {
		of, member, has := strings.Cut(outputPaths[other], "#")
		if !has || of != path || outputs[other].counter == 0 {
			continue
		}
		if other < at {
			return to, false
		}
		before := len(to)
		if isValue {
			to = append(to, ',')
		}
		to = append(append(append(to, '"'), member...), `":`...)
		var isMemberValue bool
		if to, isMemberValue = appendValue(to, other); isMemberValue {
			isValue = true
		} else {
			to = to[:before]
		}
	}
	return append(to, "}}"...), isValue
}

func appendValue(to []byte, at int) ([]byte, bool) {
	output, text := &outputs[at], string(texts[at])
	switch output.kind {
	case kindNumber:
		if output.number-output.number != 0 {
			return to, false
		}
		if output.decimals == 0 {
			return strconv.AppendFloat(to, output.number, 'f', -1, 64), true
		}
		return appendFixed(to, output.number, int(output.decimals)-1), true
	case kindBoolean:
		return strconv.AppendBool(to, output.number == 1), true
	case kindNull:
		return append(to, "null"...), true
	case kindText:
		return appendQuoted(to, text), true
	case kindJSON:
		return append(to, text...), text != ""
	}
	states := [...]string{"normal", "nominal", "alert", "warn", "alarm", "emergency", "", ""}
	methods := map[uint8]string{0x40: `"visual"`, 0x80: `"sound"`, 0xc0: `"visual","sound"`}
	to = append(append(to, `{"state":"`...), states[output.state&7]...)
	to = append(append(to, `","method":[`...), methods[output.state&0xc0]...)
	return append(appendQuoted(append(to, `],"message":`...), text), '}'), true
}
