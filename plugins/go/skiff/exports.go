package skiff

import "unsafe"

// Blocks that the host has: the collector must leave them alone.
var blocks = map[uint32][]byte{}

//go:wasmexport allocate
func allocate(bytes uint32) uint32 {
	block := make([]byte, max(bytes, 1))
	at := addressOf(unsafe.Pointer(&block[0]))
	blocks[at] = block
	return at
}

//go:wasmexport deallocate
func deallocate(at, _ uint32) { delete(blocks, at) }

func give(out, room uint32, text string) uint32 { return uint32(copy(blocks[out][:room], text)) }

func taken(at, bytes uint32) string { return string(blocks[at][:bytes]) }

//go:wasmexport plugin_id
func pluginID(out, room uint32) uint32 { return give(out, room, plugin.ID) }

//go:wasmexport plugin_name
func pluginName(out, room uint32) uint32 { return give(out, room, plugin.Name) }

//go:wasmexport plugin_schema
func pluginSchema(out, room uint32) uint32 {
	if plugin.Schema == "" {
		return give(out, room, "{}")
	}
	return give(out, room, plugin.Schema)
}

//go:wasmexport plugin_start
func pluginStart(at, bytes uint32) int32 {
	head.magic = 0x31564b53
	head.inputs, head.outputs, head.interval, head.flags, head.time = 0, 0, 0, 0, 0
	head.inputRows, head.outputRows = addressOf(unsafe.Pointer(&inputs)), addressOf(unsafe.Pointer(&outputs))
	listener = state{}
	if err := plugin.Start(JSON(taken(at, bytes))); err != nil {
		SetError(err.Error())
		return 1
	}
	forgetOutputs()
	return 0
}

//go:wasmexport plugin_stop
func pluginStop() int32 { return 0 }

//go:wasmexport skiff_values
func skiffValues() int32 { return int32(addressOf(unsafe.Pointer(&head))) }

//go:wasmexport skiff_update
func skiffUpdate() int32 {
	// The host writes and reads the rows by itself.
	listener.byRows = true
	plugin.Update()
	return 0
}

//go:wasmexport delta_handler
func deltaHandler(at, bytes uint32) { hear(JSON(taken(at, bytes))) }
