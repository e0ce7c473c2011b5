// A plugin in Go, built as a reactor: prints, reads clock and environment, keeps files, counts its polls.
package main

import (
	"fmt"
	"os"
	"time"
	"unsafe"
)

// Blocks that the host has: the collector must leave them alone.
var blocks = map[uint32][]byte{}

var polls int

//go:wasmimport env sk_set_status
func setStatus(text unsafe.Pointer, length uint32)

//go:wasmexport plugin_id
func pluginID(out, room uint32) uint32 { return say(out, room, "go-guest") }

//go:wasmexport plugin_name
func pluginName(out, room uint32) uint32 { return say(out, room, "Go guest") }

//go:wasmexport allocate
func allocate(bytes uint32) uint32 {
	if bytes == 0 {
		bytes = 1
	}
	block := make([]byte, bytes)
	at := uint32(uintptr(unsafe.Pointer(&block[0])))
	blocks[at] = block
	return at
}

//go:wasmexport deallocate
func deallocate(at, bytes uint32) { delete(blocks, at) }

//go:wasmexport plugin_start
func pluginStart(at, bytes uint32) int32 {
	config := string(blocks[at][:bytes])
	fmt.Printf("go guest %s at %d with %s\n", os.Getenv("PLUGIN_ID"), time.Now().Unix(), config)
	if err := files(); err != nil {
		fmt.Fprintln(os.Stderr, "files:", err)
		return 1
	}
	return 0
}

//go:wasmexport plugin_stop
func pluginStop() int32 { return 0 }

//go:wasmexport poll
func poll() int32 {
	polls++
	text := []byte(fmt.Sprintf("polled %d times", polls))
	setStatus(unsafe.Pointer(&text[0]), uint32(len(text)))
	return 0
}

// Writes, appends, renames, lists, reads and removes.
func files() error {
	if err := os.WriteFile("/data/log.txt", []byte("one\n"), 0o644); err != nil {
		return err
	}
	file, err := os.OpenFile("/data/log.txt", os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if _, err = file.WriteString("two\n"); err != nil {
		return err
	}
	if err = file.Close(); err != nil {
		return err
	}
	if err = os.Rename("/data/log.txt", "/data/old.txt"); err != nil {
		return err
	}
	entries, err := os.ReadDir("/data")
	if err != nil {
		return err
	}
	text, err := os.ReadFile("/data/old.txt")
	if err != nil {
		return err
	}
	info, err := os.Stat("/data/old.txt")
	if err != nil {
		return err
	}
	fmt.Printf("files %d, %q, %d bytes\n", len(entries), text, info.Size())
	return os.Remove("/data/old.txt")
}

func say(out, room uint32, text string) uint32 {
	return uint32(copy(blocks[out][:room], text))
}

func main() {}
