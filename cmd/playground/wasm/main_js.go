// Command wasm is the converter as the page's worker runs it: it gives the worker one function and waits.
package main

import (
	"encoding/json"
	"runtime/debug"
	"strings"
	"syscall/js"

	"garnix2gha/cmd/playground/convert"
)

func main() {
	js.Global().Set("convert", js.FuncOf(func(_ js.Value, args []js.Value) any {
		return reply(convert.Request{Config: args[0].String(), Lock: args[1].String(), Cache: args[2].String()})
	}))
	select {}
}

// reply is what the page gets: {text, archive} with the response as JSON, or {fault}.
func reply(request convert.Request) map[string]any {
	response, err := convert.Convert(request, version())
	if err != nil {
		return map[string]any{"fault": err.Error()}
	}
	text, err := json.Marshal(response)
	if err != nil {
		return map[string]any{"fault": err.Error()}
	}
	archive := js.Global().Get("Uint8Array").New(len(response.Archive))
	js.CopyBytesToJS(archive, response.Archive)
	return map[string]any{"text": string(text), "archive": archive}
}

// version is that of the program of this checkout.
func version() string {
	info, _ := debug.ReadBuildInfo()
	return strings.Trim(info.Main.Version, "()")
}
