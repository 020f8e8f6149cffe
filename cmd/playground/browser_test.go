package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// browser is headless Chromium, driven through a pipe by its DevTools protocol, one call after the other.
type browser struct {
	in   *os.File
	out  *bufio.Reader
	last int
}

// startBrowser starts Chromium, which ends with the test. It can reach this machine alone, and does not optimise programs,
// which would pay only for a page that stays open.
func startBrowser(t *testing.T) *browser {
	t.Helper()
	read, in, err := os.Pipe()
	require.NoError(t, err)
	out, write, err := os.Pipe()
	require.NoError(t, err)
	command := exec.Command(chromium(t), "--headless", "--no-sandbox", "--no-first-run", "--disable-gpu",
		"--disable-background-networking", "--disable-component-update", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
		"--js-flags=--liftoff-only", "--user-data-dir="+t.TempDir(), "--remote-debugging-pipe")
	command.ExtraFiles = []*os.File{read, write}
	require.NoError(t, command.Start())
	require.NoError(t, read.Close())
	require.NoError(t, write.Close())
	b := &browser{in: in, out: bufio.NewReader(out)}
	t.Cleanup(func() {
		b.call(t, "", "Browser.close", nil, nil)
		_ = command.Wait() // how it ends says nothing
		_ = in.Close()
		_ = out.Close()
	})
	return b
}

func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("chromium is not installed")
	}
	t.Skip("chromium is not installed")
	return ""
}

type fields map[string]any

// call sends a command and decodes what it returns. What the page threw meanwhile fails the test.
func (b *browser) call(t *testing.T, session, method string, params fields, result any) {
	t.Helper()
	b.last++
	message := fields{"id": b.last, "method": method}
	if params != nil {
		message["params"] = params
	}
	if session != "" {
		message["sessionId"] = session
	}
	text, err := json.Marshal(message)
	require.NoError(t, err)
	_, err = b.in.Write(append(text, 0))
	require.NoError(t, err)
	for {
		text, err := b.out.ReadBytes(0)
		require.NoError(t, err, "the browser ended")
		text = text[:len(text)-1]
		var answer struct {
			ID     int
			Method string
			Result json.RawMessage
			Error  json.RawMessage
		}
		require.NoError(t, json.Unmarshal(text, &answer))
		require.NotEqual(t, "Runtime.exceptionThrown", answer.Method, "%s", text)
		if answer.ID != b.last {
			continue
		}
		require.Nil(t, answer.Error, "%s: %s", method, answer.Error)
		if result != nil {
			require.NoError(t, json.Unmarshal(answer.Result, result))
		}
		return
	}
}

// tab is a page in a browser profile of its own.
type tab struct {
	*browser
	session string
	context string
}

// open shows an address in a window of so many pixels, once a script has run that may prepare the page.
func (b *browser) open(t *testing.T, url string, width, height int, prepare string) *tab {
	t.Helper()
	var profile struct{ BrowserContextID string }
	b.call(t, "", "Target.createBrowserContext", nil, &profile)
	var target struct{ TargetID string }
	b.call(t, "", "Target.createTarget", fields{"url": "about:blank", "browserContextId": profile.BrowserContextID}, &target)
	var attached struct{ SessionID string }
	b.call(t, "", "Target.attachToTarget", fields{"targetId": target.TargetID, "flatten": true}, &attached)
	page := &tab{browser: b, session: attached.SessionID, context: profile.BrowserContextID}
	page.do(t, "Page.enable", nil, nil)
	page.do(t, "Runtime.enable", nil, nil)
	page.do(t, "Page.addScriptToEvaluateOnNewDocument", fields{"source": prepare}, nil)
	page.do(t, "Emulation.setDeviceMetricsOverride", fields{"width": width, "height": height, "deviceScaleFactor": 2, "mobile": width < 500}, nil)
	page.do(t, "Page.navigate", fields{"url": url}, nil)
	page.until(t, `document.getElementById("summary") !== null`)
	t.Cleanup(func() {
		b.call(t, "", "Target.disposeBrowserContext", fields{"browserContextId": profile.BrowserContextID}, nil)
	})
	return page
}

func (p *tab) do(t *testing.T, method string, params fields, result any) {
	t.Helper()
	p.call(t, p.session, method, params, result)
}

// eval returns what a JavaScript expression, or what it promises, is.
func eval[T any](t *testing.T, p *tab, expression string) T {
	t.Helper()
	var got struct {
		Result           struct{ Value T }
		ExceptionDetails json.RawMessage
	}
	p.do(t, "Runtime.evaluate", fields{"expression": expression, "awaitPromise": true, "returnByValue": true, "userGesture": true}, &got)
	require.Nil(t, got.ExceptionDetails, "%s: %s", expression, got.ExceptionDetails)
	return got.Result.Value
}

// until waits until a JavaScript condition holds, which may ask about what is not there yet.
func (p *tab) until(t *testing.T, condition string) {
	t.Helper()
	held := eval[bool](t, p, `new Promise((done) => {
		const end = Date.now() + 60_000;
		const holds = () => { try { return `+condition+`; } catch { return false; } };
		const look = () => holds() ? done(true) : Date.now() > end ? done(false) : setTimeout(look, 10);
		look();
	})`)
	require.True(t, held, "%s; the page says %q", condition, eval[string](t, p, `document.body?.innerText ?? ""`))
}

// press presses a key and lets it go.
func (p *tab) press(t *testing.T, key string) {
	t.Helper()
	codes := map[string]int{"Tab": 9, "Enter": 13, "End": 35, "Home": 36, "ArrowUp": 38, "ArrowDown": 40}
	require.Contains(t, codes, key)
	event := fields{"type": "keyDown", "key": key, "code": key, "windowsVirtualKeyCode": codes[key]}
	if key == "Enter" {
		event["text"] = "\r"
	}
	p.do(t, "Input.dispatchKeyEvent", event, nil)
	event["type"] = "keyUp"
	p.do(t, "Input.dispatchKeyEvent", event, nil)
}

// fill types a text into a field in place of what it holds.
func (p *tab) fill(t *testing.T, id, text string) {
	t.Helper()
	eval[any](t, p, "document.getElementById('"+id+"').select()")
	p.do(t, "Input.insertText", fields{"text": text}, nil)
}

// screenshot keeps a picture of the whole page, where somebody asks for pictures.
func (p *tab) screenshot(t *testing.T, name string) {
	t.Helper()
	dir := os.Getenv("GARNIX2GHA_SCREENSHOTS")
	if dir == "" {
		return
	}
	var picture struct{ Data string }
	p.do(t, "Page.captureScreenshot", fields{"captureBeyondViewport": true}, &picture)
	data, err := base64.StdEncoding.DecodeString(picture.Data)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, name+".png"), data, 0o644))
}
